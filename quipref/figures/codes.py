"""Pictures of the computed codes: a state on its way to a value, and how good the values of neighbours are."""

from contextlib import contextmanager
from itertools import cycle

import numpy as np

from quipref.figures import bits as boxes
from quipref.figures.style import COLOURS, WIDTH, label, page
from quipref.trellis import codes
from quipref.trellis.hybrid import HASH_BITS

BYTES = ("nearest", "optq", "quip", "qtip")
FIELDS = {"sign": (1, "quip#"), "exponent": (5, "nearest"), "mantissa": (10, "optq")}  # of half precision: bits, role
PITCH = 1.45  # of rows of bits


def one_mad(state):
    """1MAD on one state: the product, its four bytes, their sum, the value.

    Parameters
    ----------
    state : int
        From 0 to 65535.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "Sixteen bits of a state become thirty-two by a product; the four bytes of these are added up to a value."
    a, b = codes.ONE_MAD
    x = state * a + b & codes.LOW_32
    parts = list(x.to_bytes(4, "big"))
    with _hash(2, "1MAD, step by step", about) as (figure, axes):
        _number(axes, 0, f"state $s$ = {state}", state, 16)
        y = _number(axes, 1, f"$x = {a}\\,s + {b}$ mod $2^{{32}}$", x, 32, [role for role in BYTES for _ in range(8)])
        for i, part in enumerate(parts):
            boxes.brace(axes, 8 * i, 8, y, f"byte {part}")
        total = sum(parts)
        text = f"{' + '.join(map(str, parts))} = {total}"
        value = (np.float32(total) - codes.BYTES_MEAN) / codes.BYTES_STD
        _result(axes, 2, f"{text};   value = ({total} - {codes.BYTES_MEAN}) / {codes.BYTES_STD:.1f} = {value:.4f}")
    return figure


def three_inst(state):
    """3INST on one state: the product, the mask, the XOR, two numbers of half precision, their sum.

    Parameters
    ----------
    state : int
        From 0 to 65535.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "Rows of thirty-two bits: a product, a mask, what it leaves, a constant, and two half-precision numbers."
    a, b = codes.THREE_INST
    x = state * a + b & codes.LOW_32
    kept = ["faint" if codes.HALVES_MASK >> 31 - j & 1 else "muted" for j in range(32)]
    fields = [role for _ in range(2) for width, role in FIELDS.values() for _ in range(width)]
    with _hash(5, "3INST, step by step", about) as (figure, axes):
        _number(axes, 0, f"state $s$ = {state}", state, 16)
        _number(axes, 1, f"multiply and add: $x = {a}\\,s + {b}$ mod $2^{{32}}$", x, 32)
        _number(axes, 2, f"clear the grey bits: $x$ and {codes.HALVES_MASK:#x}", x & codes.HALVES_MASK, 32, kept)
        _number(
            axes, 3, f"the constant {codes.HALVES_FLIP:#x}: 0.921875 in half precision, twice", codes.HALVES_FLIP, 32
        )
        word = x & codes.HALVES_MASK ^ codes.HALVES_FLIP
        y = _number(axes, 4, "XOR with it: sign, exponent and mantissa of two numbers", word, 32, fields)
        halves = word >> 16, word & 0xFFFF
        for i, half in enumerate(halves):
            start = 16 * i
            for width, role in FIELDS.values():
                names = {"quip#": "$-$" if half >> 15 else "$+$", "nearest": f"$2^{{{(half >> 10 & 31) - 15}}}$"}
                boxes.brace(axes, start, width, y, names.get(role, f"{1 + (half & 1023) / 1024:.4f}"))
                start += width
        high, low = np.array(halves, np.uint16).view(np.float16)
        _result(axes, 5, f"value = {high:.4f} + {low:.4f} = {high + low:.4f}")
    return figure


def hyb(state, table):
    """HYB on one state: the hash, the bits that pick a row of the table, the bit that picks a sign.

    Parameters
    ----------
    state : int
        From 0 to 65535.
    table : array (2^Q, 2)

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "Sixteen bits of a state and sixteen of its hash: the first is a sign, the next pick a pair from the table."
    Q = len(table).bit_length() - 1
    h = state * (state + 1) & (1 << HASH_BITS) - 1
    index, negative = h >> HASH_BITS - 1 - Q & len(table) - 1, h >> HASH_BITS - 1
    rest = HASH_BITS - 1 - Q
    with _hash(2, "HYB, step by step", about, width=16) as (figure, axes):
        _number(axes, 0, f"state $s$ = {state}", state, 16, width=16)
        roles = ["quip#"] + ["ldlq"] * Q + ["muted"] * rest
        y = _number(axes, 1, "$h = s\\,(s + 1)$ mod $2^{16}$", h, 16, roles, width=16)
        for start, width, text in ((0, 1, "sign"), (1, Q, f"row {index} of the table"), (1 + Q, rest, "not used")):
            boxes.brace(axes, start, width, y, text)
        first, second = table[index]
        sign = "sign 1 negates the first" if negative else "sign 0 keeps it"
        value = f"({-first if negative else first:.4f}, {second:.4f})"
        _result(axes, 2, f"row {index}: ({first:.4f}, {second:.4f});  {sign}: {value}")
    return figure


@contextmanager
def _hash(rows, title, about, width=32):
    """The page of a hash, with so many rows of bits and a result below."""
    with page(WIDTH, 0.78 * rows + 1.05, about=about) as (figure, axes):
        axes.set(xlim=(-0.3, width + 0.3), ylim=(-PITCH * rows - 0.55, 1.0))
        boxes.bare(axes)
        label(axes, title, "bits, the highest first", "from state to value")
        yield figure, axes


def _number(axes, i, name, number, digits, roles=boxes.PLAIN, *, width=32):
    """Row i: the name, and below it the number's bits, flush right; returns their lower edge."""
    y = -PITCH * i
    axes.text(0, y + 0.6, name, va="bottom", fontsize=9)
    boxes.row(axes, width - digits, y, format(number, f"0{digits}b"), roles, size=8)
    return y


