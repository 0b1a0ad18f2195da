"""Pictures of decoding on a GPU: where a lane finds its bits, what it makes of them, and what that costs."""

from contextlib import contextmanager

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import FancyArrowPatch, Patch, Rectangle, Wedge
from matplotlib.patheffects import withStroke

from quipref.figures import bits as boxes
from quipref.figures.style import COLOURS, WIDTH, label, page
from quipref.trellis import codes

WORD = 32  # bits
FIRST, SECOND = "ldlq", "quip#"  # the word in which a window begins, and the one after it
MARKED_LOOK = {"facecolor": COLOURS[FIRST], "alpha": 0.6}
TILE_LOOK = {"fill": False, "ec": COLOURS["ink"], "lw": 1.8}
BYTES = ("nearest", "optq", "quip", "qtip")
FIELDS = {"sign": (1, "quip#"), "exponent": (8, "ldlq"), "fraction": (23, boxes.PLAIN)}  # of single precision
FLOAT_2_23, MEAN = 0x4B000000, 510
PITCH = 1.45  # of rows of bits
UNITS = {  # of a multiprocessor: colour, hatch, and what it works on
    "integer": ("ldlq", "", "integers"),
    "multiply": ("optq", "//", "integer products"),
    "half": ("quip", "..", "floats"),
    "shared": ("nearest", "\\\\", "shared memory"),
    "tensor": ("qtip", "xx", "tensor cores"),
    "other": ("faint", "", "other"),
}


def ring_of_words(n_words, windows, state_bits):
    """The circle of a tile as a ring of words, and some windows as arcs around it.

    Parameters
    ----------
    n_words : int
        Words of 32 bits.
    windows : dict of int to int
        The first bit of each window, by the number of its weight.
    state_bits : int

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "A ring of words with windows as arcs around it: some lie in one word, some in two, the last in both ends."
    total = n_words * WORD
    with page(6.4, 4.5, about=about) as (figure, axes):
        for word in range(n_words):
            axes.add_patch(Wedge((0, 0), 1, *_angles(word * WORD, WORD, total), width=0.24, fc="white", ec="k", lw=0.8))
            axes.text(*_point(0.88, word * WORD + WORD / 2, total), word, ha="center", va="center_baseline")
        for weight, bit in windows.items():
            last = (bit + state_bits - 1) % total
            role = SECOND if last // WORD != bit // WORD else FIRST
            axes.add_patch(Wedge((0, 0), 1.15, *_angles(bit, state_bits, total), width=0.13, **_window_look(role)))
            x, y = _point(1.22, bit + state_bits / 2, total)
            words = f"word {bit // WORD}" if role == FIRST else f"words {bit // WORD}, {last // WORD}"
            side = "left" if x >= 0 else "right"
            axes.text(x, y, f"weight {weight}: {words}", ha=side, va="center", fontsize=9)
        axes.text(0, 0, f"{total} bits,\n{n_words} words", ha="center", va="center", fontsize=11)
        looks = {"lies in one word": _window_look(FIRST), "reaches into the next": _window_look(SECOND)}
        handles = [Patch(label=f"a window that {what}", **look) for what, look in looks.items()]
        figure.legend(handles=handles, loc="outside lower center", ncols=2)
        axes.set(xlim=(-2.3, 2.3), ylim=(-1.32, 1.32), aspect="equal")
        boxes.bare(axes)
        label(axes, "The circle of a tile", "bits clockwise, from the top on", "ring: words; arcs: windows")
    return figure


def funnel(high, low, shift, state_bits):
    """Two neighbouring words, and the window that one funnel shift cuts out of them.

    Parameters
    ----------
    high, low : int
        The word in which the window begins, and the next on the circle.
    shift : int
        The bits of `high` before the window, 0 to 31.
    state_bits : int

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "Two words as boxes with the window marked; the word after the shift; the state that its highest bits are."
    both = format(high, "032b") + format(low, "032b")
    inside = [shift <= i < shift + state_bits for i in range(2 * WORD)]
    roles = [(FIRST if i < WORD else SECOND) if there else boxes.PLAIN for i, there in enumerate(inside)]
    shifted, of_shifted = both[shift : shift + WORD], roles[shift : shift + WORD]
    with _rows(4, "A window from two words, by one instruction", about) as (figure, axes):
        _row(axes, 0, "the word where the window begins", both[:WORD], roles[:WORD])
        _row(axes, 1, "the word after it", both[WORD:], roles[WORD:])
        _row(axes, 2, f"funnel shift: the top 32 of the 64 bits, moved {shift} to the left", shifted, of_shifted)
        state = shifted[:state_bits]
        text = f"moved {WORD - state_bits} to the right: the state, {int(state, 2)}"
        y = _row(axes, 3, text, state, of_shifted[:state_bits], start=WORD - state_bits)
        taken = of_shifted[:state_bits].count(FIRST)
        boxes.brace(axes, WORD - state_bits, taken, y, f"{taken} bits")
        if taken < state_bits:
            boxes.brace(axes, WORD - state_bits + taken, state_bits - taken, y, f"{state_bits - taken} bits")
    return figure


