"""Rounding a tile of the layer with feedback along the rows and down the columns: the inner loop of YAQA.

Every entry waits for the one to its left and the one above, so nothing is rounded side by side; what
becomes vector instructions is passing an error on to all later columns of the tile.
"""

import numpy as np

from quipref.kernels.jit import jit

LANES = 16  # feedback begins at a multiple of LANES columns, so that no vector loop has a remainder


@jit
def round_tile(W, V, T, U_in, U_out, first_row, last_row, first, last, step, offset, low, high, W_hat):
    """Round columns first..last of rows first_row..last_row. W, V, T, W_hat (m, n); U_in (n, n); U_out (m, m).

    Twin of `quipref.rounding.two_sided.round_tile`.
    """
    width = last - first
    u = np.zeros((width, width), W.dtype)  # U_in of the tile; at and below the diagonal it adds nothing
    for q in range(width):
        for j in range(q + 1, width):
            u[q, j] = U_in[first + q, first + j]
    e = np.zeros((last_row - first_row, width), W.dtype)  # W - W_hat, what a row feeds into later rows
    v, t = np.zeros(width, W.dtype), np.zeros(width, W.dtype)
    half = W.dtype.type(0.5)
    for i in range(last_row - first_row):
        row = first_row + i
        for j in range(width):
            v[j], t[j] = V[row, first + j], T[row, first + j]
        # V_i = W_i + sum_{p<i} (U_out)_pi E_p
        for p in range(i):
            coefficient = U_out[first_row + p, row]
            for j in range(width):
                v[j] += coefficient * e[p, j]
        s = step[row]
        divisor = s if s != 0 else W.dtype.type(1)
        for j in range(width):
            # k = floor(t / s - offset + 1/2), clamped; value = s (k + offset)
            k = np.floor((v[j] + t[j]) / divisor - offset + half)
            k = low if k < low else high if k > high else k
            value = s * (k + offset)
            W_hat[row, first + j] = value
            e[i, j] = W[row, first + j] - value
            # T_ij = V_ij + sum_{q<j} (V - W_hat)_iq (U_in)_qj
            error = v[j] - value
            for later in range((j + 1) // LANES * LANES, width):
                t[later] += error * u[j, later]
        for j in range(width):
            V[row, first + j] = v[j]
