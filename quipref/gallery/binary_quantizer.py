"""The Quantizer of binary sums."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from quipref import checks
from quipref.gallery.levels import HALF_BITS
from quipref.testing.protocol import QuantizerTags


class BinarySum:
    """The Quantizer that takes one sign after the other; scales (m, b).

    That is greedy. Where a scale is smaller than the sum of those after it, the first sign may be the wrong one: the
    level that comes out is not the nearest, and even a level itself, as a target, may be sent to another. Where no
    scale is, greed finds the nearest level, and `quipref_tags` say so.

    Parameters
    ----------
    scales : array (m, b), float64

    Examples
    --------
    >>> BinarySum(np.array([[1.0, 1.75]])).quantize(np.array([[0.75, -2.75]]))[1]  # both are levels
    array([[-0.75, -2.75]])
    """

    block = 1

    def __init__(self, scales: NDArray[np.float64]) -> None:
        self.scales, self.table_bits = scales, HALF_BITS * scales.size
        self.bits = self.code_bits = scales.shape[1]
        after = np.cumsum(scales[:, :0:-1], axis=1)[:, ::-1]  # the sum of the scales after each but the last
        self.quipref_tags = QuantizerTags(nearest=bool((scales[:, :-1] >= after).all()))

    def quantize(
        self, T: ArrayLike, rng: int | np.random.Generator | None = None
    ) -> tuple[NDArray[np.uint8], NDArray[np.floating]]:
        """(codes, T_hat), both of T's shape; the first sign is a code's highest bit, `rng` is not used."""
        T = checks.real_array(T, "T", ndim=2)
        codes, rest = np.zeros(T.shape, np.uint8), T.astype(np.float64)  # a copy
        for scale in self.scales.T[:, :, None]:
            codes = codes << 1 | (rest >= 0)
            rest -= np.where(rest >= 0, scale, -scale)
        return codes, self.decode(codes).astype(T.dtype)

    def decode(self, codes: NDArray[np.uint8]) -> NDArray[np.float64]:
        """The signed sums that the codes name."""
        positive = codes[:, :, None] >> np.arange(self.bits)[::-1] & 1
        return ((2.0 * positive - 1) * self.scales[:, None]).sum(axis=2)

    def of_rows(self, rows: slice | NDArray[np.integer], m: int) -> "BinarySum":
        """The quantizer of these rows of a layer of m rows."""
        return BinarySum(self.scales[rows])
