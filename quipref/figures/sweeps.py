"""Pictures of losses on random layers against their size: all that stands in one row is divided by the same bound."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
from matplotlib.ticker import LogFormatterSciNotation, LogLocator, NullFormatter

from quipref.figures.style import COLOURS, MARKERS, WIDTH, label, page
from quipref.sweeps import records as kept

OTHERS = [(COLOURS["ink"], "^"), (COLOURS["quip"], "d"), (COLOURS["qtip"], "<"), (COLOURS["muted"], "X")]
PANEL, AROUND = 1.75, 1.3  # inches of height of a row, and of the title and the legend
MOST_TICKS = 4
DECADE = 50  # where losses differ by less, a power of ten has three ticks


@dataclass(frozen=True)
class Row:
    """A row of panels: what is divided by what, and the names of its lines.

    Attributes
    ----------
    share : str
        On the axis.
    line : str
        What a share of one is.
    above : str
        What crosses mean: the largest loss where it is above one.
    mean : (float, str) or None
        A second line.
    names : tuple of (method, str)
        Of methods that are called something else here.
    """

    share: str
    line: str = "the bound"
    above: str = "a layer above the bound"
    mean: tuple[float, str] | None = None
    names: tuple[tuple[str, str], ...] = ()


ROWS = {
    "worst_case": Row("loss / ($m/4$ tr $D$)", mean=(1 / 3, "LDLQ's mean, $m/12$ tr $D$")),
    "plain_worst_case": Row(r"loss / ($mn/4\ \lambda_{max}$)"),
    "stochastic_worst_case": Row("loss / ($m$ tr $D$)", mean=(1 / 6, "random LDLQ's mean, $m/6$ tr $D$")),
    "stochastic_plain_worst_case": Row(r"loss / ($mn\ \lambda_{max}$)"),
    "root_trace": Row(r"tr $D$ / (tr $R$ max $R_{ii}$)", "the bound; $R = H^{1/2}$"),
    "incoherent_trace": Row(r"tr $D$ / ($\mu^2\!/n$ (tr $R)^2$)", "the bound; $R = H^{1/2}$"),
}
ON_OWN_GRID = Row("loss / (bound on its grid)")


def ratio_against_n(records):
    """What each method loses as a share of its theorem's bound, a row of panels for each theorem.

    Parameters
    ----------
    records : list of dict
        As `quipref.sweep` returns them; those without a ratio are left out, which the legend says.

    Returns
    -------
    matplotlib.figure.Figure
    """
    judged = [record for record in records if record["ratio"] is not None]
    if not judged:
        raise ValueError("records must have a ratio to draw, but none has. A method without a theorem has no bound.")
    rows = {}
    for record in judged:
        row = ROWS[record["bound"]] if record["bits"] is None else ON_OWN_GRID
        rows.setdefault(row, []).append(record)
    names = {}
    for name in dict.fromkeys(map(kept.label, judged)):
        missing = without_place([record for record in records if kept.label(record) == name])
        names[name] = f"{name} ({missing})" if missing else name
    return _rows(rows, names, f"Shares of bounds on {_layers(records)}")


def losses_against_n(records, row):
    """What a rounder loses beside others, all as shares of one number; what has no place is named below its panel.

    Parameters
    ----------
    records : list of dict
        method, spectrum, m, n, ratio or None, and error, "" or why there is none; those of the rounder come last.
    row : Row
        What that number is.

    Returns
    -------
    matplotlib.figure.Figure
    """
    names = {record["method"]: record["method"] for record in records} | dict(row.names)
    own = records[-1]["method"]
    notes = {
        spectrum: without_place([r for r in records if r["method"] == own and r["spectrum"] == spectrum])
        for spectrum in dict.fromkeys(record["spectrum"] for record in records)
    }
    return _rows({row: records}, names, f"{own} on {_layers(records)}", notes)


def without_place(records):
    """How many of the records a logarithmic axis has no place for, and why: refused, failed, or no loss."""
    reasons = Counter(_reason(record) for record in records if not record["ratio"])
    return ", ".join(f"{reason}: {count} of {len(records)}" for reason, count in reasons.items())


def _reason(record):
    if record["ratio"] == 0:
        return "loss 0"
    error = record.get("error")
    return error if error in ("refused", "hung", "failed") else "no result" if error else "no bound"


def _layers(records):
    """On how many layers of what size."""
    rows = sorted({record["m"] for record in records})
    each = len({record["seed"] for record in records})
    drawn = "line at the median, band from least to largest"
    return f"random layers, $m$ = {', '.join(map(str, rows))}, {each} of each size: {drawn}"


def _rows(rows, names, title, notes=None):
    """The page: a column of panels for each spectrum; below a panel its note."""
    found = [record for own in rows.values() for record in own]
    spectra = list(dict.fromkeys(record["spectrum"] for record in found))
    looks = _looks(found)
    about = "Shares of a bound against n: medians, and bands from the least to the largest, beside a line at the bound."
    grid = {"rows": len(rows), "columns": len(spectra), "sharey": "row", "squeeze": False}
    with page(WIDTH, PANEL * len(rows) + AROUND, about=about, **grid) as (figure, axes):
        for panels, (row, records) in zip(axes, rows.items(), strict=True):
            for i, (panel, spectrum) in enumerate(zip(panels, spectra, strict=True)):
                _panel(panel, row, [record for record in records if record["spectrum"] == spectrum], looks, names)
                _ticks(panel, records)
                note = (notes or {}).get(spectrum, "").replace(", ", "\n")
                label(panel, spectrum.replace("_", " "), f"$n$\n{note}".strip(), "" if i else row.share)
        figure.suptitle(title, fontsize=9.5)
        figure.legend(*_named(axes.flat), loc="outside lower center", ncols=3)
    return figure


def _looks(records):
    """{label: (colour, marker, line)} of the methods, in order; those that are not of the house have dashes."""
    looks, spare = {}, 0
    for record in records:
        name, method = _name(record), record["method"]
        own = (COLOURS[method], MARKERS[method], "-") if method in MARKERS else None
        if name not in looks and (own is None or own in looks.values()):
            own = (*OTHERS[spare % len(OTHERS)], "--")
            spare += 1
        looks.setdefault(name, own)
    return looks


def _name(record):
    return kept.label(record) if "options" in record else record["method"]


def _panel(axes, row, records, looks, names):
    """One spectrum: the lines, and for each method the median and the band of all its layers."""
    axes.axhline(1, color=COLOURS["bound"], lw=2, label=row.line)
    if row.mean:
        axes.axhline(row.mean[0], color=COLOURS["ink"], ls=":", lw=1.2, label=row.mean[1])
    for name, (colour, marker, line) in looks.items():
        own = [record for record in records if _name(record) == name and record["ratio"]]
        sizes = sorted({record["n"] for record in own})
        ratios = [[record["ratio"] for record in own if record["n"] == n] for n in sizes]
        if not any(_name(record) == name for record in records):
            continue
        style = {"color": colour, "marker": marker, "ls": line, "label": names[name]}
        axes.plot(sizes, [np.median(r) for r in ratios], **style)
        axes.fill_between(sizes, [min(r) for r in ratios], [max(r) for r in ratios], color=colour, alpha=0.2, lw=0)
        above = [(n, max(r)) for n, r in zip(sizes, ratios, strict=True) if max(r) > kept.BROKEN]
        if above:
            axes.plot(*zip(*above, strict=True), "x", color=COLOURS["ink"], ms=5, label=row.above)


def _ticks(axes, records):
    """The sizes themselves on a logarithmic axis, some of them where there are many."""
    sizes = sorted({record["n"] for record in records})
    axes.set(xscale="log", yscale="log")
    axes.set_xlim(sizes[0] / 1.2, sizes[-1] * 1.2)
    sizes = sizes[:: -(-len(sizes) // MOST_TICKS)]
    axes.set_xticks(sizes, [str(n) for n in sizes])
    axes.set_xticks([], minor=True)
    found = [record["ratio"] for record in records if record["ratio"]]
    few = max(found) < DECADE * min(found)
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if few else (1,)))
    axes.yaxis.set_major_formatter("{x:g}" if few else LogFormatterSciNotation())
    axes.yaxis.set_minor_formatter(NullFormatter())


def _named(panels):
    """Handles and labels of all panels, each label once."""
    found = {}
    for panel in panels:
        for handle, name in zip(*panel.get_legend_handles_labels(), strict=True):
            found.setdefault(name, handle)
    return list(found.values()), list(found)


def save(records, path):
    """Write the picture of a sweep as PNG."""
    ratio_against_n(records).savefig(path, format="png")


def save_losses(records, row, path):
    """Write the picture of a rounder beside others as PNG."""
    losses_against_n(records, row).savefig(path, format="png")
