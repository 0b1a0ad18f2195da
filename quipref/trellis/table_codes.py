"""Codes whose values are read from a table: any table, a random one, and the small one of the hybrid code."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from quipref import checks
from quipref.incoherence import seeds
from quipref.trellis.bitshift import LARGEST_STATE_BITS

SAMPLES_A_ROW = 256  # of the Gaussian sample that the hybrid table is fitted to
LARGEST_SAMPLE = 1 << 20  # and their number at most, which is what the authors' program draws
LLOYD_STEPS = 40
# A quantizer at the rate-distortion limit of 2 bits has D = 1/16, and what it puts out has variance 1 - D.
HYB_STD = np.sqrt(15 / 16)


def lookup(table: ArrayLike) -> NDArray[np.float32]:
    """A code whose values are all in a table, one row a state.

    value(s) = table[s]

    Parameters
    ----------
    table : array (2^L,) or (2^L, V), real, L from 1 to 20

    Returns
    -------
    array (2^L, V), float32
        A copy, C-contiguous.

    Raises
    ------
    ValueError, TypeError
        Another shape, or numbers that are not finite in float32.

    Examples
    --------
    >>> lookup([-1.5, -0.5, 0.5, 1.5]).shape
    (4, 1)
    """
    table = np.asarray(table)
    if table.ndim not in (1, 2):
        raise ValueError(
            f"table must have 1 or 2 axes, (states,) or (states, values of a step), but its shape is {table.shape}."
        )
    return checked(table[:, None] if table.ndim == 1 else table, most_bits=LARGEST_STATE_BITS)


def gaussian(state_bits: int, values_per_step: int = 1, *, seed: int | np.random.Generator) -> NDArray[np.float32]:
    """The random code: every value is drawn from N(0, 1), which the computed codes imitate without a table.

    value(s) ~ N(0, I_V), independent

    Parameters
    ----------
    state_bits : int
        L, from 1 to 20.
    values_per_step : int
        V.
    seed : int or Generator

    Returns
    -------
    array (2^L, V), float32

    Raises
    ------
    ValueError, TypeError
        L is no integer from 1 to 20, V none from 1, or no seed.

    References
    ----------
    QTIP, arXiv:2406.11235, section 3.1 and table 1, whose "RPTC" it is.

    Examples
    --------
    >>> gaussian(12, seed=0).shape, gaussian(16, 2, seed=0).shape
    ((4096, 1), (65536, 2))
    """
    L = checks.integer(state_bits, "state_bits", low=1, high=LARGEST_STATE_BITS)
    V = checks.integer(values_per_step, "values_per_step", low=1)
    return seeds.gaussian(seeds.chosen(seed), "random code", (1 << L, V)).astype(np.float32)


def hyb_table(table_bits: int, seed: int | np.random.Generator, *, progress: bool = False) -> NDArray[np.float32]:
    """The table of the hybrid code: the centroids of a 2-D Gaussian, found by k-means, of standard deviation .968.

    table = sqrt(15/16) C / std(C), rounded to half precision;  C minimises the mean of min_i |x - C_i|^2 over a sample

    Parameters
    ----------
    table_bits : int
        Q, from 1 to 15.
    seed : int or Generator
        It draws the sample from N(0, I_2), whose first points are the first centroids.
    progress : bool
        Show a bar on standard error.

    Returns
    -------
    array (2^Q, 2), float32
        Numbers that half precision holds exactly.

    Raises
    ------
    ValueError, TypeError
        Q is no integer from 1 to 15, or no seed.

    Notes
    -----
    Seconds for Q = 9, and some ten times as many for Q = 12 and above, whose sample is eight times as large.

    The authors' tables come from a k-means without a seed and are stored with every layer: no program can draw them
    again. This one has their recipe and its own numbers, the same for a seed up to the arithmetic of a machine.

    References
    ----------
    QTIP, arXiv:2406.11235, section 3.1.2.

    Examples
    --------
    >>> table = hyb_table(4, seed=0)
    >>> table.shape, round(float(table.std()), 3)
    ((16, 2), 0.968)
    """
    rows = 1 << checks.integer(table_bits, "table_bits", low=1, high=15)
    X = seeds.gaussian(seeds.chosen(seed), "hybrid table", (min(rows * SAMPLES_A_ROW, LARGEST_SAMPLE), 2))
    C = k_means(X, X[:rows], progress=checks.boolean(progress, "progress"))
    return (C * (HYB_STD / C.std())).astype(np.float16).astype(np.float32)


def k_means(X, C, *, progress=False):
    """Lloyd's steps: every point of X (N, d) goes to its nearest centroid, every centroid to the mean of its points.

    A centroid that no point is nearest to stays where it is.
    """
    from scipy.spatial import cKDTree
    from tqdm import tqdm

    for _ in tqdm(range(LLOYD_STEPS), "k-means", unit=" steps", delay=2, leave=False, disable=not progress):
        nearest = cKDTree(C).query(X)[1]
        counts = np.bincount(nearest, minlength=len(C))[:, None]
        sums = np.stack([np.bincount(nearest, weights=x, minlength=len(C)) for x in X.T], axis=1)
        C = np.where(counts > 0, sums / np.maximum(counts, 1), C)
    return C


def states(state_bits):
    """All states, in the integers that hashes are computed in."""
    return np.arange(1 << checks.integer(state_bits, "state_bits", low=1, high=LARGEST_STATE_BITS), dtype=np.uint64)


def checked(table, name="table", *, most_bits):
    """The table (2^b, V) as a new float32 array, b from 1 to most_bits."""
    table = checks.real_array(table, name, ndim=2)
    rows, V = table.shape
    if rows & (rows - 1) or not 2 <= rows <= 1 << most_bits or V == 0:
        raise ValueError(
            f"{name} must have a row for each state or index, a power of two from 2 to {1 << most_bits}, and a column "
            f"for each value of a step, but its shape is {table.shape}."
        )
    if np.abs(table).max() > np.finfo(np.float32).max:
        raise ValueError(f"{name} must fit float32, but it reaches {np.abs(table).max():.1e}. Scale it down.")
    return np.array(table, np.float32, order="C")
