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


def stochastic_outcomes(w, X):
    """Every outcome of one row under stochastic rounding with the feedback X: (z (2^n, n), probabilities (2^n,))."""
    z, probability = np.zeros((1, 0)), np.ones(1)
    for k in range(len(w)):
        t = w[k] + (w[:k] - z) @ X[:k, k]
        down, up = np.floor(t), t - np.floor(t)
        z = np.vstack([np.column_stack([z, down]), np.column_stack([z, down + 1])])
        probability = np.concatenate([probability * (1 - up), probability * up])
    return z, probability


def kkt_residuals(H, c, V, multipliers):
    """How far V and the multipliers are from optimal for: least tr(V H V^T), unit upper V, columns |V_j|^2 <= 1 + c.

    The largest of: a column above its limit, a negative multiplier, multiplier times slack, and the gradient of the
    Lagrangian in the entries above the diagonal, 2 V (H + diag(multipliers)). All four vanish at the optimum alone.
    """
    slack = 1 + c - np.square(V).sum(axis=0)
    gradient = 2 * np.triu(V @ (H + np.diag(multipliers)), 1)
    return {
        "limits": max(0.0, float(-slack.min())),
        "signs": max(0.0, float(-multipliers.min())),
        "slackness": float(np.abs(multipliers * slack).max()),
        "gradient": float(np.abs(gradient).max()),
    }


def admm_columns(H, c, sweeps=20_000):
    """V of the same program by ADMM: N = V - I minimises the trace, Z is its copy with short columns, M the multiplier.

    Row i of N solves a linear system with the rows and columns of H after i; a column of Z is a scaled one.
    """
    n, rho = len(H), float(np.trace(H)) / len(H)
    systems = [np.linalg.inv(2 * H[i + 1 :, i + 1 :] + rho * np.eye(n - i - 1)) for i in range(n)]
    N, Z, M = np.zeros((3, n, n))
    for _ in range(sweeps):
        for i in range(n - 1):
            N[i, i + 1 :] = systems[i] @ (rho * (Z - M)[i, i + 1 :] - 2 * H[i + 1 :, i])
        lengths = np.sqrt(np.square(N + M).sum(axis=0))
        Z = (N + M) * np.minimum(1, np.sqrt(c) / np.maximum(lengths, np.sqrt(c)))
        M += N - Z
    return np.eye(n) + Z


def walks(trellis, n_steps):
    """All walks of so many steps, (2^(L + kV (n_steps - 1)), n_steps), in lexicographic order: each edge as defined."""
    found = [[s] for s in range(2**trellis.state_bits)]
    for _ in range(n_steps - 1):
        kept = 2 ** (trellis.state_bits - trellis.shift)
        found = [walk + [walk[-1] % kept * 2**trellis.shift + c] for walk in found for c in range(2**trellis.shift)]
    return np.array(found)


def circles(trellis, n_steps):
    """The walks whose first state may follow their last one."""
    found = walks(trellis, n_steps)
    return found[found[:, 0] >> trellis.shift == found[:, -1] % 2 ** (trellis.state_bits - trellis.shift)]


def walk_costs(x, table, found):
    """The squared error of each of the walks on one sequence x, in float64, added up from the first step on."""
    steps = x.reshape(-1, table.shape[1]).astype(np.float64)
    return sum(np.square(table[found[:, i]].astype(np.float64) - step).sum(axis=1) for i, step in enumerate(steps))


def best_by_rule(found, costs):
    """The best of the walks; among equals the smallest last state, then the smallest one before it, and so on."""
    best = found[costs == costs.min()]
    return best[np.lexsort(best.T)[0]]
