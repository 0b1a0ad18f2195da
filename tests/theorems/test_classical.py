"""Classical statements that the rounding methods rest on: the factorisation, invariance, Babai's nearest plane."""

import numpy as np
from hypothesis import assume, example
from hypothesis import strategies as st
from oracles import closest_point, nearest_plane, row_losses, schur_pivot, textbook_ldl
from theorems.claims import for_all
from theorems.slack import EPS, loss_slack, magnitudes, pivot_rtol, reaching

import quipref
from quipref import bounds
from quipref.rounding.grid import AffineGrid
from quipref.testing.strategies import hessians, layers, seeded_layers

SEEDS = st.integers(0, 2**32 - 1)
REGULAR_LAYER = layers(low=1e-2) | seeded_layers(spectra=("power", "flat", "outlier"))


class TestLdlPivots:
    """The factorisation H = (U + I) diag(D) (U + I)^T, U strictly upper (Cholesky; QuIP section 3.1). True.

    For positive definite H it is unique. D_k is the Schur complement of the later columns in H_kk:
    the last pivot is H_nn, and the first is 1 / (H^-1)_11. The pivots multiply to det H in either order of
    the columns; their sums, which the bounds are made of, differ.
    """

    @for_all(hessians(st.sampled_from([1, 2, 3, 4])))
    def test_it_is_the_textbook_recursion(self, H):
        (U, D), (U_textbook, D_textbook) = quipref.ldl(H), textbook_ldl(H)
        assert np.allclose(D, D_textbook, rtol=pivot_rtol(H), atol=0)
        # |U_ik| <= sqrt(H_ii / D_k), and it moves with the pivots it is divided by
        assert (np.abs(U - U_textbook) <= 4 * pivot_rtol(H) * np.sqrt(H.diagonal()[:, None] / D)).all()

    @for_all(hessians(st.sampled_from([1, 2, 3, 4]), low=1e-2))
    def test_pivots_are_schur_complements(self, H):
        D = quipref.ldl(H)[1]
        rtol = 2 * pivot_rtol(H)  # a minor is a product of pivots, and two of them are divided
        assert np.allclose(D, [schur_pivot(H, k) for k in range(len(H))], rtol=rtol, atol=0)
        assert np.isclose(D[-1], H[-1, -1], rtol=4 * EPS, atol=0)
        assert np.isclose(D[0], 1 / np.linalg.inv(H)[0, 0], rtol=rtol, atol=0)

    @for_all(hessians())
    def test_both_orders_have_the_same_product_of_pivots(self, H):
        D, reversed_D = quipref.ldl(H)[1], quipref.ldl(H[::-1, ::-1])[1]
        rtol = 2 * len(H) * pivot_rtol(H)
        assert np.isclose(np.log(D).sum(), np.log(reversed_D).sum(), rtol=0, atol=rtol)
        assert np.isclose(np.log(D).sum(), np.linalg.slogdet(H)[1], rtol=0, atol=rtol)

    def test_false_that_the_sum_of_the_pivots_is_the_same_in_both_orders(self):
        """The pivots of (1, 1; 1, 4) are 3/4 and 4 one way, 1 and 3 the other."""
        H = np.array([[1.0, 1.0], [1.0, 4.0]])
        D, reversed_D = quipref.ldl(H)[1], quipref.ldl(H[::-1, ::-1])[1]
        assert np.allclose(D, [0.75, 4.0], rtol=pivot_rtol(H), atol=0)
        assert np.allclose(reversed_D, [3.0, 1.0], rtol=pivot_rtol(H), atol=0)
        assert D.sum() - reversed_D.sum() > 0.7


class TestQ12Invariance:
    """Q12, invariance of the proxy loss (used by QuIP section 4). True.

    For orthogonal R and S, rotating the outputs by R and the inputs by S, W -> R W S^T and H -> S H S^T,
    leaves tr(E H E^T) as it is, and so does rotating the outputs alone. Rotating W and not H does not.
    """

    @for_all(layers(m=st.sampled_from([1, 2, 4]), singular=True, outliers=True) | seeded_layers(), SEEDS)
    def test_rotations_leave_the_loss_alone(self, layer, seed):
        W, H = layer
        rng = np.random.default_rng(seed)
        W_hat = rng.integers(-8, 9, W.shape).astype(np.float64)
        R, S = (np.linalg.qr(rng.standard_normal((k, k)))[0] for k in W.shape)
        loss = quipref.proxy_loss(W, W_hat, H)
        rotated_H = S @ H @ S.T
        both = quipref.proxy_loss(R @ W @ S.T, R @ W_hat @ S.T, (rotated_H + rotated_H.T) / 2)
        # Each of a handful of products of length m or n moves a matrix by (m + n) EPS of its Frobenius norm at most.
        norms = (np.linalg.norm(W) + np.linalg.norm(W_hat)) ** 2 * np.linalg.norm(H)
        slack = 16 * sum(W.shape) ** 2 * EPS * norms
        assert abs(both - loss) <= slack
        assert abs(quipref.proxy_loss(R @ W, R @ W_hat, H) - loss) <= slack

    def test_false_that_the_inputs_may_be_rotated_without_h(self):
        H, S = np.diag([1.0, 4.0]), np.array([[0.0, 1.0], [1.0, 0.0]])
        W, W_hat = np.array([[0.5, 0.0]]), np.zeros((1, 2))
        assert quipref.proxy_loss(W, W_hat, H) == 0.25
        assert quipref.proxy_loss(W @ S.T, W_hat, H) == 1.0
        assert quipref.proxy_loss(W @ S.T, W_hat, S @ H @ S.T) == 0.25


