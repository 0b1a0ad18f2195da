"""YAQA (arXiv:2505.22988): feedback from both sides. The statements are in our words and our convention.

Everywhere H_in = (U_in + I) diag(D_in) (U_in + I)^T is n x n and H_out, with U_out and D_out, is m x m; rounding is to
all integers, E = W - W_hat, and eta = (U_out + I)^T E (U_in + I) are the errors of the rounded targets.
"""

from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st
from theorems.claims import for_all
from theorems.slack import (
    EPS,
    pivot_rtol,
    two_sided_dropped_slack,
    two_sided_loss_slack,
    two_sided_reaching,
    two_sided_target_slack,
)

import quipref
from quipref import bounds
from quipref.testing.strategies import eigensystems, hessians, layers, orthonormal_bases, seeded_layers

SEEDS = st.integers(0, 2**32 - 1)
ROWS = st.sampled_from([1, 2, 3, 4])
ORDERS = st.sampled_from(["forward", "backward"])
BACKENDS = st.sampled_from(["numba", "numpy"])


class Problem(NamedTuple):
    """A layer with a price on both sides, and the factors of both."""

    W: np.ndarray
    H_in: np.ndarray
    H_out: np.ndarray

    def factors(self):
        """(U_out, D_out, U_in, D_in), as the slacks take them."""
        return *quipref.ldl(self.H_out), *quipref.ldl(self.H_in)

    def flipped(self):
        """With rows and columns reversed: what goes backward on the problem goes forward on this one."""
        return Problem(*(X[::-1, ::-1] for X in self))


@st.composite
def problems(draw, **options):
    """Layers drawn entry by entry or in generic position, with any H_out of their height."""
    spectra = ("power", "flat", "outlier", "low_rank", "dead")
    layer = draw(
        layers(ROWS, **options) | seeded_layers(ROWS, spectra=spectra if options.get("singular") else spectra[:3])
    )
    return Problem(*layer, draw(hessians(len(layer.W), **options)))


def mean_and_error(losses):
    """(mean, standard error)."""
    return losses.mean(), losses.std(ddof=1) / np.sqrt(len(losses))


