"""Pictures of what mu measures, of the bounds that it enters, and of the losses that follow."""

import numpy as np
from matplotlib.patches import Ellipse

from quipref.figures.incoherence import LOOKS
from quipref.figures.style import COLOURS, WIDTH, label, page

STEPS = (("$\\mathrm{tr}\\,D$", "o", "ldlq"), ("middle bound", "D", "quip"), ("bound by $\\mu$", "s", "nearest"))
KINDS = {"q, k": "o", "v": "v", "o": "P", "gate, up": "s", "down": "D"}  # of a model's layers


def one_grid(weights, bits):
    """Histograms of weights over the levels of the uniform grid that just reaches the largest of them.

    Parameters
    ----------
    weights : dict of str to array (m, n)
        By name; the error of nearest rounding to these levels is written above each histogram.
    bits : int

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "Few levels have to span all weights. With an outlier two levels serve nearly all; after mixing, all do."
    with page(WIDTH, 3.2, columns=len(weights), about=about, sharey=True) as (figure, panels):
        for axes, (name, W) in zip(panels, weights.items(), strict=True):
            levels = np.linspace(-1, 1, 2**bits) * np.abs(W).max()
            nearest = levels[np.abs(W.reshape(-1, 1) - levels).argmin(axis=1)]
            error = np.square(nearest - W.ravel()).sum() / np.square(W).sum()
            axes.hist(W.ravel(), 60, color=COLOURS["ldlq"], alpha=0.7)
            for level in levels:
                axes.axvline(level, color=COLOURS["quip#"], ls="--", lw=1.4, label="levels of the grid")
            axes.set(yscale="log")
            label(axes, f"{name}: {error:.0%} of $\\|W\\|^2$ lost", "weight", "weights (log scale)")
        figure.legend(*(part[:1] for part in panels[0].get_legend_handles_labels()), loc="outside lower center")
    return figure


def turned_direction(largest):
    """A direction along an axis is turned between the axes; and how far random directions are from every axis.

    Parameters
    ----------
    largest : dict of int to array (directions,)
        sqrt(n) max|x_i| of random unit vectors x, by n.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "Left: an ellipse along one axis is turned to 45 degrees. Right: random directions favour no axis at all."
    with page(WIDTH, 3.5, columns=2, about=about) as (figure, (left, right)):
        turns = (("before", 0.0, "nearest"), ("rotated", np.pi / 4, "ldlq"))
        for name, angle, role in turns:
            tip = np.array([np.cos(angle), np.sin(angle)])
            shape = {"angle": np.degrees(angle), "facecolor": COLOURS[role], "alpha": 0.18}
            left.add_patch(Ellipse((0, 0), 2, 0.5, **shape))
            arrow = {"arrowstyle": "-|>", "color": COLOURS[role], "lw": 2.2, "shrinkA": 0, "shrinkB": 0}
            left.annotate("", tip, (0, 0), arrowprops=arrow)
            text = f"{name} ({tip[0]:.2g}, {tip[1]:.2g})\n$\\mu$ = {np.sqrt(2) * tip.max():.2f}"
            left.text(*tip + (0.05, 0.12), text, color=COLOURS[role], weight="bold", fontsize=8.5)
        left.set(aspect="equal", xlim=(-1.1, 2.0), ylim=(-1.1, 1.3), xticks=[-1, 0, 1], yticks=[-1, 0, 1])
        n = np.array(list(largest))
        low, middle, high = np.array([np.quantile(x, (0.01, 0.5, 0.99)) for x in largest.values()]).T
        right.plot(n, np.sqrt(n), color=COLOURS["nearest"], ls="--", marker="s", label="an axis: $\\sqrt{n}$")
        right.fill_between(n, low, high, color=COLOURS["ldlq"], alpha=0.25, lw=0)
        right.plot(n, middle, color=COLOURS["ldlq"], marker="o", label="random directions (98 %)")
        right.axhline(1, color=COLOURS["ink"], lw=1, ls=":", label="least possible")
        right.set(xscale="log", yscale="log")
        right.legend(loc="upper left", fontsize=8.5)
        label(left, "Two dimensions", "first coordinate", "second coordinate")
        label(right, "Many dimensions", "$n$", "$\\sqrt{n}\\,\\max|x_i|$")
    return figure


