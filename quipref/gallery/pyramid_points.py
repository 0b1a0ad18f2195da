"""The points of a pyramid, {y integer, sum |y_i| = K}: how many, which is nearest, and their ranks."""

from functools import cache

import numpy as np
from numpy.typing import NDArray


@cache
def counts(n: int, K: int) -> NDArray[np.object_]:
    """N(l, k), l = 0 ... n, k = 0 ... K, as Python integers: points with l coordinates and L1 norm k."""
    N = np.zeros((n + 1, K + 1), object)
    N[:, 0] = 1
    for l in range(1, n + 1):
        for k in range(1, K + 1):
            N[l, k] = N[l - 1, k] + N[l - 1, k - 1] + N[l, k - 1]  # fewer coordinates, or one unit less on the first
    return N


def nearest(X: NDArray[np.float64], K: int) -> NDArray[np.int64]:
    """The point (..., n) nearest to K x / sum |x_i|: round down, then up where most was lost until the norm is K."""
    size = np.abs(X)
    norm = size.sum(axis=-1, keepdims=True)
    scaled = np.where(norm > 0, K * (size / np.where(norm > 0, norm, 1)), K / X.shape[-1])
    y = np.floor(scaled)
    lost = np.argsort(np.argsort(y - scaled, axis=-1, kind="stable"), axis=-1)  # 0 where most was lost
    y += lost < K - y.sum(axis=-1, keepdims=True)
    return np.where(X < 0, -y, y).astype(np.int64)


@cache
def starts(n: int, K: int) -> NDArray[np.uint64]:
    """S[l, k, a]: points of (l, k) whose first coordinate is smaller than a in size; no rank reaches the padding."""
    N, S = counts(n, K), np.full((n + 1, K + 1, K + 2), 2**64 - 1, object)
    for l in range(1, n + 1):
        for k in range(K + 1):
            sizes = [N[l - 1, k - a] * (1 + (a > 0)) for a in range(k + 1)]
            S[l, k, : k + 2] = np.cumsum([0, *sizes], dtype=object)
    return S.astype(np.uint64)


def rank(Y: NDArray[np.int64], K: int) -> NDArray[np.uint64]:
    """How many points stand before y (..., n): ordered by the first coordinate, 0, 1, -1, 2, -2 ..., then the next."""
    n = Y.shape[-1]
    N, S = counts(n, K).astype(np.uint64), starts(n, K)
    index, left = np.zeros(Y.shape[:-1], np.uint64), np.full(Y.shape[:-1], K)
    for i in range(n):
        a = np.abs(Y[..., i])
        index += S[n - i, left, a] + (Y[..., i] < 0) * N[n - i - 1, left - a]
        left -= a
    return index


def unrank(index: NDArray[np.uint64], n: int, K: int) -> NDArray[np.int64]:
    """The point (..., n) of each rank."""
    N, S = counts(n, K).astype(np.uint64), starts(n, K)
    index, left = index.astype(np.uint64), np.full(index.shape, K)
    Y = np.zeros((*index.shape, n), np.int64)
    for i in range(n):
        a = (index[..., None] >= S[n - i, left, 1:]).sum(axis=-1)
        index -= S[n - i, left, a]
        half = N[n - i - 1, left - a]
        negative = (a > 0) & (index >= half)
        index -= negative * half
        Y[..., i] = np.where(negative, -a, a)
        left -= a
    return Y
