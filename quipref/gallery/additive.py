"""Additive codebooks: eight weights as a sum of vectors, one out of each codebook, by beam search."""

import numpy as np
from numpy.typing import ArrayLike

from quipref import checks
from quipref.gallery import additive_steps as steps
from quipref.gallery.additive_quantizer import ENTRIES, AdditiveQuantizer
from quipref.gallery.kmeans import lloyd, nearest
from quipref.gallery.levels import half, level_count, matrix

SWEEPS, KMEANS_STEPS = 4, 10


def fit(W: ArrayLike, bits: int, H: ArrayLike | None = None, *, sweeps: int = SWEEPS) -> AdditiveQuantizer:
    """2 b codebooks of 16 vectors for the layer, and its codes, each in turn made best for the other.

    w_hat = s_row sum_k C_k[code_k];  codes by beam search, C by least squares, both under tr(E H E^T)

    Parameters
    ----------
    W : array (m, n), real float
        n a multiple of 8.
    bits : int
        b, 1 to 4.
    H : array (n, n), real float, optional
        What errors cost; default the identity.
    sweeps : int
        Pairs of half steps.

    Returns
    -------
    AdditiveQuantizer
        Its `fitted` are the codes of W. It needs 16 bits a row and 4096 b for the codebooks.

    Raises
    ------
    ValueError, TypeError
        Bits out of range, NaN, columns that are no multiple of 8, weights beyond half precision.

    Notes
    -----
    A half step never raises the loss. This is a toy of AQLM, whose codebooks have 2^8 vectors and more, are fitted
    by Adam, and are then tuned with whole transformer blocks. It starts as there, with residual k-means.

    References
    ----------
    AQLM, V. Egiazarian et al., arXiv:2401.06118, section 3.

    Examples
    --------
    >>> fit(np.random.default_rng(0).standard_normal((32, 64)), 1).codebooks.shape
    (2, 16, 8)
    """
    W, n_codebooks = matrix(W), 2 * (level_count(bits, high=4).bit_length() - 1)
    H = np.eye(W.shape[1]) if H is None else checks.symmetric(H, n=W.shape[1]).astype(np.float64)
    scale = half(np.sqrt(np.square(W).mean(axis=1, keepdims=True)))
    X, weight = W / np.where(scale == 0, 1, scale), scale**2
    C, rest = [], steps.blocks(X).reshape(-1, steps.BLOCK)
    for _ in range(n_codebooks):
        start = rest[np.linspace(0, len(rest) - 1, ENTRIES).astype(int)]
        C.append(lloyd(rest, start, KMEANS_STEPS))
        rest = rest - C[-1][nearest(rest, C[-1])]
    C = half(np.array(C))
    codes = steps.search_alone(X, C)
    for _ in range(sweeps):
        codes = steps.search(X, codes, C, H)
        better = half(steps.least_squares(X, codes, C, H, weight))
        if steps.loss(X, codes, better, H, weight) <= steps.loss(X, codes, C, H, weight):
            C = better  # else there was less to win than half precision takes away
    return AdditiveQuantizer(C, scale, codes)
