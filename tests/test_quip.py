"""The method quip: its layer built again by hand from the public pieces, its options, its size, its bound."""

import json

import numpy as np
import pytest

import quipref as q
from quipref import bounds
from quipref.methods import quip, registry
from quipref.rounding.ldlq_rg import ldlq_rg

M, N = 6, 12


@pytest.fixture(scope="module")
def problem():
    return q.random_layer(M, N, spectrum="outlier", seed=5)


def layer_of(problem, bits=2, **options):
    return q.quantize(*problem, method="quip", bits=bits, **options)


def processed(problem, seed=0, transform="kronecker", rescale=True, damping=0.01):
    return q.incoherence_process(*problem, transform=transform, seed=seed, rescale=rescale, damping=damping)


def nearest(W, H, *, round_to):
    return round_to.quantize(W)[1]


class TestByHand:
    """`quantize` against `incoherence_process(...).round(...)` on the grid of the processed weights, to the bit."""

    @pytest.mark.parametrize("transform", ["kronecker", "hadamard", "fourier", None])
    @pytest.mark.parametrize("rescale", [True, False])
    @pytest.mark.parametrize("clamp", [True, False])
    def test_every_transform(self, problem, transform, rescale, clamp):
        layer = layer_of(problem, seed=3, transform=transform, rescale=rescale, clamp=clamp)
        by_hand = processed(problem, 3, transform, rescale)
        grid = by_hand.measure(lambda W, H: quip.published_grid(W, 2, clamp))
        np.testing.assert_array_equal(layer.dequantize(np.float64), by_hand.round(q.ldlq, round_to=grid))

    @pytest.mark.parametrize(("name", "rounder"), [("ldlq", q.ldlq), ("ldlq_rg", ldlq_rg), ("nearest", nearest)])
    def test_every_rounder(self, problem, name, rounder):
        layer = layer_of(problem, rounder=name)
        by_hand = processed(problem)
        grid = by_hand.measure(lambda W, H: quip.published_grid(W, 2))
        np.testing.assert_array_equal(layer.dequantize(np.float64), by_hand.round(rounder, round_to=grid))

    def test_the_other_order_and_another_damping(self, problem):
        layer = layer_of(problem, order="backward", damping=0.5)
        by_hand = processed(problem, damping=0.5)
        grid = by_hand.measure(lambda W, H: quip.published_grid(W, 2))
        expected = by_hand.round(q.ldlq, round_to=grid, order="backward")
        np.testing.assert_array_equal(layer.dequantize(np.float64), expected)
        assert not (layer.codes == layer_of(problem).codes).all()

    def test_the_optimum_step_is_the_best_of_forty_for_the_processed_weights(self, problem):
        layer = layer_of(problem, step="optimum")
        grid = processed(problem).measure(lambda W, H: q.UniformGrid.fit(W, 2, per="tensor"))
        assert layer.round_to.step == grid.step
        expected = processed(problem).round(q.ldlq, round_to=grid)
        np.testing.assert_array_equal(layer.dequantize(np.float64), expected)

    def test_the_reference_gives_the_same_layer(self, problem):
        for options in ({}, {"step": "optimum"}, {"rounder": "ldlq_rg"}):
            compiled, reference = (layer_of(problem, backend=backend, **options) for backend in ("numba", "numpy"))
            np.testing.assert_array_equal(compiled.codes, reference.codes)
            np.testing.assert_array_equal(compiled.round_to.step, reference.round_to.step)


