"""What the kernel that runs many sequences in lockstep makes of a table, and which trellises it is for."""

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from quipref import backend as backends

LANES = 16  # sequences side by side: as many float32 as a cache line holds
LINE = 64  # bytes
TOGETHER = 4  # groups that the general step takes together
MOST_BITS = 8  # of a step: a branch is remembered as a byte
MOST_VALUES = 2048  # where errors are looked up: few enough for a near cache; and at most a quarter of the states


class Plan(NamedTuple):
    """The table in the order in which the kernel comes by its states, phase by phase.

    Where its rows take few values (some hundreds for a hash that adds up bytes), the errors of these are computed
    once a step and looked up; else `values` is empty and `ordered` holds the rows themselves.
    """

    values: NDArray[np.float32]  # (distinct, V), the rows that differ
    which: NDArray[np.uint16]  # (phases, 2^L), LANES times the number of each state's row in `values`
    ordered: NDArray[np.float32]  # (phases, V 2^L), the rows


def suits(trellis):
    """Whether the kernel is for this trellis: not for the smallest ones, and not for steps of too many bits."""
    kV, overlap = trellis.shift, trellis.overlap_bits
    return overlap >= kV if kV <= 2 else kV <= MOST_BITS and 2**overlap >= TOGETHER


def plan(table, shift):
    """The Plan of a table (2^L, V), kept for the next call: a layer asks for the same one hundreds of times."""
    return _plan(table.tobytes(), table.shape, shift)


@lru_cache(maxsize=2)
def _plan(buffer, shape, shift):
    table = np.frombuffer(buffer, np.float32).reshape(shape)
    (n_states, V), branches, nothing = shape, 2**shift, np.zeros((0, shape[1]), np.float32)
    values, which = distinct(table)
    few = len(values) <= min(MOST_VALUES, n_states // 4)
    if shift <= 2 and (few or V == 1):
        order = butterfly_orders(n_states, shift)
    else:
        order = np.arange(n_states).reshape(branches, -1, TOGETHER).swapaxes(0, 1).reshape(1, -1)
    if few:
        return Plan(values, (LANES * which).astype(np.uint16)[order], np.zeros((len(order), 0), np.float32))
    places = np.tile(np.arange(TOGETHER * branches, dtype=np.uint16) * np.uint16(LANES), (len(order), 1))
    return Plan(nothing, places, table[order].reshape(len(order), -1))


def distinct(table):
    """(values, which) with table == values[which] and no row of values twice."""
    which = np.zeros(len(table), np.int64)
    for column in table.T:
        numbers = np.unique(column, return_inverse=True)[1]
        which = np.unique(which * (numbers.max() + 1) + numbers, return_inverse=True)[1]
    first = np.unique(which, return_index=True)[1]
    return table[first], which


def butterfly_orders(n_states, shift):
    """For each phase, the states (c, r, b) in the order of: the place of r, ascending; b; c: (phases, 2^L).

    There are as many phases as it takes rotations by kV of the L - kV bits until they come round.
    """
    W, branches, orders = (n_states >> shift).bit_length() - 1, 2**shift, []
    for phase in range(W // math.gcd(W, shift)):
        q = (W - (phase + 1) * shift) % W
        low = 2**q if q + shift <= W else n_states // branches**2  # r = (j, i), j below c's bits and i above them
        orders.append(np.arange(n_states).reshape(branches, low, -1, branches).transpose(2, 1, 3, 0).ravel())
    return np.array(orders)


def finder(table, trellis):
    """The function find(X, overlaps, first_kept) -> states (B, T / V), compiled; threads may share it."""
    shift, found, spare = trellis.shift, plan(table, trellis.shift), []
    in_place = shift <= 2 and (len(found.values) > 0 or table.shape[1] == 1)
    walks = backends.twin("lockstep_walks")

    def find(X, overlaps, first_kept=0):
        states = np.zeros((len(X), X.shape[1] // trellis.values_per_step), np.int32)
        buffer = memory(spare, memory_bytes(in_place, trellis.n_states, shift, states.shape[1]))
        walks(X, table, *found, buffer, shift, overlaps, first_kept, 0, len(X), states)
        spare.append(buffer)
        return states

    return find


def memory_bytes(in_place, n_states, shift, n_steps):
    """What a thread needs at most: the costs of LANES sequences, twice if not in place, and all branches."""
    n_groups = n_states >> shift
    line = LANES * 4
    if in_place:
        return n_groups * (line + 2 * shift * n_steps)
    return n_groups * (2 * line + LANES * n_steps)


def memory(spare, size):
    """An array of `size` bytes from a cache line on: one that is spare, since the system is slow to give new ones."""
    try:
        return spare.pop()
    except IndexError:
        buffer = np.empty(size + LINE, np.uint8)
        start = -buffer.ctypes.data % LINE
        return buffer[start : start + size]
