"""QuIP#'s codebook E8P: 65536 points of the shifted lattice E8 + 1/4, which 256 patterns and their signs make up.

A point is a pattern of halves 1/2, 3/2, 5/2 with signs that make its sum even, and then 1/4 more or 1/4 less in
all eight coordinates. So 16 bits name eight weights, and a table of 256 rows is all that a decoder needs.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from quipref import backend as backends
from quipref import checks
from quipref.lattice.e8p_codes import (
    checked_codes,
    code,
    from_paper_format,
    is_odd,
    patterns,
    points,
    to_paper_format,
    values,
)
from quipref.rounding.scale import in_units, stored_scale

__all__ = ["E8PQuantizer", "decode", "from_paper_format", "patterns", "points", "quantize", "to_paper_format"]

ROWS_A_THREAD = 2**12  # a thread is handed so many vectors or more: searching them takes as long as that hand-over
ROWS_AT_ONCE = 512  # the reference tries all patterns on so many vectors at a time: little memory, soon interrupted


def quantize(
    X: ArrayLike, *, backend: backends.Backend = "numba", threads: int | None = None
) -> tuple[NDArray[np.uint16], NDArray[np.float32]]:
    """The nearest of the 65536 points to each vector of eight numbers.

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
    codes : array (...), uint16
    X_hat : array (..., 8), float32

    Raises
    ------
    ValueError, TypeError
        X not finite, not real, beyond single precision, or of vectors of another length; or a misspelt option.

    Notes
    -----
    Take the shift d = 1/4 or -1/4 off x. A pattern v, with the signs of x - d, has the score sum_i v_i |x_i - d| -
    |v|^2 / 2; where such signs would make its sum odd, the one with the least v_i |x_i - d| is turned round, which
    takes twice that from the score. The best of 2 x 256 scores is the nearest point.

    Among equal scores, d = 1/4 wins; then the pattern of the least norm, of the fewest 5/2, of the first row; then the
    first coordinate is turned round. Scores are rounded to float32, so the point may be further off than the nearest
    one by as much as that rounds them: numbers that vanish beside 1/4 count as zeros.

    References
    ----------
    QuIP#, arXiv:2402.04396v2, section 4.2.

    Examples
    --------
    >>> codes, X_hat = quantize([0.9, -0.3, 0.2, 1.6, 0.1, -0.2, 0.7, 0.8])
    >>> hex(codes)
    '0x20d4'
    >>> X_hat
    array([ 0.75, -0.25,  0.75,  1.75, -0.25, -0.25,  0.75,  0.75],
          dtype=float32)
    """
    X = vectors(X)
    X_hat = np.empty(X.shape, np.float32)
    codes = _search(X.reshape(-1, 8), np.float32(1), X_hat.reshape(-1, 8), backend, threads)
    return codes.reshape(X.shape[:-1]), X_hat


def _search(X, scale, X_hat, backend, threads):
    """The codes of the points nearest to X (B, 8); scale times these points is written to X_hat (B, 8)."""
    compiled, codes = backends.compiled(backend), np.empty(len(X), np.uint16)
    search = backends.twin("nearest_points") if compiled else nearest_points
    write = backends.twin("point_values") if compiled else point_values

    def task(first, last):
        search(X, patterns(), first, last, codes)
        write(codes, patterns(), scale, first, last, X_hat)

    backends.over_rows(len(X), busy(threads, len(X), ROWS_A_THREAD), task, None if compiled else ROWS_AT_ONCE)
    return codes


def busy(threads, rows, least):
    """So many threads that each has a worthwhile number of rows."""
    return min(backends.thread_count(threads), max(rows // least, 1))


def vectors(X):
    """X as C-contiguous float32 vectors of eight."""
    X = checks.real_array(X, "X", ndim=np.ndim(X))
    if X.shape[-1:] != (8,):
        raise ValueError(
            f"X must consist of vectors of 8 numbers along its last axis, but its shape is {X.shape}. "
            "Reshape it, or pad it with zeros."
        )
    with np.errstate(over="ignore"):
        narrow = X.astype(np.float32, order="C", copy=False)
    if not np.isfinite((narrow.min(initial=0), narrow.max(initial=0))).all():
        raise ValueError(
            f"X must fit single precision, but it reaches {np.abs(X).max():.1e}. Divide it by a power of two: "
            "so far out the nearest point depends on the direction alone."
        )
    return narrow


def nearest_points(X, patterns, first_row, last_row, codes):
    """Write the codes (B,) of the points nearest to some rows of X (B, 8): the better of the two shifts d."""
    rows = slice(first_row, last_row)
    (score_up, code_up), (score_down, code_down) = (best_with_shift(d, X[rows], patterns) for d in (0.25, -0.25))
    codes[rows] = np.where(score_down > score_up, code_down, code_up)


def best_with_shift(d, X, patterns):
    """(score, code) of the best point with the shift d for each row."""
    # x.q - |q|^2 / 2 = sum_i v_i |x_i - d| + d sum_i x_i - |v|^2 / 2 - 4 d^2; the last term is the same for both d
    v = patterns / 16  # so that no score leaves the range of float32
    half_norm, order = np.square(patterns).sum(axis=1) / 32, _by_rank(patterns)
    Y = X - X.dtype.type(d)
    a, negative = np.abs(Y), Y < 0
    wrong = is_odd(patterns) ^ is_odd(negative)[:, None]
    least = (a[:, None] * v).min(axis=2)
    # d sum x joins the sum that holds its counterpart: where x has vanished in |x - d|, it must vanish as well.
    score = a @ v.T + (X @ np.full((8, 1), d / 16, X.dtype)) - half_norm - 2 * wrong * least
    row = order[score[:, order].argmax(axis=1)]  # the first among equals
    each = np.arange(len(X))
    turned = (a * v[row]).argmin(axis=1)
    negative[each, turned] ^= wrong[each, row]
    return score[each, row], code(row, negative, parity=int(d < 0))


def _by_rank(patterns):
    """The rows in the order in which equals win: of the least norm, then of the fewest 5/2, then the first."""
    return np.lexsort((patterns.max(axis=1) == 2.5, np.square(patterns).sum(axis=1)))


def point_values(codes, patterns, scale, first_row, last_row, X_hat):
    """Write scale times their points to some rows of X_hat (B, 8), for codes (B,)."""
    X_hat[first_row:last_row] = scale * values(codes[first_row:last_row])


def decode(codes: ArrayLike, *, backend: backends.Backend = "numba", threads: int | None = None) -> NDArray[np.float32]:
    """The points that codes name.

    Parameters
    ----------
    codes : array (...), integer
        From 0 to 65535, in the program's format.
    backend : str
        ``"numba"`` or ``"numpy"``.
    threads : int, optional
        Default all cores of this process.

    Returns
    -------
    X_hat : array (..., 8), float32

    Raises
    ------
    ValueError, TypeError
        Something that is no code, or a misspelt option.

    References
    ----------
    QuIP#, arXiv:2402.04396v2, appendix C.

    Examples
    --------
    >>> decode(0)
    array([0.75, 0.75, 0.75, 0.75, 0.75, 0.75, 0.75, 0.75], dtype=float32)
    """
    codes = checked_codes(codes)
    X_hat = np.empty((codes.size, 8), np.float32)
    _write_points(codes.ravel(), np.float32(1), X_hat, backend, threads)
    return X_hat.reshape(*codes.shape, 8)


def _write_points(codes, scale, X_hat, backend, threads):
    write = backends.twin("point_values") if backends.compiled(backend) else point_values
    threads = busy(threads, len(codes), 8 * ROWS_A_THREAD)
    backends.over_rows(len(codes), threads, lambda first, last: write(codes, patterns(), scale, first, last, X_hat))


class E8PQuantizer:
    """The Quantizer of QuIP# at 2 bits: eight weights are a point of E8P, with one scale for all.

    t_hat = scale * q,    q the point that is nearest to t / scale

    Parameters
    ----------
    scale : float
        At least 0 and kept in single precision; 0 makes every weight 0.
    backend : str
        ``"numba"`` or ``"numpy"``.
    threads : int, optional
        Default all cores of this process.

    Raises
    ------
    ValueError, TypeError
        A scale that is negative or beyond single precision, or a misspelt option.

    References
    ----------
    QuIP#, arXiv:2402.04396v2, section 4.2.

    Examples
    --------
    >>> import numpy as np
    >>> T = np.random.default_rng(0).standard_normal((4, 16))
    >>> rounder = E8PQuantizer()
    >>> codes, T_hat = rounder.quantize(T)
    >>> codes.shape, bool((rounder.decode(codes) == T_hat).all()), bool(((T - T_hat) ** 2).mean() < 0.15)
    ((4, 2), True, True)
    """

    block = 8
    bits = 2
    code_bits = 16

    def __init__(self, scale: float = 1.0, *, backend: backends.Backend = "numba", threads: int | None = None) -> None:
        self.scale = stored_scale(scale)
        backends.compiled(backend)
        backends.thread_count(threads)
        self._how = {"backend": backend, "threads": threads}

    def quantize(
        self, T: ArrayLike, rng: int | np.random.Generator | None = None
    ) -> tuple[NDArray[np.uint16], NDArray[np.floating]]:
        """Round targets T (rows, 8 q); return (codes (rows, q), T_hat), T_hat as T. `rng` is not used."""
        T = checks.real_array(T, "T", ndim=2)
        check_columns(T, "T")
        X, T_hat = np.ascontiguousarray(in_units(T, self.scale)), np.empty(T.shape, T.dtype)
        codes = _search(X.reshape(-1, 8), T.dtype.type(self.scale), T_hat.reshape(-1, 8), **self._how)
        return codes.reshape(len(T), T.shape[1] // 8), T_hat

    def decode(self, codes: ArrayLike) -> NDArray[np.float64]:
        """The weights (m, n) of codes (m, n / 8), as float64, which holds scale times point exactly.

        They are the T_hat of float64 targets; rounded to float32, those of float32 targets.
        """
        codes = checked_codes(codes)
        if codes.ndim != 2:
            raise ValueError(
                f"codes must have 2 axes, rows and blocks of 8 columns, but their shape is {codes.shape}. "
                "E8PQuantizer.quantize makes them."
            )
        W_hat = np.empty((len(codes), 8 * codes.shape[1]))
        _write_points(codes.ravel(), self.scale, W_hat.reshape(-1, 8), **self._how)
        return W_hat

    def __repr__(self) -> str:
        return f"E8PQuantizer(scale={self.scale:g})"


def check_columns(T, name):
    """Refuse a matrix whose rows are not whole blocks of eight."""
    if T.shape[1] % 8:
        raise ValueError(
            f"{name} must have a multiple of 8 columns, which are rounded together, but its shape is {T.shape}. "
            "Pad the layer (and its H) with columns of zeros, and cut them off afterwards."
        )
