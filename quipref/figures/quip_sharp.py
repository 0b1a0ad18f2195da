"""Pictures of QuIP# from end to end: its targets and the ball of E8P, the scale of a layer, four codes in a word."""

import numpy as np
from matplotlib.patches import Rectangle

from quipref.figures import bits as boxes
from quipref.figures.style import COLOURS, MARKERS, WIDTH, label, page

LOOKS = {  # of what is coded: colour, line
    "weights": (COLOURS["nearest"], ":"),
    "rotated weights": (COLOURS["quip"], "--"),
    "targets": (COLOURS["quip#"], "-"),
}
CURVES = (("quip#", "-"), ("qtip", "--"), ("ldlq", "-."), ("muted", ":"))  # of scales, the largest first
KINDS = {"usual": ("ldlq", "-", 0.9), "exceptions": ("nearest", "--", 1.6)}  # of layers: role, line, width
SLOTS = ("ldlq", "nearest", "quip", "qtip")  # of the four codes in a word
BINS = np.linspace(0, 10, 81)


def ball(parts, points, overload):
    """How long the vectors of eight are beside the points of the codebook, and how many are too long, block by block.

    Parameters
    ----------
    parts : dict of str to array (v,)
        Lengths of vectors in units of the codebook: of the weights, the rotated weights, and the targets of LDLQ.
    points : array (p,)
        Lengths of the points.
    overload : dict of float to array (blocks,)
        By source scale: the share of overloaded targets in each block of columns, in the order of rounding.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = (
        "Left: the rotated weights lie over the points, the targets reach beyond them, and the weights far beyond. "
        "Right: shares that grow from block to block, less for smaller scales."
    )
    with page(WIDTH, 3.8, columns=2, about=about) as (figure, (left, right)):
        share, _ = np.histogram(points, BINS, density=True)
        left.stairs(share, BINS, fill=True, color=COLOURS["faint"], label="points of E8P")
        for name, lengths in parts.items():
            colour, line = LOOKS[name]
            share, _ = np.histogram(lengths, BINS, density=True)
            share = np.where(share > 0, share, np.nan)
            left.stairs(share, BINS, color=colour, ls=line, lw=1.6, baseline=None, label=name)
        left.axvline(points.max(), color=COLOURS["ink"], lw=1, label=f"the ball: {points.max():.2f}")
        left.set(yscale="log", ylim=(1e-4, 20))
        left.legend(loc="upper right", fontsize=8.5)
        label(left, "How long eight weights are", "length, in units of the codebook", "density (log scale)")
        for (scale, by_block), (role, line) in zip(overload.items(), CURVES, strict=False):
            right.plot(by_block, color=COLOURS[role], ls=line, label=f"source scale {scale:g}")
        right.set_ylim(0, 1.35 * max(map(max, overload.values())))
        right.legend(loc="upper left", fontsize=8.5)
        label(right, "How many are overloaded", "block of columns, as rounded", "share of the targets")
    return figure


def by_scale(scales, gaussian, layers, cell, bound, authors):
    """What each source scale loses: on a Gaussian source, and on layers by LDLQ, in one unit.

    Parameters
    ----------
    scales : array (s,)
        Root mean squares of the weights, in units of the codebook.
    gaussian : array (s,)
        Squared error of a Gaussian source / its variance.
    layers : dict of str to dict of str to array (s,)
        Loss / (variance of the weights times m tr D) of each layer, by name, for "usual" layers and "exceptions".
    cell : float
        Mean squared error in a cell of the lattice, at scale 1.
    bound : float
        D(R) of a Gaussian of variance 1.
    authors : float
        Their source scale, which is marked.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = (
        "Curves that fall along the line of the lattice, each to its own least value, and rise where overload begins."
    )
    with page(WIDTH, 4.1, about=about) as (figure, axes):
        axes.plot(scales, cell / scales**2, color=COLOURS["ink"], lw=1, ls="--", label="E8 without end")
        axes.axhline(bound, color=COLOURS["ink"], lw=1, ls=":", label=f"D(R) = {bound:g}")
        axes.plot(
            scales, gaussian, color=COLOURS["quip#"], marker=MARKERS["quip#"], lw=2.2, label="Gaussian, no feedback"
        )
        for kind, losses in layers.items():
            role, line, width = KINDS[kind]
            for i, loss in enumerate(losses.values()):
                name = None if i else f"LDLQ: {', '.join(losses) if kind == 'exceptions' else f'{len(losses)} layers'}"
                axes.plot(scales, loss, color=COLOURS[role], ls=line, lw=width, marker=".", label=name)
        axes.axvline(authors, color=COLOURS["muted"], lw=0.8)
        axes.set_yscale("log")
        low, high = axes.get_ylim()
        axes.annotate(
            "authors", (authors, high), (-3, -3), textcoords="offset points", ha="right", va="top", fontsize=8.5
        )
        ticks = [t for t in (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10) if low <= t <= high]
        axes.set_yticks(ticks, [f"{t:g}" for t in ticks])
        axes.minorticks_off()
        figure.legend(loc="outside lower center", ncols=2)
        x = "source scale: root mean square of the weights, in units of the codebook"
        label(
            axes, "Small weights are rounded coarsely, large ones fall off the codebook", x, "loss, as an error (log)"
        )
    return figure


