"""Pictures of a rounder under test: the layer it fails on, the verdicts on several, the cells of a block quantizer."""

import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.lines import Line2D

from quipref.figures.style import COLOURS, MARKERS, WIDTH, label, page

LARGEST_WRITTEN = 5  # columns up to which the entries of H are written into its picture
OTHERS = [(COLOURS["quip#"], "P"), (COLOURS["quip"], "D"), (COLOURS["qtip"], "*")]
SIGNS = {  # status: (sign in the cell, ground, colour of the sign)
    "passed": ("", "#DCEBF5", "ink"),
    "failed": ("x", COLOURS["quip#"], "ink"),
    "refused": ("r", COLOURS["faint"], "ink"),
    "not_told_apart": ("?", "#DCEBF5", "ink"),
    "expected_failure": ("e", "#F5DDA8", "ink"),
    "unexpected_pass": ("!", COLOURS["quip#"], "ink"),
    "skipped": ("-", COLOURS["faint"], "ink"),
}


def losing_layer(layer, answers, losses, limits=None):
    """One row of a layer, what rounders make of it, and what they lose.

    Parameters
    ----------
    layer : Layer
        W (1, n) and H (n, n).
    answers : dict of str to array (1, n)
        W_hat by rounder; at most five, those with a colour of the house by its name.
    losses : dict of str to float
        Proxy loss by rounder.
    limits : dict of str to float, optional
        Bounds, drawn beside the losses as lines.

    Returns
    -------
    matplotlib.figure.Figure
    """
    W, H = layer
    about = "Left: H. Middle: the weights and the integers that each rounder takes. Right: the losses as bars."
    with page(WIDTH, 3.3, columns=3, about=about, width_ratios=(1, 1.2, 1)) as (figure, (left, middle, right)):
        _matrix(left, H)
        looks = _looks(answers)
        middle.plot(range(len(H)), W[0], "_", ms=13, mew=2.5, color=COLOURS["ink"], label="weight")
        for i, (name, (colour, marker)) in enumerate(looks.items()):
            beside = 0.16 * (i - (len(looks) - 1) / 2)  # or equal answers would hide each other
            middle.plot(np.arange(len(H)) + beside, answers[name][0], marker, color=colour, label=name)
        label(middle, "Weights, answers", "column", "value")
        middle.set_xticks(range(len(H)))
        middle.grid(axis="y")
        colours = [looks[name][0] for name in losses]
        drawn = right.bar(range(len(losses)), losses.values(), color=colours, width=0.6)
        ground = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}  # a bound may pass behind it
        right.bar_label(drawn, fmt="%.3g", padding=2, bbox=ground)
        for (name, limit), dash in zip((limits or {}).items(), ("-", "--", ":"), strict=False):
            right.axhline(limit, color=COLOURS["bound"], ls=dash, label=f"{name} = {limit:.3g}")
        right.set_xticks([])
        right.margins(y=0.15)
        label(right, "Losses", "rounder", "loss")
        figure.legend(loc="outside lower center", ncols=4)
    return figure


def _matrix(axes, H):
    """H in colours, with numbers where there is room."""
    largest = np.abs(H).max()
    axes.imshow(H, cmap="PuOr_r", vmin=-largest, vmax=largest)
    if len(H) <= LARGEST_WRITTEN:
        for (i, j), value in np.ndenumerate(H):
            shade = "white" if abs(value) > 0.6 * largest else COLOURS["ink"]
            axes.text(j, i, f"{value:.2g}", ha="center", va="center", color=shade)
    axes.set_xticks([])
    axes.set_yticks([])
    label(axes, "$H$", "column", "column")


def _looks(names):
    """{name: (colour, marker)}: those of the house, and others in turn."""
    spare = iter(OTHERS)
    return {name: (COLOURS[name], MARKERS[name]) if name in MARKERS else next(spare) for name in names}


