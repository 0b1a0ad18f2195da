"""Pictures of where the theorem on block LDLQ ends: a false remark, a codebook's end, passes that go up."""

from quipref.figures.block_ldlq import looks
from quipref.figures.style import COLOURS, MARKERS, WIDTH, label, page


def remark(sizes, ratios, points, losses):
    """Blocks without feedback: how far the printed bound is exceeded, and what dither and feedback do about it.

    Parameters
    ----------
    sizes : array (s,)
        Numbers of columns.
    ratios : dict of int to array (s,)
        Loss / printed bound, by the size of a block.
    points : array (p,)
        The same for a lattice, for the last p of the sizes.
    losses : dict of str to array (p,)
        Loss / the bound for independent errors, by method, for these.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = (
        "Left: ratios grow like n and pass 1 where n is the square of g. Right: with a dither or feedback they do not."
    )
    with page(WIDTH, 3.8, columns=2, about=about) as (figure, (left, right)):
        for (g, ratio), (_, look) in zip(ratios.items(), looks(ratios), strict=True):
            left.plot(sizes, ratio, **look, label=f"$g$ = {g}")
            left.plot(g * g, 1, marker="o", ms=10, mfc="none", color=COLOURS["ink"], mew=1)
        left.plot(
            sizes[-len(points) :],
            points,
            ls="",
            marker=MARKERS["qtip"],
            ms=11,
            mfc="white",
            color=COLOURS["qtip"],
            label="E8",
        )
        for name, look in looks(losses):
            right.plot(sizes[-len(points) :], losses[name], **look, label=name)
        for axes, ticks in ((left, sizes), (right, sizes[-len(points) :])):
            axes.axhline(1, color=COLOURS["bound"], lw=1.6, zorder=0)
            axes.set_xscale("log", base=2)
            axes.set_yscale("log")
            axes.set_xticks(ticks, ticks)
            axes.minorticks_off()
            axes.legend(loc="upper left", fontsize=8.5)
            low, high = axes.get_ylim()
            axes.set_ylim(low, high * (high / low) ** 0.45)  # room for the legend
        label(left, "Circles: $n = g^2$", "columns $n$", "loss / printed bound (log scale)")
        label(right, "What helps", "columns $n$", "loss / ($m \\sigma^2$ tr $H$) (log scale)")
    return figure


def overload(distance, errors, fills, losses, bound):
    """A codebook and the lattice it was cut from: the error of one block, and the loss of a layer.

    Parameters
    ----------
    distance : array (d,)
        Length of the target, in units of the codebook.
    errors : dict of str to array (d,)
        Largest length of the error, by quantizer.
    fills : array (f,)
        Root mean square of the weights, in units of the codebook.
    losses : dict of str to array (f,)
        Loss / (m scale^2 tr D), by quantizer.
    bound : float
        On the length of the error and on that loss.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "The lattice's error and loss stay under the bound; the codebook's leave it where the codebook ends."
    styles = {"E8": {"color": COLOURS["ldlq"], "ls": "--"}, "E8P": {"color": COLOURS["quip#"], "ls": "-"}}
    with page(WIDTH, 3.6, columns=2, about=about) as (figure, (left, right)):
        for axes, x, curves in ((left, distance, errors), (right, fills, losses)):
            for name, y in curves.items():
                marker = {} if axes is left else {"marker": MARKERS["quip#"] if name == "E8P" else MARKERS["ldlq"]}
                axes.plot(x, y, **styles[name], **marker, label=name)
            axes.axhline(bound, color=COLOURS["bound"], lw=1.6, label="bound for the lattice")
        right.set_yscale("log")
        figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=3)
        label(left, "Eight weights", "length of the target", "largest error")
        label(right, "A layer", "weights' rms / unit of the codebook", "loss / ($m s^2$ tr $D$) (log scale)")
    return figure


def passes(histories, gains):
    """The loss from pass to pass, the plain iterates and the best of each row; and what ten passes buy.

    Parameters
    ----------
    histories : dict of str to (array (p + 1,), array (p + 1,))
        Loss / loss at the start of the plain iterates and of the best, by layer and quantizer.
    gains : dict of str to (array (layers,), array (layers,))
        Part of the loss that is overload, and loss after the passes / before, by quantizer; a mark for each layer.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "Left: solid lines rise here and there, dotted ones never. Right: the more overload, the more gain."
    with page(WIDTH, 4.1, columns=2, about=about) as (figure, (left, right)):
        for name, look in looks(histories):
            plain, best = histories[name]
            left.plot(plain, **look, label=name)
            left.plot(best, color=look["color"], ls=(0, (1, 1)), lw=1.2)
        left.set_yscale("log")
        for name, look in looks(gains):
            right.plot(*gains[name], **(look | {"ls": ""}), alpha=0.75, label=name)
        for axes in (left, right):
            axes.axhline(1, color=COLOURS["muted"], lw=0.8, ls="--", zorder=0)
        ticks = [t for t in (0.5, 0.6, 0.8, 1, 1.5, 2, 3) if left.get_ylim()[0] < t < left.get_ylim()[1]]
        left.set_yticks(ticks, [f"{t:g}" for t in ticks])
        left.minorticks_off()
        left.set_xticks(range(len(plain)))
        left.plot([], [], color=COLOURS["ink"], ls=(0, (1, 1)), lw=1.2, label="best so far of each row")
        left.legend(loc="upper left", fontsize=8.5)
        left.set_ylim(top=left.get_ylim()[1] ** 2.2)  # room for the legend
        right.legend(loc="lower left", fontsize=8.5)
        right.set_ylim(bottom=0)
        label(left, "From pass to pass", "passes", "loss / loss of LDLQ (log scale)")
        label(right, "What ten passes buy, best kept", "part of the loss that is overload", "loss after / before")
    return figure
