"""The main job: quantize every linear layer of the small language model with every method, and measure.

`run` returns the rows that `make tour` prints, `compare` those of single layers; `table` and
`quipref.figures.tour` show them.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from quipref import data, lm, proxy, tables
from quipref.layer import QuantizedLayer
from quipref.methods import registry

BITS = (4, 3, 2)
QUICK_EVALUATION, QUICK_CALIBRATION = 16 * 1024, 64 * 1024

FOOTNOTE = (
    "* `-` as loss / bound: no theorem holds, since the grid is finite and clamps; the bounds are for unbounded grids.",
    "* no clamp: the step of the b-bit grid without its limits; a layer is stored at the width of its widest code.",
)
FOOTNOTES = {  # of methods, where the table has them
    "quip": (
        "* quip: one grid for the rotated layer, from -2.4 to 2.4 root mean squares as published; step=optimum: the",
        "  step that rounds the rotated weights best, without feedback. A mean of ratios weighs every layer alike; the",
        "  model does not.",
    ),
    "quip#": (
        "* quip#: eight weights of a row are a point of a codebook cut from the lattice E8; of ten scales a layer has",
        "  the one that loses least on some rows. passes=10: eight columns at a time, rounded again up to ten times.",
    ),
    "qtip": (
        "* qtip: a walk through a trellis of 2^state_bits states for each tile of 16 x 16 weights; to be quick the",
        "  rows have 2^12 of them, where `quantize` takes 2^16 by default.",
    ),
}
# By loss at 2 bits each was made to be better than those before it; optq and ldlq are the same rounding.
PLACES = {"nearest": 0, "optq": 1, "ldlq": 1, "quip": 2, "quip#": 3, "qtip": 4}
EXPECTED = "nearest > optq, ldlq > quip > quip# > qtip"
WHY = {
    "quip": (
        "  quip has one step for a whole layer, at 2 bits 1.6 of its root mean squares, so that its widest rows, and",
        "  what feedback adds to them, are not clipped; optq and ldlq fit a step to each row.",
    ),
}


@dataclass(frozen=True)
class Row:
    """One line of the tour.

    Attributes
    ----------
    method, label : str
        The name in the registry, and that name with the options of the row.
    bits : int
        Asked for.
    bits_per_weight : float
        Stored: codes, scales and headers, over all linear layers.
    loss_to_nearest : float or None
        Mean over the layers of the proxy loss divided by that of `nearest` at the same bits.
    loss_to_bound : float or None
        Mean over the layers of the proxy loss divided by its theorem's bound; None without a theorem.
    bits_per_byte, perplexity : float or None
        Of the quantized model on held-out text; the perplexity is of a byte, 2^bits_per_byte.
    seconds : float
        To quantize all layers, compilation included where the cache was empty.
    """

    method: str
    label: str
    bits: int
    bits_per_weight: float
    loss_to_nearest: float | None
    loss_to_bound: float | None
    bits_per_byte: float | None
    perplexity: float | None
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """The row as JSON types."""
        return asdict(self)


def run(
    *, full: bool = False, threads: int | None = None,
    step: Callable[[str, float, int], object] = lambda message, done, total: None,
) -> list[Row]:  # fmt: skip
    """Quantize, measure and return the rows, the original model first.

    Parameters
    ----------
    full : bool
        Evaluate on all 64 KB and calibrate on all 256 KB, instead of 16 and 64.
    threads : int, optional
        Default: all cores this process may use.
    step : callable
        Told (message, steps done, steps in all) as the work goes on.

    Returns
    -------
    list of Row
    """
    text = data.read("evaluation.txt")[: None if full else QUICK_EVALUATION]
    n_bytes = len(data.read("calibration.txt")) if full else QUICK_CALIBRATION
    model = lm.load_lm()
    total = 2 + len(BITS) * len(registry.tour_rows())
    hessians = lm.calibrated_hessians(model, n_bytes, lambda share: step("gathering Hessians", share, total))
    step("measuring the original", 1, total)
    quality = model.bits_per_byte(text)
    original = Row("original", "original (float16)", 16, 16.0, None, None, quality, 2**quality, 0.0)

    def measured(layers):
        return model.with_linears({name: layer.dequantize() for name, layer in layers.items()}).bits_per_byte(text)

    linears = {name: model.linear(name) for name in hessians}
    rows = compare(
        linears, hessians, quality=measured, threads=threads, step=lambda what, done: step(what, done + 2, total)
    )
    step("done", total, total)
    return [original, *rows]


def compare(
    linears: Mapping[str, NDArray[np.floating]], hessians: Mapping[str, ArrayLike], *, bits: Sequence[int] = BITS,
    quality: Callable[[dict[str, QuantizedLayer]], float] | None = None, threads: int | None = None,
    step: Callable[[str, int], object] = lambda message, done: None,
) -> list[Row]:  # fmt: skip
    """Every method on the same layers.

    Parameters
    ----------
    linears, hessians : dict of str to array
        Weights (m, n) and Hessian (n, n) of each layer.
    bits : sequence of int
    quality : callable, optional
        Given {name: QuantizedLayer}, returns bits per byte.
    threads, step
        As in `run`; `step` is told (message, rows done).

    Returns
    -------
    list of Row
    """
    rows: list[Row] = []
    for b in bits:
        nearest = None
        for method, options in registry.tour_rows([W.shape for W in linears.values()], b):
            step(f"{label(method, options)} at {b} bits", len(rows))
            started = time.perf_counter()
            layers = {
                name: registry.quantize(W, hessians[name], method=method, bits=b, threads=threads, **options)
                for name, W in linears.items()
            }
            seconds = time.perf_counter() - started
            losses = {k: proxy.proxy_loss(linears[k], layers[k].dequantize(), hessians[k]) for k in layers}
            nearest = nearest or losses  # the registry's first row is plain nearest rounding
            bounds = [registry.module(method).bound(layer, hessians[name]) for name, layer in layers.items()]
            ratio = None if None in bounds else mean(losses.values(), bounds)
            score = quality(layers) if quality else None
            rows.append(
                Row(
                    method,
                    label(method, options),
                    b,
                    stored_bits(layers) / sum(W.size for W in linears.values()),
                    mean(losses.values(), nearest.values()),
                    ratio,
                    score,
                    None if score is None else 2**score,
                    seconds,
                )
            )
    return rows


def label(method, options):
    """The method's name and its options, as the table shows them."""
    shown = ["no clamp" if (key, value) == ("clamp", False) else f"{key}={value}" for key, value in options.items()]
    return ", ".join((method, *shown))


