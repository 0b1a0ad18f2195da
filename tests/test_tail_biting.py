"""The best circle by bounds: against every overlap in turn, and the bounds against what they bound."""

import numpy as np
import pytest
from sizes import size

from quipref import BitshiftTrellis, viterbi
from quipref.trellis import codes
from quipref.trellis.tail_biting import best_circles, lower_bounds, tied_walks, total_cost
from quipref.trellis.viterbi import finder

CASES = [(4, 1, 1, 9), (5, 2, 1, 8), (6, 1, 2, 12), (6, 3, 1, 7), (3, 3, 1, 5), (2, 2, 1, 1), (7, 1, 1, 16)]


def case(L, k, V, n_weights, n_sequences=9):
    X = np.random.default_rng([L, k, V]).standard_normal((n_sequences, n_weights)).astype(np.float32)
    return X, codes.gaussian(L, V, seed=L), BitshiftTrellis(L, k, V)


def costs_of_all_overlaps(X, table, trellis):
    """(B, 2^(L - kV)): the least cost of a circle with each overlap, by one search each."""
    find = finder(table, trellis, "numpy")
    overlaps = range(1 << trellis.overlap_bits)
    return np.stack([total_cost(X, tied_walks(find, X, np.full(len(X), o), 1), table) for o in overlaps], axis=1)


@pytest.mark.parametrize("shape", CASES)
def test_it_is_the_best_of_all_overlaps(shape):
    X, table, trellis = case(*shape)
    states, searched = best_circles(X, table, trellis, backend="numpy")
    assert trellis.is_tail_biting(states).all()
    best = costs_of_all_overlaps(X, table, trellis).min(axis=1)
    assert total_cost(X, states, table) == pytest.approx(best, rel=1e-5)  # walks are chosen by costs in float32
    assert (searched <= 1 << trellis.overlap_bits).all()


@pytest.mark.parametrize("shape", CASES)
def test_the_bounds_are_below_every_circle(shape):
    X, table, trellis = case(*shape)
    costs = costs_of_all_overlaps(X, table, trellis)
    floors = lower_bounds(X, table, trellis)
    assert (floors <= costs * (1 + 1e-12)).all()
    halves_meet = X.shape[1] // trellis.values_per_step < 2 or trellis.overlap_bits == 0
    assert (floors.sum() < 0.999 * costs.sum()) != halves_meet


def test_it_finds_what_algorithm_4_misses():
    """On short sequences algorithm 4 misses often; a proof searches a part of the overlaps."""
    X, table, trellis = case(7, 1, 1, 16, n_sequences=size(200, 40))
    guessed = total_cost(X, viterbi(X, table, trellis, backend="numpy"), table)
    states, searched = best_circles(X, table, trellis, backend="numpy")
    best = total_cost(X, states, table)
    assert (best <= guessed).all()
    assert (best < guessed * (1 - 1e-4)).any()  # far more than the rounding of costs
    assert (searched < 1 << trellis.overlap_bits).all()


@pytest.mark.jit
def test_backends_and_threads_agree():
    X, table, trellis = case(8, 2, 1, 64, n_sequences=70)
    expected = best_circles(X, table, trellis, backend="numpy")
    for threads in (1, 2):
        for a, b in zip(best_circles(X, table, trellis, threads=threads), expected, strict=True):
            assert (a == b).all()
