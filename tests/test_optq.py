"""OPTQ: by hand, the textbook loop against the blocked one, LDLQ, bad input. (QuIP's theorem 6 is in theorems/.)"""

import numpy as np
import pytest
from sizes import size
from voice import says

from quipref import IntegerGrid, UniformGrid, damp, ldlq, optq, proxy_loss, random_layer
from quipref.rounding.optq import inverse_factor

BACKENDS = ["numba", "numpy"]
ORDERS = ["forward", "backward"]


def by_its_own_words(W, H, levels):
    """Round a column; move the free ones to the minimum of the loss given all that are fixed; next column."""
    T, n = W.copy(), W.shape[1]
    W_hat = np.zeros_like(W)
    for j in range(n):
        W_hat[:, j] = levels(T[:, j])
        done, free = slice(None, j + 1), slice(j + 1, None)
        # argmin over E_free of E H E^T: E_free = -E_done H_done,free H_free,free^-1
        E = W_hat[:, done] - W[:, done]
        T[:, free] = W[:, free] - E @ H[done, free] @ np.linalg.inv(H[free, free])
    return W_hat


class TestByHand:
    def test_two_columns(self):
        """H = [[1, .5], [.5, 1]]: an error e of column 0 moves column 1 by -e/2 ... that is H_01 / H_11."""
        H = np.array([[1.0, 0.5], [0.5, 1.0]])
        W = np.array([[0.375, 0.375], [0.25, 0.3125], [0.75, 0.5]])
        # the second targets: .375 + .5 * .375 = .5625, .3125 + .125 = .4375, .5 - .125 = .375
        for backend in BACKENDS:
            assert optq(W, H, backend=backend).tolist() == [[0, 1], [0, 0], [1, 0]]
            assert optq(W[:, ::-1], H, order="backward", backend=backend).tolist() == [[1, 0], [0, 0], [0, 1]]

    @pytest.mark.parametrize("backend", BACKENDS)
    def test_every_step_is_the_optimal_update(self, backend):
        W, H = random_layer(12, 16, seed=0)
        W = W * 3
        expected = by_its_own_words(W, H, lambda t: np.clip(np.floor(t + 0.5), -4, 3))
        assert (optq(W, H, round_to=IntegerGrid(-4, 3), backend=backend) == expected).all()

    def test_the_inverse_factor(self):
        H = random_layer(1, 40, spectrum="outlier", seed=1).H
        C = inverse_factor(H)
        assert np.array_equal(C, np.triu(C))
        np.testing.assert_allclose(C.T @ C @ H, np.eye(40), atol=1e-15 * np.linalg.cond(H) * 40)
        np.testing.assert_allclose(C, np.linalg.cholesky(np.linalg.inv(H), upper=True), atol=1e-11)
        assert inverse_factor(np.zeros((0, 0))).shape == (0, 0)


class TestAgreement:
    @pytest.mark.parametrize("order", ORDERS)
    @pytest.mark.parametrize("n", size([1, 127, 129, 300], [1, 9]))
    def test_textbook_blocked_and_compiled(self, n, order):
        m = size(65, 3)
        W, H = random_layer(m, n, seed=n)
        W, H = W * 3, damp(H, 0.01)
        for grid in [IntegerGrid(), IntegerGrid(-3, 4), UniformGrid.fit(W, 3)]:
            textbook, codes = optq(W, H, round_to=grid, order=order, backend="numpy", return_codes=True)
            found, same = optq(W, H, round_to=grid, order=order, return_codes=True)
            assert (found == textbook).all()
            assert (same == codes).all()
            assert (grid.decode(codes) == found).all()
            assert (found == ldlq(W, H, round_to=grid, order=order)).all()

    @pytest.mark.parametrize("backend", BACKENDS)
    def test_stochastic_rounding_draws_the_numbers_that_ldlq_draws(self, backend):
        W, H = random_layer(20, 30, seed=2)
        grid = IntegerGrid(-2, 1, rounding="stochastic")
        found = optq(W, H, round_to=grid, rng=5, backend=backend)
        assert (found == ldlq(W, H, round_to=grid, rng=np.random.default_rng(5))).all()
        assert (found != optq(W, H, round_to=grid, rng=6, backend=backend)).any()

    @pytest.mark.parametrize("threads", [1, 2, 3])
    def test_threads_change_nothing(self, threads):
        W, H = random_layer(size(200, 70), size(130, 5), seed=3)
        assert (optq(W, H, threads=threads) == optq(W, H, backend="numpy")).all()

    @pytest.mark.parametrize("backend", BACKENDS)
    def test_float32(self, backend):
        """No target of this small layer comes as near to a tie as float32's rounding: both precisions agree."""
        W, H = random_layer(10, 20, seed=4)
        found = optq((3 * W).astype(np.float32), H.astype(np.float32), backend=backend)
        assert found.dtype == np.float32
        assert (found == optq(3 * W, H)).all()


