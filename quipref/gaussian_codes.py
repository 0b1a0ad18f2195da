"""Codes for the Gaussian source that the papers print figures of, and how their errors are measured here.

Mean squared errors on N(0, 1) of sequences of 256 weights, T = 256. A random table is drawn anew for every batch of
sequences, and the standard error then counts batches, so it holds what differs between tables too.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from quipref.gaussian import of_sequences
from quipref.trellis import codes
from quipref.trellis.quality import squared_errors

T, L1, L2 = 256, 16, 12  # weights in a sequence; state bits in tables 1 and 2 of the QTIP paper
Step = Callable[[str, int, int], object]


def silent(message: str, done: int, total: int) -> None:
    """Show no progress."""


def later(step, start, total):
    """The step of a part of the work that begins when `start` of `total` is done."""
    return lambda message, done: step(message, start + done, total)


@dataclass(frozen=True)
class Code:
    """A trellis code: what a paper says of it, and how its value table is made from a seed.

    Attributes
    ----------
    name : str
    paper : float or None
        Mean squared error, as printed; None where it is not.
    scale : float
        Standard deviation of the source over the root mean square of the code's values.
    values_per_step : int
        V.
    table : callable
        seed -> array (2^L, V).
    random : bool
        Whether the seed matters.
    """

    name: str
    paper: float | None
    scale: float
    values_per_step: int
    table: Callable[[int], np.ndarray]
    random: bool = False


@cache
def hyb_values():
    """The hybrid code with a table of ours; training takes seconds, so once."""
    return codes.hyb(codes.hyb_table(9, 0), L1)


# Of table 1. The paper does not print its scales; from 0.95 to 1 the errors differ by less than half a percent.
CODES = (
    Code("1MAD", 0.069, 1.0, 1, lambda seed: codes.one_mad(L1)),
    Code("3INST", 0.069, 0.95, 1, lambda seed: codes.three_inst(L1)),
    Code("RPTC, V = 1", 0.068, 1.0, 1, lambda seed: codes.gaussian(L1, seed=seed), random=True),
    Code("HYB, V = 2", 0.071, 0.95, 2, lambda seed: hyb_values()),
    Code("RPTC, V = 2", 0.069, 1.0, 2, lambda seed: codes.gaussian(L1, 2, seed=seed), random=True),
)
BATCHES = {True: (8, 16), False: (32, 32)}  # by quick: batches, and sequences in each
LATTICE = {True: (8, 512), False: (32, 2048)}  # the same for codes of eight weights, whose search takes no time


def trellis_error(code, trellis, *, quick, seed, threads, step):
    """The MeasuredError of a Code on circles of a trellis; `step` is told (name, batches done)."""
    batches, size = BATCHES[quick]
    errors = []
    for b in range(batches):
        step(code.name, b)
        X, table_seed = source(seed, b, size)
        errors.append(squared_errors(X, code.table(table_seed), trellis, code.scale, threads=threads))
    return pooled(errors, by_batch=code.random)


def block_error(round_to, *, quick, seed):
    """The MeasuredError of a Quantizer that takes a few weights at a time."""
    batches, size = LATTICE[quick]
    errors = []
    for b in range(batches):
        X, _ = source(seed, b, size)
        errors.append(np.square(X - round_to.quantize(X)[1]).mean(axis=1))
    return pooled(errors, by_batch=False)


def source(seed, batch, size):
    """(X (size, 256), a seed for a table): the same for every code, so that codes are compared on the same weights."""
    rng = np.random.default_rng([seed, batch])
    return rng.standard_normal((size, T)), int(rng.integers(2**32))


def pooled(errors, *, by_batch):
    """The mean of batches of errors; each batch counts once in its standard error, or each sequence."""
    return of_sequences(np.array([batch.mean() for batch in errors]) if by_batch else np.concatenate(errors))
