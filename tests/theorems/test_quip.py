"""QuIP (arXiv:2307.13304, version 2): the class of linear feedback and theorem 1, that LDLQ is best in it.

Everywhere H = (U + I) diag(D) (U + I)^T, rounding is to all integers, m is the number of rows of W, and
eta = (W - W_hat)(X + I) are the errors of the rounded targets under the feedback X.
"""

import numpy as np
from hypothesis import strategies as st
from oracles import row_losses, sign_vectors, stochastic_mean_loss
from scipy.linalg import solve_triangular
from theorems.claims import for_all
from theorems.slack import EPS, dropped_slack, loss_slack, pivot_rtol, quadratic_slack, reaching, target_slack

import quipref
from quipref import bounds
from quipref.testing.counterexamples import STOCHASTIC_H, worst_stochastic_mean
from quipref.testing.strategies import hessians, layers, seeded_layers

SEEDS = st.integers(0, 2**32 - 1)
ANY_LAYER = layers(singular=True, outliers=True, dead=True) | seeded_layers()
REGULAR_LAYER = layers() | seeded_layers(spectra=("power", "flat", "outlier"))


def strictly_upper(n, seed):
    """A feedback unrelated to any H, with entries in [-1, 1)."""
    return np.triu(np.random.default_rng(seed).uniform(-1, 1, (n, n)), 1)


def feedback_price(X, U, D):
    """B D B^T, whose trace takes the place of tr D under the feedback X; B = (X + I)^-1 (U + I)."""
    unit = np.eye(len(D))
    B = solve_triangular(X + unit, U + unit, unit_diagonal=True)
    return (B * D) @ B.T


class TestQ1FeedbackClass:
    """Q1, QuIP equation (2) and the argument of theorem 1. True.

    Any strictly upper X makes W_hat = Q(W + (W - W_hat) X) a single pass over the columns. Its loss is
    tr(eta B D B^T eta^T) with B = (X + I)^-1 (U + I), unit upper triangular. For every such B,
    tr(B D B^T) >= tr D, and for D > 0 only B = I, that is X = U, reaches it.
    """

    @for_all(REGULAR_LAYER, SEEDS)
    def test_one_pass_solves_the_implicit_equation(self, layer, seed):
        X = strictly_upper(len(layer.H), seed)
        W_hat = quipref.linear_feedback(layer.W, X)
        targets = layer.W + (layer.W - W_hat) @ X
        assert (W_hat == np.rint(W_hat)).all()
        assert np.abs(targets - W_hat).max() <= 0.5 + target_slack(layer.W, W_hat, X)

    @for_all(REGULAR_LAYER, SEEDS, st.sampled_from(["U", "none", "random"]))
    def test_the_loss_is_that_of_the_errors_of_the_targets(self, layer, seed, feedback):
        W, H = layer
        U, D = quipref.ldl(H)
        X = {"U": U, "none": 0 * U, "random": strictly_upper(len(H), seed)}[feedback]
        W_hat = quipref.linear_feedback(W, X)
        eta = (W - W_hat) @ (X + np.eye(len(H)))
        expected = float(np.einsum("ij,jk,ik->", eta, feedback_price(X, U, D), eta))
        assert abs(quipref.proxy_loss(W, W_hat, H) - expected) <= loss_slack(W, W_hat, X, D, U)

    @for_all(hessians(), SEEDS)
    def test_no_feedback_has_a_smaller_price_than_u(self, H, seed):
        """With V = (X + I)^-1 drawn directly, the price is tr(V H V^T)."""
        U, D = quipref.ldl(H)
        unit = np.eye(len(H))
        V = strictly_upper(len(H), seed) + unit
        rounding = pivot_rtol(H) * D.sum()
        assert np.trace(V @ H @ V.T) >= D.sum() - rounding - quadratic_slack(V, H)
        best = np.linalg.inv(U + unit)
        assert abs(np.trace(best @ H @ best.T) - D.sum()) <= rounding + quadratic_slack(best, H)

    @for_all(hessians(st.sampled_from([2, 4, 8]), low=1e-2), SEEDS)
    def test_every_other_feedback_has_a_larger_price(self, H, seed):
        """The excess is sum_{i<j} B_ij^2 D_j; with B_01 = 1 it is D_1 at least, far above rounding."""
        U, D = quipref.ldl(H)
        n, unit = len(H), np.eye(len(H))
        B = strictly_upper(n, seed) + unit
        B[0, 1] = 1.0
        V = B @ np.linalg.inv(U + unit)
        assert np.trace(V @ H @ V.T) >= D.sum() + D[1] - pivot_rtol(H) * D.sum() - quadratic_slack(V, H)


