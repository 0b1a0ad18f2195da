"""The half steps of additive codebooks: codes by beam search, codebooks by least squares.

X (m, 8 q) are weights, codes (m, q, K) name a vector of each of the codebooks C (K, entries, 8), and the errors
E = X_hat - X cost sum_i s_i e_i H e_i^T, s (m, 1). Neither half step raises that.
"""

import numpy as np
from numpy.typing import NDArray

from quipref.gallery.additive_beam import beam_search
from quipref.gallery.kmeans import nearest

Array = NDArray[np.float64]
BLOCK = 8  # weights in a vector


def blocks(X: Array) -> Array:
    """X (m, 8 q) as vectors (m, q, 8)."""
    if X.shape[1] % BLOCK:
        raise ValueError(f"W must have a multiple of {BLOCK} columns, but its shape is {X.shape}. Pad it with zeros.")
    return X.reshape(len(X), -1, BLOCK)


def values(codes: NDArray[np.intp], C: Array) -> Array:
    """The sums (m, 8 q) that the codes name."""
    return C[np.arange(len(C)), codes].sum(axis=2).reshape(len(codes), -1)


def loss(X: Array, codes: NDArray[np.intp], C: Array, H: Array, s: Array) -> float:
    """sum_i s_i e_i H e_i^T."""
    E = values(codes, C) - X
    return float((s * (E @ H) * E).sum())


def search(X: Array, codes: NDArray[np.intp], C: Array, H: Array) -> NDArray[np.intp]:
    """Better codes, one block of columns after the other, with the errors of all other blocks as they are."""
    E, codes = values(codes, C) - X, codes.copy()
    for j in range(codes.shape[1]):
        own = slice(j * BLOCK, (j + 1) * BLOCK)
        pull = E @ H[:, own] - E[:, own] @ H[own, own]
        E[:, own], codes[:, j] = beam_search(E[:, own], codes[:, j], C, H[own, own], pull)
    return codes


def search_alone(X: Array, C: Array) -> NDArray[np.intp]:
    """Codes for X from nothing, each block for itself: one codebook after the other, then by beam search."""
    x = blocks(X).reshape(-1, BLOCK)
    e, codes = -x, np.zeros((len(x), len(C)), np.intp)
    for k, codebook in enumerate(C):
        codes[:, k] = nearest(-e, codebook)
        e = e + codebook[codes[:, k]]
    return beam_search(e, codes, C, np.eye(BLOCK), 0 * x)[1].reshape(len(X), -1, len(C))


def least_squares(X: Array, codes: NDArray[np.intp], C: Array, H: Array, s: Array) -> Array:
    """The codebooks of least loss for these codes: one step of Newton's method, whose matrix the codes give."""
    (m, q, K), size = codes.shape, C[..., 0].size
    O = np.zeros((m, q, size))  # one where a block has a vector
    np.put_along_axis(O, codes + C.shape[1] * np.arange(K), 1.0, axis=2)
    weighted, blocks_of_H = s[:, :, None] * O, H.reshape(q, BLOCK, q, BLOCK)
    slope = np.tensordot(weighted, blocks((X - values(codes, C)) @ H), ([0, 1], [0, 1])).ravel()
    G = np.zeros((size, size, BLOCK, BLOCK))
    for own, H_own in zip(range(q), blocks_of_H, strict=True):
        felt = H_own.any(axis=(0, 2))  # the blocks whose errors meet with this one's
        both = np.tensordot(weighted[:, own], O[:, felt], (0, 0))  # how often two vectors come together
        G += np.tensordot(both, H_own[:, felt], (1, 1))
    G = G.transpose(0, 2, 1, 3).reshape(slope.size, -1)
    G[np.diag_indices(len(G))] += 1e-9 * np.trace(G) / len(G) or 1.0  # what one codebook gains another may lose
    return C + np.linalg.solve(G, slope).reshape(C.shape)
