"""Strategies for W, for special H, and for codes: each draws what its docstring says, and all that it says."""

import inspect

import numpy as np
import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument, NoSuchExample, Unsatisfiable
from test_docstrings import docstring_faults

import quipref
from quipref.testing import code_strategies, hessian_strategies, strategies
from quipref.testing.strategies import codebooks, incoherent_hessians, low_rank_hessians, trellises, walks, weights

EPS = np.finfo(np.float64).eps
SEARCH = settings(max_examples=1000, derandomize=True, database=None, phases=[Phase.generate])
SHRINK = settings(max_examples=500, derandomize=True, database=None)
FEW = settings(max_examples=min(40, settings.default.max_examples))


@FEW
@given(incoherent_hessians(8, mu=1.25, low=1e-2))
def test_an_incoherent_hessian_is(H):
    """The eigenbasis that `eigh` finds is the drawn one where eigenvalues are far apart, as compared with rounding."""
    values, Q = np.linalg.eigh(H)
    gap = np.diff(values).min() / values[-1]
    turned = 8**2 * EPS / max(gap, EPS)  # Davis and Kahan: the vectors move by the error over the gap
    assert (H.T == H).all() and values[0] >= 1e-2 - 8**3 * EPS * 1e2
    assert turned > 0.01 or np.sqrt(8) * np.abs(Q).max() <= 1.25 + 8 * turned


def test_incoherence_is_neither_always_least_nor_above_what_was_asked():
    H = find(
        incoherent_hessians(4, mu=1.5, low=0.1, high=10.0),
        lambda H: np.diff(np.linalg.eigvalsh(H)).min() > 0.05 and quipref.mu_hessian(H) > 1.2,
        settings=SEARCH,
    )
    assert quipref.mu_hessian(H) <= 1.5 + 1e-9


def test_the_least_incoherence_leaves_the_hadamard_basis_alone():
    Q = np.array([[1.0, 1.0], [1.0, -1.0]]) / np.sqrt(2)
    assert (hessian_strategies.turned_away(Q, 1.0, 3) == Q).all()
    turned = hessian_strategies.turned_away(Q, 1.3, 3)
    assert not (turned == Q).all() and np.abs(turned.T @ turned - np.eye(2)).max() <= 16 * EPS


@FEW
@given(low_rank_hessians(8, rank=3))
def test_a_low_rank_hessian_is_singular(H):
    values = np.linalg.eigvalsh(H)
    error = 8**2 * EPS * values[-1]
    assert (H.T == H).all() and H.dtype == np.float64
    assert (values[:5] <= error).all() and values[0] >= -error


@FEW
@given(weights(2, 4), weights(1, 2, entries=st.just(0.5)))
def test_weights_have_their_shape_and_entries(W, halves):
    assert W.shape == (2, 4) and W.dtype == np.float64 and np.isfinite(W).all()
    assert (halves == 0.5).all() and halves.shape == (1, 2)


@FEW
@given(trellises(), trellises(5, 2, 2))
def test_a_trellis_has_room_for_a_step(trellis, asked):
    assert trellis.shift <= trellis.state_bits
    assert asked == quipref.BitshiftTrellis(5, 2, 2)


@FEW
@given(walks(), walks(n_steps=6, tail_biting=True), walks(quipref.BitshiftTrellis(3, 1), n_steps=4))
def test_a_walk_is_one(free, circle, asked):
    for walk in (free, circle, asked):
        assert walk.states.dtype == np.int32
        assert walk.trellis.is_walk(walk.states)
    assert circle.trellis.is_tail_biting(circle.states) and len(circle.states) == 6
    assert asked.trellis == quipref.BitshiftTrellis(3, 1) and len(asked.states) == 4


@FEW
@given(codebooks(), codebooks(5, 2))
def test_the_points_of_a_codebook_are_distinct(C, asked):
    assert np.isfinite(C).all() and len(np.unique(C, axis=0)) == len(C)
    assert asked.shape == (5, 2)


