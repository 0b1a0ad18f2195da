"""QuIP (arXiv:2307.13304, version 2): what the spectrum and the eigenvectors of H say about tr D.

Everywhere H = (U + I) diag(D) (U + I)^T is n x n, and mu-incoherent if it has *some* orthonormal basis of
eigenvectors whose entries are at most mu / sqrt(n). The tests draw eigenvalues and eigenvectors
first, so they know one such basis and need no eigensolver.
"""

import numpy as np
from hypothesis import strategies as st
from oracles import row_losses, sign_vectors
from theorems.claims import for_all
from theorems.slack import EPS, pivot_rtol, quadratic_slack, target_slack

import quipref
from quipref import bounds
from quipref.testing.strategies import Eigensystem, eigensystems, hessians, layers, orthonormal_bases, seeded_layers

SIZES = st.sampled_from([1, 2, 3, 5, 8, 16])
POWERS_OF_TWO = st.sampled_from([1, 2, 4, 8, 16])
SCALES = st.sampled_from([1e-3, 0.25, 1.0, 64.0])


class TestQ3IncoherentTrace:
    """Q3, QuIP lemma 2 (QuIP#, arXiv:2402.04396, lemma B.1 with blocks of one column). True.

    tr D <= tr(H^1/2) max_i (H^1/2)_ii <= mu^2 / n (tr H^1/2)^2 for mu-incoherent H; the first needs no
    incoherence. Both hold for the columns in either order, although D depends on the order.
    A subtlety: with repeated eigenvalues H has many eigenbases and the best of them counts, so a mu
    read off `eigh` is an upper bound of the mu of H and nothing more.
    """

    @for_all(eigensystems(SIZES))
    def test_both_inequalities_in_both_orders(self, system):
        H, root, n = system.power(1), system.power(0.5), len(system.values)
        D, reversed_D = quipref.ldl(H)[1], quipref.ldl(H[::-1, ::-1])[1]
        first = bounds.root_trace(np.trace(root), root.diagonal().max())
        second = bounds.incoherent_trace(system.incoherence(), n, np.trace(root))
        assert max(D.sum(), reversed_D.sum()) <= first * (1 + pivot_rtol(H))
        assert first <= second * (1 + 8 * n * EPS)  # sums of n positive products on both sides

    @for_all(POWERS_OF_TWO, SCALES)
    def test_a_multiple_of_the_identity_reaches_both(self, n, scale):
        trace_D = quipref.ldl(scale * np.eye(n))[1].sum()
        root = np.sqrt(scale)
        assert np.isclose(bounds.root_trace(n * root, root), trace_D, rtol=8 * n * EPS, atol=0)
        assert np.isclose(bounds.incoherent_trace(1.0, n, n * root), trace_D, rtol=8 * n * EPS, atol=0)

    @for_all(orthonormal_bases(st.sampled_from([4, 16]), bases=("hadamard",)))
    def test_false_that_an_eigensolver_shows_the_incoherence(self, Q):
        """The identity has the Hadamard basis, mu = 1, and the bound n; `eigh` shows sqrt n and the bound n^2."""
        n = len(Q)
        H, mu = Q @ Q.T, np.sqrt(n) * np.abs(Q).max()
        assert (np.eye(n) == H).all()  # exactly: the entries are powers of two
        assert mu == 1
        shown = np.sqrt(n) * np.abs(np.linalg.eigh(H)[1]).max()
        trace_D = quipref.ldl(H)[1].sum()
        assert bounds.incoherent_trace(mu, n, n) == trace_D
        assert bounds.incoherent_trace(shown, n, n) == n * trace_D


