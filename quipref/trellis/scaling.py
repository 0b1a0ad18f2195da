"""Keeping squared errors in the range of float32, by powers of two that change no comparison."""

import numpy as np

LEAST_REACH = 2.0**-40  # where differences are smaller, their squares come near to the end of the range


def in_range(X, table):
    """Pieces (rows, X[rows] 2^e, table 2^e) of one scale each; as a rule one piece, and e = 0.

    No cost of T weights exceeds T (max|x| + max|table|)^2. Only what lies too far below the largest number to
    matter is rounded by the scaling.
    """
    largest = np.abs(table).max(initial=0.0).astype(np.float64)
    reach = np.maximum(X.max(axis=1, initial=0.0), -X.min(axis=1, initial=0.0)).astype(np.float64) + largest
    far = (X.shape[1] * np.square(reach) >= np.finfo(np.float32).max) | ((reach < LEAST_REACH) & (reach > 0))
    exponents = np.where(far, -np.frexp(reach)[1], 0)
    if not exponents.any():
        yield np.arange(len(X)), X, table
        return
    for e in np.unique(exponents):
        rows = np.flatnonzero(exponents == e)
        yield rows, np.ldexp(X[rows], e), np.ldexp(table, e)
