"""QuIP's rotation: two small Haar matrices, mixed as a Kronecker product between two permutations."""

from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from quipref import checks
from quipref.incoherence import seeds
from quipref.incoherence.orthogonal import Orthogonal, frozen, orthonormal


class KroneckerHaar(Orthogonal):
    """Kronecker product of two Haar orthogonal matrices, between two random permutations.

    V = P_out (B0 (x) B1) P_in, of order n = f0 f1.

    Parameters
    ----------
    n : int
        At least 1.
    seed : int or Generator
        Required. From a Generator one integer is drawn, and kept as `seed`.
    shared : bool
        True is the paper: one B0 and one B1. False is the authors' block form: a B0 of its own for each of
        the f1 places in a factor's other index, and a B1 of its own for each of the f0.
    permute : bool
        False leaves both permutations out.

    Raises
    ------
    ValueError, TypeError
        A size below 1, a seed that is missing, negative, or longer than 64 bits.

    Notes
    -----
    A vector is seen as a table (f0, f1), row after row: B0 mixes its columns, then B1 its rows. f0 is the product
    of every second prime factor of n in ascending order, the first among them, and f1 that of the rest, as
    in QuIP's program: 96 = 8 x 12. A prime n is n x 1, a dense matrix. A vector costs 2 n (f0 + f1) operations.

    The factors are uniform on the orthogonal group; the program draws them of determinant one. The two differ
    by the sign of one column, which mu does not see.

    References
    ----------
    QuIP, arXiv:2307.13304v2, lemma 5.

    Examples
    --------
    >>> import numpy as np
    >>> V = KroneckerHaar(96, seed=0)
    >>> spike = np.eye(96)[0]
    >>> bool(np.abs(V.apply(spike)).max() < 0.6), bool(np.allclose(V.undo(V.apply(spike)), spike))
    (True, True)
    >>> V.factors, V.storage_bits
    ((8, 12), 64)
    """

    def __init__(
        self, n: int, *, seed: int | np.random.Generator | None = None, shared: bool = True, permute: bool = True
    ) -> None:
        n, seed = checks.integer(n, "n", low=1), seeds.chosen(seed)
        f0, f1 = alternate_factors(n)
        B0 = haar(seed, "B0", (f0, f0) if shared else (f1, f0, f0))
        B1 = haar(seed, "B1", (f1, f1) if shared else (f0, f1, f1))
        p_in, p_out = (seeds.permutation(seed, name, n) if permute else None for name in ("p_in", "p_out"))
        self._keep(n, seed, B0, B1, p_in, p_out)

    @classmethod
    def from_parts(
        cls, B0: ArrayLike, B1: ArrayLike, p_in: ArrayLike | None = None, p_out: ArrayLike | None = None
    ) -> Self:
        """The rotation of given factors, such as those that a checkpoint stores.

        Parameters
        ----------
        B0 : array (f0, f0) or (f1, f0, f0), real float
            Shared, or one for each of the f1 columns of the table.
        B1 : array (f1, f1) or (f0, f1, f1), real float
            Shared, or one for each of the f0 rows of the table.
        p_in, p_out : array (f0 f1,), integer, optional
            x[p_in] is mixed, and y[p_out] of the result y comes out; None leaves the order as it is.

        Returns
        -------
        KroneckerHaar
            Without a seed. It is stored by its factors, in their precision, and by its permutations, with
            the bits of one index for each entry.

        Raises
        ------
        ValueError, TypeError
            A factor that is not orthogonal, a permutation that is none, shapes that disagree.
        """
        B0, B1 = (_factor(B, name) for B, name in ((B0, "B0"), (B1, "B1")))
        f0, f1 = B0.shape[-1], B1.shape[-1]
        for B, name, count in ((B0, "B0", f1), (B1, "B1", f0)):
            if B.shape[:-2] not in ((), (count,)):
                raise ValueError(
                    f"{name} must be one matrix or {count} of them for factors of order {f0} and {f1}, "
                    f"but its shape is {B.shape}."
                )
        self = cls.__new__(cls)
        orders = (_permutation(p, name, f0 * f1) for p, name in ((p_in, "p_in"), (p_out, "p_out")))
        self._keep(f0 * f1, None, B0, B1, *orders)
        return self

    def _keep(self, n, seed, B0, B1, p_in, p_out):
        self.n, self.seed = n, seed
        self.factors = B0.shape[-1], B1.shape[-1]
        self.B0, self.B1 = frozen(B0), frozen(B1)
        self.p_in, self.p_out = (None if p is None else frozen(p) for p in (p_in, p_out))

    def _mix(self, rows):
        B0, B1 = self.B0.astype(rows.dtype, copy=False), self.B1.astype(rows.dtype, copy=False)
        T = _reordered(rows.T, self.p_in).reshape(*self.factors, -1)
        T = np.swapaxes(B0 @ np.swapaxes(T, 0, 1), 0, 1)
        T = B1 @ T
        return _reordered(T.reshape(self.n, -1), self.p_out).T

    def _unmix(self, rows):
        B0, B1 = self.B0.astype(rows.dtype, copy=False), self.B1.astype(rows.dtype, copy=False)
        T = _reordered(rows.T, _inverse(self.p_out)).reshape(*self.factors, -1)
        T = np.swapaxes(B1, -1, -2) @ T
        T = np.swapaxes(np.swapaxes(B0, -1, -2) @ np.swapaxes(T, 0, 1), 0, 1)
        return _reordered(T.reshape(self.n, -1), _inverse(self.p_in)).T

    def _parts(self):
        return self.B0, self.B1, self.p_in, self.p_out

    def _parts_bits(self):
        index = (self.n - 1).bit_length()
        orders = sum(p is not None for p in (self.p_in, self.p_out))
        return 8 * (self.B0.nbytes + self.B1.nbytes) + orders * self.n * index

    def __repr__(self) -> str:
        if self.seed is None:
            return f"KroneckerHaar.from_parts(<{self.B0.shape}>, <{self.B1.shape}>, ...)"
        options = (", shared=False" if self.B0.ndim == 3 else "") + (", permute=False" if self.p_in is None else "")
        return f"KroneckerHaar({self.n}, seed={self.seed}{options})"


