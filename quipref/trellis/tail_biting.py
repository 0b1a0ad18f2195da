"""The best of all circles, with a proof that it is: bounds leave only a few overlaps to be searched.

A tail-biting walk has an overlap, the L - kV bits that its last and its first state share. `viterbi` guesses one.
Searching all 2^(L - kV) of them costs as many runs; here a bound on each overlap's cost rules out nearly all.
"""

from functools import reduce

import numpy as np

from quipref import backend as backends
from quipref.threads import in_pieces
from quipref.trellis.viterbi import arguments, decode, finder, rows_a_task, squared_distances, viterbi

ROWS_AT_ONCE = 8  # of which the bounds are computed together: their costs stay in cache
ROUNDING = 1e-9  # a share of a cost, far above the rounding of sums of some hundred squares in float64


def best_circles(X, table, trellis, *, backend="numba", threads=None):
    """(states (B, T / V), searched (B,)): the best tail-biting walks, and how many overlaps had to be searched.

    It starts from the walks of `viterbi` and tries overlaps in the order of their bounds, until the next bound exceeds
    the best cost found. The walk of an overlap is the best up to the rounding of costs in float32, and so is the
    result.
    """
    X, table = arguments(X, table, trellis)
    states = viterbi(X, table, trellis, backend=backend, threads=threads)
    cost = total_cost(X, states, table)
    pieces = range(0, len(X), ROWS_AT_ONCE)
    floors = np.concatenate([lower_bounds(X[i : i + ROWS_AT_ONCE], table, trellis) for i in pieces])
    order = np.argsort(floors, axis=1, kind="stable")
    floors = np.take_along_axis(floors, order, axis=1)
    find, searched, together = finder(table, trellis, backend), np.zeros(len(X), np.intp), 1
    while True:
        left = np.count_nonzero(floors < (1 - ROUNDING) * cost[:, None], axis=1) - searched
        rows = np.repeat(np.arange(len(X)), np.clip(left, 0, together))
        if not len(rows):
            return states, searched
        first = np.searchsorted(rows, rows)  # where the row's own pairs begin
        turn = searched[rows] + np.arange(len(rows)) - first
        found = tied_walks(find, X[rows], order[rows, turn], threads, rows_a_task(X, trellis, backend))
        found_cost = total_cost(X[rows], found, table)
        for pair in np.flatnonzero(found_cost < cost[rows]):
            if found_cost[pair] < cost[rows[pair]]:
                states[rows[pair]], cost[rows[pair]] = found[pair], found_cost[pair]
        searched += np.bincount(rows, minlength=len(X))
        together *= 2


def tied_walks(find, X, overlaps, threads, rows=1):
    """The best walk of each row of X whose first state has the given high bits and whose last has them as low bits.

    A task is over after that many rows.
    """
    ties = overlaps.astype(np.int32)
    pieces = in_pieces(
        len(X), rows, lambda first, last: find(X[first:last], ties[first:last]), backends.thread_count(threads)
    )
    return np.concatenate(pieces)


def total_cost(X, states, table):
    """The squared error of each sequence, in float64."""
    return np.square(X.astype(np.float64) - decode(states, table)).sum(axis=1)


def lower_bounds(X, table, trellis):
    """No circle with the overlap o costs less than entry [b, o], (B, 2^(L - kV)).

    floor(o) = least cost of the first half of a walk that starts at o + least cost of the second half that ends at o

    The two halves need not meet in the middle, which only makes the sum smaller.
    """
    V, n_groups = trellis.values_per_step, 1 << trellis.overlap_bits
    table, n_steps = table.astype(np.float64), X.shape[1] // V
    steps = X.astype(np.float64).reshape(len(X), n_steps, V).transpose(1, 0, 2)
    starts = ends = np.zeros((len(X), n_groups))
    for x in steps[: n_steps // 2][::-1]:  # what follows a state depends on its low bits
        cost = squared_distances(x, table) + np.tile(starts, trellis.n_branches)
        starts = reduce(np.minimum, (cost[:, c :: trellis.n_branches] for c in range(trellis.n_branches)))
    for x in steps[n_steps // 2 :]:  # what came before it, on its high bits
        cost = squared_distances(x, table) + np.repeat(ends, trellis.n_branches, axis=1)
        ends = cost.reshape(len(X), -1, n_groups).min(axis=1)
    return starts + ends
