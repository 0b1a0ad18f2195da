"""The picture of residual codes: which source scale and which residual scale leave the least error."""

import numpy as np

from quipref.figures.style import COLOURS, WIDTH, label, page

STEPS = [0, 1, 2, 5, 10, 20, 50, 100]  # per cent above the least error
SHADES = [str(shade) for shade in np.linspace(1, 0.55, len(STEPS))]  # between the steps, and beyond the last
OURS = {"color": COLOURS["qtip"], "marker": "*", "ms": 15}  # seen behind the other where both are one point
THEIRS = {"color": COLOURS["quip#"], "marker": "P", "ms": 7, "mec": "white", "mew": 0.6}


def scale_map(scans, best, authors, scalar):
    """How much more error than the least each pair of scales leaves, our best and the authors' marked.

    Parameters
    ----------
    scans : list of quipref.lattice.scales.ScaleScan
        One for each number of bits, at least two scales of each kind.
    best, authors : list of (float, float, float)
        Source scale, residual scale and the error there, for each scan; all measured on the same weights.
    scalar : list of float
        The error of the best scalar quantizer at as many bits.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "Maps of the error over both scales: at 3 bits the authors' point lies at the least, at 4 bits beside it."
    with page(WIDTH, 3.9, columns=len(scans), squeeze=False, about=about) as (figure, axes):
        for panel, scan, ours, theirs, level in zip(axes[0], scans, best, authors, scalar, strict=True):
            grid, excess = (scan.residual_scales, scan.source_scales), 100 * (scan.mean / scan.mean.min() - 1)
            shades = panel.contourf(*grid, excess, STEPS, colors=SHADES, extend="max")
            panel.contour(*grid, scan.mean, [level], colors=[COLOURS["nearest"]], linestyles="--")
            panel.plot([], [], color=COLOURS["nearest"], ls="--", label=f"Lloyd-Max: {level:.5f}")
            for name, (s, r, error), look in (("our best", ours, OURS), ("authors'", theirs, THEIRS)):
                panel.plot(r, s, **look, ls="", label=f"{name}: {error:.5f}")
            panel.legend(loc="upper left", bbox_to_anchor=(0, -0.2), ncols=1)
            label(panel, f"{scan.bits} bits", "residual scale $r$", "source scale $s$")
        figure.colorbar(shades, ax=axes, label="error above the least, %", ticks=STEPS)
    return figure
