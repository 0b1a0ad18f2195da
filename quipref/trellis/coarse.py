"""Viterbi with costs of 16 bits: twice as many fit into a vector, and the branch rides along in their lowest bits."""

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from quipref import backend as backends
from quipref.trellis import lockstep

LANES = 32
MOST_VALUES = 2047  # 32 times that fits into 16 bits
WIDTH = 0.014  # of the table's root mean square: values so near to each other count as one
STEPS = 512  # for a squared error as large as the table's mean square
LARGEST_RATIO = 2  # of the root mean square to a Gaussian's of the same median deviation: else outliers or an offset
GAUSSIAN = 1.4826  # standard deviations for a median deviation of one
LARGEST_SCALE = 2.0**100  # beside weights so much larger than the table, costs saturate at once, as they should
RENEWAL = 16  # steps
LIMIT = 0x8000  # of the best cost between renewals: beyond it, good walks may have been lost
MOST = 0xFFFF
INFINITE = np.uint32(0xFFFC)  # costs are multiples of four; the branch stands in the two lowest bits


class Plan(NamedTuple):
    """What the kernel makes of a table."""

    values: NDArray[np.float32]  # (distinct, V): the rows that differ, or one for each handful of near ones
    which: NDArray[np.int64]  # (2^L,), the number of each state's row in `values`
    places: NDArray[np.uint16]  # (phases, 2^L), the same times LANES, in the order in which the kernel comes by
    scale: float  # of squared errors


def plan(table, shift):
    """The Plan of a table (2^L, V), or None if it has too many values, or far ones that make the 16 bits too coarse."""
    return _plan(table.tobytes(), table.shape, shift)


@lru_cache(maxsize=2)
def _plan(buffer, shape, shift):
    table = np.frombuffer(buffer, np.float32).reshape(shape)
    values, which = lockstep.distinct(table)
    square = float(np.square(table, dtype=np.float64).mean())
    if shape[1] == 1:
        values, which = merged(values[:, 0], which, WIDTH * math.sqrt(square))
    if len(values) > MOST_VALUES or not 0 < square <= (LARGEST_RATIO * GAUSSIAN * median_deviation(table)) ** 2:
        return None
    order = lockstep.butterfly_orders(shape[0], shift)
    return Plan(values, which, (LANES * which).astype(np.uint16)[order], min(STEPS / square, LARGEST_SCALE))


def median_deviation(table):
    """The median of the distances from the median, which few large values do not move."""
    return float(np.median(np.abs(table - np.median(table))))


def suits(trellis):
    """Whether there is a coarse search for this trellis: two bits have room for as many branches, and no more."""
    return trellis.shift <= 2 and lockstep.suits(trellis)


def finder(table, trellis, compiled, exact):
    """As `lockstep.finder`; where 16 bits do not suffice, the walk is that of exact(X, overlaps, first_kept)."""
    shift, found = trellis.shift, plan(table, trellis.shift) if suits(trellis) else None
    if found is None:
        return exact
    spare, walks, which = [], coarse_walks, found.which[None]
    if compiled:
        walks, which = backends.twin("coarse_walks"), found.places

    def find(X, overlaps, first_kept=0):
        states = np.zeros((len(X), X.shape[1] // trellis.values_per_step), np.int32)
        scales, highest = np.full(len(X), found.scale, np.float32), np.zeros(len(X), np.uint16)
        size = lockstep.memory_bytes(True, trellis.n_states, shift, 2 * states.shape[1])
        memory = lockstep.memory(spare, size if compiled else 0)
        walks(
            *(X, found.values, which, memory, scales, shift, RENEWAL),
            *(overlaps, first_kept, 0, len(X), states, highest),
        )
        spare.append(memory)
        lost = np.flatnonzero(highest >= LIMIT)
        if len(lost):
            states[lost] = exact(X[lost], overlaps[lost], first_kept)
        return states

    return find


def merged(values, which, width):
    """(values, which) with each run of values no wider than `width` merged into its middle."""
    order = np.argsort(values)
    starts, runs = [], np.zeros(len(values), np.int64)
    for place, value in enumerate(values[order]):
        if not starts or value > starts[-1] + width:
            starts.append(value)
        runs[order[place]] = len(starts) - 1
    low, high = np.full(len(starts), np.inf), np.full(len(starts), -np.inf)
    np.minimum.at(low, runs, values)
    np.maximum.at(high, runs, values)
    return ((low + high) / 2).astype(np.float32)[:, None], runs[which]


def coarse_walks(
    X, values, which, memory, scales, shift, renewal, overlaps, first_kept, first_row, last_row, states, highest
):
    """Write into `states` the best walk of each of the rows, from step first_kept on.

    Into `highest` goes its cost at the end, or the largest that was taken off on the way.

    cost_i(s) = E_i(s) + min over c of cost_(i-1)(c 2^(L - kV) + floor(s / 2^(kV))), at most MOST, in steps of 4,

    where E_i(s) is 4 round(scale (|table[s] - x_i|^2 - the least such distance) / 4). After each `renewal` steps the
    least cost is taken off the others. A cost of INFINITE has saturated, and so does what follows.

    X (B, T), values (d, V) and which (1, 2^L) with values[which[0]] the table, scales (B,), overlaps (B,) or -1.
    """
    some, V, n_groups, branches = slice(first_row, last_row), values.shape[1], which.shape[1] >> shift, 1 << shift
    X, overlaps = X[some], overlaps[some]
    tied, rows, state = overlaps >= 0, np.arange(len(X)), np.arange(which.shape[1])
    least = np.where(tied[:, None], INFINITE, np.uint32(0)) + np.zeros((1, n_groups), np.uint32)
    least[tied, overlaps[tied]] = 0
    before, reached = [], np.zeros(len(X), np.uint32)
    for i in range(X.shape[1] // V):
        E = errors(X[:, i * V : (i + 1) * V], values, scales[some, None], np.float32(INFINITE))
        cost = (least[:, state >> shift] | state // n_groups) + E[:, which[0]]
        best = np.minimum(cost, MOST).reshape(len(X), branches, n_groups).min(axis=1)
        before.append((best % branches * n_groups + state[:n_groups]).astype(np.int32))
        least = best - best % 4
        if i % renewal == renewal - 1:
            lowest = least.min(axis=1, keepdims=True)
            least, reached = np.where(least < INFINITE, least - lowest, least), np.maximum(reached, lowest[:, 0])
    free = np.where(least == least.min(axis=1, keepdims=True), before[-1], which.shape[1]).min(axis=1)
    walk = [np.where(tied, before[-1][rows, overlaps], free)]
    highest[some] = np.maximum(reached, least[rows, walk[-1] % n_groups])
    for i in reversed(range(first_kept, len(before) - 1)):
        walk.append(before[i][rows, walk[-1] >> shift])
    states[some, first_kept:] = np.stack(walk[::-1], axis=1)


def errors(x, values, scale, most):
    """E of each distinct row of the table, (B, d) uint32."""
    total = np.square(x[:, :1] - values[:, 0])
    for j in range(1, values.shape[1]):
        total += np.square(x[:, j : j + 1] - values[:, j])
    total = np.minimum((total - total.min(axis=1, keepdims=True)) * scale, most)
    by_rounding = np.float32(2**25)  # among numbers as large, floats are multiples of four
    return ((total + by_rounding) - by_rounding).astype(np.uint32)
