"""Rounding a block of columns with linear feedback: the inner loop of LDLQ and OPTQ.

LANES rows are rounded together and lie next to each other in memory, so that the loops over lanes
become vector instructions and each feedback coefficient is loaded once for all of them. What bounds
the kernel is memory: W, T, E and W_hat pass through it once, and half of that is transposed.
"""

import numpy as np

from quipref.kernels.jit import jit

LANES = 64
TILE = 16  # columns transposed together: 16 floats are one cache line of a row of W


@jit
def round_columns(W, W_hat, T, E, X, start, stop, first_row, last_row, step, offset, low, high, residual):
    """Round columns start..stop of rows first_row..last_row. W, W_hat (m, n); T, E (n, m); X (n, n).

    Twin of `quipref.rounding.blocked.round_columns`.
    """
    width = stop - start
    x = np.empty((width, width), W.dtype)  # x[j, p] = X[start + p, start + j]: a column of X in one piece
    for p in range(width):
        for j in range(width):
            x[j, p] = X[start + p, start + j]
    w = np.zeros((width, LANES), W.dtype)  # the columns of W; each is replaced by its rounded form
    e = np.zeros((width, LANES), W.dtype)
    target = np.zeros(LANES, W.dtype)
    s, divisor = np.ones(LANES, W.dtype), np.ones(LANES, W.dtype)
    half = W.dtype.type(0.5)
    for row in range(first_row, last_row, LANES):
        lanes = min(LANES, last_row - row)
        for i in range(lanes):
            s[i] = step[row + i]
            divisor[i] = s[i] if s[i] != 0 else 1
        for tile in range(0, width, TILE):
            for i in range(lanes):
                for j in range(tile, min(tile + TILE, width)):
                    w[j, i] = W[row + i, start + j]
        for j in range(width):
            for i in range(lanes):
                target[i] = w[j, i] + T[start + j, row + i]
            # target_j = W_j + sum_p E_p X_pj
            for p in range(j):
                coefficient = x[j, p]
                for i in range(LANES):
                    target[i] += coefficient * e[p, i]
            # k = floor(t / s - offset + 1/2), clamped; value = s (k + offset)
            for i in range(LANES):
                k = np.floor(target[i] / divisor[i] - offset + half)
                k = low if k < low else high if k > high else k  # selects, which become vector code; min and max do not
                value = s[i] * (k + offset)
                e[j, i] = (target[i] if residual else w[j, i]) - value
                w[j, i] = value
        for j in range(width):
            for i in range(lanes):
                E[start + j, row + i] = e[j, i]
        for tile in range(0, width, TILE):
            for i in range(lanes):
                for j in range(tile, min(tile + TILE, width)):
                    W_hat[row + i, start + j] = w[j, i]
