"""LDLQ and its class: by hand, with every kind of H, with bad input. (Its three forms: test_ldlq_forms.py.)"""

import numpy as np
import pytest
from dyadic import weights as dyadic_weights
from quantizers import Doubled
from voice import says

import quipref
from quipref import IntegerGrid, UniformGrid, ldl, ldlq, linear_feedback, proxy_loss, random_layer

BACKENDS = ["numba", "numpy"]
ORDERS = ["forward", "backward"]


class TestByHand:
    def test_two_columns(self):
        """H = [[1, .5], [.5, 1]]: U_01 = .5 in both orders; the first error carries the second over a half, or not."""
        H = np.array([[1.0, 0.5], [0.5, 1.0]])
        W = np.array([[0.5, 0.75], [0.25, 0.375], [0.25, 0.25]])
        # forward targets of column 1: .75 - .5 * .5 = .5, .375 + .5 * .25 = .5, .25 + .125
        assert ldlq(W, H).tolist() == [[1, 1], [0, 1], [0, 0]]
        # backward targets of column 0: .5 - .5 * .25, .25 + .5 * .375, .25 + .125
        assert ldlq(W, H, order="backward").tolist() == [[0, 1], [0, 0], [0, 0]]

    def test_ties_go_up_inside_the_feedback(self):
        """Every target below is exactly a half: .5, then .75 + .5 (.5 - 1) and .25 + .5 (.75 - 1 + .75)."""
        X = np.array([[0.0, 0.5, 0.0], [0.0, 0.0, 0.5], [0.0, 0.0, 0.0]])
        for backend in BACKENDS:
            assert linear_feedback(np.array([[0.5, 0.75, 0.625]]), X, backend=backend).tolist() == [[1, 1, 1]]
            assert linear_feedback(np.array([[0.5, 0.74, 0.625]]), X, backend=backend).tolist() == [[1, 0, 1]]

    @pytest.mark.parametrize("backend", BACKENDS)
    def test_the_clamp_acts_on_the_rounded_column_and_its_error_is_fed_back(self, backend):
        X = np.array([[0.0, 1.0], [0.0, 0.0]])
        W = np.array([[5.0, 0.0], [-2.0, 1.0]])
        found = linear_feedback(W, X, round_to=IntegerGrid(0, 3), backend=backend)
        assert found.tolist() == [[3, 2], [0, 0]]  # 0 + (5 - 3), 1 + (-2 - 0) clamped

    def test_diagonal_h_is_plain_rounding(self):
        W = np.random.default_rng(0).standard_normal((5, 9)) * 3
        for order in ORDERS:
            assert (ldlq(W, np.diag(np.arange(9.0)), order=order) == np.floor(W + 0.5)).all()

    @pytest.mark.parametrize("backend", BACKENDS)
    def test_a_block_is_rounded_together(self, backend):
        """D_8 rounds (.6, 0, ...) to 0: the sum must be even; the block before it feeds 1/2 of its error."""
        X = np.kron([[0.0, 0.5], [0.0, 0.0]], np.eye(8))
        W = np.zeros((1, 16))
        W[0, 0], W[0, 8] = 0.6, 0.4
        found = linear_feedback(W, X, round_to=Doubled(), backend=backend)
        expected = np.zeros((1, 16))  # 0.4 + .5 * .6 = .7: the odd sum moves .7 from 1 to 0
        assert found.tolist() == expected.tolist()
        W[0, 9] = 0.6
        expected[0, 8:10] = 1  # now the sum is even
        assert linear_feedback(W, X, round_to=Doubled(), backend=backend).tolist() == expected.tolist()


