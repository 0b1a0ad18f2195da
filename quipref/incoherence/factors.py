"""The Kronecker factors of a Hadamard plan: each knows its matrix, and how to multiply by it.

`transform` takes a C-contiguous array (L, order, r), multiplies by H, or by H^T, along the middle axis
without any normalisation, and may overwrite what it was given.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache, reduce
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from quipref.incoherence.walsh import fwht

# A product of more than so many multiplications is shared out to the threads of BLAS, which costs more than the product
# itself where there are thousands of them: those are joined to a few large ones.
SMALL = 2**18
JOINED = 2**22  # numbers


class Factor(Protocol):
    """What a plan is made of."""

    @property
    def name(self) -> str:
        """The construction in words."""

    @property
    def order(self) -> int:
        """The number of rows."""

    def matrix(self) -> NDArray[np.number]:
        """(order, order), read-only: H with H H^T = order I."""

    def transform(self, Y: NDArray[np.floating], transpose: bool, threads: int | None) -> NDArray[np.floating]:
        """H Y or H^T Y along the middle axis of Y (L, order, r), which may be overwritten."""


def read_only(H):
    """H itself, which can no longer be written to."""
    H.setflags(write=False)
    return H


def kronecker(factors):
    """The Kronecker product of the factors' matrices, a new array."""
    return reduce(np.kron, [factor.matrix() for factor in factors], np.ones((1, 1), np.int8))


@dataclass(frozen=True)
class Sylvester:
    """The power of [[1, 1], [1, -1]] whose order is this power of two; its product is the fast transform."""

    order: int

    @property
    def name(self):
        return f"Sylvester 2^{self.order.bit_length() - 1}"

    @property
    def sizes(self):
        return str(self.order)

    def matrix(self):
        two = np.array([[1, 1], [1, -1]], np.int8)
        return read_only(reduce(np.kron, [two] * (self.order.bit_length() - 1), np.ones((1, 1), np.int8)))

    def transform(self, Y, transpose, threads):
        return fwht(Y, axis=1, threads=threads)  # the matrix is its own transpose


@dataclass(frozen=True)
class Dense:
    """A matrix of +-1 that is built when it is first needed, and multiplied by as it stands."""

    name: str
    order: int
    build: Callable[[], NDArray[np.int8]] = field(repr=False, compare=False)

    @property
    def sizes(self):
        return str(self.order)

    def matrix(self):
        return _built(self)

    def transform(self, Y, transpose, threads):
        H = self.matrix().astype(Y.dtype)
        H = H.T if transpose else H
        L, K, r = Y.shape
        if 1 < r <= SMALL // K**2:
            return H @ Y
        lines = max(1, JOINED // max(1, K * r))
        for first in range(0, L, lines):
            part = Y[first : first + lines]
            joined = H @ part.swapaxes(0, 1).reshape(K, len(part) * r)
            part[:] = joined.reshape(K, len(part), r).swapaxes(0, 1)
        return Y


@lru_cache(maxsize=16)  # enough for the layers of a model
def _built(dense):
    return read_only(dense.build())


@dataclass(frozen=True)
class SharedPair:
    """A matrix of order ab/2 from A and B of orders a and b: half of the Kronecker product's order.

    On vectors indexed by (s, i, j) with s = 0, 1, i < a/2 and j < b/2:

        H = A_(s,i) R_s B_(s,j) / 2,    R = [[1, 1], [1, -1]],

    where B acts on s and j, R on s, and A on s and i. All three are orthogonal but for their scales, so
    H H^T = a (2/4) b I. An entry is sum_t (A R / 2)_(s,i),(t,i') B_(t,j),(s',j'), and of the two
    (A R / 2)_(s,i),(t,i'), half the sum and half the difference of two signs, one is 0 and the other +-1.

    Agaian and Sarukhanyan (1981) multiplied Hadamard matrices so, by halves; that the product is three
    small transforms, a + b operations an entry and not ab/2, is seen in the form above.
    """

    A: Factor
    B: Factor

    @property
    def parts(self):
        """The factors whose halves are shared, those of A first."""
        return (*(self.A.parts if isinstance(self.A, SharedPair) else (self.A,)), self.B)

    @property
    def name(self):
        each = "" if len(self.parts) == 2 else " each with the next"
        return f"{' and '.join(part.name for part in self.parts)}, sharing a factor 2{each}"

    @property
    def order(self):
        return self.A.order * self.B.order // 2

    @property
    def sizes(self):
        return f"{' * '.join(part.sizes for part in self.parts)} / {2 ** (len(self.parts) - 1)}"

    def matrix(self):
        a, b = self.A.order // 2, self.B.order // 2
        A = self.A.matrix().reshape(2, a, 2, a)
        AR = np.stack([A[:, :, 0] + A[:, :, 1], A[:, :, 0] - A[:, :, 1]], axis=2) // 2
        B = self.B.matrix().reshape(2, b, 2, b)
        H = np.einsum("sitx,tjuy->sijuxy", AR, B)
        return read_only(H.reshape(self.order, self.order))

    def transform(self, Y, transpose, threads):
        a, b = self.A.order // 2, self.B.order // 2
        L, _, r = Y.shape

        def left(Y):
            return self.A.transform(Y.reshape(L, 2 * a, b * r), transpose, threads).reshape(L, 2, a, b, r)

        def middle(Y):
            return np.stack([Y[:, 0] + Y[:, 1], Y[:, 0] - Y[:, 1]], axis=1) / 2

        def right(Y):
            Y = np.ascontiguousarray(Y.swapaxes(1, 2)).reshape(L * a, 2 * b, r)
            return self.B.transform(Y, transpose, threads).reshape(L, a, 2, b, r).swapaxes(1, 2)

        Y = Y.reshape(L, 2, a, b, r)
        Y = right(middle(left(Y))) if transpose else left(middle(right(Y)))
        return np.ascontiguousarray(Y).reshape(L, self.order, r)