def passes(histories):
    """What coordinate passes take off the loss of a layer, by source scale.

    Parameters
    ----------
    histories : dict of float to (array (p + 1,), array (p + 1,))
        By source scale, the largest first: loss / loss of nearest rounding at the start and after each pass, of the
        plain iterates and with each row at its best.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = (
        "Left: the loss falls in the first passes, by half where the scale is large, hardly where it is small. "
        "Right: with passes the curve over the scales is lower and flatter."
    )
    with page(WIDTH, 3.7, columns=2, about=about, sharey=True) as (figure, (left, right)):
        for (scale, (plain, best)), (role, line) in zip(histories.items(), CURVES, strict=False):
            left.plot(plain, color=COLOURS[role], ls=line, label=f"source scale {scale:g}")
            left.plot(best, color=COLOURS[role], ls="", marker=".", ms=5)
        left.plot([], [], color=COLOURS["ink"], ls="", marker=".", ms=5, label="each row at its best")
        scales, best = np.array(list(histories)), np.array([best for _, best in histories.values()])
        for n, (role, line) in zip((0, 1, best.shape[1] - 1), CURVES, strict=False):
            name = f"{n} pass{'es' * (n != 1)}"
            right.plot(scales, best[:, n], color=COLOURS[role], ls=line, marker=".", ms=8, label=name)
        left.set_ylim(0.85 * best.min())
        left.set_xticks(range(0, best.shape[1], 2))
        for axes in (left, right):
            axes.legend(loc="upper right" if axes is left else "upper left", fontsize=8.5)
            axes.tick_params(labelleft=True)
        label(left, "From pass to pass", "passes", "loss / loss of nearest")
        label(right, "Each row at its best", "source scale", "")
    return figure


def word(word, codes, place):
    """A word of 64 bits as the authors' checkpoints have it, and the four codes that it holds.

    Parameters
    ----------
    word : int
        From 0 to 2^64 - 1.
    codes : array (2, 2)
        Its codes: two neighbouring rows, two neighbouring groups of eight columns.
    place : (int, int)
        Of the word among the 8 x 4 that stand for 16 rows and 64 columns.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "Four codes in four colours; in the word below their sign bits take turns, and each has a byte of its own."
    with page(WIDTH, 3.6, about=about) as (figure, axes):
        axes.set(xlim=(-0.3, 32.3), ylim=(-3.7, 5.6))
        _words(axes, place)
        _codes(axes, codes)
        digits = f"{word % 2**64:064b}"
        boxes.row(axes, 0, 0, digits[:32], [SLOTS[3 - k % 4] for k in range(32)], size=7.5)
        boxes.row(axes, 0, -2.6, digits[32:], [SLOTS[3 - k // 8] for k in range(32)], size=7.5)
        for k in range(32):
            axes.text(k + 0.5, 0.62, "dcba"[k % 4], ha="center", va="bottom", fontsize=7.5)
        for j in range(8):
            boxes.brace(axes, 4 * j, 4, 0, f"sign bit {7 - j}", size=8)
        for i in range(4):
            boxes.brace(axes, 8 * i, 8, -2.6, f"pattern of {'dcba'[i]}", size=8)
        axes.text(0, 1.45, "bits 63 to 32", fontsize=8.5, weight="bold")
        axes.text(0, -1.75, "bits 31 to 0", fontsize=8.5, weight="bold")
        boxes.bare(axes)
        label(axes, "Four codes in a word of 64 bits", "bits, the highest first", " ")
    return figure


def _words(axes, place):
    """The words of 16 rows and 64 columns, and this one among them."""
    for i in range(8):
        for j in range(4):
            face = COLOURS["ink"] if (i, j) == tuple(place) else "white"
            axes.add_patch(Rectangle((1.7 * j, 4.5 - 0.3 * i), 1.7, 0.3, fc=face, ec=COLOURS["muted"], lw=0.8))
    number = 4 * place[0] + place[1]
    axes.text(7.2, 3.6, f"16 rows of 64\nare 32 words;\nthis is number {number}", va="center", fontsize=8.5)


def _codes(axes, codes):
    """The four codes by row and group of columns, each with its letter."""
    for r in range(2):
        axes.text(16.3, 4.0 - 1.1 * r, f"row 2R{' + 1' * r}", ha="right", va="center", fontsize=8.5)
        for c in range(2):
            slot, (a, signs) = 2 * c + r, divmod(int(codes[r][c]), 256)
            corner = 16.7 + 7.7 * c, 3.5 - 1.1 * r
            axes.add_patch(Rectangle(corner, 7.5, 1, fc=COLOURS[SLOTS[slot]], alpha=0.45, lw=0))
            text = f"{'abcd'[slot]}: pattern {a}, signs {signs:02x}"
            axes.text(corner[0] + 3.75, corner[1] + 0.5, text, ha="center", va="center", fontsize=8.5)
    for c in range(2):
        axes.text(20.45 + 7.7 * c, 4.75, f"columns of group 2C{' + 1' * c}", ha="center", va="bottom", fontsize=8.5)
