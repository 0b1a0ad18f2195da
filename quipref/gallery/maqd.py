"""Scaled round-clip of standardized weights: rows of mean 0 and variance 1 can all have the same step."""

from numpy.typing import ArrayLike

from quipref.gallery.levels import HALF_BITS, Levels, half, level_count, matrix
from quipref.gaussian import optimum_uniform


def fit(W: ArrayLike, bits: int) -> Levels:
    """Each row made of mean 0 and variance 1, then scaled, rounded and clipped with one fixed step.

    x = (w - mean) / std,  w_hat = mean + std s (clip(floor(x / s), -2^(b-1), 2^(b-1) - 1) + 1/2)

    Parameters
    ----------
    W : array (m, n), real float
    bits : int
        b, 1 to 8.

    Returns
    -------
    Levels
        It needs 32 bits a row for mean and std; s depends on b alone.

    Raises
    ------
    ValueError, TypeError
        Bits out of range, NaN, weights beyond half precision.

    Notes
    -----
    The codes do not change when a row is scaled by a positive number or shifted: that is what standardizing is
    for. Here s is the step of least error for N(0, 1). In training, where this comes from, the mean and the width
    are not put back and the scale is learned; after training they are part of the layer.

    References
    ----------
    S. Qiao et al., Weight Standardization, arXiv:1903.10520. MaQD's weight quantizer is known to us by its
    description alone, a scaled round-clip of standardized weights; its paper was not at hand.

    Examples
    --------
    >>> import numpy as np
    >>> W = np.random.default_rng(0).standard_normal((1, 9))
    >>> bool((fit(W, 3).quantize(W)[0] == fit(8 * W + 1, 3).quantize(8 * W + 1)[0]).all())
    True
    """
    W, unit = matrix(W), optimum_uniform(level_count(bits))
    mean, std = W.mean(axis=1, keepdims=True), W.std(axis=1, keepdims=True)
    center = half(mean, may_vanish=std.any())
    stored = center + half(std, may_vanish=center.any()) * unit.levels
    return Levels(stored, 2 * HALF_BITS * len(W), mean + std * unit.edges)
