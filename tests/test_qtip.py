"""The method qtip: its layer built again by hand from the public pieces, its options, its size, its refusals."""

import json
from contextlib import nullcontext

import numpy as np
import pytest
from sizes import size
from voice import says

import quipref as q
from quipref.methods import bar as module_of_the_bar
from quipref.methods import qtip, registry
from quipref.trellis import codes

M, N = 32, 48
L = 6  # small enough for the run without the JIT
BACKEND = size("numba", "numpy")


@pytest.fixture(scope="module")
def problem():
    return q.random_layer(M, N, spectrum="outlier", seed=5)


def layer_of(problem, bits=2, **options):
    return q.quantize(*problem, method="qtip", bits=bits, **({"state_bits": L, "backend": BACKEND} | options))


def processed(problem, seed=0, transform="hadamard", rescale=False, damping=0.01):
    return q.incoherence_process(*problem, transform=transform, seed=seed, rescale=rescale, damping=damping)


def by_hand(problem, table, *, bits=2, fill=qtip.FILL, order="backward", tile=(16, 16), precision="fast", **process):
    """The paper's algorithm 5 in three lines."""
    layer = processed(problem, **process)
    scale = layer.measure(lambda W, H: qtip.filling_scale(W, table, fill))
    trellis = q.BitshiftTrellis(len(table).bit_length() - 1, bits, table.shape[1])
    tiles = q.TrellisQuantizer(table, trellis, scale=scale, tile=tile, precision=precision, backend=BACKEND)
    return layer.round(q.ldlq, round_to=tiles, order=order, backend=BACKEND)


class TestByHand:
    """`quantize` against `incoherence_process(...).round(ldlq)` with tiles at the scale that fills the code."""

    @pytest.mark.parametrize(
        ("options", "table"),
        [
            ({"code": "1mad"}, codes.one_mad(L)),
            ({"code": "2mad"}, codes.two_mad(L)),
            ({"code": "3inst"}, codes.three_inst(L)),
            ({"code": "mcg"}, codes.mcg(L)),
            ({"code": "mul1"}, codes.mul1(L)),
            ({"code": "hyb", "table_bits": 3}, codes.hyb(codes.hyb_table(3, 0), L)),
            ({"code": "lut"}, codes.gaussian(L, seed=0)),
            ({"code": "lut", "values_per_step": 2}, codes.gaussian(L, 2, seed=0)),
        ],
    )
    def test_every_code(self, problem, options, table):
        np.testing.assert_array_equal(layer_of(problem, **options).dequantize(np.float64), by_hand(problem, table))

    @pytest.mark.parametrize("bits", [1, 3, 4])
    def test_other_bits(self, problem, bits):
        expected = by_hand(problem, codes.one_mad(L), bits=bits)
        np.testing.assert_array_equal(layer_of(problem, bits).dequantize(np.float64), expected)

    @pytest.mark.parametrize(
        "options",
        [
            {"order": "forward"},
            {"tile": (8, 16)},
            {"fill": 0.8},
            {"damping": 0.5},
            {"transform": "kronecker"},
            {"transform": None},
            {"rescale": True},
            {"seed": 7},
        ],
        ids=str,
    )
    def test_every_option_counts(self, problem, options):
        found = layer_of(problem, **options).dequantize(np.float64)
        np.testing.assert_array_equal(found, by_hand(problem, codes.one_mad(L), **options))
        assert not (found == layer_of(problem).dequantize(np.float64)).all()

    def test_exact_costs(self, problem):
        expected = by_hand(problem, codes.one_mad(L), precision="exact")
        np.testing.assert_array_equal(layer_of(problem, precision="exact").dequantize(np.float64), expected)

    def test_the_reference_gives_the_same_layer(self, problem):
        small = problem[0][:16, :16], problem[1][:16, :16]
        compiled, reference = (layer_of(small, backend=backend) for backend in ("numba", "numpy"))
        np.testing.assert_array_equal(compiled.codes, reference.codes)

    @pytest.mark.jit
    def test_the_default_has_sixteen_state_bits(self, problem):
        layer = q.quantize(*problem, method="qtip", bits=2)
        np.testing.assert_array_equal(layer.dequantize(np.float64), by_hand(problem, codes.one_mad(16)))

    @pytest.mark.jit
    def test_the_hybrid_code_has_a_table_of_512_pairs(self, problem):
        layer = layer_of(problem, code="hyb", state_bits=10)
        assert (layer.options["table_bits"], layer.options["values_per_step"]) == (9, 2)
        expected = by_hand(problem, codes.hyb(codes.hyb_table(9, 0), 10))
        np.testing.assert_array_equal(layer.dequantize(np.float64), expected)


