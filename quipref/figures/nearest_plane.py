"""Pictures of OPTQ as LDLQ: two ways to book one correction, and Babai's nearest plane in two dimensions."""

import numpy as np

from quipref.figures.style import COLOURS, WIDTH, label, page


def pull_and_push(pulled, pushed):
    """Where each column's correction comes from: pulled once by LDLQ, pushed step by step by OPTQ.

    Parameters
    ----------
    pulled, pushed : array (n, n)
        Entry (p, j): what column j receives from column p, for one row of the layer.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "Two upper triangular heat maps with different entries, and below them their column sums, which coincide."
    with page(WIDTH, 4.6, rows=2, columns=2, about=about, height_ratios=(2.2, 1), sharex=True) as (figure, axes):
        largest = max(np.abs(pulled).max(), np.abs(pushed).max())
        heat = {"cmap": "PuOr", "vmin": -largest, "vmax": largest, "aspect": "auto"}
        titles = "LDLQ pulls: $(W - \\hat W)_p\\, U_{pj}$", "OPTQ pushes: $-e_p\\, C_{pj}$"
        for column, (parts, title) in enumerate(zip((pulled, pushed), titles, strict=True)):
            image = axes[0, column].imshow(parts, **heat)
            label(axes[0, column], title, "", "from column $p$")
            role, marker = ("ldlq", "o") if column == 0 else ("quip#", "v")
            axes[1, column].plot(parts.sum(axis=0), marker=marker, ms=4, lw=1, color=COLOURS[role])
            axes[1, column].axhline(0, color=COLOURS["muted"], lw=0.6)
            label(axes[1, column], "the sum of each column", "to column $j$", "correction")
        figure.colorbar(image, ax=axes[0], label="share of the correction")
        limits = 1.15 * np.abs(np.stack([pulled, pushed]).sum(axis=1)).max()
        for panel in axes[1]:
            panel.set_ylim(-limits, limits)
    return figure


def cells(H, feedbacks):
    """The cells of linear feedback in two dimensions: all targets that are rounded to one point.

    Parameters
    ----------
    H : array (2, 2)
        Positive definite. Distances in the picture are square roots of the proxy loss.
    feedbacks : dict of str to array (2, 2)
        The strictly triangular X of W_hat = Q(W + (W - W_hat) X), by name; zero for plain rounding.

    Returns
    -------
    matplotlib.figure.Figure

    Notes
    -----
    The last panel shows the best that any rounding can do: each target goes to its nearest point.
    """
    about = "A lattice tiled by the cells of each method: leaning parallelograms, two kinds of bricks, hexagons."
    R = np.linalg.cholesky(H).T
    shapes = {name: cell(R, X) for name, X in feedbacks.items()} | {"best": voronoi_cell(R)}
    with page(WIDTH, 2.6 * -(-len(shapes) // 2) + 0.6, rows=-(-len(shapes) // 2), columns=2, about=about) as (
        figure,
        axes,
    ):
        for panel, (name, corners) in zip(axes.ravel(), shapes.items(), strict=False):
            _lattice(panel, R, corners)
            far = np.square(corners).sum(axis=0).max()
            label(panel, f"{name}\nworst {far:.3f}, mean {second_moment(corners):.3f}", "$(R w)_1$", "$(R w)_2$")
    return figure


def _lattice(axes, R, corners):
    """Points of the lattice, each in its cell, the one at the origin darker."""
    z = np.stack(np.meshgrid(np.arange(-6, 7), np.arange(-6, 7)), -1).reshape(-1, 2)
    points = z @ R.T
    window = np.array([2.1, 1.2])
    for x, y in points[(np.abs(points) < window + np.abs(corners).max(axis=1)).all(axis=1)]:
        home = x == 0 and y == 0
        role, alpha = ("ldlq", 0.45) if home else ("faint", 0.35)
        axes.fill(corners[0] + x, corners[1] + y, facecolor=(COLOURS[role], alpha), edgecolor=COLOURS["muted"], lw=0.8)
        axes.plot(x, y, ".", color=COLOURS["ink"], ms=5)
    axes.set(aspect="equal", xlim=(-window[0], window[0]), ylim=(-window[1], window[1]))


def cell(R, X):
    """Corners (2, 4) of the targets R w that go to the origin: (w - z)(X + I) = eta with |eta| <= 1/2."""
    square = np.array([[-0.5, 0.5, 0.5, -0.5], [-0.5, -0.5, 0.5, 0.5]])
    return R @ np.linalg.solve((X + np.eye(2)).T, square)


def voronoi_cell(R):
    """Corners (2, c) of the points that have the origin as their nearest point of the lattice R z."""
    from scipy.spatial import Voronoi

    z = np.stack(np.meshgrid(np.arange(-4, 5), np.arange(-4, 5)), -1).reshape(-1, 2)
    diagram = Voronoi(z @ R.T)
    origin = int(np.flatnonzero(~z.any(axis=1))[0])
    corners = diagram.vertices[diagram.regions[diagram.point_region[origin]]].T
    return corners[:, np.argsort(np.arctan2(corners[1], corners[0]))]


def second_moment(corners):
    """Mean of |x|^2 over a polygon around the origin: the sum over its triangles from the origin."""
    a, b = corners, np.roll(corners, -1, axis=1)
    area = np.abs(a[0] * b[1] - a[1] * b[0]) / 2
    return float((area * (np.square(a) + np.square(b) + a * b).sum(axis=0) / 6).sum() / area.sum())


def nearest_plane(H, w):
    """Babai's two steps in two dimensions: the nearest line of points, then the nearest point on that line.

    Parameters
    ----------
    H : array (2, 2)
        Positive definite.
    w : array (2,)
        The weights; the last is rounded first.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "A lattice in horizontal lines: a step from the target to the nearest line, then along it to a point."
    R = np.linalg.cholesky(H).T
    z = np.floor(w[1] + 0.5)
    t = w[0] + R[0, 1] / R[0, 0] * (w[1] - z)
    stations = np.array([R @ w, R @ [t, z], R @ [np.floor(t + 0.5), z]])
    with page(WIDTH, 3.6, about=about) as (figure, axes):
        for line in range(-3, 4):
            height = line * R[1, 1]
            axes.axhline(height, color=COLOURS["ldlq"] if line == z else COLOURS["faint"], lw=2 if line == z else 1)
            points = R[0, 0] * np.arange(-8, 9) + R[0, 1] * line
            axes.plot(points, np.full(17, height), ".", color=COLOURS["ink"], ms=7)
        arrow = {"arrowstyle": "-|>", "color": COLOURS["quip#"], "lw": 1.8, "shrinkA": 0, "shrinkB": 0}
        for start, end in zip(stations[:-1], stations[1:], strict=True):
            axes.annotate("", end, start, arrowprops=arrow)
        axes.plot(*stations[0], "x", color=COLOURS["ink"], ms=9, mew=2, label="target $R w$")
        axes.plot(*stations[2], "o", color=COLOURS["ldlq"], ms=10, label="Babai's point $R z$")
        near = R @ np.floor(w + 0.5)
        axes.plot(*near, "s", color=COLOURS["nearest"], ms=8, label="each weight rounded to nearest")
        middle, reach = stations[0, 0], 2.5 * R[1, 1]
        axes.set(aspect="equal", xlim=(middle - 2 * reach, middle + 2 * reach))
        axes.set_ylim(z * R[1, 1] - reach, z * R[1, 1] + reach)
        figure.legend(loc="outside lower center", ncols=3)
        label(axes, "First the nearest line, then the nearest point on it", "$(R w)_1$", "$(R w)_2$")
    return figure


def near_ties(distances, shares):
    """Share of rows on which two exact-in-theory algorithms agree, against the distance of all targets from a tie.

    Parameters
    ----------
    distances : array (d,)
        Distance of every target from halfway between two integers.
    shares : dict of str to array (d,)
        Between 0 and 1, by pair of algorithms.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "The share of equal rows is 1 until the distance from a tie reaches rounding noise, where it drops."
    with page(WIDTH, 3.2, about=about) as (figure, axes):
        looks = zip(("ldlq", "quip#"), ("o", "s"), strict=True)
        for (name, share), (role, marker) in zip(shares.items(), looks, strict=False):
            axes.plot(distances, share, marker=marker, color=COLOURS[role], label=name)
        axes.set_xscale("log")
        axes.invert_xaxis()
        axes.set_ylim(-0.05, 1.1)
        axes.legend(loc="lower left")
        axes.grid(axis="y")
        label(axes, "They part only within rounding noise of a tie", "distance of the targets from a tie", "equal rows")
    return figure
