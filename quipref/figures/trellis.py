"""Pictures of trellises: windows of a bit stream, where they wrap around, walks, and what a walk can reach next."""

import numpy as np
from matplotlib.patches import Rectangle, Wedge

from quipref.figures import bits as boxes
from quipref.figures.style import COLOURS, WIDTH, label, page

INSIDE, AROUND = "ldlq", "quip#"  # windows within the stream, and those that run on into its beginning
TRACK = 0.2  # of the arcs around a ring whose radius is 1
OFFER = {"marker": "_", "ls": "", "ms": 7, "mew": 1.5, "color": COLOURS["muted"]}


def binary(number, width):
    """The digits of a number, the highest first."""
    return format(number, f"0{width}b")


def windows(streams):
    """Bit streams as boxes, and below them the windows that are the states, a row each.

    Parameters
    ----------
    streams : dict of str to (str, BitshiftTrellis, bool)
        The bits, the trellis and whether the stream is a circle, by title; a panel for each.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "Boxes of bits, and below them a row for each window; on a circle the last windows run into the first bits."
    rows, widths = [], []
    for stream, trellis, circle in streams.values():
        L, kV = trellis.state_bits, trellis.shift
        rows.append(len(range(0, len(stream) if circle else len(stream) - L + 1, kV)))
        widths.append(len(stream) + (trellis.overlap_bits if circle else 0) + 4)
    grid = {"columns": len(streams), "squeeze": False, "width_ratios": widths}
    with page(WIDTH, 0.3 * max(rows) + 1.5, about=about, **grid) as (figure, axes):
        for panel, (title, (stream, trellis, circle)) in zip(axes[0], streams.items(), strict=True):
            _windows(panel, stream, trellis, circle)
            panel.set_ylim(-max(rows) - 0.2, 1.1)
            label(panel, title, "", "state")
            panel.set_xlabel("bit of the stream, in the order of storage")
        handles = [Rectangle((0, 0), 1, 1, facecolor=COLOURS[role], alpha=0.45) for role in (INSIDE, AROUND)]
        names = ["the bits that a state owns", "bits from the beginning of the stream, met again"]
        figure.legend(handles, names, loc="outside lower center", ncols=2)
    return figure


def _windows(axes, stream, trellis, circle):
    N, L, kV = len(stream), trellis.state_bits, trellis.shift
    boxes.row(axes, 0, 0.3, stream)
    if circle:
        boxes.row(axes, N, 0.3, stream[: trellis.overlap_bits], AROUND, dashed=True)
    for i, start in enumerate(range(0, N if circle else N - L + 1, kV)):
        digits = "".join((stream * 2)[start : start + L])
        roles = [AROUND if start + j >= N else INSIDE if j < kV else boxes.PLAIN for j in range(L)]
        boxes.row(axes, start, -i - 0.75, digits, roles)
        axes.text(start + L + 0.3, -i - 0.5, f"$s_{{{i}}}$ = {int(digits, 2)}", va="center_baseline", fontsize=8.5)
    boxes.bare(axes)
    axes.set_xlim(-0.2, N + (trellis.overlap_bits if circle else 0) + 4)


def ring(stream, trellis):
    """The circular stream as a ring of bits, with an arc for each window.

    Parameters
    ----------
    stream : str
        The bits.
    trellis : BitshiftTrellis

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "A ring of bits with arcs around it, one for each state; the last arcs pass the place where the ring began."
    N, L, kV = len(stream), trellis.state_bits, trellis.shift
    tracks = next(t for t in range(-(-L // kV), N // kV + 1) if N // kV % t == 0)  # arcs of a track never meet
    with page(5.6, 5.4, about=about) as (figure, axes):
        for i in range(N):
            axes.add_patch(Wedge((0, 0), 1, *_angles(i, 1, N), width=0.24, facecolor="white", ec=COLOURS["muted"]))
            axes.text(*_point(0.88, i + 0.5, N), stream[i], ha="center", va="center_baseline", fontsize=11)
        for i, start in enumerate(range(0, N, kV)):
            role = AROUND if start + L > N else INSIDE
            radius = 1.05 + TRACK * (1 + i % tracks)
            arc = {"facecolor": COLOURS[role], "alpha": 0.45, "hatch": "//" if role == AROUND else "", "ec": "white"}
            axes.add_patch(Wedge((0, 0), radius, *_angles(start + 0.08, L - 0.16, N), width=0.85 * TRACK, **arc))
            where = _point(radius - 0.42 * TRACK, start + L / 2, N)
            plate = {"facecolor": "white", "edgecolor": "none", "pad": 1, "alpha": 0.8}
            axes.text(*where, f"$s_{{{i}}}$", ha="center", va="center", fontsize=10, bbox=plate)
        for text, y in ((f"{N} bits", 0.1), (f"{N // kV} states of {L}", -0.12)):
            axes.text(0, y, text, ha="center", fontsize=11)
        axes.plot(*np.transpose([_point(r, 0, N) for r in (0.7, 1.15 + TRACK * tracks)]), color=COLOURS["ink"], lw=2)
        reach = 1.2 + TRACK * tracks
        axes.set(aspect="equal", xlim=(-reach, reach), ylim=(-reach, reach))
        boxes.bare(axes)
        label(axes, "The stream closes to a ring", "clockwise; storage begins and ends at the bar", "")
        axes.set_ylabel("an arc each state")
    return figure


def _angles(start, width, N):
    """Of a wedge over some bits, clockwise from the top, in matplotlib's counterclockwise degrees."""
    return 90 - 360 * (start + width) / N, 90 - 360 * start / N


def _point(radius, bit, N):
    angle = np.pi / 2 - 2 * np.pi * bit / N
    return radius * np.cos(angle), radius * np.sin(angle)


def walks(panels):
    """Trellises unrolled in time, with all their edges, and a walk through each.

    Parameters
    ----------
    panels : dict of str to (BitshiftTrellis, array (steps,))
        The trellis and the states of the walk, by title; one that bites its tail is drawn back to its first state.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "States below each other, steps from left to right, thin lines for edges, a thick line for the walk."
    height = max(0.24 * trellis.n_states for trellis, _ in panels.values()) + 1.6
    with page(WIDTH, height, columns=len(panels), about=about, squeeze=False) as (figure, axes):
        for panel, (title, (trellis, states)) in zip(axes[0], panels.items(), strict=True):
            _edges(panel, trellis, len(states) - 1 + bool(trellis.is_tail_biting(states)))
            _walk(panel, trellis, np.asarray(states))
            label(panel, title, "new bits, step by step", "state")
        figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def _edges(axes, trellis, steps):
    states = np.arange(trellis.n_states)
    for s, after in zip(states, trellis.successors(states), strict=True):
        for t in range(steps):
            for end in after:
                axes.plot([t, t + 1], [s, end], color=COLOURS["faint"], lw=0.6, zorder=1, antialiased=False)
    for t in range(steps + 1):
        axes.plot(np.full(len(states), t), states, "o", ms=3, color=COLOURS["muted"], zorder=2)
    axes.set(ylim=(trellis.n_states - 0.5, -0.5), xlim=(-0.3, steps + 0.3))
    axes.set_yticks(states, [binary(s, trellis.state_bits) for s in states], family="monospace", fontsize=8.5)


def _walk(axes, trellis, states):
    t, digits = np.arange(len(states)), [binary(s, trellis.state_bits)[-trellis.shift :] for s in states]
    look = {"color": COLOURS["qtip"], "lw": 3, "zorder": 3, "solid_capstyle": "round"}
    for i, choices in enumerate(trellis.successors(states)[: len(states) - 1 + bool(trellis.is_tail_biting(states))]):
        for end in choices:
            axes.plot([i, i + 1], [states[i], end], color=COLOURS["muted"], lw=1.1, zorder=1)
    axes.plot([], [], color=COLOURS["muted"], lw=1.1, label="where it could go")
    axes.plot(t, states, marker="o", ms=7, label="the walk", **look)
    names = ["start", *digits[1:]]
    if trellis.is_tail_biting(states):
        look |= {"color": COLOURS[AROUND], "ls": "--"}
        axes.plot([t[-1], len(t)], [states[-1], states[0]], label="back to its first state", **look)
        axes.plot(len(t), states[0], "o", ms=7, mfc="white", mec=COLOURS[AROUND], mew=1.8, zorder=4)
        names.append(digits[0])
    axes.set_xticks(range(len(names)), names, family="monospace", fontsize=8.5)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)


def offers(x, panels):
    """Weights, the values that a code offers for each, and those that it takes.

    Parameters
    ----------
    x : array (n,)
    panels : dict of str to (array (n, m), array (n,))
        The m values offered and the one taken, by title; a panel for each, one below the other.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "Above, four levels that never change. Below, four values that differ from weight to weight; one is taken."
    shared = {"rows": len(panels), "squeeze": False, "sharex": True, "sharey": True}
    with page(WIDTH, 1.9 * len(panels) + 0.6, about=about, **shared) as (figure, axes):
        t = np.arange(len(x))
        for panel, (title, (offered, taken)) in zip(axes[:, 0], panels.items(), strict=True):
            panel.plot(np.repeat(t, offered.shape[1]), offered.ravel(), **OFFER, label="offered")
            panel.vlines(t, x, taken, color=COLOURS["quip#"], lw=1.4, label="error")
            panel.plot(t, x, "o", ms=4.5, color=COLOURS["ink"], label="weight")
            panel.plot(t, taken, "_", ms=9, mew=3, color=COLOURS["ldlq"], label="taken")
            label(panel, f"{title}: mean squared error {np.square(x - taken).mean():.3f}", "", "value")
        axes[-1, 0].set_xlabel("weight")
        figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure
