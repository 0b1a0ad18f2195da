"""Pictures of the compiled step: where it reads and writes, and how coarse its costs may be."""

import numpy as np
from matplotlib.lines import Line2D

from quipref.figures.style import COLOURS, WIDTH, label, page
from quipref.figures.viterbi import BEST, DEAD, OTHER


def places(overlap_bits, shifts):
    """Which places a step reads and writes, when each minimum is written where an old one was read.

    Parameters
    ----------
    overlap_bits : int
        L - kV: there are 2^(L - kV) places.
    shifts : list of int
        Bits of a step, kV, by panel; each divides overlap_bits.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "Networks of butterflies from left to right, with the group that stands at each place before each step."
    n = 1 << overlap_bits
    with page(WIDTH, 0.25 * n + 1.2, columns=len(shifts), about=about, sharey=True) as (figure, axes):
        for panel, shift in zip(axes, shifts, strict=True):
            steps = overlap_bits // shift
            for i in range(steps + 1):
                groups = rotated(np.arange(n), i * shift, overlap_bits)
                for place, u in enumerate(groups):
                    panel.annotate(str(u), (i, place), ha="center", va="center", fontsize=8)
                if i < steps:
                    _butterflies(panel, i, groups, overlap_bits, shift)
            panel.set(xlim=(-0.3, steps + 0.3), ylim=(n - 0.4, -0.6), yticks=range(n))
            panel.set_xticks(range(steps + 1), ["start", *(f"{i + 1}" for i in range(steps))])
            panel.tick_params(length=0)
            panel.spines[:].set_visible(False)
            label(panel, f"kV = {shift}: butterflies of {2**shift}", "after step", "place in memory")
        text = "r = 1: its inputs (c, r), and its outputs (r, b) in their places"
        figure.legend([Line2D([], [], color=BEST, lw=2)], [text], loc="outside lower center")
    return figure


def _butterflies(axes, i, groups, overlap_bits, shift):
    """The wires of a step: every place of the groups (c, r) leads to every one of them, for each r."""
    r = groups & (len(groups) >> shift) - 1
    for a in range(len(groups)):
        for b in np.flatnonzero(r == r[a]):
            look = (
                {"color": BEST, "lw": 2, "zorder": 1.5}
                if r[a] == 1
                else {"color": DEAD, "lw": 0.6, "zorder": 1, "aa": False}
            )
            axes.plot([i + 0.14, i + 0.86], [a, b], **look)


def rotated(places, by, bits):
    """The numbers of so many bits, rotated to the left: the group that stands at each place after `by` bits."""
    by %= bits
    return (places << by | places >> bits - by) & (1 << bits) - 1


def coarse_costs(steps, excess, chosen, sizes, lost):
    """What whole numbers as costs lose, by their fineness, and when 16 bits do not hold them.

    Parameters
    ----------
    steps : array (f,)
        Whole numbers for a squared error as large as the mean square of the table.
    excess : array (f,)
        Mean squared error over that of exact costs, less 1.
    chosen : float
        The fineness of the package, one of `steps`.
    sizes, lost : array (d,)
        Standard deviations of the source, and the share of sequences that then come near the end of 16 bits.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "Left: the finer the costs, the less is lost. Right: sources far too large for the code run out of 16 bits."
    with page(WIDTH, 3.3, columns=2, about=about) as (figure, (left, right)):
        left.plot(steps, 100 * excess, color=BEST, marker="*")
        left.axvline(chosen, color=COLOURS["muted"], lw=0.9, ls="--")
        left.set_xscale("log")
        left.set_yscale("symlog", linthresh=0.01)
        left.set_ylim(min(0, 100 * excess.min()), 200 * excess.max())
        left.set_yticks([0, 0.01, 0.1, 1, 10, 100], ["0", "0.01", "0.1", "1", "10", "100"])
        left.set_xticks(steps[::2], [f"{x:g}" for x in steps[::2]])
        left.minorticks_off()
        right.plot(sizes, 100 * lost, color=OTHER, marker="o")
        right.set_ylim(-3, 103)
        label(left, "Error over exact costs", "steps in a mean square (log scale)", "excess in %")
        label(right, "Too large for 16 bits", "standard deviation of the source", "% of sequences")
    return figure
