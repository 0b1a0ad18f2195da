"""LDLQ-RG: by hand, as the two methods that it is made of, on ties of the diagonal, with bad input."""

import numpy as np
import pytest
from dyadic import weights as dyadic_weights
from quantizers import Doubled, Plain
from sizes import size
from voice import says

from quipref import IntegerGrid, UniformGrid, greedy, ldlq, ldlq_rg, proxy_loss, random_layer

BACKENDS = ["numba", "numpy"]


def by_hand(W, H, columns, grid, passes):
    """The method with the columns in the order of rounding, from the first: LDLQ and greedy, both forward."""
    w, h = W[:, columns], H[np.ix_(columns, columns)]
    start = ldlq(w, h, round_to=grid)
    W_hat = np.empty_like(W)
    W_hat[:, columns] = greedy(w, h, round_to=grid, start=start, passes=passes)
    return W_hat


@pytest.mark.parametrize("backend", BACKENDS)
class TestByHand:
    def test_the_largest_diagonal_goes_first(self, backend):
        """Column 1 first: .4 -> 0 feeds 1.8 / 4 of its .4 to column 0: .58 -> 1. In order it would be (0, 1)."""
        W, H = np.array([[0.4, 0.4]]), np.array([[1.0, 1.8], [1.8, 4.0]])
        assert ldlq_rg(W, H, backend=backend).tolist() == [[1, 0]]
        assert ldlq(W, H).tolist() == [[0, 1]] != ldlq(W, H, order="backward").tolist()
        swapped = ldlq_rg(W, H[::-1, ::-1], backend=backend)  # the answer comes back in the order of W
        assert swapped.tolist() == [[0, 1]]

    def test_equal_diagonals_go_from_the_last_to_the_first(self, backend):
        """Sorting is stable and the sorted columns are gone through backwards: .4 -> 0 in column 1, .4 + .36 -> 1."""
        W, H = np.array([[0.4, 0.4]]), np.array([[1.0, 0.9], [0.9, 1.0]])
        assert ldlq_rg(W, H, backend=backend).tolist() == [[1, 0]]

    def test_greedy_sweeps_mend_what_clamping_spoiled(self, backend):
        """H = [[4, 2], [2, 2]], levels 0 and 1: .4 -> 0, then 1.9 + .4 * 2/4 = 2.1 -> 1 with 1.1 left over.

        The first column now wants .4 + 2 (1.9 - 1) / 4 = .85 and becomes 1; the second keeps its 1.
        """
        W, H, grid = np.array([[0.4, 1.9]]), np.array([[4.0, 2.0], [2.0, 2.0]]), IntegerGrid(0, 1)
        assert ldlq_rg(W, H, round_to=grid, passes=0, backend=backend).tolist() == [[0, 1]]
        assert ldlq_rg(W, H, round_to=grid, passes=1, backend=backend).tolist() == [[1, 1]]
        assert ldlq_rg(W, H, round_to=grid, backend=backend).tolist() == [[1, 1]]


@pytest.mark.parametrize("backend", BACKENDS)
class TestItsParts:
    @pytest.mark.parametrize("passes", [0, 1, 9])
    @pytest.mark.parametrize("spectrum", ["power", "outlier", "dead"])
    def test_sorted_ldlq_then_greedy_in_the_same_order(self, spectrum, passes, backend):
        W, H = random_layer(20, size(40, 8), spectrum=spectrum, seed=1)
        columns = np.argsort(H.diagonal(), kind="stable")[::-1]
        assert (np.diff(H.diagonal()[columns]) <= 0).all()
        for grid in [IntegerGrid(), IntegerGrid(-1, 1), UniformGrid.fit(W, 2)]:
            found = ldlq_rg(2 * W, H, round_to=grid, passes=passes, backend=backend)
            assert (found == by_hand(2 * W, H, columns, grid, passes)).all()

    def test_nine_passes_by_default_and_integers(self, backend):
        W, H = random_layer(20, size(40, 8), seed=2)
        assert (ldlq_rg(W, H, backend=backend) == ldlq_rg(W, H, round_to=IntegerGrid(), passes=9)).all()

    def test_sweeps_never_raise_the_loss(self, backend):
        W, H = random_layer(20, size(40, 8), spectrum="outlier", seed=3)
        grid = IntegerGrid(-1, 1)
        losses = [proxy_loss(2 * W, ldlq_rg(2 * W, H, round_to=grid, passes=p, backend=backend), H) for p in range(5)]
        assert losses[0] > losses[1]
        assert all(after <= before * (1 + 1e-12) for before, after in zip(losses, losses[1:], strict=False))

    def test_the_order_of_the_columns_does_not_matter(self, backend):
        """Unless two diagonals are equal, the sorting undoes any permutation."""
        W, H = random_layer(20, size(40, 8), seed=4)
        assert len(set(H.diagonal())) == len(H)
        mixed = np.random.default_rng(5).permutation(len(H))
        found = ldlq_rg(W[:, mixed], H[np.ix_(mixed, mixed)], backend=backend)
        assert (found == ldlq_rg(W, H, backend=backend)[:, mixed]).all()


