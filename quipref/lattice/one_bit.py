"""QuIP#'s codebook of one bit a weight: 256 points of E8, which round what E8P leaves over.

They are the origin, the 240 roots (the shortest vectors of E8) and 15 of the 16 vectors with one coordinate of +-2.
Up to signs these are 38 patterns: nothing, 28 pairs of ones, eight halves, 8 twos.
"""

from functools import cache
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from quipref import backend as backends
from quipref.lattice import e8
from quipref.lattice.e8p import ROWS_A_THREAD, ROWS_AT_ONCE, busy, vectors

__all__ = ["decode", "points", "quantize"]

HALVES, FIRST_TWO = 29, 30  # rows of patterns(); row 0 is nothing, and after it come the pairs
UNIT = 8  # scores are divided by it, so that none of them leaves the range of float32
MISSING = 2**15  # where a pattern with these signs is no point


@cache
def points() -> NDArray[np.float32]:
    """The 256 points, each the row that its code counts: (256, 8), read-only.

    0 and the integer roots in lexicographic order, the other roots in that order, 2 e_1 to 2 e_8, -2 e_1 to -2 e_7

    Returns
    -------
    array (256, 8), float32

    Notes
    -----
    For -2 e_8 a byte has no room.

    References
    ----------
    QuIP#, arXiv:2402.04396v2, section 4.3; the order is that of the authors' program.

    Examples
    --------
    >>> points()[[0, 56, 113, 255]]
    array([[-1. , -1. ,  0. ,  0. ,  0. ,  0. ,  0. ,  0. ],
           [ 0. ,  0. ,  0. ,  0. ,  0. ,  0. ,  0. ,  0. ],
           [-0.5, -0.5, -0.5, -0.5, -0.5, -0.5, -0.5, -0.5],
           [ 0. ,  0. ,  0. ,  0. ,  0. ,  0. , -2. ,  0. ]], dtype=float32)
    """
    roots = e8.shell(2)
    whole = (roots % 1 == 0).all(axis=1)
    integers = np.concatenate([roots[whole], np.zeros((1, 8))])
    integers = integers[np.lexsort(integers.T[::-1])]
    twos = 2 * np.eye(8)
    return _read_only(np.concatenate([integers, roots[~whole], twos, 0 - twos[:7]]).astype(np.float32))


@cache
def patterns() -> NDArray[np.float32]:
    """The absolute values that points have, each once: (38, 8), read-only; of equal scores the first row wins."""
    unit = np.eye(8, dtype=np.float32)
    pairs = [unit[i] + unit[j] for i, j in combinations(range(8), 2)]
    return _read_only(np.stack([0 * unit[0], *pairs, np.full_like(unit[0], 0.5), *(2 * unit)]))


@cache
def codes_of_signs() -> NDArray[np.uint16]:
    """The code of each pattern with each choice of signs, bit i for a negative coordinate i: (38, 256), read-only."""
    flip = 1 - 2 * (np.arange(256)[:, None] >> np.arange(8) & 1)
    rows = {tuple(point): row for row, point in enumerate(points().tolist())}
    signed = (patterns()[:, None] * flip).reshape(-1, 8) + 0.0  # no -0.0
    table = [rows.get(tuple(point), MISSING) for point in signed.tolist()]
    return _read_only(np.array(table, np.uint16).reshape(-1, 256))