def alternate_factors(n):
    """(f0, f1) with f0 f1 = n: the ascending prime factors of n, dealt out in turn."""
    primes, p = [], 2
    while n > 1:
        if p * p > n:
            p = n
        while n % p == 0:
            primes.append(p)
            n //= p
        p += 1
    return int(np.prod(primes[0::2], dtype=np.int64)), int(np.prod(primes[1::2], dtype=np.int64))


def haar(seed, purpose, shape):
    """Matrices (..., f, f), uniform on the orthogonal group.

    Q of Q R = G Gaussian, where R has a positive diagonal: then Q is a function of G alone that turns with it.
    LAPACK leaves the signs of R open, and its Q by itself is not uniform.
    """
    Q, R = np.linalg.qr(seeds.gaussian(seed, purpose, shape))
    return Q * np.where(np.einsum("...ii->...i", R) < 0, -1.0, 1.0)[..., None, :]


def _factor(B, name):
    ndim = np.ndim(B)
    B = checks.real_array(B, name, ndim=ndim)
    if ndim not in (2, 3) or B.shape[-1] != B.shape[-2] or not B.size:
        raise ValueError(f"{name} must be a square matrix or a stack of them, but its shape is {B.shape}.")
    return orthonormal(B, name)


def _permutation(p, name, n):
    if p is None:
        return None
    p = np.asarray(p)
    if p.dtype.kind not in "iu":
        raise TypeError(f"{name} must hold integers, but its dtype is {p.dtype}.")
    if p.shape != (n,) or not np.array_equal(np.sort(p), np.arange(n)):
        raise ValueError(
            f"{name} must hold each of 0 ... {n - 1} once, but its shape is {p.shape} and its entries are not those."
        )
    return p


def _inverse(p):
    return None if p is None else np.argsort(p)


def _reordered(T, p):
    """T with its rows in another order, as a C-contiguous array."""
    return np.ascontiguousarray(T) if p is None else np.take(T, p, axis=0)
