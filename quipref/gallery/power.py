"""Power-law levels: uniform steps of |w|^a, with the exponent a of least error."""

import numpy as np
from numpy.typing import ArrayLike

from quipref.gallery.levels import HALF_BITS, Levels, half, level_count, matrix

EXPONENTS = np.arange(1, 33) / 16  # a; the sixteenth is 1, the uniform grid
EXPONENT_BITS = 5


def fit(W: ArrayLike, bits: int) -> Levels:
    """A power of the weights rounded to a symmetric uniform grid, with one exponent for the layer.

    k = round(K sign(w) (|w| / s)^a),  w_hat = s sign(k) (|k| / K)^(1/a),  K = 2^(b-1) - 1,  s = max |w| of a row

    Parameters
    ----------
    W : array (m, n), real float
    bits : int
        b, 2 to 8. Of the 2^b codes one is not used.

    Returns
    -------
    Levels
        Its attribute `exponent` is a. It needs 16 bits a row for s and 5 bits for a.

    Raises
    ------
    ValueError, TypeError
        Bits out of range, NaN, weights beyond half precision.

    Notes
    -----
    The powers are the continuous automorphisms of the positive numbers under multiplication, so a product of two
    rounded numbers is the power of the product of their codes: integer arithmetic stays. Here a is the best of
    1/16, 2/16 ... 2 for the layer's squared error; the papers search it as a real number, NUPES by gradients and
    together with the codes.

    References
    ----------
    PowerQuant, E. Yvinec et al., arXiv:2301.09858; NUPES, E. Yvinec et al., arXiv:2308.05600.

    Examples
    --------
    >>> W = np.random.default_rng(0).standard_normal((4, 500))
    >>> fit(W, 4).exponent < 1, fit(np.sign(W) * np.abs(W) ** 0.2, 4).exponent > 1
    (True, True)
    """
    W, K = matrix(W), level_count(bits, low=2) // 2 - 1
    scale = half(np.abs(W).max(axis=1, keepdims=True), up=True)
    tried = [_levels(scale, a, K) for a in EXPONENTS]
    return min(tried, key=lambda levels: np.square(W - levels.quantize(W)[1]).sum())


def _levels(scale, a, K):
    """The Levels of one exponent, with edges where a power of a weight lies halfway between two codes."""
    above, halfway = (np.arange(1, K + 1) / K) ** (1 / a), ((np.arange(K) + 0.5) / K) ** (1 / a)
    table = np.hstack([-above[::-1], 0.0, above])
    found = Levels(scale * table, HALF_BITS * len(scale) + EXPONENT_BITS, scale * np.hstack([-halfway[::-1], halfway]))
    found.exponent = float(a)
    return found
