"""QuIP's algorithm 5: the rounding, and what is refused. (Its program: test_column_limits.py; Q10: theorems/.)"""

import math

import numpy as np
import pytest
from dyadic import weights as dyadic_weights
from quantizers import Doubled
from sizes import size
from voice import says

from quipref import IntegerGrid, UniformGrid, clamped_feedback, clamped_ldlq, damp, linear_feedback, random_layer

BACKENDS = ["numba", "numpy"]
ORDERS = ["forward", "backward"]
WIDE = IntegerGrid(-100, 100, rounding="stochastic")


@pytest.mark.parametrize("backend", BACKENDS)
class TestRounding:
    @pytest.mark.parametrize("c", [0.05, 1.0, math.inf])
    def test_it_is_the_linear_feedback_of_the_clamped_x(self, backend, c):
        W, H = random_layer(9, size(150, 12), spectrum="outlier", seed=11)
        H = damp(H, 0.01)
        found = clamped_ldlq(W, H, round_to=WIDE, c=c, rng=1, backend=backend)
        expected = linear_feedback(W, clamped_feedback(H, c).X, round_to=WIDE, rng=1, backend=backend)
        assert (found == expected).all()
        assert (found != linear_feedback(W, 0 * H, round_to=WIDE, rng=1, backend=backend)).any()

    def test_no_room_is_plain_rounding(self, backend):
        W, H = random_layer(9, 12, seed=12)
        expected = np.column_stack(
            [np.floor(column + u) for column, u in zip(W.T, self.draws(3, *W.shape), strict=True)]
        )
        assert (clamped_ldlq(W, H, round_to=WIDE, c=0, rng=3, backend=backend) == expected).all()

    @staticmethod
    def draws(seed, m, n):
        rng = np.random.default_rng(seed)
        return [rng.random((m, 1))[:, 0] for _ in range(n)]

    def test_backward_is_forward_on_reversed_columns(self, backend):
        W, H = random_layer(9, 17, seed=13)
        kwargs = {"round_to": WIDE, "c": 0.05, "rng": 4, "backend": backend}
        backward = clamped_ldlq(W, H, order="backward", **kwargs)
        assert (backward == clamped_ldlq(W[:, ::-1], H[::-1, ::-1], **kwargs)[:, ::-1]).all()
        assert (backward != clamped_ldlq(W, H, **kwargs)).any()

    @pytest.mark.parametrize("order", ORDERS)
    def test_codes_and_the_ends_of_the_grid(self, backend, order):
        W, H = random_layer(20, 15, seed=14)
        grid = IntegerGrid(-1, 1, rounding="stochastic")
        kwargs = {"round_to": grid, "rng": 5, "order": order, "backend": backend}
        found, codes = clamped_ldlq(3 * W, H, return_codes=True, **kwargs)
        assert set(np.unique(found)) == {-1, 0, 1}
        assert codes.dtype == np.uint8
        assert (grid.decode(codes) == found).all()
        assert (clamped_ldlq(3 * W, H, **kwargs) == found).all()

    def test_seeds_and_generators(self, backend):
        W, H = random_layer(9, 17, seed=15)
        by_seed = clamped_ldlq(W, H, round_to=WIDE, rng=6, backend=backend)
        assert (clamped_ldlq(W, H, round_to=WIDE, rng=np.random.default_rng(6), backend=backend) == by_seed).all()
        assert (clamped_ldlq(W, H, round_to=WIDE, rng=7, backend=backend) != by_seed).any()

    @pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0), (1, 1)])
    def test_small_layers(self, backend, shape):
        for order in ORDERS:
            W = np.full(shape, 2.0)
            found, codes = clamped_ldlq(
                W, np.eye(shape[1]), round_to=WIDE, rng=0, order=order, backend=backend, return_codes=True
            )
            assert found.shape == codes.shape == shape
            assert (found == 2).all()

    @pytest.mark.parametrize(
        ("given", "returned"), [(np.float16, np.float32), (np.float32, np.float32), (np.longdouble, np.float64)]
    )
    def test_dtypes(self, backend, given, returned):
        W = np.rint(dyadic_weights(5, 12, np.random.default_rng(16))).astype(given)
        found = clamped_ldlq(W, np.eye(12, dtype=given), round_to=WIDE, rng=0, backend=backend)
        assert found.dtype == returned
        assert (found == W).all()

    def test_layouts_do_not_matter_and_nothing_is_written(self, backend):
        W, H = random_layer(9, 20, seed=17)
        expected = clamped_ldlq(W, H, round_to=WIDE, rng=8, c=0.1, backend=backend)
        arrays = np.asfortranarray(W), np.asfortranarray(H)
        for array in arrays:
            array.flags.writeable = False
        assert (clamped_ldlq(*arrays, round_to=WIDE, rng=8, c=0.1, backend=backend) == expected).all()
        assert np.array_equal(arrays[0], W)
        assert np.array_equal(arrays[1], H)

    def test_refusals(self, backend):
        W, H = np.ones((2, 3)), np.eye(3)
        kwargs = {"rng": 0, "backend": backend}
        advice = 'Use IntegerGrid(low, high, rounding="stochastic"), with W in grid units.'
        words = (
            "round_to must be a scalar grid with stochastic rounding for clamped_ldlq, but IntegerGrid(0, 3, rounding="
        )
        with says(ValueError, words, advice):
            clamped_ldlq(W, H, round_to=IntegerGrid(0, 3), **kwargs)
        with says(ValueError, "round_to must be a scalar grid with stochastic rounding", "but UniformGrid(", advice):
            clamped_ldlq(W, H, round_to=UniformGrid.fit(W, 2), **kwargs)
        with says(ValueError, "round_to must be a scalar grid with stochastic rounding", advice):
            clamped_ldlq(np.ones((2, 8)), np.eye(8), round_to=Doubled(), **kwargs)
        for limits in [(None, None), (0, None), (None, 3)]:
            with says(ValueError, "round_to must end on both sides for clamped_ldlq", "ldlq has the smaller loss."):
                clamped_ldlq(W, H, round_to=IntegerGrid(*limits, rounding="stochastic"), **kwargs)
        with says(TypeError, "round_to must be a Quantizer"):
            clamped_ldlq(W, H, round_to="stochastic", **kwargs)
        with says(ValueError, "rng must be a seed or a Generator for clamped_ldlq, but None came. Pass rng=0."):
            clamped_ldlq(W, H, round_to=WIDE, rng=None, backend=backend)
        with says(ValueError, "c must not be negative, but -1 came."):
            clamped_ldlq(W, H, round_to=WIDE, c=-1, **kwargs)
        with says(ValueError, "order must be one of 'forward', 'backward', but 'up' came."):
            clamped_ldlq(W, H, round_to=WIDE, order="up", **kwargs)
        with says(ValueError, "H must be 3 x 3 to match the 3 columns of W"):
            clamped_ldlq(W, np.eye(4), round_to=WIDE, **kwargs)
        with says(ValueError, "threads must be at least 1, but 0 came."):
            clamped_ldlq(W, H, round_to=WIDE, threads=0, **kwargs)


def test_refused_backends():
    with says(ValueError, "backend must be one of 'numba', 'numpy', but 'cuda' came."):
        clamped_ldlq(np.ones((2, 3)), np.eye(3), round_to=WIDE, rng=0, backend="cuda")


def test_refusals_of_the_feedback():
    H = np.eye(3)
    with says(TypeError, "c must be a real number, but '1' (str) came."):
        clamped_feedback(H, "1")
    with says(TypeError, "c must be a real number, but True (bool) came."):
        clamped_feedback(H, True)
    for c in [-0.1, math.nan]:
        with says(ValueError, f"c must not be negative, but {c} came. 0 is plain rounding, math.inf is LDLQ."):
            clamped_feedback(H, c)
    with says(ValueError, "tolerance must be finite and not negative, but -1 came."):
        clamped_feedback(H, tolerance=-1)
    with says(ValueError, "H must be square"):
        clamped_feedback(np.ones((2, 3)))
    with says(TypeError, "H must hold real floating-point numbers"):
        clamped_feedback(np.eye(3, dtype=int))
    with says(np.linalg.LinAlgError, "its smallest eigenvalue is -1.0e+00 (n = 3)"):
        clamped_feedback(np.diag([1.0, -1.0, 1.0]))
