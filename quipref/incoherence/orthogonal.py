"""What the rotations share: vectors along any axis of an array, the matrix, the cost, equality."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from quipref import checks
from quipref.incoherence.seeds import SEED_BITS

PIECE = 2**18  # numbers that are rotated together: they stay in cache
SINGLE = float(np.finfo(np.float32).eps)


class Orthogonal:
    """An orthogonal V of order n. A subclass says what V and V^T do to the rows of a matrix, in `_mix` and `_unmix`.

    `_parts` are the arrays that V was made of, and `_parts_bits` what they cost where they do not come from a seed.
    """

    n: int
    seed: int | None = None

    def apply(self, X: ArrayLike, axis: int = -1) -> NDArray[np.floating]:
        """V x for each vector x along an axis, as a new array; float32 stays float32, all else is float64."""
        return _along(*vectors(X, axis, self.n), self._mix)

    def undo(self, X: ArrayLike, axis: int = -1) -> NDArray[np.floating]:
        """V^T x for each vector x along an axis, as a new array: what `apply` did is undone."""
        return _along(*vectors(X, axis, self.n), self._unmix)

    def matrix(self) -> NDArray[np.float64]:
        """V itself, (n, n)."""
        return self.apply(np.eye(self.n), axis=0)

    @property
    def storage_bits(self) -> int:
        """Bits that a decoder must keep: 64 for a seed, else those of the parts that were given."""
        return self._parts_bits() if self.seed is None else SEED_BITS

    def __eq__(self, other: object) -> bool:
        """Whether both were made of the same parts, from a seed or not."""
        if type(other) is not type(self):
            return NotImplemented
        return all(np.array_equal(a, b) for a, b in zip(self._parts(), other._parts(), strict=True))


def vectors(X, axis, n):
    """(X, axis): X as a finite real array with n entries along the axis, which is not negative any more."""
    X = np.asarray(X)
    if X.dtype.kind in "fiu" and X.dtype != np.float32:
        X = X.astype(np.float64, copy=False)
    ndim = X.ndim
    X = checks.real_array(X, "X", ndim=ndim)
    if not ndim:
        raise ValueError("X must have at least one axis, but a single number came.")
    axis = checks.integer(axis, "axis", low=-ndim, high=ndim - 1) % ndim
    if X.shape[axis] != n:
        raise ValueError(
            f"X must have n = {n} entries along axis {axis}, but its shape is {X.shape}. "
            "Name the axis to be rotated, or draw a rotation of that size."
        )
    return X, axis


def _along(X, axis, mix):
    """The function of rows, `mix`, on the vectors along an axis of X, piece by piece."""
    out = np.empty(X.shape, X.dtype)
    rows, out_rows = (np.atleast_2d(np.moveaxis(A, axis, -1)) for A in (X, out))
    n = rows.shape[-1]
    step = max(1, PIECE // n)
    for start in range(0, len(rows), step):
        piece = rows[start : start + step]
        out_rows[start : start + step] = mix(piece.reshape(-1, n)).reshape(piece.shape)
    return out


def orthonormal(Q, name):
    """`Q` (..., n, n), whose columns must be orthonormal up to single precision, whatever its dtype.

    Entries that were rounded to float32 move a product of two columns by SINGLE; computing in float32 adds n
    roundings, which go like a random walk: 8 sqrt(n) SINGLE leaves room for both.
    """
    gap = np.abs(np.swapaxes(Q, -1, -2) @ Q - np.eye(Q.shape[-1])).max(initial=0.0)
    if gap > 8 * np.sqrt(Q.shape[-1]) * SINGLE:
        raise ValueError(
            f"{name} must have orthonormal columns, but max |Q^T Q - I| is {gap:.1e}. "
            "Orthonormalise it first: np.linalg.qr(Q)[0]."
        )
    return Q


def frozen(A):
    """A copy that nobody changes by accident, as a rotation that changed could not be undone."""
    A = np.array(A)
    A.flags.writeable = False
    return A