def verdicts(reports):
    """What became of every check, a line for each rounder.

    Parameters
    ----------
    reports : dict of str to Report
        By the name that its line gets.

    Returns
    -------
    matplotlib.figure.Figure
    """
    names = list(dict.fromkeys(outcome.name for report in reports.values() for outcome in report.outcomes))
    grounds = [ground for _, ground, _ in SIGNS.values()]
    codes = np.full((len(reports), len(names)), -1)
    about = "A table: a line for each rounder, a column for each check; failures are marked by a cross."
    with page(WIDTH, 2.1 + 0.26 * len(reports), about=about) as (figure, axes):
        for row, report in enumerate(reports.values()):
            for outcome in report.outcomes:
                column, code = names.index(outcome.name), list(SIGNS).index(outcome.status)
                codes[row, column] = code
                sign, _, colour = SIGNS[outcome.status]
                axes.text(column, row, sign, ha="center", va="center_baseline", weight="bold", color=COLOURS[colour])
        cells = np.ma.masked_less(codes, 0)
        axes.imshow(cells, cmap=ListedColormap(grounds), vmin=-0.5, vmax=len(grounds) - 0.5, aspect="auto")
        axes.set_xticks(range(len(names)), [name.replace("_", " ") for name in names], rotation=90, fontsize=8.5)
        axes.set_yticks(range(len(reports)), list(reports))
        axes.set_xticks(np.arange(len(names)) - 0.5, minor=True)
        axes.set_yticks(np.arange(len(reports)) - 0.5, minor=True)
        axes.grid(which="minor", color="white", lw=2)
        axes.tick_params(which="both", length=0)
        axes.spines[:].set_visible(False)
        axes.set_axisbelow(False)
        label(axes, "Which check finds which fault", "check", "rounder")
        figure.legend(handles=_key(codes), loc="outside lower center", ncols=4)
    return figure


def _key(codes):
    """A legend of the statuses that occur, and of cells that are left white."""
    found = [status for code, status in enumerate(SIGNS) if (codes == code).any()]
    key = [
        _square(" ".join((status.replace("_", " "), *[f"({sign})" for sign in SIGNS[status][0]])), SIGNS[status][1])
        for status in found
    ]
    white = [_square("does not apply", "white", COLOURS["muted"])] if (codes < 0).any() else []
    return key + white


def _square(name, ground, edge=None):
    return Line2D([], [], ls="", marker="s", ms=10, color=ground, markeredgecolor=edge or ground, label=name)


def cells(axis, answers):
    """The plane of targets, each as dark as it is far from where a quantizer of two weights puts it.

    Parameters
    ----------
    axis : array (p,)
        Coordinates of the targets, the same for both weights.
    answers : dict of str to array (p, p, 2)
        By quantizer: T_hat of the target (axis[i], axis[j]) at [i, j].

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "The plane of targets by distance to their points: cells that are no hexagons have corners that are far."
    targets = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1)
    distances = {name: np.linalg.norm(hat - targets, axis=-1) for name, hat in answers.items()}
    largest = max(distance.max() for distance in distances.values())
    reach = axis[0], axis[-1]
    with page(WIDTH, 3.7, columns=len(answers), about=about, sharey=True, squeeze=False) as (figure, (panels,)):
        for axes, (name, distance) in zip(panels, distances.items(), strict=True):
            drawn = axes.imshow(
                distance.T, origin="lower", extent=reach * 2, cmap="cividis_r", vmin=0, vmax=largest, aspect="equal"
            )
            points = np.unique(answers[name].reshape(-1, 2).round(6), axis=0)
            inside = points[(np.abs(points) <= axis[-1]).all(axis=1)]
            axes.plot(*inside.T, "o", ms=3, color=COLOURS["ink"])
            label(axes, f"{name}: {np.square(distance).mean():.4f}", "first weight", "")
        panels[0].set_ylabel("second weight")
        figure.colorbar(drawn, ax=panels, label="distance", shrink=0.8)
    return figure
