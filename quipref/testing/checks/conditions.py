"""What checks need of the tags of a rounder or a quantizer; errors quote the docstrings."""

import numpy as np

from quipref.rounding.grid import AffineGrid
from quipref.testing.loss_bounds import cell_radius
from quipref.testing.protocol import QuantizerTags, Tags


def always(tags: Tags | QuantizerTags) -> bool:
    """It needs nothing."""
    return True


def is_random(tags: Tags | QuantizerTags) -> bool:
    """It needs random=True."""
    return tags.random


def has_grid(tags: Tags) -> bool:
    """It needs a grid that the tags name."""
    return tags.quantizer is not None


def rounds_to_nearest(tags: Tags) -> bool:
    """It needs a grid that the tags name, random=False, and as many columns a block as the grid has."""
    nearest = getattr(tags.quantizer, "rounding", "nearest") == "nearest"
    return has_grid(tags) and not tags.random and nearest and tags.block == tags.quantizer.block


def separable(tags: Tags) -> bool:
    """It needs row_separable=True and random=False."""
    return tags.row_separable and not tags.random


def same_grid(tags: Tags) -> bool:
    """It needs a grid that the tags name, and random=False."""
    return has_grid(tags) and not tags.random


def without_end(tags: Tags) -> bool:
    """It needs a grid without end: all integers, all multiples of a step, or all of E8."""
    return cell_radius(tags) is not None and tags.quantizer.bits is None


def known_cells(tags: Tags) -> bool:
    """It needs evenly spaced values without end and one column at a time."""
    return without_end(tags) and tags.quantizer.block == tags.block == 1


def fair_to_rotations(tags: Tags) -> bool:
    """It needs a grid that rotated weights fill as others do, so none of evenly spaced values that ends."""
    grid = tags.quantizer
    return has_grid(tags) and not (isinstance(grid, AffineGrid) and np.isfinite(grid.limits).any())


def rows_apart(tags: QuantizerTags) -> bool:
    """It needs random=False."""
    return not tags.random


def finds_nearest(tags: QuantizerTags) -> bool:
    """It needs nearest=True and random=False."""
    return tags.nearest and not tags.random
