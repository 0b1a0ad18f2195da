"""The Gaussian source N(0, 1): what no code can beat, the best scalar quantizers, and how an error is measured.

Incoherence processing makes weights look like independent normal numbers, so the error of a code on them is its
quality. Everything here is for variance one; for another multiply errors by it.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import solve_banded
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from quipref import checks

NEWTON_STEPS = 12  # each doubles the digits; six are enough for all the sizes allowed
MOST_LEVELS = 4096


def distortion_rate(bits: float) -> float:
    """The least mean squared error of any code for N(0, 1) at so many bits a weight.

    D(R) = 4^-R

    Parameters
    ----------
    bits : float
        R, not negative: all bits that a decoder needs, divided by the weights.

    Returns
    -------
    float

    Notes
    -----
    A mean over the source: on one sequence a code may be luckier. A walk with a free start owns bits that a
    tail-biting one does not; they count too (`BitshiftTrellis.storage_bits`).

    References
    ----------
    C. E. Shannon, Coding theorems for a discrete source with a fidelity criterion, IRE Nat. Conv. Rec. 1959.

    Examples
    --------
    >>> distortion_rate(2)
    0.0625
    """
    return 4.0 ** -checks.fraction(bits, "bits")


def rate_needed(mse: float) -> float:
    """The least bits a weight with which any code for N(0, 1) can have this error: R(D) = max(0, -log4 D)."""
    return math.inf if checks.fraction(mse, "mse") == 0 else max(0.0, -math.log(mse, 4))


def snr_db(mse: float) -> float:
    """The signal-to-noise ratio 10 log10(1 / mse) in decibels; one bit a weight is worth at most 6.02 of them."""
    return math.inf if checks.fraction(mse, "mse") == 0 else -10 * math.log10(mse)


def panter_dite(bits: float) -> float:
    """sqrt(3) pi/2 4^-b, to which the error of the best scalar quantizer tends as its 2^b levels become many.

    P. F. Panter and W. Dite, Quantization distortion in pulse-count modulation, Proc. IRE 39, 1951: a factor 2.72
    above D(R), or 4.35 dB, however fine.
    """
    return math.sqrt(3) * math.pi / 2 * distortion_rate(bits)


class MeasuredError(NamedTuple):
    """A mean squared error and the standard_error of that mean."""

    mean: float
    standard_error: float


def mean_squared_error(X: ArrayLike, X_hat: ArrayLike) -> MeasuredError:
    """The mean squared error over independent sequences, with its standard error.

    mean_b e_b, e_b = mean_t (X_bt - X_hat_bt)^2;  standard error = std(e_b) / sqrt(B)

    Parameters
    ----------
    X, X_hat : array (B, T), real float
        B >= 2 independent sequences. Weights of one sequence need not be independent: each counts once.

    Returns
    -------
    MeasuredError
        (mean, standard_error), as floats.

    Raises
    ------
    ValueError, TypeError
        Other shapes, fewer than two sequences, not finite.

    Examples
    --------
    >>> mean_squared_error([[0.0, 1.0], [0.0, 3.0]], [[0.0, 0.0], [1.0, 3.0]])
    MeasuredError(mean=0.5, standard_error=0.0)
    """
    X = checks.real_array(X, "X", ndim=2)
    X_hat = checks.same_shape(checks.real_array(X_hat, "X_hat", ndim=2), "X_hat", X, "X")
    if len(X) < 2 or not X.shape[1]:
        raise ValueError(f"X must hold two sequences or more to have a standard error, but its shape is {X.shape}.")
    return of_sequences(np.square(X.astype(np.float64) - X_hat).mean(axis=1))


def of_sequences(errors):
    """The MeasuredError of one mean squared error for each sequence, errors (B,)."""
    return MeasuredError(float(errors.mean()), float(errors.std(ddof=1) / math.sqrt(len(errors))))


@dataclass(frozen=True, eq=False)
class ScalarQuantizer:
    """Levels on a line and the edges between their cells: a Quantizer with block = 1.

    Attributes
    ----------
    levels : array (n,), float64
        Ascending.
    edges : array (n - 1,), float64
        A target on an edge goes to the upper level.
    mse : float
        Mean squared error on N(0, 1), exact.
    """

    levels: NDArray[np.float64]
    edges: NDArray[np.float64]
    mse: float

    @property
    def block(self) -> int:
        """One weight at a time."""
        return 1

    @property
    def bits(self) -> float:
        """log2 of the number of levels."""
        return math.log2(len(self.levels))

    @property
    def code_bits(self) -> int:
        """Bits of a stored code, a whole number."""
        return (len(self.levels) - 1).bit_length()

    def quantize(
        self, T: ArrayLike, rng: int | np.random.Generator | None = None
    ) -> tuple[NDArray[np.unsignedinteger], NDArray[np.floating]]:
        """(codes, T_hat), both of T's shape (rows, columns); `rng` is not used."""
        T = checks.real_array(T, "T", ndim=2)
        codes = np.searchsorted(self.edges, T, side="right").astype(np.min_scalar_type(len(self.edges)))
        return codes, self.levels[codes].astype(T.dtype)

    def decode(self, codes: ArrayLike) -> NDArray[np.float64]:
        """The levels that the codes name."""
        codes = np.asarray(codes)
        if codes.dtype.kind not in "ui":
            raise TypeError(f"codes must be integers, but their dtype is {codes.dtype}.")
        return self.levels[codes]


