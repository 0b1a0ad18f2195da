"""What is right passes: every rounder of quipref, with the promises that its theorem gives it.

The gallery's pass in tests/test_gallery.py.
"""

from functools import partial

import numpy as np
import pytest

import quipref
from quipref.rounding.grid import AffineGrid
from quipref.testing import Tags, check_rounder

STOCHASTIC = quipref.IntegerGrid(rounding="stochastic")
FOUR = quipref.IntegerGrid(0, 3)
FOUR_STOCHASTIC = quipref.IntegerGrid(0, 3, rounding="stochastic")
FINE, HALVES = AffineGrid(0.25, 0.5, None, None), quipref.E8Lattice(0.5)
E8P = quipref.E8PQuantizer()
BOUNDS = ("worst_case", "trace", "plain_worst_case", "average_case")
BACKWARD = ("worst_case_backward", "trace", "average_case")


def plain(W, H):
    """The class of LDLQ with no feedback at all."""
    return quipref.linear_feedback(W, np.zeros(H.shape))


def from_the_largest(W, H):
    """LDLQ on columns sorted by their weight in the loss; ties keep their order."""
    order = np.argsort(-H.diagonal(), kind="stable")
    W_hat = np.empty(W.shape, W.dtype)
    W_hat[:, order] = quipref.ldlq(W[:, order], H[order][:, order])
    return W_hat


RIGHT = {
    "ldlq": (quipref.ldlq, Tags(handles_singular=True, promises=BOUNDS)),
    "ldlq, textbook": (partial(quipref.ldlq, backend="numpy"), Tags(handles_singular=True, promises=("trace",))),
    "ldlq, backward": (partial(quipref.ldlq, order="backward"), Tags(handles_singular=True, promises=BACKWARD)),
    "ldlq, steps of 1/4": (partial(quipref.ldlq, round_to=FINE), Tags(grid=FINE, promises=BOUNDS)),
    "ldlq, sorted": (from_the_largest, Tags(handles_singular=True, promises=("trace",))),
    "optq": (quipref.optq, Tags(promises=BOUNDS)),
    "babai": (quipref.babai, Tags(handles_singular=True, promises=BACKWARD)),
    "greedy": (quipref.greedy, Tags(handles_singular=True, promises=("no_worse_than_nearest", "plain_worst_case"))),
    "no feedback": (plain, Tags(handles_singular=True, uses_hessian=False, promises=("plain_worst_case",))),
    "ldlq_rg": (quipref.ldlq_rg, Tags(handles_singular=True, promises=("trace",))),
    "stochastic ldlq": (
        partial(quipref.ldlq, round_to=STOCHASTIC),
        Tags(random=True, handles_singular=True, promises=("worst_case", "average_case")),
    ),
    "clamped_ldlq": (partial(quipref.clamped_ldlq, round_to=FOUR_STOCHASTIC), Tags(grid=FOUR_STOCHASTIC, random=True)),
    "ldlq, 2 bits": (partial(quipref.ldlq, round_to=FOUR), Tags(grid=FOUR, handles_singular=True)),
    "greedy, 2 bits": (
        partial(quipref.greedy, round_to=FOUR),
        Tags(grid=FOUR, handles_singular=True, promises=("no_worse_than_nearest",)),
    ),
    "block ldlq, E8": (
        partial(quipref.ldlq, round_to=HALVES),
        Tags(grid=HALVES, block=8, handles_singular=True, promises=("worst_case", "trace")),
    ),
    "block ldlq, E8P": (partial(quipref.ldlq, round_to=E8P), Tags(grid=E8P, block=8, handles_singular=True)),
}


@pytest.mark.jit
@pytest.mark.parametrize("name", RIGHT)
def test_it_passes(name):
    rounder, tags = RIGHT[name]
    tiers = ["interface", "algebra", "statistics", *tags.promises]
    report = check_rounder(rounder, tags=tags, only=tiers, max_examples=8, seconds=120, time_limit=60.0)  # compiles
    assert report.failed == report.named("skipped") == []
    assert set(report.refused) <= {"singular"} and (report.refused == ["singular"]) == (name == "optq")
