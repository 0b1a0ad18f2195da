"""Pictures of lattices: cells in the plane, what dimensions gain, the 240 roots of E8, and how far targets lie."""

import math

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.patches import Circle, Polygon

from quipref.figures.style import COLOURS, WIDTH, label, page
from quipref.lattice.e8 import granular_gain

DRAWN = 50  # targets that a picture of cells shows, of many that are measured


def cells(tilings):
    """Two ways to tile the plane, with targets and the points that they are rounded to.

    Parameters
    ----------
    tilings : dict of str to (array (p, 2), array (k, 2), array (t, 2), array (t, 2))
        The lattice's points, the corners of the cell of 0, targets and what they are rounded to, by title; the mean
        squared error a coordinate of all targets is written above a panel, which shows 50 of them.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "Squares and hexagons of one area tile the plane; lines lead from targets to the middle of their cells."
    reach = 2.3
    with page(WIDTH, 4.2, columns=len(tilings), about=about, squeeze=False) as (figure, axes):
        for panel, (title, (points, corners, X, X_hat)) in zip(axes[0], tilings.items(), strict=True):
            for point in points:
                panel.add_patch(Polygon(corners + point, closed=True, fill=False, ec=COLOURS["muted"], lw=0.8))
            hole, inside = np.linalg.norm(corners, axis=1).max(), np.abs(X).max(axis=1) < reach - 0.05
            drawn, rounded = X[inside][:DRAWN], X_hat[inside][:DRAWN]
            circle = {"facecolor": COLOURS["optq"], "alpha": 0.3, "label": "circle through the corners of a cell"}
            panel.add_patch(Circle((0, 0), hole, **circle))
            lines = np.stack([drawn, rounded], axis=1)
            panel.add_collection(LineCollection(lines, colors=COLOURS["quip#"], lw=1.0, label="error"))
            panel.plot(*points.T, "o", ms=5, color=COLOURS["ldlq"], label="point of the lattice")
            panel.plot(*drawn.T, ".", ms=3.5, color=COLOURS["ink"], label="target")
            panel.set(aspect="equal", xlim=(-reach, reach), ylim=(-reach, reach))
            error = np.square(X - X_hat).mean()
            label(panel, f"{title}: error {error:.4f}", f"first weight (circle: radius {hole:.3f})", "second weight")
        figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure


def gains(found):
    """How much less error than single integers each lattice makes, and what no cell of that dimension can pass.

    Parameters
    ----------
    found : dict of str to (int, float, float)
        Dimension, second moment (mean squared error a coordinate at one point a unit of volume) and standard error.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "Decibels gained over rounding to integers rise with the dimension, below those of a ball and 1.53."
    dimensions = np.arange(1, 25)
    with page(WIDTH, 3.6, about=about) as (figure, axes):
        balls = [granular_gain(ball_second_moment(n)) for n in dimensions]
        axes.plot(dimensions, balls, color=COLOURS["bound"], lw=1.6, ls="--", label="a ball of that dimension")
        most = -10 * math.log10(6 / (math.pi * math.e))
        axes.axhline(most, color=COLOURS["bound"], lw=2, label=f"limit: {most:.3f} dB")
        for name, (n, moment, spread) in found.items():
            gain, error = granular_gain(moment), 10 / math.log(10) * spread / moment
            axes.plot(n, gain, "P", ms=8, color=COLOURS["quip#"])  # far larger than the error
            name = f"{name}: {gain:.3f} $\\pm$ {error:.3f}"
            axes.annotate(name, (n, gain), (9, -11), textcoords="offset points", weight="bold")
        axes.plot([], [], "P", ms=8, color=COLOURS["quip#"], label="measured $\\pm$ one standard error")
        axes.set(xticks=[1, 2, 4, 8, 12, 16, 20, 24], ylim=(-0.12, 1.65))
        axes.grid(axis="y")
        axes.legend(loc="lower right", bbox_to_anchor=(1, 0.02))
        label(axes, "What the shape of a cell is worth", "weights rounded together", "granular gain in dB")
    return figure


def ball_second_moment(n):
    """Mean squared error a coordinate for a target uniform in a ball of volume 1: no cell is rounder."""
    return math.exp(2 / n * math.lgamma(n / 2 + 1)) / (math.pi * (n + 2))


def roots(projected, pairs):
    """The shortest vectors of E8 on a plane on which they form rings, and which of them are neighbours.

    Parameters
    ----------
    projected : array (240, 2)
    pairs : array (p, 2), integer
        Rows of `projected` that are neighbours. Drawn are those that are nearest on the plane too, and all of one root.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "240 points on eight rings of thirty, in a web of lines that twelve degrees of turning bring into itself."
    ends = projected[pairs]
    apart = np.linalg.norm(ends[:, 0] - ends[:, 1], axis=1)
    one = np.lexsort(projected.T.round(6))[-1]  # the highest
    of_one = (pairs == one).any(axis=1)
    with page(4.4, 4.9, about=about) as (figure, axes):
        web = {
            "colors": COLOURS["faint"],
            "linewidths": 0.5,
            "antialiaseds": False,
            "label": "nearest on the plane too",
        }
        axes.add_collection(LineCollection(ends[apart < 1.001 * apart.min()], **web))
        star = {"colors": COLOURS["quip#"], "linewidths": 1.1, "label": f"one root's {of_one.sum()} neighbours"}
        axes.add_collection(LineCollection(ends[of_one], **star))
        axes.plot(*projected.T, "o", ms=4, color=COLOURS["ldlq"], mec="white", mew=0.5, label="root")
        axes.set_aspect("equal")
        figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2)
        label(axes, f"{len(projected)} roots, {len(pairs)} pairs of neighbours", "first direction", "second direction")
    return figure


def lengths(errors, radii):
    """How long the errors of rounding are, as lengths of whole vectors.

    Parameters
    ----------
    errors : dict of str to array (targets, n)
        By lattice.
    radii : dict of str to float
        Lines to compare with.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "Histograms of the length of an error: the cube's spread out to 1.4, those of E8 end at 1, near a ball's."
    looks = [("nearest", "\\\\\\"), ("ldlq", "")]
    with page(WIDTH, 3.6, about=about) as (figure, axes):
        for (role, hatch), (name, e) in zip(looks, errors.items(), strict=True):
            norm = np.linalg.norm(e, axis=1)
            name = f"{name}: mean square {np.square(norm).mean() / e.shape[1]:.4f} a weight"
            style = {"color": COLOURS[role], "alpha": 0.55, "hatch": hatch, "edgecolor": "white", "lw": 0}
            axes.hist(norm, np.linspace(0, 1.45, 74), density=True, label=name, **style)
        top = 1.6 * axes.get_ylim()[1]
        for name, radius in radii.items():
            axes.axvline(radius, color=COLOURS["ink"], lw=1.4, ls="--")
            place = {"textcoords": "offset points", "ha": "right", "va": "top", "fontsize": 8.5, "rotation": 90}
            axes.annotate(f"{name}\n{radius:.3f}", (radius, top), (-2, -2), **place)
        axes.set(ylim=(0, top), xlim=(0, 1.45))
        figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2)
        label(axes, "Lengths of errors in eight dimensions", "length of the error", "share (density)")
    return figure
