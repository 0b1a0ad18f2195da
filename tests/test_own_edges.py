"""The edges at which a rounder's answers jump: for LDLQ they attain its bound, for any other feedback they break it."""

import time
from functools import partial

import numpy as np
import pytest

import quipref
from quipref.rounding.grid import AffineGrid
from quipref.testing import Tags
from quipref.testing.checks.registry import Budget
from quipref.testing.loss_bounds import BOUNDS
from quipref.testing.own_edges import AROUND, FAR, at_own_edges, far_from_the_start

FINE = AffineGrid(0.01, 0.5, None, None)
KNOWN_TO = 2e-7  # of a step: 3/2 64^-4, rounded up
backward = partial(quipref.ldlq, order="backward")


def times(c):
    """LDLQ with c times its feedback."""
    return lambda W, H: quipref.linear_feedback(W, c * quipref.ldl(H)[0])


def ratios(rounder, layers, bound="worst_case", tags=Tags()):  # noqa: B008 - frozen
    return [quipref.proxy_loss(W, rounder(W, H), H) / BOUNDS[bound](quipref.Layer(W, H), tags) for W, H in layers]


@pytest.mark.parametrize(("n", "tags"), [(1, Tags()), (5, Tags()), (4, Tags(grid=FINE))])
def test_every_target_of_ldlq_is_at_an_edge(n, tags):
    rounder = partial(quipref.ldlq, round_to=tags.quantizer)
    layers, signs = list(at_own_edges(rounder, n, tags, Budget())), set()
    for W, H in layers:
        eta = (W - rounder(W, H)) @ (quipref.ldl(H)[0] + np.eye(n)) / tags.unit
        assert (np.abs(np.abs(eta) - 0.5) <= KNOWN_TO).all()
        signs.add(tuple(np.sign(eta[0])))
    assert len(layers) == 4 and len(signs) > 1
    found = ratios(rounder, layers, tags=tags)
    assert 1 - 4 * KNOWN_TO < min(found) <= max(found) <= 1 + 1e-9


def test_the_other_order():
    found = ratios(backward, at_own_edges(backward, 6, Tags(), Budget(), backward=True), "worst_case_backward")
    assert 1 - 4 * KNOWN_TO < min(found) <= max(found) <= 1 + 1e-9


@pytest.mark.parametrize("c", [0.9, 0.99, 1.01])
def test_another_feedback_breaks_the_bound(c):
    assert max(ratios(times(c), at_own_edges(times(c), 8, Tags(), Budget()))) > 1 + (1 - c) ** 2


def test_far_from_the_start_the_columns_around_the_end_of_a_block_are_asked():
    rounder = partial(quipref.ldlq, backend="numpy")
    layers = list(far_from_the_start(rounder, Tags(), Budget(seconds=120)))
    for W, _ in layers:
        assert np.flatnonzero(W).tolist() == list(range(FAR - AROUND, FAR + AROUND))
    found = ratios(rounder, layers)
    assert 1 - 1e-4 < min(found) <= max(found) <= 1 + 1e-9  # the other columns have 2e-5 of tr D


def test_a_rounder_that_nowhere_jumps():
    assert not any(W.any() for W, _ in at_own_edges(lambda W, H: 0 * W, 3, Tags(), Budget()))


@pytest.mark.parametrize(
    "tags", [Tags(random=True), Tags(grid="fitted"), Tags(block=8), Tags(grid=quipref.E8Lattice(), block=8)]
)
def test_where_there_are_no_edges_to_ask_for(tags):
    assert list(at_own_edges(quipref.ldlq, 8, tags, Budget())) == []
    assert list(far_from_the_start(quipref.ldlq, tags, Budget())) == []


def test_it_ends_with_the_time():
    assert list(at_own_edges(quipref.ldlq, 8, Tags(), Budget(seconds=1e-9))) == []


def test_a_slow_rounder_is_not_asked_far_from_the_start():
    asked = []

    def slow(W, H):
        asked.append(len(W))
        time.sleep(0.02)
        return 0 * W

    assert list(far_from_the_start(slow, Tags(), Budget(seconds=1))) == []
    assert len(asked) == 1
