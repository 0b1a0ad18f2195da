"""What a loss is held against, layer by layer: the bounds of the theorems on the grid of the tags, and other methods.

Each is a function (layer, tags) -> float. `BOUNDS` has them by name; those of theorems come from the strongest on.
"""

from collections.abc import Callable

import numpy as np

from quipref import bounds
from quipref.factor import block_ldl, ldl
from quipref.incoherence.process import incoherence_process
from quipref.lattice.dither import E8Lattice
from quipref.lattice.e8 import COVERING_RADIUS
from quipref.problems import Layer
from quipref.proxy import proxy_loss
from quipref.rounding.grid import AffineGrid
from quipref.rounding.ldlq import ldlq, linear_feedback
from quipref.rounding.quantizer import Quantizer
from quipref.testing.protocol import Tags


def cell_radius(tags: Tags) -> float | None:
    """The largest distance of a target from where it is rounded to, over one block, as if the grid had no end.

    Half a step to nearest, a whole one if the rounder is random; E8's covering radius, with or without a dither.
    None for other codebooks.
    """
    grid = tags.quantizer
    if isinstance(grid, E8Lattice):
        return grid.scale * COVERING_RADIUS
    if not isinstance(grid, AffineGrid):
        return None
    return tags.unit * (1.0 if tags.random or grid.rounding == "stochastic" else 0.5)


def reference_grid(tags: Tags) -> Quantizer | None:
    """The grid that other methods round to beside this rounder; stochastically if it is random."""
    grid = tags.quantizer
    if not tags.random or not isinstance(grid, AffineGrid):
        return grid
    return AffineGrid(grid.step, grid.offset, grid.low, grid.high, "stochastic")


def worst_case(layer: Layer, tags: Tags) -> float:
    """m r^2 sum_b |D_b|_2 with the largest error r of a block; m/4 tr D on the integers."""
    W, H = layer
    return len(W) * cell_radius(tags) ** 2 * _price(H, tags)


def worst_case_backward(layer: Layer, tags: Tags) -> float:
    """The same with the D of columns that are rounded from right to left."""
    return worst_case(Layer(layer.W, layer.H[::-1, ::-1]), tags)


def trace(layer: Layer, tags: Tags) -> float:
    """m r^2 tr H, which no D exceeds: m/4 tr H on the integers."""
    return len(layer.W) * cell_radius(tags) ** 2 * float(np.trace(layer.H))


def plain_worst_case(layer: Layer, tags: Tags) -> float:
    """m (n/g) r^2 lambda_max, where the errors of all n/g blocks agree with the worst direction."""
    blocks = len(layer.H) / _block(tags)
    return len(layer.W) * blocks * cell_radius(tags) ** 2 * float(np.linalg.eigvalsh(layer.H)[-1])


def average_case(layer: Layer, tags: Tags, rng: int = 0) -> float:
    """m/12 tr D on the integers, m/6 tr D if the rounder is random; with steps s, s^2 times that."""
    rounding = getattr(reference_grid(tags), "rounding", None)
    constant = bounds.STOCHASTIC if rounding == "stochastic" else bounds.NEAREST
    return tags.unit**2 * bounds.average_case(len(layer.W), float(ldl(layer.H)[1].sum()), constant)


def nearest(layer: Layer, tags: Tags, rng: int = 0) -> float:
    """The loss of the grid's own rounding, without feedback."""
    W_hat = linear_feedback(layer.W, np.zeros_like(layer.H), round_to=reference_grid(tags), rng=rng)
    return proxy_loss(layer.W, W_hat, layer.H)


def of_ldlq(layer: Layer, tags: Tags, rng: int = 0) -> float:
    """The loss of LDLQ on the same grid."""
    return proxy_loss(layer.W, ldlq(layer.W, layer.H, round_to=reference_grid(tags), rng=rng), layer.H)


def of_quip(layer: Layer, tags: Tags, rng: int = 0) -> float:
    """The loss of QuIP: LDLQ on the same grid in a rotated space, where W is neither rescaled nor H damped."""
    W, H = layer
    processed = incoherence_process(W, H, seed=rng, rescale=False, damping=0.0)
    return proxy_loss(W, processed.round(ldlq, round_to=reference_grid(tags), rng=rng), H)


BOUNDS: dict[str, Callable[[Layer, Tags], float]] = {
    "worst_case": worst_case,
    "worst_case_backward": worst_case_backward,
    "trace": trace,
    "plain_worst_case": plain_worst_case,
    "average_case": average_case,
    "nearest": nearest,
    "ldlq": of_ldlq,
}
NEEDS_CELLS = ("worst_case", "worst_case_backward", "trace", "plain_worst_case")


def _block(tags):
    return tags.quantizer.block


def _price(H, tags):
    """Sum_b |D_b|_2, the largest loss a block can make of a squared error of one."""
    if _block(tags) == 1:
        return float(ldl(H)[1].sum())
    return float(np.linalg.eigvalsh(block_ldl(H, _block(tags))[1])[:, -1].sum())