def stored_bits(layers):
    """All bits of all layers."""
    return sum(sum(layer.size_in_bits().values()) for layer in layers.values())


def mean(values, divisors):
    """The mean of value / divisor; a layer without loss (0 / 0) counts as 1."""
    ratios = [1.0 if a == b else a / b if b else float("inf") for a, b in zip(values, divisors, strict=True)]
    return sum(ratios) / len(ratios)


HEADINGS = ("method", "bits", "bits a weight", "loss / nearest", "loss / bound", "bits a byte", "perplexity", "seconds")


def cells(row):
    """The strings of one line of the table, in the order of `HEADINGS`; empty where nothing was measured."""
    quantized = row.method != "original"
    return (
        row.label,
        str(row.bits),
        f"{row.bits_per_weight:.3f}",
        _number(row.loss_to_nearest, 3),
        "-" if quantized and row.loss_to_bound is None else _number(row.loss_to_bound, 3),
        _number(row.bits_per_byte, 3),
        _number(row.perplexity, 3),
        _number(row.seconds if quantized else None, 1),
    )


def _number(value, digits):
    return "" if value is None else f"{value:.{digits}f}"


def left_out(shapes: Iterable[tuple[int, ...]], bits: Sequence[int]) -> list[str]:
    """The methods that `compare` leaves out for layers of these shapes, and why; a sentence each."""
    shapes, found = list(shapes), {}
    for b in dict.fromkeys(bits):
        for method, reason in registry.left_out(shapes, b).items():
            found.setdefault((method, reason), []).append(str(b))
    everywhere = len(set(bits))
    where = {key: "" if len(at) == everywhere else f" at {', '.join(at)} bits" for key, at in found.items()}
    return [f"{method} is left out{where[method, reason]}: {reason}." for method, reason in found]


def table(rows: Iterable[Row], left_out: Iterable[str] = ()) -> str:
    """The rows as a Markdown table, its footnotes, and a note of each method that has no row."""
    rows = list(rows)
    notes = [line for method in FOOTNOTES if any(row.method == method for row in rows) for line in FOOTNOTES[method]]
    return "\n".join(
        (
            tables.markdown(HEADINGS, map(cells, rows)),
            "",
            *FOOTNOTE,
            *notes,
            *order_note(rows),
            *(f"* {line}" for line in left_out),
        )
    )


def order_note(rows):
    """The lines that say which methods change places at 2 bits, each by its first row; none where all are in order."""
    loss = {row.method: row.loss_to_nearest for row in reversed(rows) if row.bits == 2 and row.method in PLACES}
    late = {b: [a for a in loss if PLACES[a] < PLACES[b] and loss[a] <= loss[b]] for b in PLACES if b in loss}
    late = {b: sorted(before, key=list(PLACES).index) for b, before in late.items() if before}
    if not late:
        return []
    pairs = (f"{b} ({loss[b]:.3f}) with {', '.join(f'{a} ({loss[a]:.3f})' for a in late[b])}" for b in late)
    why = [line for b in late for line in WHY.get(b, ())]
    return [f"* order: {EXPECTED} is expected at 2 bits.", f"  Here change places: {'; '.join(pairs)}.", *why]
