"""Pictures of E8P: which patterns are used, sixteen bits taken apart, a plane through the cells, and overload."""

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.lines import Line2D
from matplotlib.patches import Circle

from quipref.figures import bits as boxes
from quipref.figures.style import COLOURS, WIDTH, label, page
from quipref.lattice import e8p
from quipref.lattice.e8p_codes import SIGN_BIT, is_odd

NORMS = {2: "ldlq", 4: "optq", 6: "quip", 8: "nearest", 10: "qtip", 12: "quip#"}  # of patterns, squared: role
MARKS = "ovDs*P"
MOST = 2.0  # length of an error that is drawn darkest; in the lattice itself none is longer than 1
ROW, SIGNS, SHIFT = "ldlq", "nearest", "quip#"  # the parts of a code


def patterns(shares):
    """How often each pattern is used, against an even use of all.

    Parameters
    ----------
    shares : array (256,)
        Of the vectors, by row of the table.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "Left: the share of each pattern, the less the longer it is. Right: patterns and vectors of each length."
    norms = np.square(e8p.patterns()).sum(axis=1).astype(int)
    with page(WIDTH, 3.9, columns=2, about=about, width_ratios=[3, 2]) as (figure, (left, right)):
        order = np.lexsort((-shares, norms))
        for (norm, role), mark in zip(NORMS.items(), MARKS, strict=True):
            places = np.flatnonzero(norms[order] == norm)
            look = {"color": COLOURS[role], "marker": mark, "ms": 4, "ls": "", "label": f"$|v|^2$ = {norm}"}
            left.plot(places, shares[order[places]], **look)
        left.axhline(1 / len(shares), color=COLOURS["bound"], lw=1.6, ls="--", label="even: 1/256")
        left.set_yscale("log")
        ticks = [t for t in (0.001, 0.002, 0.004, 0.01, 0.02, 0.04) if shares.min() <= t <= 1.2 * shares.max()]
        left.set_yticks(ticks, [f"{t:g}" for t in ticks])
        left.minorticks_off()
        x, width = np.arange(len(NORMS)), 0.4
        of_table = [np.mean(norms == norm) for norm in NORMS]
        of_use = [shares[norms == norm].sum() for norm in NORMS]
        right.bar(x - width / 2, of_table, width, color=COLOURS["muted"], hatch="///", ec="white", label="of the table")
        right.bar(x + width / 2, of_use, width, color=COLOURS["ldlq"], label="of the vectors")
        right.set_xticks(x, [str(norm) for norm in NORMS])
        right.legend(loc="upper left")
        figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=4)
        label(left, "Each pattern", "patterns, by norm, then by share", "share of the vectors (log scale)")
        label(right, "Patterns of one norm", "$|v|^2$", "share")
    return figure


def taken_apart(code):
    """The sixteen bits of a vector: table row, signs, parity and shift, and the eight weights that they stand for.

    Parameters
    ----------
    code : int
        In the format of the authors' program, 0 to 65535.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "Boxes of sixteen bits in two formats, and a table that takes them to eight weights, a column for each."
    a, low = divmod(code, 256)
    odd = low.bit_count() & 1
    word, point = int(e8p.to_paper_format(code)), e8p.decode(code)
    shift = "-1/4" if odd else "+1/4"
    with page(WIDTH, 4.6, about=about) as (figure, axes):
        axes.set(xlim=(-3.4, 16.2), ylim=(-8.3, 1.0))
        _bits(axes, 0, "program", f"{code:016b}", [ROW] * 8 + [SIGNS] * 8)
        for start, text in ((0, f"row {a} of the table"), (8, f"{low.bit_count()} ones: {shift} for all")):
            boxes.brace(axes, start, 8, 0, text)
        _bits(axes, -1.6, "even parity", f"{low ^ odd:08b}", [SIGNS] * 7 + [SHIFT if odd else SIGNS], start=8)
        boxes.brace(axes, 8, 8, -1.6, "the lowest bit is turned round" if odd else "nothing to turn round")
        columns = _columns(a, low ^ odd, shift, point)
        for y, (name, entries) in zip(np.arange(-2.9, -6.3, -0.62), columns.items(), strict=True):
            strong = {"weight": "bold"} if name == "weight" else {}
            axes.text(-0.4, y, name, ha="right", va="center", fontsize=9, **strong)
            for i, entry in enumerate(entries):
                axes.text(2 * i + 1, y, entry, ha="center", va="center", fontsize=9, **strong)
        _bits(axes, -7.2, "paper", f"{word:016b}", [ROW] * 8 + [SIGNS] * 7 + [SHIFT])
        for start, width, text in ((0, 8, "row"), (8, 7, "signs, coordinates 1 to 7"), (15, 1, "shift")):
            boxes.brace(axes, start, width, -7.2, text)
        boxes.bare(axes)
        label(axes, f"Code {code:#06x} stands for eight weights", "bits: the highest first", "from bits to weights")
    return figure