def _result(axes, i, text):
    axes.text(0, -PITCH * i + 0.1, text, va="center", fontsize=10, weight="bold", color=COLOURS["ldlq"])


def histograms(tables):
    """How the values of each code are spread, over the density of the Gaussian that they imitate.

    Parameters
    ----------
    tables : dict of str to array (states, V)
        By name; each is drawn in units of its root mean square.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "Histograms of all values of each code, each under the bell curve: " + ", ".join(tables) + "."
    columns = -(-len(tables) // 2)
    shared = {"rows": 2, "columns": columns, "squeeze": False, "sharex": True, "sharey": True}
    x = np.linspace(-4, 4, 161)
    with page(WIDTH, 4.4, about=about, **shared) as (figure, axes):
        for panel, (name, table) in zip(axes.ravel(), tables.items(), strict=False):
            values = table.ravel() / np.sqrt(np.square(table, dtype=float).mean())
            panel.hist(values, np.linspace(-4, 4, 82), density=True, color=COLOURS["qtip"], alpha=0.6)
            panel.plot(x, np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi), color=COLOURS["ink"], lw=1.4)
            panel.set(xlim=(-4, 4), xticks=[-3, 0, 3])
            label(panel, name, "", "")
        _outer(axes, len(tables), "value / rms", "density")
    return figure


def overlaps(pairs, columns=4):
    """The value of a state against that of the state after it, a dot for each of many pairs.

    Parameters
    ----------
    pairs : dict of str to array (n, 2)
        By name.
    columns : int
        Panels in a row.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "Dots for pairs of successive values: a pattern where the code is bad, a cloud where it is good."
    rows = -(-len(pairs) // columns)
    shared = {"rows": rows, "columns": columns, "squeeze": False, "sharex": True, "sharey": True}
    with page(WIDTH, 1.85 * rows + 0.5, about=about, **shared) as (figure, axes):
        for panel, (name, pair) in zip(axes.ravel(), pairs.items(), strict=False):
            panel.scatter(*np.transpose(pair), s=1.2, color=COLOURS["ldlq"], alpha=0.5, linewidths=0, rasterized=True)
            panel.set(aspect="equal", xlim=(-3.4, 3.4), ylim=(-3.4, 3.4), xticks=[-3, 0, 3], yticks=[-3, 0, 3])
            panel.set_title(name, fontsize=9)
        _outer(axes, len(pairs), "value", "value after it")
    return figure


def _outer(axes, used, x, y):
    """Labels at the outer panels; panels that are not used vanish."""
    columns = axes.shape[1]
    for i, panel in enumerate(axes.ravel()):
        if i >= used:
            panel.remove()
        elif i + columns >= used:
            panel.set_xlabel(x)
            panel.tick_params(labelbottom=True)
        if i < used and i % columns == 0:
            panel.set_ylabel(y)


def lags(correlations):
    """How strongly values correlate with those some steps later.

    Parameters
    ----------
    correlations : dict of str to array (lags,)
        From lag 1 on, by name.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "Correlations by distance: near zero for hashes and random values, slowly falling for codes without one."
    looks = cycle(zip(("muted", "nearest", "optq", "ldlq", "quip", "quip#", "ink", "qtip"), "xsvoDP^*", strict=True))
    with page(WIDTH, 3.6, about=about) as (figure, axes):
        axes.set_yscale("symlog", linthresh=1e-3)  # before the curves, which then set the limits with a margin
        for (name, found), (role, marker) in zip(correlations.items(), looks, strict=False):
            axes.plot(1 + np.arange(len(found)), found, marker=marker, color=COLOURS[role], lw=1.2, label=name)
        axes.axhline(0, color=COLOURS["ink"], lw=0.8, zorder=0)
        axes.minorticks_off()
        figure.legend(loc="outside right upper")
        label(axes, "Correlation of a value with a later one", "steps later", "correlation (linear below 0.001)")
    return figure


def errors(found, lines):
    """The error of each code with five standard errors to either side.

    Parameters
    ----------
    found : dict of str to (float, float)
        Mean squared error and its standard error, by name.
    lines : dict of str to float
        What to compare with.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "A mark with bars for each code: hashes lie close to the limit, the others far from it."
    with page(WIDTH, 0.36 * len(found) + 1.5, about=about) as (figure, axes):
        rows = np.arange(len(found))
        for row, (mean, spread) in zip(rows, found.values(), strict=True):
            axes.errorbar(mean, row, xerr=5 * spread, marker="*", ms=9, color=COLOURS["qtip"], capsize=3)
            axes.annotate(f"{mean:.4f}", (1.01, row), xycoords=("axes fraction", "data"), va="center")
        looks = cycle(((COLOURS["bound"], "-"), (COLOURS["nearest"], "--")))
        for (name, value), (colour, line) in zip(lines.items(), looks, strict=False):
            axes.axvline(value, color=colour, ls=line, lw=1.8, label=f"{name}: {value:.4f}", zorder=0)
        axes.set_yticks(rows, list(found))
        axes.set_ylim(len(found) - 0.4, -0.6)
        figure.legend(loc="outside lower center", ncols=2)
        label(axes, "Error of each code, five standard errors to either side", "mean squared error", "code")
    return figure