class TestScale:
    def test_by_hand(self):
        """Root mean square 5 against one of 2, filled to a half."""
        W = np.array([[7.0, -1.0], [5.0, 5.0]])
        assert qtip.filling_scale(W, np.float32([[2], [-2]]), 0.5) == 5.0

    def test_squares_do_not_overflow(self):
        W = np.full((2, 2), 1e30, np.float32)
        assert qtip.filling_scale(W, np.float32([[1]]), 1.0) == pytest.approx(1e30, rel=1e-6)

    @pytest.mark.parametrize("factor", [1e39, 1e-40])
    def test_weights_beyond_single_precision_are_refused(self, problem, factor):
        with says(ValueError, "scale must be zero or fit single precision", "power of two"):
            layer_of((problem[0] * factor, problem[1]))

    def test_a_layer_of_zeros(self, problem):
        assert not layer_of((0 * problem[0], problem[1])).dequantize().any()


class TestSize:
    """Every bit that a decoder needs: the words, the scale, a table that no seed gives, the rotations, the header."""

    @pytest.mark.parametrize(
        ("options", "scales", "transform"),
        [
            ({}, 32, 128),
            ({"bits": 3}, 32, 128),
            ({"code": "lut"}, 32, 128),
            ({"code": "hyb", "table_bits": 4}, 32 + 16 * 2 * 2**4, 128),
            ({"rescale": True}, 32, 128 + 16 * N),
            ({"transform": None}, 32, 0),
        ],
        ids=str,
    )
    def test_every_bit_is_counted(self, problem, options, scales, transform):
        layer = layer_of(problem, **options)
        header = 8 * len(layer.header().encode())
        words = options.get("bits", 2) * M * N
        assert layer.size_in_bits() == {"codes": words, "scales": scales, "transform": transform, "header": header}
        assert layer.bits_per_weight == (words + scales + transform + header) / (M * N)
        assert layer.codes.dtype == np.uint16
        assert layer.codes.size * 16 == words

    def test_the_header_says_how_it_was_made(self, problem):
        facts = json.loads(layer_of(problem, seed=9).header())
        assert (facts["method"], facts["shape"]) == ("qtip", [M, N])
        assert facts["options"] == {
            "bits": 2,
            "seed": 9,
            "code": "1mad",
            "state_bits": L,
            "values_per_step": 1,
            "table_bits": None,
            "tile": [16, 16],
            "fill": qtip.FILL,
            "transform": "hadamard",
            "rescale": False,
            "damping": 0.01,
            "order": "backward",
            "precision": "fast",
        }


class TestQuality:
    def test_better_than_quip_at_two_bits(self):
        ratios = []
        for seed in range(size(8, 5)):
            W, H = q.random_layer(32, 64, seed=seed)
            losses = [q.proxy_loss(W, layer.dequantize(), H) for layer in (
                layer_of((W, H), state_bits=size(10, 6), seed=seed), q.quantize(W, H, method="quip", bits=2, seed=seed)
            )]  # fmt: skip
            ratios.append(losses[0] / losses[1])
        assert np.mean(ratios) + 5 * np.std(ratios) / np.sqrt(len(ratios)) < 1

    def test_there_is_no_bound(self, problem):
        assert registry.module("qtip").bound(layer_of(problem), problem[1]) is None


