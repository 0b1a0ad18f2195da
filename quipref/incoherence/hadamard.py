"""A Hadamard matrix for every size, or what stands in for one: `hadamard_plan` finds it, the plan applies it."""

from dataclasses import dataclass
from functools import lru_cache
from math import prod

import numpy as np
from numpy.typing import ArrayLike, NDArray

from quipref import backend as backends
from quipref import checks
from quipref.incoherence.factorisation import block_orders, exact_factors
from quipref.incoherence.factors import Factor, kronecker
from quipref.incoherence.fallbacks import Blocks, Fourier


@dataclass(frozen=True)
class HadamardPlan:
    """How to multiply by a Hadamard matrix H of one order; made by `hadamard_plan`.

    H is the Kronecker product of the factors; H H^T = n I.

    Attributes
    ----------
    n : int
        The order.
    exact : bool
        True if H is a Hadamard matrix: entries +-1, H H^T = n I in integers. False for the fallbacks.
    factors : tuple of Factor
        From the slowest axis to the fastest; each has `name`, `order` and a read-only `matrix()`.

    Examples
    --------
    >>> import numpy as np
    >>> plan = hadamard_plan(12)
    >>> x = np.arange(12.0)
    >>> np.allclose(plan.apply(x), plan.matrix() @ x / np.sqrt(12))
    True
    >>> np.allclose(plan.undo(plan.apply(x)), x)
    True
    """

    n: int
    exact: bool
    factors: tuple[Factor, ...]

    def apply(self, X: ArrayLike, axis: int = -1, *, threads: int | None = None) -> NDArray[np.floating]:
        """H x / sqrt(n) for every x along an axis of X, an isometry.

        Parameters
        ----------
        X : array (..., n, ...), real
            Left as it is.
        axis : int
            The one of length n.
        threads : int, optional
            For the fast transform; default all cores this process may use.

        Returns
        -------
        array of the shape of X
            float32 for float32 X, else float64.

        Raises
        ------
        ValueError, TypeError
            X has not n entries along the axis, there is no such axis, or X is not real.
        """
        return self._normalised(X, axis, False, threads)

    def undo(self, X: ArrayLike, axis: int = -1, *, threads: int | None = None) -> NDArray[np.floating]:
        """H^T x / sqrt(n), the inverse of `apply`.

        Parameters
        ----------
        X, axis, threads
            As in `apply`.

        Returns
        -------
        array of the shape of X
        """
        return self._normalised(X, axis, True, threads)

    def unnormalised(
        self, Y: NDArray[np.floating], axis: int = -1, *, transpose: bool = False, threads: int | None = None
    ) -> NDArray[np.floating]:
        """H y or H^T y along an axis, for callers that have folded 1/sqrt(n) into something else.

        Parameters
        ----------
        Y : array (..., n, ...), C-contiguous, float32 or float64
            May be overwritten.
        axis : int
        transpose : bool
            H^T instead of H.
        threads : int, optional

        Returns
        -------
        array of the shape of Y
            Y itself if the plan is one fast transform.
        """
        axis %= Y.ndim
        lead, faster = prod(Y.shape[:axis]), prod(Y.shape[axis + 1 :])
        slower, Z = self.n, Y
        for factor in reversed(self.factors):
            slower //= factor.order
            Z = factor.transform(Z.reshape(lead * slower, factor.order, faster), transpose, threads)
            faster *= factor.order
        return Z.reshape(Y.shape)

    def matrix(self) -> NDArray[np.number]:
        """H, a new array (n, n): int8 with entries +-1 if exact, else float64.

        Returns
        -------
        array (n, n)
        """
        return kronecker(self.factors)

    def explain(self) -> str:
        """The factorisation in words; for a fallback, why there is no better plan.

        Returns
        -------
        str
        """
        if self.exact:
            sizes = [factor.sizes for factor in self.factors]
            if len(sizes) > 1:
                sizes = [f"({size})" if "*" in size else size for size in sizes]
            product = " x ".join(sizes)
            head = product if product == str(self.n) else f"{self.n} = {product}"
            return f"{head}: {', then '.join(factor.name for factor in self.factors)}; exact"
        if self.n % 4:
            why = f"no Hadamard matrix has order {self.n}, since orders above 2 are multiples of 4"
        else:
            twos = (self.n & -self.n).bit_length() - 1
            why = f"no Hadamard matrix of order {self.n} = {self.n >> twos} x 2^{twos} is built here"
        words = f"{why}: {self.factors[0].name} instead; not exact"
        return words if self.n % 2 else f"{words}; blocks would be {' + '.join(map(str, block_orders(self.n)))}"

    def _normalised(self, X, axis, transpose, threads):
        X = np.asarray(X)
        if X.dtype.kind not in "fiu":
            raise TypeError(f"X must hold real numbers, but its dtype is {X.dtype}. Transform its parts one by one.")
        if X.ndim == 0:
            raise ValueError("X must have at least one axis, but a number came. Pass a vector.")
        axis = checks.integer(axis, "axis", low=-X.ndim, high=X.ndim - 1)
        backends.thread_count(threads)
        if X.shape[axis] != self.n:
            raise ValueError(
                f"X must have {self.n} entries along axis {axis}, but its shape is {X.shape}. "
                f"Name another axis, or take hadamard_plan({X.shape[axis]})."
            )
        dtype = np.float32 if X.dtype == np.float32 else np.float64
        scaled = np.multiply(X, self.n**-0.5, dtype=dtype, order="C")  # the one copy, and the 1/sqrt(n) with it
        return self.unnormalised(scaled, axis, transpose=transpose, threads=threads)


