"""Weights that the ideas of the gallery are tried on, and their errors."""

import numpy as np


def gaussian(m=6, n=48, seed=0):
    return np.random.default_rng(seed).standard_normal((m, n))


def heavy(m=6, n=48, seed=0):
    """Rows of different width and centre, each with an outlier."""
    rng = np.random.default_rng(seed)
    W = rng.standard_t(3, (m, n)) * np.exp(rng.normal(size=(m, 1))) + rng.normal(size=(m, 1))
    W[:, 0] *= 20
    return W


def rounded(quantizer, W):
    return quantizer.quantize(W)[1]


def squared_error(quantizer, W):
    return np.square(rounded(quantizer, W) - W).sum()
