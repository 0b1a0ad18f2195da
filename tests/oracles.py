"""Definitions by enumeration, at sizes where nothing clever is needed: what everything else is held against."""

from itertools import product

import numpy as np


def trace_loss(W, W_hat, H):
    """Tr((W_hat - W) H (W_hat - W)^T), with the m x m matrix under the trace."""
    E = W_hat - W
    return float(np.trace(E @ H @ E.T))


def row_losses(W, W_hat, H):
    """The loss of each row alone, an array (m,)."""
    E = W_hat - W
    return np.einsum("ij,jk,ik->i", E, H, E)


def integer_points(w, reach):
    """All integer vectors within floor(w) - reach .. floor(w) + 1 + reach, coordinate by coordinate: (points, n)."""
    steps = range(-reach, reach + 2)
    return np.array([np.floor(w) + step for step in product(steps, repeat=len(w))])


def closest_point(w, H, *, reach=1):
    """The integer vector of least loss among `integer_points`, for one row w of n <= 4 weights."""
    points = integer_points(w, reach)
    return points[np.argmin([trace_loss(w[None], z[None], H) for z in points])]


def textbook_ldl(H):
    """(U, D) with H = (U + I) diag(D) (U + I)^T, entry by entry; a pivot of zero has a zero column."""
    n = len(H)
    U, D = np.zeros((n, n)), np.zeros(n)
    for k in reversed(range(n)):
        D[k] = H[k, k] - sum(U[k, p] ** 2 * D[p] for p in range(k + 1, n))
        for i in range(k):
            rest = H[i, k] - sum(U[i, p] * D[p] * U[k, p] for p in range(k + 1, n))
            U[i, k] = rest / D[k] if D[k] > 0 else 0.0
    return U, D


def schur_pivot(H, k):
    """D_k as what is left of H_kk when all later columns are eliminated, by Cramer's rule: a ratio of minors."""
    later = np.linalg.det(H[k + 1 :, k + 1 :]) if k + 1 < len(H) else 1.0
    return float(np.linalg.det(H[k:, k:]) / later)


def stochastic_mean_loss(w, X, H):
    """E loss of one row under W_hat = Q(w + (w - W_hat) X), Q(x) = floor(x + u), u uniform: all 2^n outcomes.

    A target t goes up with probability t - floor(t), down otherwise.
    """
    total = 0.0
    for ups in product((0, 1), repeat=len(w)):
        z, probability = np.zeros(len(w)), 1.0
        for k, up in enumerate(ups):
            t = w[k] + (w[:k] - z[:k]) @ X[:k, k]
            z[k] = np.floor(t) + up
            probability *= (t - np.floor(t)) if up else 1 - (t - np.floor(t))
        total += probability * (w - z) @ H @ (w - z)
    return float(total)


def sign_vectors(n):
    """All 2^n vectors of signs, (2^n, n)."""
    return np.array(list(product((-1.0, 1.0), repeat=n)))


def optq_errors(W, W_hat, C):
    """The errors e = (T_j - W_hat_j) / C_jj of OPTQ's run that ended in W_hat, T being its running target."""
    T, errors = W.copy(), np.empty_like(W)
    for j in range(W.shape[1]):
        errors[:, j] = (T[:, j] - W_hat[:, j]) / C[j, j]
        for i in range(j + 1, W.shape[1]):
            T[:, i] -= errors[:, j] * C[j, i]
    return errors


def nearest_plane(w, X):
    """Babai's nearest plane on the lattice of the columns of X, by projections: an integer vector z.

    From the last column to the first: among the parallel planes spanned by the earlier columns, take
    the one nearest to what is left of the point X w; z_k is the number of that plane.
    """
    point, z = X @ w, np.zeros(X.shape[1])
    for k in reversed(range(X.shape[1])):
        earlier = np.linalg.qr(X[:, :k])[0] if k else np.zeros((len(X), 0))
        normal = X[:, k] - earlier @ (earlier.T @ X[:, k])
        z[k] = np.floor((normal @ point) / (normal @ normal) + 0.5)
        point = point - z[k] * X[:, k]
    return z
