"""How far a computed loss may stray from the exact one: bounds derived from rounding errors, none tuned.

EPS is the spacing of float64 at 1, and a sum of k products strays by at most k EPS times the sum of
their magnitudes. A run's magnitudes are measured on the run itself, so a large feedback is allowed for
without a constant chosen by eye. `reaching` stands here because it has to keep clear of a tie by such a bound.
"""

import numpy as np
from scipy.linalg import solve_triangular

from quipref.factor import ZERO_PIVOT

EPS = float(np.finfo(np.float64).eps)


def magnitudes(W, W_hat, X, U=None):
    """The sizes A (m, n) of what is added up in the targets and errors of a run with feedback X.

    A = |W| + |W - W_hat| (|X| + I) + 1. Where eta is taken on to eta B, B = (X + I)^-1 (U + I), solving for B
    adds errors of |(X + I)^-1| |X + I| |B| (substitution is backward stable), and A is carried along.
    """
    unit = np.eye(len(X))
    A = np.abs(W) + np.abs(W - W_hat) @ (np.abs(X) + unit) + 1
    if U is None:
        return A
    inverse = np.linalg.inv(X + unit)
    return A @ np.abs(inverse) @ np.abs(X + unit) @ np.abs(inverse @ (U + unit)) + A


def loss_slack(W, W_hat, X, D, U=None):
    """Of tr(E H E^T) against sum_k D_k |eta_k|^2, when U and D are the computed factor of H.

    Four errors add up, each at most a multiple of n EPS sum D A^2 (since |H| <= |U + I| D |U + I|^T,
    entry by entry): the quadratic form (2n), the backward error of Cholesky (n + 1), the rounding of
    the targets (n + 1, twice, as eta is squared). Together 5n + 3 <= 8n.
    """
    n = len(D)
    return 8 * n * EPS * float((D * np.square(magnitudes(W, W_hat, X, U))).sum())


def dropped_slack(E, H, D):
    """Of the loss, when pivots z <= ZERO_PIVOT tr H count as zero and their column of U with them.

    What a dropped column leaves out of H is at most sqrt(z tr H) in each entry, as in any semidefinite matrix.
    """
    if D.all():
        return 0.0
    return np.sqrt(ZERO_PIVOT) * float(np.trace(H) * np.square(np.abs(E).sum(axis=1)).sum())


def target_slack(W, W_hat, X):
    """Of a computed target: the tie at 1/2 may be missed by so much (n + 1 additions, twice for U's own error)."""
    return 4 * len(X) * EPS * float(magnitudes(W, W_hat, X).max(initial=0.0))


def reaching(Z, signs, X):
    """(W, delta): the layer whose targets are Z + signs (1/2 - delta) under the feedback X, and delta.

    The supremum is not attained, since a tie goes one way; delta keeps clear of it by twice what
    floating point may move a target.
    """
    V = np.linalg.inv(X + np.eye(len(X)))
    delta = 2 * target_slack(Z + signs / 2 @ V, Z, X)
    return Z + (0.5 - delta) * signs @ V, delta


def two_sided_magnitudes(W, W_hat, U_out, U_in):
    """The same for a run with feedback from both sides: |U_out + I|^T (|W| + |W - W_hat|) |U_in + I| + 1."""
    left, right = (np.abs(U) + np.eye(len(U)) for U in (U_out, U_in))
    return left.T @ (np.abs(W) + np.abs(W - W_hat)) @ right + 1


def two_sided_loss_slack(W, W_hat, U_out, D_out, U_in, D_in):
    """Of tr(E^T H_out E H_in) against sum_ij D_out,i D_in,j eta_ij^2: as in `loss_slack`, now for both factors.

    The quadratic form (m + n + mn), two backward errors of Cholesky (m + 1, n + 1) and the rounding of the targets
    (m + n + 2, twice) make 4 (m + n) + mn + 6 <= 7 (m + n) + mn.
    """
    m, n = W.shape
    sizes = D_out @ np.square(two_sided_magnitudes(W, W_hat, U_out, U_in)) @ D_in
    return (7 * (m + n) + m * n) * EPS * float(sizes)


def two_sided_dropped_slack(E, H_out, D_out, H_in, D_in):
    """As `dropped_slack`: an entry of either H is off by sqrt(z) tr H, one of the other is at most its trace."""
    dropped = np.sqrt(ZERO_PIVOT) * float(np.trace(H_out) * np.trace(H_in) * np.abs(E).sum() ** 2)
    return dropped * ((not D_out.all()) + (not D_in.all()))


def two_sided_target_slack(W, W_hat, U_out, U_in):
    """Of a computed target: m + n + 2 additions, twice for the errors of the factors."""
    return 4 * sum(W.shape) * EPS * float(two_sided_magnitudes(W, W_hat, U_out, U_in).max(initial=0.0))


def two_sided_reaching(Z, signs, U_out, U_in):
    """As `reaching`: (W, delta), the layer whose targets are Z + signs (1/2 - delta).

    Solving with the two triangles is backward stable, so it moves a target by no more than rounding itself does.
    """
    left, right = (U + np.eye(len(U)) for U in (U_out, U_in))
    E = solve_triangular(right.T, solve_triangular(left.T, signs, lower=True, unit_diagonal=True).T, lower=True).T
    delta = 2 * two_sided_target_slack(Z + E / 2, Z, U_out, U_in)
    return Z + (0.5 - delta) * E, delta


def quadratic_slack(E, H):
    """Of tr(E H E^T) itself: 2n additions, and as many again for the H that was assembled in floating point."""
    return 4 * len(H) * EPS * float((np.abs(E) @ np.abs(H) * np.abs(E)).sum())


def pivot_rtol(H):
    """Relative error of the pivots, and of anything linear in them, against exact arithmetic on the true H.

    H carries an error of at most 2 n EPS in each entry's terms from its assembly, and the factorisation
    as much: |dH| <= 8 n^2 EPS |H| in norm. If |dH| <= t lambda_min, then (1 - t) H <= H + dH <= (1 + t) H, and
    pivots are monotone in that order (D_k is a minimum of the quadratic form), so they move by t at most.
    """
    return 8 * len(H) ** 2 * EPS * float(np.linalg.cond(H))
