"""What nearest, optq, ldlq and quip share: symmetric grids, their steps in half precision, and the layer they give."""

import numpy as np

from quipref.layer import QuantizedLayer
from quipref.rounding.grid import AffineGrid, UniformGrid

STEP_BITS = 16


def fit(W, bits, clamp, backend, threads):
    """The grid of each row of W (m, n): the step with the least squared error of 40."""
    return UniformGrid.fit(W, bits, clamp=clamp, backend=backend, threads=threads)


def store(W_hat, grid, method, options, transform=None):
    """The layer of W_hat (m, n), whose entries are levels of `grid`; `transform` leads back from there.

    Without the clamp a level needs as many bits as the widest code of the layer.
    """
    codes, _ = grid.quantize(W_hat)
    if not grid.clamp:
        low, high = int(codes.min()), int(codes.max())
        options = options | {"low": low, "high": high}
        grid = AffineGrid(grid.step, grid.offset, low, high)
        codes, _ = grid.quantize(W_hat)
    return QuantizedLayer(W_hat.shape, method, options, codes, grid, STEP_BITS * np.size(grid.step), transform)


def squared_steps(layer):
    """The sum of the squared steps of all rows: the unit in which a bound for step 1 and m = 1 counts."""
    return float(np.square(layer.round_to.step.astype(np.float64)).sum())
