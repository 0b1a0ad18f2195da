"""The search for each row's grid step."""

import numpy as np

from quipref.kernels.jit import jit


@jit
def best_steps(W, candidates, offset, low, high, first_row, last_row, best):
    """best[row] = the candidate step, of candidates (m, c), with the least squared error of that row.

    Twin of `quipref.rounding.grid.best_steps`; W is (m, n) float64.
    """
    for row in range(first_row, last_row):
        least = np.inf
        for step in candidates[row]:
            divisor = step if step != 0 else 1.0
            error = 0.0
            for w in W[row]:
                k = np.floor(w / divisor - offset + 0.5)
                difference = w - step * (min(max(k, low), high) + offset)
                error += difference * difference
            if error < least:
                least = error
                best[row] = step
