"""Pictures of the proxy loss: what it measures, and what nearest rounding overlooks."""

import numpy as np

from quipref.figures.style import COLOURS, MARKERS, WIDTH, label, page


def two_errors(X, errors):
    """Two errors of the weights over a cloud of inputs, and the errors that they make at the output.

    Parameters
    ----------
    X : array (tokens, 2)
        Inputs x of a layer.
    errors : dict of str to array (2,)
        Two errors dw of one row of weights, by name.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "Left: correlated inputs and two equally long errors. Right: one makes a wide, one a narrow output error."
    with page(WIDTH, 3.3, columns=2, about=about) as (figure, (left, right)):
        left.scatter(*X.T, s=5, color=COLOURS["muted"], alpha=0.35, linewidths=0)
        reach = 1.1 * np.abs(X).max()
        bins = np.linspace(-1, 1, 61) * max(np.abs(X @ e).max() for e in errors.values())
        for (name, e), role, hatch in zip(errors.items(), ("quip#", "ldlq"), ("", "///"), strict=True):
            tip = 0.55 * reach * e / np.linalg.norm(e)
            arrow = {"arrowstyle": "-|>", "color": COLOURS[role], "lw": 2.5, "shrinkA": 0, "shrinkB": 0}
            left.annotate("", tip, (0, 0), arrowprops=arrow)
            box = {"facecolor": "white", "edgecolor": "none", "pad": 1.5, "alpha": 0.85}
            left.text(*(1.25 * tip), name, ha="center", va="center", color=COLOURS[role], weight="bold", bbox=box)
            fill = {"alpha": 0.55, "hatch": hatch, "edgecolor": "white", "linewidth": 0}
            right.hist(
                X @ e, bins, color=COLOURS[role], label=f"{name}: mean square {np.mean((X @ e) ** 2):.3f}", **fill
            )
        left.set(aspect="equal", xlim=(-reach, reach), ylim=(-reach, reach))
        right.legend(loc="upper left", fontsize=8.5)
        right.set_ylim(top=1.25 * right.get_ylim()[1])
        label(left, "Two errors of equal length", "$x_1$", "$x_2$")
        label(right, "What each does to the output", "output error $dw \\cdot x$", "tokens")
    return figure


def level_ellipses(w, H, points):
    """The integer grid around a row of two weights, with the curve of equal loss through some of its points.

    Parameters
    ----------
    w : array (2,)
    H : array (2, 2)
        Positive definite.
    points : dict of str to array (2,)
        Grid points by name; "nearest" and "ldlq" have their colours, others are black.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "The integer grid and ellipses of equal loss around the weights: the nearest point is not on the smallest."
    with page(5.4, 4.6, about=about) as (figure, axes):
        grid = np.stack(np.meshgrid(np.arange(-2, 4), np.arange(-2, 4)), -1).reshape(-1, 2)
        axes.scatter(*grid.T, s=14, color=COLOURS["muted"])
        axes.plot(*w, "x", color=COLOURS["ink"], ms=9, mew=2, label="the weights $w$")
        for name, point in points.items():
            loss = float((point - w) @ H @ (point - w))
            colour = COLOURS.get(name, COLOURS["ink"])
            axes.plot(*ellipse(w, H, loss), color=colour)
            style = {"ls": "", "marker": MARKERS.get(name, "*"), "ms": 10, "color": colour}
            axes.plot(*point, **style, label=f"{name}: ({point[0]:.0f}, {point[1]:.0f}), loss {loss:.3f}")
        ticks = np.arange(-1, 3)
        axes.set(aspect="equal", xlim=(-1.6, 2.6), ylim=(-1.6, 2.6), xticks=ticks, yticks=ticks)
        axes.legend(loc="upper right", framealpha=0.92, frameon=True, edgecolor="white")
        label(axes, "Curves of equal proxy loss around $w$", "first weight", "second weight")
    return figure


def ellipse(w, H, loss, n=361):
    """Points (2, n) of the curve (z - w) H (z - w)^T = loss."""
    angle = np.linspace(0, 2 * np.pi, n)
    circle = np.sqrt(loss) * np.stack([np.cos(angle), np.sin(angle)])
    # H = C C^T, so z - w = C^-T u has the loss |u|^2.
    return w[:, None] + np.linalg.solve(np.linalg.cholesky(H).T, circle)


def all_roundings(weight_error, loss, marked):
    """Every rounding of one row: squared error of the weights against proxy loss.

    Parameters
    ----------
    weight_error, loss : array (roundings,)
    marked : dict of str to int
        Roundings to mark, by name: their positions in the arrays.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "A cloud of roundings: the one with the least weight error is far from the one with the least loss."
    with page(WIDTH, 3.8, about=about) as (figure, axes):
        axes.scatter(weight_error, loss, s=8, color=COLOURS["muted"], alpha=0.5, linewidths=0)
        for name, i in marked.items():
            style = {"marker": MARKERS.get(name, "*"), "color": COLOURS.get(name, COLOURS["quip#"])}
            style["ms"] = 10 if name in MARKERS else 17
            text = f"{name}: loss {loss[i]:.2f}"
            axes.plot(weight_error[i], loss[i], ls="", mec="white", zorder=3, **style, label=text)
        axes.set_yscale("log")
        axes.legend(loc="lower right")
        label(
            axes,
            "Each dot is one way to round the row up or down",
            "squared error of the weights",
            "proxy loss (log scale)",
        )
    return figure


def spectra(eigenvalues):
    """Eigenvalues of Hessians, largest first, on a log scale.

    Parameters
    ----------
    eigenvalues : dict of str to array (n,)
        Values below 1e-18 of the largest are drawn there: zero has no place on a log scale.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "Sorted eigenvalues: those of the singular Hessian fall to rounding noise, damping puts a floor under them."
    with page(WIDTH, 3.4, about=about) as (figure, axes):
        looks = zip(("quip#", "ldlq", "quip"), ("o", "s", "^"), (7.5, 3.5, 3.5), strict=True)
        for (name, values), (role, marker, size) in zip(eigenvalues.items(), looks, strict=False):
            values = np.sort(values)[::-1]
            floor = 1e-18 * values[0]
            order = np.arange(1, len(values) + 1)
            axes.plot(order, np.maximum(values, floor), marker, ms=size, mfc="none", color=COLOURS[role], label=name)
        axes.set_yscale("log")
        axes.legend(loc="lower left")
        axes.grid(axis="y")
        label(axes, "Damping puts a floor under the eigenvalues", "eigenvalue, largest first", "value (log scale)")
    return figure