class TestB1BabaiNearestPlane:
    """B1, GPTQ as Babai's algorithm (arXiv:2507.18553; Babai 1986). True.

    With H = X^T X, LDLQ from the last column to the first is Babai's nearest plane on the lattice of
    the columns of X. With X = Q R, |X (z - w)|^2 <= 1/4 sum R_kk^2, and 1/12 sum R_kk^2 in the mean over w
    uniform modulo the lattice; a grid of step s multiplies both by s^2. The nearest plane is not the
    nearest point, but its loss is at most tr D / min D times as large.
    """

    @for_all(REGULAR_LAYER, st.sampled_from(["numba", "numpy"]))
    def test_babai_is_the_nearest_plane(self, layer, backend):
        W, H = layer
        X = np.linalg.cholesky(H).T  # any X with X^T X = H spans the same lattice up to a rotation
        W_hat = quipref.babai(W, H, backend=backend)
        U, _ = quipref.ldl(H[::-1, ::-1])
        targets = W[:, ::-1] + (W - W_hat)[:, ::-1] @ U
        margin = 4 * pivot_rtol(H) * magnitudes(W[:, ::-1], W_hat[:, ::-1], U).max()
        assume((np.abs(targets - np.floor(targets) - 0.5) > margin).all())
        assert (np.array([nearest_plane(w, X) for w in W]) == W_hat).all()

    @for_all(SEEDS, st.sampled_from([1, 2, 5, 8]), st.sampled_from([0.25, 1.0, 4.0]))
    def test_the_bound_is_a_quarter_of_the_squared_diagonal_of_r(self, seed, n, step):
        """For a random point, and for one of those that come near to it."""
        rng = np.random.default_rng(seed)
        X, z = rng.standard_normal((2 * n, n)), rng.integers(-4, 5, (1, n)).astype(np.float64)
        H, R = X.T @ X, np.linalg.qr(X, mode="r")
        U, D = quipref.ldl(H[::-1, ::-1])
        worst, delta = reaching(z, rng.choice([-1.0, 1.0], (1, n)), U)
        bound = bounds.worst_case(1, np.square(R.diagonal()).sum())
        for w, least in ((rng.uniform(-4, 4, (1, n)), 0.0), (worst[:, ::-1], (1 - 2 * delta) ** 2 * bound)):
            plane = quipref.babai(step * w, H, round_to=AffineGrid(step, 0.0, None, None)) / step
            assert (plane == np.rint(plane)).all()
            slack = loss_slack(w[:, ::-1], plane[:, ::-1], U, D) + 4 * pivot_rtol(H) * bound
            assert least - slack <= np.square(X @ (plane - w)[0]).sum() <= bound + slack

    def test_the_mean_is_a_twelfth_of_the_squared_diagonal_of_r(self):
        """On average, 5 standard errors; the step 2^-3 divides the weights' range, so they are uniform modulo it."""
        for seed, step in ((0, 1.0), (1, 0.125)):
            rng = np.random.default_rng(seed)
            X, W = rng.standard_normal((8, 4)), rng.random((8_000, 4))
            losses = row_losses(W, quipref.babai(W, X.T @ X, round_to=AffineGrid(step, 0.0, None, None)), X.T @ X)
            expected = step**2 * bounds.average_case(1, np.square(np.linalg.qr(X, mode="r").diagonal()).sum())
            assert abs(losses.mean() - expected) <= 5 * losses.std(ddof=1) / np.sqrt(len(losses))

    @for_all(layers(m=1, n=st.sampled_from([1, 2, 3]), low=1e-2) | seeded_layers(1, 3, spectra=("power", "outlier")))
    @example(quipref.Layer(np.array([[0.4, 0.4]]), np.array([[1.0, 0.9], [0.9, 1.0]])))  # the feedback decides it
    def test_it_is_within_a_ratio_of_the_closest_point(self, layer):
        """Where they part, in column k, the closest point is off by 1/2: it loses D_k / 4, the plane tr D / 4."""
        W, H = layer
        closest = quipref.proxy_loss(W, closest_point(W[0], H, reach=2)[None], H)
        W_hat = quipref.babai(W, H)
        loss = quipref.proxy_loss(W, W_hat, H)
        U, D = quipref.ldl(H[::-1, ::-1])
        ratio = D.sum() / D.min()
        slack = ratio * (loss_slack(W[:, ::-1], W_hat[:, ::-1], U, D) + pivot_rtol(H) * closest)
        assert loss <= ratio * closest + slack
        if np.abs(W_hat - np.floor(W) - 0.5).max() < 3:  # inside the box that was searched
            assert closest <= loss + slack

    def test_false_that_the_nearest_plane_is_the_closest_point(self):
        """Rounding 0.45 down is best for that column, and costs more in the other than rounding it up."""
        W, H = np.array([[0.08, 0.45]]), np.array([[1.0, 0.9], [0.9, 1.0]])
        plane, best = quipref.babai(W, H), closest_point(W[0], H)[None]
        assert (plane == [[0, 0]]).all()
        assert (best == [[0, 1]]).all()
        assert quipref.proxy_loss(W, best, H) < 0.85 * quipref.proxy_loss(W, plane, H)  # 0.2297 and 0.2737
