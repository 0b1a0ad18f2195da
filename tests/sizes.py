"""Sizes that tests use: with NUMBA_DISABLE_JIT the kernels run as plain Python, a thousand times slower."""

import os

INTERPRETED = os.environ.get("NUMBA_DISABLE_JIT", "0") != "0"


def size(compiled, interpreted):
    """The first with compiled kernels, the second without."""
    return interpreted if INTERPRETED else compiled
