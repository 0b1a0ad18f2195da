"""Uniform rounding between the smallest and the largest weight, with a scale and a zero point a row or for all."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from quipref import checks
from quipref.gallery.levels import HALF_BITS, Levels, half, level_count, matrix


def fit(W: ArrayLike, bits: int, *, per: Literal["channel", "tensor"] = "channel") -> Levels:
    """The grid that spans the range of each row (channel), or of the whole tensor, and holds zero.

    s = (max(w, 0) - min(w, 0)) / (2^b - 1),  z = round(-min(w, 0) / s),  w_hat = s (k - z),  0 <= k < 2^b

    Parameters
    ----------
    W : array (m, n), real float
    bits : int
        b, 2 to 8. One bit would leave zero and one other level.
    per : "channel" or "tensor"

    Returns
    -------
    Levels
        It needs 16 + b bits a scale and zero point.

    Raises
    ------
    ValueError, TypeError
        Bits out of range, NaN, a range beyond half precision.

    Notes
    -----
    No weight is moved by more than s / 2: s is stored rounded up, and the zero point's own rounding leaves
    the range short by s / 2 at most. Nothing is clipped, so one large weight makes the whole row coarse.

    References
    ----------
    R. Krishnamoorthi, arXiv:1806.08342, section 2; B. Jacob et al., arXiv:1712.05877.

    Examples
    --------
    >>> W = np.array([[-0.5, 0.0, 0.2, 1.0], [-5.0, 0.0, 2.0, 10.0]])
    >>> fit(W, 2).quantize(W)[1].tolist()
    [[-0.5, 0.0, 0.0, 1.0], [-5.0, 0.0, 0.0, 10.0]]
    >>> fit(W, 2, per="tensor").quantize(W)[1].tolist()
    [[0.0, 0.0, 0.0, 0.0], [-5.0, 0.0, 0.0, 10.0]]
    """
    W, n_levels = matrix(W), level_count(bits, low=2)
    rows = W if checks.choice(per, "per", ("channel", "tensor")) == "channel" else W.reshape(1, -1)
    low, high = rows.min(axis=1, initial=0.0)[:, None], rows.max(axis=1, initial=0.0)[:, None]
    step = half((high - low) / (n_levels - 1), up=True)
    zero = np.floor(-low / np.where(step == 0, 1, step) + 0.5)
    return Levels(step * (np.arange(n_levels) - zero), len(rows) * (HALF_BITS + bits))