class TestGrid:
    @pytest.mark.parametrize("bits", [1, 2, 3, 8])
    def test_the_published_range_is_2_4_root_mean_squares(self, problem, bits):
        layer = layer_of(problem, bits, seed=1)
        rms = processed(problem, 1).measure(lambda W, H: np.sqrt(np.mean(W**2)))
        assert layer.round_to.step.dtype == np.float16
        assert layer.round_to.step == np.float16(2 * 2.4 * rms / (2**bits - 1))
        assert (layer.round_to.low, layer.round_to.high) == (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)

    def test_by_hand(self):
        """Root mean square 5: the range is 12, four levels are 8 apart."""
        W = np.array([[7.0, -1.0], [5.0, 5.0]])
        assert quip.published_grid(W, 2).step == [[8.0]]
        assert quip.published_grid(W.astype(np.float32), 2).step.dtype == np.float16

    def test_squares_do_not_overflow_in_float32(self):
        with pytest.raises(ValueError, match=r"step fits half precision .* reaches 2\.4e\+25"):
            quip.published_grid(np.full((2, 2), 1e25, np.float32), 2)

    @pytest.mark.parametrize("size", [1e9, 1e-9])
    @pytest.mark.parametrize("step", quip.STEPS)
    def test_a_step_that_half_precision_cannot_hold_is_refused(self, problem, size, step):
        W, H = problem
        with pytest.raises(ValueError, match="W must have rows whose grid step fits half precision"):
            layer_of((size * W, H), step=step)

    @pytest.mark.parametrize("step", quip.STEPS)
    def test_a_layer_of_zeros(self, problem, step):
        assert not layer_of((0 * problem[0], problem[1]), step=step).dequantize().any()

    def test_one_weight(self):
        layer = layer_of((np.array([[0.3]]), np.array([[2.0]])), 8)
        assert abs(layer.dequantize(np.float64)[0, 0] - 0.3) <= 2.4 * 0.3 / 255 * (1 + 2**-10)  # half a step


class TestSize:
    @pytest.mark.parametrize(
        ("options", "transform"),
        [
            ({}, 2 * 64 + 16 * N),
            ({"transform": "hadamard"}, 2 * 64 + 16 * N),
            ({"rescale": False}, 2 * 64),
            ({"transform": None}, 16 * N),
            ({"transform": None, "rescale": False}, 0),
        ],
    )
    def test_every_bit_is_counted(self, problem, options, transform):
        layer = layer_of(problem, 3, **options)
        header = 8 * len(layer.header().encode())
        assert layer.size_in_bits() == {"codes": 3 * M * N, "scales": 16, "transform": transform, "header": header}
        assert layer.bits_per_weight == (3 * M * N + 16 + transform + header) / (M * N)

    def test_without_the_clamp_a_code_is_as_wide_as_the_widest(self, problem):
        layer = layer_of(problem, clamp=False)
        low, high = layer.options["low"], layer.options["high"]
        assert (layer.codes.min(), layer.codes.max()) == (0, high - low)
        assert layer.size_in_bits()["codes"] == M * N * int(high - low).bit_length()

    def test_the_header_says_how_it_was_made(self, problem):
        facts = json.loads(layer_of(problem, seed=9, transform=None).header())
        assert (facts["method"], facts["shape"]) == ("quip", [M, N])
        assert facts["options"] == {
            "bits": 2,
            "seed": 9,
            "transform": None,
            "rescale": True,
            "damping": 0.01,
            "step": "published",
            "rounder": "ldlq",
            "order": "forward",
            "clamp": True,
        }


class TestSeeds:
    @pytest.mark.parametrize("transform", ["kronecker", "hadamard", "fourier"])
    def test_a_seed_gives_the_layer_again(self, problem, transform):
        first, again, other = (layer_of(problem, transform=transform, seed=seed) for seed in (1, 1, 2))
        np.testing.assert_array_equal(first.dequantize(), again.dequantize())
        assert not (first.dequantize() == other.dequantize()).all()


