"""The convex program of algorithm 5: by hand, against two other solvers, its certificate, every kind of H."""

import math

import numpy as np
import pytest
from oracles import admm_columns, kkt_residuals
from scipy.optimize import minimize
from sizes import size
from voice import says

from quipref import clamped_feedback, damp, ldl, random_layer
from quipref.rounding import column_limits

EPS = np.finfo(np.float64).eps


def errors_matrix(X):
    """V = (X + I)^-1, the coefficients with which target errors become errors of weights."""
    return np.linalg.inv(X + np.eye(len(X)))


def longest(X):
    """The largest sum_i V_ij^2 less one: what c limits."""
    return np.square(np.triu(errors_matrix(X), 1)).sum(axis=0).max(initial=0.0)


class TestByHand:
    H = np.array([[1.0, 0.75], [0.75, 1.0]])

    @pytest.mark.parametrize(("c", "x"), [(0.0, 0.0), (1 / 16, 1 / 4), (1 / 4, 1 / 2), (9 / 16, 3 / 4), (4.0, 3 / 4)])
    def test_two_columns(self, c, x):
        """V = [[1, -x], [0, 1]]: the trace 2 - 2 * .75 x + x^2 falls up to LDLQ's x = .75, and c is a limit of x^2."""
        found = clamped_feedback(self.H, c, tolerance=1e-15)
        assert found.X.ravel().tolist() == pytest.approx([0, x, 0, 0], rel=1e-14)
        assert found.trace == pytest.approx(2 - 1.5 * x + x * x, rel=1e-14)
        # The derivative -1.5 + 2 x (1 + l) vanishes at l = .75 / x - 1.
        assert found.multipliers.tolist() == pytest.approx([0, 0.75 / x - 1] if x else [math.inf] * 2, rel=1e-12)
        assert 0 <= found.gap <= 1e-15

    def test_three_columns_of_which_one_is_limited(self):
        """H = R R^T, so the trace is |V R|^2; with V = [[1, v, a], [0, 1, b], [0, 0, 1]] it is

        3 + (1 + v)^2 + (1 + 2 v + a)^2 + (2 + b)^2, and 3 + (1 - a)^2 / 5 + (2 + b)^2 at the best v = -(3 + 2 a) / 5.
        Under a^2 + b^2 = 37/36 it is least at a = 1/6, b = -1 with the multiplier 1: (1 - a) / 5 = a, 2 + b = -b.
        """
        R = np.array([[1.0, 1.0, 1.0], [0.0, 1.0, 2.0], [0.0, 0.0, 1.0]])
        found = clamped_feedback(R @ R.T, 37 / 36, tolerance=1e-15)
        V = errors_matrix(found.X)
        # What is missing from V has a square of gap trace / lambda_min at most, and lambda_min(R R^T) is above 1/20.
        assert V[[0, 0, 1], [1, 2, 2]].tolist() == pytest.approx([-2 / 3, 1 / 6, -1], abs=np.sqrt(1e-15 * 5 * 20))
        assert found.trace == pytest.approx(149 / 36, rel=1e-14)
        assert found.multipliers.tolist() == pytest.approx([0, 0, 1], abs=1e-6)
        free = clamped_feedback(R @ R.T, 5.0)  # LDLQ's own last column is (1, -2)
        assert free.trace == pytest.approx(3, rel=1e-14)
        assert free.multipliers.tolist() == [0, 0, 0]

    def test_diagonal_h_needs_no_feedback(self):
        for c in [0.01, 1.0, math.inf]:
            found = clamped_feedback(np.diag([3.0, 0.0, 2.0]), c)
            assert not found.X.any()
            assert (found.trace, found.gap, found.multipliers.tolist()) == (5.0, 0.0, [0.0] * 3)