class TestY1TwoSided:
    """Y1, YAQA's rounding and its bound. True.

    The loss tr(E^T H_out E H_in) is sum_ij D_out,i D_in,j eta_ij^2. So no layer loses more than
    tr D_out tr D_in / 4, some come as near to it as one likes, and over uniform layers the mean is exactly
    tr D_out tr D_in / 12 (stochastic rounding: / 6). For mu-incoherent Hessians tr D_out tr D_in is at most
    mu_out^2 mu_in^2 / (mn) (tr H_out^1/2)^2 (tr H_in^1/2)^2. Where H_out is diagonal, the method is LDLQ. LDLQ
    with H_in alone leaves tr H_out tr D_in / 12 on average. (The abstract and the objective were read; the
    statements were derived here.)
    """

    SAMPLES = 1_000
    H_OUT, H_IN = (0.8 ** np.abs(np.subtract.outer(np.arange(k), np.arange(k))) for k in (3, 4))

    @for_all(problems(low=1e-2), ORDERS, BACKENDS)
    def test_one_pass_solves_the_implicit_equation(self, problem, order, backend):
        """W_hat is Q of W + U_out^T E + E U_in + U_out^T E U_in."""
        W_hat = quipref.two_sided_ldlq(*problem, order=order, backend=backend)
        assert (W_hat == np.rint(W_hat)).all()
        if order == "backward":
            problem, W_hat = problem.flipped(), W_hat[::-1, ::-1]
        U_out, _, U_in, _ = problem.factors()
        E = problem.W - W_hat
        targets = problem.W + U_out.T @ E + E @ U_in + U_out.T @ E @ U_in
        assert np.abs(targets - W_hat).max() <= 0.5 + two_sided_target_slack(problem.W, W_hat, U_out, U_in)

    @for_all(problems(low=1e-2), SEEDS)
    def test_the_loss_is_that_of_the_errors_of_the_targets(self, problem, seed):
        """Whatever W_hat is: a rounding from both sides, from one, or any integers."""
        W, H_in, H_out = problem
        U_out, D_out, U_in, D_in = problem.factors()
        other = np.random.default_rng(seed).integers(-8, 9, W.shape).astype(np.float64)
        for W_hat in (quipref.two_sided_ldlq(W, H_in, H_out), quipref.ldlq(W, H_in), other):
            eta = (U_out + np.eye(len(W))).T @ (W - W_hat) @ (U_in + np.eye(W.shape[1]))
            expected = D_out @ np.square(eta) @ D_in
            loss = quipref.proxy_loss(W, W_hat, H_in, H_out=H_out)
            assert abs(loss - expected) <= two_sided_loss_slack(W, W_hat, U_out, D_out, U_in, D_in)

    @for_all(problems(singular=True, outliers=True, dead=True), ORDERS, BACKENDS)
    def test_no_layer_loses_more_than_the_bound(self, problem, order, backend):
        W_hat = quipref.two_sided_ldlq(*problem, order=order, backend=backend)
        loss = quipref.proxy_loss(problem.W, W_hat, problem.H_in, H_out=problem.H_out)
        if order == "backward":
            problem, W_hat = problem.flipped(), W_hat[::-1, ::-1]
        W, H_in, H_out = problem
        U_out, D_out, U_in, D_in = problem.factors()
        slack = two_sided_loss_slack(W, W_hat, U_out, D_out, U_in, D_in)
        slack += two_sided_dropped_slack(W - W_hat, H_out, D_out, H_in, D_in)
        assert loss <= bounds.two_sided_worst_case(D_out.sum(), D_in.sum()) + slack

    @for_all(hessians(low=1.0), hessians(ROWS, low=1.0), SEEDS)
    def test_some_layers_lose_as_much_as_the_bound(self, H_in, H_out, seed):
        rng = np.random.default_rng(seed)
        Z = rng.integers(-3, 4, (len(H_out), len(H_in))).astype(np.float64)
        U_out, D_out, U_in, D_in = Problem(Z, H_in, H_out).factors()
        W, delta = two_sided_reaching(Z, rng.choice([-1.0, 1.0], Z.shape), U_out, U_in)
        W_hat = quipref.two_sided_ldlq(W, H_in, H_out)
        assert (W_hat == Z).all()
        loss, bound = quipref.proxy_loss(W, Z, H_in, H_out=H_out), bounds.two_sided_worst_case(D_out.sum(), D_in.sum())
        assert abs(loss - (1 - 2 * delta) ** 2 * bound) <= two_sided_loss_slack(W, Z, U_out, D_out, U_in, D_in)
        assert (1 - 1e-8) * bound < loss

    @for_all(eigensystems(), eigensystems(ROWS))
    def test_incoherent_hessians_have_a_smaller_bound(self, system_in, system_out):
        """In both orders; the product of two inequalities of lemma 2 of QuIP."""
        H_in, H_out = system_in.power(1), system_out.power(1)
        sides = [(s.incoherence(), len(s.values), np.trace(s.power(0.5))) for s in (system_out, system_in)]
        rtol = 2 * (pivot_rtol(H_in) + pivot_rtol(H_out))
        for flip in (slice(None), slice(None, None, -1)):
            D_out, D_in = (quipref.ldl(H[flip, flip])[1] for H in (H_out, H_in))
            assert D_out.sum() * D_in.sum() <= bounds.two_sided_incoherent_trace(*sides[0], *sides[1]) * (1 + rtol)

    @for_all(*(orthonormal_bases(st.sampled_from([1, 2, 4, 8]), bases=("hadamard",)) for _ in range(2)))
    def test_multiples_of_the_identity_reach_it(self, Q_out, Q_in):
        m, n = len(Q_out), len(Q_in)
        mu_out, mu_in = (np.sqrt(len(Q)) * np.abs(Q).max() for Q in (Q_out, Q_in))
        D_out, D_in = (quipref.ldl(scale * np.eye(k))[1] for scale, k in ((4.0, m), (9.0, n)))
        reached = bounds.two_sided_incoherent_trace(mu_out, m, 2 * m, mu_in, n, 3 * n)
        assert np.isclose(D_out.sum() * D_in.sum(), reached, rtol=8 * (m + n) * EPS, atol=0)

    @for_all(problems(singular=True), ORDERS, BACKENDS, st.sampled_from([(None, None), (-2, 1)]))
    def test_where_rows_do_not_meet_it_is_ldlq_to_the_bit(self, problem, order, backend, limits):
        W, H_in, H_out = problem
        options = {"round_to": quipref.IntegerGrid(*limits), "order": order, "backend": backend}
        expected = quipref.ldlq(W, H_in, **options)
        for prices in (np.ones(len(W)), H_out.diagonal()):
            assert (quipref.two_sided_ldlq(W, H_in, np.diag(prices), **options) == expected).all()

    def test_the_mean_loss_over_uniform_layers(self):
        """On average, 5 standard errors; uniform on [0, 1), on [0, 3), and any layer with a uniform shift."""
        D_out, D_in = (quipref.ldl(H)[1].sum() for H in (self.H_OUT, self.H_IN))
        fixed = quipref.random_layer(3, 4, seed=0).W
        for stretch, shift in ((1, 0), (3, 0), (1, fixed)):
            for rounding, constant in (("nearest", bounds.NEAREST), ("stochastic", bounds.STOCHASTIC)):
                W = stretch * self.uniform() + shift
                mean, error = mean_and_error(self.losses(W - self.rounded(W, rounding)))
                assert abs(mean - bounds.two_sided_average_case(D_out, D_in, constant)) <= 5 * error

    def test_false_that_feedback_on_one_side_is_as_good(self):
        """LDLQ along the rows has tr H_out tr D_in / 12 on average, and down the columns tr D_out tr H_in / 12."""
        D_out, D_in = (quipref.ldl(H)[1].sum() for H in (self.H_OUT, self.H_IN))
        W, least = self.uniform(), bounds.two_sided_average_case(D_out, D_in)
        along = quipref.ldlq(W.reshape(-1, 4), self.H_IN).reshape(W.shape)
        down = quipref.ldlq(W.transpose(0, 2, 1).reshape(-1, 3), self.H_OUT).reshape(-1, 4, 3).transpose(0, 2, 1)
        for W_hat, traces in ((along, (np.trace(self.H_OUT), D_in)), (down, (D_out, np.trace(self.H_IN)))):
            mean, error = mean_and_error(self.losses(W - W_hat))
            assert abs(mean - bounds.two_sided_average_case(*traces)) <= 5 * error
            assert mean - 5 * error > 1.5 * least

    def test_false_that_it_beats_ldlq_on_every_layer(self):
        """Counterexamples in generic position; it is better in the mean all the same."""
        ratios = []
        for seed in range(100):
            W, H_in = quipref.random_layer(4, 8, seed=seed)
            H_out = quipref.random_layer(1, 4, seed=seed + 100).H
            roundings = quipref.two_sided_ldlq(W, H_in, H_out), quipref.ldlq(W, H_in)
            both, one = (quipref.proxy_loss(W, W_hat, H_in, H_out=H_out) for W_hat in roundings)
            ratios.append(both / one)
        mean, error = mean_and_error(np.array(ratios))
        assert max(ratios) > 1.01
        assert mean + 5 * error < 1

    def uniform(self):
        """Independent layers (samples, 3, 4), uniform on [0, 1)."""
        return np.random.default_rng(3).random((self.SAMPLES, 3, 4))

    def rounded(self, W, rounding, together=50):
        """Each layer of W rounded: as blocks of rows of larger layers, with an H_out in which they do not meet."""
        H_out = np.kron(np.eye(together), self.H_OUT)
        options = {"round_to": quipref.IntegerGrid(rounding=rounding), "rng": np.random.default_rng(2)}
        tall = W.reshape(-1, 3 * together, 4)
        return np.array([quipref.two_sided_ldlq(w, self.H_IN, H_out, **options) for w in tall]).reshape(W.shape)

    def losses(self, E):
        """The loss of each layer."""
        return np.einsum("sij,ip,jq,spq->s", E, self.H_OUT, self.H_IN, E, optimize=True)