def quantize(
    X: ArrayLike, *, backend: backends.Backend = "numba", threads: int | None = None
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """The nearest of the 256 points to each vector of eight numbers.

    argmin over q of |x - q|^2 = argmax over q of x.q - |q|^2 / 2

    Parameters
    ----------
    X : array (..., 8), real float
        Searched in float32, to which float64 is rounded.
    backend : str
        ``"numba"`` or ``"numpy"``.
    threads : int, optional
        Default all cores of this process.

    Returns
    -------
    codes : array (...), uint8
    X_hat : array (..., 8), float32

    Raises
    ------
    ValueError, TypeError
        X not finite, not real, beyond single precision, or of another length than eight.

    Notes
    -----
    Among equal scores the origin wins, then a pair, of the earliest coordinates, then the halves; zeros count as
    positive; and where an odd number of the halves would be negative, the first coordinate with the least |x_i| turns
    round. Scores are rounded to float32, so a point may win that is farther by their rounding error, 2^-22 |x|.

    References
    ----------
    QuIP#, arXiv:2402.04396v2, section 4.3.

    Examples
    --------
    >>> X = np.array([[0.9, 0.1, 0.0, -0.8, 0.0, 0.0, 0.0, 0.0], [0.1] * 8, [-3.0] + [0.1] * 7])
    >>> codes, X_hat = quantize(X)
    >>> X_hat.tolist()[0], X_hat.tolist()[1] == [0.0] * 8, X_hat.tolist()[2]
    ([1.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 0.0], True, [-2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    """
    X = vectors(X)
    flat = X.reshape(-1, 8)
    codes = np.empty(len(flat), np.uint8)
    compiled, threads = backends.compiled(backend), busy(threads, len(flat), ROWS_A_THREAD)
    search, most = (backends.twin("nearest_roots"), None) if compiled else (nearest_roots, ROWS_AT_ONCE)
    backends.over_rows(len(flat), threads, lambda *rows: search(flat, codes_of_signs(), *rows, codes), most)
    return codes.reshape(X.shape[:-1]), np.take(points(), codes, axis=0).reshape(X.shape)


def nearest_roots(X, codes_of_signs, first_row, last_row, codes):
    """Write into `codes` that of the point nearest to each of the rows of X (B, 8).

    score = sum_i v_i |x_i| - |v|^2 / 2 for each pattern v, less min |x_i| for the halves if their signs are odd
    """
    v = patterns() / UNIT
    norms = (np.square(patterns()).sum(axis=1) / (2 * UNIT)).astype(X.dtype)
    x = X[first_row:last_row]
    negative, size = x < 0, np.abs(x)
    odd = negative.sum(axis=1) % 2 == 1
    score = size @ v.T - norms
    score[:, HALVES] -= odd * size.min(axis=1) / UNIT
    score[negative[:, 7], FIRST_TWO + 7] = -np.inf  # -2 e_8 is no point
    best = score.argmax(axis=1)
    turned = np.flatnonzero(odd & (best == HALVES))
    negative[turned, size[turned].argmin(axis=1)] ^= True
    codes[first_row:last_row] = codes_of_signs[best, (negative << np.arange(8)).sum(axis=1)]


def decode(codes: ArrayLike, *, backend: backends.Backend = "numba", threads: int | None = None) -> NDArray[np.float32]:
    """The points that codes name.

    Parameters
    ----------
    codes : array (...), integer
        From 0 to 255.
    backend, threads
        As for `e8p.decode`; a look-up in so small a table has but one form.

    Returns
    -------
    X_hat : array (..., 8), float32

    Raises
    ------
    ValueError, TypeError
        Something that is no code, or a misspelt option.

    References
    ----------
    QuIP#, arXiv:2402.04396v2, section 4.3.

    Examples
    --------
    >>> decode([248, 255])
    array([[ 0.,  0.,  0.,  0.,  0.,  0.,  0.,  2.],
           [ 0.,  0.,  0.,  0.,  0.,  0., -2.,  0.]], dtype=float32)
    """
    backends.compiled(backend)
    backends.thread_count(threads)
    codes = np.asarray(codes)
    if codes.dtype.kind not in "ui":
        raise TypeError(f"codes must be integers, but their dtype is {codes.dtype}. `quantize` of one_bit makes them.")
    if codes.size and not (codes.min() >= 0 and codes.max() < 256):
        raise ValueError(
            f"codes must lie from 0 to 255, the rows of the table, but they lie from {codes.min()} to {codes.max()}. "
            "Codes of 16 bits are those of e8p."
        )
    return np.take(points(), codes.astype(np.uint8), axis=0)


def _read_only(table):
    table.setflags(write=False)
    return table
