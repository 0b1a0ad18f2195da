"""Pictures of codes for the Gaussian source: rate against distortion, memory against distortion, single sequences."""

import numpy as np

from quipref.figures.style import COLOURS, WIDTH, label, page

LOOKS = {  # of a code: colour, marker, line; names may go on after it, and the first that fits is taken
    "Lloyd-Max": (COLOURS["nearest"], "s", "-"),
    "Marcellin-Fischer": (COLOURS["quip"], "^", "--"),
    "random table, $L$ = 12": (COLOURS["qtip"], "o", ":"),
    "random table": (COLOURS["qtip"], "*", "-"),
    "E8P": (COLOURS["quip#"], "P", ""),
}


def look(name):
    """Colour, marker and line of the code whose name begins so."""
    colour, marker, line = next(found for start, found in LOOKS.items() if name.startswith(start))
    return {"color": colour, "marker": marker, "ls": line, "ms": 9 if marker in "*P" else 5.5}


def rate_distortion(found):
    """Error against bits a weight, and how far that is from the limit D(R) = 4^-R.

    Parameters
    ----------
    found : dict of str to (array (n,), array (n,))
        Bits a weight, all counted, and mean squared error; the name begins with one of `LOOKS`.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "Left: errors fall with the bits, all above the limit. Right: the distance to it in decibels, by code."
    with page(WIDTH, 3.9, columns=2, about=about) as (figure, (left, right)):
        bits = np.linspace(min(b.min() for b, _ in found.values()), max(b.max() for b, _ in found.values()), 50)
        left.plot(bits, 4.0**-bits, color=COLOURS["bound"], lw=2, label="limit $D(R) = 4^{-R}$")
        left.fill_between(bits, 4.0**-bits, 0.5 * 4.0 ** -bits[-1], color=COLOURS["faint"], alpha=0.7, lw=0)
        right.axhline(0, color=COLOURS["bound"], lw=2)
        for name, (b, error) in found.items():
            left.plot(b, error, **look(name), label=name)
            right.plot(b, 10 * np.log10(error * 4.0**b), **look(name))
        left.set(yscale="log", ylim=(0.5 * 4.0 ** -bits[-1], 0.6))
        right.set_ylim(-0.3)
        for axes in (left, right):
            axes.set_xticks(np.unique(np.round(bits)))
        figure.legend(loc="outside lower center", ncols=3)
        label(left, "Rate against distortion", "bits a weight, $R$", "mean squared error (log scale)")
        label(right, "Distance to the limit", "bits a weight, $R$", "$10\\,\\log_{10}(\\mathrm{MSE} / D(R))$ in dB")
    return figure


def memory(curves, levels, bits):
    """Error against what a code remembers from one weight to the next.

    Parameters
    ----------
    curves : dict of str to (array (n,), array (n,), array (n,))
        Remembered bits, mean squared error and its standard error; the name begins with one of `LOOKS`.
    levels : dict of str to float
        Codes without a memory of this kind, as lines; "published" in a name makes it a dashed one.
    bits : int
        Bits a weight; the limit is drawn too.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "Errors fall as the memory grows, from above the best single levels towards the limit, without reaching it."
    with page(WIDTH, 4.1, about=about) as (figure, axes):
        for name, (remembered, error, spread) in curves.items():
            axes.errorbar(remembered, error, spread, capsize=3, **look(name), label=name)
        for name, level in levels.items():
            colour = look(name)["color"]
            axes.axhline(level, color=colour, lw=1.6, ls="--" if "published" in name else "-", zorder=0)
            axes.annotate(
                f"{name}: {level:.4g}", (0.99, level), (0, 3), xycoords=("axes fraction", "data"),
                textcoords="offset points", ha="right", color=colour, weight="bold", fontsize=8.5,
            )  # fmt: skip
        axes.axhline(4.0**-bits, color=COLOURS["bound"], lw=2, zorder=0)
        at_limit = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points", "weight": "bold"}
        axes.annotate(f"limit $D({bits})$: {4.0**-bits:.4g}", (0.01, 4.0**-bits), (0, 3), fontsize=8.5, **at_limit)
        axes.set_yscale("log")
        ticks = [t for t in (0.06, 0.08, 0.1, 0.12, 0.14, 0.16, 0.18, 0.2) if t <= axes.get_ylim()[1]]
        axes.set_yticks(ticks, [f"{t:g}" for t in ticks])
        axes.minorticks_off()
        axes.set_xticks(range(2, 15, 2), [f"{m}\n$L$ = {m + bits}" for m in range(2, 15, 2)])
        axes.legend(loc="upper right", bbox_to_anchor=(1, 0.93))
        text = "remembered bits, $L - kV$ or $\\log_2$ of the states"
        label(axes, f"Memory against distortion at {bits} bits a weight", text, "mean squared error (log scale)")
    return figure


def sequences(errors, limit):
    """How the error varies from sequence to sequence, and its mean.

    Parameters
    ----------
    errors : dict of str to array (sequences,)
        Mean squared errors of single sequences, by title; a panel for each.
    limit : float
        D(R), which the mean over the source cannot pass.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "Histograms of single sequences' errors; part of each lies below the limit, the mean of each above it."
    low, high = min(e.min() for e in errors.values()), max(e.max() for e in errors.values())
    width = (high - low) / 50
    first, last = np.floor((low - limit) / width), np.ceil((high - limit) / width)
    bins = limit + width * np.arange(first, last + 1)  # the limit is an edge
    shared = {"rows": len(errors), "squeeze": False, "sharex": True}
    with page(WIDTH, 1.3 * len(errors) + 0.6, about=about, **shared) as (figure, axes):
        for panel, (title, e) in zip(axes[:, 0], errors.items(), strict=True):
            below, above = e[e < limit], e[e >= limit]
            for part, role, hatch in ((below, "quip#", "///"), (above, "ldlq", "")):
                panel.hist(part, bins, color=COLOURS[role], alpha=0.6, hatch=hatch, edgecolor="white", lw=0)
            panel.axvline(limit, color=COLOURS["bound"], lw=2, label=f"limit {limit:.4f}")
            panel.axvline(e.mean(), color=COLOURS["qtip"], lw=2.5, ls="--", label=f"mean {e.mean():.4f}")
            panel.legend(loc="upper right", fontsize=8.5)
            label(panel, f"{title}: {len(below) / len(e):.0%} below", "", "sequences")
        axes[-1, 0].set_xlabel("mean squared error of a sequence")
    return figure
