"""The method quip#: its layer built again by hand from the public pieces, its scale, its size, its refusals."""

import json
from contextlib import nullcontext

import numpy as np
import pytest
from sizes import size
from voice import says

import quipref as q
from quipref.methods import quip_sharp, registry

M, N = 24, 40
BACKEND = size("numba", "numpy")


@pytest.fixture(scope="module")
def problem():
    return q.random_layer(M, N, spectrum="outlier", seed=5)


def layer_of(problem, bits=2, **options):
    return q.quantize(*problem, method="quip#", bits=bits, **({"backend": BACKEND, "source_scale": 0.9} | options))


def by_hand(
    problem, *, bits=2, source_scale=0.9, residual_scale=None, passes=0, order="backward", seed=0,
    transform="hadamard", rescale=False, damping=0.01,
):  # fmt: skip
    """Process, divide by the scale, block LDLQ, passes; undo."""
    how = {"transform": transform, "seed": seed, "rescale": rescale, "damping": damping}
    layer = q.incoherence_process(*problem, **how)
    scale = layer.measure(lambda W, H: np.sqrt(np.square(W).mean()) / source_scale)
    if bits == 2:
        round_to = q.E8PQuantizer(scale, backend=BACKEND)
    else:
        round_to = q.ResidualQuantizer(bits, scale, residual_scale, backend=BACKEND)
    return layer.round(q.block_descent, round_to=round_to, passes=passes, order=order, backend=BACKEND)


class TestByHand:
    """`quantize` against `incoherence_process(...).round(block_descent)` with the codebook at its scale."""

    @pytest.mark.parametrize("passes", [0, 2])
    @pytest.mark.parametrize("bits", [2, 3, 4])
    def test_every_codebook(self, problem, bits, passes):
        found = layer_of(problem, bits, passes=passes).dequantize(np.float64)
        np.testing.assert_array_equal(found, by_hand(problem, bits=bits, passes=passes))

    @pytest.mark.parametrize(
        "options",
        [
            {"order": "forward"},
            {"order": "forward", "passes": 3},
            {"source_scale": 1.1},
            {"damping": 0.5},
            {"transform": "kronecker"},
            {"transform": None},
            {"rescale": True},
            {"seed": 7},
            {"bits": 3, "residual_scale": 3.0},
        ],
        ids=str,
    )
    def test_every_option_counts(self, problem, options):
        found = layer_of(problem, **options).dequantize(np.float64)
        np.testing.assert_array_equal(found, by_hand(problem, **options))
        assert not (found == layer_of(problem, options.get("bits", 2)).dequantize(np.float64)).all()

    @pytest.mark.parametrize("bits", [2, 3, 4])
    def test_the_reference_gives_the_same_layer(self, problem, bits):
        compiled, reference = (layer_of(problem, bits, passes=1, backend=name) for name in ("numba", "numpy"))
        np.testing.assert_array_equal(compiled.codes, reference.codes)

    def test_the_other_name(self, problem):
        layer = q.quantize(*problem, method="quip_sharp", bits=2, source_scale=0.9, backend=BACKEND)
        assert layer.method == "quip#"
        assert (layer.codes == layer_of(problem).codes).all()


