"""Pictures of Viterbi's algorithm: what survives, how it merges, and ties.

A forward pass is given as `before` (steps, groups): the state at step i that had the least cost in group u, the
states whose low L - kV bits are u. So the walk that ends in group u goes back by s -> before[i - 1, s >> kV].
"""

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D

from quipref.figures.style import COLOURS, MARKERS, WIDTH, label, page

DEAD, ALIVE, BEST, OTHER = COLOURS["faint"], COLOURS["optq"], COLOURS["qtip"], COLOURS["ldlq"]
LINES = {4: ("o", "-"), 6: ("s", "--"), 8: ("D", "-."), 10: ("v", ":")}  # of the state bits, in turn


def survivors(before, shift, step):
    """The walks (groups, step + 1) that end in each group at that step."""
    walks = [before[step]]
    for choice in before[:step][::-1]:
        walks.append(choice[walks[-1] >> shift])
    return np.stack(walks[::-1], axis=1)


def film(before, least, shift, frames):
    """The survivors at several steps: each group's best walk so far, what has died, and the cheapest one.

    Parameters
    ----------
    before, least : array (steps, groups)
        The state that won each group, and its cost.
    shift : int
        Bits of a step, kV.
    frames : list of int
        Steps after which to look, counted from 0; an even number of them.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "Frames of a film: walks grow to the right, most branches die and fade, and the survivors share one stem."
    grid = {"sharex": True, "sharey": True}
    with page(WIDTH, 4.9, rows=2, columns=len(frames) // 2, about=about, **grid) as (figure, axes):
        for panel, step in zip(axes.flat, frames, strict=True):
            _branches(panel, before, shift, step)
            best = survivors(before, shift, step)[least[step].argmin()]
            panel.plot(best, color=BEST, lw=2.4)
            panel.plot(step, best[-1], MARKERS["qtip"], ms=10, color=BEST)
            panel.set(xlim=(-0.5, frames[-1] + 1), ylim=(-0.7, before.max() + 0.7))
            panel.set_title(f"after step {step}")
        _key(figure, {"dead": (DEAD, 1.2), "the best walk to each group": (ALIVE, 1.2), "the cheapest": (BEST, 2.4)})
        for panel in axes[1]:
            panel.set_xlabel("step")
        for panel in axes[:, 0]:
            panel.set_ylabel("state")
    return figure


def _branches(axes, before, shift, step):
    """All edges that ever were part of a survivor, and over them those that still are."""
    walks = [survivors(before, shift, i) for i in range(step + 1)]
    ever = {(i - 1, *edge) for i in range(1, step + 1) for edge in walks[i][:, -2:].tolist()}
    alive = {(i, *walk[i : i + 2]) for walk in walks[step].tolist() for i in range(step)}
    for edges, colour, order in ((ever - alive, DEAD, 1), (alive, ALIVE, 1.5)):
        lines = [[(i, a), (i + 1, b)] for i, a, b in sorted(edges)]
        axes.add_collection(
            LineCollection(lines, colors=colour, linewidths=0.9, zorder=order, antialiaseds=colour != DEAD)
        )
    axes.plot(np.full(len(walks[step]), step), walks[step][:, -1], "o", ms=4, color=ALIVE)


def _key(figure, looks, **options):
    handles = [Line2D([], [], color=colour, lw=width) for colour, width in looks.values()]
    figure.legend(handles, list(looks), loc="outside lower center", ncols=len(looks), **options)


def merging(before, shift, alive):
    """How survivors share a stem: one picture of it, and how many states are left so many steps back.

    Parameters
    ----------
    before : array (steps, groups)
    shift : int
    alive : dict of int to array (steps back + 1,)
        By state bits: the mean number of different states that the survivors passed through, 0, 1, ... steps back.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = (
        "Left: all survivors share one stem, which is decided, and branch near the end only. "
        "Right: the number of different states falls to one within some dozen steps."
    )
    with page(WIDTH, 3.7, columns=2, about=about) as (figure, (left, right)):
        last = len(before) - 1
        walks = survivors(before, shift, last)
        decided = int(np.flatnonzero((walks == walks[:1]).all(axis=0)).max(initial=-1))
        _branches(left, before, shift, last)
        left.plot(walks[0, : decided + 1], color=BEST, lw=2.4)
        left.axvline(decided, color=COLOURS["muted"], lw=0.8, ls="--")
        title = f"Decided up to step {decided}" if decided >= 0 else "Nothing decided yet"
        left.set(ylim=(-0.7, before.max() + 0.7), xlim=(-0.5, last + 1))
        label(left, title, "step", "state")
        for (L, count), (marker, line) in zip(alive.items(), LINES.values(), strict=False):
            look = {"marker": marker, "markevery": (L % 3, 5), "ms": 4.5, "ls": line}
            right.plot(count, color=OTHER, **look, label=f"L = {L}")
        right.set_yscale("log", base=2)
        right.set_yticks([1, 2, 4, 8, 16, 32, 64, 128], [1, 2, 4, 8, 16, 32, 64, 128])
        right.legend(loc="upper right")
        label(right, "How far back they differ", "steps back", "different states, mean (log scale)")
        looks = {"dead": (DEAD, 1.2), "survivors": (ALIVE, 1.2), "what all survivors share": (BEST, 2.4)}
        _key(figure, looks)
    return figure


