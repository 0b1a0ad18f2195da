"""QuIP#'s rotations: random signs before a Hadamard matrix, random phases before a Fourier transform."""

from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from quipref import checks
from quipref.incoherence import seeds
from quipref.incoherence.hadamard import hadamard_plan
from quipref.incoherence.orthogonal import Orthogonal, frozen, vectors


class RandomizedHadamard(Orthogonal):
    """Random signs, then a Hadamard matrix.

    V = H diag(signs) / sqrt(n)

    Parameters
    ----------
    n : int
        At least 1. H is that of `hadamard_plan(n)`.
    seed : int or Generator
        Required. From a Generator one integer is drawn, and kept as `seed`.
    exact : bool
        True refuses an n for which no Hadamard matrix is built here. False takes the plan's fallback for it.

    Raises
    ------
    ValueError, TypeError
        A size below 1, a seed that is missing, negative, or longer than 64 bits; no exact plan where one was asked.

    Notes
    -----
    For an exact plan mu of a rotated H is sqrt(2 log(2 n^2 / delta)) at most, with probability 1 - delta, whatever
    H is. The signs alone are random: one bit a coordinate, were they stored, and 64 for the seed.

    References
    ----------
    QuIP#, arXiv:2402.04396v2, section 3 and lemma 3.1.

    Examples
    --------
    >>> import numpy as np
    >>> V = RandomizedHadamard(4, seed=0)
    >>> np.abs(V.matrix())
    array([[0.5, 0.5, 0.5, 0.5],
           [0.5, 0.5, 0.5, 0.5],
           [0.5, 0.5, 0.5, 0.5],
           [0.5, 0.5, 0.5, 0.5]])
    >>> V == RandomizedHadamard.from_signs(V.signs)
    True
    """

    def __init__(self, n: int, *, seed: int | np.random.Generator | None = None, exact: bool = False) -> None:
        n, seed = checks.integer(n, "n", low=1), seeds.chosen(seed)
        plan = hadamard_plan(n)
        if exact and not plan.exact:
            raise ValueError(
                f"n must have an exact Hadamard plan for exact=True, but {n} came: {plan.explain()}. "
                f"Take that with exact=False, or KroneckerHaar({n}, seed={seed})."
            )
        self._keep(plan, seed, seeds.signs(seed, "signs", n))

    @classmethod
    def from_signs(cls, signs: ArrayLike) -> Self:
        """The rotation with given signs, such as those that a checkpoint stores.

        Parameters
        ----------
        signs : array (n,), real
            Each +1 or -1.

        Returns
        -------
        RandomizedHadamard
            Without a seed; it is stored by its n signs, a bit each.

        Raises
        ------
        ValueError, TypeError
            No sign at all, or a number that is neither +1 nor -1.
        """
        signs = np.asarray(signs)
        if signs.dtype.kind not in "fi":
            raise TypeError(f"signs must hold signed numbers, but its dtype is {signs.dtype}.")
        if signs.ndim != 1 or not signs.size or not (np.abs(signs) == 1).all():
            raise ValueError(f"signs must be a vector of +1 and -1, but one of shape {signs.shape} came with others.")
        self = cls.__new__(cls)
        self._keep(hadamard_plan(len(signs)), None, signs.astype(np.int8))
        return self

    def _keep(self, plan, seed, signs):
        self.n, self.seed, self.plan, self.signs = plan.n, seed, plan, frozen(signs)

    @property
    def diagonal(self) -> NDArray[np.float64]:
        """signs / sqrt(n): V = H diag(diagonal), and one pass over a matrix does both."""
        return self.signs * self.n**-0.5

    def mix(self, X: NDArray[np.floating], axis: int = -1) -> NDArray[np.floating]:
        """H x for each vector x along an axis of a contiguous array, which may be overwritten."""
        return self.plan.unnormalised(X, axis)

    def apply(self, X: ArrayLike, axis: int = -1) -> NDArray[np.floating]:
        """V x for each vector x along an axis, as a new array; float32 stays float32, all else is float64."""
        X, axis = vectors(X, axis, self.n)
        return self.mix(np.multiply(X, self._diagonal_along(X, axis), order="C"), axis)

    def undo(self, X: ArrayLike, axis: int = -1) -> NDArray[np.floating]:
        """V^T x for each vector x along an axis, as a new array: what `apply` did is undone."""
        X, axis = vectors(X, axis, self.n)
        Y = self.plan.unnormalised(np.array(X, order="C"), axis, transpose=True)
        Y *= self._diagonal_along(X, axis)
        return Y

    def _diagonal_along(self, X, axis):
        return self.diagonal.astype(X.dtype).reshape(-1, *[1] * (X.ndim - 1 - axis))

    def _parts(self):
        return (self.signs,)

    def _parts_bits(self):
        return self.n

    def __repr__(self) -> str:
        if self.seed is None:
            return f"RandomizedHadamard.from_signs(<{self.n}>)"
        return f"RandomizedHadamard({self.n}, seed={self.seed})"


class RandomizedFourier(Orthogonal):
    """Random phases, then the Fourier transform, on pairs of coordinates taken as complex numbers.

    V = F diag(exp(i phases)),    z_j = x_2j + i x_2j+1,    F_jk = exp(-2 pi i j k / N) / sqrt(N),    N = n / 2

    Parameters
    ----------
    n : int
        Even, at least 2.
    seed : int or Generator
        Required. From a Generator one integer is drawn, and kept as `seed`.

    Raises
    ------
    ValueError, TypeError
        An n that is odd or below 2, a seed that is missing, negative, or longer than 64 bits.

    Notes
    -----
    The phases are uniform on the circle. F is unitary on C^N, so V is orthogonal on R^n. mu is bounded as for
    `RandomizedHadamard`, and no Hadamard matrix is needed.

    References
    ----------
    QuIP#, arXiv:2402.04396v2, section 3 and lemma 3.1.

    Examples
    --------
    >>> import numpy as np
    >>> V = RandomizedFourier(6, seed=0)
    >>> x = np.array([1.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    >>> z = V.apply(x).view(complex)  # a spike becomes three complex numbers of one size
    >>> bool(np.allclose(np.abs(z), 1 / np.sqrt(3))), bool(np.allclose(V.undo(V.apply(x)), x))
    (True, True)
    """

    def __init__(self, n: int, *, seed: int | np.random.Generator | None = None) -> None:
        n, seed = checks.integer(n, "n", low=2), seeds.chosen(seed)
        if n % 2:
            raise ValueError(
                f"n must be even for RandomizedFourier, which takes R^n as C^(n/2), but {n} came. "
                f"Use KroneckerHaar({n}, seed={seed}) or RandomizedHadamard({n}, seed={seed})."
            )
        self.n, self.seed = n, seed
        self.phases = frozen(2 * np.pi * seeds.uniform(seed, "phases", n // 2))

    def _mix(self, rows):
        z = _paired(rows)
        return np.fft.fft(z * np.exp(1j * self.phases).astype(z.dtype), norm="ortho").view(rows.dtype)

    def _unmix(self, rows):
        z = np.fft.ifft(_paired(rows), norm="ortho")
        z *= np.exp(-1j * self.phases).astype(z.dtype)
        return z.view(rows.dtype)

    def _parts(self):
        return (self.phases,)

    def __repr__(self) -> str:
        return f"RandomizedFourier({self.n}, seed={self.seed})"


def _paired(rows):
    """R^n as C^(n/2): adjacent coordinates are the real and the imaginary part."""
    return np.ascontiguousarray(rows).view(np.result_type(rows.dtype, np.complex64))
