"""Pictures of QTIP from end to end: its targets, a tile and its bits, and what states and bits are worth."""

import numpy as np

from quipref.figures.style import COLOURS, MARKERS, WIDTH, label, page

BINS = np.linspace(-9, 9, 103)
LOOKS = {  # of what is coded: colour, line
    "weights": (COLOURS["nearest"], ":"),
    "rotated weights": (COLOURS["quip"], "--"),
    "targets": (COLOURS["qtip"], "-"),
}
CODES = {  # of a code: colour, marker, line
    "1mad": (COLOURS["qtip"], "*", "-"),
    "3inst": (COLOURS["ldlq"], "o", "--"),
    "lut": (COLOURS["muted"], "v", "-."),
    "hyb": (COLOURS["quip#"], "P", ":"),
}
STATES = {4: (COLOURS["optq"], "v", ":"), 8: (COLOURS["ldlq"], "o", "-."), 12: (COLOURS["quip"], "D", "--")}
MOST = (COLOURS["qtip"], "*", "-")  # of the most state bits


def targets(parts, by_block, fill):
    """What the trellis is given: histograms beside the Gaussian, and its size from block to block.

    Parameters
    ----------
    parts : dict of str to array (m, n)
        The weights, the rotated weights, and the targets of LDLQ; each is drawn in its own root mean squares.
    by_block : array (blocks,)
        Root mean square of the targets of each block of columns, in the order of rounding, over that of the weights.
    fill : float
        Root mean square of the weights over that of the code.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = (
        "Left: the weights have tails, the rotated weights and the targets follow the Gaussian. "
        "Right: the feedback makes targets a little larger than weights, and the code a little larger than both."
    )
    with page(WIDTH, 3.7, columns=2, about=about) as (figure, (left, right)):
        for name, W in parts.items():
            colour, line = LOOKS[name]
            share, _ = np.histogram(W / np.sqrt(np.square(W).mean()), BINS, density=True)
            left.stairs(
                np.where(share > 0, share, np.nan), BINS, color=colour, ls=line, lw=1.6, baseline=None, label=name
            )
        left.plot(BINS, np.exp(-np.square(BINS) / 2) / np.sqrt(2 * np.pi), color=COLOURS["ink"], lw=1, label="Gaussian")
        left.set(yscale="log", ylim=(1e-5, 4))
        left.legend(loc="upper center", ncols=2, fontsize=8.5)
        label(left, "What is coded", "over its root mean square", "density (log scale)")
        right.plot(by_block, color=LOOKS["targets"][0], marker="*", lw=1, label="targets")
        right.axhline(1, color=COLOURS["quip"], ls="--", label="rotated weights")
        right.axhline(1 / fill, color=COLOURS["ink"], lw=1, label=f"the code: 1 / {fill:g}")
        right.set_xticks(range(0, len(by_block), max(1, len(by_block) // 8)))
        right.set_ylim(0.9, 1.02 * max(1 / fill, by_block.max()) + 0.06)
        right.legend(loc="upper left", ncols=2, fontsize=8.5)
        label(right, "How large it is", "block of columns, as rounded", "root mean square / that of the weights")
    return figure


def tile(target, decoded, words):
    """A tile before and after, the error on the same scale, and all its bits.

    Parameters
    ----------
    target, decoded : array (16, 16)
        In units of the code.
    words : array (16, k)
        uint16, a row for each row of the tile.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "Four fields: a tile of targets, the same tile decoded, the small difference, and black and white bits."
    with page(WIDTH, 2.2, columns=4, about=about) as (figure, axes):
        parts = {"target": target, "decoded": decoded, "difference": target - decoded}
        reach = max(np.abs(target).max(), np.abs(decoded).max())
        for panel, (name, X) in zip(axes, parts.items(), strict=False):
            image = panel.imshow(X, cmap="PuOr", vmin=-reach, vmax=reach, interpolation="nearest")
            label(panel, name, f"rms {np.sqrt(np.square(X).mean()):.2f}", "")
        bits = np.unpackbits(words.astype(">u2").view(np.uint8), axis=1)
        axes[3].imshow(bits, cmap="Greys", interpolation="nearest", aspect="auto")
        axes[3].set_box_aspect(1)
        label(axes[3], "its bits", f"{bits.size} bits", "")
        for panel in axes:
            panel.set(xticks=[], yticks=[])
            panel.set_ylabel(" ")
        axes[0].set_ylabel("outputs")
        figure.colorbar(image, ax=axes, label="in units of the code")
    return figure