class TestScale:
    def test_by_hand(self):
        """Root mean square 5, to be half a unit of the codebook."""
        W = np.array([[7.0, -1.0], [5.0, 5.0]])
        assert [quip_sharp.codebook(W, bits, 0.5).scale for bits in (2, 3, 4)] == [10.0] * 3

    @pytest.mark.parametrize("bits", [2, 3])
    @pytest.mark.parametrize("order", ["forward", "backward"])
    def test_by_default_the_one_that_loses_least(self, bits, order, monkeypatch):
        """All rows are looked at here, so the loss of each scale can be measured by rounding the layer with it."""
        monkeypatch.setattr(quip_sharp, "TRIED_SCALES", (0.5, 0.9, 3.0))
        W, H = q.random_layer(quip_sharp.ROWS, 64, seed=1)
        losses = {
            s: q.proxy_loss(W, by_hand((W, H), bits=bits, source_scale=s, order=order), H)
            for s in quip_sharp.TRIED_SCALES
        }
        assert layer_of((W, H), bits, source_scale=None, order=order).options["source_scale"] == 0.9
        assert min(losses, key=losses.get) == 0.9

    def test_a_row_that_reaches_far_asks_for_room(self):
        """Without a rotation one row keeps ten times the length of the others."""
        W, H = q.random_layer(64, 64, seed=2)
        W[5] *= 10
        found = [layer_of((X, H), 4, source_scale=None, transform=None) for X in (W, np.delete(W, 5, axis=0))]
        assert found[0].options["source_scale"] < found[1].options["source_scale"]
        losses = [q.proxy_loss(W, layer.dequantize(), H) for layer in (
            found[0], layer_of((W, H), 4, source_scale=found[1].options["source_scale"], transform=None)
        )]  # fmt: skip
        assert losses[0] < losses[1]

    def test_rows_of_the_sample(self, monkeypatch):
        """The two longest count once, two of the four others for all four."""
        monkeypatch.setattr(quip_sharp, "ROWS", 2)
        W = np.diag([1.0, -6, 2, 5, 3, 4])
        rows, stand_for = quip_sharp.sample(W)
        assert rows.sum(axis=1).tolist() == [-6, 5, 4, 2]
        assert stand_for.tolist() == [1, 1, 2, 2]
        rows, stand_for = quip_sharp.sample(W[:2])
        assert (len(rows), stand_for.tolist()) == (2, [1, 1])

    @pytest.mark.parametrize("bits", [2, 3, 4])
    def test_where_no_loss_tells_them_apart_the_squared_error_does(self, problem, bits, monkeypatch):
        monkeypatch.setattr(quip_sharp, "TRIED_SCALES", (0.2, 0.9, 3.0))
        W, nothing = problem[0], np.zeros((N, N))
        errors = {
            s: np.square(W - layer_of((W, nothing), bits, source_scale=s).dequantize(np.float64)).sum()
            for s in quip_sharp.TRIED_SCALES
        }
        assert layer_of((W, nothing), bits, source_scale=None).options["source_scale"] == min(errors, key=errors.get)
        assert min(errors, key=errors.get) == 0.9

    @pytest.mark.parametrize("power", [-170, 170])
    def test_the_size_of_H_does_not_matter(self, problem, power):
        """H may be beyond single precision, in which the weights are rounded."""
        W, H = problem[0].astype(np.float32), problem[1]
        found = [layer_of((W, X), source_scale=None).options["source_scale"] for X in (H, np.ldexp(H, power))]
        assert found[0] == found[1] != quip_sharp.TRIED_SCALES[0]

    @pytest.mark.parametrize("factor", [1e-30, 1e30])
    def test_squares_may_leave_single_precision(self, problem, factor):
        W, H = problem[0].astype(np.float32), problem[1]
        power = np.float32(2.0) ** np.round(np.log2(factor)).astype(np.float32)
        layers = [layer_of((X, H), source_scale=None, passes=1) for X in (W, W * power)]
        np.testing.assert_array_equal(layers[0].codes, layers[1].codes)

    @pytest.mark.parametrize("factor", [1e39, 1e-40])
    def test_weights_beyond_single_precision_are_refused(self, problem, factor):
        with says(ValueError, "scale must be zero or fit single precision", "power of two"):
            layer_of((problem[0] * factor, problem[1]))

    @pytest.mark.parametrize("source_scale", [None, 0.9])
    def test_a_layer_of_zeros(self, problem, source_scale):
        assert not layer_of((0 * problem[0], problem[1]), passes=1, source_scale=source_scale).dequantize().any()


