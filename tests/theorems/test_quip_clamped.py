"""QuIP (arXiv:2307.13304, version 2, supplement): rounding onto a grid that ends, with a feedback of bounded columns.

Everywhere V = (X + I)^-1 is unit upper triangular, eta = (W - W_hat)(X + I) are the errors of the targets, so that
W - W_hat = eta V and the loss is tr(eta V H V^T eta^T); c is the room: sum_i V_ij^2 <= 1 + c for each column j.
The statements are those that theorem 7 is made of; its text was at second hand.
"""

import math

import numpy as np
from hypothesis import strategies as st
from oracles import stochastic_mean_loss, stochastic_outcomes
from scipy.stats import binom
from theorems.claims import for_all
from theorems.slack import EPS, dropped_slack, loss_slack, pivot_rtol, quadratic_slack, target_slack
from theorems.test_quip_grids import clamped_counterexample

import quipref
from quipref import bounds
from quipref.testing.strategies import eigensystems, hessians, layers, seeded_layers

SEEDS = st.integers(0, 2**32 - 1)
SIZES = st.sampled_from([1, 2, 3, 5, 8, 16])
ROOM = st.sampled_from([1e-3, 0.1, 0.25, 1.0, 3.0])
SMALL = st.sampled_from([1, 2, 4])
ROWS = layers(m=1, n=SMALL, singular=True, outliers=True) | seeded_layers(m=1, n=4)
RARE = 1 - 1e-6  # a count above this quantile of a binomial distribution is no accident


def errors_matrix(X):
    """V = (X + I)^-1."""
    return np.linalg.inv(X + np.eye(len(X)))


def column_slack(X):
    """How far the computed sum_i V_ij^2 may stray, at most: V and X are each other's inverses, both by substitution."""
    V = errors_matrix(X)
    moved = 4 * len(X) * EPS * np.abs(V) @ np.abs(X + np.eye(len(X))) @ np.abs(V)
    return float((2 * np.abs(V) * moved + moved**2).sum(axis=0).max(initial=0.0))