def tie(costs, shift, group, rules):
    """A step at which two states of a group cost the same, and the walks that two tie rules make of it.

    Parameters
    ----------
    costs : array (2^L,)
        Least cost of a walk to each state, at the step of the tie.
    shift : int
    group : int
        The group that has two cheapest states.
    rules : dict of str to (array (steps,), float)
        By tie rule, two of them: the walk and its cost.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = (
        "Left: states with their costs, joined to their groups; in one group two cost the same and the smaller wins. "
        "Right: the walks of two tie rules part for some steps and cost the same."
    )
    groups = len(costs) >> shift
    with page(WIDTH, 4.0, columns=2, about=about, width_ratios=(1, 1.25)) as (figure, (left, right)):
        for u in range(groups):
            members = np.arange(u, len(costs), groups)
            height = (u + 0.5) * len(costs) / groups - 0.5
            winner = members[costs[members].argmin()]
            for s in members:
                tied = u == group and costs[s] == costs[winner]
                colour = (BEST if s == winner else OTHER) if tied else COLOURS["muted"] if s == winner else DEAD
                left.plot([0, 1], [s, height], color=colour, lw=2.4 if tied else 1.2, ls="-" if s == winner else "--")
            left.annotate(f"group {u}", (1.05, height), va="center")
        for s, cost in enumerate(costs):
            weight = "bold" if s % groups == group else "normal"
            left.annotate(f"{cost:g}", (-0.06, s), va="center", ha="right", weight=weight)
        left.set(xlim=(-0.65, 1.6), xticks=[], yticks=range(len(costs)))
        left.spines["bottom"].set_visible(False)
        label(left, "A tie: the smaller state wins", "the cost, and the states of a group", "state")
        walks = [walk for walk, _ in rules.values()]
        looks = zip((BEST, OTHER), ("*", "o"), ("-", "--"), (9, 4.5), strict=True)
        for (name, (walk, cost)), (colour, marker, line, size) in zip(rules.items(), looks, strict=True):
            right.plot(walk, color=colour, marker=marker, ls=line, ms=size, label=f"{name}: cost {cost:g}")
        for i in np.flatnonzero(walks[0] != walks[1]):
            right.axvspan(i - 0.5, i + 0.5, color=COLOURS["faint"], alpha=0.5, lw=0)
        right.set(yticks=range(len(costs)))
        label(right, "Two rules, two walks, one cost", "step", "state")
        figure.legend(*right.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure
