"""What the kernel that runs many sequences in lockstep makes of a table, and which trellises it is for."""

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

LANES = 16  # sequences side by side: as many float32 as a cache line holds
TOGETHER = 4  # groups that the general step takes together
MOST_BITS = 8  # of a step: a branch is remembered as a byte
MOST_VALUES = 2048  # where errors are looked up, so that most of them come from the nearest cache


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
    few = len(values) <= min(MOST_VALUES, n_states // 8)
    if shift <= 2 and (few or V == 1):
        order = np.array([_butterfly_order(n_states, shift, phase) for phase in range(_phases(n_states, shift))])
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


def _phases(n_states, shift):
    """Steps until kV rotations, each by kV of the L - kV bits, come round."""
    W = (n_states >> shift).bit_length() - 1
    return W // math.gcd(W, shift)


def _butterfly_order(n_states, shift, phase):
    """The states (c, r, b) in the order of: the place of r, ascending; b; c."""
    W, branches = (n_states >> shift).bit_length() - 1, 2**shift
    q = (W - (phase + 1) * shift) % W
    low = 2**q if q + shift <= W else n_states // branches**2  # r = (j, i), j below c's bits and i above them
    return np.arange(n_states).reshape(branches, low, -1, branches).transpose(2, 1, 3, 0).ravel()
