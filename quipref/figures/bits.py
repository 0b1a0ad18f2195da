"""Boxes with a bit in each, as streams and hashes are drawn with."""

from matplotlib.patches import Rectangle

from quipref.figures.style import COLOURS

BOX = 0.5  # height of a box; rows are one apart
PLAIN = "faint"  # the role of a bit that has none


def row(axes, x, y, bits, roles=PLAIN, *, size=9, dashed=False):
    """A box for each bit, from x on to the right, its lower edge at y.

    `roles` names the colour of all boxes, or of each; None is an empty box of a bit that is not there.
    """
    roles = [roles] * len(bits) if isinstance(roles, str) else roles
    for j, (bit, role) in enumerate(zip(bits, roles, strict=True)):
        face = {"facecolor": COLOURS[role], "alpha": 0.45} if role != PLAIN else {"facecolor": "white"}
        axes.add_patch(Rectangle((x + j, y), 1, BOX, edgecolor="none", **face))
        edge = {"edgecolor": COLOURS["muted"], "lw": 0.8, "ls": "--" if dashed else "-"}
        axes.add_patch(Rectangle((x + j, y), 1, BOX, facecolor="none", **edge))
        axes.text(x + j + 0.5, y + BOX / 2, bit, ha="center", va="center_baseline", fontsize=size)


def brace(axes, x, width, y, text, *, size=8.5):
    """A line under `width` boxes that begin at x, and the text below it."""
    axes.plot([x + 0.1, x + width - 0.1], [y - 0.08] * 2, color=COLOURS["ink"], lw=1)
    axes.text(x + width / 2, y - 0.15, text, ha="center", va="top", fontsize=size)


def bare(axes):
    """No frame and no ticks: the boxes say it all."""
    axes.spines[:].set_visible(False)
    axes.set(xticks=[], yticks=[])
