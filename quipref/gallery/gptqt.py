"""Two steps: a fine linear grid first, then a binary code that picks a few of its levels."""

from itertools import combinations_with_replacement, product

import numpy as np
from numpy.typing import ArrayLike

from quipref.gallery.levels import HALF_BITS, Levels, half, level_count, matrix

EXTRA_BITS = 2  # of the first step over the second
SHRINK_FACTORS = np.arange(4, 17) / 16  # of the step that just reaches the largest weight


def fit(W: ArrayLike, bits: int) -> Levels:
    """A binary code of b scales a row whose levels lie on a linear grid of b + 2 bits.

    q = floor(w / s),  w_hat = s sum_i a_i b_i(q),  b_i = +-1,  2 a_i an integer, sum_i a_i an odd multiple of 1/2

    Parameters
    ----------
    W : array (m, n), real float
    bits : int
        b, 1 to 3; the codes that are tried grow too many beyond.

    Returns
    -------
    Levels
        It needs 16 bits a row for s, and b + 2 bits for each of the b numbers 2 a_i.

    Raises
    ------
    ValueError, TypeError
        Bits out of range, NaN, weights beyond half precision.

    Notes
    -----
    For each row, every code is tried with every one of 13 steps s (the paper's scale is explored again, too,
    since the second step changes the range), and the pair of least squared error kept. The uniform grid of step
    3 s is among them: a_i = 3 2^(b-i-1). A decoder adds the b products s a_i b_i and never sees q. The paper
    measures the error of the layer's outputs and feeds it forward as OPTQ does.

    References
    ----------
    GPTQT, Y. Guo, Y. Lang and Q. Ren, arXiv:2407.02891 (its abstract; the search is ours).

    Examples
    --------
    >>> levels = fit(np.array([[-4.0, -1.0, 1.0, 4.0]]), 2).levels[0]
    >>> bool(levels[0] + levels[3] == levels[1] + levels[2] == 0)
    True
    """
    W, half_range = matrix(W), level_count(bits, high=3) * 2**EXTRA_BITS // 2
    tables = codes(bits, half_range)  # (codes, 2^b), in units of s
    halfway = (tables[:, 1:] + tables[:, :-1]) / 2
    center = np.arange(-half_range, half_range) + 0.5
    chosen = (center[:, None] >= halfway[:, None, :]).sum(axis=2)  # the level of each q
    value = np.take_along_axis(tables, chosen, axis=1)
    largest = np.abs(W).max(axis=1, keepdims=True)
    least, step, best = np.full(len(W), np.inf), np.zeros((len(W), 1)), np.zeros(len(W), int)
    for factor in SHRINK_FACTORS:
        s = half(factor * largest / (half_range - 0.5))
        q = np.clip(np.floor(W / np.where(s == 0, 1, s)), -half_range, half_range - 1).astype(int) + half_range
        cell = (q + 2 * half_range * np.arange(len(W))[:, None]).ravel()
        count, total = (np.bincount(cell, x, 2 * half_range * len(W)).reshape(len(W), -1) for x in (None, W.ravel()))
        error = s**2 * (count @ value.T**2) - 2 * s * (total @ value.T)  # (m, codes), less |w|^2
        better = error.min(axis=1) < least
        least[better], best[better], step[better] = error.min(axis=1)[better], error.argmin(axis=1)[better], s[better]
    table_bits = len(W) * (HALF_BITS + bits * (bits + EXTRA_BITS))
    return Levels(step * tables[best], table_bits, step * np.floor(halfway[best]))


def codes(bits, half_range):
    """The sorted levels of all binary codes on the grid of odd multiples of 1/2 below half_range."""
    doubled = combinations_with_replacement(range(1, 2 * half_range), bits)
    kept = [a for a in doubled if sum(a) % 2 and sum(a) < 2 * half_range]
    return np.sort(np.array(kept) / 2 @ np.array(list(product((-1, 1), repeat=bits))).T, axis=1)
