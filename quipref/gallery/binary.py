"""Least-squares binary weights, and the binary form of what they leave over."""

import numpy as np
from numpy.typing import ArrayLike

from quipref.gallery.binary_quantizer import BinarySum
from quipref.gallery.levels import half, level_count, matrix


def fit(W: ArrayLike, bits: int) -> BinarySum:
    """A sum of b sign vectors a row, each with the scale of least squared error for what is left before it.

    r_1 = w,  a_i = mean |r_i|,  r_(i+1) = r_i - a_i sign(r_i),  w_hat = sum_i a_i sign(r_i)

    Parameters
    ----------
    W : array (m, n), real float
    bits : int
        b, 1 to 8: one is the binary weight, two its residual form.

    Returns
    -------
    BinarySum
        It needs 16 b bits a row.

    Raises
    ------
    ValueError, TypeError
        Bits out of range, NaN, weights beyond half precision.

    Notes
    -----
    No other scale and signs are nearer to r_i; they take n a_i^2 off |r_i|^2. BiLLM has two for salient columns alone.

    References
    ----------
    XNOR-Net, M. Rastegari et al., arXiv:1603.05279, section 3.1; BiLLM, W. Huang et al., arXiv:2402.04291.

    Examples
    --------
    >>> fit(np.array([[1.0, -3.0]]), 2).scales
    array([[2., 1.]])
    """
    rest = matrix(W)
    scales = []
    for _ in range(level_count(bits).bit_length() - 1):
        scales.append(half(np.abs(rest).mean(axis=1, keepdims=True), may_vanish=bool(scales)))
        rest = rest - np.where(rest >= 0, scales[-1], -scales[-1])
    return BinarySum(np.hstack(scales))
