"""Tables 1 and 2 of the QTIP paper, measured again: its figures beside ours, ours with error bars.

Mean squared errors on N(0, 1) of sequences of 256 weights, T = 256. A random table is drawn anew for every batch of
sequences, and the standard error then counts batches, so it holds what differs between tables too.
`quipref.gaussian_page` has more codes, and other rates.
"""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from quipref import gaussian_codes, tables
from quipref.gaussian import MeasuredError, distortion_rate, lloyd_max
from quipref.gaussian_codes import Step, later, pooled, silent
from quipref.lattice.e8p import E8PQuantizer
from quipref.lattice.scales import SOURCE_SCALES
from quipref.trellis import codes
from quipref.trellis.bitshift import BitshiftTrellis
from quipref.trellis.tail_biting import best_circles, total_cost
from quipref.trellis.viterbi import viterbi

SOURCE = "QTIP, arXiv:2406.11235"
LLOYD_MAX, E8P, LIMIT = 0.118, 0.089, 0.063  # the other figures of table 1
TABLE_2 = {1: (0.2803, 0.2798), 2: (0.0733, 0.0733), 3: (0.0198, 0.0198), 4: (0.0055, 0.0055)}  # (algorithm 4, optimum)
BATCHES_2 = {True: (8, 16), False: (32, 64)}  # for table 2: batches, and sequences in each
STANDARD_ERRORS = 5  # that a printed figure may lie off ours, beyond its own rounding


@dataclass(frozen=True)
class Table1Row:
    """A code at 2 bits a weight.

    Attributes
    ----------
    name : str
    paper : float
        The figure that the paper prints.
    measured : float
        Ours.
    standard_error : float or None
        Of ours; None where it is exact.
    scale : float or None
        Standard deviation of the source over the root mean square of the code's values; for E8P, over the unit of
        its points' coordinates.
    sequences : int
        That were measured.
    """

    name: str
    paper: float
    measured: float
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
    batches, size = gaussian_codes.BATCHES[quick]
    total = len(gaussian_codes.CODES) * batches
    step("E8P", 0, total)
    lattice = gaussian_codes.block_error(E8PQuantizer(1 / SOURCE_SCALES[2], threads=threads), quick=quick, seed=seed)
    rows = [
        Table1Row("Lloyd-Max", LLOYD_MAX, lloyd_max(4).mse),
        Table1Row("E8P", E8P, *lattice, SOURCE_SCALES[2], math.prod(gaussian_codes.LATTICE[quick])),
    ]
    for i, code in enumerate(gaussian_codes.CODES):
        trellis, told = BitshiftTrellis(gaussian_codes.L1, 2, code.values_per_step), later(step, i * batches, total)
        found = gaussian_codes.trellis_error(code, trellis, quick=quick, seed=seed, threads=threads, step=told)
        rows.append(Table1Row(code.name, code.paper, *found, code.scale, batches * size))
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
        trellis, approximate, exact, searched = BitshiftTrellis(gaussian_codes.L2, k), [], [], []
        for b in range(batches):
            step(f"k = {k}", i * batches + b, total)
            X, table_seed = gaussian_codes.source(seed, b, size)
            X, table = X.astype(np.float32), codes.gaussian(gaussian_codes.L2, seed=table_seed)
            approximate.append(total_cost(X, viterbi(X, table, trellis, threads=threads), table) / X.shape[1])
            states, tried = best_circles(X, table, trellis, threads=threads)
            exact.append(total_cost(X, states, table) / X.shape[1])
            searched.append(tried)
        gaps = [a - e for a, e in zip(approximate, exact, strict=True)]
        means = [pooled(errors, by_batch=True) for errors in (approximate, exact, gaps)]
        improved, n = int((np.concatenate(gaps) > 0).sum()), batches * size
        rows.append(Table2Row(k, *TABLE_2[k], *means, n, improved, float(np.mean(searched)), 1 << trellis.overlap_bits))
    step("done", 1, 1)
    return rows


def differs(measured, standard_error, printed, digits=3):
    """Whether a figure printed with so many digits is another than ours: by more than its rounding and our error."""
    rounding = (0.5 + 1e-9) * 10.0**-digits  # what lies halfway may have been rounded either way
    return abs(measured - printed) > rounding + STANDARD_ERRORS * (standard_error or 0)


def beside(measured, standard_error, printed, digits=3):
    """The printed figure as a cell of a table, with a mark where it differs from ours."""
    return f"{printed:.{digits}f} {'!' if differs(measured, standard_error, printed, digits) else ' '}"


DIFFERS = (
    "! differs from ours by more than the rounding of what is printed and five standard errors. Lloyd-Max: the exact",
    "  error rounds to 0.117.",
)
HEADINGS_1 = ("code", "paper", "here", "+-", "scale*", "sequences")
FOOTNOTE_1 = (
    f"{SOURCE}, table 1: mean squared error on N(0, 1) at 2 bits, trellises with L = 16, T = 256, on circles.",
    "* the standard deviation of the source over the root mean square of the code's values; for E8P, in units of its",
    "  points' coordinates, as in QuIP#'s program. Lloyd-Max and D(R) are exact.",
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
            beside(row.measured, row.standard_error, row.paper),
            f"{row.measured:.4f}",
            "" if row.standard_error is None else f"{row.standard_error:.4f}",
            "" if row.scale is None else f"{row.scale:.2f}",
            str(row.sequences or ""),
        )
        for row in rows
    ]
    return "\n".join((tables.markdown(HEADINGS_1, lines), "", *FOOTNOTE_1, *DIFFERS))


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
