"""The Quantizer of additive codebooks."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from quipref import checks
from quipref.gallery import additive_steps as steps
from quipref.gallery.additive_beam import BEAM
from quipref.gallery.levels import HALF_BITS
from quipref.testing.protocol import QuantizerTags

ENTRY_BITS = 4  # a codebook has 16 vectors, so that it weighs little even in a small layer
ENTRIES = 2**ENTRY_BITS


class AdditiveQuantizer:
    """The Quantizer of K codebooks (K, 16, 8) and of row scales (m, 1).

    Parameters
    ----------
    codebooks : array (K, 16, 8), float64
        K is at most 8.
    scale : array (m, 1), float64
    entries : array (m, q, K), int
        Of the layer that they were fitted to.
    """

    block = steps.BLOCK

    def __init__(
        self, codebooks: NDArray[np.float64], scale: NDArray[np.float64], entries: NDArray[np.intp]
    ) -> None:  # fmt: skip
        self.codebooks, self.scale = codebooks, scale
        self.code_bits = ENTRY_BITS * len(codebooks)
        self.bits = self.code_bits / steps.BLOCK
        self.table_bits = HALF_BITS * (codebooks.size + scale.size)
        self.fitted = self._pack(entries)
        # The beam holds all sums of two codebooks; of more, the search may miss the nearest.
        self.quipref_tags = QuantizerTags(nearest=codebooks.shape[1] <= BEAM and len(codebooks) <= 2)

    def quantize(
        self, T: ArrayLike, rng: int | np.random.Generator | None = None
    ) -> tuple[NDArray[np.uint32], NDArray[np.floating]]:
        """(codes (rows, q), T_hat as T) of targets T (rows, 8 q), each block for itself; `rng` is not used."""
        T = checks.real_array(T, "T", ndim=2)
        entries = steps.search_alone(T / np.where(self.scale == 0, 1, self.scale), self.codebooks)
        codes = self._pack(entries)
        return codes, self.decode(codes).astype(T.dtype)

    def decode(self, codes: NDArray[np.uint32]) -> NDArray[np.float64]:
        """The weights (rows, 8 q) that the codes name."""
        entries = codes[:, :, None] >> self._shifts() & np.uint32(ENTRIES - 1)
        return self.scale * steps.values(entries, self.codebooks)

    def _pack(self, entries):
        """A code (rows, q): the first codebook's entry in the lowest four bits."""
        return np.bitwise_or.reduce(entries.astype(np.uint32) << self._shifts(), axis=2)

    def _shifts(self):
        return np.arange(len(self.codebooks), dtype=np.uint32) * np.uint32(ENTRY_BITS)
