"""That an index out of bounds is caught where Numba is asked to check, in a planted kernel and in every real one.

The cache key of compiled code does not hold the flag, so this runs with NUMBA_BOUNDSCHECK=1 and an
empty NUMBA_CACHE_DIR of its own, as `.ci/run` does; the kernels are then run again by test_twins.py.
"""

import os

import numpy as np
import pytest
from sizes import INTERPRETED

from quipref import backend

pytestmark = [
    pytest.mark.jit,
    pytest.mark.skipif(
        INTERPRETED or os.environ.get("NUMBA_BOUNDSCHECK", "0") in ("", "0"),
        reason="needs NUMBA_BOUNDSCHECK=1 and an empty NUMBA_CACHE_DIR, as the gate sets them",
    ),
]


def test_a_planted_fault_is_caught():
    from quipref.kernels.jit import jit

    @jit
    def one_too_far(x):
        total = 0.0
        for i in range(len(x) + 1):
            total += x[i]
        return total

    with pytest.raises(IndexError):
        one_too_far(np.ones(4))


def short(*shape):
    """An array that is one row too short; what lies behind it belongs to nobody."""
    return np.ones((shape[0] - 1, *shape[1:]))


def free(n):
    """No overlap is prescribed to any of n walks."""
    return np.full(n, -1, np.int32)


FAULTS = {
    "best_steps": lambda: (np.ones((3, 4)), short(3, 2), 0.5, -2, 1, 0, 3, np.zeros(3)),
    "best_walks": lambda: (short(3, 4), np.ones((4, 1)), 1, free(3), 0, 0, 3, np.zeros((3, 4), np.int32)),
    "butterfly": lambda: (short(64), 1, 64, 0, 1),
    "coarse_walks": lambda: (
        *(np.ones((3, 4), np.float32), np.ones((1, 1), np.float32), np.zeros((1, 4), np.uint16)),
        *(np.zeros(128, np.uint8), np.ones(3, np.float32), 1, 8, free(3), 0, 0, 3, np.zeros((3, 4), np.int32)),
        np.zeros(3, np.uint16),
    ),
    "descend": lambda: (
        *(np.zeros((3, 4)), np.ones((3, 4)), np.ones((3, 4)), short(4, 4), np.arange(4)),
        *(1, np.ones(3), 0.0, -2.0, 1.0, 0, 3),
    ),
    "lockstep_walks": lambda: (
        *(np.ones((3, 4), np.float32), np.ones((4, 1), np.float32), np.ones((1, 1), np.float32)),
        *(np.zeros((1, 4), np.uint16), np.zeros((1, 0), np.float32), np.zeros(128, np.uint8)),
        *(1, free(3), 0, 0, 3, np.zeros((3, 4), np.int32)),
    ),
    "nearest_points": lambda: (
        np.ones((2, 8), np.float32),
        np.ones((256, 8), np.float32),
        0,
        3,
        np.zeros(3, np.uint16),
    ),
    "nearest_roots": lambda: (np.ones((3, 8)), np.zeros((38, 256), np.uint16), 0, 3, np.zeros(2, np.uint8)),
    "point_values": lambda: (np.zeros(3, np.uint16), np.ones((256, 8), np.float32), 1.0, 0, 3, short(3, 8)),
    "round_columns": lambda: (
        *(np.ones((3, 4)), np.zeros((3, 4)), np.zeros((4, 3)), np.zeros((4, 3)), short(4, 4)),
        *(0, 4, 0, 3, np.ones(3), 0.0, -2.0, 1.0, False),
    ),
    "round_tile": lambda: (
        *(np.ones((3, 4)), short(3, 4), np.zeros((3, 4)), np.ones((4, 4)), np.ones((3, 3))),
        *(0, 3, 0, 4, np.ones(3), 0.0, -2.0, 1.0, np.zeros((3, 4))),
    ),
    "scaled_rows": lambda: (short(3, 4), np.ones(3), np.ones(4), np.zeros((3, 4)), 4, 0, 3),
}


@pytest.mark.parametrize("name", sorted(backend.KERNELS))
def test_the_real_kernels_are_compiled_with_the_check(name):
    with pytest.raises(IndexError):
        backend.twin(name)(*FAULTS[name]())
