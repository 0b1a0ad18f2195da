"""Pictures of what random layers say about a bound, and of what they do not."""

import numpy as np

from quipref.figures.style import COLOURS, WIDTH, label, page

LOOKS = [("ldlq", "o"), ("quip#", "^"), ("quip", "s"), ("nearest", "D"), ("qtip", "v")]


def worth(limits):
    """What bounds of tr D allow, in units of tr H, which it never exceeds.

    Parameters
    ----------
    limits : dict of str to dict of str to array
        By inequality, the bound over tr H of many layers by kind.

    Returns
    -------
    matplotlib.figure.Figure
    """
    kinds = list(dict.fromkeys(kind for found in limits.values() for kind in found))
    about = "Dots for layers, a line for each inequality: those on the right of one say less than tr D <= tr H does."
    with page(WIDTH, 1.5 + 0.42 * len(limits), about=about) as (figure, axes):
        axes.axvspan(1, 10 * _largest(limits), color=COLOURS["faint"], alpha=0.5, lw=0)
        axes.axvline(1, color=COLOURS["bound"], label="$\\mathrm{tr}\\,H$")
        for line, found in enumerate(limits.values()):
            for step, kind in enumerate(kinds):
                role, marker = LOOKS[step]
                heights = np.full(len(found[kind]), line + 0.15 * (step - (len(kinds) - 1) / 2))
                text = kind.replace("_", " ") if line == 0 else None
                axes.plot(found[kind], heights, marker, ms=4, ls="", alpha=0.7, color=COLOURS[role], label=text)
        axes.set_yticks(range(len(limits)), list(limits))
        axes.set(xscale="log", ylim=(len(limits) - 0.5, -0.5), xlim=(None, 1.3 * _largest(limits)))
        figure.legend(loc="outside lower center", ncols=6)
        label(axes, "On the right of the line a bound says nothing new", "bound of tr $D$ / tr $H$", "inequality")
    return figure


def _largest(limits):
    return max(np.max(values) for found in limits.values() for values in found.values())


def low_rank(n, ranks, found, proved):
    """The price tr D of a Hessian of low rank, in units of tr H, and what is proved of it.

    Parameters
    ----------
    n : int
        Columns.
    ranks : array (r,)
    found, proved : array (r, layers)
        tr D / tr H, and mu^2 k / n.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "Both grow with the rank; what is proved crosses one, above which it says nothing, long before full rank."
    with page(WIDTH, 3.4, about=about) as (figure, axes):
        axes.axhspan(1, 2 * proved.max(), color=COLOURS["faint"], alpha=0.5, lw=0)
        axes.axhline(1, color=COLOURS["bound"], label="1: nothing new")
        for name, values, role, marker in (("proved", proved, "quip#", "^"), ("found", found, "ldlq", "o")):
            axes.plot(ranks, np.median(values, axis=1), color=COLOURS[role], marker=marker, label=name)
            axes.fill_between(ranks, values.min(axis=1), values.max(axis=1), color=COLOURS[role], alpha=0.2, lw=0)
        axes.plot(ranks, ranks / n, color=COLOURS["muted"], ls=":", label="$k/n$, the bound with $\\mu = 1$")
        axes.set(xscale="log", yscale="log", ylim=(None, 2 * proved.max()))
        axes.set_xticks(ranks, [str(k) for k in ranks])
        axes.set_xticks([], minor=True)
        axes.legend(loc="lower right")
        label(axes, f"{n} columns, rank $k$", "rank $k$", "tr $D$ / tr $H$")
    return figure


def random_and_found(sizes, panels):
    """Losses on random layers and on the worst layers that a search found, over two bounds or more.

    Parameters
    ----------
    sizes : list of int
        Columns n.
    panels : dict of str to (array (sizes, layers), array (sizes,))
        By title: the ratios loss / bound of random layers, and the largest that was found.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "Random layers stay far below every line; the layers that are searched for reach a true bound or break it."
    with page(WIDTH, 3.5, columns=len(panels), about=about, sharey=True, squeeze=False) as (figure, (row,)):
        for axes, (title, (random, found)) in zip(row, panels.items(), strict=True):
            axes.axhline(1, color=COLOURS["bound"], lw=2, label="what is said")
            for n, ratios in zip(sizes, random, strict=True):
                text = "random layers" if n == sizes[0] else None
                places = n * np.linspace(0.9, 1.1, len(ratios))  # side by side, on a logarithmic axis
                axes.plot(places, ratios, ".", ms=3, color=COLOURS["muted"], label=text)
            axes.plot(
                sizes, found, ls="--", marker="*", ms=11, color=COLOURS["quip#"], label="the worst that was found"
            )
            axes.set(xscale="log", yscale="log")
            axes.set_xticks(sizes, [str(n) for n in sizes])
            axes.set_xticks([], minor=True)
            label(axes, title, "columns $n$", "")
        row[0].set_ylabel("loss / what is said")
        figure.legend(*row[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure
