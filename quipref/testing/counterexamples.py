"""Layers on which statements fail that are printed, or often repeated, about adaptive rounding.

Each is as small as it can be, and in binary fractions where that is possible, so that nothing is left to rounding.
`quipref.testing.errata` says which statement each refutes.
"""

from itertools import product

import numpy as np
from numpy.typing import NDArray

from quipref.problems import Layer
from quipref.rounding.grid import IntegerGrid

Array = NDArray[np.float64]

# tr D = 2 with the pivots (1, 1) and the feedback 0.3: no stochastic rounding loses 1/4 tr D in the mean.
STOCHASTIC_H = np.array([[1.09, 0.3], [0.3, 1.0]])

# The error of the first column lifts the second target from 3/8 over the tie, to 9/16, and the last column cannot
# repair it. Two columns are too few: the first is rounded as nearest does it, and the last as well as it can be.
LDLQ_LOSES = Layer(
    np.array([[0.375, 0.375, -0.375]]),
    np.array([[1.0, 1.0, 1.0], [1.0, 2.0, 2.0], [1.0, 2.0, 4.0]]),
)

# A layer, a grid and a start from which descent with the clamp after the pass goes up, from 3/4 to 11/4.
LATE_CLAMP = (
    Layer(np.array([[1.0, 0.0, 0.5]]), np.array([[1.0, -1.0, -1.0], [-1.0, 2.0, 0.0], [-1.0, 0.0, 3.0]])),
    IntegerGrid(0, 1),
    np.array([[1.0, 0.0, 1.0]]),
)


def aligned_halves(n: int, ridge: float = 0.0) -> Layer:
    """H = 1 1^T + ridge I and the row 1/2 1/2 ... 1/2, whose ties all go up: the errors of all columns agree."""
    return Layer(np.full((1, n), 0.5), np.ones((n, n)) + ridge * np.eye(n))


def clamped_counterexample(n: int, c: float = 0.01) -> Layer:
    """QuIP's layer for LDLQ on a grid that ends: a nearly constant row, and a first column that spoils U."""
    H = np.ones((n, n)) + np.eye(n)
    H[-1, -1] = 1.0
    H[0, 1:-1] += 2 * c
    H[1:-1, 0] += 2 * c
    H[[0, -1], [-1, 0]] += c
    H[0, 0] += 4 * c + n * c**2
    return Layer(0.499 + 0.002 * (np.arange(n) % 2)[None], H)


def clamp_after_the_pass(W: Array, H: Array, grid: IntegerGrid, start: Array) -> Array:
    """One pass of greedy descent as the authors' program makes it: over all integers, clamped only at its end."""
    W_hat = start.copy()
    for j in range(len(H)):
        W_hat[:, j] = np.floor(W_hat[:, j] + (W - W_hat) @ H[:, j] / H[j, j] + 0.5)
    return np.clip(W_hat, *grid.limits)


def stochastic_mean_losses(W: Array, X: Array, H: Array) -> Array:
    """E of the loss of each row (m,) under stochastic rounding with the feedback X: all 2^n outcomes, no sampling.

    A target t goes up with probability t - floor(t), down otherwise.
    """
    total = np.zeros(len(W))
    for ups in product((0, 1), repeat=W.shape[1]):
        W_hat, probability = np.zeros_like(W), np.ones(len(W))
        for k, up in enumerate(ups):
            target = W[:, k] + (W[:, :k] - W_hat[:, :k]) @ X[:k, k]
            below = np.floor(target)
            W_hat[:, k] = below + up
            probability *= target - below if up else 1 - (target - below)
        total += probability * np.einsum("ij,jk,ik->i", W - W_hat, H, W - W_hat)
    return total


def worst_stochastic_mean(x: float, points: int = 64) -> tuple[float, float]:
    """(largest mean loss on a grid of rows, what it can gain between their points), H = STOCHASTIC_H, feedback x.

    The mean loss has period 1 in both weights. With phi(t) = f (1 - f), f = t - floor(t), and u = 0.3, it is
    f_1 (1 - f_1) (1 + (u - x)^2) + (1 - f_1) phi(w_2 + x f_1) + f_1 phi(w_2 - x (1 - f_1)); as
    |phi'| <= 1 and phi <= 1/4, its slopes are at most 1 + (u - x)^2 + 1/4 + x and 1.
    """
    W = np.array(list(product(np.arange(points) / points, repeat=2)))
    worst = stochastic_mean_losses(W, np.array([[0.0, x], [0.0, 0.0]]), STOCHASTIC_H).max()
    return float(worst), float(1 + (0.3 - x) ** 2 + 0.25 + x + 1) / (2 * points)