class TestQ4PlainRounding:
    """Q4, QuIP lemma 3: rounding without feedback. True for stochastic rounding and on average.

    The worst mean loss of stochastic rounding is m/4 tr H, that of W = 1/2; the averages over uniform
    layers are m/12 tr H (nearest) and m/6 tr H (stochastic). The worst loss of *nearest* rounding is
    not m/4 tr H but m/4 max s^T H s over the signs s, up to m n lambda_max / 4.
    """

    M = 20_000
    SMALL = st.sampled_from([1, 2, 4])

    @for_all(layers(n=SMALL, singular=True, outliers=True) | seeded_layers(n=SMALL))
    def test_nearest_never_loses_more_than_the_worst_signs(self, layer):
        W, H = layer
        W_hat = quipref.IntegerGrid().quantize(W)[1]
        worst = bounds.worst_case(len(W), row_losses(0, sign_vectors(len(H)), H).max())
        largest = quadratic_slack(np.ones_like(W), H) / 2  # |W - W_hat| <= 1/2, twice the squared error
        assert quipref.proxy_loss(W, W_hat, H) <= worst + largest
        lambda_max = np.linalg.eigvalsh(H)[-1]
        assert worst <= bounds.plain_worst_case(*W.shape, lambda_max) + largest

    @for_all(hessians(SMALL), st.integers(0, 2**32 - 1))
    def test_nearest_reaches_the_worst_signs(self, H, seed):
        losses = row_losses(0, sign_vectors(len(H)), H)
        s = sign_vectors(len(H))[[losses.argmax()]]
        Z = np.random.default_rng(seed).integers(-3, 4, s.shape)
        delta = 2 * target_slack(Z + s / 2, Z, 0 * H)
        W_hat = quipref.IntegerGrid().quantize(Z + s * (0.5 - delta))[1]
        assert (W_hat == Z).all()
        expected = (1 - 2 * delta) ** 2 * bounds.worst_case(1, losses.max())
        assert abs(quipref.proxy_loss(Z + s * (0.5 - delta), W_hat, H) - expected) <= 2 * quadratic_slack(s, H)

    def test_false_that_nearest_loses_at_most_a_quarter_of_the_trace(self):
        """H = 1 1^T + I has the worst signs 1 1 ... 1, and n^2 + n where tr H is 2 n: (n + 1) / 2 times as much."""
        for n in (4, 16, 64):
            H, W = np.ones((n, n)) + np.eye(n), np.full((1, n), 0.5)  # a tie, and ties go up
            loss = quipref.proxy_loss(W, quipref.linear_feedback(W, np.zeros((n, n))), H)
            assert loss == (n + 1) / 2 * bounds.worst_case(1, np.trace(H))
            assert loss <= bounds.plain_worst_case(1, n, n + 1)

    def test_stochastic_rounding_loses_a_quarter_of_the_trace_in_the_mean_at_worst(self):
        """On average: W = 1/2 reaches the bound, and any row loses sum f (1 - f) H_ii; 5 standard errors."""
        for seed in range(3):
            w, H = quipref.random_layer(1, 4, seed=seed)
            for row in (w, np.full_like(w, 0.5)):
                mean, error = self.mean_loss(np.repeat(row, self.M, axis=0), H, "stochastic")
                f = row - np.floor(row)
                assert abs(mean - (f * (1 - f)) @ H.diagonal()) <= 5 * error
                assert mean <= bounds.plain_stochastic_worst_case(1, np.trace(H)) + 5 * error
            assert abs(mean - bounds.plain_stochastic_worst_case(1, np.trace(H))) <= 5 * error

    def test_the_mean_loss_over_uniform_layers(self):
        """On average, 5 standard errors."""
        for seed in range(3):
            W, H = quipref.random_layer(self.M, 4, seed=seed)
            W += np.random.default_rng(seed).random(W.shape)
            for rounding, constant in (("nearest", bounds.NEAREST), ("stochastic", bounds.STOCHASTIC)):
                mean, error = self.mean_loss(W, H, rounding)
                assert abs(mean - bounds.average_case(1, np.trace(H), constant)) <= 5 * error

    def mean_loss(self, W, H, rounding):
        """(mean, standard error) of the loss of a row."""
        losses = row_losses(W, quipref.IntegerGrid(rounding=rounding).quantize(W, rng=9)[1], H)
        return losses.mean(), losses.std(ddof=1) / np.sqrt(len(W))


