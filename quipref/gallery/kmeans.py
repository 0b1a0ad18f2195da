"""Weight sharing: the weights of a layer in 2^b clusters, each stored as its mean."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from quipref.gallery.levels import HALF_BITS, Levels, half, level_count, matrix


def fit(W: ArrayLike, bits: int, *, steps: int = 100) -> Levels:
    """One codebook for the layer, by Lloyd's alternation from levels spread evenly over its range.

    codes = nearest centres,  centres = means of their weights: neither step raises sum (w - centre)^2

    Parameters
    ----------
    W : array (m, n), real float
    bits : int
        b, 1 to 8.
    steps : int
        Alternations at most; they end where no code changes.

    Returns
    -------
    Levels
        It needs 2^b 16 bits for the codebook.

    Raises
    ------
    ValueError, TypeError
        Bits out of range, NaN, weights beyond half precision.

    References
    ----------
    Deep Compression, S. Han, H. Mao and W. J. Dally, arXiv:1510.00149, section 3: linear initialisation. Its
    retraining of the centres and its Huffman code are left out.

    Examples
    --------
    >>> fit(np.array([[0.0, 0.5, 4.0, 4.5]]), 1).levels
    array([[0.25, 4.25]])
    """
    W = matrix(W)
    centres = np.linspace(W.min(), W.max(), level_count(bits))[:, None]
    centres = half(lloyd(W.reshape(-1, 1), centres, steps))
    return Levels(np.sort(centres.T), HALF_BITS * centres.size)


def lloyd(X: NDArray[np.float64], centres: NDArray[np.float64], steps: int) -> NDArray[np.float64]:
    """The centres (k, d) after at most so many alternations on the points X (N, d)."""
    codes = None
    for _ in range(steps):
        before, codes = codes, nearest(X, centres)
        if before is not None and (codes == before).all():
            break
        centres = means(X, codes, centres)
    return centres


def nearest(X: NDArray[np.float64], centres: NDArray[np.float64]) -> NDArray[np.intp]:
    """The index (N,) of the centre nearest to each point."""
    twice = np.ascontiguousarray(2 * centres.T)  # BLAS takes several times as long with a narrow transpose
    return (np.square(centres).sum(axis=1) - X @ twice).argmin(axis=1)


def means(X: NDArray[np.float64], codes: NDArray[np.intp], centres: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean of each cluster's points; a centre without points stays where it is."""
    counts = np.bincount(codes, minlength=len(centres))[:, None]
    sums = np.stack([np.bincount(codes, x, minlength=len(centres)) for x in X.T], axis=1)
    return np.where(counts > 0, sums / np.maximum(counts, 1), centres)
