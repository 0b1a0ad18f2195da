"""QuIP# (arXiv:2402.04396, version 2), section 4: block LDLQ, which rounds g columns at a time to vectors.

H = (U + I) D (U + I)^T is n x n, U strictly block upper triangular, D of n/g diagonal blocks; m rows are rounded.
E8 stands for all quantizers of a bounded error: no codebook that ends is one.
"""

import numpy as np
from hypothesis import strategies as st
from theorems.claims import for_all
from theorems.slack import EPS, pivot_rtol, target_slack

import quipref
from quipref import BitshiftTrellis, E8Lattice, TrellisQuantizer, bounds
from quipref.lattice import e8
from quipref.testing.strategies import eigensystems, layers, seeded_layers

SEEDS = st.integers(0, 2**32 - 1)
EIGHTS = st.sampled_from([8, 16, 24])


class Recorded:
    """A Quantizer that remembers its targets, block by block."""

    def __init__(self, quantizer):
        self.quantizer, self.block, self.targets = quantizer, quantizer.block, []

    def quantize(self, T, rng=None):
        self.targets.append(T.copy())
        return self.quantizer.quantize(T, rng)


def trace_of_blocks(H, block):
    return np.trace(quipref.block_ldl(H, block)[1], axis1=1, axis2=2).sum()


def largest_block_norm(M, block):
    return max(np.linalg.norm(M[i : i + block, i : i + block], 2) for i in range(0, len(M), block))


def sum_over_blocks(eta, D):
    """sum_b tr(eta_b D_b eta_b^T), eta (m, n)."""
    blocks = eta.reshape(len(eta), len(D), -1)
    return float(np.einsum("mbi,bij,mbj->", blocks, D, blocks))


def mean_loss(w, H, *, feedback, rng):
    """(mean, standard error) of the loss of a row w under a dithered E8, with LDLQ's feedback or none; a block of 8."""
    W, round_to = np.tile(w, (20_000, 1)), E8Lattice(dithered=True)
    if feedback:
        W_hat = quipref.ldlq(W, H, round_to=round_to, rng=rng)
    else:
        W_hat = quipref.linear_feedback(W, np.zeros_like(H), round_to=round_to, rng=rng)
    losses = np.einsum("ij,jk,ik->i", W - W_hat, H, W - W_hat)
    return losses.mean(), losses.std(ddof=1) / np.sqrt(len(W))


