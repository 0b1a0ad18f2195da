"""LDLQ and its class: by hand, three implementations against each other, codes, bad input."""

import numpy as np
import pytest
from dyadic import feedback
from dyadic import weights as dyadic_weights
from sizes import INTERPRETED, size
from voice import says

from quipref import IntegerGrid, UniformGrid, block_ldl, ldl, ldlq, linear_feedback, proxy_loss, random_layer
from quipref.rounding.blocked import BASE

BACKENDS = ["numba", "numpy"]
ORDERS = ["forward", "backward"]
ROWS = size([1, 63, 64, 65, 130], [1, 3])
COLUMNS = size([1, 127, 128, 129, 300], [1, 5, 9])


class Plain:
    """A grid without `affine`: the blocked loop must go through `quantize`, and the kernel is not used."""

    block = 1

    def __init__(self, grid):
        self.grid = grid

    def quantize(self, T, rng=None):
        return self.grid.quantize(T, rng)

    def decode(self, codes):
        return self.grid.decode(codes)


class Doubled:
    """Eight weights together: integers of even sum; where the sum is odd, the worst coordinate moves. One code each."""

    block = 8
    bits = None

    def quantize(self, T, rng=None):
        z = np.floor(T + 0.5)
        worst = np.argmax(np.abs(T - z), axis=1)
        odd = np.flatnonzero(z.sum(axis=1) % 2)
        up = T[odd, worst[odd]] >= z[odd, worst[odd]]
        z[odd, worst[odd]] += np.where(up, 1, -1)
        return z.astype(np.int64), z

    def decode(self, codes):
        return codes.astype(np.float64)


class OneCodeABlock(Doubled):
    """The first weight of each four, for all four: its one code covers the block."""

    block = 4

    def quantize(self, T, rng=None):
        z = np.floor(T[:, :1] + 0.5)
        return z.astype(np.int64), np.repeat(z, 4, axis=1)

    def decode(self, codes):
        return np.repeat(codes.astype(np.float64), 4, axis=1)


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


def assert_is_ldlq(W, H, W_hat, eps):
    """The certificate: eta = (W - W_hat)(U + I) are errors of rounded targets, so none exceeds 1/2.

    The rounding of eta's own computation: n products of |W - W_hat| and |U|, each off by eps, and U by n eps.
    """
    U, _ = ldl(H)
    B = U + np.eye(len(U))
    E = W.astype(np.float64) - W_hat
    eta = E @ B
    allowed = 2 * len(U) * eps * (np.abs(E) @ np.abs(B) + np.abs(W).max(initial=0.0))
    assert (np.abs(eta) <= 0.5 + allowed).all()
    assert (W_hat == np.floor(W_hat)).all()


