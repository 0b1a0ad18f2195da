"""Logarithmic levels: a sign and an exponent, so that a multiplication by a weight is a shift."""

import numpy as np
from numpy.typing import ArrayLike

from quipref.gallery.levels import Levels, level_count, matrix

FINENESS = (1, 2, 4, 8)  # f: levels a doubling
EXPONENT_BITS, FINENESS_BITS = 8, 2
LOWERED = 4  # doublings by which the largest level is lowered at most


def fit(W: ArrayLike, bits: int) -> Levels:
    """Levels +-2^(e - i/f), 0 <= i < 2^(b-1): an exponent e a row and a fineness f for all, of least squared error.

    log2 |w_hat| = (f log2 |w| rounded to an integer) / f, clamped

    Parameters
    ----------
    W : array (m, n), real float
    bits : int
        b, 1 to 8: a sign and b - 1 bits of i.

    Returns
    -------
    Levels
        It needs 8 bits a row for f e and 2 bits for f, which is 1, 2, 4 or 8. A row of zeros has levels of zero.

    Raises
    ------
    ValueError, TypeError
        Bits out of range, NaN, weights whose exponent f e does not fit 8 bits.

    Notes
    -----
    The logarithm is rounded, not the weight, so the edges are geometric means: within the range of the levels
    |log2 |w_hat / w|| <= 1 / (2 f), whatever the size of the weight. There is no level of zero.

    References
    ----------
    D. Miyashita, E. H. Lee and B. Murmann, arXiv:1603.01025: bases 2 and sqrt(2), f = 1 and 2, a range for a
    layer. The finer bases and the exponent a row are ours.

    Examples
    --------
    >>> W = np.array([[1.0, -0.5, 0.3, 0.12]])
    >>> fit(W, 3).quantize(W)[1].tolist()
    [[1.0, -0.5, 0.25, 0.125]]
    """
    W, n_levels = matrix(W), level_count(bits)
    tried = [_fit(W, np.abs(W).max(axis=1), f, n_levels // 2) for f in FINENESS]
    least, found = min(tried, key=lambda pair: pair[0])
    if least == np.inf:
        raise ValueError(
            f"W must have a largest weight from 2^-123 to 2^123, but it is {np.abs(W).max():.3g}. "
            "Scale the layer by a power of two first and undo it afterwards."
        )
    return found


def _fit(W, largest, f, n):
    """(squared error, Levels) of fineness f: each row has the exponent of least error, rows out of reach are 0."""
    top = np.ceil(f * np.log2(np.where(largest > 0, largest, 1)) - 0.5)
    reach = 2 ** (EXPONENT_BITS - 1) - LOWERED * f
    alive = (largest > 0) & (top > -reach)
    if top.max() >= reach or (W.any() and not alive.any()):
        return np.inf, None
    tried = [_levels(top - down, alive, f, n) for down in range(LOWERED * f + 1)]
    errors = np.array([np.square(W - levels.quantize(W)[1]).sum(axis=1) for levels in tried])
    return errors.min(axis=0).sum(), _levels(top - errors.argmin(axis=0), alive, f, n)


def _levels(top, alive, f, n):
    """The Levels of exponents top / f, (m,), and of the rows that are not zero."""
    exponents = (top[:, None] - np.arange(n)[::-1]) / f  # of the positive levels, ascending
    above, between = 2.0**exponents, 2.0 ** ((exponents[:, 1:] + exponents[:, :-1]) / 2)
    mirrored = np.hstack([-above[:, ::-1], above]) * alive[:, None]
    edges = np.hstack([-between[:, ::-1], np.zeros((len(top), 1)), between])
    return Levels(mirrored, EXPONENT_BITS * len(top) + FINENESS_BITS, edges)
