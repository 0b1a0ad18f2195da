"""What the scalar ideas of the gallery share: a table of levels a row, its numbers in half precision."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from quipref import checks
from quipref.testing.protocol import QuantizerTags

HALF_BITS = 16


class Levels:
    """The Quantizer of a table of levels, one a row or one for all rows.

    Parameters
    ----------
    levels : array (m, k) or (1, k), float64
        Ascending.
    table_bits : int
        Bits that a decoder needs besides the codes: scales, exponents, codebooks.
    edges : array (m, k - 1) or (1, k - 1), optional
        Where the cells of neighbours meet; a target on an edge goes to the upper level. By default halfway: then,
        and as `quipref_tags` say only then, a target goes to the nearest level.

    Examples
    --------
    >>> Levels(np.array([[-1.0, 0.0, 2.0]]), 0).quantize(np.array([[-0.5, 0.9, 1.0]]))[1]
    array([[0., 0., 2.]])
    """

    block = 1

    def __init__(
        self, levels: NDArray[np.float64], table_bits: int, edges: NDArray[np.float64] | None = None
    ) -> None:  # fmt: skip
        self.levels, self.table_bits = levels, table_bits
        halfway = (levels[:, 1:] + levels[:, :-1]) / 2
        self.edges = halfway if edges is None else edges
        self.quipref_tags = QuantizerTags(nearest=np.array_equal(self.edges, halfway))

    @property
    def bits(self) -> float:
        """log2 of the number of levels."""
        return math.log2(self.levels.shape[1])

    @property
    def code_bits(self) -> int:
        """Bits of a stored code, a whole number."""
        return (self.levels.shape[1] - 1).bit_length()

    def quantize(
        self, T: ArrayLike, rng: int | np.random.Generator | None = None
    ) -> tuple[NDArray[np.unsignedinteger], NDArray[np.floating]]:
        """(codes, T_hat), both of T's shape (rows, columns); `rng` is not used."""
        T = checks.real_array(T, "T", ndim=2)
        codes = np.zeros(T.shape, np.min_scalar_type(self.levels.shape[1] - 1))
        for edge in self.edges.T[:, :, None]:
            codes += edge <= T
        return codes, self.decode(codes).astype(T.dtype)

    def decode(self, codes: NDArray[np.unsignedinteger]) -> NDArray[np.float64]:
        """The levels that the codes name."""
        of_row = np.broadcast_to(np.arange(len(self.levels))[:, None], (len(codes), 1))
        return self.levels[of_row, codes]

    def of_rows(self, rows: slice | NDArray[np.integer], m: int) -> "Levels":
        """The quantizer of these rows of a layer of m rows."""
        return self if len(self.levels) == 1 else Levels(self.levels[rows], self.table_bits, self.edges[rows])


def matrix(W: ArrayLike) -> NDArray[np.float64]:
    """`W` as a finite float64 matrix with at least one weight."""
    W = checks.weights(W).astype(np.float64)
    if not W.size:
        raise ValueError(f"W must have at least one row and one column to be fitted to, but it is {W.shape}.")
    return W


def half(x: NDArray[np.float64], *, up: bool = False, may_vanish: bool = False) -> NDArray[np.float64]:
    """`x` as half precision holds it, as float64; with `up` the least such number that is not below x.

    Refused when it overflows, or when all of it vanishes that may not.
    """
    with np.errstate(over="ignore"):
        stored = x.astype(np.float16)
    vanished = not may_vanish and x.any() and not stored.any()
    if up:
        stored = np.where(stored < x, np.nextafter(stored, np.float16(np.inf)), stored)
    if vanished or not np.isfinite(stored).all():
        raise ValueError(
            f"W must have scales that fit half precision (6e-8 to 65504), but one is {np.abs(x).max():.3g}. "
            "Scale the layer by a power of two first and undo it afterwards."
        )
    return stored.astype(np.float64)


def level_count(bits: int, *, low: int = 1, high: int = 8) -> int:
    """2^bits, for bits from `low` to `high`."""
    return 2 ** checks.integer(bits, "bits", low=low, high=high)
