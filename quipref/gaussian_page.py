"""The Gaussian page: the mean squared error of every code on N(0, 1) against its rate, beside what papers print.

Incoherence processing makes weights look like independent normal numbers, so this is what a code is worth. Scalar
levels, vectors of eight and walks of 256 weights stand next to each other, and below them Shannon's limit D(R).
"""

import math
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from quipref import gaussian_codes, tables
from quipref.gaussian import distortion_rate, lloyd_max
from quipref.gaussian_codes import Code, Step, later, silent
from quipref.lattice.e8p import E8PQuantizer
from quipref.lattice.residual import RESIDUAL_SCALES, ResidualQuantizer
from quipref.lattice.scales import SOURCE_SCALES, scale_scan
from quipref.published import DIFFERS, E8P, LLOYD_MAX, SOURCE, TABLE_2, beside, differs
from quipref.trellis import codes
from quipref.trellis.bitshift import BitshiftTrellis

RATES = (1, 2, 3, 4)
LATTICES = {2: "E8P", 3: "E8P + E8", 4: "E8P + E8P"}
ONE_MAD = {1: 1.1, 3: 0.95, 4: 0.9}  # scale of the source: the best of 0.8, 0.85 ... 1.1; two bits are in table 1
TRIED = np.arange(80, 111, 2) / 100  # scales of the source; and what the authors' residual scale is multiplied by
FACTORS = np.arange(16, 29) / 20
PILOT = 2**13  # vectors of eight on which scales are chosen, and nothing is measured


@dataclass(frozen=True)
class Row:
    """A code at one rate.

    Attributes
    ----------
    code : str
    family : str
        "scalar", "lattice", "trellis" or "limit".
    bits : float
        A weight, all bits of the code counted.
    measured : float
        Mean squared error.
    standard_error : float or None
        None where the error is exact.
    paper : float or None
        The printed figure, where there is one.
    digits : int
        With which it is printed.
    scales : tuple of float
        Standard deviation of the source in units of the code, and the scale of its residual.
    weights : int
        That were measured.
    """

    code: str
    family: str
    bits: float
    measured: float
    standard_error: float | None = None
    paper: float | None = None
    digits: int = 3
    scales: tuple[float, ...] = ()
    weights: int = 0

    @property
    def decibels(self) -> float:
        """How far above the limit: 10 log10(measured / D(bits))."""
        return 10 * math.log10(self.measured / distortion_rate(self.bits))

    @property
    def differs(self) -> bool:
        """Whether the printed figure is another."""
        return self.paper is not None and differs(self.measured, self.standard_error, self.paper, self.digits)

    def to_dict(self) -> dict[str, Any]:
        """The row as JSON types."""
        return asdict(self) | {"scales": list(self.scales), "decibels": self.decibels, "differs": self.differs}


def measure(*, quick: bool = False, seed: int = 0, threads: int | None = None, step: Step = silent) -> list[Row]:
    """Measure every code at every rate it has.

    Parameters
    ----------
    quick : bool
        128 sequences for a trellis code, not 1024; 4096 for a lattice, not 65536.
    seed : int
        Of the source and of the random tables.
    threads : int, optional
        Default: all cores this process may use.
    step : callable
        Told (message, steps done, steps in all) as the work goes on.

    Returns
    -------
    list of Row
        By rate; the limit last.
    """
    how = {"quick": quick, "seed": seed, "threads": threads}
    batches = gaussian_codes.BATCHES[quick][0]
    parts = [*((lattice_rows, bits) for bits in LATTICES), *((trellis_rows, code) for code in trellis_codes())]
    rows = [scalar_row(bits) for bits in RATES]
    for i, (rows_of, what) in enumerate(parts):
        rows += rows_of(what, step=later(step, i * batches, len(parts) * batches), **how)
    rows += [Row("D(R)", "limit", bits, distortion_rate(bits)) for bits in RATES]
    step("done", 1, 1)
    return sorted(rows, key=lambda row: row.bits)


def scalar_row(bits):
    """Lloyd-Max: exact."""
    return Row("Lloyd-Max", "scalar", bits, lloyd_max(2**bits).mse, paper=LLOYD_MAX if bits == 2 else None)


