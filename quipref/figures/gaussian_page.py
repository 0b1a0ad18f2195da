"""The picture of the Gaussian page: error against rate, and how far every code stays from the limit."""

import numpy as np

from quipref.figures.style import COLOURS, MARKERS, WIDTH, label, page

LOOKS = {  # of a code, by the beginning of its name: colour, marker, filling, line
    "Lloyd-Max": (COLOURS["nearest"], MARKERS["nearest"], "full", "-"),
    "E8P": (COLOURS["quip#"], MARKERS["quip#"], "full", "-"),
    "random": (COLOURS["qtip"], "o", "none", ":"),
    "": (COLOURS["qtip"], MARKERS["qtip"], "full", "-"),
}
CURVES = {"Lloyd-Max": "Lloyd-Max", "E8P": "E8P and its residuals, best scale", "1MAD": "1MAD, $L$ = 16"}
CURVES |= {"random": "random table, $L$ = 12"}
PRINTED = {"color": COLOURS["ink"], "marker": "|", "ms": 15, "mew": 1.4}  # sticks out above and below our mark
MARGIN, GAP = 0.06, 1.4  # in decibels and in lines


def rate_and_error(rows):
    """Error against bits a weight, and below it each code's distance to the limit, beside what papers print.

    Parameters
    ----------
    rows : list of quipref.gaussian_page.Row
        As `quipref.gaussian_page.measure` returns them.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "Errors fall with the rate, above the limit; below, each code's distance to it, trellises nearest, by rate."
    found = [row for row in rows if row.family != "limit"]
    rates = sorted({row.bits for row in found})
    size = 3.25 + 0.19 * (len(found) + 1.4 * len(rates))
    with page(WIDTH, size, rows=2, about=about, height_ratios=[2.7, size - 2.7]) as (figure, (above, below)):
        _curves(above, found, rates)
        _distances(below, found, rates)
        figure.legend(*below.get_legend_handles_labels(), loc="outside lower center")
    return figure


def _curves(axes, rows, rates):
    """Error against rate: a line for each kind of code that has several rates, the limit as an edge."""
    bits = np.linspace(min(rates), max(rates), 50)
    axes.plot(bits, 4.0**-bits, color=COLOURS["bound"], lw=2, label="limit $D(R) = 4^{-R}$")
    for start, name in CURVES.items():
        points = [r for r in rows if r.code.startswith(start) and (start != "E8P" or "best" in r.code)]
        if points:
            look = _look(start) | {"ms": 5.5 if _look(start)["marker"] in "*P" else 4, "lw": 1.2}
            axes.plot([r.bits for r in points], [r.measured for r in points], **look, label=name)
    axes.set(yscale="log", xticks=rates)
    axes.legend(loc="lower left")
    label(axes, "Rate against error on $N(0, 1)$", "bits a weight, $R$", "mean squared error (log scale)")


def _distances(axes, rows, rates):
    """A line for each code, by rate: ours with two standard errors, the printed figure with its rounding."""
    y, names = 0, {}
    for bits in rates:
        axes.text(MARGIN, y, f"{bits:g} bit{'s' * (bits > 1)} a weight", va="center", weight="bold", fontsize=9)
        for row in (r for r in rows if r.bits == bits):
            y += 1
            names[y] = row.code + " !" * row.differs
            _distance(axes, row, y)
        y += GAP
    axes.axvline(0, color=COLOURS["bound"], lw=2)
    axes.set_yticks(list(names), list(names.values()))
    axes.set(ylim=(y - GAP + 0.8, -0.8), xlim=(0, axes.dataLim.x1 + MARGIN))
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x")
    axes.plot([], [], **PRINTED, ls="", label="printed in a paper, and its rounding; !: differs from ours")
    text = "$10\\,\\log_{10}(\\mathrm{error} / D(R))$ in dB, and two standard errors to each side"
    label(axes, "Distance to the limit", text, "code")


def _distance(axes, row, y):
    limit = 4.0**-row.bits

    def decibels(error):
        return 10 * np.log10(error / limit)

    spread = 2 * (row.standard_error or 0) / row.measured * 10 / np.log(10)  # of a logarithm, to first order
    axes.plot(row.decibels + np.array([-spread, spread]), [y, y], color=_look(row.code)["color"], lw=1.2)
    axes.plot(row.decibels, y, **_look(row.code) | {"ls": ""})
    if row.paper is not None:
        half = 0.5 * 10.0**-row.digits
        axes.plot(decibels(row.paper + np.array([-half, half])), [y, y], color=COLOURS["ink"], lw=0.8, zorder=1.9)
        axes.plot(decibels(row.paper), y, **PRINTED, zorder=1.9)  # behind our mark


def _look(code):
    """How the code of that name is drawn."""
    colour, marker, filling, line = next(look for start, look in LOOKS.items() if code.startswith(start))
    return {"color": colour, "marker": marker, "fillstyle": filling, "ls": line, "ms": 8 if marker in "*P" else 5.5}


def save(rows, path):
    """Write the picture as PNG."""
    rate_and_error(rows).savefig(path, format="png")