class TestSolver:
    @pytest.mark.parametrize("seed", range(4))
    @pytest.mark.parametrize("c", [0.02, 0.3, 1.0])
    def test_against_scipy(self, seed, c):
        """Sequential quadratic programming on the entries above the diagonal, from V = I."""
        n = 2 + seed
        H = random_layer(1, n, spectrum="low_rank", seed=seed).H + np.eye(n) / 8
        above = np.triu_indices(n, 1)

        def matrix(entries):
            V = np.eye(n)
            V[above] = entries
            return V

        limits = {"type": "ineq", "fun": lambda entries: 1 + c - np.square(matrix(entries)).sum(axis=0)[1:]}
        price = minimize(
            lambda entries: np.trace(matrix(entries) @ H @ matrix(entries).T),
            np.zeros(len(above[0])),
            jac=lambda entries: 2 * (matrix(entries) @ H)[above],
            constraints=limits,
            method="SLSQP",
            options={"ftol": 1e-14, "maxiter": 500},
        )
        assert price.status in (
            0,
            8,
        )  # done, or ended in rounding noise: what it found counts
        assert limits["fun"](price.x).min() >= -1e-9
        assert clamped_feedback(H, c).trace == pytest.approx(price.fun, rel=1e-7)

    @pytest.mark.parametrize("c", [0.1, 1.0])
    def test_against_admm(self, c):
        """The iteration of the authors' program, written out: it comes to the same V."""
        H = damp(random_layer(1, 8, spectrum="outlier", seed=1).H, 0.1)
        V = admm_columns(H, c, sweeps=size(3000, 1000))
        assert errors_matrix(clamped_feedback(H, c, tolerance=1e-12).X) == pytest.approx(V, abs=1e-5)

    @pytest.mark.parametrize("spectrum", ["power", "outlier", "low_rank"])
    @pytest.mark.parametrize("c", [0.01, 0.1, 1.0, 10.0])
    def test_the_optimality_conditions(self, spectrum, c):
        """Slackness: gap * trace is at least sum_j l_j slack_j. Gradient: with V = V* + E, A = H + diag(l) and V* its
        minimiser, gap * trace is at least tr(E A E^T), and the gradient is 2 E A, so it is at most twice the root of
        lambda_max(A) gap trace.
        """
        n = size(64, 20)
        H = damp(random_layer(1, n, spectrum=spectrum, seed=2).H, 0.01)
        found = clamped_feedback(H, c, tolerance=1e-12)
        assert found.gap <= 1e-12
        residuals = kkt_residuals(H, c, errors_matrix(found.X), found.multipliers)
        largest = np.linalg.eigvalsh(H + np.diag(found.multipliers))[-1]
        assert residuals["signs"] == 0
        assert residuals["limits"] <= n * EPS * (1 + c)
        assert residuals["slackness"] <= 1e-12 * found.trace
        assert residuals["gradient"] <= 2 * np.sqrt(largest * 1e-12 * found.trace)

    def test_the_multipliers_damp_columns_until_ldlq_itself_respects_the_limits(self):
        H = damp(random_layer(1, 40, spectrum="outlier", seed=3).H, 0.01)
        found = clamped_feedback(H, 0.2, tolerance=1e-12)
        assert longest(ldl(H)[0]) > 1
        assert ldl(H + np.diag(found.multipliers))[0] == pytest.approx(found.X, abs=1e-6)
        assert longest(ldl(H + np.diag(found.multipliers))[0]) == pytest.approx(0.2, rel=1e-6)

    def test_few_steps_are_enough(self, monkeypatch):
        """Each costs a factorisation. Newton's method without the secular equation takes twice as many."""
        taken, point = [], column_limits.point
        monkeypatch.setattr(column_limits, "point", lambda *args: taken.append(1) or point(*args))
        for spectrum in ["power", "outlier", "low_rank"]:
            for c in [1e-6, 0.01, 1.0]:
                taken.clear()
                found = clamped_feedback(damp(random_layer(1, 48, spectrum=spectrum, seed=4).H, 0.01), c)
                assert found.gap <= 1e-8
                assert len(taken) <= 12

    def test_steps_that_overshoot_are_not_taken(self, monkeypatch):
        """With no bound on what a step aims at, columns of multiplier zero come and go, and the halves are needed."""
        monkeypatch.setattr(column_limits, "SHORTEN", math.inf)
        H = damp(random_layer(1, 64, spectrum="outlier", seed=0).H, 0.01)
        assert clamped_feedback(H, 1e-4).gap <= 1e-8

    def test_where_no_step_helps_the_gap_says_how_far_it_came(self, monkeypatch):
        """Stopped at LDLQ's V with shortened columns: within the limits, its gap to tr D."""
        monkeypatch.setattr(column_limits, "steps", lambda here, c, floor: [0 * here.multipliers])
        H = damp(random_layer(1, 32, spectrum="low_rank", seed=5).H, 0.01)
        found = clamped_feedback(H, 0.05)
        assert longest(found.X) <= 0.05 * (1 + 1e-12)
        assert found.gap == pytest.approx(1 - ldl(H)[1].sum() / found.trace, rel=1e-9)
        assert found.gap > 0.1

    @pytest.mark.parametrize("n", [1, 4, 30])
    def test_the_step_is_the_maximum_within_its_bounds(self, n):
        """slope d - d K d / 2 over d >= lowest: where d is free the slope is spent, elsewhere none is left."""
        rng = np.random.default_rng(n)
        for _ in range(20):
            A = rng.standard_normal((n, n + 1))
            K, slope, lowest = A @ A.T, rng.standard_normal(n), -rng.exponential(size=n) * (rng.random(n) < 0.5)
            d = column_limits.bounded_maximum(K, slope, lowest, rng.random(n) < 0.5)
            left = slope - K @ d
            rounding = 1e-12 * np.linalg.cond(K)
            assert (d >= lowest).all()
            assert (left <= rounding).all()
            assert np.abs(left[d > lowest]).max(initial=0.0) <= rounding

    def test_steps_that_are_found_one_coordinate_at_a_time(self, monkeypatch):
        """Without the changes that swap all that is wrong together; this is the rule that never comes back."""
        monkeypatch.setattr(column_limits, "PATIENCE", 0)
        H = damp(random_layer(1, 12, spectrum="outlier", seed=3).H, 0.01)
        assert clamped_feedback(H, 0.2).gap <= 1e-8

    @pytest.mark.parametrize("tolerance", [0.3, 1e-3, 0.0])
    def test_the_tolerance_is_the_gap_or_the_end_of_float64(self, tolerance):
        H = damp(random_layer(1, 32, spectrum="low_rank", seed=5).H, 0.01)
        found, best = clamped_feedback(H, 0.05, tolerance=tolerance), clamped_feedback(H, 0.05, tolerance=1e-13)
        assert found.gap <= max(tolerance, 1e-13)
        assert longest(found.X) <= 0.05 * (1 + 1e-12)
        assert (1 - found.gap) * found.trace <= best.trace * (1 + 1e-12)
        assert best.trace <= found.trace * (1 + 1e-12)
        if tolerance == 0.3:
            assert found.gap > 1e-3

    @pytest.mark.parametrize("n", [7, 16, 40])
    def test_curvature_is_the_second_derivative(self, n):
        """Central differences of the squared lengths, over one panel of rows and over several."""
        H = damp(random_layer(1, n, spectrum="outlier", seed=6).H, 0.1)
        l, h = np.linspace(0, 1, n), 1e-5
        here = column_limits.point(H, l)
        differences = [
            column_limits.point(H, l + h * e).squares - column_limits.point(H, l - h * e).squares for e in np.eye(n)
        ]
        K = column_limits.curvature(here.N, here.D)
        assert -np.array(differences) / (2 * h) == pytest.approx(K, abs=1e-7 * K.max())


class TestHessians:
    @pytest.mark.parametrize("spectrum", ["low_rank", "dead"])
    @pytest.mark.parametrize("c", [1e-6, 0.1, 1.0, 10.0])
    def test_singular_h(self, spectrum, c):
        """The gap may stay at the price of the floor under the multipliers, which is known."""
        n = 32
        H = random_layer(1, n, spectrum=spectrum, seed=7).H
        found = clamped_feedback(H, c)
        price = (1 + c) * n * column_limits.FLOOR * np.trace(H) / found.trace
        assert found.gap <= 1e-8 + price
        assert longest(found.X) <= c * (1 + 1e-9)
        assert ldl(H)[1].sum() * (1 - 1e-9) <= found.trace <= np.trace(H) * (1 + 1e-12)
        dead = ~H.any(axis=0)
        assert not found.X[dead].any()
        assert not found.X[:, dead].any()

    def test_h_that_only_rounding_calls_semidefinite_is_refused(self):
        """A pivot of -2e-10 counts as zero in `ldl`, and is more than the least multipliers lift."""
        R = np.array([[1.0, 0.5, 0.5], [0.0, 1.0, 0.5], [0.0, 0.0, 1.0]])
        H = (R * [1.0, -2e-10, 1.0]) @ R.T
        assert (ldl(H)[1] >= 0).all()
        assert clamped_feedback(H, math.inf).gap == 0
        with says(np.linalg.LinAlgError, "H must have no eigenvalue below -1e-11 tr H", "quipref.damp(H, 0.01)."):
            clamped_feedback(H, 0.01)

    @pytest.mark.parametrize("seed", range(size(150, 40)))
    def test_every_kind_of_h_and_c(self, seed):
        """Rank, scales of columns, eigenvalues near nothing: the gap closes but for the price of the floor."""
        rng = np.random.default_rng(seed)
        n = int(rng.choice([3, 5, 8, 16]))
        eigenvalues = 10 ** rng.uniform(rng.choice([-4, -8, -14]), 2, n) * (rng.random(n) < rng.choice([0.5, 0.8, 1.0]))
        Q, gains = np.linalg.qr(rng.standard_normal((n, n)))[0], 10 ** rng.uniform(0, rng.choice([0, 3]), n)
        H = (Q * eigenvalues) @ Q.T * np.outer(gains, gains)
        H, c = (H + H.T) / 2, 10 ** rng.uniform(-12, 2)
        found = clamped_feedback(H, c)
        assert found.gap <= 1e-8 + (1 + c) * n * column_limits.FLOOR * np.trace(H) / max(found.trace, 1e-300)
        assert longest(found.X) <= c * (1 + 1e-6)

    @pytest.mark.parametrize("c", [0.0, 1.0, math.inf])
    @pytest.mark.parametrize("n", [0, 1, 2])
    def test_h_of_zeros_and_small_h(self, c, n):
        for H in [np.zeros((n, n)), np.eye(n)]:
            found = clamped_feedback(H, c)
            assert not found.X.any()
            assert found.X.shape == (n, n)
            assert found.multipliers.shape == (n,)
            assert (found.trace, found.gap) == (np.trace(H), 0)

    @pytest.mark.parametrize("c", [1e-300, 1e-12, 1e-6, 1e3, 1e300])
    def test_extreme_room(self, c):
        H = damp(random_layer(1, 24, spectrum="outlier", seed=8).H, 1e-6)
        found = clamped_feedback(H, c)
        assert found.gap <= 1e-8
        assert ldl(H)[1].sum() * (1 - 1e-9) <= found.trace <= np.trace(H) * (1 + 1e-12)

    def test_the_scale_of_h_is_that_of_the_multipliers(self):
        H = damp(random_layer(1, 20, seed=9).H, 0.01)
        found, scaled = clamped_feedback(H, 0.05), clamped_feedback(H * 4.0**-100, 0.05)
        assert (scaled.X == found.X).all()
        assert (scaled.multipliers == found.multipliers * 4.0**-100).all()
        assert (scaled.trace, scaled.gap) == (found.trace * 4.0**-100, found.gap)

    def test_asymmetry_within_rounding_does_not_matter(self):
        H = damp(random_layer(1, 20, seed=10).H, 0.01).astype(np.float32)
        H[0, 5] += 1e-5
        assert clamped_feedback(H, 0.05).gap <= 1e-8
        assert clamped_feedback(H, 0.05).X.dtype == np.float64