class TestInputs:
    @pytest.mark.parametrize("backend", BACKENDS)
    @pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0), (1, 1)])
    def test_small_layers(self, shape, backend):
        for order in ORDERS:
            found, codes = optq(np.full(shape, 0.75), np.eye(shape[1]), order=order, backend=backend, return_codes=True)
            assert found.shape == codes.shape == shape
            assert (found == 1).all()

    @pytest.mark.parametrize("backend", BACKENDS)
    def test_layouts_do_not_matter_and_nothing_is_written(self, backend):
        W, H = random_layer(9, 20, seed=5)
        expected = optq(W, H, backend=backend)
        arrays = np.asfortranarray(W), np.asfortranarray(H)
        for array in arrays:
            array.flags.writeable = False
        assert (optq(*arrays, backend=backend) == expected).all()
        optq(*arrays, order="backward", backend=backend)
        assert np.array_equal(arrays[0], W)
        assert np.array_equal(arrays[1], H)

    @pytest.mark.parametrize("spectrum", ["low_rank", "dead"])
    def test_singular_h_is_refused_with_the_way_out(self, spectrum):
        W, H = random_layer(3, 64, spectrum=spectrum, seed=6)
        zero = 48 if spectrum == "low_rank" else 4
        words = "H must be positive definite for optq", f"{zero} of its 64 pivots are zero", "quipref.damp(H, 0.01)"
        for backend in BACKENDS:
            with says(np.linalg.LinAlgError, *words, "use ldlq"):
                optq(W, H, backend=backend)
        damped = damp(H, 0.01)
        assert proxy_loss(W, optq(W, damped), damped) == proxy_loss(W, ldlq(W, damped), damped)

    def test_nearly_singular_h_is_taken(self):
        """A condition number of 1e11: the Cholesky factor of an explicit inverse does not exist in float64."""
        W, H = random_layer(5, 64, spectrum="low_rank", seed=7)
        H = damp(H, 1e-10)
        found = optq(W, H)
        D = np.square(1 / np.diag(inverse_factor(H)))
        assert proxy_loss(W, found, H) <= 5 / 4 * D.sum() * (1 + 1e-6)

    @pytest.mark.parametrize("backend", BACKENDS)
    def test_refusals(self, backend):
        W, H = np.ones((2, 3)), np.eye(3)
        with says(np.linalg.LinAlgError, "its smallest eigenvalue is -1.0e+00 (n = 3)"):
            optq(W, np.diag([1.0, -1.0, 1.0]), backend=backend)
        with says(TypeError, "W must hold real floating-point numbers"):
            optq(W.astype(int), H, backend=backend)
        with says(ValueError, "W must be finite"):
            optq(W * np.nan, H, backend=backend)
        with says(ValueError, "H must be 3 x 3"):
            optq(W, np.eye(2), backend=backend)
        with says(ValueError, "order must be one of"):
            optq(W, H, order=None, backend=backend)

        class Pairs(IntegerGrid):
            block = 3

        with says(ValueError, "round_to.block must be 1 for optq, but it is 3. Use ldlq, which takes blocks."):
            optq(W, H, round_to=Pairs(), backend=backend)
        with says(ValueError, "rng must be a seed or a Generator"):
            optq(W, H, round_to=IntegerGrid(rounding="stochastic"), backend=backend)

    def test_refused_backends(self):
        with says(ValueError, "backend must be one of 'numba', 'numpy', but 'cuda' came."):
            optq(np.ones((2, 3)), np.eye(3), backend="cuda")
