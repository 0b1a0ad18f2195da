"""Tables 1 and 2 of the QTIP paper, measured again: its figures beside ours, ours with error bars.

Mean squared errors on N(0, 1) of sequences of 256 weights, T = 256. A random table is drawn anew for every batch of
sequences, and the standard error then counts batches, so it holds what differs between tables too.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

import numpy as np

from quipref import tables
from quipref.gaussian import MeasuredError, distortion_rate, lloyd_max, of_sequences
from quipref.trellis import codes
from quipref.trellis.bitshift import BitshiftTrellis
from quipref.trellis.quality import squared_errors
from quipref.trellis.tail_biting import best_circles, total_cost
from quipref.trellis.viterbi import viterbi

SOURCE = "QTIP, arXiv:2406.11235"
T, L1, L2 = 256, 16, 12  # weights in a sequence, and state bits in the two tables
Step = Callable[[str, int, int], object]


def silent(message: str, done: int, total: int) -> None:
    """Show no progress."""


@dataclass(frozen=True)
class Code:
    """A code of table 1: what the paper says of it, and how its value table is made from a seed.

    Attributes
    ----------
    name : str
    paper : float
        Mean squared error, as printed.
    scale : float
        Standard deviation of the source over the root mean square of the code's values.
    values_per_step : int
        V.
    table : callable
        seed -> array (65536, V).
    random : bool
        Whether the seed matters.
    """

    name: str
    paper: float
    scale: float
    values_per_step: int
    table: Callable[[int], np.ndarray]
    random: bool = False


@cache
def hyb_values():
    """The hybrid code with a table of ours; training takes seconds, so once."""
    return codes.hyb(codes.hyb_table(9, 0), L1)


# The paper does not print its scales; from 0.95 to 1 the errors differ by less than half a percent.
CODES = (
    Code("1MAD", 0.069, 1.0, 1, lambda seed: codes.one_mad(L1)),
    Code("3INST", 0.069, 0.95, 1, lambda seed: codes.three_inst(L1)),
    Code("RPTC, V = 1", 0.068, 1.0, 1, lambda seed: codes.gaussian(L1, seed=seed), random=True),
    Code("HYB, V = 2", 0.071, 0.95, 2, lambda seed: hyb_values()),
    Code("RPTC, V = 2", 0.069, 1.0, 2, lambda seed: codes.gaussian(L1, 2, seed=seed), random=True),
)
LLOYD_MAX, E8P, LIMIT = 0.118, 0.089, 0.063  # the other figures of table 1
TABLE_2 = {1: (0.2803, 0.2798), 2: (0.0733, 0.0733), 3: (0.0198, 0.0198), 4: (0.0055, 0.0055)}  # (algorithm 4, optimum)
BATCHES = {True: (8, 16), False: (32, 32)}  # by quick: batches, and sequences in each, for table 1
BATCHES_2 = {True: (8, 16), False: (32, 64)}  # and for table 2


@dataclass(frozen=True)
class Table1Row:
    """A code at 2 bits a weight.

    Attributes
    ----------
    name : str
    paper : float
        The figure that the paper prints.
    measured : float or None
        Ours; None where the figure is the published one alone.
    standard_error : float or None
        Of ours; None where it is exact.
    scale : float or None
        Standard deviation of the source over the root mean square of the code's values.
    sequences : int
        That were measured.
    """

    name: str
    paper: float
    measured: float | None
    standard_error: float | None = None
    scale: float | None = None
    sequences: int = 0

    def to_dict(self) -> dict[str, Any]:
        """The row as JSON types."""
        return asdict(self)


@dataclass(frozen=True)
class Table2Row:
    """Random tables of 4096 states, one weight a step, k bits a weight: the search for a circle.

    Attributes
    ----------
    bits : int
        k.
    paper_algorithm_4, paper_optimum : float
        The figures that the paper prints.
    algorithm_4, optimum, gap : MeasuredError
        Ours; the gap is between the two on the same sequences.
    sequences, improved : int
        Measured; those whose best circle algorithm 4 missed.
    searched : float
        Mean number of overlaps that the proof had to search.
    overlaps : int
        That there are: 2^(12 - k).
    """

    bits: int
    paper_algorithm_4: float
    paper_optimum: float
    algorithm_4: MeasuredError
    optimum: MeasuredError
    gap: MeasuredError
    sequences: int
    improved: int
    searched: float
    overlaps: int

    def to_dict(self) -> dict[str, Any]:
        """The row as JSON types."""
        errors = {name: getattr(self, name)._asdict() for name in ("algorithm_4", "optimum", "gap")}
        return asdict(self) | errors


def table_1(*, quick: bool = False, seed: int = 0, threads: int | None = None, step: Step = silent) -> list[Table1Row]:
    """Measure the codes of table 1: 2 bits a weight, L = 16, tail-biting.

    Parameters
    ----------
    quick : bool
        128 sequences a code, not 1024.
    seed : int
        Of the source and of the random tables.
    threads : int, optional
        Default: all cores this process may use.
    step : callable
        Told (message, steps done, steps in all) as the work goes on.

    Returns
    -------
    list of Table1Row
    """
    batches, size = BATCHES[quick]
    rows = [Table1Row("Lloyd-Max", LLOYD_MAX, lloyd_max(4).mse), Table1Row("E8P", E8P, None)]
    for i, code in enumerate(CODES):
        trellis, errors = BitshiftTrellis(L1, 2, code.values_per_step), []
        for b in range(batches):
            step(code.name, i * batches + b, len(CODES) * batches)
            X, table_seed = source(seed, b, size)
            errors.append(squared_errors(X, code.table(table_seed), trellis, code.scale, threads=threads))
        found = pooled(errors, by_batch=code.random)
        rows.append(Table1Row(code.name, code.paper, found.mean, found.standard_error, code.scale, batches * size))
    step("done", 1, 1)
    return [*rows, Table1Row("D(R)", LIMIT, distortion_rate(2))]


def table_2(*, quick: bool = False, seed: int = 0, threads: int | None = None, step: Step = silent) -> list[Table2Row]:
    """Measure what algorithm 4 loses against the best circle: L = 12, V = 1, random tables as they are drawn.

    Parameters
    ----------
    quick : bool
        128 sequences for each k, not 2048.
    seed, threads, step
        As in `table_1`.

    Returns
    -------
    list of Table2Row
    """
    batches, size = BATCHES_2[quick]
    rows, total = [], len(TABLE_2) * batches
    for i, k in enumerate(TABLE_2):
        trellis, approximate, exact, searched = BitshiftTrellis(L2, k), [], [], []
        for b in range(batches):
            step(f"k = {k}", i * batches + b, total)
            X, table_seed = source(seed, b, size)
            X, table = X.astype(np.float32), codes.gaussian(L2, seed=table_seed)
            approximate.append(total_cost(X, viterbi(X, table, trellis, threads=threads), table) / T)
            states, tried = best_circles(X, table, trellis, threads=threads)
            exact.append(total_cost(X, states, table) / T)
            searched.append(tried)
        gaps = [a - e for a, e in zip(approximate, exact, strict=True)]
        means = [pooled(errors, by_batch=True) for errors in (approximate, exact, gaps)]
        improved, n = int((np.concatenate(gaps) > 0).sum()), batches * size
        rows.append(Table2Row(k, *TABLE_2[k], *means, n, improved, float(np.mean(searched)), 1 << trellis.overlap_bits))
    step("done", 1, 1)
    return rows


def source(seed, batch, size):
    """(X (size, 256), a seed for a table): the same for every code, so that codes are compared on the same weights."""
    rng = np.random.default_rng([seed, batch])
    return rng.standard_normal((size, T)), int(rng.integers(2**32))


def pooled(errors, *, by_batch):
    """The mean of batches of errors; each batch counts once in its standard error, or each sequence."""
    return of_sequences(np.array([batch.mean() for batch in errors]) if by_batch else np.concatenate(errors))


HEADINGS_1 = ("code", "paper", "here", "+-", "scale*", "sequences")
FOOTNOTE_1 = (
    f"{SOURCE}, table 1: mean squared error on N(0, 1) at 2 bits, trellises with L = 16, T = 256, on circles.",
    "* the standard deviation of the source over the root mean square of the code's values. Lloyd-Max and D(R) are",
    "  exact. E8P: the published figure alone.",
)
HEADINGS_2 = ("k", "algorithm 4", "paper", "+-", "optimum", "paper", "+-", "gap", "+-", "missed*", "searched*")
FOOTNOTE_2 = (
    f"{SOURCE}, table 2: mean squared error on N(0, 1) of random tables, L = 12, V = 1, T = 256, on circles.",
    "  Every optimum is proved to be one, up to the rounding of costs in float32.",
    "* missed: sequences whose best circle algorithm 4 does not find. searched: overlaps that the proof had to search,",
    "  in the mean, and all.",
)


def show_table_1(rows: list[Table1Row]) -> str:
    """The rows as a Markdown table with its footnote."""
    lines = [
        (
            row.name,
            f"{row.paper:.3f}",
            "" if row.measured is None else f"{row.measured:.4f}",
            "" if row.standard_error is None else f"{row.standard_error:.4f}",
            "" if row.scale is None else f"{row.scale:.2f}",
            str(row.sequences or ""),
        )
        for row in rows
    ]
    return "\n".join((tables.markdown(HEADINGS_1, lines), "", *FOOTNOTE_1))


def show_table_2(rows: list[Table2Row]) -> str:
    """The rows as a Markdown table with its footnote."""
    lines = [
        (
            str(row.bits),
            f"{row.algorithm_4.mean:.4f}",
            f"{row.paper_algorithm_4:.4f}",
            f"{row.algorithm_4.standard_error:.5f}",
            f"{row.optimum.mean:.4f}",
            f"{row.paper_optimum:.4f}",
            f"{row.optimum.standard_error:.5f}",
            f"{row.gap.mean:.5f}",
            f"{row.gap.standard_error:.5f}",
            f"{row.improved} of {row.sequences}",
            f"{row.searched:.0f} of {row.overlaps}",
        )
        for row in rows
    ]
    return "\n".join((tables.markdown(HEADINGS_2, lines), "", *FOOTNOTE_2))