def lloyd_max(n_levels: int) -> ScalarQuantizer:
    """The best scalar quantizer of N(0, 1) with so many levels.

    levels = centroids of their cells, edges = midpoints of the levels;  MSE = 1 - E[Q^2]

    Parameters
    ----------
    n_levels : int
        1 to 4096; 2^b for b bits.

    Returns
    -------
    ScalarQuantizer
        Its levels solve the equations to 1e-11.

    Raises
    ------
    ValueError, TypeError
        n_levels is out of range or no integer.

    Notes
    -----
    Lloyd's alternation of the two conditions creeps when levels are many; Newton's method solves the same
    equations, whose Jacobian I - J is tridiagonal. The density is log-concave, so a cell's centroid moves by
    less than its edges: J has row sums below one, I - J is never singular and the solution is the only one.

    References
    ----------
    S. Lloyd, Least squares quantization in PCM (1957), IEEE Trans. Inf. Theory 28, 1982.
    J. Max, Quantizing for minimum distortion, IRE Trans. Inf. Theory 6, 1960.
    P. E. Fleischer, Sufficient conditions for achieving minimum distortion in a quantizer, 1964 (uniqueness).

    Examples
    --------
    >>> best = lloyd_max(4)
    >>> best.levels.round(5), round(best.mse, 7)
    (array([-1.51042, -0.45278,  0.45278,  1.51042]), 0.1174818)
    """
    n = checks.integer(n_levels, "n_levels", low=1, high=MOST_LEVELS)
    levels = math.sqrt(3) * ndtri((np.arange(n) + 0.5) / n)  # exact in the limit: density of levels ~ pdf^(1/3)
    for _ in range(NEWTON_STEPS):
        edges = midpoints(levels)
        mass, moment = cells(edges)
        centroids = moment / mass
        # How a centroid moves with its lower and its upper edge; each edge moves by half of each of its levels.
        with_lower = density(edges) * (centroids[1:] - edges) / mass[1:] / 2
        with_upper = density(edges) * (edges - centroids[:-1]) / mass[:-1] / 2
        banded = np.zeros((3, n))
        banded[0, 1:], banded[2, :-1] = -with_upper, -with_lower
        banded[1] = 1
        banded[1, 1:] -= with_lower
        banded[1, :-1] -= with_upper
        levels = levels + solve_banded((1, 1), banded, centroids - levels)
        levels = (levels - levels[::-1]) / 2  # the solution is symmetric; so keep it to the last bit
    return ScalarQuantizer(levels, midpoints(levels), exact_mse(levels, midpoints(levels)))


def optimum_uniform(n_levels: int) -> ScalarQuantizer:
    """The best quantizer of N(0, 1) with so many equally spaced levels, symmetric about zero.

    levels = s k_i, k_i = i - (n - 1)/2;  s = E[x k] / E[k^2], the slope of x on the index of its cell

    Parameters
    ----------
    n_levels : int
        2 to 4096.

    Returns
    -------
    ScalarQuantizer
        Its step is ``levels[1] - levels[0]``.

    Raises
    ------
    ValueError, TypeError
        n_levels is out of range or no integer.

    References
    ----------
    J. Max, Quantizing for minimum distortion, IRE Trans. Inf. Theory 6, 1960, table II.

    Examples
    --------
    >>> best = optimum_uniform(4)
    >>> best.levels.round(5), round(best.mse, 6)
    (array([-1.49353, -0.49784,  0.49784,  1.49353]), 0.118846)
    """
    n = checks.integer(n_levels, "n_levels", low=2, high=MOST_LEVELS)
    k = np.arange(n) - (n - 1) / 2

    def excess(step):
        mass, moment = cells(midpoints(step * k))
        return step - (k @ moment) / (k**2 @ mass)

    step = brentq(excess, 1 / n, 4.0, xtol=1e-15)  # finer than the first the slope is larger, coarser than 4 smaller
    return uniform(n, step)


def uniform(n_levels: int, step: float) -> ScalarQuantizer:
    """Levels `step` apart, symmetric about zero, with their exact error on N(0, 1)."""
    levels = step * (np.arange(n_levels) - (n_levels - 1) / 2)
    return ScalarQuantizer(levels, midpoints(levels), exact_mse(levels, midpoints(levels)))


def exact_mse(levels, edges):
    """E (x - Q(x))^2 = 1 - 2 sum_i q_i E[x in cell i] + sum_i q_i^2 P(cell i) for x ~ N(0, 1)."""
    mass, moment = cells(edges)
    return float(1 - 2 * levels @ moment + levels**2 @ mass)


def midpoints(levels):
    """The edges halfway between neighbouring levels."""
    return (levels[1:] + levels[:-1]) / 2


def density(x):
    """The density of N(0, 1)."""
    return np.exp(-np.square(x) / 2) / math.sqrt(2 * math.pi)


def cells(edges):
    """(mass, first moment) of N(0, 1) between neighbouring edges, the outer cells included: two arrays (n,).

    Above zero the mass is taken from the upper tail, where the lower one has lost its digits.
    """
    low, high = np.r_[-np.inf, edges], np.r_[edges, np.inf]
    mass = np.where(low > 0, ndtr(-low) - ndtr(-high), ndtr(high) - ndtr(low))
    return mass, density(low) - density(high)
