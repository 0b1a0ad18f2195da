"""The theory and statistics tiers: statements pass rounders of which they are true, and fail those of which not."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings

import quipref
from quipref.rounding.grid import AffineGrid
from quipref.testing import loss_bounds, slack, tagged, worst_cases
from quipref.testing.calling import Caller
from quipref.testing.checks import statistics, theory
from quipref.testing.checks.registry import Budget, CheckFailed, OutOfTime
from quipref.testing.comparison import Comparison, compared, fail_if_worse
from quipref.testing.guard import Guarded
from quipref.testing.protocol import Tags
from quipref.testing.strategies import layers, low_rank_hessians, seeded_layers

FEW = settings(max_examples=min(40, settings.default.max_examples))
STOCHASTIC = quipref.IntegerGrid(rounding="stochastic")
FOUR_POINTS = quipref.lloyd_max(4)
CLAMPED = quipref.IntegerGrid(0, 3)
FINE = AffineGrid(0.01, 0.5, None, None)
E8 = quipref.E8Lattice(0.5)
INTEGERS, RANDOM = Tags(), Tags(random=True)
backward = partial(quipref.ldlq, order="backward")


def nearest(W, H):
    return np.floor(W + 0.5)


def floor(W, H):
    return np.floor(W)


def negated(W, H):
    """LDLQ whose feedback has the wrong sign."""
    return quipref.linear_feedback(W, -quipref.ldl(H)[0])


def descent(W, H):
    return quipref.greedy(W, H)


def stochastic(W, H, rng):
    return quipref.ldlq(W, H, round_to=STOCHASTIC, rng=rng)


def without_feedback(W, H, rng):
    return STOCHASTIC.quantize(W, np.random.default_rng(rng))[1]


def coin(W, H, rng):
    """Up or down whatever the fraction: biased, so its errors agree where the weights do."""
    return np.floor(W) + np.random.default_rng(rng).integers(0, 2, W.shape)


def one_row(W, H):
    """LDLQ in the first row, which is all that a constructed layer has: it takes a drawn one."""
    W_hat = quipref.ldlq(W, H)
    W_hat[1:] += 2
    return W_hat


def run(check, rounder, tags, examples=10, seconds=60.0):
    """The check as `check_rounder` runs it."""
    return check(Guarded(Caller(rounder), tags), tags, budget(examples, seconds))


def budget(examples=10, seconds=60.0):
    return Budget(examples, seconds, seed=3)


TRUE = [  # optq, babai and others of quipref: tests/bench/test_right_rounders.py
    (theory.check_worst_case, quipref.ldlq, INTEGERS, 1.0, "m/4 tr D"),
    (theory.check_worst_case, partial(quipref.ldlq, round_to=FINE), Tags(grid=FINE), 1.0, "2.5e-05 m tr D"),
    (theory.check_worst_case, partial(quipref.ldlq, round_to=E8), Tags(grid=E8, block=8), 0.0, "m/4 sum_b |D_b|"),
    (theory.check_worst_case, stochastic, RANDOM, 0.0, "m tr D"),
    (theory.check_worst_case_backward, backward, INTEGERS, 1.0, "m/4 tr D, from right to left,"),
    (theory.check_trace, backward, INTEGERS, 1.0, "m/4 tr H"),
    (theory.check_plain_worst_case, nearest, INTEGERS, 1.0, "m/4 n lambda_max"),
    (theory.check_no_worse_than_nearest, descent, INTEGERS, 0.0, "nearest rounding's loss"),
]
AVERAGES = [(quipref.ldlq, INTEGERS, "m/12 tr D"), (stochastic, RANDOM, "m/6 tr D")]
FALSE = [
    (theory.check_worst_case, nearest, INTEGERS),
    (theory.check_worst_case, backward, INTEGERS),
    (theory.check_worst_case, negated, INTEGERS),
    (theory.check_worst_case, partial(quipref.ldlq, round_to=AffineGrid(0.02, 0.5, None, None)), Tags(grid=FINE)),
    (theory.check_worst_case, coin, RANDOM),
    (theory.check_worst_case, one_row, INTEGERS),
    (theory.check_worst_case, without_feedback, RANDOM),
    (theory.check_worst_case_backward, quipref.ldlq, INTEGERS),
    (theory.check_trace, nearest, INTEGERS),
    (theory.check_plain_worst_case, floor, INTEGERS),
    (theory.check_no_worse_than_nearest, quipref.ldlq, INTEGERS),
    (theory.check_average_case, nearest, INTEGERS),
    (statistics.check_average_against_nearest, negated, INTEGERS),
    (statistics.check_average_against_nearest, floor, INTEGERS),
    (statistics.check_average_against_nearest, coin, RANDOM),
]


@pytest.mark.jit
@pytest.mark.parametrize(("check", "rounder", "tags", "reached", "formula"), TRUE)
def test_a_bound_that_is_kept(check, rounder, tags, reached, formula):
    """And come as near to as its theorem says: the bounds of nearest points, or of all orders, are attained."""
    assert check.quipref_check.applies(tags)
    found = run(check, rounder, tags)
    assert found.verdict == "passed" and found.figures["layers"] >= 10
    assert found.message.endswith(f" of {formula}")
    assert reached - 1e-5 < found.figures["largest_ratio"] <= 1


@pytest.mark.parametrize(("rounder", "tags", "formula"), AVERAGES)
def test_an_average_that_is_kept(rounder, tags, formula):
    assert theory.check_average_case.quipref_check.applies(tags)
    found = run(theory.check_average_case, rounder, tags)
    assert found.verdict == "passed" and f" {formula} " in found.message


@pytest.mark.parametrize(("check", "rounder", "tags"), FALSE)
def test_a_bound_that_is_broken_is_shown_by_a_layer(check, rounder, tags):
    with pytest.raises(CheckFailed) as caught:
        run(check, rounder, tags, 25)
    if check is theory.check_average_case:  # no layer alone breaks an average
        assert caught.value.layer is None and "worse than m/12 tr D" in caught.value.message
        return
    W, H = caught.value.layer
    assert len(W) and W.shape[1] == len(H) <= 8 * tags.block
    if check is statistics.check_average_against_nearest and not tags.random:
        assert ratio(rounder, caught.value.layer, "nearest") > 1.1


def ratio(rounder, layer, bound):
    W, H = layer
    return quipref.proxy_loss(W, rounder(W, H), H) / loss_bounds.BOUNDS[bound](layer, INTEGERS)


@pytest.mark.parametrize(
    ("tags", "names"),
    [
        (Tags(grid=CLAMPED), {"no_worse_than_nearest"}),
        (Tags(grid="fitted"), set()),
        (Tags(block=2), {"worst_case", "worst_case_backward", "trace", "plain_worst_case", "no_worse_than_nearest"}),
        (Tags(grid=quipref.E8PQuantizer(), block=8), {"no_worse_than_nearest"}),
        (RANDOM, {"worst_case", "worst_case_backward", "trace", "plain_worst_case", "average_case"}),
    ],
)
def test_which_bounds_there_are_depends_on_the_grid(tags, names):
    listed = [thing.quipref_check for thing in vars(theory).values() if hasattr(thing, "quipref_check")]
    assert {check.name for check in listed if check.applies(tags)} == names


# --- averages ---


def test_verdicts():
    verdict = {
        name: run(statistics.check_average_against_ldlq, rounder, tags, 25).figures["verdict"]
        for name, rounder, tags in [
            ("itself", quipref.ldlq, INTEGERS),
            ("plain", nearest, INTEGERS),
            ("other order", backward, INTEGERS),
            ("random", stochastic, RANDOM),
        ]
    }
    assert verdict == {
        "itself": "the same", "plain": "worse", "other order": "not told apart", "random": "not told apart",
    }  # fmt: skip
    found = statistics.check_average_against_nearest(quipref.ldlq, INTEGERS, budget(25))
    assert found.verdict == "passed" and found.message.startswith("better than nearest rounding: -")
    assert statistics.check_average_against_bound(backward, INTEGERS, budget()).verdict == "not_told_apart"
    assert run(statistics.check_average_against_bound, stochastic, RANDOM).message.count("m/6 tr D") == 1


@pytest.mark.parametrize("tags", [INTEGERS, Tags(grid=quipref.E8PQuantizer(), block=8), Tags(grid=FOUR_POINTS)])
def test_the_comparison_with_quip_is_fair(tags):
    """On random layers, whose H is rotated already, it is LDLQ on the same grid: rounding without feedback is worse."""
    check = statistics.check_average_against_quip
    assert check.quipref_check.applies(tags)
    fed_back = check(partial(quipref.ldlq, round_to=tags.quantizer), tags, budget())
    assert fed_back.figures["layers"] == 40 and fed_back.verdict == "not_told_apart"
    plain = check(lambda W, H: tags.quantizer.quantize(W)[1], tags, budget())
    assert plain.figures["difference"] > max(0.05, fed_back.figures["difference"])


@pytest.mark.parametrize("ends", [(-8, 7), (-2, 1), (0, 15), (0, None), (None, 0)])
def test_no_comparison_with_quip_where_rotated_weights_leave_the_grid(ends):
    assert not statistics.check_average_against_quip.quipref_check.applies(Tags(grid=quipref.IntegerGrid(*ends)))


def test_the_difference_is_of_pairs():
    """A loss that is always 1 more than the other's: the difference is certain though the losses vary."""

    def one_more(layer, tags, rng):
        return loss_bounds.nearest(layer, tags) - 1

    found = compared(nearest, INTEGERS, budget(), one_more)
    assert found.verdict == "worse" and 0 <= found.error < 1e-9 * found.difference


