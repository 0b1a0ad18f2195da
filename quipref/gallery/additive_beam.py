"""The beam search of additive codebooks: which sums of vectors, one out of each codebook, come nearest."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
BEAM = 16  # sums that the search keeps


def beam_search(e: Array, codes: NDArray[np.intp], C: Array, A: Array, pull: Array) -> tuple[Array, NDArray[np.intp]]:
    """(errors (m, 8), codes (m, K)) of less cost e A e^T + 2 e pull^T: one codebook's code at a time is changed."""
    e, codes, row, n = e[:, None], codes[:, None], np.arange(len(e))[:, None], len(A)
    for k, codebook in enumerate(C):
        rest = e - codebook[codes[:, :, k]]  # (m, beam, 8), without this codebook's vector
        slope = (rest.reshape(-1, n) @ A).reshape(rest.shape) + pull[:, None]
        alone = np.einsum("mbi,mbi->mb", slope + pull[:, None], rest)
        twice = np.ascontiguousarray(2 * codebook.T)  # BLAS takes several times as long with a narrow transpose
        cost = (slope.reshape(-1, n) @ twice).reshape(len(e), -1, len(codebook))
        cost += alone[:, :, None] + ((codebook @ A) * codebook).sum(axis=1)  # (m, beam, entries)
        # What there was is among what is tried, so the least cost in the beam never rises.
        kept = _least(cost.reshape(len(e), -1), 1 if k == len(C) - 1 else BEAM)
        parent, entry = np.divmod(kept, len(codebook))
        e, codes = rest[row, parent] + codebook[entry], codes[row, parent]
        codes[:, :, k] = entry
    return e[:, 0], codes[:, 0]


def _least(cost, count):
    """Where the least of each row are, so many of them in any order."""
    if count == 1:
        return cost.argmin(axis=1)[:, None]
    return np.argpartition(cost, min(count, cost.shape[1]) - 1, axis=1)[:, :count]