class TestThreeImplementations:
    """Textbook loop, blocked loop over any Quantizer, compiled kernel."""

    @pytest.mark.parametrize("order", ORDERS)
    @pytest.mark.parametrize("n", COLUMNS)
    def test_they_agree_on_every_shape(self, n, order):
        for m in ROWS:
            W, H = random_layer(m, n, seed=100 * m + n)
            W = W * 3
            for low, high in [(None, None), (-4, 3)]:
                grid = IntegerGrid(low, high)
                textbook, codes = ldlq(W, H, round_to=grid, order=order, backend="numpy", return_codes=True)
                for round_to in [grid, Plain(grid)]:
                    found, same = ldlq(W, H, round_to=round_to, order=order, return_codes=True)
                    assert (found == textbook).all()
                    assert (same == codes).all()
                    assert same.dtype == codes.dtype
                assert (grid.decode(codes) == textbook).all()
                if low is None:
                    flip = slice(None, None, 1 if order == "forward" else -1)
                    assert_is_ldlq(W[:, flip], H[flip, flip], textbook[:, flip], np.finfo(float).eps)

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @pytest.mark.parametrize("n", COLUMNS)
    def test_they_agree_to_the_bit_where_arithmetic_is_exact(self, n, dtype):
        """Targets are multiples of 1/128, so ties are common and the rule for them is what is compared."""
        rng = np.random.default_rng(n)
        for m in ROWS:
            W, X = dyadic_weights(m, n, rng, dtype), feedback(n, rng, dtype)
            for grid in [IntegerGrid(), IntegerGrid(-2, 1), UniformGrid(np.full((m, 1), 0.5, np.float16), 3)]:
                textbook = linear_feedback(W, X, round_to=grid, backend="numpy")
                assert textbook.dtype == dtype
                for round_to in [grid, Plain(grid)]:
                    found = linear_feedback(W, X, round_to=round_to)
                    assert found.dtype == dtype
                    assert (found == textbook).all()

    def test_the_exact_layers_do_have_ties(self):
        rng = np.random.default_rng(0)
        W, X = dyadic_weights(20, 60, rng), feedback(60, rng)
        T = W + (W - linear_feedback(W, X)) @ X
        assert (T - np.floor(T) == 0.5).sum() > 5
        assert ((T * 128) % 8 != 0).any()  # the feedback is not on W's own grid

    @pytest.mark.parametrize("order", ORDERS)
    def test_float32_layers_get_a_valid_rounding_of_their_own(self, order):
        """In float32 a target within rounding noise of a tie may go either way; the certificate holds for both."""
        m, n = size((65, 300), (3, 40))
        W, H = random_layer(m, n, seed=5)
        W, H = (4 * W).astype(np.float32), H.astype(np.float32)
        flip = slice(None, None, 1 if order == "forward" else -1)
        for backend in BACKENDS:
            W_hat = ldlq(W, H, order=order, backend=backend)
            assert W_hat.dtype == np.float32
            assert_is_ldlq(W[:, flip], H[flip, flip], W_hat[:, flip], np.finfo(np.float32).eps)

    @pytest.mark.parametrize("order", ORDERS)
    @pytest.mark.parametrize("n", [8, 16, 136, 8 * BASE // 4])
    def test_blocks_of_eight(self, n, order):
        W, H = random_layer(9, n, seed=n)
        W = W * 3
        textbook, codes = ldlq(W, H, round_to=Doubled(), order=order, backend="numpy", return_codes=True)
        found, same = ldlq(W, H, round_to=Doubled(), order=order, return_codes=True)
        assert (found == textbook).all()
        assert (same == codes).all()
        assert (Doubled().decode(codes) == textbook).all()
        self._assert_blocks_are_fed_back(W, H, textbook, order)

    @staticmethod
    def _assert_blocks_are_fed_back(W, H, W_hat, order):
        """By the definition: each block is the quantizer's answer to its target, in that order of whole blocks."""
        n = len(H)
        blocks = np.arange(n).reshape(-1, 8)[:: 1 if order == "forward" else -1]
        columns = blocks.ravel()
        U, _ = block_ldl(H[np.ix_(columns, columns)], 8)
        for i, block in enumerate(blocks):
            before, here = columns[: 8 * i], slice(8 * i, 8 * i + 8)
            target = W[:, block] + (W - W_hat)[:, before] @ U[: 8 * i, here]
            assert (Doubled().quantize(target)[1] == W_hat[:, block]).all()

    @pytest.mark.parametrize("order", ORDERS)
    @pytest.mark.parametrize("backend", BACKENDS)
    def test_fewer_codes_than_weights_follow_their_blocks(self, order, backend):
        W, H = random_layer(5, 24, seed=1)
        found, codes = ldlq(W * 3, H, round_to=OneCodeABlock(), order=order, backend=backend, return_codes=True)
        assert codes.shape == (5, 6)
        assert (OneCodeABlock().decode(codes) == found).all()

    @pytest.mark.parametrize("order", ORDERS)
    def test_stochastic_rounding_draws_the_same_numbers(self, order):
        m, n = size((70, 200), (5, 20))
        W, H = random_layer(m, n, seed=2)
        grid = IntegerGrid(-3, 4, rounding="stochastic")
        textbook, codes = ldlq(W, H, round_to=grid, order=order, rng=7, backend="numpy", return_codes=True)
        found, same = ldlq(W, H, round_to=grid, order=order, rng=np.random.default_rng(7), return_codes=True)
        assert (found == textbook).all()
        assert (same == codes).all()
        assert (found != ldlq(W, H, round_to=grid, order=order, rng=8)).any()
        with says(ValueError, "rng must be a seed or a Generator for stochastic rounding"):
            ldlq(W, H, round_to=grid)

    @pytest.mark.parametrize("threads", [1, 2, 3, None])
    def test_threads_change_nothing(self, threads):
        m, n = size((200, 150), (70, 5))
        W, H = random_layer(m, n, seed=3)
        grid = UniformGrid.fit(W, 3)
        expected = ldlq(W, H, round_to=grid, backend="numpy")
        assert (ldlq(W, H, round_to=grid, threads=threads) == expected).all()

    @pytest.mark.skipif(INTERPRETED, reason="too slow without compiled kernels")
    def test_rows_of_different_steps_over_several_halvings(self):
        W, H = random_layer(150, 5 * BASE + 3, spectrum="outlier", seed=4)
        W[7] = 0
        grid = UniformGrid.fit(W, 2)
        for order in ORDERS:
            expected = ldlq(W, H, round_to=grid, order=order, backend="numpy")
            assert (ldlq(W, H, round_to=grid, order=order) == expected).all()
            assert not expected[7].any()


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
        with says(np.linalg.LinAlgError, "its smallest eigenvalue is -1.0e+00 (n = 3)", "quipref.damp(H, 0.01)"):
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
