"""Greedy coordinate descent, one row at a time."""

import numpy as np

from quipref.kernels.jit import jit


@jit
def descend(W_hat, G, W, H, columns, passes, step, offset, low, high, first_row, last_row):
    """Sweep rows first_row..last_row of W_hat, G = (W - W_hat) H, both (m, n), in place.

    Twin of `quipref.rounding.greedy.descend`.
    """
    for row in range(first_row, last_row):
        w_hat, g = W_hat[row], G[row]
        s = step[row]
        divisor = s if s != 0 else W.dtype.type(1)
        for _ in range(passes):
            changed = False
            for j in columns:
                # t = w_hat_j + g_j / H_jj minimises the loss over column j
                t = w_hat[j] + g[j] / H[j, j] if H[j, j] > 0 else W[row, j]
                k = np.floor(t / divisor - offset + W.dtype.type(0.5))
                value = s * (min(max(k, low), high) + offset)
                move = value - w_hat[j]
                if move != 0:
                    w_hat[j] = value
                    changed = True
                    for i in range(len(g)):
                        g[i] -= move * H[j, i]
            if not changed:
                break
