"""The picture of a sweep: how much of its theorem's bound each method uses up as layers grow."""

import numpy as np

from quipref.figures.style import COLOURS, MARKERS, WIDTH, label, page
from quipref.sweeps import records as kept

OTHERS = [(COLOURS["ink"], "^"), (COLOURS["muted"], "X"), (COLOURS["quip"], "d"), (COLOURS["qtip"], "<")]
COLUMNS, PANEL = 3, 2.5  # panels side by side, inches of height of one
MEAN = 1 / 3  # of m/12 tr D to m/4 tr D


def ratio_against_n(records):
    """Measured over allowed against n, a panel for each spectrum, and the theorem as the line at 1.

    Parameters
    ----------
    records : list of dict
        As `quipref.sweep` returns them; those without a ratio are left out.

    Returns
    -------
    matplotlib.figure.Figure
    """
    records = [record for record in records if record["ratio"] is not None]
    if not records:
        raise ValueError("records must have a ratio to draw, but none has. A method without a theorem has no bound.")
    spectra = list(dict.fromkeys(record["spectrum"] for record in records))
    looks = _looks(records)
    columns = min(COLUMNS, len(spectra))
    rows = -(-len(spectra) // columns)
    about = "Measured over allowed against n: medians, and bands over all seeds, below the theorem's line at one."
    grid = {"rows": rows, "columns": columns, "sharey": True, "squeeze": False}
    with page(WIDTH, PANEL * rows + 0.9, about=about, **grid) as (figure, axes):
        for i, (panel, spectrum) in enumerate(zip(axes.flat, spectra, strict=False)):
            _panel(panel, [record for record in records if record["spectrum"] == spectrum], looks)
            _ticks(panel, records)
            panel.tick_params(labelleft=i % columns == 0)
            label(panel, spectrum.replace("_", " "), "$n$", "" if i % columns else "measured / bound")
        for panel in axes.flat[len(spectra) :]:
            panel.remove()
        figure.legend(*_named(axes.flat[: len(spectra)]), loc="outside lower center", ncols=3)
    return figure


def _looks(records):
    """{label: (colour, marker)} of the methods, in order."""
    looks = {}
    for record in records:
        name, method = kept.label(record), record["method"]
        spare = OTHERS[len(looks) % len(OTHERS)]
        own = (COLOURS[method], MARKERS[method]) if method in MARKERS else spare
        looks.setdefault(name, spare if own in looks.values() else own)
    return looks


def _panel(axes, records, looks):
    """One spectrum: the theorem's line, and for each method the median and the band of all its layers."""
    axes.axhline(1, color=COLOURS["bound"], lw=2, label="the theorem's bound")
    if any(record["bound"] == "worst_case" for record in records):
        axes.axhline(MEAN, color=COLOURS["ink"], ls=":", lw=1.2, label="$m/12$ tr $D$ over $m/4$ tr $D$")
    for name, (colour, marker) in looks.items():
        own = [record for record in records if kept.label(record) == name]
        sizes = sorted({record["n"] for record in own})
        ratios = [[record["ratio"] for record in own if record["n"] == n] for n in sizes]
        if sizes:
            axes.plot(sizes, [np.median(r) for r in ratios], color=colour, marker=marker, label=name)
            axes.fill_between(sizes, [min(r) for r in ratios], [max(r) for r in ratios], color=colour, alpha=0.2, lw=0)
    broken = [(record["n"], record["ratio"]) for record in records if record["ratio"] > kept.BROKEN]
    if broken:
        axes.plot(*zip(*broken, strict=True), "x", color=COLOURS["ink"], ms=5, label="bound broken")


def _ticks(axes, records):
    """The sizes themselves on a logarithmic axis, every other one where there are many."""
    sizes = sorted({record["n"] for record in records})
    sizes = sizes[:: -(-len(sizes) // 6)]
    axes.set(xscale="log", yscale="log")
    axes.set_xticks(sizes, [str(n) for n in sizes])
    axes.set_xticks([], minor=True)


def _named(panels):
    """Handles and labels of all panels, each label once."""
    found = {}
    for panel in panels:
        for handle, name in zip(*panel.get_legend_handles_labels(), strict=True):
            found.setdefault(name, handle)
    return list(found.values()), list(found)


def save(records, path):
    """Write the picture as PNG."""
    ratio_against_n(records).savefig(path, format="png")
