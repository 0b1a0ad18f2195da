"""The search of the 256 points of one bit a weight: on sorted |x| only four of the 38 patterns can be the best."""

import numpy as np

from quipref.kernels.jit import jit

LANES = 64  # vectors that are searched together: the loop over them becomes vector instructions
HALVES, FIRST_TWO = np.int32(29), np.int32(30)  # rows of the patterns; the pairs begin at 1
ZERO, LAST = np.int32(0), np.int32(7)


@jit
def nearest_roots(X, codes_of_signs, first_row, last_row, codes):
    """codes[row] = the point nearest to X[row], for X (B, 8) and codes_of_signs (38, 256).

    Twin of `quipref.lattice.one_bit.nearest_roots`.
    """
    x, pattern, signs = np.zeros((8, LANES), X.dtype), np.empty(LANES, np.int32), np.empty(LANES, np.int32)
    for start in range(first_row, last_row, LANES):
        n = min(LANES, last_row - start)
        for v in range(n):
            for i in range(8):
                x[i, v] = X[start + v, i]
        _best_patterns(x, pattern, signs)
        for v in range(n):
            codes[start + v] = codes_of_signs[pattern[v], signs[v]]


@jit
def _best_patterns(x, patterns, points_signs):
    """The best pattern for each vector, and the signs that its point has, bit i for a negative coordinate i.

    score = sum of the pattern times |x| / 8, less |pattern|^2 / 16. No table is read, or the loop would stay scalar.
    """
    number = x.dtype.type
    for v in range(x.shape[1]):
        total, least, most, second = number(0), number(np.inf), number(-1), number(-1)
        smallest, largest, next_one, signs, odd = ZERO, ZERO, ZERO, ZERO, ZERO
        for i in range(8):  # where the smallest, the largest and the next |x_i| stand, the first of equals
            here, negative = np.int32(i), np.int32(x[i, v] < 0)
            size = abs(x[i, v]) * number(1 / 8)
            signs |= np.int32(negative << i)
            odd ^= negative
            total += size
            smallest, least = (here, size) if size < least else (smallest, least)
            if size > most:
                next_one, second, largest, most = largest, most, here, size
            elif size > second:
                next_one, second = here, size
        ones = most + second - number(1 / 8)
        halves = total * number(1 / 2) - number(1 / 8) - odd * least
        twos = most + most - number(1 / 4)
        i, j = min(largest, next_one), max(largest, next_one)
        best = max(ones, number(0))
        pattern = np.int32((i * (15 - i) >> 1) + j - i) if ones > 0 else ZERO
        is_halves = halves > best
        best = max(halves, best)
        is_two = (twos > best) & ((largest < LAST) | (signs >> LAST == 0))  # -2 e_8 is no point
        pattern = FIRST_TWO + largest if is_two else HALVES if is_halves else pattern
        patterns[v] = pattern
        points_signs[v] = signs ^ (np.int32(odd << smallest) if is_halves & (not is_two) else ZERO)
