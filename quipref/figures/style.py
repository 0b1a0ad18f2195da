"""The house style: one page, one set of colours, markers and sizes for every picture.

A picture is drawn inside `with page(...)`, which holds matplotlib's defaults and the house style
whatever the user's own settings are. Nothing here touches pyplot: no window, no current figure.
"""

from contextlib import contextmanager
from io import BytesIO

import matplotlib
from matplotlib.figure import Figure
from PIL import Image  # matplotlib depends on it

WIDTH = 7.2  # inches, the width of a picture; 792 pixels at DPI
DPI = 110

# Okabe and Ito's palette, which the common kinds of colour blindness leave distinct. One colour a role:
# a method looks the same in every picture. Colour never stands alone: a marker, a hatch or a label says it again.
COLOURS = {
    "nearest": "#E69F00",
    "optq": "#56B4E9",
    "ldlq": "#0072B2",
    "quip": "#009E73",
    "quip#": "#D55E00",
    "qtip": "#CC79A7",
    "ink": "#222222",
    "bound": "#000000",
    "muted": "#767676",
    "faint": "#DDDDDD",
}
MARKERS = {"nearest": "s", "optq": "v", "ldlq": "o", "quip": "D", "quip#": "P", "qtip": "*"}

STYLE = {
    "font.family": "DejaVu Sans",  # ships with matplotlib, so that a picture is the same everywhere
    "font.size": 9.5,
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 9.5,
    "axes.edgecolor": COLOURS["muted"],
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": COLOURS["faint"],
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.6,
    "lines.markersize": 5.5,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "text.color": COLOURS["ink"],
    "axes.labelcolor": COLOURS["ink"],
    "xtick.color": COLOURS["ink"],
    "ytick.color": COLOURS["ink"],
    "figure.dpi": DPI,
    "savefig.dpi": DPI,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
}


class Picture(Figure):
    """A matplotlib figure that a notebook shows as it is, with a description for those who cannot see it.

    Attributes
    ----------
    about : str
        What the picture shows, in a sentence; it becomes the image's alternative text.
    """

    about = ""

    def savefig(self, target, **options):
        """Write the picture as `Figure.savefig` does, in the house style."""
        with house_style():
            super().savefig(target, **options)

    def _repr_png_(self):
        """The picture in 256 colours: a notebook stores it, in half the space or less."""
        drawn, stored = BytesIO(), BytesIO()
        self.savefig(drawn, format="png")
        # Median cut without dither leaves the white ground and the flat colours as they are.
        Image.open(drawn).convert("RGB").quantize(256, dither=Image.Dither.NONE).save(stored, format="png")
        return stored.getvalue(), {"alt": self.about}


def house_style():
    """A context in which matplotlib has its defaults and the house style, whatever was set before."""
    defaults = {key: value for key, value in matplotlib.rcParamsDefault.items() if "backend" not in key}
    return matplotlib.rc_context({**defaults, **STYLE})


@contextmanager
def page(width, height, *, rows=1, columns=1, about, **grid):
    """Yield (figure, axes) to draw on, in the house style.

    Parameters
    ----------
    width, height : float
        Inches; `WIDTH` is the usual width.
    rows, columns : int
        Panels. With one panel `axes` is that panel, otherwise an array as `Figure.subplots` gives it.
    about : str
        A sentence for those who cannot see the picture.
    **grid
        Passed to `Figure.subplots`, for example ``sharey=True``.

    Examples
    --------
    >>> with page(4, 3, about="A straight line.") as (figure, axes):
    ...     _ = axes.plot([0, 1], [0, 1], color=COLOURS["ldlq"], marker=MARKERS["ldlq"])
    >>> figure.savefig(BytesIO(), format="png")
    """
    with house_style():
        figure = Picture(figsize=(width, height), layout="constrained")
        figure.about = about
        yield figure, figure.subplots(rows, columns, **grid)


def label(axes, title, x, y):
    """Title and axis labels of one panel."""
    axes.set(title=title, xlabel=x, ylabel=y)
