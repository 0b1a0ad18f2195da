"""How far rounding errors may carry a loss past a bound that the rounder keeps in exact arithmetic.

A sum of k products strays by at most k eps times the sum of their magnitudes, with eps of the dtype that the rounder
returns: one that works in single precision is allowed its errors.
"""

import numpy as np
from numpy.typing import NDArray

from quipref.factor import ZERO_PIVOT, ldl
from quipref.problems import Layer


def feedback_slack(layer: Layer, W_hat: NDArray[np.floating], unit: float = 1.0) -> float:
    """Of a loss against sum_k D_k |eta_k|^2, |eta_k| at most one step, the `unit`.

    The targets W + (W - W_hat) U add up numbers of the sizes A = |W| + |W - W_hat| (|U| + I) + unit. A feedback that
    is computed by way of H^-1 is off by n eps cond(H) of itself, which the targets, and with them |eta|, inherit; the
    square, the quadratic form and the factor that the bound is taken from make it 8 n eps cond(H) sum_k D_k A_k^2.
    Pivots up to z = ZERO_PIVOT tr H may count as zero, with their column of U: that is at most sqrt(z tr H) in an
    entry of H.
    """
    W, H = layer
    U, D = ldl(H)
    E = np.abs(W - W_hat)
    A = np.abs(W) + E @ (np.abs(U) + np.eye(len(D))) + unit
    values = np.linalg.eigvalsh(H)
    positive = values[values > ZERO_PIVOT * values.sum()]
    condition = positive[-1] / positive[0] if positive.size else 1.0
    slack = 8 * len(D) * epsilon(W_hat) * condition * float((D * np.square(A)).sum())
    if D.all():
        return slack
    return slack + float(np.sqrt(ZERO_PIVOT) * np.trace(H) * np.square(E.sum(axis=1)).sum())


def quadratic_slack(layer: Layer, W_hat: NDArray[np.floating]) -> float:
    """Of tr(E H E^T): 2n additions, and as many again for an H assembled in floating point."""
    E = np.abs(layer.W - W_hat)
    return 4 * len(layer.H) * epsilon(W_hat) * float((E @ np.abs(layer.H) * E).sum())


def epsilon(W_hat: NDArray[np.floating]) -> float:
    """The spacing at 1 of the dtype of W_hat, that of float64 at least."""
    return max(float(np.finfo(W_hat.dtype).eps), float(np.finfo(np.float64).eps))
