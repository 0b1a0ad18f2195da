"""LDLQ in three forms, which agree: the textbook loop, the blocked loop over any Quantizer, the compiled kernel."""

import numpy as np
import pytest
from dyadic import feedback
from dyadic import weights as dyadic_weights
from quantizers import Doubled, OneCodeABlock, Plain
from sizes import INTERPRETED, size
from voice import says

from quipref import IntegerGrid, UniformGrid, block_ldl, ldl, ldlq, linear_feedback, random_layer
from quipref.rounding.blocked import BASE

BACKENDS = ["numba", "numpy"]
ORDERS = ["forward", "backward"]
ROWS = size([1, 63, 64, 65, 130], [1, 3])
COLUMNS = size([1, 127, 128, 129, 300], [1, 5, 9])


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


def assert_blocks_are_fed_back(W, H, W_hat, order, quantizer):
    """By the definition: each block is the quantizer's answer to its target, in that order of whole blocks."""
    width = quantizer.block
    blocks = np.arange(len(H)).reshape(-1, width)[:: 1 if order == "forward" else -1]
    columns = blocks.ravel()
    U, _ = block_ldl(H[np.ix_(columns, columns)], width)
    for i, block in enumerate(blocks):
        before, here = columns[: width * i], slice(width * i, width * i + width)
        target = W[:, block] + (W - W_hat)[:, before] @ U[: width * i, here]
        assert (quantizer.quantize(target)[1] == W_hat[:, block]).all()


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
        assert_blocks_are_fed_back(W, H, textbook, order, Doubled())

    @pytest.mark.parametrize("order", ORDERS)
    @pytest.mark.parametrize("backend", BACKENDS)
    def test_fewer_codes_than_weights_follow_their_blocks(self, order, backend):
        W, H = random_layer(5, 24, seed=1)
        found, codes = ldlq(W * 3, H, round_to=OneCodeABlock(), order=order, backend=backend, return_codes=True)
        assert codes.shape == (5, 6)
        assert (OneCodeABlock().decode(codes) == found).all()
        assert_blocks_are_fed_back(W * 3, H, found, order, OneCodeABlock())  # which sees a block's own order

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
