"""Pyramid vector quantization: integer vectors of one L1 norm, named by their rank, and a gain."""

import numpy as np
from numpy.typing import ArrayLike

from quipref.gallery.levels import half, level_count, matrix
from quipref.gallery.pyramid_points import counts
from quipref.gallery.pyramid_quantizer import BLOCK, PyramidQuantizer, shape_and_gain

GAINS = 8  # at least


def fit(W: ArrayLike, bits: int) -> PyramidQuantizer:
    """The pyramid of 16 weights with the largest K that leaves 8 gains or more of the 2^(16 b) codes.

    y nearest to K x / sum |x_i| among the integer vectors with sum |y_i| = K,  x_hat = g y / |y|

    Parameters
    ----------
    W : array (m, n), real float
        n a multiple of 16.
    bits : int
        b, 1 to 4.

    Returns
    -------
    PyramidQuantizer
        It needs 32 bits a row, for its least and its largest gain; the others lie evenly between them.

    Raises
    ------
    ValueError, TypeError
        Bits out of range, NaN, columns that are no multiple of 16, weights beyond half precision.

    Notes
    -----
    There is no table: a point's code is the number of points before it. The paper for language models rotates the
    weights first, weighs errors by H and spaces the gains by their distribution.

    References
    ----------
    T. R. Fischer, A pyramid vector quantizer, IEEE Trans. Inf. Theory 32, 1986; for language models
    T. F. A. van der Ouderaa et al., arXiv:2410.16926.

    Examples
    --------
    >>> fit(np.random.default_rng(0).standard_normal((8, 64)), 2).K
    10
    """
    n_codes = level_count(bits, high=4) ** BLOCK
    N = counts(BLOCK, 2**bits * BLOCK)[BLOCK]
    K = int(np.flatnonzero(n_codes // N >= GAINS)[-1])
    _, gain = shape_and_gain(matrix(W), K)
    ends = half(np.stack([gain.min(axis=1), gain.max(axis=1)])[:, :, None])
    return PyramidQuantizer(K, bits, n_codes // N[K], ends)
