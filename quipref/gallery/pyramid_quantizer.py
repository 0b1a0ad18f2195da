"""The Quantizer of a pyramid: the rank of a point and a gain are one code."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from quipref import checks
from quipref.gallery import pyramid_points as points
from quipref.gallery.levels import HALF_BITS
from quipref.testing.protocol import QuantizerTags

BLOCK = 16  # weights in a vector


class PyramidQuantizer:
    """The Quantizer of the points with sum |y_i| = K and of gains between the two ends of a row.

    The point is chosen first, by its direction, then the gain: together they need not be the nearest.

    Parameters
    ----------
    K : int
    bits : int
        A weight; a code has 16 times as many.
    gains : int
        At least 2.
    ends : array (2, m, 1), float64
        The least and the largest gain of each row.
    """

    block = BLOCK
    quipref_tags = QuantizerTags(nearest=False)

    def __init__(self, K: int, bits: int, gains: int, ends: NDArray[np.float64]) -> None:
        self.K, self.bits, self.gains, self.ends = K, bits, gains, ends
        self.code_bits, self.table_bits = bits * BLOCK, HALF_BITS * ends.size

    def quantize(
        self, T: ArrayLike, rng: int | np.random.Generator | None = None
    ) -> tuple[NDArray[np.uint64], NDArray[np.floating]]:
        """(codes (rows, q), T_hat as T) of targets T (rows, 16 q); `rng` is not used."""
        T = checks.real_array(T, "T", ndim=2)
        (y, gain), (low, high) = shape_and_gain(T.astype(np.float64), self.K), self.ends
        g = np.rint((gain - low) / np.where(high > low, high - low, 1) * (self.gains - 1)).clip(0, self.gains - 1)
        codes = points.rank(y, self.K) * np.uint64(self.gains) + g.astype(np.uint64)
        return codes, self.decode(codes).astype(T.dtype)

    def decode(self, codes: NDArray[np.uint64]) -> NDArray[np.float64]:
        """The weights (rows, 16 q) that the codes name."""
        index, g = np.divmod(codes, np.uint64(self.gains))
        y, (low, high) = points.unrank(index, BLOCK, self.K), self.ends
        gain = low + (high - low) * (g / (self.gains - 1))
        return (gain[:, :, None] * (y / np.linalg.norm(y, axis=2, keepdims=True))).reshape(len(codes), -1)


def shape_and_gain(T, K):
    """The points y (m, q, 16) of the vectors in T (m, 16 q), and the gains (m, q) that suit them best."""
    if T.shape[1] % BLOCK:
        raise ValueError(f"W must have a multiple of {BLOCK} columns, but its shape is {T.shape}. Pad it with zeros.")
    X = T.reshape(len(T), -1, BLOCK)
    y = points.nearest(X, K)
    return y, (X * y).sum(axis=2) / np.linalg.norm(y, axis=2)
