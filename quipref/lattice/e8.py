"""The lattices D8 and E8: the densest packing of spheres in eight dimensions, and the best lattice known to round to.

D8 holds the integer vectors of even sum; E8 is D8 together with D8 + 1/2, where 1/2 stands for (1/2, ..., 1/2).
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from quipref import checks

DIMENSION = 8
VOLUME = 1.0  # of a cell: E8 has as many points as Z^8
KISSING_NUMBER = 240  # nearest neighbours of a point, all at distance sqrt 2
PACKING_RADIUS = math.sqrt(0.5)  # half that distance
COVERING_RADIUS = 1.0  # no point of space is farther from E8
SECOND_MOMENT = 929 / 12960  # mean squared error a coordinate for a target uniform over a cell; 1/12 for the integers
LARGEST_SHELL = 32  # 1,123,440 points


def nearest_d8(X: ArrayLike) -> NDArray[np.floating]:
    """The point of D8 nearest to each x: round; if the sum is odd, round the worst coordinate the other way.

    Parameters
    ----------
    X : array (..., 8), real float

    Returns
    -------
    array (..., 8)
        Integers of even sum; float32 for float32 X, else float64.

    Raises
    ------
    ValueError, TypeError
        Not eight coordinates, not finite, not real floats.

    Notes
    -----
    Ties: halves go up, and of coordinates that are equally bad the first one moves.

    References
    ----------
    J. H. Conway and N. J. A. Sloane, Fast quantizing and decoding algorithms for lattice quantizers and codes, IEEE
    Trans. Inform. Theory 28, 1982.

    Examples
    --------
    >>> import numpy as np
    >>> print(nearest_d8(np.array([0.9, 0.2, 0.0, 0.4, 0.0, 0.0, 0.0, 0.0])))  # 1 0 ... 0 has an odd sum
    [1. 0. 0. 1. 0. 0. 0. 0.]
    """
    return _nearest_d8(_eights(X, "X"))


def nearest(X: ArrayLike) -> NDArray[np.floating]:
    """The point of E8 nearest to each x: the better of its nearest points in D8 and in D8 + 1/2.

    Parameters
    ----------
    X : array (..., 8), real float

    Returns
    -------
    array (..., 8)
        float32 for float32 X, else float64.

    Raises
    ------
    ValueError, TypeError
        As in `nearest_d8`.

    Notes
    -----
    Ties go to D8, and then as in `nearest_d8`. Beyond 2^21 in single precision, 2^50 in double, the halves of E8
    begin to drown in the spacing of the numbers themselves.

    References
    ----------
    Conway and Sloane 1982, as in `nearest_d8`; QuIP#, arXiv:2402.04396v2, section 4.2.

    Examples
    --------
    >>> import numpy as np
    >>> print(nearest(np.array([[0.4] * 8, [0.1] * 8])))
    [[0.5 0.5 0.5 0.5 0.5 0.5 0.5 0.5]
     [0.  0.  0.  0.  0.  0.  0.  0. ]]
    """
    return _nearest(_eights(X, "X"))


def contains(X: ArrayLike) -> NDArray[np.bool_]:
    """Whether each x is a point of E8: all integers or all halves of odd integers, of even sum.

    Parameters
    ----------
    X : array (..., 8), real float

    Returns
    -------
    array (...), bool

    Raises
    ------
    ValueError, TypeError
        As in `nearest_d8`.

    Examples
    --------
    >>> import numpy as np
    >>> print(contains(np.array([[0.5] * 8, [1.0] * 8, [1.0] + [0.0] * 7])))
    [ True  True False]
    """
    even_part = np.fmod(_eights(X, "X"), 2)  # exact, and it changes nothing: 2 e_i is in E8
    inside = np.abs(np.fmod(even_part, 1))
    return ((inside == 0).all(-1) | (inside == 0.5).all(-1)) & (np.fmod(even_part.sum(-1), 2) == 0)


def shell(squared_norm: int) -> NDArray[np.float64]:
    """All points of E8 of that squared norm, in lexicographic order.

    Parameters
    ----------
    squared_norm : int
        Even, as E8's all are, from 0 to 32.

    Returns
    -------
    array (shell_size(squared_norm), 8), float64

    Raises
    ------
    ValueError, TypeError
        An odd number or one out of range.

    Examples
    --------
    >>> len(shell(2)), float((shell(4) ** 2).sum(axis=1).max()), shell(4)[0].tolist()
    (240, 4.0, [-2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    """
    quadrupled = 4 * _even(squared_norm, LARGEST_SHELL)
    parts = []
    for parity in (0, 1):  # twice the coordinates: all even, or all odd
        values = np.array([t for t in range(-math.isqrt(quadrupled), math.isqrt(quadrupled) + 1) if t % 2 == parity])
        V, left = np.zeros((1, 0), np.int64), np.array([quadrupled])
        for missing in reversed(range(DIMENSION)):
            rest = left[:, None] - values**2
            begun, value = np.nonzero(rest >= missing * parity if missing else rest == 0)
            V, left = np.column_stack([V[begun], values[value]]), rest[begun, value]
        parts.append(V[V.sum(axis=1) % 4 == 0])
    points = np.concatenate(parts)
    return points[np.lexsort(points.T[::-1])] / 2


def shell_size(squared_norm: int) -> int:
    """How many points E8 has of that squared norm: 240 sigma_3(N / 2), sigma_3 the sum of the cubes of all divisors.

    Parameters
    ----------
    squared_norm : int
        N, even and not negative.

    Returns
    -------
    int

    Raises
    ------
    ValueError, TypeError
        An odd or a negative number.

    References
    ----------
    J. H. Conway and N. J. A. Sloane, Sphere Packings, Lattices and Groups, chapter 4, section 8.1: the theta series
    of E8 is an Eisenstein series.

    Examples
    --------
    >>> [shell_size(squared_norm) for squared_norm in (0, 2, 4, 6)]
    [1, 240, 2160, 6720]
    """
    half = _even(squared_norm, None) // 2
    return 240 * sum(d**3 for d in range(1, half + 1) if half % d == 0) if half else 1


def granular_gain(second_moment: float) -> float:
    """10 log10(1 / (12 G)): how many decibels less error than the integers, at the same density of points.

    Parameters
    ----------
    second_moment : float
        G, the mean squared error a coordinate of a lattice of volume 1: `SECOND_MOMENT` for E8, and at least
        1 / (2 pi e), which is 1.53 dB, in any dimension.

    Returns
    -------
    float

    Raises
    ------
    ValueError, TypeError
        Not a positive number.

    Examples
    --------
    >>> round(granular_gain(SECOND_MOMENT), 3)
    0.654
    """
    return -10 * math.log10(12 * positive(second_moment, "second_moment"))


def _nearest_d8(X):
    z = np.floor(X)
    z += X - z >= 0.5  # as floor(x + 1/2), without the rounding of the sum
    error = X - z
    worst = np.abs(error).argmax(axis=-1)[..., None]
    odd = np.fmod(np.fmod(z, 2).sum(axis=-1, keepdims=True), 2) != 0
    other_way = np.where(np.take_along_axis(error, worst, -1) >= 0, 1, -1)
    np.put_along_axis(z, worst, np.take_along_axis(z, worst, -1) + odd * other_way, -1)
    return z


def _nearest(X):
    half = X.dtype.type(0.5)
    whole, halves = _nearest_d8(X), _nearest_d8(X - half) + half
    better = np.square(X - halves).sum(axis=-1) < np.square(X - whole).sum(axis=-1)
    return np.where(better[..., None], halves, whole)


def _eights(X, name):
    """X as finite floats of shape (..., 8)."""
    X = checks.real_array(X, name, ndim=np.ndim(X))
    if X.ndim == 0 or X.shape[-1] != DIMENSION:
        raise ValueError(f"{name} must have shape (..., 8), but its shape is {X.shape}. Reshape it: X.reshape(-1, 8).")
    return X


def _even(squared_norm, high):
    squared_norm = checks.integer(squared_norm, "squared_norm", low=0, high=high)
    if squared_norm % 2:
        raise ValueError(
            f"squared_norm must be even, as the squared norms of E8 are, but {squared_norm} came. "
            f"The shells beside it are those of {squared_norm - 1} and {squared_norm + 1}."
        )
    return squared_norm


def positive(value, name):
    """`value` as a float above zero."""
    value = checks.fraction(value, name)
    if value == 0:
        raise ValueError(f"{name} must be positive, but 0 came.")
    return value
