"""The search of the 256 points of one bit a weight: on sorted sizes only four of the 38 patterns can be the best."""

import numpy as np

from quipref.kernels.jit import jit

LANES = 64  # vectors that are searched together: each loop below over v becomes vector instructions


@jit
def nearest_roots(X, codes_of_signs, first_row, last_row, codes):
    """codes[row] = the point nearest to X[row], for X (B, 8) and codes_of_signs (38, 256).

    Twin of `quipref.lattice.one_bit.nearest_roots`.
    """
    pair = _pairs()
    places, sizes = np.empty((5, LANES), np.int32), np.empty((4, LANES), X.dtype)
    for start in range(first_row, last_row, LANES):
        n = min(LANES, last_row - start)
        _extremes(X[start : start + n], places, sizes)
        smallest, largest, next_one, signs, odd = places
        least, most, second, total = sizes
        for v in range(n):
            negative, i = signs[v], largest[v]
            # score = sum of the pattern times |x| / 8, less |pattern|^2 / 16
            ones = most[v] + second[v] - 0.125
            halves = total[v] / 2 - 0.125 - odd[v] * least[v]
            twos = 2 * most[v] - 0.25
            best, pattern = 0.0, 0
            if ones > best:
                best, pattern = ones, pair[i, next_one[v]]
            if halves > best:
                best, pattern = halves, 29
            if twos > best and (i < 7 or negative < 128):  # -2 e_8 is no point
                pattern = 30 + i
            turned = odd[v] << smallest[v] if pattern == 29 else 0
            codes[start + v] = codes_of_signs[pattern, negative ^ turned]


@jit
def _pairs():
    """The pattern of the ones at i and j."""
    pair, row = np.zeros((8, 8), np.int32), 1
    for i in range(8):
        for j in range(i + 1, 8):
            pair[i, j] = pair[j, i] = row
            row += 1
    return pair


@jit
def _extremes(X, places, sizes):
    """Where the smallest, the largest and the next |x_i| stand, the first of equals; the signs as bits, their parity.

    And |x_i| / 8 at these three places, and its sum over all.
    """
    smallest, largest, next_one, signs, odd = places
    least, most, second, total = sizes
    signs[:] = 0
    odd[:] = 0
    total[:] = 0
    least[:] = np.inf
    most[:] = -1
    second[:] = -1
    for i in range(8):
        for v in range(len(X)):
            x = X[v, i]
            size = abs(x) * X.dtype.type(0.125)
            below = np.int32(x < 0)
            signs[v] |= below << i
            odd[v] ^= below
            total[v] += size
            smallest[v] = i if size < least[v] else smallest[v]
            least[v] = min(size, least[v])
            above = size > most[v]
            between = size > second[v]
            next_one[v] = largest[v] if above else i if between else next_one[v]
            second[v] = most[v] if above else size if between else second[v]
            largest[v] = i if above else largest[v]
            most[v] = size if above else most[v]
