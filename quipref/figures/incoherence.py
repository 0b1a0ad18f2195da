"""Pictures of a layer and its Hessian before and after each transform."""

import numpy as np

from quipref.figures.style import COLOURS, WIDTH, label, page

PIXELS = 256  # a heatmap shows the largest entry of each block, so that no outlier disappears
COARSE = 48  # the same in a notebook, whose pictures are stored with it
BINS = 61  # of a histogram; odd, so that one lies about 0
SCALE = "largest |entry| of the pixel, in root mean squares of its matrix (log scale)"
LOOKS = {  # of a transform: colour, marker, line
    "before": (COLOURS["muted"], "s", ":"),
    "kronecker": (COLOURS["quip"], "D", "--"),
    "hadamard": (COLOURS["quip#"], "P", "-"),
    "fourier": (COLOURS["optq"], "v", "-."),
}


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
    reach = max(1.0, *(np.abs(in_rms(W)).max() for _, W, _ in panels))
    bins = 1.02 * reach * np.linspace(-1, 1, BINS + 1)  # all weights of all panels lie within
    shared = {"squeeze": False, "height_ratios": (3, 3, 2), "sharey": "row"}
    with page(1.9 * len(panels) + 0.6, 7.2, rows=3, columns=len(panels), about=about, **shared) as (figure, axes):
        for column, (row, W, H) in zip(axes.T, panels, strict=True):
            name = "none (before)" if row.transform == "none" else row.transform
            _heatmap(column[0], W, f"{name}\nW: mu = {row.mu_weights:.1f}")
            image = _heatmap(column[1], H, f"H: mu = {row.mu_hessian:.1f}")
            _histogram(column[2], W, bins, name)
        axes[0, 0].set_ylabel("outputs")
        axes[1, 0].set_ylabel("inputs")
        axes[2, 0].set_ylabel("density (log scale)")
        _key(figure.colorbar(image, ax=axes[:2], location="bottom", aspect=40, shrink=0.9, pad=0.02), SCALE)
        figure.legend(*axes[2, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


def heatmaps(layers):
    """The entries of W and of H after each transform, a column each, with one scale of sizes for all.

    Parameters
    ----------
    layers : dict of str to (array (m, n), array (n, n), float, float)
        W, H, mu of W and mu of H, by transform.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "Entries of W and H by size: bright rows, columns and points before, an even field after each rotation."
    grid = {"squeeze": False, "sharey": "row"}
    with page(WIDTH, 4.6, rows=2, columns=len(layers), about=about, **grid) as (figure, axes):
        for (above, below), (name, (W, H, mu_W, mu_H)) in zip(axes.T, layers.items(), strict=True):
            _heatmap(above, W, f"{name}\nW: mu = {mu_W:.1f}", COARSE)
            image = _heatmap(below, H, f"H: mu = {mu_H:.1f}", COARSE)
        axes[0, 0].set_ylabel("outputs")
        axes[1, 0].set_ylabel("inputs")
        _key(figure.colorbar(image, ax=axes, shrink=0.7), "largest entry of the pixel / rms")
    return figure


def _key(bar, text):
    """What the colours of the heatmaps mean."""
    bar.set_ticks([-1, 0, 1], labels=["0.1", "1", "10"])
    bar.set_label(text)


def _heatmap(axes, X, title, side=PIXELS):
    """|X| in its root mean squares, on a logarithmic scale from 1/10 to 20 and more."""
    sizes = largest_of_blocks(np.abs(X) / max(np.sqrt(np.square(X).mean()), np.finfo(np.float64).tiny), side)
    look = {"cmap": "cividis", "vmin": -1, "vmax": 1.3, "aspect": "auto", "interpolation": "nearest"}
    image = axes.imshow(np.log10(np.maximum(sizes, 1e-3)), **look)
    axes.set(xticks=[], yticks=[], title=title, xlabel="inputs")
    return image


def _histogram(axes, W, bins, name):
    """The weights in their root mean squares, beside the standard normal density."""
    look = {"color": COLOURS["faint"], "edgecolor": COLOURS["muted"], "linewidth": 0.3, "label": "density of weights"}
    axes.hist(in_rms(W), bins, density=True, **look)
    x = np.linspace(bins[0], bins[-1], 301)
    axes.plot(x, _normal(x), color=COLOURS["ldlq"], lw=1, label="Gaussian")
    least = 1 / (W.size * (bins[1] - bins[0]))  # a single weight in its bin
    axes.set(yscale="log", ylim=(0.2 * least, 2), xlim=(bins[0], bins[-1]))
    label(axes, name, "weight / rms", "")


def against_gaussian(weights, quantiles):
    """Histograms of the weights and their quantiles, both against the standard normal distribution.

    Parameters
    ----------
    weights : dict of str to array (m, n)
        By transform.
    quantiles : array (k,)
        Of the standard normal distribution at the probabilities (i + 1/2) / k.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "Before, the tails of the weights are far above the Gaussian; after each rotation they follow it."
    with page(WIDTH, 3.5, columns=2, about=about) as (figure, (left, right)):
        reach = max(np.abs(in_rms(W)).max() for W in weights.values())
        bins = np.linspace(-1.02 * reach, 1.02 * reach, 80)
        left.plot(bins, _normal(bins), color=COLOURS["ink"], lw=1, label="Gaussian")
        right.plot(quantiles, quantiles, color=COLOURS["ink"], lw=1)
        for (name, W), size in zip(weights.items(), (6.5, 6.5, 3.5, 3.5), strict=False):
            colour, marker, line = LOOKS[name]
            values = np.sort(in_rms(W))
            share, _ = np.histogram(values, bins, density=True)
            look = {"color": colour, "ls": line, "lw": 1.5, "baseline": None}
            left.stairs(np.where(share > 0, share, np.nan), bins, label=name, **look)
            middle = (np.arange(len(quantiles)) + 0.5) / len(quantiles) * len(values)
            right.plot(quantiles, values[middle.astype(int)], marker, color=colour, ms=size, mfc="none", label=name)
        left.set(yscale="log", ylim=(0.2 / weights[name].size, 2))
        left.legend(loc="upper right", fontsize=8)
        right.legend(loc="upper left")
        label(left, "Histogram", "weight / rms", "density (log scale)")
        label(right, "Quantiles", "quantile of the Gaussian", "quantile of the weights / rms")
    return figure


def in_rms(W):
    """The entries of W over their root mean square, as a vector."""
    return W.ravel() / max(np.sqrt(np.square(W).mean()), np.finfo(np.float64).tiny)


def _normal(x):
    return np.exp(-np.square(x) / 2) / np.sqrt(2 * np.pi)


def largest_of_blocks(X, side=PIXELS):
    """X (m, n) as at most side x side pixels, each the largest entry of its block."""
    for axis in (0, 1):
        starts = np.unique(np.linspace(0, X.shape[axis], min(side, X.shape[axis]), endpoint=False).astype(int))
        X = np.maximum.reduceat(X, starts, axis=axis)
    return X


def save_report(panels, path):
    """Write the picture as PNG."""
    before_and_after(panels).savefig(path, format="png")
