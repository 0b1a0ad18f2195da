"""What all strategies are drawn with: sizes, seeds and vectors of entries."""

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

SIZES = (1, 2, 4, 8)
SEEDS = st.integers(0, 2**32 - 1)
# Drawn after the entries, which a seed replaces: so an example with a seed is never the smaller one to Hypothesis.
GENERIC = st.none() | SEEDS
Size = int | st.SearchStrategy[int] | None
Matrices = st.SearchStrategy[NDArray[np.float64]]


def strategy_of(size, default):
    """`size` as a strategy of ints: the default for None, a constant for an int."""
    if size is None:
        return default
    return size if isinstance(size, st.SearchStrategy) else st.just(size)


def vectors(entries, n):
    """Arrays (n,) of floats drawn one by one."""
    return st.lists(entries, min_size=n, max_size=n).map(lambda values: np.array(values, np.float64))