class TestQ10Clamped:
    """Q10, QuIP's algorithm 5 and theorem 7, but for its rate. True.

    Among the feedbacks with columns |V_j|^2 <= 1 + c there is one of least trace tr(V H V^T). (a) It is LDLQ's U, with
    the trace tr D, where there is room enough; it is zero, with the trace tr H, where there is none; the trace falls
    as the room grows. (b) With stochastic rounding on all integers the mean loss is at most m/4 trace. (c) No
    weight strays by t steps or more with a probability above 2 exp(-2 t^2 / (1 + c)); so on a grid with that much
    room at its ends, nothing is clamped, and (b) holds there. LDLQ itself has no such property.
    """

    @for_all(hessians(SIZES, singular=True, outliers=True, dead=True))
    def test_with_room_enough_it_is_ldlq(self, H):
        U, D = quipref.ldl(H)
        longest = np.square(np.triu(errors_matrix(U), 1)).sum(axis=0).max(initial=0.0)
        for c in (math.inf, 1.001 * longest + 0.001):
            found = quipref.clamped_feedback(H, c)
            assert (found.X == U).all()
            assert not found.multipliers.any()
        V = errors_matrix(U)
        rounding = pivot_rtol(H) * D.sum() if D.all() else dropped_slack(V, H, D)
        assert abs(found.trace - D.sum()) <= rounding + quadratic_slack(V, H)

    @for_all(hessians(SIZES, singular=True))
    def test_without_room_it_is_plain_rounding(self, H):
        """With V = I + N, the trace differs from tr H by 2 tr(N H) and more: by 2 |N| |H| at most, |N|^2 <= n c."""
        none = quipref.clamped_feedback(H, 0.0)
        assert not none.X.any()
        assert none.trace == np.trace(H)
        n = len(H)
        for c in (1e-4, 1e-10):
            found = quipref.clamped_feedback(H, c)
            least = np.trace(H) - 2 * np.sqrt(n * c) * np.linalg.norm(H) * (1 + n * EPS)
            assert least <= found.trace <= np.trace(H) * (1 + 4 * n * EPS)

    @for_all(hessians(SIZES), ROOM, ROOM)
    def test_more_room_never_costs(self, H, c, other):
        less, more = (quipref.clamped_feedback(H, room) for room in sorted((c, other)))
        slack = quadratic_slack(errors_matrix(less.X), H)
        assert more.trace * (1 - more.gap) <= less.trace + slack

    @for_all(hessians(SIZES, singular=True, outliers=True, dead=True), ROOM)
    def test_no_column_exceeds_its_limit(self, H, c):
        X = quipref.clamped_feedback(H, c).X
        assert not np.tril(X).any()
        assert (np.square(errors_matrix(X)).sum(axis=0) <= 1 + c + column_slack(X)).all()

    @for_all(hessians(SIZES, outliers=True), ROOM)
    def test_the_trace_is_proven_to_be_the_least(self, H, c):
        """By duality: tr D - (1 + c) sum_j l_j, D the pivots of H + diag(l), is a lower bound of every trace."""
        found = quipref.clamped_feedback(H, c)
        V, l = errors_matrix(found.X), found.multipliers
        assert abs(found.trace - np.trace(V @ H @ V.T)) <= 2 * quadratic_slack(V, H) + np.trace(H) * column_slack(
            found.X
        )
        assert (l >= 0).all()
        damped = H + np.diag(l)
        D = quipref.ldl(damped)[1]
        rounding = pivot_rtol(damped) * D.sum() + 2 * quadratic_slack(V, damped) + 4 * len(H) * EPS * (1 + c) * l.sum()
        assert found.gap <= 1e-8
        assert D.sum() - (1 + c) * l.sum() >= (1 - found.gap) * found.trace - rounding

    @for_all(hessians(SIZES), ROOM, SEEDS)
    def test_no_feedback_within_the_limits_has_a_smaller_trace(self, H, c, seed):
        """Against random columns, and against LDLQ's own, shortened to the limit."""
        found = quipref.clamped_feedback(H, c)
        random = np.triu(np.random.default_rng(seed).standard_normal(H.shape), 1)
        for N in (random, np.triu(errors_matrix(quipref.ldl(H)[0]), 1)):
            squares = np.square(N).sum(axis=0)
            V = np.eye(len(H)) + N * np.sqrt(c / np.maximum(squares, c))
            assert np.trace(V @ H @ V.T) >= (1 - found.gap) * found.trace - 2 * quadratic_slack(V, H)

    @for_all(ROWS, st.just(0.0) | ROOM)
    def test_the_mean_loss_is_a_quarter_of_the_trace_at_most(self, layer, c):
        """Exactly, by enumeration of all 2^n outcomes."""
        W, H = layer
        found, (U, D) = quipref.clamped_feedback(H, c), quipref.ldl(H)
        largest = np.ones((1, len(H))) @ np.abs(errors_matrix(found.X))  # no target is off by more than 1
        slack = loss_slack(W, W - largest, found.X, D, U) + dropped_slack(largest, H, D)
        assert stochastic_mean_loss(W[0], found.X, H) <= bounds.worst_case(1, found.trace) + slack

    @for_all(ROWS, st.just(0.0) | ROOM)
    def test_no_weight_strays_more_often_than_the_tail_allows(self, layer, c):
        """Exactly: the probability of straying so far or farther, for every distance that an outcome has."""
        (w,), H = layer
        X = quipref.clamped_feedback(H, c).X
        outcomes, probabilities = stochastic_outcomes(w, X)
        rounding = target_slack(w, outcomes, X)
        for strayed in np.abs(outcomes - w).T:
            for t in strayed:
                tail = bounds.straying_tail(max(0.0, t - 2 * rounding), c + column_slack(X))
                assert probabilities[strayed >= t - rounding].sum() <= tail + 64 * EPS

    def test_a_sum_of_half_steps_strays_as_often_as_it_may(self):
        """V's last column is 16 ones and every target ends in 1/2, so the last weight's error is a sum of 16 signs / 2.

        With room 15 the feedback is LDLQ's and the sum reaches 4 as often as 16 coins show 12 heads, or 12 tails;
        with room 3 the tail is thinner than that.
        """
        W, H = self.half_steps()
        m, t, coins = 20_000, 4.0, 2 * binom.cdf(4, 16, 0.5)
        assert bounds.straying_tail(t, 3.0) < coins <= bounds.straying_tail(t, 15.0) < 4 * coins
        for c in (15.0, 3.0):
            count = (np.abs(self.rounded(W, H, c, m, 100) - W)[:, -1] >= t).sum()
            assert count <= binom.ppf(RARE, m, bounds.straying_tail(t, c))
            if c == 15.0:
                assert binom.ppf(1 - RARE, m, coins) <= count <= binom.ppf(RARE, m, coins)

    def test_on_a_grid_with_room_at_its_ends_nothing_is_clamped(self):
        """On the H of Q9, for which LDLQ's V has a column of length sqrt(n), and on sums of half steps; delta = 0.1."""
        for (W, H), c, m in ((clamped_counterexample(128), 0.25, 400), (self.half_steps(), 15.0, 20_000)):
            margin = math.ceil(bounds.clamping_margin(1, len(H), c, 0.1))  # each row is a layer of its own
            assert self.clamped_rows(W, H, c, m, margin) <= binom.ppf(RARE, m, 0.1)
            assert self.clamped_rows(W, H, 0.0, m, 0) == 0  # rounding alone never leaves [0, 1]

    def test_false_that_ldlq_stays_near(self):
        """LDLQ on the same H and grid clamps half of the rows, and its weights stray more than the tail allows."""
        m, n, c = 400, 128, 0.25
        W, H = clamped_counterexample(n)
        margin = math.ceil(bounds.clamping_margin(1, n, c, 0.1))
        assert self.clamped_rows(W, H, math.inf, m, margin) > binom.ppf(RARE, m, 0.1)
        strayed = np.abs(self.rounded(W, H, math.inf, m, 100) - W).max(axis=1)
        assert (strayed >= 4).sum() > binom.ppf(RARE, m, n * bounds.straying_tail(4.0, c))

    @staticmethod
    def half_steps():
        """(W, H) of one row of 16 weights on which every target of LDLQ ends in 1/2 and V's last column is all ones."""
        R = np.eye(16)
        R[:-1, -1] = -1.0
        return np.append(np.full(15, 0.5), 0.0)[None], R @ R.T

    @staticmethod
    def rounded(W, H, c, m, margin):
        """The row W, between 0 and 1, rounded m times."""
        grid = quipref.IntegerGrid(-margin, 1 + margin, rounding="stochastic")
        return quipref.clamped_ldlq(np.tile(W, (m, 1)), H, round_to=grid, c=c, rng=11)

    def clamped_rows(self, W, H, c, m, margin):
        """How many of m roundings the ends of the grid change."""
        return (self.rounded(W, H, c, m, margin) != self.rounded(W, H, c, m, 10_000)).any(axis=1).sum()