def test_an_interval_has_five_standard_errors():
    losses = iter([0.0, 2.0] * 20)
    found = compared(lambda W, H: W, INTEGERS, budget(), lambda layer, tags, rng: next(losses))
    assert found.difference == -1 and np.isclose(found.error, 5 * np.std([0, 2] * 20, ddof=1) / np.sqrt(40))


def test_too_few_layers_make_no_verdict():
    with pytest.raises(OutOfTime):
        compared(nearest, INTEGERS, budget(seconds=0.0), loss_bounds.nearest)
    assert compared(nearest, INTEGERS, budget(1), loss_bounds.nearest).layers == 4


def test_an_average_that_is_lost_fails_without_an_example_too():
    worse = Comparison(0.2, 0.1, 40)
    for rounder, seconds in ((nearest, 60.0), (floor, 0.0)):
        with pytest.raises(CheckFailed, match="worse than nearest") as caught:
            fail_if_worse(worse, "nearest", rounder, INTEGERS, budget(seconds=seconds), loss_bounds.nearest)
        assert caught.value.layer is None
    fail_if_worse(Comparison(0.1, 0.2, 40), "nearest", floor, INTEGERS, budget(), loss_bounds.nearest)


def test_sentences():
    assert Comparison(0.2, 0.1, 40).against("LDLQ") == "worse than LDLQ: +20.0% +- 10.0% on 40 layers"
    assert Comparison(0.0, 0.0, 40).against("LDLQ") == "the same losses as LDLQ on 40 layers"
    assert "not told apart from LDLQ at this sample size" in Comparison(0.05, 0.1, 40).against("LDLQ")


