"""Pictures of LDL and LDLQ: which entries feed which column, what the theorem promises, and where it ends."""

import numpy as np
from matplotlib.patches import Rectangle

from quipref.figures.style import COLOURS, WIDTH, label, page

ONE, FEEDS, OTHER = COLOURS["faint"], COLOURS["nearest"], "#CFE3F1"
DONE, NOW, LATER = COLOURS["ldlq"], COLOURS["nearest"], "white"


def feedback_index(n, k):
    """Which columns of W - W_hat and which entries of the factor make the target of one column, in both orders.

    Parameters
    ----------
    n : int
        Columns.
    k : int
        The column that is being rounded, counted from 0 in the order of rounding.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = (
        "Two triangles of matrix cells. The target of a column takes the part of that column of U + I beyond the "
        "diagonal: above it in the papers' order, below it in the programs' order. The ones are never read."
    )
    with page(WIDTH, 4.3, columns=2, about=about) as (figure, panels):
        for axes, order in zip(panels, ("forward", "backward"), strict=True):
            column = k if order == "forward" else n - 1 - k
            before = np.arange(n) < column if order == "forward" else np.arange(n) > column
            for j in range(n):  # the strip of W - W_hat, above the matrix
                _cell(axes, j, -1.8, DONE if before[j] else NOW if j == column else LATER)
            for i in range(n):
                for j in range(n):
                    outside = j < i if order == "forward" else j > i
                    feeds = j == column and before[i]
                    _cell(axes, j, i, "white" if outside else ONE if i == j else FEEDS if feeds else OTHER)
                    if not outside:
                        text = "1" if i == j else "$u$" if order == "forward" else "$l$"
                        weight = "bold" if feeds else "normal"
                        axes.text(j + 0.5, i + 0.5, text, ha="center", va="center", fontsize=8, weight=weight)
            axes.set(xlim=(-0.1, n + 0.1), ylim=(n + 0.1, -2), aspect="equal")
            axes.set_xticks(np.arange(n) + 0.5, np.arange(n))
            axes.set_yticks([-1.3, *np.arange(n) + 0.5], ["$W - \\hat W$", *np.arange(n)])
            axes.spines[:].set_visible(False)
            axes.tick_params(length=0)
        label(panels[0], "forward: $U + I$ (the papers)", f"column; column {k} is next", "row of the factor")
        label(panels[1], "backward: $L$ (the programs)", f"column; column {n - 1 - k} is next", "row of the factor")
        keys = {"rounded: error known": DONE, "next; its coefficients": FEEDS, "the identity: never read": ONE}
        handles = [Rectangle((0, 0), 1, 1, facecolor=c, edgecolor=COLOURS["muted"]) for c in keys.values()]
        figure.legend(handles, keys, loc="outside lower center", ncols=3)
    return figure


def _cell(axes, x, y, colour):
    axes.add_patch(Rectangle((x, y), 1, 1, facecolor=colour, edgecolor=COLOURS["muted"], linewidth=0.6))


def halving(n, base):
    """How the blocked form covers the triangle of U: columns in loops of `base`, all the rest in matrix products.

    Parameters
    ----------
    n, base : int
        Columns, and columns at which halving stops.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "The upper triangle of U covered by small triangles on the diagonal and by ever larger squares above them."
    with page(4.6, 4.4, about=about) as (figure, axes):
        pieces = products(0, n, base)
        for rows, columns in pieces:
            size = rows[1] - rows[0], columns[1] - columns[0]
            axes.add_patch(Rectangle((columns[0], rows[0]), size[1], size[0], facecolor=OTHER, edgecolor=DONE))
            middle = (columns[0] + columns[1]) / 2, (rows[0] + rows[1]) / 2
            axes.text(*middle, f"${size[0]}^2$", ha="center", va="center", fontsize=8.5)
        for a in range(0, n, base):
            axes.fill([a, a + base, a + base], [a, a, a + base], facecolor=FEEDS, edgecolor=COLOURS["ink"], lw=0.8)
        axes.set(xlim=(-n / 40, n * 1.02), ylim=(n * 1.02, -n / 40), aspect="equal")
        axes.text(0.04 * n, 0.9 * n, "orange: the textbook loop\nblue: one matrix product each", va="center")
        label(axes, f"$U$ of {n} columns, halved down to {base}", "column that is fed", "column whose error feeds it")
    return figure


def products(start, stop, base):
    """The (rows, columns) of U that each matrix product of the blocked form uses, for n = base * 2^k."""
    if stop - start <= base:
        return []
    middle = (start + stop) // 2
    return [*products(start, middle, base), ((start, middle), (middle, stop)), *products(middle, stop, base)]


