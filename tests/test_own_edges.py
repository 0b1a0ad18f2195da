"""The edges at which a rounder's answers jump: for LDLQ they attain its bound, for any other feedback they break it."""

import time
from functools import partial
from itertools import permutations

import numpy as np
import pytest

import quipref
from quipref.rounding.grid import AffineGrid
from quipref.testing import Tags
from quipref.testing.checks.registry import Budget
from quipref.testing.loss_bounds import BOUNDS
from quipref.testing.own_edges import AROUND, CHAINS, FAR, at_own_edges, chain, far_from_the_start, own_order

FINE = AffineGrid(0.01, 0.5, None, None)
KNOWN_TO = 2e-7  # of a step: 3/2 64^-4, rounded up
backward = partial(quipref.ldlq, order="backward")


def in_order(order):
    """LDLQ that takes the columns in this order, or in that which a function of H says."""

    def rounder(W, H):
        columns = order(H) if callable(order) else np.array(order)
        W_hat = np.empty(W.shape)
        W_hat[:, columns] = quipref.ldlq(W[:, columns], H[columns][:, columns])
        return W_hat

    return rounder


def by_size(H):
    return np.argsort(-H.diagonal(), kind="stable")


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
    assert len(layers) == 4 + 2 * CHAINS and len(signs) > 1
    found = ratios(rounder, layers, tags=tags)
    assert 1 - 4 * KNOWN_TO < min(found) <= max(found) <= 1 + 1e-9


def test_the_other_order():
    found = ratios(backward, at_own_edges(backward, 6, Tags(), Budget(), backward=True), "worst_case_backward")
    assert 1 - 4 * KNOWN_TO < min(found) <= max(found) <= 1 + 1e-9


@pytest.mark.parametrize("c", [0.9, 0.99, 1.01])
def test_another_feedback_breaks_the_bound(c):
    assert max(ratios(times(c), at_own_edges(times(c), 8, Tags(), Budget()))) > 1 + (1 - c) ** 2


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_on_a_chain_no_order_is_as_good_as_from_left_to_right(n):
    H = chain(n, np.random.default_rng(n))
    assert (np.round(H) == H).all() and (quipref.ldl(H)[1] == 1).all()
    prices = [quipref.ldl(H[np.ix_(order, order)])[1].sum() for order in permutations(range(n))]
    assert min(prices[1:], default=n + 1) > n + 0.1  # the first is from left to right


@pytest.mark.parametrize("order", [[0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [2, 0, 4, 1, 3]])
@pytest.mark.parametrize("reverse", [False, True])
def test_the_order_of_columns_is_found(order, reverse):
    R, H = np.triu(np.full((5, 5), 0.5)) + np.eye(5) / 2, np.empty((5, 5))
    H[np.ix_(order, order)] = R @ R.T  # each column answers half the error of all before it
    assert own_order(in_order(order), H, 1.0, np.random.default_rng(0), backward=reverse) == order


def test_where_no_column_answers_another_or_all_do_the_order_is_the_natural_one():
    def all_answer(W, H):
        return np.floor(W + W.sum(axis=1, keepdims=True))

    for rounder in (all_answer, lambda W, H: np.floor(W)):
        assert own_order(rounder, np.eye(3), 1.0, np.random.default_rng(0)) == [0, 1, 2]
        assert own_order(rounder, np.eye(3), 1.0, np.random.default_rng(0), backward=True) == [2, 1, 0]


@pytest.mark.parametrize("seed", range(5))
def test_another_order_breaks_the_bound_of_the_first(seed):
    """Columns by size: better than from left to right on nearly every random H, and worse on chains."""
    rounder, budget = in_order(by_size), Budget(seed=seed)
    found = [layer for n in (4, 8) for layer in at_own_edges(rounder, n, Tags(), budget)]
    assert max(ratios(rounder, found)) > 1.02
    for W, H in found:  # and it attains the bound of its own order
        D = quipref.ldl(H[by_size(H)][:, by_size(H)])[1]
        assert quipref.proxy_loss(W, rounder(W, H), H) <= D.sum() / 4 * (1 + 1e-9)


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