class TestProgress:
    def test_a_bar_shows_weights_a_second(self, problem, capsys, monkeypatch):
        monkeypatch.setattr(module_of_the_bar, "QUIET_SECONDS", 0)
        layer_of(problem, progress=True)
        err = capsys.readouterr().err
        assert "qtip:   0%" in err
        assert "/1.54k" in err  # of 32 x 48 weights
        assert "weights/s" in err

    def test_every_column_of_tiles_is_counted(self, problem, monkeypatch):
        told = []

        class Bar(nullcontext):
            update = told.append

        monkeypatch.setattr(qtip, "bar", lambda method, *facts: told.append(facts) or Bar(Bar))
        layer_of(problem, progress=True)
        assert told == [(M * N, True), *[M * 16] * 3]

    @pytest.mark.parametrize("progress", [True, False])
    def test_the_hybrid_table_is_told(self, problem, monkeypatch, progress):
        told, make = [], codes.hyb_table
        monkeypatch.setattr(codes, "hyb_table", lambda *args, **options: told.append(options) or make(*args, **options))
        qtip._hyb_entries.cache_clear()
        layer_of(problem, code="hyb", table_bits=2, state_bits=4, progress=progress)
        assert told == [{"progress": progress}]

    @pytest.mark.parametrize("progress", [True, False])
    def test_what_is_quick_shows_none(self, problem, capsys, progress):
        layer_of(problem, progress=progress)
        assert capsys.readouterr().err == ""

    def test_an_interruption_comes_through(self, problem, monkeypatch):
        monkeypatch.setattr(q.TrellisQuantizer, "walks", lambda self, X: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            layer_of(problem, progress=True)


REFUSALS = [
    ({"bits": 0}, "bits must be from 1 to 8, but 0 came"),
    ({"bits": 9}, "bits must be from 1 to 8, but 9 came"),
    ({"bits": 7}, "bits_per_weight * values_per_step must not exceed state_bits, but 7 * 1 > 6"),
    ({"bits": 4, "code": "hyb"}, "bits_per_weight * values_per_step must not exceed state_bits, but 4 * 2 > 6"),
    ({"state_bits": 21}, "state_bits must be from 1 to 20, but 21 came"),
    ({"code": "4mad"}, "code must be one of '1mad', '2mad', '3inst', 'mcg', 'mul1', 'hyb', 'lut', but '4mad' came"),
    ({"values_per_step": 2}, "values_per_step must be 1 for code='1mad', but 2 came. Leave it out."),
    ({"code": "hyb", "values_per_step": 1}, "values_per_step must be 2 for code='hyb', but 1 came"),
    ({"code": "lut", "values_per_step": 0}, "values_per_step must be at least 1, but 0 came"),
    ({"table_bits": 9}, "table_bits must be None for code='1mad', which has none, but 9 came"),
    ({"code": "hyb", "table_bits": 16}, "table_bits must be from 1 to 15, but 16 came"),
    ({"tile": (16, 12)}, "tile must have rows of whole 16-bit words"),
    ({"tile": (32, 32)}, "W must consist of whole tiles of 32 x 32, but it is 32 x 48. Pad the layer (and its H)"),
    ({"fill": 0.0}, "fill must be from 0.001 to 1000, but 0 came. Try 0.85."),
    ({"fill": 1e-300}, "fill must be from 0.001 to 1000, but 1e-300 came"),
    ({"fill": 1e30}, "fill must be from 0.001 to 1000, but 1e+30 came"),
    ({"fill": -1.0}, "fill must be finite and not negative, but -1.0 came"),
    ({"transform": "haar"}, "transform must be one of 'kronecker', 'hadamard', 'fourier', None, but 'haar' came"),
    ({"order": "sideways"}, "order must be one of 'forward', 'backward', but 'sideways' came"),
    ({"precision": "double"}, "precision must be one of 'exact', 'fast', but 'double' came"),
    ({"damping": -1.0}, "must be finite and not negative, but -1.0 came"),
    ({"scale": 1.0}, "option of qtip must be one of 'code', 'state_bits'"),
]


@pytest.mark.parametrize(("change", "message"), REFUSALS, ids=str)
def test_refusals(problem, change, message):
    with says(ValueError, message):
        layer_of(problem, **change)


def test_rows_that_fill_no_tile_are_refused():
    with says(
        ValueError, "W must consist of whole tiles of 16 x 16, but it is 24 x 32", "cut the rows and columns off"
    ):
        layer_of(q.random_layer(24, 32, seed=0))


def test_what_the_refusal_advises_works():
    """Zeros around W and H, cut off again: the columns that were added carry no loss."""
    W, H = q.random_layer(24, 40, seed=0)
    layer = layer_of((np.pad(W, ((0, 8), (0, 8))), np.pad(H, ((0, 8), (0, 8)))), 4)
    assert q.proxy_loss(W, layer.dequantize()[:24, :40], H) < 0.1 * q.proxy_loss(W, 0 * W, H)


@pytest.mark.parametrize("shape", [(32, 48), (24, 48), (32, 40)])
def test_which_layers_it_refuses(shape):
    reason = qtip.refuses(shape, 2, state_bits=L)
    assert (reason is None) == (shape == (32, 48))
    assert reason is None or f"16 x 16, and {shape[0]} x {shape[1]} is no whole number" in reason
    assert qtip.refuses(shape, 2, tile=(8, 8)) is None


@pytest.mark.parametrize("spectrum", ["low_rank", "dead"])
def test_singular_hessians_need_no_damping(spectrum):
    W, H = q.random_layer(16, 32, spectrum=spectrum, seed=0)
    for damping in (0.0, 0.01):
        assert np.isfinite(layer_of((W, H), damping=damping).dequantize()).all()


def test_inputs_stay_as_they_are(problem):
    W, H = (np.repeat(np.repeat(X.astype(np.float32), 2, 0), 2, 1)[::2, ::2] for X in problem)
    before = W.copy(), H.copy()
    W.setflags(write=False)
    H.setflags(write=False)
    layer = layer_of((W, H), 4)
    assert layer.dequantize().dtype == np.float32
    np.testing.assert_array_equal(W, before[0])
    np.testing.assert_array_equal(H, before[1])
    assert q.proxy_loss(W, layer.dequantize(), H) < 0.1 * q.proxy_loss(W, 0 * W, H)


def test_products_are_those_of_the_weights_that_came_back(problem):
    layer = layer_of(problem)
    X = np.random.default_rng(0).standard_normal((N, 3))
    np.testing.assert_array_equal(layer @ X, (X.T @ layer.dequantize(np.float64).T).T)