@st.composite
def low_rank_systems(draw):
    """Eigensystems of rank k <= n / 16, where mu^2 k / n can be far below one."""
    n, k = draw(st.sampled_from([(16, 1), (32, 1), (32, 2), (64, 2), (64, 4)]))
    vectors = draw(orthonormal_bases(n))
    values = np.zeros(n)
    values[:k] = draw(st.lists(st.floats(0.1, 100), min_size=k, max_size=k))
    return Eigensystem(values, vectors)


class TestQ5LowRank:
    """Q5, QuIP after lemma 2. True.

    For H of rank k, tr D / tr H <= mu^2 k / n, where mu need only bound the k eigenvectors of nonzero
    eigenvalues: LDLQ's bounds and averages fall below those of plain rounding by that ratio. (The
    loss on a single layer may not.) The bound says something only where mu^2 k < n.
    """

    @for_all(low_rank_systems())
    def test_the_ratio_of_the_traces(self, system):
        H, n = system.power(1), len(system.values)
        D = quipref.ldl(H)[1]
        ratio = bounds.low_rank_ratio(system.incoherence(), (system.values > 0).sum(), n)
        # H + t I with t = 8 n^2 EPS lambda_max covers every rounding error. Lemma 2 for H + t I: each of the factors
        # tr H^1/2 and max (H^1/2)_ii gains at most n sqrt(t) / tr H^1/2 <= n sqrt(8 n^2 EPS) of itself.
        assert D.sum() / np.trace(H) <= ratio * (1 + n * np.sqrt(8 * n**2 * EPS)) ** 2

    @for_all(orthonormal_bases(st.sampled_from([16, 64]), bases=("hadamard",)), SCALES)
    def test_one_hadamard_vector_reaches_the_ratio(self, Q, scale):
        """H = c q q^T with |q_i| = 1 / sqrt n has one pivot, c / n: the ratio is 1 / n, mu is 1."""
        n, H = len(Q), scale * np.outer(Q[:, 0], Q[:, 0])
        ratio = quipref.ldl(H)[1].sum() / np.trace(H)
        assert np.isclose(ratio, bounds.low_rank_ratio(1.0, 1, n), rtol=8 * n**2 * EPS, atol=0)


class TestQ6NoIncoherenceNoGain:
    """Q6, QuIP theorem 4. True.

    Among all H with the same eigenvalues the largest tr D is tr H, and diagonal H have it: knowing the
    spectrum alone, without incoherence, LDLQ's guarantee is that of plain rounding. For every H,
    n det(H)^(1/n) <= tr D <= tr H; the lower end is reached where all pivots are equal.
    """

    @for_all(eigensystems(SIZES))
    def test_the_trace_of_d_lies_between_determinant_and_trace(self, system):
        H, n = system.power(1), len(system.values)
        trace_D = quipref.ldl(H)[1].sum()
        assert trace_D <= np.trace(H) * (1 + 4 * n * EPS)  # D_k is H_kk less a sum of squares
        floor = bounds.determinant_floor(n, np.log(system.values).sum())
        assert floor <= trace_D * (1 + pivot_rtol(H))

    @for_all(eigensystems(SIZES, bases=("identity",)))
    def test_a_diagonal_h_has_no_feedback_and_no_gain(self, system):
        H = system.power(1)
        U, D = quipref.ldl(H)
        assert not U.any()
        assert np.allclose(D, system.values, rtol=4 * EPS, atol=0)  # a square of a square root
        W = np.random.default_rng(0).standard_normal((3, len(H)))
        assert (quipref.ldlq(W, H) == quipref.IntegerGrid().quantize(W)[1]).all()

    @for_all(SIZES, st.integers(0, 2**32 - 1), SCALES)
    def test_equal_pivots_reach_the_determinant(self, n, seed, scale):
        R = np.eye(n) + np.triu(np.random.default_rng(seed).uniform(-1, 1, (n, n)), 1) / n
        H = scale * R @ R.T
        H = (H + H.T) / 2
        floor = bounds.determinant_floor(n, n * np.log(scale))
        assert np.isclose(quipref.ldl(H)[1].sum(), floor, rtol=pivot_rtol(H), atol=0)