class TestQ2aWorstCaseNearest:
    """Q2a, QuIP theorem 1, worst case, nearest rounding. True.

    No layer loses more than m/4 tr D under LDLQ, and some come as near to it as one likes. Under any
    other feedback X some layer loses m/4 tr(B D B^T) up to as little, which is more.
    What is not claimed: that LDLQ beats nearest rounding on each layer. It does not.
    """

    @for_all(ANY_LAYER, st.sampled_from(["forward", "backward"]), st.sampled_from(["numba", "numpy"]))
    def test_no_layer_loses_more_than_the_bound(self, layer, order, backend):
        W, H = layer
        W_hat = quipref.ldlq(W, H, order=order, backend=backend)
        loss = quipref.proxy_loss(W, W_hat, H)
        if order == "backward":  # the same algorithm on reversed columns, with the D of the reversed H
            W, W_hat, H = W[:, ::-1], W_hat[:, ::-1], H[::-1, ::-1]
        U, D = quipref.ldl(H)
        slack = loss_slack(W, W_hat, U, D) + dropped_slack(W - W_hat, H, D)
        assert loss <= bounds.worst_case(len(W), D.sum()) + slack

    @for_all(hessians(outliers=True), SEEDS)
    def test_some_layers_lose_as_much_as_the_bound(self, H, seed):
        U, D = quipref.ldl(H)
        rng = np.random.default_rng(seed)
        Z = rng.integers(-3, 4, (3, len(H))).astype(np.float64)
        W, delta = reaching(Z, rng.choice([-1.0, 1.0], Z.shape), U)
        W_hat = quipref.ldlq(W, H)
        assert (W_hat == Z).all()
        loss, bound = quipref.proxy_loss(W, W_hat, H), bounds.worst_case(3, D.sum())
        assert abs(loss - (1 - 2 * delta) ** 2 * bound) <= loss_slack(W, W_hat, U, D)

    @for_all(hessians(st.sampled_from([1, 2, 4])), SEEDS)
    def test_under_another_feedback_some_layer_loses_more(self, H, seed):
        """Exactly: over all 2^n choices of signs the mean loss is 1/4 tr(B D B^T), so one reaches it."""
        U, D = quipref.ldl(H)
        X = strictly_upper(len(H), seed)
        signs = sign_vectors(len(H))
        W, delta = reaching(0 * signs, signs, X)
        W_hat = quipref.linear_feedback(W, X)
        assert (W_hat == 0).all()
        mean_loss = quipref.proxy_loss(W, W_hat, H) / len(W)
        price, nearly = np.trace(feedback_price(X, U, D)), (1 - 2 * delta) ** 2
        slack = loss_slack(W, W_hat, X, D, U) / len(W)
        assert abs(mean_loss - nearly * bounds.worst_case(1, price)) <= slack
        assert mean_loss >= nearly * bounds.worst_case(1, D.sum()) - slack

    def test_false_that_ldlq_beats_nearest_on_every_layer(self):
        """Counterexamples in generic position; LDLQ is better in the mean all the same."""
        ratios = np.array([self.ratio_to_nearest(*quipref.random_layer(4, 8, seed=seed)) for seed in range(100)])
        assert (ratios > 1.01).any()
        assert ratios.mean() + 5 * ratios.std(ddof=1) / np.sqrt(len(ratios)) < 1

    @staticmethod
    def ratio_to_nearest(W, H):
        return quipref.proxy_loss(W, quipref.ldlq(W, H), H, normalize="nearest")