def loss_by_states(states, losses, levels):
    """The loss of a layer against the state bits, by code, beside methods without a trellis.

    Parameters
    ----------
    states : dict of str to list of int
        L, by code.
    losses : dict of str to array
        Loss / loss of nearest rounding at these, by code.
    levels : dict of str to float
        The same ratio by method; names begin with one of the house style.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "Curves that fall with the state bits, all codes alike, to far below the levels of scalar rounding."
    with page(WIDTH, 3.8, about=about) as (figure, axes):
        last = max(max(L) for L in states.values())
        least, largest = (f([*levels.values(), *map(f, losses.values())]) for f in (min, max))
        heights = np.exp(apart(np.log(list(levels.values())), 0.07 * np.log(largest / least)))
        for (name, level), height in zip(levels.items(), heights, strict=True):
            colour = COLOURS[name.split(",")[0].lower()]
            axes.plot([3.5, last + 0.5, last + 1], [level, level, height], color=colour, lw=1)
            axes.annotate(name, (last + 1.2, height), va="center", fontsize=8.5)
        for name, L in states.items():
            colour, marker, line = CODES[name]
            axes.plot(L, losses[name], color=colour, marker=marker, ls=line, ms=6, label=name)
        axes.set(xlim=(3.3, last + 4.5), yscale="log")
        ticks = [t for t in (0.02, 0.05, 0.1, 0.2, 0.5, 1, 2) if 0.8 * least <= t <= 1.25 * largest]
        axes.set_yticks(ticks, [f"{t:g}" for t in ticks])
        axes.minorticks_off()
        axes.set_xticks(range(4, last + 1, 2), range(4, last + 1, 2))
        figure.legend(loc="outside lower center", ncols=4)
        label(axes, "One layer at two bits", "state bits L", "loss / loss of nearest (log scale)")
    return figure


def apart(heights, gap):
    """The heights, moved up where they lie closer than that to the next below."""
    moved = np.array(heights, float)
    for above, below in zip(np.argsort(heights)[1:], np.argsort(heights), strict=False):
        moved[above] = max(moved[above], moved[below] + gap)
    return moved


def rates(bits, errors, scalar):
    """The error of the coded targets against the bits of a weight, with the least that any code can have.

    Parameters
    ----------
    bits : list of int
    errors : dict of int to array (bits,)
        By state bits: squared error / variance of the targets.
    scalar : array (bits,)
        The same of the best scalar quantizer, Lloyd and Max's.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "Error against bits: all curves lie above the straight line of D(R), the trellises below the scalar one."
    with page(WIDTH, 3.7, columns=2, about=about) as (figure, panels):
        bound = 4.0 ** -np.array(bits)
        for axes, unit in zip(panels, (1, bound), strict=True):
            axes.plot(
                bits, scalar / unit, color=COLOURS["nearest"], marker=MARKERS["nearest"], label="Lloyd-Max, Gaussian"
            )
            for L, error in errors.items():
                colour, marker, line = STATES.get(L, MOST)
                axes.plot(bits, error / unit, color=colour, marker=marker, ls=line, label=f"QTIP, L = {L}")
            axes.plot(bits, bound / unit, color=COLOURS["ink"], lw=1, label="D(R)")
            axes.set_xticks(bits, bits)
        panels[0].set(yscale="log")
        panels[1].set_ylim(0.9, 1.05 * (scalar / bound).max())
        label(panels[0], "Error of the targets", "bits of a weight", "error / variance (log scale)")
        label(panels[1], "How far above D(R)", "bits of a weight", "error / D(R)")
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure
