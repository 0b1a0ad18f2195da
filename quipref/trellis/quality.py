"""How good a code is: the moments of its values, what neighbours in a walk have to do with each other, its error."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from quipref import backend as backends
from quipref import checks
from quipref.gaussian import MeasuredError, of_sequences
from quipref.incoherence import seeds
from quipref.trellis.bitshift import BitshiftTrellis, checked_trellis
from quipref.trellis.viterbi import checked_table, decode, viterbi

SCALES = np.arange(10, 31) / 20  # 0.5, 0.55 ... 1.5: what "optimum" chooses from
FARTHEST_SCALE = 1e6  # at such scales, or below their inverse, the code says nothing of the source any more
PILOT = 4  # "optimum" chooses on a quarter of the number of sequences, and measures on others


@dataclass(frozen=True, eq=False)
class CodeQuality:
    """What `code_quality` found.

    Attributes
    ----------
    mean, variance, kurtosis : float
        Of all values; a Gaussian has kurtosis 3.
    distinct : int
        Different rows of the table.
    correlations : array (1 + ceil(L / kV), V, V), float64
        Entry [t, i, j]: of value i of a state with value j of the state t steps later, over all walks.
    scale : float
        The standard deviation of the source over the root mean square of the table, as measured.
    error : MeasuredError
        Mean squared error of the best walks for N(0, 1), with its standard error.
    """

    mean: float
    variance: float
    kurtosis: float
    distinct: int
    correlations: NDArray[np.float64]
    scale: float
    error: MeasuredError

    @property
    def largest_correlation(self) -> float:
        """The largest magnitude among the correlations of two different weights."""
        others = self.correlations.copy()
        np.fill_diagonal(others[0], 0)
        return float(np.abs(others).max())


def code_quality(
    table: ArrayLike, trellis: BitshiftTrellis, *, seed: int | np.random.Generator, n_sequences: int = 64,
    n_weights: int = 256, scale: float | Literal["optimum"] = 1.0, tail_biting: bool = True,
    backend: backends.Backend = "numba", threads: int | None = None,
) -> CodeQuality:  # fmt: skip
    """Measure a code: the moments of its values, exactly, and its error on a Gaussian source, by Viterbi.

    corr_t[i, j] = E[f_i(s) f_j(s')] with f the standardised values and s' the state t steps after s, all walks alike

    Parameters
    ----------
    table : array (2^L, V), real float
        Of `quipref.trellis.codes`, or any other.
    trellis : BitshiftTrellis
    seed : int or numpy.random.Generator
        Of the source.
    n_sequences, n_weights : int
        B >= 2 sequences of T weights.
    scale : float or "optimum"
        The source has this standard deviation in units of the table's root mean square. ``"optimum"``: the best of
        0.5, 0.55 ... 1.5, chosen on other sequences than those it is measured on.
    tail_biting, backend, threads
        As in `viterbi`.

    Returns
    -------
    CodeQuality

    Raises
    ------
    ValueError, TypeError
        As in `viterbi`, fewer than two sequences, a scale beyond 1e-6 to 1e6, no seed, or a table that is zero in
        single precision.

    Notes
    -----
    States that share bits should have values that share nothing: correlations show the simplest way in which they may.
    A code with none may still be bad, so the error decides.

    References
    ----------
    QTIP, arXiv:2406.11235, section 3.1 and figure 3.

    Examples
    --------
    >>> from quipref.trellis import codes
    >>> trellis = BitshiftTrellis(state_bits=8, bits_per_weight=2)
    >>> found = code_quality(codes.one_mad(8), trellis, seed=0, n_sequences=4, n_weights=32)
    >>> found.distinct, found.correlations.shape
    (239, (5, 1, 1))
    """
    n_sequences = checks.integer(n_sequences, "n_sequences", low=2)
    checked_trellis(trellis).n_steps(n_weights)
    if checks.boolean(tail_biting, "tail_biting"):
        trellis.check_tail_biting(n_weights, or_free=True)
    rng = np.random.default_rng(seeds.chosen(seed))
    table = coding_table(table)
    options = {"tail_biting": tail_biting, "backend": backend, "threads": threads}
    if scale == "optimum":
        pilot = rng.standard_normal((max(2, n_sequences // PILOT), n_weights))
        scale = min(SCALES, key=lambda s: squared_errors(pilot, table, trellis, s, **options).mean())
    X = rng.standard_normal((n_sequences, n_weights))
    errors = squared_errors(X, table, trellis, positive(scale), **options)
    values = table.astype(np.float64)
    centred = values - values.mean()
    variance = np.square(centred).mean()
    return CodeQuality(
        float(values.mean()),
        float(variance),
        float((centred**4).mean() / variance**2) if variance else math.nan,
        len(np.unique(values, axis=0)),
        correlations(values, trellis),
        float(scale),
        of_sequences(errors),
    )


def positive(scale):
    """`scale` as a float that is neither zero nor far from one."""
    if not 1 / FARTHEST_SCALE <= checks.fraction(scale, "scale") <= FARTHEST_SCALE:
        raise ValueError(
            f"scale must be from {1 / FARTHEST_SCALE:.0e} to {FARTHEST_SCALE:.0e}, but {scale:.3g} came. "
            "It is 1 where the source has the table's root mean square."
        )
    return float(scale)


def coding_table(table):
    """The table (2^L, V) in single precision, with something other than zeros in it."""
    given, table = np.asarray(table), checked_table(table)
    if not given.any():
        raise ValueError("table must have values other than zero, but all of them are. It can code nothing else.")
    if np.abs(table).max() < np.finfo(np.float32).tiny:
        raise ValueError(
            f"table must reach {np.finfo(np.float32).tiny:.1e} to keep its digits in single precision, but its largest "
            f"value has the size {np.abs(given).max():.1e}. Multiply it by a power of two: no error depends on it."
        )
    return table


def squared_errors(X, table, trellis, scale, **options):
    """The mean squared error of each sequence of X (B, T), drawn from N(0, 1), coded by the best walk: (B,).

    The source is brought to `scale` times the table's root mean square, and the error is taken back to variance one.
    """
    unit = scale * root_mean_square(table)
    shift = -np.frexp(unit)[1]  # a power of two for both, so that no product leaves float32
    states = viterbi(
        np.ldexp(X * unit, shift).astype(np.float32), np.ldexp(table, shift).astype(np.float32), trellis, **options
    )
    return np.square(X - decode(states, table) / unit).mean(axis=1)


def root_mean_square(table):
    """The root mean square of the table's values."""
    return math.sqrt(np.square(table, dtype=np.float64).mean())


def correlations(values, trellis):
    """corr_t for t = 0 ... ceil(L / kV), where nothing is shared any more: (1 + ceil(L / kV), V, V).

    The kV t bits that have left s are uniform, and so are those that have entered s'; given the L - kV t bits that both
    share, the two means are independent.
    """
    L, V = trellis.state_bits, trellis.values_per_step
    centred = values - values.mean(axis=0)
    spread = np.sqrt(np.square(centred).mean(axis=0))
    f = centred / np.where(spread > 0, spread, 1)
    found = []
    for t in range(-(-L // trellis.shift) + 1):
        changed = min(t * trellis.shift, L)
        before = f.reshape(1 << changed, -1, V).mean(axis=0)
        after = f.reshape(-1, 1 << changed, V).mean(axis=1)
        found.append(before.T @ after / len(before))
    return np.array(found)
