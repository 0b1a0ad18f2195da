"""Where the ideas of the gallery stand: bits a weight, all of them counted, against error."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from quipref import checks
from quipref.gallery.entries import ENTRIES, Entry
from quipref.lm import load_lm
from quipref.proxy import proxy_loss

LM_LAYER = "layers.0.attn.o"


@dataclass(frozen=True)
class Place:
    """An idea at one rate on one layer.

    Attributes
    ----------
    name : str
    code_bits, table_bits : int
        Bits of the layer's codes at their fixed width, and of the scales, codebooks and the like.
    rate : float
        All these bits, divided by the weights.
    error : float
        tr(E H E^T) / tr(W H W^T) for E = W_hat - W.
    """

    name: str
    code_bits: int
    table_bits: int
    rate: float
    error: float

    def to_dict(self) -> dict[str, Any]:
        """The place as JSON types."""
        return asdict(self)


def place(entry: Entry, bits: int, W: ArrayLike, H: ArrayLike | None = None) -> Place:
    """Round the layer with one idea, and count.

    rate = (codes x their width + tables) / (m n),  error = tr(E H E^T) / tr(W H W^T)

    Parameters
    ----------
    entry : Entry
    bits : int
        One of the entry's.
    W : array (m, n), real float
    H : array (n, n), real float, optional
        Default the identity: the squared error over that of zero.

    Returns
    -------
    Place

    Raises
    ------
    ValueError, TypeError
        What the idea refuses; a layer of zeros, which has no relative error.

    Examples
    --------
    >>> W = np.random.default_rng(0).standard_normal((32, 64))
    >>> found = place(ENTRIES[0], 3, W)  # 3 bits a weight, and 16 + 3 a row
    >>> found.code_bits, found.table_bits, found.rate
    (6144, 608, 3.296875)
    """
    W = checks.weights(W)
    H = np.eye(W.shape[1]) if H is None else H
    quantizer, codes = entry.encode(W, H, bits)
    error = proxy_loss(W, quantizer.decode(codes), H, normalize="weights")
    code_bits = codes.size * quantizer.code_bits
    return Place(entry.name, code_bits, quantizer.table_bits, (code_bits + quantizer.table_bits) / W.size, error)


def places(
    W: ArrayLike, H: ArrayLike | None = None, *, entries: tuple[Entry, ...] = ENTRIES,
    step: Callable[[str], object] = lambda name: None,
) -> list[Place]:  # fmt: skip
    """The places of all ideas at all their rates on one layer; `step` is told each name."""
    found = []
    for entry in entries:
        step(entry.name)
        found += [place(entry, bits, W, H) for bits in entry.bits]
    return found


def measure(
    *, size: tuple[int, int] = (256, 256), layer: str = LM_LAYER, seed: int = 0,
    entries: tuple[Entry, ...] = ENTRIES, step: Callable[[str], object] = lambda name: None,
) -> Mapping[str, list[Place]]:  # fmt: skip
    """Place every idea on a Gaussian layer and on a layer of the small language model, plain errors, H unseen.

    Parameters
    ----------
    size : (int, int)
        Of the Gaussian layer, columns a multiple of 16.
    layer : str
        A linear layer of the small language model.
    seed : int
    entries : tuple of Entry
        Default: all; an idea of your own can stand beside them.
    step : callable
        Told the name of each idea as the work goes on.

    Returns
    -------
    dict of str to list of Place
        Under "Gaussian" and the layer's name.

    Raises
    ------
    ValueError, TypeError
        A size that some idea refuses, an unknown layer.
    """
    W = np.random.default_rng(seed).standard_normal(size)
    layers = {"Gaussian": W, layer: load_lm().linear(layer)}
    return {name: places(W, entries=entries, step=step) for name, W in layers.items()}