def rows_of_all_kinds(n, rng):
    """A row of zeros, one in deep holes of E8, and one in generic position."""
    return np.zeros(n), np.tile(np.eye(8)[0], n // 8), rng.standard_normal(n)


class TestS5BlockTrace:
    """S5, lemma B.1. True, with n the number of columns in its last term (the lemma's n counts blocks).

    tr D <= tr(H^1/2) max_b |(H^1/2)_bb|_2 <= g mu^2/n (tr H^1/2)^2 for blocks of g columns and mu-incoherent H, in
    either order of the blocks; the first needs no incoherence.
    """

    @for_all(eigensystems(st.sampled_from([8, 16])), st.sampled_from([1, 2, 4, 8]))
    def test_both_inequalities_in_both_orders(self, system, g):
        H, root, n = system.power(1), system.power(0.5), len(system.values)
        traces = trace_of_blocks(H, g), trace_of_blocks(H[::-1, ::-1], g)
        first = bounds.block_root_trace(np.trace(root), largest_block_norm(root, g))
        second = bounds.block_incoherent_trace(system.incoherence(), n, g, np.trace(root))
        assert max(traces) <= first * (1 + pivot_rtol(H))
        # |(H^1/2)_bb|_2 <= sum_j root_j |q_jb|^2 <= g mu^2/n sum_j root_j: sums of n positive products, then a norm
        assert first <= second * (1 + 16 * n * EPS)

    @for_all(st.sampled_from([8, 16, 32]), st.sampled_from([1, 2, 4, 8]), st.sampled_from([0.25, 1.0, 64.0]))
    def test_a_constant_h_reaches_both(self, n, g, scale):
        """H = 1 1^T has the eigenvector 1 / sqrt n, so mu = 1, and one pivot that is not zero."""
        H = scale * np.ones((n, n))
        root = H / np.sqrt(scale * n)
        trace_D = trace_of_blocks(H, g)
        assert trace_D == scale * g
        first = bounds.block_root_trace(np.trace(root), largest_block_norm(root, g))
        second = bounds.block_incoherent_trace(1.0, n, g, np.trace(root))
        assert np.allclose([first, second], trace_D, rtol=16 * n * EPS, atol=0)

    def test_false_that_the_last_term_needs_no_g(self):
        """Read with n columns, (mu^2/n) (tr H^1/2)^2 is an eighth of tr D for H = 1 1^T and g = 8."""
        H = np.ones((16, 16))
        assert trace_of_blocks(H, 8) == 8 * bounds.incoherent_trace(1.0, 16, np.trace(H / 4))


class TestS6BlockLdlq:
    """S6, theorem 4.1. True for quantizers of bounded error, so for lattices, dithered or not; not for codebooks.

    If E[e e^T] <= sigma^2 I for the error e of every target, block LDLQ loses at most m sigma^2 tr D in the mean, which
    is at most g m mu^2 sigma^2/n (tr H^1/2)^2. E8's nearest point has sigma = 1, its covering radius; with a
    dither sigma^2 = 929/12960, and the loss is m sigma^2 tr D exactly, whatever the layer.
    """

    def test_a_dithered_lattice_loses_the_second_moment_times_the_trace(self):
        """On average, 5 standard errors; for each of several rows on its own."""
        for seed, n in enumerate((8, 16, 24)):
            rng = np.random.default_rng(seed)
            H = quipref.random_layer(1, n, seed=seed).H
            expected = bounds.block_loss(1, e8.SECOND_MOMENT, trace_of_blocks(H, 8))
            for w in rows_of_all_kinds(n, rng):
                mean, error = mean_loss(w, H, feedback=True, rng=rng)
                assert abs(mean - expected) <= 5 * error

    @for_all(eigensystems(EIGHTS, low=1e-2), st.integers(1, 3), st.sampled_from([1 / 2, 1 / 64]), SEEDS)
    def test_the_nearest_point_loses_at_most_the_trace(self, system, m, step, seed):
        """For all layers: nothing is random, and e e^T <= |e|^2 I <= I."""
        H, root, n = system.power(1), system.power(0.5), len(system.values)
        W = step * np.random.default_rng(seed).integers(-100, 101, (m, n))
        loss = quipref.proxy_loss(W, quipref.ldlq(W, H, round_to=E8Lattice()), H)
        first = bounds.block_loss(m, e8.COVERING_RADIUS**2, trace_of_blocks(H, 8))
        second = bounds.incoherent_block_loss(m, system.incoherence(), n, 8, e8.COVERING_RADIUS**2, np.trace(root))
        assert loss <= first * (1 + block_rtol(H))
        assert first <= second * (1 + pivot_rtol(H) + 16 * n * EPS)

    @for_all(st.integers(1, 3), SEEDS)
    def test_the_nearest_point_can_lose_as_much(self, blocks, seed):
        """Every target next to the deep hole e_1, and pivots that hardly weigh more than the first of eight."""
        n, small, short = 8 * blocks, 2.0**-10, 2.0**-10  # |e| = 1 - short
        rng = np.random.default_rng(seed)
        B = block_upper(rng.integers(-2, 3, (n, n)) / 8) + np.eye(n)
        H = (B * np.tile([1.0] + 7 * [small], blocks)) @ B.T  # exact, as all of this is in multiples of 2^-16
        Z = 2.0 * rng.integers(-3, 4, (1, n))
        W = Z + (1 - short) * np.linalg.solve(B.T, np.tile(np.eye(8)[0], blocks))
        W_hat = quipref.ldlq(W, H, round_to=E8Lattice())
        assert (W_hat == Z).all()
        largest = bounds.block_loss(1, e8.COVERING_RADIUS**2, trace_of_blocks(H, 8))
        reached = (1 - short) ** 2 / (1 + 7 * small) * largest
        assert np.isclose(quipref.proxy_loss(W, W_hat, H), reached, rtol=pivot_rtol(H), atol=0)

    def test_false_that_a_codebook_obeys_it(self):
        """E8P ends at 15/4: weights of 8 units lose more than sigma = 1 allows, and 16 units more than that."""
        H, losses = np.eye(8), []
        for size in (8.0, 16.0):
            W = np.full((1, 8), size)
            losses.append(quipref.proxy_loss(W, quipref.ldlq(W, H, round_to=quipref.E8PQuantizer(backend="numpy")), H))
            assert quipref.proxy_loss(W, quipref.ldlq(W, H, round_to=E8Lattice()), H) == 0
        assert losses[1] > losses[0] > bounds.block_loss(1, e8.COVERING_RADIUS**2, trace_of_blocks(H, 8))


@st.composite
def halved_directions(draw):
    """H = v v^T and the one row v / 2, v of zeros and ones: with four ones in each block the errors are v / 2 too."""
    v = np.random.default_rng(draw(SEEDS)).integers(0, 2, draw(EIGHTS)).astype(float)
    return v[None] / 2, np.outer(v, v)


class TestS7WithoutFeedback:
    """S7, the remark after theorem 4.1. False for nearest points: the factor is n/g, the number of blocks, not g.

    Rounding each block on its own loses at most m sigma^2 tr H in the mean if the errors of blocks are independent and
    of mean zero, as with a dither; (n/g) m sigma^2 tr H in any case: errors of all blocks may point the same way.
    """

    def test_with_a_dither_the_mean_is_the_second_moment_times_tr_h(self):
        """On average, 5 standard errors; for each of several rows on its own."""
        for seed in range(2):
            rng = np.random.default_rng(seed)
            H = quipref.random_layer(1, 16, seed=seed).H
            for w in rows_of_all_kinds(16, rng):
                mean, error = mean_loss(w, H, feedback=False, rng=rng)
                assert abs(mean - bounds.independent_block_loss(1, e8.SECOND_MOMENT, np.trace(H))) <= 5 * error

    @for_all(seeded_layers(n=EIGHTS) | layers(n=EIGHTS, singular=True) | halved_directions())
    def test_nearest_points_lose_at_most_the_number_of_blocks_times_the_trace(self, layer):
        W, H = layer
        W_hat = quipref.linear_feedback(W, np.zeros_like(H), round_to=E8Lattice())
        largest = bounds.aligned_block_loss(len(W), len(H), 8, e8.COVERING_RADIUS**2, np.trace(H))
        assert quipref.proxy_loss(W, W_hat, H) <= largest * (1 + 8 * len(H) ** 2 * EPS)

    def test_false_that_g_times_the_trace_is_enough(self):
        """H = v v^T and W = v / 2, v = (1, 1, 1, 1, 0, 0, 0, 0, 1, ...): each block in a deep hole, all errors alike.

        The loss is n^2 / 16, tr H = n / 2: n / 8 times as much, and more than 8 times as much from n = 72 on.
        """
        for n in (64, 72, 128):
            v = np.tile([1.0, 1, 1, 1, 0, 0, 0, 0], n // 8)
            W, H = v[None] / 2, np.outer(v, v)
            loss = quipref.proxy_loss(W, quipref.linear_feedback(W, np.zeros_like(H), round_to=E8Lattice()), H)
            assert loss == n**2 / 16 == bounds.aligned_block_loss(1, n, 8, e8.COVERING_RADIUS**2, np.trace(H))
            claimed = 8 * bounds.independent_block_loss(1, e8.COVERING_RADIUS**2, np.trace(H))
            assert (loss > claimed) == (n > 64)
            # with LDLQ's feedback even this layer keeps to the bound of S6
            W_hat = quipref.ldlq(W, H, round_to=E8Lattice())
            assert quipref.proxy_loss(W, W_hat, H) <= bounds.block_loss(1, 1.0, trace_of_blocks(H, 8))


@st.composite
def exact_factors(draw):
    """(U, D): a block upper U of eighths and blocks D = B B^T of integers, so that H = (U + I) D (U + I)^T is exact."""
    blocks, rng = draw(st.integers(1, 3)), np.random.default_rng(draw(SEEDS))
    U = block_upper(rng.integers(-2, 3, (8 * blocks, 8 * blocks)) / 8)
    B = rng.integers(-2, 3, (blocks, 8, 8)).astype(float)
    return U, B @ B.swapaxes(1, 2)


def trellis_tiles(rng):
    """Tiles of 4 x 8 weights on a random table of eighths."""
    return TrellisQuantizer(rng.integers(-12, 13, (64, 1)) / np.float32(8), BitshiftTrellis(6, 2), tile=(4, 8))


class TestS8BlockIdentity:
    """S8, the identity that theorem 4.1 rests on. True, but for a misprint.

    With eta = (W - W_hat)(U + I), the errors of the targets, the loss is sum_b tr(eta_b D_b eta_b^T), whatever rounds:
    lattices, codebooks, tiles of a trellis. The proof prints tr(eta^T D eta), for m = n another number, else none.
    """

    @for_all(exact_factors(), st.sampled_from(["lattice", "codebook", "tiles"]), SEEDS)
    def test_for_every_quantizer_without_any_rounding_error(self, factors, name, seed):
        (U, D), rng = factors, np.random.default_rng(seed)
        eye = np.eye(len(U))
        H = (U + eye) @ block_diagonal(D) @ (U + eye).T
        quantizers = {
            "lattice": E8Lattice,
            "codebook": lambda: quipref.E8PQuantizer(backend="numpy"),
            "tiles": lambda: trellis_tiles(rng),
        }
        round_to = Recorded(quantizers[name]())
        W = rng.integers(-128, 129, (4, len(U))) / 64
        W_hat = quipref.linear_feedback(W, U, round_to=round_to)
        eta = (W - W_hat) @ (U + eye)
        assert (eta == np.hstack(round_to.targets) - W_hat).all()
        assert quipref.proxy_loss(W, W_hat, H) == sum_over_blocks(eta, D)

    @for_all(eigensystems(EIGHTS, low=0.1, high=10.0), SEEDS)
    def test_for_the_factor_that_ldlq_takes(self, system, seed):
        H, n = system.power(1), len(system.values)
        U, D = quipref.block_ldl(H, 8)
        W, round_to = np.random.default_rng(seed).uniform(-4, 4, (3, n)), Recorded(E8Lattice(dithered=True))
        W_hat = quipref.ldlq(W, H, round_to=round_to, rng=seed)
        eta = (W - W_hat) @ (U + np.eye(n))
        assert np.abs(np.hstack(round_to.targets) - W_hat - eta).max() <= target_slack(W, W_hat, U)
        loss = quipref.proxy_loss(W, W_hat, H)
        assert abs(loss - sum_over_blocks(eta, D)) <= loss * block_rtol(H)

    def test_false_that_it_is_the_trace_of_eta_t_d_eta(self):
        """Eight rows and columns, H = D = diag(1, ..., 8), and one target missed by 1/4, in the last column."""
        H, W = np.diag(np.arange(1.0, 9)), np.zeros((8, 8))
        W[0, 7] = 0.25
        eta = W - quipref.ldlq(W, H, round_to=E8Lattice())
        assert quipref.proxy_loss(eta, np.zeros_like(eta), H) == np.trace(eta @ H @ eta.T) == 8 / 16
        assert np.trace(eta.T @ H @ eta) == 1 / 16


def block_upper(A):
    """A with zeros in and below its diagonal blocks of 8 x 8."""
    block_of = np.arange(len(A)) // 8
    return A * (block_of[:, None] < block_of)


def block_diagonal(D):
    """The blocks D (b, g, g) on the diagonal of an (bg, bg)."""
    blocks, g, _ = D.shape
    return np.einsum("bij,bc->bicj", D, np.eye(blocks)).reshape(blocks * g, blocks * g)


def block_rtol(H):
    """Relative error of a loss, or of tr D, by `block_ldl`.

    A pivot's (`pivot_rtol`), times the condition of the triangles on the diagonal of the scalar factor, which are
    divided out; none of them is worse conditioned than H.
    """
    return pivot_rtol(H) * float(np.linalg.cond(H))