class TestHessians:
    def test_backward_is_forward_on_reversed_columns(self):
        W, H = random_layer(20, 30, seed=6)
        assert (ldlq(W, H, order="backward") == ldlq(W[:, ::-1], H[::-1, ::-1])[:, ::-1]).all()
        assert (ldlq(W, H, order="backward") != ldlq(W, H)).any()

    @pytest.mark.parametrize("spectrum", ["low_rank", "dead"])
    @pytest.mark.parametrize("order", ORDERS)
    def test_singular_h_is_taken_as_it_is(self, spectrum, order):
        W, H = random_layer(20, 64, spectrum=spectrum, seed=7)
        W = W * 3
        found = ldlq(W, H, order=order)
        assert (found == ldlq(W, H, order=order, backend="numpy")).all()
        D = ldl(H if order == "forward" else H[::-1, ::-1])[1]
        assert proxy_loss(W, found, H) <= 20 / 4 * D.sum() * (1 + 1e-9)
        dead = ~H.any(axis=0)
        assert (found[:, dead] == np.floor(W[:, dead] + 0.5)).all()

    def test_zero_h_is_plain_rounding(self):
        W = np.random.default_rng(8).standard_normal((4, 6)) * 3
        assert (ldlq(W, np.zeros((6, 6))) == np.floor(W + 0.5)).all()

    def test_the_scale_of_h_does_not_matter(self):
        W, H = random_layer(20, 64, seed=9)
        assert (ldlq(W, H) == ldlq(W, H * 2.0**-300)).all()

    def test_h_is_factored_in_float64_whatever_w_is(self):
        W, H = random_layer(4, 50, seed=10)
        expected = linear_feedback(W.astype(np.float32), ldl(H)[0])
        assert (ldlq(W.astype(np.float32), H) == expected).all()


