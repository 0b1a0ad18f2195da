"""The best of all circles, one search for each overlap: slow, and with nothing to believe."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from quipref import backend as backends
from quipref.trellis.bitshift import BitshiftTrellis
from quipref.trellis.tail_biting import tied_walks, total_cost
from quipref.trellis.viterbi import arguments, finder, rows_a_task

MOST_OVERLAP_BITS = 12
PAIRS_AT_ONCE = 1024  # of a sequence and an overlap


def viterbi_exact_tail_biting(
    X: ArrayLike, table: ArrayLike, trellis: BitshiftTrellis, *,
    backend: backends.Backend = "numba", threads: int | None = None,
) -> NDArray[np.int32]:  # fmt: skip
    """The tail-biting walk whose values are nearest to each sequence, by a search for each of the 2^(L - kV) overlaps.

    argmin over walks with s_0 after s_(T/V - 1) of sum_i |table[s_i] - x_i|^2

    Parameters
    ----------
    X : array (B, T), real float
        One sequence a row, kT >= L.
    table : array (2^L, V), float32
    trellis : BitshiftTrellis
        L - kV at most 12.
    backend, threads
        As in `viterbi`.

    Returns
    -------
    states : array (B, T / V), int32

    Raises
    ------
    ValueError, TypeError
        As in `viterbi`, or too many overlaps.

    Notes
    -----
    It takes 2^(L - kV - 1) times as long as `viterbi`, whose circles it is there to measure: they are close to the
    best at T = 256. Each walk is the best of its overlap up to the rounding of costs in float32; the overlaps are
    compared in float64, and the smallest of equals wins.

    References
    ----------
    QTIP, arXiv:2406.11235, table 2.

    Examples
    --------
    >>> import numpy as np
    >>> from quipref import BitshiftTrellis, decode, viterbi, viterbi_exact_tail_biting
    >>> table = np.float32([[2], [3], [-1], [-2], [1], [1], [-1], [-3]])
    >>> X, trellis = np.float32([[-1, 0, 1, 0]]), BitshiftTrellis(state_bits=3, bits_per_weight=1)
    >>> [float(np.square(decode(best(X, table, trellis), table) - X).sum())
    ...  for best in (viterbi, viterbi_exact_tail_biting)]
    [9.0, 6.0]
    """
    X, table = arguments(X, table, trellis)
    trellis.check_tail_biting(X.shape[1], "X.shape[1]")
    if trellis.overlap_bits > MOST_OVERLAP_BITS:
        raise ValueError(
            f"trellis must have at most {MOST_OVERLAP_BITS} bits of overlap to try all of them, but this one has "
            f"{trellis.overlap_bits}. Take fewer state bits, or viterbi, which tries one."
        )
    find, overlaps = finder(table, trellis, backend), np.arange(1 << trellis.overlap_bits)
    best = np.zeros((len(X), X.shape[1] // trellis.values_per_step), np.int32)
    cost = np.full(len(X), np.inf)
    rows, pairs_a_task = max(1, PAIRS_AT_ONCE // len(overlaps)), rows_a_task(X, trellis, backend)
    for first in range(0, len(X), rows):
        for some in np.array_split(overlaps, -(-len(overlaps) // PAIRS_AT_ONCE)):
            part = np.repeat(X[first : first + rows], len(some), axis=0)
            states = tied_walks(find, part, np.tile(some, len(part) // len(some)), threads, pairs_a_task)
            costs = total_cost(part, states, table).reshape(-1, len(some))
            least = costs.argmin(axis=1)
            found = costs[np.arange(len(least)), least]
            better = np.flatnonzero(found < cost[first : first + rows])
            best[first + better] = states.reshape(*costs.shape, -1)[better, least[better]]
            cost[first + better] = found[better]
    return best
