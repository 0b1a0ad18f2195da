"""Pictures of incoherence: a layer and its Hessian before and after each transform."""

import numpy as np

from quipref.figures.style import COLOURS, label, page

PIXELS = 256  # a heatmap shows the largest entry of each block, so that no outlier disappears
BINS = np.linspace(-6, 6, 61)  # in root mean squares


def before_and_after(panels):
    """A column for each transform: the entries of W, of H, and the histogram of the weights.

    Parameters
    ----------
    panels : list of (Incoherence, array (m, n), array (n, n))
        As `quipref.incoherence.report.incoherence_report` hands them to `look`.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "Heatmaps of a layer and its Hessian: outliers and stripes before, an even field after each rotation."
    shared = {"squeeze": False, "height_ratios": (3, 3, 2)}
    with page(1.9 * len(panels) + 0.6, 6.4, rows=3, columns=len(panels), about=about, **shared) as (figure, axes):
        for column, (row, W, H) in zip(axes.T, panels, strict=True):
            name = "before" if row.transform == "none" else row.transform
            _heatmap(column[0], W, f"{name}\nW: mu = {row.mu_weights:.1f}")
            _heatmap(column[1], H, f"H: mu = {row.mu_hessian:.1f}")
            _histogram(column[2], W)
        axes[0, 0].set_ylabel("outputs")
        axes[1, 0].set_ylabel("inputs")
        axes[2, 0].set_ylabel("share of weights")
        axes[2, 0].legend(loc="lower center", fontsize=7.5)
    return figure


def _heatmap(axes, X, title):
    """|X| in its root mean squares, on a logarithmic scale from 1/10 to 10 and more."""
    sizes = largest_of_blocks(np.abs(X) / max(np.sqrt(np.square(X).mean()), np.finfo(np.float64).tiny))
    axes.imshow(np.log10(np.maximum(sizes, 1e-3)), vmin=-1, vmax=1.3, cmap="cividis", aspect="auto")
    axes.set(xticks=[], yticks=[], title=title)


def _histogram(axes, W):
    """The weights in their root mean squares, beside the standard normal density."""
    scaled = np.clip(W.ravel() / max(np.sqrt(np.square(W).mean()), np.finfo(np.float64).tiny), BINS[0], BINS[-1])
    axes.hist(scaled, BINS, density=True, color=COLOURS["faint"], edgecolor=COLOURS["muted"], linewidth=0.3, label="W")
    axes.plot(BINS, np.exp(-np.square(BINS) / 2) / np.sqrt(2 * np.pi), color=COLOURS["ldlq"], lw=1, label="Gaussian")
    axes.set(yscale="log", ylim=(1e-6, 2))
    label(axes, "", "weight / rms", "")


def largest_of_blocks(X, side=PIXELS):
    """X (m, n) as at most side x side pixels, each the largest entry of its block."""
    for axis in (0, 1):
        starts = np.unique(np.linspace(0, X.shape[axis], min(side, X.shape[axis]), endpoint=False).astype(int))
        X = np.maximum.reduceat(X, starts, axis=axis)
    return X


def save_report(panels, path):
    """Write the picture as PNG."""
    before_and_after(panels).savefig(path, format="png")