def mu_and_bounds(n, found, sizes, bounds, delta):
    """mu of H over many seeds, and the bounds of the two theorems against the largest value possible.

    Parameters
    ----------
    n : int
        Size of H on the left.
    found : dict of str to array (seeds,)
        mu of the rotated H, by transform.
    sizes : array (k,)
    bounds : dict of str to array (k,)
        What mu exceeds with probability delta at most, by transform, for each of the sizes.
    delta : float

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "Left: mu of the rotated H stays below the bound. Right: one bound crosses the cap early, one late."
    with page(WIDTH, 3.9, columns=2, about=about) as (figure, (left, right)):
        bins = np.linspace(min(map(np.min, found.values())), max(map(np.max, found.values())), 25)
        for name, mu in found.items():
            hatch = "///" if LOOKS[name][2] == "--" else ""
            left.hist(mu, bins, color=LOOKS[name][0], alpha=0.55, hatch=hatch, edgecolor="white", lw=0, label=name)
        for name, values in bounds.items():
            colour, marker, line = LOOKS[name]
            here = np.interp(n, sizes, values)
            if here < np.sqrt(n):
                left.axvline(here, color=colour, lw=2, ls=line)
            right.plot(sizes, values, color=colour, ls=line, lw=2, label=f"bound, {name}")
            worst = {"ls": "", "marker": marker, "color": colour, "mec": "white", "ms": 9}
            right.plot(n, found[name].max(), **worst, label=f"worst seed, {name}")
        left.axvline(np.sqrt(n), color=COLOURS["ink"], lw=2)
        right.plot(sizes, np.sqrt(sizes), color=COLOURS["ink"], lw=2, label="cap: no H is above")
        right.fill_between(sizes, np.sqrt(sizes), 3 * np.sqrt(sizes[-1]), color=COLOURS["faint"], alpha=0.7, lw=0)
        right.set(xscale="log", yscale="log", xlim=(sizes[0], sizes[-1]), ylim=(1.5, 3 * np.sqrt(sizes[-1])))
        right.set_xticks(sizes[::2], sizes[::2])
        right.minorticks_off()
        right.set_yticks([2, 5, 10, 20, 50, 100], ["2", "5", "10", "20", "50", "100"])
        left.set_xlim(0, 1.1 * np.sqrt(n))
        figure.legend(loc="outside lower center", ncols=4, fontsize=8.5)
        label(left, f"{len(mu)} seeds, $n$ = {n}", "$\\mu$ of H", "seeds")
        label(right, f"Bounds that hold with {1 - delta:.0%}", "$n$ (log scale)", "$\\mu$ of H (log scale)")
    return figure


def trace_bounds(cases):
    """tr D and its two bounds for several Hessians, all as shares of tr H.

    Parameters
    ----------
    cases : dict of str to (float, float, float)
        tr D, tr(H^1/2) max (H^1/2)_ii and mu^2/n (tr H^1/2)^2, each over tr H.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "Marks for tr D and two bounds, a line each Hessian. Only after a rotation do the bounds fall below tr H."
    with page(WIDTH, 0.42 * len(cases) + 1.5, about=about) as (figure, axes):
        rows = np.arange(len(cases))[::-1]
        values = np.array(list(cases.values()))
        axes.hlines(rows, values.min(axis=1), values.max(axis=1), color=COLOURS["faint"], lw=3, zorder=1)
        for (name, marker, role), x in zip(STEPS, values.T, strict=True):
            axes.plot(x, rows, marker, color=COLOURS[role], ms=8, label=name)
        axes.axvline(1, color=COLOURS["ink"], lw=1, label="$\\mathrm{tr}\\,H$")
        axes.set(xscale="log", ylim=(-0.6, len(cases) - 0.4))
        axes.set_yticks(rows, cases)
        figure.legend(loc="outside lower center", ncols=4)
        label(axes, "From incoherence to the trace of $D$", "share of tr $H$ (log scale)", "Hessian")
    return figure


def losses_of_layers(losses, predicted):
    """The loss of each layer before and after the rotation, and against what mu and D predict.

    Parameters
    ----------
    losses, predicted : dict of str to array (layers, 2)
        Before and after, by kind of layer as in `KINDS`.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "Most layers lie below the diagonal: the rotation lowers their loss. All lie on the line of the prediction."
    with page(WIDTH, 3.9, columns=2, about=about) as (figure, (left, right)):
        every = np.concatenate(list(losses.values()))
        span = np.array([0.6 * every.min(), 1.7 * every.max()])
        for kind, marker in KINDS.items():
            if kind not in losses:
                continue
            look = {
                "ls": "",
                "marker": marker,
                "ms": 7.5 if marker == "P" else 6,
                "color": COLOURS["ldlq"],
                "mec": "white",
            }
            left.plot(*losses[kind].T, **look, label=kind)
            for i, role in enumerate(("nearest", "ldlq")):
                right.plot(predicted[kind][:, i], losses[kind][:, i], **look | {"color": COLOURS[role]})
        for axes in (left, right):
            axes.plot(span, span, color=COLOURS["ink"], lw=1, zorder=0)
            axes.set(xscale="log", yscale="log", xlim=span, ylim=span, aspect="equal")
        for role, text in (("nearest", "before"), ("ldlq", "after")):
            right.plot([], [], "o", color=COLOURS[role], label=text)
        left.legend(loc="upper left", fontsize=8.5)
        right.legend(loc="upper left", fontsize=8.5)
        label(left, "A mark each layer", "share lost before", "share lost after the rotation")
        label(right, "What decides it", "predicted from $\\mu$ and $D$", "share lost")
    return figure
