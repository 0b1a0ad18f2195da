"""Pictures of statements that are false as printed, or as they are often repeated."""

import numpy as np

from quipref.figures.style import COLOURS, MARKERS, WIDTH, label, page

CLAIMED = {"color": COLOURS["quip#"], "ls": "--"}  # what the statement says, in every picture here
HOLDS = {"color": COLOURS["bound"], "ls": "-"}


def stochastic_worst_case(surface, feedbacks, worst, u, claimed):
    """The mean loss of stochastic LDLQ over all rows of two weights, and the worst row of other feedbacks.

    Parameters
    ----------
    surface : array (points, points)
        Mean loss of LDLQ; the first weight along the first axis, both from 0 to 1.
    feedbacks, worst : array (f,)
        The feedback from the first column to the second, and the largest mean loss under it.
    u : float
        The feedback of LDLQ.
    claimed : float
        m/4 tr D.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = (
        "Left: the mean loss over the square of weights has its top in the middle, below the claimed value. Right: "
        "the worst mean loss against the feedback is least beside the feedback of LDLQ, not at it."
    )
    with page(WIDTH, 3.6, columns=2, about=about, width_ratios=(1, 1.25)) as (figure, (left, right)):
        half = 0.5 / (len(surface) - 1)  # of a pixel: the points lie in the middle of theirs
        drawn = left.imshow(
            surface.T, origin="lower", extent=(-half, 1 + half, -half, 1 + half), cmap="cividis", vmin=0, vmax=claimed
        )
        i, j = np.unravel_index(surface.argmax(), surface.shape)
        left.plot(2 * half * i, 2 * half * j, marker="o", ms=9, mfc="none", mec=COLOURS["ink"], mew=1.6)
        figure.colorbar(drawn, ax=left, label="mean loss", shrink=0.7)
        label(left, f"LDLQ: at most {surface.max():.4f}", "$w_1$", "$w_2$")
        right.plot(feedbacks, worst, color=COLOURS["muted"], label="worst row")
        right.axhline(claimed, label="$\\frac{m}{4}\\,\\mathrm{tr}\\,D$", **CLAIMED)
        best = worst.argmin()
        at_u = np.interp(u, feedbacks, worst)
        right.plot(u, at_u, "o", color=COLOURS["ldlq"], ms=8, label=f"LDLQ: {at_u:.4f}")
        right.plot(feedbacks[best], worst[best], "P", color=COLOURS["quip"], ms=9, label=f"least: {worst[best]:.4f}")
        figure.legend(loc="outside lower center", ncols=4)
        label(right, "Other feedbacks", "feedback into the second column", "largest mean loss")
    return figure


def sign_losses(losses, claimed):
    """What every pattern of signs of errors of one half costs without feedback.

    Parameters
    ----------
    losses : array (2^n,)
        1/4 s^T H s for every s of plus and minus ones.
    claimed : float
        1/4 tr H.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "Histogram of the losses of all sign patterns: their mean is tr H / 4, and a good part of them is above."
    with page(WIDTH, 3.2, about=about) as (figure, axes):
        above = (losses > claimed).mean()
        bins = np.linspace(0, losses.max(), 61)
        axes.hist(losses, bins, color=COLOURS["nearest"], alpha=0.75, label="nearest rounding, by signs of its errors")
        axes.axvline(
            claimed, label=f"$\\frac{{1}}{{4}}\\,\\mathrm{{tr}}\\,H$ = {claimed:.2f}: {above:.0%} lie above", **CLAIMED
        )
        axes.axvline(losses.max(), label=f"the worst signs: {losses.max():.2f}", **HOLDS)
        figure.legend(loc="outside lower center", ncols=2)
        label(axes, "The worst case is not the mean over the signs", "loss where all errors are one half", "patterns")
    return figure


def uniform_widths(widths, ratios, quoted):
    """The mean loss over uniform weights, in units of the average of theorem 1, against the width of the interval.

    Parameters
    ----------
    widths : array (w,)
        K of the weights, uniform on [0, K].
    ratios : dict of str to array (w,)
        Mean loss over its claim, by rounding.
    quoted : float
        A width at which the theorem fails, to be marked.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "The mean loss over its claim swings about 1, which it crosses at every whole width of the interval."
    with page(WIDTH, 3.2, about=about) as (figure, axes):
        looks = zip(("ldlq", "quip"), ("o", "D"), strict=True)
        for (name, ratio), (role, marker) in zip(ratios.items(), looks, strict=False):
            axes.plot(widths, ratio, marker=marker, ms=4, color=COLOURS[role], label=name)
        axes.axhline(1, label="theorem 1", **CLAIMED)
        axes.axvline(quoted, color=COLOURS["muted"], lw=0.8, label=f"K = {quoted}")
        for whole in range(1, int(widths[-1]) + 1):
            axes.axvline(whole, color=COLOURS["faint"], lw=2, zorder=0)
        axes.legend(loc="lower right")
        label(axes, "Exact at whole widths", "weights uniform on [0, K]: K", "mean loss / average of theorem 1")
    return figure


def against_nearest(nearest, ldlq):
    """The loss of LDLQ against that of nearest rounding, a dot for each layer.

    Parameters
    ----------
    nearest, ldlq : array (layers,)
        Losses.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "Scatter of losses: many layers lie below the diagonal, where LDLQ is better, and some lie above it."
    with page(5.2, 4.2, about=about) as (figure, axes):
        kinds = {
            "LDLQ better": (ldlq < nearest, "o", "ldlq"),
            "the same roundings": (ldlq == nearest, "s", "muted"),
            "nearest better": (ldlq > nearest, "^", "quip#"),
        }
        for name, (chosen, marker, role) in kinds.items():
            text = f"{name}: {chosen.sum()}"
            axes.scatter(nearest[chosen], ldlq[chosen], s=16, marker=marker, color=COLOURS[role], alpha=0.7, label=text)
        axes.axline((0, 0), slope=1, lw=1, zorder=0, **HOLDS)
        axes.set(xlim=(0, None), ylim=(0, 1.35 * ldlq.max()))  # with room for the legend
        axes.legend(loc="upper left", title="layers", alignment="left")
        label(axes, "Better on average is not better always", "loss of nearest rounding", "loss of LDLQ")
    return figure


def rotated_ones(mus, quoted, proved, delta):
    """mu of the matrix of ones after randomized Hadamard transforms, against the two bounds.

    Parameters
    ----------
    mus : array (draws,)
    quoted, proved : float
        With the root, and without it.
    delta : float
        The probability that the bound may be exceeded.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "Histogram of mu after the transform: nearly all of it lies above the bound with the root."
    with page(WIDTH, 3.2, about=about) as (figure, axes):
        axes.hist(mus, 40, color=COLOURS["quip#"], alpha=0.55, label="randomized Hadamard transforms of $1 1^T$")
        above = (mus > quoted).mean()
        text = f"$\\sqrt{{2 \\log(4mn/\\delta)}}$ = {quoted:.1f}: {above:.0%} lie above, at $\\delta$ = {delta}"
        axes.axvline(1, color=COLOURS["muted"], ls=":", lw=2, label="before: $\\mu$ = 1")
        axes.axvline(quoted, label=text, **CLAIMED)
        axes.axvline(proved, label=f"$2 \\log(4mn/\\delta)$ = {proved:.1f}", **HOLDS)
        figure.legend(loc="outside lower center", ncols=2)
        label(axes, "One root a side makes a whole logarithm", "$\\mu$ of the rotated matrix", "draws")
    return figure


def descents(losses):
    """The loss after each greedy pass, with the clamp inside the updates and after the pass.

    Parameters
    ----------
    losses : dict of str to array (1 + passes,)
        By place of the clamp, the loss of the start first.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = (
        "The loss after each pass: with the clamp inside the updates it falls, with the clamp after a pass it rises."
    )
    with page(WIDTH, 2.9, about=about) as (figure, axes):
        looks = zip(("quip", "quip#"), ("-", "--"), strict=True)
        for (name, loss), (role, line) in zip(losses.items(), looks, strict=False):
            axes.plot(loss, ls=line, marker=MARKERS[role], ms=7, color=COLOURS[role], label=name)
        axes.set_xticks(range(max(map(len, losses.values()))))
        axes.set_ylim(0, 1.35 * max(loss.max() for loss in losses.values()))
        axes.legend(loc="upper left")
        label(axes, "Where the clamp belongs", "passes", "loss")
    return figure


def summary(names, claimed, found, errors, relations):
    """All statements in one picture: what was found, in units of what the statement says.

    Parameters
    ----------
    names : list of str
    claimed, found, errors : array (s,)
        What each statement says, what was found, and by how much that may be off.
    relations : list of str
        ``"="``, ``"<="`` or ``">="``: the side of 1 on which the statement puts what was found.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "A line for each statement: the side it allows in grey, and what was found, on the other side of it."
    with page(WIDTH, 0.34 * len(names) + 1.2, about=about) as (figure, axes):
        ratios, spread = np.asarray(found) / claimed, np.asarray(errors) / claimed
        low, high = 0.15 * min(1, ratios.min()), 2.5 * max(1, ratios.max())
        for row, (ratio, error, relation) in enumerate(zip(ratios, spread, relations, strict=True)):
            allowed = {"=": (1, 1), "<=": (low, 1), ">=": (1, high)}[relation]
            axes.plot(allowed, (row, row), color=COLOURS["faint"], lw=9, solid_capstyle="butt", zorder=0)
            axes.plot(1, row, marker="|", ms=11, mew=2, color=COLOURS["bound"], ls="")
            axes.errorbar(ratio, row, xerr=error, marker="o", color=COLOURS["quip#"], capsize=2.5, lw=1.2)
            away = {"xytext": (7, 0), "ha": "left"} if ratio > 1 else {"xytext": (-7, 0), "ha": "right"}
            axes.annotate(f"{ratio:.3g}", (ratio, row), textcoords="offset points", va="center", fontsize=8, **away)
        axes.set(xscale="log", xlim=(low, high), ylim=(len(names) - 0.4, -0.8))
        axes.set_yticks(
            range(len(names)), [f"{name}  {relation}" for name, relation in zip(names, relations, strict=True)]
        )
        axes.tick_params(axis="y", length=0)
        label(
            axes,
            "What was found, over what is said",
            "found / said (log scale); grey: what the statement allows",
            "statement",
        )
    return figure