def hadamard_plan(n: int) -> HadamardPlan:
    """A plan to multiply by a Hadamard matrix of order n, or by what comes next to one; there is one for every n.

    1. n = K 2^j with K = 12, 20, 28, 36, 52, 60, 108, 116, 124, 140, 156 or 172: as in QuIP# and QTIP,
       the K x K matrix that their checkpoints need, and Sylvester's.
    2. A power of two: Sylvester's matrix alone.
    3. The product with the fewest operations an entry, of Sylvester's matrix, Paley I and II over prime
       powers, Williamson and Miyamoto: each Kronecker factor counts its order, Sylvester's the logarithm.
       Matrices of orders a and b also have a product of order a b / 2.
    4. Not exact: for an even n the Fourier transform on n/2 complex numbers, for an odd n a block diagonal
       of exact ones, the largest first.

    Parameters
    ----------
    n : int
        At least 1.

    Returns
    -------
    HadamardPlan
        With `exact`, `explain()`, `apply`, `undo` and `matrix()`. Plans are immutable and kept.

    Raises
    ------
    ValueError, TypeError
        n is not an integer from 1.

    Notes
    -----
    Exact for 415 of the 500 multiples of 4 up to 2000. A dense factor is taken up to order 8192 only,
    since a larger one would cost more than the layer it serves.

    References
    ----------
    QuIP#, arXiv:2402.04396v2, section 3; each construction names its own.

    Examples
    --------
    >>> print(hadamard_plan(1536).explain())
    1536 = 12 x 128: Paley I over GF(11), then Sylvester 2^7; exact
    >>> print(hadamard_plan(10920).explain())
    10920 = 140 * 156 / 2: Paley I over GF(139) and Williamson of order 156, sharing a factor 2; exact
    >>> print(hadamard_plan(7).explain())
    no Hadamard matrix has order 7, since orders above 2 are multiples of 4: blocks of 4 + 2 + 1 instead; not exact
    """
    return _plan(checks.integer(n, "n", low=1))


@lru_cache(maxsize=4096)
def _plan(n):
    factors = exact_factors(n)
    if factors is not None:
        return HadamardPlan(n, True, factors)
    if n % 2 == 0:
        return HadamardPlan(n, False, (Fourier(n),))
    return HadamardPlan(n, False, (Blocks(tuple(_plan(order) for order in block_orders(n))),))
