"""Pictures of Hadamard matrices: their signs, the sizes that have one, the fast transform, and what it does."""

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import Rectangle

from quipref.figures.style import COLOURS, WIDTH, label, page

SIGNS = LinearSegmentedColormap.from_list("signs", [COLOURS["nearest"], "white", COLOURS["ldlq"]])
ROW = 25  # sizes in a row of the map: a row is a hundred
FAMILIES = {  # of the map: letter, colour; white letters where the colour is dark
    "Sylvester": ("S", COLOURS["ink"]),
    "Paley I": ("1", COLOURS["optq"]),
    "Paley II": ("2", COLOURS["ldlq"]),
    "Williamson": ("W", COLOURS["qtip"]),
    "Miyamoto": ("M", COLOURS["quip"]),
    "several": ("x", COLOURS["faint"]),
    "fallback": ("?", COLOURS["quip#"]),
}
DARK = ("Sylvester", "Paley II", "Miyamoto", "fallback")


def entries(matrices, columns=4):
    """Square matrices as pictures: blue positive, orange negative, white zero, on one scale for all.

    Parameters
    ----------
    matrices : dict of str to array (n, n)
        By title.
    columns : int
        Panels in a row.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "Square fields of blue and orange cells, the signs of each matrix: " + ", ".join(matrices) + "."
    rows = -(-len(matrices) // columns)
    height = rows * (WIDTH / columns + 0.55) + 0.35
    reach = max(np.abs(H).max() for H in matrices.values())
    with page(WIDTH, height, rows=rows, columns=columns, about=about, squeeze=False) as (figure, axes):
        for panel, (name, H) in zip(axes.flat, matrices.items(), strict=False):
            panel.imshow(H, cmap=SIGNS, vmin=-reach, vmax=reach, interpolation="nearest")
            panel.set(xticks=[], yticks=[])
            panel.spines[:].set_visible(False)
            label(panel, name, f"{len(H)} columns", "rows")
        for panel in axes.flat[len(matrices) :]:
            panel.remove()
        ends = {f"+{reach:.2g}": "ldlq", "0": None, f"\N{MINUS SIGN}{reach:.2g}": "nearest"}
        looks = [
            {"facecolor": COLOURS[role] if role else "white", "edgecolor": COLOURS["muted"]} for role in ends.values()
        ]
        handles = [Rectangle((0, 0), 1, 1, lw=0.6, **look) for look in looks]
        figure.legend(handles, list(ends), loc="outside lower center", ncols=3)
    return figure


def family(plan):
    """The name of `FAMILIES` for a plan; a Sylvester factor beside another one does not count."""
    others = [factor.name for factor in plan.factors if not factor.name.startswith("Sylvester")]
    if not plan.exact:
        return "fallback"
    if not others:
        return "Sylvester"
    if len(others) > 1 or "sharing" in others[0]:
        return "several"
    return next(name for name in FAMILIES if others[0].startswith(f"{name} "))


def map_of_sizes(plans):
    """The multiples of 4, a hundred to a row, each with the construction of its Hadamard matrix.

    Parameters
    ----------
    plans : dict of int to HadamardPlan
        As `quipref.hadamard_plan` makes them, by size.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "A field of cells, one for each multiple of 4; nearly all have a construction, named by colour and letter."
    families = {n: family(plan) for n, plan in plans.items()}
    rows = -(-max(families) // (4 * ROW))
    with page(WIDTH, 0.232 * rows + 1.6, about=about) as (figure, axes):
        for n, name in families.items():
            row, column = divmod(n // 4 - 1, ROW)
            letter, colour = FAMILIES[name]
            axes.add_patch(Rectangle((column, row), 1, 1, facecolor=colour, edgecolor="white", lw=0.6))
            look = {"color": "white" if name in DARK else COLOURS["ink"], "fontsize": 7}
            axes.text(column + 0.5, row + 0.52, letter, ha="center", va="center", **look)
        axes.set(xlim=(0, ROW), ylim=(rows, 0))
        axes.set_xticks(np.arange(4, ROW, 5) + 0.5, [f"+{4 * (i + 1)}" for i in range(4, ROW, 5)])
        axes.set_yticks(np.arange(0, rows, 2) + 0.5, [100 * i for i in range(0, rows, 2)])
        axes.spines[:].set_visible(False)
        axes.tick_params(length=0)
        used = [name for name in FAMILIES if name in families.values()]
        handles = [Rectangle((0, 0), 1, 1, facecolor=FAMILIES[name][1]) for name in used]
        counts = [list(families.values()).count(name) for name in used]
        names = [f"{FAMILIES[name][0]}  {name}: {count}" for name, count in zip(used, counts, strict=True)]
        figure.legend(handles, names, loc="outside lower center", ncols=4, fontsize=8.5)
        label(axes, f"Multiples of 4 up to {max(families)}", "size, on from the hundred", "hundred")
    return figure


def butterflies(n):
    """The fast transform of n numbers: log2 n stages of sums and differences.

    Parameters
    ----------
    n : int
        A power of two.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "A network from left to right: in each stage pairs of lines cross, to a sum above and a difference below."
    stages = n.bit_length() - 1
    with page(WIDTH, 0.42 * n + 1.2, about=about) as (figure, axes):
        for stage in range(stages):
            for i in range(n):
                partner, high = i ^ (1 << stage), i >> stage & 1
                for source, minus in ((i, bool(high)), (partner, False)):
                    look = {"color": COLOURS["quip#"], "ls": "--"} if minus else {"color": COLOURS["ldlq"]}
                    axes.plot([stage, stage + 1], [source, i], lw=1.4, **look)
        for stage in range(stages + 1):
            axes.plot(np.full(n, stage), np.arange(n), "o", ms=6, color=COLOURS["ink"], zorder=3)
        for i in range(n):
            axes.text(-0.08, i, f"$x_{{{i}}}$", ha="right", va="center")
            axes.text(stages + 0.08, i, f"$(Hx)_{{{i}}}$", ha="left", va="center")
        axes.plot([], [], color=COLOURS["ldlq"], label="plus")
        axes.plot([], [], color=COLOURS["quip#"], ls="--", label="minus")
        axes.set(xlim=(-0.35, stages + 0.5), ylim=(n - 0.5, -0.5), yticks=[])
        axes.set_xticks(np.arange(stages) + 0.5, [f"distance {1 << s}" for s in range(stages)])
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        figure.legend(loc="outside lower center", ncols=2)
        label(axes, f"{n} numbers, {stages} stages of {n // 2} butterflies", "stage", "position")
    return figure


def stems(vectors):
    """Vectors and what a transform makes of them, a row each, as stems.

    Parameters
    ----------
    vectors : dict of str to (array (n,), array (n,))
        Before and after, by title.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "Stems of vectors before and after: " + "; ".join(vectors) + "."
    height = 1.35 * len(vectors) + 0.5
    reach = 1.15 * max(np.abs(x).max() for both in vectors.values() for x in both)
    grid = {"squeeze": False, "sharex": True, "sharey": True}
    with page(WIDTH, height, rows=len(vectors), columns=2, about=about, **grid) as (figure, axes):
        for pair, (name, both) in zip(axes, vectors.items(), strict=True):
            for panel, x, role in zip(pair, both, ("nearest", "ldlq"), strict=True):
                panel.vlines(np.arange(len(x)), 0, x, color=COLOURS[role], lw=1.6)
                panel.axhline(0, color=COLOURS["muted"], lw=0.6)
                panel.set_ylim(-reach, reach)
            mu = [np.abs(x).max() * np.sqrt(len(x)) / np.linalg.norm(x) for x in both]
            label(pair[0], f"{name}: $\\mu$ = {mu[0]:.2f}", "", "entry")
            label(pair[1], f"after: $\\mu$ = {mu[1]:.2f}", "", "entry")
        for panel in axes[-1]:
            panel.set_xlabel("position")
    return figure
