"""Pictures of block LDLQ: its factors, what its theorem promises, and what a block costs and gains."""

from math import exp, lgamma, pi

import numpy as np
from matplotlib.ticker import MaxNLocator

from quipref.figures.style import COLOURS, WIDTH, label, page

LINES = (  # colour, marker, line of the curves that have no role of their own
    (COLOURS["ldlq"], "o", "-"),
    (COLOURS["quip"], "D", "--"),
    (COLOURS["nearest"], "s", "-."),
    (COLOURS["quip#"], "P", ":"),
    (COLOURS["qtip"], "*", "-"),
)


def looks(names):
    """Colour, marker and line of each curve, in the order of its name."""
    for name, (colour, marker, line) in zip(names, LINES, strict=False):
        yield name, {"color": colour, "marker": marker, "ls": line}


def factors(H, found):
    """H, and below each other U and D for several sizes of a block.

    Parameters
    ----------
    H : array (n, n)
    found : dict of int to (array (n, n), array (n / g, g, g))
        U and D by the size g of a block.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "H, then U with zeros in ever larger blocks on its diagonal, and below D, which holds just those blocks."
    with page(WIDTH, 3.7, rows=2, columns=len(found) + 1, about=about) as (figure, axes):
        reach = np.abs(H).max()
        look = {"cmap": "PuOr", "vmin": -reach, "vmax": reach, "interpolation": "nearest"}
        for panel in axes.flat:
            panel.set(xticks=[], yticks=[])
        image = axes[0, 0].imshow(H, **look)
        label(axes[0, 0], "$H$", f"tr {np.trace(H):.1f}", " ")
        axes[1, 0].remove()
        for (g, (U, D)), (above, below) in zip(found.items(), axes[:, 1:].T, strict=True):
            above.imshow(U, **look)
            below.imshow(np.where(diagonal_blocks(len(H), g), block_diagonal(D), np.nan), **look)
            label(above, f"$U$, $g$ = {g}", "", " ")
            label(below, f"$D$, $g$ = {g}", f"tr {np.trace(D.sum(axis=0)):.1f}", " ")
            for panel in (above, below):
                panel.spines[:].set(visible=True, color=COLOURS["faint"])
                panel.set_xlabel(panel.get_xlabel() or f"{(U != 0).sum()} entries")
        figure.colorbar(image, ax=[axes[0, 0], *axes[:, 1:].flat], label="entry", shrink=0.8)
    return figure


def diagonal_blocks(n, g):
    """True in the diagonal blocks of g columns."""
    block = np.arange(n) // g
    return block[:, None] == block


def block_diagonal(D):
    """Blocks (b, g, g) as a matrix."""
    b, g, _ = D.shape
    return np.einsum("bij,bc->bicj", D, np.eye(b)).reshape(b * g, b * g)


def promise(found, second_moment, bound):
    """Mean losses in units of m tr D by kind of layer, with their errors, and two predictions.

    Parameters
    ----------
    found : dict of str to dict of str to (float, float)
        Mean and standard error, by kind of layer and by quantizer: "dithered" or "nearest".
    second_moment, bound : float
        What the dithered lattice loses, and what no layer exceeds.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "For the dithered lattice all kinds of layers lie on one line; for the nearest point on both sides of it."
    styles = {"dithered": (COLOURS["quip#"], "P", 0.12), "nearest": (COLOURS["ldlq"], "o", -0.12)}
    with page(WIDTH, 0.4 * len(found) + 1.9, columns=2, about=about, sharey=True) as (figure, (left, right)):
        for axes in (left, right):
            for row, kind in enumerate(found):
                for name, (mean, error) in found[kind].items():
                    colour, marker, up = styles[name]
                    axes.errorbar(mean, row - up, xerr=5 * error, color=colour, marker=marker, ls="", capsize=3)
            axes.axvline(second_moment, color=COLOURS["ink"], lw=1, ls="--", zorder=0)
            axes.set(ylim=(len(found) - 0.5, -0.5))
        left.axvline(bound, color=COLOURS["bound"], lw=2)
        left.set_xlim(-0.03, 1.05 * bound)
        ends = [(abs(mean - second_moment), 5 * error) for row in found.values() for mean, error in row.values()]
        wide = 1.15 * max((off + bar for off, bar in ends if off <= bar), default=second_moment)  # whole bars
        right.set_xlim(second_moment - wide, second_moment + wide)
        right.xaxis.set_major_locator(MaxNLocator(5))
        left.set_yticks(range(len(found)), list(found))
        for name, (colour, marker, _) in styles.items():
            left.plot([], [], color=colour, marker=marker, ls="", label=name)
        left.plot([], [], color=COLOURS["ink"], lw=1, ls="--", label=f"second moment of E8: {second_moment:.5f}")
        left.plot([], [], color=COLOURS["bound"], lw=2, label="bound: covering radius")
        figure.legend(loc="outside lower center", ncols=4)
        label(left, "All of it", "loss / ($m$ tr $D$)", "layer")
        label(right, "About the dashed line", "loss / ($m$ tr $D$), 5 standard errors", "")
    return figure


