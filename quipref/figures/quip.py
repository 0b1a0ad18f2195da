"""Pictures of QuIP from end to end: what each of its steps changes, its grid, its bounds, its sizes."""

import numpy as np

from quipref.figures.style import COLOURS, MARKERS, WIDTH, label, page


def ladder(ratios):
    """A mark for each layer on each rung: its loss in units of nearest rounding's.

    Parameters
    ----------
    ratios : dict of str to array (layers,)
        Loss / loss of nearest rounding, by rung from the top; their geometric mean is marked.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "Rungs one below the other; dots are the layers' losses over those of nearest rounding, a bar their mean."
    with page(WIDTH, 0.42 * len(ratios) + 1.1, about=about) as (figure, axes):
        for row, ratio in enumerate(ratios.values()):
            jitter = 0.22 * np.sin(2.4 * np.arange(len(ratio)))  # spreads the marks, the same on every run
            axes.scatter(ratio, row + jitter, s=15, color=COLOURS["ldlq"], alpha=0.55, linewidths=0)
            mean = np.exp(np.log(ratio).mean())  # of ratios: halving and doubling cancel
            axes.plot([mean, mean], [row - 0.36, row + 0.36], color=COLOURS["quip#"], lw=2.4)
            axes.annotate(f"{mean:.2f}", (1.01, row), xycoords=("axes fraction", "data"), va="center")
        axes.axvline(1, color=COLOURS["muted"], lw=0.8, ls="--")
        axes.set(xscale="log", ylim=(len(ratios) - 0.4, -0.6))
        ticks = [t for t in (0.05, 0.1, 0.2, 0.5, 1, 2, 5) if axes.get_xlim()[0] <= t <= axes.get_xlim()[1]]
        axes.set_xticks(ticks, [f"{t:g}" for t in ticks])
        axes.minorticks_off()
        axes.set_yticks(range(len(ratios)), list(ratios))
        axes.tick_params(axis="y", length=0)
        label(
            axes,
            "A dot for each layer; bars and figures: geometric means",
            "loss / loss of nearest (log scale)",
            "rung",
        )
    return figure


def ranges(gaussian, reach, losses, published):
    """How far the grid should reach: for nearest rounding of a Gaussian, and for LDLQ on incoherent layers.

    Parameters
    ----------
    gaussian : array (2, f)
        Outermost levels in root mean squares of the weights, and the mean squared error of nearest rounding
        of a standard Gaussian.
    reach : array (r,)
        Outermost levels, in the same unit.
    losses : dict of str to array (r,)
        Proxy loss of each layer under LDLQ.
    published : float
        QuIP's reach, which is marked; it is one of `reach`.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = (
        "Left: the error of nearest rounding is least at 1.5 root mean squares, well below the published reach. "
        "Right: the loss of LDLQ rises steeply there, and is least farther out."
    )
    with page(WIDTH, 3.7, columns=2, about=about) as (figure, (left, right)):
        levels, errors = gaussian
        best = levels[errors.argmin()]
        at_published = np.interp(published, levels, errors)
        left.plot(levels, errors, color=COLOURS["nearest"], lw=2)
        left.plot(published, at_published, ls="", **_mark("quip", f"published: {at_published:.4f}"))
        left.plot(best, errors.min(), ls="", **_mark("quip#", f"least error: {errors.min():.4f}"))
        left.set_ylim(0, 1.1 * errors.max())
        left.legend(loc="upper center")
        label(left, "Nearest, Gaussian weights", "outermost level, in rms of the weights", "mean squared error")
        relative = np.array([loss / loss[np.abs(reach - published).argmin()] for loss in losses.values()])
        right.plot(reach, relative.T, color=COLOURS["ldlq"], lw=0.9, alpha=0.6)
        right.plot([], [], color=COLOURS["ldlq"], lw=0.9, label="LDLQ, a line for each layer")
        right.plot(published, 1, ls="", **_mark("quip", "published"))
        middle = np.interp(best, reach, np.median(relative, axis=0))
        right.plot(best, middle, ls="", **_mark("quip#", "where nearest errs least"))
        right.set_yscale("log")
        ticks = [0.5, 0.7, 1, 2, 5, 10, 20]
        right.set_yticks(ticks, [f"{t:g}" for t in ticks])
        right.minorticks_off()
        right.set_ylim(0.9 * relative.min(), 1.2 * relative.max())
        right.legend(loc="upper right")
        label(
            right,
            "LDLQ, rotated layers",
            "outermost level, in rms of the weights",
            "loss / loss at the published (log)",
        )
    return figure


def _mark(role, text):
    return {"marker": MARKERS[role], "ms": 9, "color": COLOURS[role], "label": text}


def under_the_bounds(worst, average, incoherent):
    """The losses of layers on a grid without end, the average and the two bounds, in units of the first bound.

    Parameters
    ----------
    worst, incoherent : array (layers,)
        Loss over m s^2/4 tr D; and what mu allows, m s^2/4 mu^2/n (tr H^1/2)^2, in the same unit.
    average : float
        m s^2/12 tr D in that unit.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "The losses of all layers lie at one third of the bound; the bound that knows only mu lies far above."
    with page(WIDTH, 3.4, about=about) as (figure, axes):
        order = np.argsort(incoherent)
        x = np.arange(1, len(order) + 1)
        axes.plot(x, incoherent[order], ls="", marker="s", color=COLOURS["nearest"],
                  label="$\\frac{m s^2}{4}\\,\\frac{\\mu^2}{n}\\,(\\mathrm{tr}\\,H^{1/2})^2$")  # fmt: skip
        axes.axhline(1, color=COLOURS["bound"], label="$\\frac{m s^2}{4}\\,\\mathrm{tr}\\,D$: no layer is above")
        axes.axhline(average, color=COLOURS["bound"], ls="--", lw=1,
                     label="$\\frac{m s^2}{12}\\,\\mathrm{tr}\\,D$: the average")  # fmt: skip
        axes.plot(x, worst[order], ls="", marker="o", color=COLOURS["ldlq"], label="loss")
        axes.set(yscale="log", ylim=(0.6 * min(average, worst.min()), 1.6 * incoherent.max()))
        figure.legend(loc="outside lower center", ncols=4)
        label(
            axes,
            "Loss and bounds",
            "layer, by the bound from $\\mu$",
            "over $\\frac{m s^2}{4}\\,\\mathrm{tr}\\,D$ (log)",
        )
    return figure


def perplexities(bits, scores, original):
    """The perplexity of the whole model at several numbers of bits.

    Parameters
    ----------
    bits : list of int
    scores : dict of str to array (bits,)
        By method; the names are those of the house style, or begin with one and a comma.
    original : float
        Of the model before it was quantized.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "Perplexity against bits: all methods come near the original at four bits, and lie far apart at two."
    with page(5.6, 3.6, about=about) as (figure, axes):
        for name, score in scores.items():
            role = name.split(",")[0].lower()
            style = {"color": COLOURS[role], "marker": MARKERS[role], "ls": "--" if "," in name else "-"}
            axes.plot(bits, score, label=name, mfc="white" if "," in name else None, **style)
        axes.axhline(original, color=COLOURS["ink"], lw=1, ls=":", label="not quantized")
        axes.set_xticks(bits, bits)
        axes.legend(loc="upper right")
        label(axes, "The whole model", "bits of a code", "perplexity of a byte")
    return figure