def lanes(bits, marked, strip_of_lane, lane_below):
    """Which weights each lane of a warp reads at once, 16 bytes of them, for some k.

    Parameters
    ----------
    bits : list of int
        k for each panel: 1, 2 or 4.
    marked : int
        The lane that is drawn darker, with an arrow from the lane whose first word it needs too.
    strip_of_lane : callable
        (lane, k) -> (tile from top to bottom, tile from left to right, strip of that tile), as the kernel has it.
    lane_below : callable
        (lane, k) -> the lane that reads the next 16 bytes of the tile.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "Four tiles side by side, each cut into strips of rows; in each strip the number of the lane that reads it."
    with page(WIDTH, 4.2, columns=len(bits), squeeze=False, about=about) as (figure, panels):
        for axes, k in zip(panels[0], bits, strict=True):
            rows = 8 // k
            strips = [strip_of_lane(lane, k) for lane in range(32)]
            places = [(16 * across, 16 * down + rows * strip) for down, across, strip in strips]
            _strips(axes, places, rows, marked)
            ends = [(places[lane][0] + 11.5, places[lane][1] + rows / 2) for lane in (lane_below(marked, k), marked)]
            curve = {"connectionstyle": "arc3,rad=0.35", "color": COLOURS[SECOND], "lw": 1.4}
            axes.add_patch(FancyArrowPatch(*ends, arrowstyle="-|>", mutation_scale=10, **curve))
            axes.set(xlim=(-0.6, 64.6), ylim=(8 * rows + 0.02 * 8 * rows, -0.02 * 8 * rows))
            axes.set_xticks(range(0, 65, 16))
            axes.set_yticks(range(0, 8 * rows + 1, 16 // k if k < 4 else 4))
            axes.spines[:].set_visible(False)
            label(axes, f"k = {k}: {rows} rows a lane", "column", "row")
        arrow = Line2D([], [], color=COLOURS[SECOND], marker="<", label="hands over its first word")
        handles = [Patch(label="tile", **TILE_LOOK), Patch(label=f"lane {marked}", **MARKED_LOOK), arrow]
        figure.legend(handles=handles, loc="outside lower center", ncols=3)
    return figure


def float_sum(state):
    """1MAD on one state as a GPU does it: the sum of the bytes becomes a float without being converted.

    Parameters
    ----------
    state : int
        From 0 to 65535.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "The four bytes of a hash, and a float's sign, exponent and fraction, in which their sum stands as it is."
    a, b = codes.ONE_MAD
    x = state * a + b & codes.LOW_32
    parts, total = list(x.to_bytes(4, "big")), sum(x.to_bytes(4, "big"))
    fields = [role for width, role in FIELDS.values() for _ in range(width)]
    with _rows(2, "From bits to a value, without a conversion", about, room=1.0) as (figure, axes):
        text = f"multiply and add: $x = {a}\\,s + {b}$ mod $2^{{32}}$, for state $s$ = {state}"
        y = _row(axes, 0, text, format(x, "032b"), [role for role in BYTES for _ in range(8)])
        for i, part in enumerate(parts):
            boxes.brace(axes, 8 * i, 8, y, f"byte {part}")
        text = f"their sum {total} added to the bits of $2^{{23}}$, {FLOAT_2_23:#x}"
        y = _row(axes, 1, text, format(FLOAT_2_23 + total, "032b"), fields)
        boxes.brace(axes, 0, 1, y, "sign +")
        boxes.brace(axes, 1, 8, y, "exponent: $2^{23}$")
        boxes.brace(axes, 9, 23, y, f"fraction: {total} of $2^{{23}}$")
        number = np.uint32(FLOAT_2_23 + total).view(np.float32)
        text = f"read as a float: {number:.0f};   less $2^{{23}}$ + {MEAN}: {number - np.float32(2**23 + MEAN):.0f}"
        axes.text(0, -PITCH - 0.8, text, va="center", fontsize=10)
    return figure


