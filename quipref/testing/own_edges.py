"""The worst case of the feedback that a rounder really has, found by asking it where its answers jump.

If W_hat = Q(W + (W - W_hat) X), the layer W = eta (X + I)^-1 with eta = +-1/2 puts every target at the edge of its
cell, and over random signs its mean loss is 1/4 tr((X + I)^-1 H (X + I)^-T): above 1/4 tr D unless X is LDLQ's U
(QuIP, arXiv:2307.13304v2, theorem 1). So a rounder whose feedback is a little wrong breaks the bound there, and hardly
anywhere else. Nobody tells X; but column after column, the weight at which the rounded value jumps is that edge.

Nor is the order told in which it takes the columns; but a column is rounded after another if it changes with it. LDLQ
in an order of its own has the bound of that order's D, so some of the H are chains, on which no other order is as good.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quipref.problems import Layer, random_layer
from quipref.testing.checks.registry import Budget
from quipref.testing.protocol import Tags

Array = NDArray[np.float64]
ASKED = 65  # weights a question, one a row
ROUNDS = 4  # of questions a column: the jump is known to 3/2 64^-4 of a step, 1e-7
SPECTRA, DRAWS = ("power", "outlier"), 1  # of H, each drawn so many times
CHAINS, LINKS = 3, (-2.0, -1.0, 1.0, 2.0)  # and so many chains
SIGNS = 2  # draws of eta for each H
MOVED = 32  # times that each column is moved to see which others answer
FAR, AROUND, TINY = 256, 8, 1e-6  # a column where blocks of most sizes end, the columns around it, H of the others


def at_own_edges(
    rounder: Callable[..., Any], n: int, tags: Tags, budget: Budget, *, backward: bool = False
) -> Iterator[Layer]:
    """Layers (1, n) with random H, as long as there is time; none where columns are rounded together, or at random."""
    if not _has_edges(tags):
        return
    rng = np.random.default_rng(budget.seed)
    hessians = [random_layer(1, n, spectrum=spectrum, seed=rng).H for spectrum in SPECTRA for _ in range(DRAWS)]
    chains = [chain(n, rng) for _ in range(CHAINS)]
    for H in hessians + [H[::-1, ::-1].copy() if backward else H for H in chains]:
        if not budget.left():
            return
        columns = own_order(rounder, H, tags.unit, rng, backward=backward)
        yield from _layers(rounder, SIGNS * [H], columns, tags, budget, rng)


def chain(n: int, rng: np.random.Generator) -> Array:
    """H = (U + I)(U + I)^T with U between neighbours alone: its D is I, and in any other order tr D is larger.

    The pivots' product is det H = 1 in every order, so their sum is at least n. From left to right they attain it.
    """
    U = np.diag(rng.choice(LINKS, n - 1), 1) if n > 1 else np.zeros((1, 1))
    return (U + np.eye(n)) @ (U + np.eye(n)).T


def own_order(
    rounder: Callable[..., Any], H: Array, unit: float, rng: np.random.Generator, *, backward: bool = False
) -> list[int]:
    """The columns so that none changes with a later one, as far as that is seen; else from left to right.

    Columns that do not change with each other stay in that order, or in its reverse.
    """
    n = len(H)
    W = unit * rng.uniform(-2, 2, (MOVED, n))
    moved = W + unit * rng.random((n, MOVED, 1)) * np.eye(n)[:, None]
    answers = rounder(np.concatenate([W, *moved]), H).reshape(n + 1, MOVED, n)
    changes = (answers[1:] != answers[0]).any(axis=1)  # column k, when j is moved, is changes[j, k]
    np.fill_diagonal(changes, False)
    left = list(reversed(range(n))) if backward else list(range(n))
    natural, order = left.copy(), []
    while left:
        first = next((k for k in left if not changes[left, k].any()), None)
        if first is None:  # it goes back to columns that it has rounded
            return natural
        order.append(first)
        left.remove(first)
    return order


def far_from_the_start(
    rounder: Callable[..., Any], tags: Tags, budget: Budget, *, backward: bool = False
) -> Iterator[Layer]:
    """The same around column 256 of wide layers whose other columns hardly count: rounders may work block by block.

    None if one question takes so long that there is no time for all of them.
    """
    rng = np.random.default_rng(budget.seed)
    around = slice(FAR - AROUND, FAR + AROUND)
    H = TINY * np.eye(around.stop)
    H[around, around] = random_layer(1, 2 * AROUND, seed=rng).H
    questions = SIGNS * 2 * AROUND * ROUNDS
    if not _has_edges(tags):
        return iter(())
    if _seconds(rounder, H) * questions > budget.left():
        budget.cut_short = True
        return iter(())
    columns = range(around.start, around.stop)
    return _layers(rounder, SIGNS * [H], columns[::-1] if backward else columns, tags, budget, rng)


def _has_edges(tags):
    """Where columns are rounded together an edge is no number, and where chance rounds there is none."""
    return tags.quantizer is not None and tags.block == tags.quantizer.block == 1 and not tags.random


def _seconds(rounder, H):
    """What one question takes."""
    start = time.monotonic()
    rounder(np.zeros((ASKED, len(H))), H)
    return time.monotonic() - start


def _layers(rounder, hessians, columns, tags, budget, rng):
    """W (1, n) whose targets in these columns lie at an edge each, from below or from above by chance; 0 elsewhere."""
    for H in hessians:
        w = np.zeros(len(H))
        for k in columns:
            if not budget.left():
                return
            w[k] = rng.choice(_jump(rounder, w, H, k, tags.unit))
        yield Layer(w[None], H)


def _jump(rounder, w, H, k, unit):
    """Two weights beside each other between which W_hat_k goes up, the others being w; zeros if it nowhere does."""
    below, above = 0.0, 1.5 * unit
    for _ in range(ROUNDS):
        W = np.tile(w, (ASKED, 1))
        W[:, k] = np.linspace(below, above, ASKED)
        ups = np.flatnonzero(np.diff(rounder(W, H)[:, k]) > 0)
        if not len(ups):
            return 0.0, 0.0
        below, above = W[ups[0] : ups[0] + 2, k]
    return below, above
