"""Rotations that make a layer incoherent: what all of them can do, and those that there are.

===================== ========================== ================= ===============================
class                 from                       n                 operations a vector
===================== ========================== ================= ===============================
`KroneckerHaar`       QuIP                       any               2 n (f0 + f1), where n = f0 f1
`RandomizedHadamard`  QuIP#, QTIP                any, see its plan n log2 n for a power of two
`RandomizedFourier`   QuIP#                      even              about 2.5 n log2(n / 2)
`BlockDiagonal`       -                          the blocks' sum   the blocks' sum
===================== ========================== ================= ===============================

Each is an orthogonal V with few random parts, drawn from a seed. A matrix W is rotated by V_out W V_in^T:
`rotate_out.apply(rotate_in.apply(W, axis=1), axis=0)`.
"""

from collections.abc import Iterable
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from quipref.incoherence.kronecker import KroneckerHaar as KroneckerHaar
from quipref.incoherence.orthogonal import Orthogonal
from quipref.incoherence.randomized import RandomizedFourier as RandomizedFourier
from quipref.incoherence.randomized import RandomizedHadamard as RandomizedHadamard


@runtime_checkable
class Rotation(Protocol):
    """An orthogonal matrix V of order n; `seed` is None where V does not come from one."""

    n: int
    seed: int | None

    def apply(self, X: ArrayLike, axis: int = -1) -> NDArray[np.floating]:
        """V x for each vector x along an axis, as a new array; float32 stays float32, all else is float64."""

    def undo(self, X: ArrayLike, axis: int = -1) -> NDArray[np.floating]:
        """V^T x, the inverse of `apply`."""

    def matrix(self) -> NDArray[np.float64]:
        """V (n, n)."""

    @property
    def storage_bits(self) -> int:
        """Bits that a decoder must keep to undo the rotation."""


class BlockDiagonal(Orthogonal):
    """Rotations of consecutive parts of a vector, side by side.

    V = diag(V_1, V_2, ...), of order n = n_1 + n_2 + ...

    Parameters
    ----------
    rotations : iterable of Rotation
        At least one; they may be of different kinds, and block diagonal themselves.

    Raises
    ------
    ValueError, TypeError
        No rotation, or something that is none.

    Notes
    -----
    What stands out in one block is spread over that block alone. Give the blocks different seeds: two of
    one kind, size and seed are the same matrix.

    Examples
    --------
    >>> V = BlockDiagonal([KroneckerHaar(6, seed=0), KroneckerHaar(4, seed=1)])
    >>> V.n, V.storage_bits, V.matrix()[0, 6:]
    (10, 128, array([0., 0., 0., 0.]))
    """

    def __init__(self, rotations: Iterable[Rotation]) -> None:
        self.rotations = tuple(rotations)
        for i, rotation in enumerate(self.rotations):
            if not isinstance(rotation, Rotation):
                raise TypeError(
                    f"rotations must hold rotations only, but number {i} is {rotation!r} ({type(rotation).__name__})."
                )
        if not self.rotations:
            raise ValueError("rotations must hold at least one rotation, but none came.")
        self.n = sum(rotation.n for rotation in self.rotations)

    def _mix(self, rows):
        parts = zip(self.rotations, self._split(rows), strict=True)
        return np.concatenate([rotation.apply(part) for rotation, part in parts], axis=1)

    def _unmix(self, rows):
        parts = zip(self.rotations, self._split(rows), strict=True)
        return np.concatenate([rotation.undo(part) for rotation, part in parts], axis=1)

    def _split(self, rows):
        return np.split(rows, np.cumsum([rotation.n for rotation in self.rotations])[:-1], axis=1)

    @property
    def storage_bits(self) -> int:
        """The sum of what the blocks must keep."""
        return sum(rotation.storage_bits for rotation in self.rotations)

    def __eq__(self, other: object) -> bool:
        """Whether the blocks are equal, one by one."""
        return self.rotations == other.rotations if isinstance(other, BlockDiagonal) else NotImplemented

    def __repr__(self) -> str:
        return f"BlockDiagonal({list(self.rotations)!r})"
