"""Layers that a rounder of given tags can be asked to round: in the unit of its grid, of whole blocks."""

from math import lcm

import numpy as np
from hypothesis import strategies as st

from quipref.problems import Layer, Spectrum, random_layer
from quipref.rounding.grid import AffineGrid
from quipref.testing import strategies
from quipref.testing.drawing import GENERIC
from quipref.testing.protocol import Tags

BLOCKS = (1, 2, 4, 8)  # that a drawn layer has side by side
REGULAR: tuple[Spectrum, ...] = ("power", "flat", "outlier")
MOST_COLUMNS = 16  # of a drawn layer with more than one block


def shape_unit(tags: Tags) -> tuple[int, int]:
    """(rows, columns) that the shape of a layer must be multiples of: its block, and the tile of its grid."""
    rows, columns = getattr(tags.quantizer, "tile", (1, tags.block))
    return rows, lcm(columns, tags.block)


def drawn_layers(tags: Tags, n: int | None = None, m: int | None = None) -> st.SearchStrategy[Layer]:
    """Layers drawn entry by entry, and by seed; singular ones too if the rounder is tagged as handling them."""
    rows, columns = shape_unit(tags)
    wide = st.sampled_from([columns * k for k in BLOCKS if k == 1 or columns * k <= MOST_COLUMNS]) if n is None else n
    tall = st.integers(1, 3).map(lambda k: rows * k) if m is None else m
    singular = tags.handles_singular
    entries = strategies.layers(tall, wide, low=1e-2, singular=singular, outliers=True, dead=singular)
    drawn = or_by_seed(entries, REGULAR + (("low_rank", "dead") if singular else ()))
    return drawn.map(lambda layer: Layer(tags.unit * layer.W, layer.H))


def or_by_seed(entries: st.SearchStrategy[Layer], spectra: tuple[Spectrum, ...]) -> st.SearchStrategy[Layer]:
    """Layers drawn entry by entry, or in generic position; the latter shrink to the former where they can.

    Of ``layers() | seeded_layers()`` the second is the smaller to Hypothesis, as it makes fewer choices. Here the seed
    comes on top of the entries that it replaces.
    """

    @st.composite
    def draw_layer(draw):
        layer, seed = draw(entries), draw(GENERIC)
        if seed is None:
            return layer
        return random_layer(*layer.W.shape, spectrum=draw(st.sampled_from(spectra)), seed=seed)

    return draw_layer()


def sampled_layer(tags: Tags, seed: int, n: int = 16, spectrum: Spectrum = "power") -> Layer:
    """A random layer of 8 x n or so, whose weights lie evenly over the cells of the grid.

    On a grid without end they are standard normal plus uniform on one step, which makes the place of a weight in its
    cell uniform. On one that ends they are uniform over all its cells, and on any other codebook standard normal.
    """
    rows, columns = shape_unit(tags)
    rng = np.random.default_rng([seed, 1])
    W, H = random_layer(-(-8 // rows) * rows, -(-n // columns) * columns, spectrum=spectrum, seed=rng)
    grid = tags.quantizer
    if not isinstance(grid, AffineGrid):
        return Layer(float(getattr(grid, "scale", 1.0)) * W, H)
    ends = np.isfinite(grid.limits)
    if ends.all():
        W = rng.uniform(grid.low - 0.5, grid.high + 0.5, W.shape)
    else:  # a grid with one end is as good as one without, far from it
        W = W + rng.random(W.shape) + (0 if not ends.any() else grid.low + 8 if ends[0] else grid.high - 8)
    return Layer(tags.unit * (W + grid.offset), H)