def _bits(axes, y, name, digits, roles, start=0):
    axes.text(-0.4, y + boxes.BOX / 2, name, ha="right", va="center_baseline", fontsize=9)
    boxes.row(axes, start, y, digits, roles)


def _columns(row, even, shift, point):
    """What stands in the table, an entry for each coordinate, by name."""
    pattern, names = e8p.patterns()[row], [f"bit {k}" for k in SIGN_BIT]
    negative = even >> SIGN_BIT & 1
    if is_odd(pattern):
        names[7], negative[7] = "1 - bit 7", 1 - negative[7]
    return {
        "coordinate": [str(i) for i in range(8)],
        "pattern": [f"{2 * v:.0f}/2" for v in pattern],
        "sign": names,
        "negative?": [str(bit) for bit in negative],
        "shift": [shift] * 8,
        "weight": [f"{q:+g}" for q in point],
    }


def plane(errors, reach, radii):
    """The distance to the nearest point of a codebook on a plane through the origin.

    Parameters
    ----------
    errors : dict of str to array (p, p)
        Lengths of errors in the middles of p x p squares, by title; a panel for each, in one scale of colours.
    reach : float
        The squares fill [-reach, reach] both ways.
    radii : dict of str to float
        Of two circles to compare with, by name.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "Two maps: left the cells of a lattice go on and on, right they end between two circles and errors grow."
    ramp = LinearSegmentedColormap.from_list("error", ["white", COLOURS["optq"], COLOURS["ldlq"], COLOURS["ink"]], N=8)
    with page(WIDTH, 3.7, columns=len(errors), about=about, squeeze=False, sharey=True) as (figure, axes):
        for panel, (title, e) in zip(axes[0], errors.items(), strict=True):
            place = {"extent": [-reach, reach] * 2, "origin": "lower", "interpolation": "nearest"}
            image = panel.imshow(e, cmap=ramp, vmin=0, vmax=MOST, **place)
            for (name, radius), line in zip(radii.items(), ("--", "-"), strict=True):
                look = {"fill": False, "ec": COLOURS["quip#"], "lw": 1.8, "ls": line, "antialiased": False}
                panel.add_patch(Circle((0, 0), radius, **look, label=f"{name}: {radius:.2f}"))
            label(panel, title, "first direction", "")
        axes[0, 0].set_ylabel("second direction")
        figure.colorbar(image, ax=axes[0].tolist(), label="length of the error", extend="max")
        circles = axes[0, 0].patches
        handles = [Line2D([], [], color=COLOURS["quip#"], lw=1.8, ls=circle.get_linestyle()) for circle in circles]
        figure.legend(handles, [circle.get_label() for circle in circles], loc="outside lower center", ncols=2)
    return figure


def overload(scales, parts, marks):
    """Mean squared error against how large the weights are made before they are rounded.

    Parameters
    ----------
    scales : array (s,)
        Standard deviations of the source in units of the codebook.
    parts : dict of str to array (s,)
        Mean squared errors in units of the source's variance, by name; the first is their sum, drawn thick.
    marks : dict of str to (float, float)
        Levels to compare with, and where their names stand, from 0 on the left to 1.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "A curve with its least value near 1.04: on the left vectors fall into cells, on the right beyond the ball."
    looks = (("quip#", "-", "P"), ("ldlq", "--", "o"), ("nearest", ":", "s"), ("muted", "-.", ""))
    with page(WIDTH, 3.7, about=about) as (figure, axes):
        for (role, line, marker), (name, error) in zip(looks, parts.items(), strict=False):
            look = {"color": COLOURS[role], "ls": line, "marker": marker, "ms": 5}
            axes.plot(scales, error, **look, lw=2.4 if role == "quip#" else 1.6, label=name)
        for name, (level, place) in marks.items():
            axes.axhline(level, color=COLOURS["ink"], lw=1.0, ls=(0, (6, 3)), zorder=0)
            at = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points", "ha": "center"}
            axes.annotate(f"{name}: {level:.4g}", (place, level), (0, 3), fontsize=8.5, **at)
        axes.set_ylim(0, 1.05 * np.max(next(iter(parts.values()))))
        figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=4)
        x, y = "standard deviation of the source, in units of the codebook", "mean squared error / variance"
        label(axes, "Small weights are rounded coarsely, large ones fall outside", x, y)
    return figure