class TestQ10PrimeRegularizedTrace:
    """Q10', the lemma under theorem 7. True.

    For mu-incoherent H the least trace with room c is at most mu^2 / (n min(1, c)) (tr H^1/2)^2: room for columns
    of twice the length squared costs nothing beyond the bound of LDLQ, less room at most its inverse.
    """

    @for_all(eigensystems(SIZES), ROOM)
    def test_the_least_trace_is_bounded(self, system, c):
        H, n = system.power(1), len(system.values)
        found = quipref.clamped_feedback(H, c)
        bound = bounds.clamped_trace(system.incoherence(), n, np.sqrt(system.values).sum(), c)
        assert (1 - found.gap) * found.trace <= bound * (1 + pivot_rtol(H)) + quadratic_slack(errors_matrix(found.X), H)

    @for_all(st.sampled_from([1, 2, 4, 8, 16]), st.sampled_from([1e-3, 0.25, 1.0, 64.0]), st.sampled_from([1.0, 3.0]))
    def test_a_multiple_of_the_identity_reaches_it(self, n, scale, c):
        found = quipref.clamped_feedback(scale * np.eye(n), c)
        assert np.isclose(bounds.clamped_trace(1.0, n, n * np.sqrt(scale), c), found.trace, rtol=8 * n * EPS, atol=0)

    @for_all(st.sampled_from([2, 4, 8, 16]), SEEDS)
    def test_one_hadamard_vector_reaches_it_with_room_one(self, n, seed):
        """H = h h^T with entries +-1/sqrt(n): each row of V meets the next, X_j,j+1 = h_j / h_j+1, and 1/n is left."""
        h = np.random.default_rng(seed).choice([-1.0, 1.0], n) / np.sqrt(n)
        found = quipref.clamped_feedback(np.outer(h, h), 1.0)
        bound = bounds.clamped_trace(1.0, n, 1.0, 1.0)
        assert bound * (1 - 8 * n * EPS) <= found.trace
        assert (1 - found.gap) * found.trace <= bound * (1 + 8 * n * EPS)
        assert found.gap <= 1e-6

    @for_all(st.sampled_from([16, 32]), SEEDS)
    def test_false_that_room_below_one_costs_nothing(self, n, seed):
        """One Hadamard vector, room 1/16: more than three times the bound at room one, a fifth of its own at least."""
        h = np.random.default_rng(seed).choice([-1.0, 1.0], n) / np.sqrt(n)
        found = quipref.clamped_feedback(np.outer(h, h), 1 / 16)
        least = (1 - found.gap) * found.trace
        assert least > 3 * bounds.clamped_trace(1.0, n, 1.0, 1.0)
        assert bounds.clamped_trace(1.0, n, 1.0, 1 / 16) / 5 < least <= bounds.clamped_trace(1.0, n, 1.0, 1 / 16)