def ties(C):
    """Whether some point between two of the codebook is as far from both."""
    return len(C) == 2 and C.shape[1] == 1 and abs(C[0, 0] - C[1, 0]) == 0.25


@pytest.mark.parametrize(
    ("strategy", "wanted"),
    [
        (weights(1, 2), lambda W: (W % 1 == 0.5).all()),
        (weights(1, 2), lambda W: W.max() > 7 and W.min() < -4),
        (weights(2, 4), lambda W: np.unique(W).size == 8 and np.abs(W).max() < 4),
        (weights(), lambda W: W.shape == (3, 8)),
        (low_rank_hessians(8), lambda H: np.linalg.matrix_rank(H) == 4),
        (low_rank_hessians(4, rank=1), lambda H: (np.rint(H) == H).all() and np.count_nonzero(H) == 16),
        (low_rank_hessians(4), lambda H: not (np.rint(H) == H).any()),
        (trellises(), lambda trellis: trellis.overlap_bits == 0 and trellis.shift > 1),
        (trellises(), lambda trellis: (trellis.state_bits, trellis.bits_per_weight) == (6, 3)),
        (walks(tail_biting=True), lambda walk: len(walk.states) * walk.trellis.shift == walk.trellis.state_bits > 3),
        (walks(quipref.BitshiftTrellis(2, 1), n_steps=3), lambda walk: walk.states.tolist() == [2, 1, 3]),
        (codebooks(), ties),
        (codebooks(8, 4), lambda C: np.unique(C).size == 32),
    ],
)
def test_a_promised_case_is_reached(strategy, wanted):
    find(strategy, wanted, settings=SEARCH)


def test_what_was_not_asked_for_is_not_drawn():
    for strategy, unwanted in [
        (low_rank_hessians(8, rank=2), lambda H: np.linalg.matrix_rank(H) > 2),
        (walks(tail_biting=True), lambda walk: not walk.trellis.is_tail_biting(walk.states)),
    ]:
        with pytest.raises(NoSuchExample):
            find(strategy, unwanted, settings=settings(SEARCH, max_examples=60))


def test_examples_shrink_to_what_can_be_read():
    W = find(weights(), lambda W: W.size > 1 and W.sum() > 1, settings=SHRINK)
    assert W.size == 2 and sorted(W.ravel()) in ([0, 1.5], [0, 2])
    H = find(low_rank_hessians(), lambda H: np.trace(H) > 3, settings=SHRINK)
    assert H.shape == (2, 2) and (np.rint(H) == H).all() and np.count_nonzero(H) == 1
    trellis, states = find(walks(), lambda walk: walk.states.max() > 1, settings=SHRINK)
    assert trellis == quipref.BitshiftTrellis(2, 1) and states.tolist() == [2]
    assert find(codebooks(), lambda C: np.abs(C).max() > 0.3, settings=SHRINK).shape == (1, 1)


@pytest.mark.parametrize(
    ("strategy", "error"),
    [
        (incoherent_hessians(3), InvalidArgument),
        (low_rank_hessians(2, rank=3), InvalidArgument),
        (low_rank_hessians(1), InvalidArgument),
        (trellises(2, 2, 2), Unsatisfiable),
        (walks(quipref.BitshiftTrellis(4, 1), n_steps=3, tail_biting=True), Unsatisfiable),
    ],
)
def test_nothing_to_draw_from_is_refused(strategy, error):
    with pytest.raises(error):
        given(strategy)(settings(database=None)(lambda drawn: None))()


def test_a_mu_that_no_basis_has():
    with pytest.raises(ValueError, match=r"mu must be at least 1, .* 0\.5 came"):
        incoherent_hessians(4, mu=0.5)


def test_docstrings_describe_the_strategies():
    for module in (strategies, hessian_strategies, code_strategies):
        for name, thing in vars(module).items():
            if inspect.isfunction(thing) and thing.__module__ == module.__name__ and "Parameters" in thing.__doc__:
                assert docstring_faults(thing) == [], name