class TestAgreement:
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @pytest.mark.parametrize("shape", size([(1, 1), (65, 33), (130, 129)], [(1, 1), (3, 7)]))
    def test_to_the_bit_where_arithmetic_is_exact(self, shape, dtype):
        """Columns meet in pairs, on diagonals of 4 and 16: many are equal, and the sorting must be stable."""
        m, n = shape
        rng = np.random.default_rng(shape)
        W, H = dyadic_weights(m, n, rng, dtype), np.diag(rng.choice([4, 16], n).astype(dtype))
        left, right = np.arange(0, n - 1, 2), np.arange(1, n, 2)
        H[left, right] = H[right, left] = rng.choice([-2, 2], len(left))
        for grid in [IntegerGrid(), IntegerGrid(-1, 2), UniformGrid(np.full((shape[0], 1), 0.5, np.float16), 2)]:
            expected = ldlq_rg(W, H, round_to=grid, backend="numpy")
            columns = sorted(range(n), key=lambda j: H[j, j])[::-1]  # Python's sorting is stable
            assert (expected == by_hand(W, H, columns, grid, 9)).all()
            for threads in [None, 1, 3]:
                found = ldlq_rg(W, H, round_to=grid, threads=threads)
                assert found.dtype == dtype
                assert (found == expected).all()

    def test_a_quantizer_without_a_compiled_form(self):
        W, H = random_layer(9, 12, seed=6)
        grid = IntegerGrid(-2, 2)
        assert (ldlq_rg(W, H, round_to=Plain(grid)) == ldlq_rg(W, H, round_to=grid)).all()


@pytest.mark.parametrize("backend", BACKENDS)
class TestInputs:
    @pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0), (1, 1)])
    def test_small_layers(self, shape, backend):
        found = ldlq_rg(np.full(shape, 0.75), np.eye(shape[1]), backend=backend)
        assert found.shape == shape
        assert (found == 1).all()

    def test_layouts_do_not_matter_and_nothing_is_written(self, backend):
        W, H = random_layer(9, 20, spectrum="outlier", seed=7)
        expected = ldlq_rg(W, H, backend=backend)
        wide = np.zeros((18, 40))
        wide[::2, ::2] = W
        for array in [np.asfortranarray(W), wide[::2, ::2]]:
            squares = np.asfortranarray(H)
            array.flags.writeable = squares.flags.writeable = False
            found = ldlq_rg(array, squares, backend=backend)
            assert (found == expected).all()
            assert found.flags.writeable
            assert np.array_equal(array, W)
            assert np.array_equal(squares, H)

    @pytest.mark.parametrize(
        ("given", "returned"), [(np.float16, np.float32), (np.float32, np.float32), (np.longdouble, np.float64)]
    )
    def test_dtypes(self, backend, given, returned):
        W = dyadic_weights(4, 6, np.random.default_rng(8)).astype(given)
        found = ldlq_rg(W, np.eye(6, dtype=given), backend=backend)
        assert found.dtype == returned
        assert (found == np.floor(W.astype(np.float64) + 0.5)).all()

    def test_singular_h_is_fine(self, backend):
        W, H = random_layer(6, size(32, 8), spectrum="low_rank", seed=9)
        assert proxy_loss(W, ldlq_rg(W, H, backend=backend), H) < proxy_loss(W, np.floor(W + 0.5), H)

    def test_refusals(self, backend):
        W, H = np.ones((2, 8)), np.eye(8)
        with says(ValueError, "round_to must be a scalar grid with nearest rounding for ldlq_rg, but IntegerGrid(0, 3"):
            ldlq_rg(W, H, round_to=IntegerGrid(0, 3, rounding="stochastic"), backend=backend)
        with says(ValueError, "round_to must be a scalar grid with nearest rounding for ldlq_rg"):
            ldlq_rg(W, H, round_to=Doubled(), backend=backend)
        with says(TypeError, "round_to must be a Quantizer"):
            ldlq_rg(W, H, round_to="nearest", backend=backend)
        with says(ValueError, "passes must be at least 0, but -1 came."):
            ldlq_rg(W, H, passes=-1, backend=backend)
        with says(TypeError, "passes must be an integer, but 2.0 (float) came."):
            ldlq_rg(W, H, passes=2.0, backend=backend)
        with says(ValueError, "H must be 8 x 8 to match the 8 columns of W"):
            ldlq_rg(W, np.eye(3), backend=backend)
        with says(np.linalg.LinAlgError, "its smallest eigenvalue is -1.0e+00 (n = 8)"):
            ldlq_rg(W, np.diag([1.0] * 7 + [-1.0]), backend=backend)
        with says(ValueError, "threads must be at least 1, but 0 came."):
            ldlq_rg(W, H, threads=0, backend=backend)
        with says(ValueError, "backend must be one of 'numba', 'numpy', but 'cuda' came."):
            ldlq_rg(W, H, backend="cuda")