class TestInputs:
    @pytest.mark.parametrize("backend", BACKENDS)
    @pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0), (1, 1)])
    def test_small_layers(self, shape, backend):
        m, n = shape
        for order in ORDERS:
            found, codes = ldlq(
                np.full(shape, 0.75),
                np.eye(n),
                order=order,
                backend=backend,
                return_codes=True,
                round_to=IntegerGrid(0, 3),
            )
            assert found.shape == codes.shape == shape
            assert (found == 1).all()
        assert linear_feedback(np.zeros(shape), np.zeros((n, n)), backend=backend).shape == shape

    @pytest.mark.parametrize("backend", BACKENDS)
    def test_layouts_do_not_matter_and_nothing_is_written(self, backend):
        W, H = random_layer(33, 40, seed=11)
        grid = UniformGrid.fit(W, 3)
        expected = ldlq(W, H, round_to=grid, backend=backend)
        wide = np.zeros((66, 80))
        wide[::2, ::2] = W
        arrays = [(np.asfortranarray(W), np.asfortranarray(H)), (wide[::2, ::2], H), (W, H)]
        for W_layout, H_layout in arrays:
            W_before, H_before = W_layout.copy(), H_layout.copy()
            W_layout.flags.writeable = H_layout.flags.writeable = False
            for order in ORDERS:
                found = ldlq(W_layout, H_layout, round_to=grid, order=order, backend=backend)
                assert found.flags.writeable
                assert not np.shares_memory(found, W_layout)
                if order == "forward":
                    assert (found == expected).all()
            assert np.array_equal(W_layout, W_before)
            assert np.array_equal(H_layout, H_before)

    @pytest.mark.parametrize("backend", BACKENDS)
    @pytest.mark.parametrize(
        ("given", "returned"), [(np.float16, np.float32), (np.float32, np.float32), (np.longdouble, np.float64)]
    )
    def test_dtypes(self, backend, given, returned):
        rng = np.random.default_rng(12)
        W = dyadic_weights(5, 12, rng).astype(given)
        found = ldlq(W, np.eye(12, dtype=given), backend=backend)
        assert found.dtype == returned
        assert (found == np.floor(W.astype(np.float64) + 0.5)).all()

    @pytest.mark.parametrize("backend", BACKENDS)
    def test_refusals(self, backend):
        W, H = np.ones((2, 3)), np.eye(3)
        for dtype in [np.int64, np.complex128, np.bool_]:
            with says(TypeError, "W must hold real floating-point numbers"):
                ldlq(W.astype(dtype), H, backend=backend)
            with says(TypeError, "H must hold real floating-point numbers"):
                ldlq(W, H.astype(dtype), backend=backend)
        with says(ValueError, "W must be finite, but 1 of its 6 entries are NaN or infinite, the first at (1, 2)."):
            ldlq(np.where(np.arange(6).reshape(2, 3) == 5, np.nan, W), H, backend=backend)
        with says(ValueError, "H must be finite"):
            ldlq(W, np.full((3, 3), np.inf), backend=backend)
        with says(ValueError, "H must be 3 x 3 to match the 3 columns of W, but its shape is (2, 2)."):
            ldlq(W, np.eye(2), backend=backend)
        with says(ValueError, "H must be symmetric"):
            ldlq(W, np.triu(np.ones((3, 3))), backend=backend)
        with says(np.linalg.LinAlgError, "its smallest eigenvalue is -1.0e+00 (n = 3)", "quipref.damp(H, 3.1)"):
            ldlq(W, np.diag([1.0, -1.0, 1.0]), backend=backend)
        with says(ValueError, "order must be one of 'forward', 'backward', but 'up' came."):
            ldlq(W, H, order="up", backend=backend)
        with says(ValueError, "round_to.block must divide the 3 columns of W, but it is 8. Pad W and H with zeros."):
            ldlq(W, H, round_to=Doubled(), backend=backend)

    def test_refused_backends_and_threads(self):
        W, H = np.ones((2, 3)), np.eye(3)
        with says(ValueError, "backend must be one of 'numba', 'numpy', but 'cuda' came."):
            ldlq(W, H, backend="cuda")
        with says(ValueError, "threads must be at least 1, but 0 came."):
            ldlq(W, H, threads=0)

    @pytest.mark.parametrize("backend", BACKENDS)
    def test_linear_feedback_refusals(self, backend):
        W = np.ones((2, 3))
        with says(ValueError, "X must be 3 x 3 to match the columns of W, but its shape is (2, 3)."):
            linear_feedback(W, np.zeros((2, 3)), backend=backend)
        with says(ValueError, "X must be strictly upper triangular, but it has entries elsewhere."):
            linear_feedback(W, np.eye(3), backend=backend)
        with says(ValueError, "X must be strictly upper triangular"):
            linear_feedback(np.ones((2, 8)), np.triu(np.ones((8, 8)), 1), round_to=Doubled(), backend=backend)
        with says(ValueError, "round_to.block must divide the 3 columns"):
            linear_feedback(W, np.zeros((3, 3)), round_to=Doubled(), backend=backend)
        with says(TypeError, "X must hold real floating-point numbers"):
            linear_feedback(W, np.zeros((3, 3), int), backend=backend)


@pytest.mark.parametrize("rounder", [quipref.ldlq, quipref.optq, quipref.greedy])
@pytest.mark.parametrize("backend", ["numba", "numpy"])
def test_what_is_no_quantizer_or_does_not_fit_is_refused(rounder, backend):
    W, H = np.ones((5, 3)), np.eye(3)
    with pytest.raises(TypeError, match=r"round_to must be a Quantizer such as quipref.IntegerGrid\(\), but 'nearest'"):
        rounder(W, H, round_to="nearest", backend=backend)
    with pytest.raises(ValueError, match="the grid has 3 and the layer 5 rows. Fit the grid to this layer"):
        rounder(W, H, round_to=quipref.UniformGrid(np.ones((3, 1), np.float16), 2), backend=backend)
    with pytest.raises(ValueError, match="threads must be at least 1"):
        rounder(W, H, threads=0, backend=backend)
    with pytest.raises(np.linalg.LinAlgError, match="its smallest eigenvalue is -1.0e"):
        rounder(W, np.diag([1.0, 1.0, -1.0]), backend=backend)
