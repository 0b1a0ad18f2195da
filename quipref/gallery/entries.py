"""The gallery's list: each idea's name, how it is fitted at b bits, what may be said of it, and its reference."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from quipref.gallery import additive, binary, gptqt, kmeans, logarithmic, maqd, power, pyramid, uniform
from quipref.gallery.levels import matrix
from quipref.testing.protocol import Tags

COMMON = 2.0**6  # half precision holds the scales of weights of which the largest is from 1 / COMMON to COMMON


@dataclass(frozen=True)
class Entry:
    """An idea of the gallery.

    Attributes
    ----------
    name : str
    fit : callable
        (W, bits) -> Quantizer with `code_bits` and `table_bits`, the bits of its scales, codebooks and the like;
        (W, bits, H) where it uses H.
    bits : tuple of int
        The rates that it has, before what it needs besides the codes.
    reference : str
    block : int
        Columns that it rounds together.
    shared : bool
        Whether rows share a codebook or the like, so that one row's result depends on the others.
    uses_hessian : bool
    """

    name: str
    fit: Callable[..., Any]
    bits: tuple[int, ...]
    reference: str
    block: int = 1
    shared: bool = False
    uses_hessian: bool = False

    def encode(self, W: ArrayLike, H: ArrayLike, bits: int) -> tuple[Any, NDArray[np.unsignedinteger]]:
        """(quantizer, codes) of the layer."""
        if not self.uses_hessian:
            quantizer = self.fit(W, bits)
            return quantizer, quantizer.quantize(W)[0]
        quantizer = self.fit(W, bits, H)
        return quantizer, quantizer.fitted

    def rounder(self, bits: int) -> Callable[[ArrayLike, ArrayLike], NDArray[np.float64]]:
        """The function (W, H) -> W_hat at that rate, with its tags.

        Rows of very small or large weights, whose scales half precision does not hold, are scaled by a power of two
        first and back afterwards; if they share levels, the whole layer is.
        """

        def rounder(W, H):
            W = matrix(W)
            powers = _powers_of_two(np.abs(W).max(axis=None if self.shared else 1, keepdims=True))
            quantizer, codes = self.encode(np.ldexp(W, -powers), H, bits)
            return np.ldexp(quantizer.decode(codes), powers)

        rounder.quipref_tags = self.tags
        rounder.__name__ = f"{self.name}, {bits} bit{'s' * (bits > 1)}"
        return rounder

    @property
    def tags(self) -> Tags:
        """What may be said of its rounders."""
        return Tags(
            grid="fitted", block=self.block, row_separable=not self.shared, uses_hessian=self.uses_hessian,
            handles_singular=True,
        )  # fmt: skip


def _powers_of_two(largest):
    """The exponents e by which largest / 2^e is from 1/2 to 1; 0 for zero and where it is common as it is."""
    common = (largest == 0) | (largest >= 1 / COMMON) & (largest <= COMMON)
    return np.where(common, 0, np.frexp(largest)[1])


def _per_tensor(W, bits):
    return uniform.fit(W, bits, per="tensor")


ENTRIES = (
    Entry("uniform, per channel", uniform.fit, (2, 3, 4), "Krishnamoorthi 2018, arXiv:1806.08342"),
    Entry("uniform, per tensor", _per_tensor, (2, 3, 4), "Krishnamoorthi 2018, arXiv:1806.08342", shared=True),
    Entry("logarithmic", logarithmic.fit, (1, 2, 3, 4), "Miyashita et al. 2016, arXiv:1603.01025", shared=True),
    Entry("power law", power.fit, (2, 3, 4), "NUPES, Yvinec et al. 2023, arXiv:2308.05600", shared=True),
    Entry("weight sharing", kmeans.fit, (1, 2, 3, 4), "Deep Compression, arXiv:1510.00149", shared=True),
    Entry("binary sums", binary.fit, (1, 2, 3, 4), "XNOR-Net, arXiv:1603.05279; BiLLM, arXiv:2402.04291"),
    Entry("two steps", gptqt.fit, (1, 2, 3), "GPTQT, Guo et al. 2024, arXiv:2407.02891"),
    Entry("pyramid", pyramid.fit, (1, 2, 3, 4), "Fischer 1986; arXiv:2410.16926", block=16),
    Entry(
        "additive codebooks", additive.fit, (1, 2, 3, 4), "AQLM, Egiazarian et al. 2024, arXiv:2401.06118",
        block=8, shared=True, uses_hessian=True,
    ),
    Entry("round-clip, standardized", maqd.fit, (1, 2, 3, 4), "Weight Standardization, arXiv:1903.10520; MaQD"),
)  # fmt: skip