class TestBound:
    def test_without_the_clamp_no_layer_loses_more_and_the_mean_is_a_third(self):
        """m s^2/4 tr D at most, and m s^2/12 tr D in the mean if the rotated weights are uniform modulo a step.

        A Gaussian of standard deviation s/1.6 is uniform to 2 exp(-2 pi^2 / 1.6^2) < 1e-3, far below 5 standard errors.
        """
        ratios = []
        for seed in range(40):
            spectrum = ("power", "outlier", "flat", "dead")[seed % 4]
            W, H = q.random_layer(8, 16, spectrum=spectrum, seed=seed)
            options = {"transform": ("hadamard", "kronecker")[seed % 2], "damping": 1e-6}
            options["order"] = ("forward", "backward")[seed // 4 % 2]
            layer = q.quantize(W, H, method="quip", bits=2, seed=seed, clamp=False, **options)
            ratios.append(q.proxy_loss(W, layer.dequantize(np.float64), H) / quip.bound(layer, H))
        assert max(ratios) <= 1 + 1e-9
        assert abs(np.mean(ratios) - 1 / 3) <= 5 * np.std(ratios, ddof=1) / np.sqrt(len(ratios))

    def test_it_is_that_of_the_processed_hessian(self, problem):
        layer = layer_of(problem, seed=3, clamp=False)
        D = processed(problem, 3).measure(lambda W, H: q.ldl(H)[1])
        step = float(layer.round_to.step[0, 0])
        assert quip.bound(layer, problem[1]) == pytest.approx(step**2 * bounds.worst_case(M, D.sum()), rel=1e-12)

    def test_no_theorem_holds_with_the_clamp_or_for_another_rounder(self, problem):
        for options in ({}, {"clamp": False, "rounder": "nearest"}, {"clamp": False, "rounder": "ldlq_rg"}):
            assert registry.module("quip").bound(layer_of(problem, **options), problem[1]) is None


REFUSALS = [
    ({"transform": "hadamrad"}, "transform must be one of 'kronecker', 'hadamard', 'fourier', None, but 'hadamrad'"),
    ({"transform": (None, None)}, "transform must be one of"),
    ({"step": "best"}, "step must be one of 'published', 'optimum', but 'best' came"),
    ({"rounder": "optq"}, "rounder must be one of 'ldlq', 'ldlq_rg', 'nearest', but 'optq' came"),
    ({"order": "left"}, "order must be one of 'forward', 'backward', but 'left' came"),
    ({"bits": 9}, "bits must be from 1 to 8, but 9 came"),
    ({"bits": 0, "step": "optimum"}, "bits must be from 1 to 8, but 0 came"),
    ({"damping": -1.0}, "must be finite and not negative, but -1.0 came"),
    ({"seed": -1}, "seed must be at least 0, but -1 came"),
    ({"range": 2.4}, "option of quip must be one of 'transform', 'rescale', 'damping', 'step', 'rounder', 'order'"),
]


@pytest.mark.parametrize(("change", "message"), REFUSALS)
def test_refusals(problem, change, message):
    with pytest.raises(ValueError, match=message):
        layer_of(problem, **change)


def test_a_size_that_a_transform_cannot_take_is_refused():
    with pytest.raises(ValueError, match=r"'kronecker' or 'hadamard' where W has an odd size"):
        layer_of(q.random_layer(4, 7, seed=0), transform="fourier")


@pytest.mark.parametrize("spectrum", ["low_rank", "dead"])
def test_singular_hessians_need_no_damping(spectrum):
    W, H = q.random_layer(4, 16, spectrum=spectrum, seed=0)
    for damping in (0.0, 0.01):
        assert np.isfinite(layer_of((W, H), damping=damping).dequantize()).all()


def test_float32_stays_float32_and_inputs_stay_as_they_are(problem):
    W, H = (X.astype(np.float32) for X in problem)
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


def test_an_order_that_would_be_ignored_is_refused(problem):
    W, H = problem
    with pytest.raises(ValueError, match=r"order must be 'forward' for rounder='ldlq_rg'"):
        q.quantize(W, H, method="quip", bits=2, rounder="ldlq_rg", order="backward")


def test_tiny_weights_are_refused_instead_of_vanishing(problem):
    W, H = problem
    with pytest.raises(ValueError, match="it reaches"):
        q.quantize(W * 1e-170, H, method="quip", bits=3)