def lattice_rows(bits, *, quick, seed, threads, step):
    """A codebook of eight weights, at the scales of QuIP#'s program and at the best that a scan finds."""
    step(LATTICES[bits], 0)
    weights = math.prod(gaussian_codes.LATTICE[quick]) * gaussian_codes.T
    authors, ours = (SOURCE_SCALES[bits], RESIDUAL_SCALES.get(bits)), best_scales(bits, seed, threads)
    for name, scales, paper in (("", authors, {2: E8P}.get(bits)), (", best scale", ours, None)):
        codebook = lattice(bits, *scales, threads)
        error = gaussian_codes.block_error(codebook, quick=quick, seed=seed)
        shown = tuple(float(scale) for scale in scales if scale is not None)
        yield Row(LATTICES[bits] + name, "lattice", codebook.bits, *error, paper, scales=shown, weights=weights)


def lattice(bits, source_scale, residual_scale, threads):
    """The Quantizer of that rate: source_scale is the standard deviation of the source in units of the points."""
    if bits == 2:
        return E8PQuantizer(1 / source_scale, threads=threads)
    return ResidualQuantizer(bits, 1 / source_scale, residual_scale, threads=threads)


def best_scales(bits, seed, threads):
    """(source scale, residual scale) of least error, on vectors that nothing is measured on."""
    rng = np.random.default_rng([seed, PILOT])
    if bits > 2:
        residual = RESIDUAL_SCALES[bits] * FACTORS
        return scale_scan(bits, TRIED, residual, seed=rng, n_vectors=PILOT, threads=threads).best()[:2]
    X = rng.standard_normal((PILOT, 8))
    return min(TRIED, key=lambda s: np.square(X - lattice(bits, s, None, threads).quantize(X)[1]).mean()), None


def trellis_codes():
    """(bits, L, Code, digits of the printed figure): table 1's, 1MAD at the other rates, table 2's random tables."""
    one_mad = gaussian_codes.CODES[0]
    for code in gaussian_codes.CODES:
        yield 2, gaussian_codes.L1, code, 3
    for bits, scale in ONE_MAD.items():
        yield bits, gaussian_codes.L1, replace(one_mad, scale=scale, paper=None), 3
    for bits, (printed, _) in TABLE_2.items():
        code = Code(f"random, L = {gaussian_codes.L2}", printed, 1.0, 1, small_table, random=True)
        yield bits, gaussian_codes.L2, code, 4


def small_table(seed):
    """A table of table 2."""
    return codes.gaussian(gaussian_codes.L2, seed=seed)


def trellis_rows(what, *, quick, seed, threads, step):
    """A trellis code on circles of 256 weights."""
    bits, state_bits, code, digits = what
    trellis, T = BitshiftTrellis(state_bits, bits, code.values_per_step), gaussian_codes.T
    error = gaussian_codes.trellis_error(code, trellis, quick=quick, seed=seed, threads=threads, step=step)
    rate, weights = trellis.storage_bits(T) / T, math.prod(gaussian_codes.BATCHES[quick]) * T
    yield Row(code.name, "trellis", rate, *error, code.paper, digits, (code.scale,), weights)


HEADINGS = ("code", "bits", "here", "+-", "dB*", "paper", "scales*", "weights")
FOOTNOTE = (
    "Mean squared error on N(0, 1) and its standard error; Lloyd-Max and D(R) are exact. Bits are all that a code",
    "  needs; tables, scales and seeds, of which a layer has one, are not counted. Trellises: circles of 256 weights,",
    "  L = 16 or as named. At 1, 3 and 4 bits 1MAD, which needs no table, stands for the codes of 2 bits.",
    "* dB: 10 log10(error / D(R)). scales: the standard deviation of the source, over the root mean square of a",
    "  trellis code's values or in units of E8P's coordinates; then the residual's. Lattices: those of QuIP#'s",
    "  program, and the best of a scan on other sequences.",
    f"paper: {SOURCE}, tables 1 and 2 (algorithm 4).",
)
E8P_DIFFERS = "  E8P: at no scale that was tried does ours come down to what is printed."


def show(rows: list[Row]) -> str:
    """The rows as a Markdown table with its footnotes."""
    lines = [
        (
            row.code,
            f"{row.bits:g}",
            f"{row.measured:.5f}",
            "" if row.standard_error is None else f"{row.standard_error:.5f}",
            "" if row.family == "limit" else f"{row.decibels:.2f}",
            "" if row.paper is None else beside(row.measured, row.standard_error, row.paper, row.digits),
            ", ".join(f"{scale:.2f}" for scale in row.scales),
            str(row.weights or ""),
        )
        for row in rows
    ]
    return "\n".join((tables.markdown(HEADINGS, lines), "", *FOOTNOTE, *DIFFERS, E8P_DIFFERS))
