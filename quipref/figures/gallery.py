"""The picture of the gallery: rate against distortion of all its ideas, with Lloyd-Max and the limit."""

import numpy as np

from quipref.figures.style import COLOURS, WIDTH, label, page
from quipref.gaussian import lloyd_max

# Of an idea: colour, marker, line. Vectors have full lines, scalars with a shape dashes, uniform ones dots; the second
# of a colour has hollow markers.
LOOKS = {
    "uniform, per channel": (COLOURS["nearest"], "s", ":"),
    "uniform, per tensor": (COLOURS["nearest"], "v", "-."),
    "round-clip, standardized": (COLOURS["ink"], "o", ":"),
    "logarithmic": (COLOURS["optq"], "^", "--"),
    "power law": (COLOURS["optq"], "D", "-."),
    "weight sharing": (COLOURS["ldlq"], "o", "--"),
    "binary sums": (COLOURS["qtip"], "s", "--"),
    "two steps": (COLOURS["qtip"], "X", "-."),
    "pyramid": (COLOURS["quip"], "^", "-"),
    "additive codebooks": (COLOURS["quip#"], "P", "-"),
}
HOLLOW = "uniform, per tensor", "power law", "two steps"
OTHER = (COLOURS["ink"], "*", "-")  # an idea of your own
MARGIN = 1.08  # a little room beyond the smallest and the largest rate
LLOYD_MAX = np.arange(1, 6)  # bits


def rate_distortion(measured):
    """Error against bits a weight, all counted, and how far that is from the limit D(R) = 4^-R.

    Parameters
    ----------
    measured : dict of str to list of quipref.gallery.measure.Place
        By layer, as `quipref.gallery.measure.measure` returns them; each layer has a column of panels.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "Above, errors of all ideas fall with the bits, over the limit; below, their distances to it in decibels."
    grid = {
        "rows": 2,
        "columns": len(measured),
        "squeeze": False,
        "sharex": True,
        "sharey": "row",
        "height_ratios": (2, 3),
    }
    with page(WIDTH, 6.3, about=about, **grid) as (figure, axes):
        rates = [place.rate for found in measured.values() for place in found]
        low, high = min(rates) / MARGIN, max(rates) * MARGIN
        for (above, below), (name, found) in zip(axes.T, measured.items(), strict=True):
            bits = np.linspace(low, high, 50)
            above.plot(bits, 4.0**-bits, color=COLOURS["bound"], lw=2, label="limit $D(R)$ on $N(0, 1)$")
            below.axhline(0, color=COLOURS["bound"], lw=2)
            inside = LLOYD_MAX[(low <= LLOYD_MAX) & (high >= LLOYD_MAX)]
            best = np.array([lloyd_max(2**b).mse for b in inside])
            _curve(above, below, inside, best, "Lloyd-Max on $N(0, 1)$", COLOURS["muted"], "|", "-")
            for idea in dict.fromkeys(place.name for place in found):
                own = [(place.rate, place.error) for place in found if place.name == idea]
                _curve(above, below, *np.array(own).T, idea, *LOOKS.get(idea, OTHER))
            above.set_yscale("log")
            label(above, f"{name}: error", "", "$\\|\\hat{W} - W\\|^2 / \\|W\\|^2$" if above is axes[0, 0] else "")
            decibels = "$10\\,\\log_{10}(\\mathrm{error} / D(R))$ in dB" if below is axes[1, 0] else ""
            label(below, f"{name}: distance", "bits a weight, all counted", decibels)
        figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=8.5)
    return figure


def _curve(above, below, bits, error, name, colour, marker, line):
    """One idea in both panels of a layer."""
    inside = "white" if name in HOLLOW else colour
    style = {"color": colour, "marker": marker, "ls": line, "lw": 1.2, "mfc": inside}
    above.plot(bits, error, label=name, ms=4, **style)  # close together there, and apart below
    below.plot(bits, 10 * np.log10(error * 4.0**bits), ms=5.5, **style)
