"""Nearest rounding: every weight for itself, H unseen."""

import numpy as np

from quipref import bounds
from quipref.methods import row_grid


def quantize(W, H, *, bits, seed, backend, threads, progress, clamp=True):
    """Round W (m, n) to the nearest level of a symmetric grid a row; H is not used."""
    grid = row_grid.fit(W, bits, clamp, backend, threads)
    _, W_hat = grid.quantize(W)
    return row_grid.store(W_hat, grid, "nearest", {"bits": bits, "seed": seed, "clamp": clamp})


def bound(layer, H):
    """m n lambda_max / 4 for rows of step s, summed: what nearest rounding cannot exceed without the clamp."""
    if layer.options["clamp"]:
        return None
    largest = float(np.linalg.eigvalsh(H)[-1])
    return row_grid.squared_steps(layer) * bounds.plain_worst_case(1, len(H), largest)