class TestSize:
    """Every bit that a decoder needs: the codes, the scale, the rotations, the header."""

    @pytest.mark.parametrize(
        ("options", "transform"),
        [
            ({}, 128),
            ({"bits": 3}, 128),
            ({"bits": 4}, 128),
            ({"rescale": True}, 128 + 16 * N),
            ({"transform": None}, 0),
        ],
        ids=str,
    )
    def test_every_bit_is_counted(self, problem, options, transform):
        layer = layer_of(problem, **options)
        bits, header = options.get("bits", 2), 8 * len(layer.header().encode())
        assert layer.size_in_bits() == {"codes": bits * M * N, "scales": 32, "transform": transform, "header": header}
        assert layer.bits_per_weight == (bits * M * N + 32 + transform + header) / (M * N)
        assert layer.codes.shape == (M, N // 8)

    @pytest.mark.parametrize(("bits", "r"), [(2, None), (3, 2.04), (4, 3.45)])
    def test_the_header_says_how_it_was_made(self, problem, bits, r):
        facts = json.loads(layer_of(problem, bits, seed=9, passes=1).header())
        assert (facts["method"], facts["shape"]) == ("quip#", [M, N])
        assert facts["options"] == {
            "bits": bits,
            "seed": 9,
            "source_scale": 0.9,
            "residual_scale": r,
            "passes": 1,
            "transform": "hadamard",
            "rescale": False,
            "damping": 0.01,
            "order": "backward",
        }


class TestQuality:
    @pytest.mark.jit
    @pytest.mark.parametrize("bits", [2, 3, 4])
    def test_it_loses_less_than_ldlq_and_quip(self, bits):
        losses = []
        for seed in range(6):
            W, H = q.random_layer(64, 128, seed=seed)
            layers = [q.quantize(W, H, method=name, bits=bits, seed=seed) for name in ("ldlq", "quip")]
            layers += [layer_of((W, H), bits, source_scale=None, seed=seed, passes=p) for p in (0, 10)]
            losses.append([q.proxy_loss(W, layer.dequantize(), H) for layer in layers])
        ratios = np.array(losses)[:, [2, 2, 3]] / np.array(losses)[:, [0, 1, 2]]
        assert (ratios.mean(axis=0) + 5 * ratios.std(axis=0, ddof=1) / np.sqrt(len(ratios)) < 1)[:2].all()
        assert (ratios[:, 2] < 1).all()  # the passes never lose, but for what the damping adds

    def test_there_is_no_bound(self, problem):
        assert registry.module("quip#").bound(layer_of(problem), problem[1]) is None


class TestProgress:
    def test_all_weights_are_counted_once_a_pass(self, problem, monkeypatch):
        told = []

        class Bar(nullcontext):
            update = told.append

        monkeypatch.setattr(quip_sharp, "bar", lambda *facts: told.append(facts) or Bar(Bar))
        layer_of(problem, progress=True, passes=1)
        assert told == [("quip#", 2 * M * N, True), *[M * 8] * (2 * N // 8)]


REFUSALS = [
    ({"bits": 1}, ValueError, "bits must be from 2 to 4, but 1 came"),
    ({"bits": 5}, ValueError, "bits must be from 2 to 4, but 5 came. QuIP# has no other codebooks; ldlq takes 1 to 8."),
    ({"bits": 2.0}, TypeError, "bits must be an integer, but 2.0"),
    ({"source_scale": 0.0}, ValueError, "source_scale must be from 0.001 to 1000, but 0 came. The authors' is 1.03;"),
    ({"source_scale": 1e30}, ValueError, "source_scale must be from 0.001 to 1000, but 1e+30 came"),
    ({"source_scale": "1"}, TypeError, "source_scale must be a real number, but '1' (str) came"),
    (
        {"residual_scale": 2.0},
        ValueError,
        "residual_scale must be None for bits=2, which has no residual, but 2.0 came",
    ),
    ({"bits": 3, "residual_scale": -2.0}, ValueError, "residual_scale must be"),
    ({"passes": -1}, ValueError, "passes must be at least 0, but -1 came"),
    (
        {"transform": "haar"},
        ValueError,
        "transform must be one of 'kronecker', 'hadamard', 'fourier', None, but 'haar'",
    ),
    ({"order": "sideways"}, ValueError, "order must be one of 'forward', 'backward', but 'sideways' came"),
    ({"damping": -1.0}, ValueError, "must be finite and not negative, but -1.0 came"),
    ({"scale": 1.0}, ValueError, "option of quip# must be one of 'source_scale', 'residual_scale', 'passes'"),
]


@pytest.mark.parametrize(("change", "error", "message"), REFUSALS, ids=lambda v: str(v) if isinstance(v, dict) else "")
def test_refusals(problem, change, error, message):
    with says(error, message):
        layer_of(problem, **change)


def test_columns_that_fill_no_block_are_refused_with_advice_that_works():
    W, H = q.random_layer(16, 20, seed=0)
    with says(
        ValueError, "W must have a multiple of 8 columns", "(16, 20)", "Pad the layer (and its H) with columns of"
    ):
        layer_of((W, H))
    layer = layer_of((np.pad(W, ((0, 0), (0, 4))), np.pad(H, ((0, 4), (0, 4)))), 4)
    assert q.proxy_loss(W, layer.dequantize()[:, :20], H) < 0.1 * q.proxy_loss(W, 0 * W, H)


@pytest.mark.parametrize("shape", [(5, 16), (16, 20)])
@pytest.mark.parametrize("bits", [1, 2, 3, 4, 5, 8])
def test_it_says_no_where_quantize_does(shape, bits):
    reason = quip_sharp.refuses(shape, bits, passes=10)
    layer = q.random_layer(*shape, seed=0)
    if reason is None:
        assert layer_of(layer, bits).codes.shape == (5, 2)
    else:
        assert ("20 is no multiple of 8" if shape[1] == 20 else "its codebooks are of 2, 3 and 4 bits") in reason
        with pytest.raises(ValueError, match="must"):
            layer_of(layer, bits)


@pytest.mark.parametrize("spectrum", ["low_rank", "dead"])
def test_singular_hessians_need_no_damping(spectrum):
    W, H = q.random_layer(16, 32, spectrum=spectrum, seed=0)
    for damping in (0.0, 0.01):
        assert np.isfinite(layer_of((W, H), damping=damping, passes=2, source_scale=None).dequantize()).all()


def test_inputs_stay_as_they_are(problem):
    W, H = (np.repeat(np.repeat(X.astype(np.float32), 2, 0), 2, 1)[::2, ::2] for X in problem)
    before = W.copy(), H.copy()
    W.setflags(write=False)
    H.setflags(write=False)
    layer = layer_of((W, H), 4, passes=1, source_scale=None)
    assert layer.dequantize().dtype == np.float32
    np.testing.assert_array_equal(W, before[0])
    np.testing.assert_array_equal(H, before[1])
    assert q.proxy_loss(W, layer.dequantize(), H) < 0.1 * q.proxy_loss(W, 0 * W, H)
