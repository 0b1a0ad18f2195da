"""The layers that checks draw for a rounder, and the comparison of two answers off the ties."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from quipref.problems import Layer, Spectrum, random_layer
from quipref.testing.checks.registry import CheckFailed
from quipref.testing.protocol import Tags
from quipref.testing.tagged import shape_unit

Array = NDArray[np.floating]
JITTER = 1e-4  # of the grid's unit: far above rounding errors, far below what a statement is about


def sample(tags: Tags, m: int = 3, n: int = 4, seed: int = 0, spectrum: Spectrum = "power") -> Layer:
    """One layer in generic position, of m x n times the shape that the blocks ask for; with few digits, to be read."""
    rows, columns = shape_unit(tags)
    W, H = random_layer(m * rows, n * columns, spectrum=spectrum, seed=seed)
    return Layer(2 * tags.unit * W.round(3), H.round(3) if spectrum == "power" else H)


def jittered(W: Array, tags: Tags) -> Iterator[Array]:
    """W, then W three times moved off its ties by a fixed noise."""
    yield W
    for seed in range(3):
        yield W + JITTER * tags.unit * np.random.default_rng(seed).uniform(-1, 1, W.shape)


def must_agree(tags: Tags, layer: Layer, answers: Callable[[Array], tuple[Array, Array]], message: str) -> None:
    """The two answers that belong to W must be equal, or have differed by a tie alone.

    A target halfway between two levels may go to either, as sums are rounded. So a difference counts only if it
    stays when W is moved a little, three times.
    """
    pairs = []
    for W in jittered(layer.W, tags):
        pairs.append(answers(W))
        if not differ(*pairs[-1]):
            return
    first, second = pairs[0]
    row, column = np.argwhere(np.abs(first - second) > slack(first, second))[0]
    raise CheckFailed(f"{message}; entry ({row}, {column}) is {apart(first[row, column], second[row, column])}", layer)


def apart(first: float, second: float) -> str:
    """Two numbers with as many digits as tell them apart."""
    return next(
        f"{first:.{digits}g} and {second:.{digits}g}" for digits in range(6, 18)
        if digits == 17 or f"{first:.{digits}g}" != f"{second:.{digits}g}"
    )  # fmt: skip


def differ(first: Array, second: Array) -> bool:
    """Some entry differs by more than the less exact of the two dtypes explains."""
    return bool((np.abs(first - second) > slack(first, second)).any())


def slack(*arrays: Array) -> float:
    """64 units in the last place of the largest entry, in the less exact dtype."""
    size = max(np.abs(array).max(initial=0.0) for array in arrays)
    return float(64 * max(np.finfo(array.dtype).eps for array in arrays) * size)