class TestQ2bWorstCaseStochastic:
    """Q2b, QuIP theorem 1, worst case, stochastic rounding. True as an inequality, false as printed.

    E loss <= m/4 tr D for every layer. The theorem prints an equality for the worst layer and with
    it that LDLQ is optimal. With the worst layer that of the largest *mean* loss both fail: for
    H = [[1 + u^2, u], [u, 1]], u = 0.3, whose D is (1, 1), LDLQ's worst mean loss is 0.4775 < 1/2, and the
    feedback 1/2 in place of u has 0.4475. Equality does hold where U is integer.
    """

    @for_all(layers(m=1, n=st.sampled_from([1, 2, 4]), outliers=True) | seeded_layers(m=1, n=4))
    def test_the_mean_loss_never_exceeds_the_bound(self, layer):
        """Exactly, by enumeration of all 2^n outcomes of the feedback U that `ldl` returns."""
        W, H = layer
        U, D = quipref.ldl(H)
        # No outcome has an error above 1 in a target, so |W - W_hat| <= 1 |(U + I)^-1| bounds all of them.
        largest = np.ones((1, len(H))) @ np.abs(np.linalg.inv(U + np.eye(len(H))))
        slack = loss_slack(W, W - largest, U, D) + dropped_slack(largest, H, D)
        assert stochastic_mean_loss(W[0], U, H) <= bounds.worst_case(1, D.sum()) + slack

    def test_ldlq_has_the_mean_loss_of_the_enumeration(self):
        """On average: 40,000 independent roundings of one row, 5 standard errors."""
        for seed in range(4):
            w, H = quipref.random_layer(1, 4, seed=seed)
            exact = stochastic_mean_loss(w[0], quipref.ldl(H)[0], H)
            mean, error = self.mean_loss(w, H, lambda W, g, H=H: quipref.ldlq(W, H, round_to=g, rng=7))
            assert abs(mean - exact) <= 5 * error

    @for_all(SEEDS, st.sampled_from([1, 2, 4, 8]))
    def test_equality_holds_where_u_is_integer(self, seed, n):
        """W = 1/2 (U + I)^-1: every target of every outcome is an integer and a half, so each costs 1/4 tr D."""
        rng = np.random.default_rng(seed)
        R, D = np.eye(n) + np.triu(rng.integers(-1, 2, (n, n)), 1), rng.integers(1, 5, n)
        W, H = np.full((2, n), 0.5) @ np.rint(np.linalg.inv(R)), (R * D) @ R.T  # exact in binary fractions
        W_hat = quipref.ldlq(W, H, round_to=quipref.IntegerGrid(rounding="stochastic"), rng=seed)
        assert quipref.proxy_loss(W, W_hat, H) == bounds.worst_case(2, D.sum())

    def test_false_that_the_worst_mean_loss_equals_the_bound(self):
        U, D = quipref.ldl(STOCHASTIC_H)
        worst, between = worst_stochastic_mean(U[0, 1])
        assert abs(worst - 0.4775) <= 16 * EPS
        assert abs(bounds.worst_case(1, D.sum()) - 0.5) <= pivot_rtol(STOCHASTIC_H)
        assert worst + between < bounds.worst_case(1, D.sum())

    def test_false_that_ldlq_is_optimal(self):
        """LDLQ's mean loss on the layer (1/2, 1/2), less 5 standard errors, is above the worst of the feedback 1/2."""
        H, w, X = STOCHASTIC_H, np.array([[0.5, 0.5]]), np.array([[0.0, 0.5], [0.0, 0.0]])
        worst, between = worst_stochastic_mean(X[0, 1])
        assert abs(worst - 0.4475) <= 16 * EPS
        mean, error = self.mean_loss(w, H, lambda W, grid: quipref.ldlq(W, H, round_to=grid, rng=3))
        other, other_error = self.mean_loss(w, H, lambda W, grid: quipref.linear_feedback(W, X, round_to=grid, rng=4))
        assert abs(other - worst) <= 5 * other_error
        assert mean - 5 * error > worst + between

    @staticmethod
    def mean_loss(w, H, rounded, m=40_000):
        """(mean, standard error) of the loss of one row under stochastic rounding."""
        W = np.repeat(w, m, axis=0)
        losses = row_losses(W, rounded(W, quipref.IntegerGrid(rounding="stochastic")), H)
        return losses.mean(), losses.std(ddof=1) / np.sqrt(m)


class TestQ2cAverageCase:
    """Q2c, QuIP theorem 1, average case. True, and for every feedback.

    If the fractional parts of the weights are independent and uniform, the mean loss under any X is
    m/12 tr(B D B^T) for nearest and m/6 tr(B D B^T) for stochastic rounding: equalities, so LDLQ with
    its m/12 tr D and m/6 tr D is the best of the class. W uniform on [0, K] with an integer K will do,
    and so will any layer moved by a random shift; uniform on [0, 0.7] will not.
    """

    M, N = 8_000, 4
    ROUNDINGS = (("nearest", bounds.NEAREST), ("stochastic", bounds.STOCHASTIC))

    def test_the_mean_loss_over_uniform_layers(self):
        W, H = quipref.random_layer(self.M, self.N, seed=0)
        U, D = quipref.ldl(H)
        uniform = np.random.default_rng(1).random((self.M, self.N))
        for X in (U, 0 * U, strictly_upper(self.N, 2)):
            price = np.trace(feedback_price(X, U, D))
            for layer in (uniform, 3 * uniform, W + uniform):
                for rounding, constant in self.ROUNDINGS:
                    mean, error = self.mean_loss(layer, X, H, rounding)
                    assert abs(mean - bounds.average_case(1, price, constant)) <= 5 * error

    def test_ldlq_has_the_least_mean_loss_of_the_class(self):
        """Against other feedbacks on the same layers, 5 standard errors of the difference."""
        for seed in range(3):
            W, H = quipref.random_layer(self.M, self.N, seed=seed)
            W += np.random.default_rng(seed).random(W.shape)
            best = row_losses(W, quipref.ldlq(W, H), H)
            for X in (np.zeros_like(H), strictly_upper(self.N, seed)):
                excess = row_losses(W, quipref.linear_feedback(W, X), H) - best
                assert excess.mean() > 5 * excess.std(ddof=1) / np.sqrt(self.M)

    def test_false_that_any_interval_of_uniform_weights_will_do(self):
        """Uniform on [0, 0.7]: above m/12 tr D by far more than 5 standard errors, with both roundings."""
        H = quipref.random_layer(1, self.N, seed=3).H
        U, D = quipref.ldl(H)
        W = np.random.default_rng(4).uniform(0, 0.7, (self.M, self.N))
        for rounding, constant in self.ROUNDINGS:
            mean, error = self.mean_loss(W, U, H, rounding)
            assert mean - 5 * error > bounds.average_case(1, D.sum(), constant)

    def mean_loss(self, W, X, H, rounding):
        """(mean, standard error) of the loss of a row."""
        grid = quipref.IntegerGrid(rounding=rounding)
        losses = row_losses(W, quipref.linear_feedback(W, X, round_to=grid, rng=5), H)
        return losses.mean(), losses.std(ddof=1) / np.sqrt(len(W))
