"""Layers on which floating point is exact, so that any order of summation gives the same bits.

All numbers are small multiples of a power of two. Targets then fall exactly on ties often (every
64th or so), and only the tie rule decides: two implementations agree everywhere or one is wrong.
"""

import numpy as np


def weights(m, n, rng, dtype=np.float64):
    """Multiples of 1/16 in [-4, 4]; every 16th is a tie of the integers on average."""
    return (rng.integers(-64, 65, (m, n)) / 16).astype(dtype)


def feedback(n, rng, dtype=np.float64, levels=4, density=0.6):
    """A strictly upper X, entries +-1/8, feeding each of `levels` groups of columns into the next one.

    Chains of feedback are short, so the residual form, which feeds targets back, needs few bits too;
    each column has at most 7 entries, so errors stay below 4 in size.
    """
    X = np.zeros((n, n), dtype)
    group = np.arange(n) * levels // max(n, 1)
    for j in range(n):
        sources = np.flatnonzero(group == group[j] - 1)
        chosen = rng.permutation(sources)[: rng.binomial(7, density)]
        X[chosen, j] = rng.choice([-1, 1], len(chosen)) / 8
    return X


def hessian(n, rng, dtype=np.float64, dead=0):
    """Symmetric, diagonally dominant, the diagonal 8 or 16, entries off it 0 or +-1; `dead` zero rows."""
    H = np.zeros((n, n), dtype)
    for i in range(n):
        chosen = rng.integers(0, n, 3)
        H[i, chosen] = rng.choice([-1, 1], 3)
    H = np.triu(H, 1)
    H += H.T
    H[np.abs(H).sum(axis=1) > 7] = 0
    H = np.minimum(np.maximum(H, -1), 1) * (H.T != 0)
    H[np.diag_indices(n)] = rng.choice([8, 16], n)
    gone = rng.choice(n, min(dead, n), replace=False)
    H[gone], H[:, gone] = 0, 0
    return H