# --- what the checks are made of ---


@pytest.mark.parametrize("grid", [None, CLAMPED, FINE, quipref.IntegerGrid(-2, None), quipref.IntegerGrid(None, 5)])
def test_sampled_weights_lie_evenly_over_the_cells(grid):
    tags = Tags(grid=grid)
    W = np.concatenate([tagged.sampled_layer(tags, seed).W.ravel() for seed in range(40)])
    places = (W / tags.unit - getattr(grid, "offset", 0)) % 1
    counts = np.bincount((8 * places).astype(int), minlength=8)
    assert np.abs(counts - len(W) / 8).max() <= 5 * np.sqrt(len(W) * 7 / 64)
    grid = tags.quantizer
    assert np.abs(grid.quantize(W[None])[1] - W).max() <= tags.unit / 2 * (1 + 1e-9)


def test_sampled_layers_fit_the_blocks_and_tiles():
    table = np.zeros((256, 1), np.float32)
    tiles = quipref.TrellisQuantizer(table, quipref.BitshiftTrellis(8, 2), scale=3.0, tile=(4, 8))
    W, H = tagged.sampled_layer(Tags(grid=tiles, block=24), 0)
    assert W.shape == (8, 24) and H.shape == (24, 24) and 2 < W.std() < 4
    assert tagged.shape_unit(Tags(grid=tiles, block=8)) == (4, 8)


@FEW
@given(layers(singular=True, outliers=True, dead=True) | seeded_layers())
def test_rounding_errors_are_allowed_for(layer):
    """In single precision and in double: LDLQ's loss is at most its bound and the slack."""
    for dtype in (np.float64, np.float32):
        W_hat = quipref.ldlq(layer.W.astype(dtype), layer.H)
        loss = quipref.proxy_loss(layer.W, W_hat, layer.H)
        assert loss <= loss_bounds.worst_case(layer, INTEGERS) + slack.feedback_slack(layer, W_hat)


def test_the_allowance_is_small_where_h_is_well_conditioned():
    for seed in range(20):
        layer = quipref.random_layer(3, 8, seed=seed)
        W_hat = quipref.ldlq(*layer)
        allowed = slack.feedback_slack(layer, W_hat), slack.quadratic_slack(layer, W_hat)
        assert 0 < max(allowed) < 1e-9 * loss_bounds.worst_case(layer, INTEGERS)


@FEW
@given(low_rank_hessians(4))
def test_the_worst_signs_are_no_worse_than_any_one_turned(H):
    s = worst_cases.worst_signs(H)
    assert set(np.abs(s)) == {1.0}
    for j in range(4):
        turned = np.where(np.arange(4) == j, -s, s)
        assert turned @ H @ turned <= s @ H @ s + 1e-9 * np.trace(H)


def test_bounds_are_ordered_as_the_theorems_say():
    for seed in range(20):
        layer = quipref.random_layer(2, 8, seed=seed)
        worst, plain = (loss_bounds.BOUNDS[name](layer, INTEGERS) for name in ("worst_case", "plain_worst_case"))
        assert 3 * loss_bounds.average_case(layer, INTEGERS) == pytest.approx(worst, rel=1e-12)
        assert worst < loss_bounds.trace(layer, INTEGERS) <= plain
        assert loss_bounds.worst_case(layer, RANDOM) == pytest.approx(4 * worst, rel=1e-12)
        assert loss_bounds.average_case(layer, RANDOM) == pytest.approx(worst * 2 / 3, rel=1e-12)
