"""Linear feedback in blocks: most of the work becomes matrix products.

The textbook loop adds the feedback of all earlier columns to one column at a time, a matrix-vector
product each. Here a range of columns is halved: round the left half, add its feedback to the whole
right half with one product, round the right half. At BASE columns the loop takes over.

Scratch arrays are transposed, (n, m), so that a range of columns is one piece of memory: BLAS then
adds into it in place, and the compiled twin reads 64 rows with one vector load. Without the twin
halving goes on, since BLAS is slow where a product has only the columns of one block.
"""

import numpy as np

from quipref import backend as backends

BASE = 128  # columns at which halving stops, where the compiled twin takes over
BASE_OF_BLOCKS = 16  # and where a Quantizer of any kind does, called for one block after the other


def blocked_feedback(W, X, round_to, *, rng, residual, threads):
    """(codes, W_hat) of W_hat = Q(W + (W - W_hat) X), or with the residual T - W_hat fed back.

    `residual=False` feeds back W - W_hat (LDLQ); `residual=True` feeds back T - W_hat, the error
    against the running target T (OPTQ). A grid with an `affine` form is rounded by the compiled twin,
    which keeps no codes: None comes in their place.
    """
    m, n = W.shape
    W = np.ascontiguousarray(W)  # fewer compiled forms: one for every layout
    affine = getattr(round_to, "affine", None)
    affine = affine(m, W.dtype) if affine else None
    W_hat = np.empty_like(W, order="C")
    T = np.zeros((n, m), W.dtype)  # feedback received so far
    E = np.empty((n, m), W.dtype)  # errors to feed back
    codes = []

    def base(start, stop):
        if affine is None:
            codes.extend(round_columns(W, W_hat, T, E, X, start, stop, round_to, rng, residual))
            return
        kernel = backends.twin("round_columns")
        backends.over_rows(
            m,
            threads,
            lambda first, last: kernel(W, W_hat, T, E, X, start, stop, first, last, *affine, residual),
        )

    _halve(T, E, X, base, 0, n, _base_width(round_to.block, BASE_OF_BLOCKS if affine is None else BASE))
    if affine is not None:
        return None, W_hat
    return (np.concatenate(codes, axis=1) if codes else np.empty(W.shape, np.int64)), W_hat


def round_columns(W, W_hat, T, E, X, start, stop, round_to, rng, residual):
    """Round columns start..stop of W into W_hat with any Quantizer; return the codes of each block.

    T[j] holds the feedback that column j has received from columns before `start`; the errors go
    to E[start:stop].
    """
    codes = []
    for a in range(start, stop, round_to.block):
        b = a + round_to.block
        target = W[:, a:b] + (T[a:b] + X[start:a, a:b].T @ E[start:a]).T
        code, W_hat[:, a:b] = round_to.quantize(target, rng)
        codes.append(code)
        E[a:b] = ((target if residual else W[:, a:b]) - W_hat[:, a:b]).T
    return codes


def _base_width(block, base):
    """The multiple of the quantizer's block nearest below `base`, at least one block."""
    return max(1, base // block) * block


def _halve(T, E, X, base, start, stop, width):
    if stop - start <= width:
        if start < stop:
            base(start, stop)
        return
    middle = start + (stop - start + width) // (2 * width) * width  # the multiple of `width` nearest the half
    _halve(T, E, X, base, start, middle, width)
    _add_product(T[middle:stop], X[start:middle, middle:stop], E[start:middle])
    _halve(T, E, X, base, middle, stop, width)


def _add_product(T, X, E):
    """T += X.T @ E without a temporary of T's size: BLAS adds into T's own memory."""
    from scipy.linalg.blas import get_blas_funcs

    if T.size:
        # BLAS reads columns where NumPy writes rows: for it the transposes are as they stand, T.T += E.T @ X.
        (gemm,) = get_blas_funcs(("gemm",), (T, E))
        gemm(1.0, E.T, X.T, trans_b=1, beta=1.0, c=T.T, overwrite_c=1)