def losses_over_bound(ratios, *, mean=1 / 3):
    """Histograms of loss / worst case over many layers, with the bound at 1 and the predicted mean.

    Parameters
    ----------
    ratios : dict of str to array (layers,)
        By method.
    mean : float
        The predicted mean of LDLQ over its worst case: (1/12) / (1/4).

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "Losses over the worst case of LDLQ: those of LDLQ stay below 1 and centre on 1/3, those of nearest do not."
    with page(WIDTH, 3.4, about=about) as (figure, axes):
        bins = np.linspace(0, max(1.1, *(np.quantile(r, 0.995) for r in ratios.values())), 70)
        for (name, r), hatch in zip(ratios.items(), ("///", "", "..."), strict=False):
            text = f"{name}: mean {r.mean():.2f}, largest {r.max():.2f}"
            fill = {"hatch": hatch, "edgecolor": "white", "linewidth": 0, "alpha": 0.65}
            axes.hist(r, bins, color=COLOURS[name], label=text, **fill)
        axes.axvline(1, color=COLOURS["bound"], label="worst case, $\\frac{m}{4}$ tr $D$")
        axes.axvline(mean, color=COLOURS["bound"], ls="--", label="average, $\\frac{m}{12}$ tr $D$")
        figure.legend(loc="outside lower center", ncols=2)
        label(axes, "LDLQ keeps its promise", "loss / ($\\frac{m}{4}$ tr $D$)", "layers")
    return figure


def order_ablation(traces, losses):
    """What rounding right to left changes: tr D and the loss, backward over forward, a dot for each layer.

    Parameters
    ----------
    traces, losses : dict of str to array (layers,)
        Ratios backward / forward, by kind of layer.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "Scatter of loss ratio against trace ratio: the order of the columns changes both, one way or the other."
    with page(5.4, 4.2, about=about) as (figure, axes):
        looks = zip(("ldlq", "quip#", "quip"), ("o", "^", "s"), strict=True)
        for name, (role, marker) in zip(traces, looks, strict=False):
            axes.scatter(traces[name], losses[name], s=16, marker=marker, color=COLOURS[role], alpha=0.75, label=name)
        thin = {"color": COLOURS["muted"], "lw": 0.8}
        axes.axhline(1, **thin)
        axes.axvline(1, **thin)
        axes.axline((1, 1), slope=1, ls="--", label="equal ratios", **thin)
        axes.legend(loc="lower right")
        label(axes, "The order of the columns matters", "tr $D$, backward / forward", "loss, backward / forward")
    return figure


def counterexample(target, low, high, sizes, ratios):
    """The clamped grid on which LDLQ loses: what the last columns ask for, and the loss over that of nearest.

    Parameters
    ----------
    target : array (n,)
        The target that LDLQ computes for each column of one row.
    low, high : int
        The clamping range.
    sizes : array (s,)
        Numbers of columns.
    ratios : dict of str to array (s,)
        Loss over the loss of nearest rounding, by variant.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "Left: every target lies in the clamping range but the last, far below. Right: the loss ratio grows like n."
    with page(WIDTH, 3.5, columns=2, about=about) as (figure, (left, right)):
        left.axhspan(low, high, color=COLOURS["faint"], label=f"the grid: {low} to {high}")
        left.plot(target, ls="", marker=".", color=COLOURS["ldlq"], label="target of the column")
        left.plot(len(target) - 1, target[-1], ls="", marker="o", ms=9, mfc="none", color=COLOURS["quip#"], mew=2)
        left.legend(loc="lower left")
        label(left, "The last column asks too much", "column", "target")
        looks = zip(("quip#", "ldlq", "quip", "qtip"), ("o", "s", "^", "v"), (6, 10, 7, 4), strict=True)
        for (name, r), (role, marker, size) in zip(ratios.items(), looks, strict=False):
            right.plot(sizes, r, marker=marker, ms=size, mfc="white", color=COLOURS[role], label=name)
        right.axhline(1, color=COLOURS["muted"], lw=0.8, ls="--")
        right.set_xscale("log", base=2)
        right.set_yscale("log")
        right.set_xticks(sizes, sizes)
        right.set_ylim(top=60 * max(map(max, ratios.values())))  # room for the legend
        right.legend(loc="upper left", fontsize=8.5)
        label(right, "Loss over that of nearest", "columns $n$", "ratio (log scale)")
    return figure
