"""What a run of checks does with its time: who gets how much, what is not counted, and what is said of the rest."""

from types import SimpleNamespace

import numpy as np
import pytest

import quipref
from quipref.testing import Tags, check_quantizer, check_rounder, running
from quipref.testing.calling import Caller
from quipref.testing.checks import conditions, registry, theory
from quipref.testing.guard import Guarded
from quipref.testing.own_edges import ROUNDS, at_own_edges, far_from_the_start


def nearest(W, H):
    return np.floor(W + 0.5)


@pytest.fixture
def clock(monkeypatch):
    """The clock of budgets, which only the test moves."""
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(registry, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


def taking(clock, seconds):
    """Nearest rounding that takes so long."""

    def rounder(W, H):
        clock.now += seconds
        return nearest(W, H)

    return rounder


def test_a_check_may_take_all_but_half_an_equal_share_for_each_that_follows():
    assert running.allowance(20, 20, 3, 4) == 12.5
    assert running.allowance(7.5, 20, 2, 4) == running.allowance(5, 20, 1, 4) == running.allowance(2.5, 20, 0, 4) == 2.5
    assert running.allowance(3, 20, 2, 4) == 1  # less than the reserve is left: then it is shared out
    assert running.allowance(0, 20, 2, 4) == 0


def test_a_check_that_needs_more_than_its_share_is_not_cut_short(clock):
    """25 calls of 0.3 s, where an equal share of the 20 s is 5."""
    only = ["finite_on_drawn_layers", "inputs_unchanged", "result_is_new", "singular"]
    report = check_rounder(taking(clock, 0.3), only=only)
    assert report.passed == only
    assert report.outcomes[0].figures == {"layers": 25}
    assert "cut short" not in str(report)


def test_a_slow_rounder_is_cut_short_and_the_report_says_so(clock):
    report = check_rounder(taking(clock, 3.0), only=["finite_on_drawn_layers", "values_on_grid"])
    assert [outcome.cut_short for outcome in report.outcomes] == [True, True]
    assert report.headline() == "rounder: 0 of 2 checks failed, 2 cut short"
    assert str(report).count("(cut short)") == 2
    assert report.to_dict()["outcomes"][0]["cut_short"] is True


def test_where_a_wide_layer_would_take_too_long_the_check_is_cut_short(monkeypatch):
    budget = registry.Budget(seconds=60)
    monkeypatch.setattr("quipref.testing.own_edges._seconds", lambda rounder, H: 1.0)
    assert list(far_from_the_start(nearest, Tags(), budget)) == []
    assert budget.cut_short


def test_a_promise_that_was_not_tried_is_no_success():
    tags = Tags(promises=("worst_case", "trace"))
    options = {"tags": tags, "only": ["singular", "worst_case"], "seconds": 1e-9}
    said = "nearest: 0 of 2 checks failed; not tried: singular, worst_case (promised)"
    for on_fail in ("raise", "warn"):
        with pytest.warns(UserWarning) as caught:
            report = check_rounder(nearest, on_fail=on_fail, **options)
        assert [str(warning.message) for warning in caught] == [said + ". Give it more seconds or fewer max_examples."]
        assert report.failed == report.passed == report.bounds_kept == []
        assert report.not_tried == ["singular", "worst_case"]
        assert str(report).startswith(said + "\n")
        assert report.bounds_line() == "bounds kept: none; not tried: worst_case"


def test_an_unpromised_bound_that_was_not_tried_is_no_warning(recwarn):
    report = check_rounder(nearest, only=["worst_case"], seconds=1e-9)
    assert not recwarn
    assert report.headline() == "nearest: no check to pass, as it promises no bound"
    assert report.bounds_line() == "bounds kept: none; not tried: worst_case"


def test_what_is_compared_with_compiles_before_the_time_begins(clock, monkeypatch):
    def method(layer, tags, compiled=[]):  # noqa: B006 - kept from call to call as a compiled kernel is
        clock.now += 0 if compiled else 100
        compiled.append(True)
        raise OSError("a stranger's grid")

    def compares(rounder, tags, budget):
        """It compares with the method, if there is time."""
        with pytest.raises(OSError):
            method(None, tags)
        if not budget.left():
            raise registry.OutOfTime

    check = registry.Check("compares", "statistics", compares, conditions.always, method)
    monkeypatch.setattr(running, "checks_of", lambda tiers: [check])
    assert check_rounder(nearest, only=["compares"]).passed == ["compares"]
    assert clock.now == 100


def test_every_check_that_calls_a_known_method_names_it():
    named = {check.name for check in registry.checks_of() if check.against}
    assert named == {
        "no_worse_than_nearest", "average_against_nearest", "average_against_ldlq", "average_against_quip",
    }  # fmt: skip


def test_a_quantizer_too_is_called_before_the_time_begins(clock):
    class Compiles(quipref.IntegerGrid):
        compiled = False

        def quantize(self, T, rng=None):
            clock.now += 0 if Compiles.compiled else 100
            Compiles.compiled = True
            return super().quantize(T, rng)

    report = check_quantizer(Compiles(0, 3), only=["same_again", "rows_apart"])
    assert report.passed == ["same_again", "rows_apart"] and clock.now == 100


def test_a_rounder_is_asked_for_its_edges_once_for_all_bounds(monkeypatch):
    asked = []

    def layers(rounder, n, tags, budget, *, backward):
        asked.append((n, backward))
        budget.cut_short |= n == 4
        return [quipref.Layer(np.zeros((1, n)), np.eye(n))]

    monkeypatch.setattr(theory, "at_own_edges", layers)
    rounder = Guarded(Caller(nearest), Tags())
    for _ in range(2):
        for n, backward in ((2, False), (2, True), (4, False)):
            (layer,) = theory.edges_of(rounder, n, Tags(), registry.Budget(), backward)
            assert layer.W.shape == (1, n)
    assert asked == [(2, False), (2, True), (4, False), (4, False)]  # what was cut short is no answer for others


def test_asking_for_edges_ends_with_the_time(clock):
    budget = registry.Budget(seconds=10)
    assert list(at_own_edges(taking(clock, 1.0), 4, Tags(), budget)) == []  # 17 questions for the first
    assert 10 <= clock.now < 10 + ROUNDS + 1 and budget.cut_short