def instructions(counts, lines):
    """Instructions of a lane for a weight, by the unit that executes them.

    Parameters
    ----------
    counts : dict of str to dict of str to float
        By code, and by unit: "integer", "multiply", "half", "shared", "tensor", "other".
    lines : dict of str to float
        How many there would be time for, by what would take as long.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "A bar for each code, of the instructions that a weight takes, and lines: how many there would be time for."
    with page(WIDTH, 0.42 * len(counts) + 1.7, about=about) as (figure, axes):
        for unit, (role, hatch, what) in UNITS.items():
            before = [sum(list(row.values())[: list(row).index(unit)]) for row in counts.values()]
            axes.barh(
                list(counts), [row[unit] for row in counts.values()], left=before, color=COLOURS[role], hatch=hatch,
                edgecolor="white", lw=0.5, height=0.62, label=what,
            )  # fmt: skip
        axes.invert_yaxis()
        for (name, value), style in zip(lines.items(), ("-", "--", ":", "-."), strict=False):
            line = axes.axvline(value, color=COLOURS["ink"], ls=style, lw=1.4, label=name)
            line.set_path_effects([withStroke(linewidth=3.5, foreground="white")])
        label(axes, "Counted, not run: what a weight takes", "instructions of a lane for a weight", "code")
        small = {"fontsize": 8.5, "title_fontsize": 8.5, "alignment": "left"}
        figure.legend(handles=axes.containers, loc="outside lower left", ncols=3, title="instructions on", **small)
        figure.legend(handles=axes.lines, loc="outside lower right", title="as many as take the time of", **small)
    return figure


def _strips(axes, places, rows, marked):
    """The lanes' strips of so many rows, one of them marked, and around them the tiles."""
    for lane, (left, top) in enumerate(places):
        face = MARKED_LOOK if lane == marked else {"facecolor": "white"}
        axes.add_patch(Rectangle((left, top), 16, rows, ec=COLOURS["muted"], lw=0.6, **face))
        axes.text(left + 8, top + rows / 2, lane, ha="center", va="center_baseline", fontsize=9)
    for left, top in {(left, top // 16 * 16) for left, top in places}:
        axes.add_patch(Rectangle((left, top), 16, 16, **TILE_LOOK))


def _window_look(role):
    """How a window is drawn."""
    return {"facecolor": COLOURS[role], "alpha": 0.6, "hatch": "//" if role == SECOND else "", "ec": "white"}


def _angles(first, width, total):
    """Where a wedge begins and ends, in degrees: bit 0 at the top, clockwise."""
    return 90 - 360 * (first + width) / total, 90 - 360 * first / total


def _point(radius, bit, total):
    """The place of a bit."""
    angle = np.pi / 2 - 2 * np.pi * bit / total
    return radius * np.cos(angle), radius * np.sin(angle)


@contextmanager
def _rows(rows, title, about, room=0.55):
    """The page of some rows of 32 bits, with room below."""
    with page(WIDTH, 0.78 * rows + 0.6 * room + 0.45, about=about) as (figure, axes):
        axes.set(xlim=(-0.3, WORD + 0.3), ylim=(-PITCH * (rows - 1) - 0.2 - room, 1.1))
        boxes.bare(axes)
        axes.set_yticks([boxes.BOX / 2 - PITCH * i for i in range(rows)], range(1, rows + 1))
        label(axes, title, "bits, the highest first", "row")
        yield figure, axes


def _row(axes, i, text, bits, roles, start=0):
    """A row of bits with a line of text above; its lower edge."""
    y = -PITCH * i
    axes.text(0, y + boxes.BOX + 0.12, text, va="bottom", fontsize=9.5)
    boxes.row(axes, start, y, bits, roles)
    return y
