"""Pictures of walks that are circles: how algorithm 4 closes one, and what a circle costs."""

import numpy as np

from quipref.figures.style import COLOURS, WIDTH, label, page
from quipref.figures.viterbi import ALIVE, BEST, LINES, OTHER


def algorithm_4(free, first, second, trellis):
    """A free walk, the two passes of algorithm 4, and what they have in common.

    Parameters
    ----------
    free, second : array (steps,)
        The best walk with free ends, and the circle of the second pass.
    first : array (steps,)
        The first pass, in the order of the rotated sequence.
    trellis : BitshiftTrellis

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = (
        "Three walks over the steps. The free one does not close. The first pass begins in the middle, so it crosses "
        "the seam on an edge; the bits shared there are those at both ends of the second pass, which closes."
    )
    n, half = len(free), len(free) // 2
    with page(WIDTH, 6.0, rows=3, about=about, sharey=True) as (figure, (above, middle, below)):
        for axes, walk, colour in ((above, free, OTHER), (middle, first, ALIVE), (below, second, BEST)):
            axes.plot(walk, color=colour, marker="o", ms=4)
            axes.set(xlim=(-0.6, n + 2), ylim=(-1, 1.35 * trellis.n_states), yticks=range(0, trellis.n_states, 5))
        for axes, walk, line in ((above, free, ":"), (below, second, "-")):
            axes.plot([n - 1, n], [walk[-1], walk[0]], color=COLOURS["ink"], lw=1.2, ls=line)
            axes.plot(n, walk[0], "o", ms=4, mfc="white", color=COLOURS["ink"])
            axes.set_xticks(range(n + 1), [*range(n), 0])
            _seam(axes, n, walk[-1], walk[0], trellis)
        middle.set_xticks(range(n), np.roll(range(n), half))
        _seam(middle, half, first[half - 1], first[half], trellis)
        label(above, "Free: what would close the circle is no edge", "step", "state")
        label(
            middle,
            "First pass, from the middle on: the seam is crossed on an edge",
            "step of the sequence, rotated",
            "state",
        )
        label(below, "Second pass: both ends are given the bits that were shared there", "step", "state")
    return figure


def _seam(axes, x, before, after, trellis):
    """The bits of the states before and after the seam; in brackets those that would have to agree."""
    axes.axvspan(x - 1, x, color=COLOURS["faint"], alpha=0.5, lw=0)
    o, y = trellis.overlap_bits, 1.18 * trellis.n_states
    last, first = (format(state, f"0{trellis.state_bits}b") for state in (before, after))
    look = {"va": "center", "family": "DejaVu Sans Mono", "fontsize": 9}
    axes.text(x - 0.55, y, f"{last[:-o]}[{last[-o:]}]", ha="right", **look)
    axes.text(x - 0.45, y, f"[{first[:o]}]{first[o:]}", ha="left", **look)


def price_of_a_circle(lengths, excess, missed):
    """What closing the walk costs over a free one, and how often algorithm 4 misses the best circle.

    Parameters
    ----------
    lengths : list of int
        Weights of a sequence.
    excess : dict of str to array (lengths,)
        Mean cost over that of free walks, less 1; two curves, the optimum first.
    missed : dict of int to array (lengths,)
        By state bits: the share of sequences on which algorithm 4 is not optimal.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = (
        "Left: the price of a closed walk falls with the length of the sequence, and algorithm 4 comes near the best "
        "circle. Right: it misses the best circle ever more rarely."
    )
    with page(WIDTH, 3.5, columns=2, about=about) as (figure, (left, right)):
        for (name, values), colour, marker, line in zip(
            excess.items(), (COLOURS["ink"], BEST), "o*", ("--", "-"), strict=True
        ):
            left.plot(lengths, values, color=colour, marker=marker, ls=line, ms=7, label=name)
        left.set(xscale="log", yscale="log")
        left.set_yticks([0.01, 0.03, 0.1, 0.3, 1, 3], ["1%", "3%", "10%", "30%", "100%", "300%"])
        for (L, share), (marker, line) in zip(missed.items(), LINES.values(), strict=False):
            right.plot(lengths, 100 * share, color=BEST, marker=marker, ls=line, label=f"L = {L}")
        right.set(xscale="log", ylim=(-3, 103))
        for axes in (left, right):
            axes.minorticks_off()
            axes.set_xticks(lengths, lengths)
            axes.legend(loc="upper right")
        label(left, "Cost over a free walk's", "weights of a sequence", "excess (log scale)")
        label(right, "Not the best circle", "weights of a sequence", "% of sequences")
    return figure