def price(sizes, traces, bounds):
    """tr D against the size of a block, for several Hessians, and for one of them beside its bounds.

    Parameters
    ----------
    sizes : array (s,)
        Columns of a block.
    traces : dict of str to array (s,)
        tr D / tr H by kind of Hessian.
    bounds : dict of str to array (s,)
        tr D and its bounds for one of them, each over tr H, from the least.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = (
        "Left: tr D rises with the block, from kind to kind another way, to tr H. Right: one of them under its bounds."
    )
    with page(WIDTH, 3.7, columns=2, about=about) as (figure, (left, right)):
        for axes, curves in ((left, traces), (right, bounds)):
            for name, look in looks(curves):
                axes.plot(sizes, curves[name], **look, label=name)
            axes.axhline(1, color=COLOURS["muted"], lw=0.8, ls="--")
            axes.set_xscale("log", base=2)
            axes.set_xticks(sizes, sizes)
            axes.minorticks_off()
        right.set_yscale("log")
        ticks = [t for t in (0.5, 1, 2, 5, 10, 20, 50, 100, 200) if t < 1.2 * max(map(max, bounds.values()))]
        right.set_yticks(ticks, [f"{t:g}" for t in ticks])
        left.set_ylim(0, 1.05)
        left.legend(loc="upper left", bbox_to_anchor=(0, 0.93), fontsize=8.5)
        right.legend(loc="upper left", fontsize=8.5)
        right.set_ylim(top=4 * max(map(max, bounds.values())))
        label(left, "What is left to pay", "columns of a block, $g$", "tr $D$ / tr $H$")
        label(right, "One of them, and its bounds", "columns of a block, $g$", "over tr $H$ (log scale)")
    return figure


def least_second_moment(g):
    """Second moment of a ball of volume 1, Gamma(g/2 + 1)^(2/g) / ((g + 2) pi): no cell of g dimensions has less."""
    return exp(2 / g * lgamma(g / 2 + 1)) / ((g + 2) * pi)


def worth(sizes, predicted, measured, models):
    """The price of a block times the gain of its lattice: below one it pays.

    Parameters
    ----------
    sizes : list of int
        Columns of a block, one lattice for each.
    predicted : dict of str to array (s,)
        12 G tr D / (tr D of single columns), by kind of Hessian; G is the lattice's second moment.
    measured : dict of str to (array (s,), array (s,))
        Loss over the mean loss of single columns, and its standard error, of the same.
    models : dict of int to array (layers,)
        The same prediction for the layers of a model, by size.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "Left: losses fall with the block, or rise for low rank. Right: layers of a model, most of them below one."
    with page(WIDTH, 3.9, columns=2, about=about, sharey=True) as (figure, (left, right)):
        for name, look in looks(predicted):
            left.plot(sizes, predicted[name], **(look | {"marker": ""}))
            mean, error = measured[name]
            left.errorbar(sizes, mean, 5 * error, **(look | {"ls": ""}), capsize=3, label=name)
        fine = np.geomspace(1, max(sizes), 60)
        ball = [12 * least_second_moment(g) for g in fine]
        left.plot(fine, ball, color=COLOURS["ink"], lw=1, label="flat, with a ball for a cell")
        for i, ratio in enumerate(models.values()):
            jitter = 0.22 * np.sin(2.4 * np.arange(len(ratio)))  # spreads the dots, the same on every run
            right.scatter(i + jitter, ratio, s=18, color=COLOURS["ldlq"], alpha=0.6, linewidths=0)
            mean = np.exp(np.log(ratio).mean())
            right.plot([i - 0.35, i + 0.35], [mean, mean], color=COLOURS["quip#"], lw=2.4)
            right.annotate(f"{mean:.2f}", (i, ratio.min() - 0.01), ha="center", va="top", fontsize=8.5)
        for axes in (left, right):
            axes.axhline(1, color=COLOURS["muted"], lw=0.8, ls="--")
        left.set_xscale("log", base=2)
        left.set_xticks(sizes, sizes)
        left.minorticks_off()
        right.set_xticks(range(len(models)), list(models))
        right.set_xlim(-0.6, len(models) - 0.4)
        figure.legend(loc="outside lower center", ncols=3)
        label(left, "Random layers, 5 standard errors", "columns of a block, $g$", "loss / loss of single columns")
        label(right, "The model's layers; bars: means", "columns of a block, $g$", "")
    return figure
