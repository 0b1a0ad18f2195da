"""The adversary: it reaches the bounds that are attained, and passes those that are not kept."""

import time
from functools import partial

import numpy as np
import pytest
from test_docstrings import docstring_faults
from voice import says

import quipref
from quipref.testing.adversary import WorstLayer, worst_layer
from quipref.testing.checks.registry import CheckFailed
from quipref.testing.loss_bounds import BOUNDS
from quipref.testing.paste import pasteable
from quipref.testing.protocol import Tags, tags

CLAMPED = quipref.IntegerGrid(0, 3)
E8 = quipref.E8Lattice()
few = partial(worst_layer, max_examples=20)


def nearest(W, H):
    return np.floor(W + 0.5)


def zero(W, H):
    return 0 * W


def ratio_on(layer, rounder, bound, said=Tags()):  # noqa: B008 - frozen
    W, H = layer
    return quipref.proxy_loss(W, rounder(W, H), H) / BOUNDS[bound](layer, said)


@pytest.mark.parametrize("n", [1, 2, 9])
def test_the_worst_case_of_ldlq_is_reached_and_not_passed(n):
    worst = few(quipref.ldlq, n)
    assert 1 - 1e-5 < worst.ratio <= 1 + 1e-9
    assert n == 1 or "theorem 1 of QuIP" in worst.found_by
    assert ratio_on(worst.layer, quipref.ldlq, "worst_case") == worst.ratio


def test_plain_rounding_passes_ldlqs_bounds_and_reaches_its_own():
    """On H = 1 1^T it loses n times m/4 tr H."""
    assert few(nearest, 8).ratio > 8
    assert 8 - 0.01 < few(nearest, 8, bound="trace").ratio <= 8 + 1e-9
    assert 1 - 1e-3 < few(nearest, 8, bound="plain_worst_case").ratio <= 1 + 1e-9


@pytest.mark.jit
def test_the_order_of_columns_matters_to_the_bound():
    backward = partial(quipref.ldlq, order="backward")
    assert few(backward, 8, bound="worst_case_backward").ratio <= 1 + 1e-9
    assert few(backward, 8).ratio > 1.02


@pytest.mark.jit
def test_ldlq_can_lose_to_nearest_and_the_average_case_is_no_worst_case():
    assert few(quipref.ldlq, 3, bound="nearest").ratio > 1.1
    assert few(quipref.ldlq, 8, bound="average_case").ratio == pytest.approx(3, rel=1e-4)
    assert few(quipref.ldlq, 8, bound="ldlq").ratio == 1


@pytest.mark.jit
@pytest.mark.parametrize(("order", "n"), [("forward", 32), ("backward", 40)])
def test_clamped_ldlq_loses_n_times_what_nearest_does(order, n):
    """QuIP's counterexample: above n/2 times, from the side on which the first column stands."""
    rounder = partial(quipref.ldlq, round_to=CLAMPED, order=order, backend="numpy")
    worst = worst_layer(rounder, n, bound="nearest", max_examples=3, tags=Tags(grid=CLAMPED))
    assert worst.ratio > n / 2


def test_blocks_rows_and_singular_matrices():
    worst = few(partial(quipref.ldlq, round_to=E8), 16, m=2, tags=Tags(grid=E8, block=8))
    assert worst.layer.W.shape == (2, 16) and 0.5 < worst.ratio <= 1 + 1e-9
    assert few(quipref.ldlq, 4, tags=Tags(handles_singular=True)).ratio <= 1 + 1e-9


def test_no_singular_matrix_comes_unless_the_tags_say_so():
    def particular(W, H):
        if np.linalg.eigvalsh(H)[0] <= 1e-12 * np.trace(H):
            raise np.linalg.LinAlgError("H is singular")
        return quipref.ldlq(W, H)

    assert few(particular, 4).ratio <= 1 + 1e-9
    with pytest.raises(CheckFailed, match="tagged as handling a singular H"):
        few(particular, 4, tags=Tags(handles_singular=True))


def test_climbing_finds_what_no_construction_has():
    """Zero's loss has no bound: the larger the weights, the worse, and the constructed ones are small."""
    worst = worst_layer(zero, 2, max_examples=60)
    assert worst.found_by == "climbing" and worst.ratio > 50


def test_a_seed_repeats_its_answer_and_code_rebuilds_it():
    first, again = (few(zero, 4, seed=5) for _ in range(2))
    assert first.ratio == again.ratio and (first.layer.W == again.layer.W).all()
    names = {}
    exec(first.code, names)
    assert (names["W"] == first.layer.W).all() and (names["H"] == first.layer.H).all()


def test_a_bound_of_zero():
    """A rounder that is right at the integers loses nothing; LDLQ's own loss is then no measure."""

    @tags(grid=quipref.IntegerGrid(0, 0))
    def one(W, H):
        return np.ones_like(W)

    found = few(one, 2, bound="nearest")
    assert found.ratio == np.inf


def test_a_rounder_that_returns_nonsense():
    with pytest.raises(CheckFailed, match="finite"):
        few(lambda W, H: W + np.nan, 2)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"bound": "best_case"}, "bound must be one of 'worst_case'"),
        ({"tags": Tags(grid="fitted")}, "tags must name a grid"),
        ({"tags": Tags(grid=quipref.lloyd_max(4))}, "bound must be 'nearest' or 'ldlq'"),
        ({"tags": Tags(grid=quipref.lloyd_max(4)), "bound": "average_case"}, "bound must not be 'average_case'"),
        ({"tags": Tags(block=2), "bound": "average_case"}, "bound must not be 'average_case'"),
        ({"tags": Tags(block=2)}, "n must be a multiple of 2"),
        ({"m": 0}, "m must be at least 1"),
    ],
)
def test_what_is_refused(options, words):
    with says(ValueError, words):
        worst_layer(quipref.ldlq, 3, **options)


def test_docstrings_describe_the_signatures():
    for thing in (worst_layer, WorstLayer, pasteable):
        assert docstring_faults(thing) == []


def test_a_rounder_that_hangs_is_an_error_like_another(monkeypatch):
    monkeypatch.setattr("quipref.testing.guard.FIRST_CALL", 0.01)
    with pytest.raises(CheckFailed, match="did not return within 0.05 s"):
        worst_layer(lambda W, H: time.sleep(60), 4)
