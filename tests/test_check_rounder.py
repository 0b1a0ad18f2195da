"""check_rounder and check_quantizer: options, budgets, and how a run ends."""

import os
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
import quantizers
from hypothesis import strategies as st
from voice import says

import quipref
from quipref.testing import QuantizerTags, RounderCheckError, Tags, check_quantizer, check_rounder, running
from quipref.testing import parametrize_with_checks as parametrized
from quipref.testing.checks import registry

GROUND = ["interface", "algebra"]


def nearest(W, H):
    return np.floor(W + 0.5)


def upwards(W, H):
    return np.ceil(W)


def raises(W, H):
    raise ZeroDivisionError("nothing\nmore")


# --- whether H is used ---


def test_it_is_found_out_whether_h_is_used():
    def used(rounder, **options):
        return check_rounder(rounder, only=["layout"], on_fail=None, **options).tags.uses_hessian

    assert used(quipref.ldlq) is True
    assert used(nearest) is False
    assert used(raises) is True
    assert used(nearest, tags=Tags(uses_hessian=True)) is True


# --- how a run ends ---


def test_on_fail(recwarn):
    with pytest.raises(RounderCheckError, match=r"upwards: 2 of 7 checks failed") as caught:
        check_rounder(upwards, only=["algebra"], max_examples=5)
    assert caught.value.report.failed == ["one_block", "diagonal_is_nearest"]
    with pytest.warns(UserWarning, match="upwards failed one_block"):
        check_rounder(upwards, only=["one_block"], on_fail="warn")
    assert check_rounder(upwards, only="one_block", on_fail=None).failed == ["one_block"]
    check_rounder(nearest, only=["one_block"], on_fail="warn")
    assert not recwarn


def test_expected_failures_are_strict():
    expected = {"one_block": "rounds up", "singular": "refuses nothing"}
    report = check_rounder(upwards, only=["one_block", "singular"], expected_failures=expected, on_fail=None)
    assert report.named("expected_failure") == ["one_block"]
    assert report.failed == report.named("unexpected_pass") == ["singular"]
    assert "rounds up: one block must be" in report.outcomes[1].message


def test_the_same_seed_asks_the_same_questions():
    def layers(seed):
        asked = []

        def rounder(W, H):
            asked.append((W, H))
            return nearest(W, H)

        check_rounder(rounder, only=["values_on_grid"], seed=seed, max_examples=5)
        return [array for pair in asked for array in pair]

    first, again, other = layers(1), layers(1), layers(2)
    assert all(map(np.array_equal, first, again))
    assert not all(map(np.array_equal, first, other))


def test_a_rounder_that_hangs_sometimes_is_interrupted():
    def hangs(W, H):
        while W.shape == (3, 4):
            try:
                time.sleep(0.01)
            except Exception:  # noqa: S112 - a stranger's: it would swallow an ordinary exception
                continue
        return nearest(W, H)

    report = check_rounder(hangs, only=["shape_and_dtype", "singular"], time_limit=0.05, on_fail=None)
    assert report.failed == ["shape_and_dtype"] and report.not_tried == ["singular"]
    assert "did not return within 0.05 s" in report.outcomes[0].message
    assert report.example("shape_and_dtype").W.shape == (3, 4)


def test_a_rounder_that_hangs_is_not_asked_again():
    asked = []

    def hangs(W, H):
        asked.append(True)
        time.sleep(60)

    report = check_rounder(hangs, only=GROUND, time_limit=0.02, on_fail=None)
    assert report.failed == ["shape_and_dtype"] and report.passed == [] and len(asked) == 1
    assert {outcome.message for outcome in report.outcomes[1:]} == {"not asked again: it hung"}
    assert report.headline() == "hangs: 1 of 17 checks failed; it hung, so 16 were not tried"
    assert report.tags.uses_hessian is True


@pytest.mark.parametrize("name", ["diagonal_is_nearest", "average_case"])
def test_a_hang_is_a_failure_of_the_check_in_which_it_was_first_seen(name):
    """Though the time of the check ends before that of the call, and though nobody promised the bound."""

    def hangs_late(W, H, calls=[0]):  # noqa: B006 - it counts its calls
        calls[0] += 1
        time.sleep(60 if calls[0] > 8 else 0)
        return nearest(W, H)

    report = check_rounder(hangs_late, only=[name, "average_against_ldlq"], seconds=1.0, time_limit=2.0, on_fail=None)
    assert report.failed == [name] and report.not_tried == ["average_against_ldlq"], report
    assert report.outcomes[0].hung and "did not return within 2 s" in report.outcomes[0].message


def test_a_run_ends_with_its_seconds():
    def slow(W, H):
        time.sleep(0.02)
        return nearest(W, H)

    start = time.monotonic()
    report = check_rounder(slow, only=GROUND, seconds=0.5)
    assert time.monotonic() - start < 5
    assert report.named("skipped")
    assert "no time was left" in str(report)


def test_a_check_that_does_not_look_at_the_clock_is_interrupted():
    def endless(rounder, tags, budget):
        """It never ends."""
        while True:
            time.sleep(0.01)

    start, check = time.monotonic(), registry.Check("endless", "algebra", endless, lambda tags: True)
    outcome = running.outcome_of(check, nearest, Tags(), registry.Budget(seconds=0.1))
    assert outcome.status == "skipped"
    assert time.monotonic() - start < 5


def test_an_example_that_is_no_array_is_shown_as_it_is():
    def strange(rounder, tags, budget):
        """It shows a word."""
        raise registry.CheckFailed("no", ("a", "word"))

    check = registry.Check("strange", "algebra", strange, lambda tags: True)
    assert running.outcome_of(check, nearest, Tags(), registry.Budget()).code == "('a', 'word')"


def test_shrinking_ends_with_the_seconds():
    def slow_and_wrong(W, H):
        time.sleep(0.05)
        return np.ceil(W)

    report = check_rounder(slow_and_wrong, only=["one_block"], seconds=2.0, on_fail=None)
    assert report.failed == ["one_block"]
    assert report.example("one_block") is not None


def test_a_statement_is_tried_until_the_time_ends():
    tried = registry.Budget(max_examples=1000, seconds=0.3).for_all(st.integers(), lambda drawn: time.sleep(0.02))
    assert 1 <= tried < 1000
    with pytest.raises(registry.OutOfTime):
        registry.Budget(seconds=1e-9).for_all(st.integers(), lambda drawn: None)


def test_a_failure_that_comes_and_goes():
    def flaky(W, H, calls=[0]):  # noqa: B006 - the state is the fault
        calls[0] += 1
        return nearest(W, H) + (calls[0] == 20)

    report = check_rounder(flaky, only=["one_block"], on_fail=None, max_examples=50)
    assert "not every time" in report.outcomes[0].message


def test_a_grid_that_raises_stops_its_check_alone():
    class Broken(quantizers.Plain):
        def quantize(self, T, rng=None):
            raise OSError("no grid")

    report = check_rounder(nearest, tags=Tags(grid=Broken(None)), only=["singular", "values_on_grid"], on_fail=None)
    assert report.passed == ["singular"]
    assert report.outcomes[1].message == "the check itself stopped: OSError: no grid"


def test_nothing_is_written(tmp_path):
    program = "import quipref.testing as t; t.check_rounder(lambda W, H: -(-W // 1), on_fail=None, max_examples=3)"
    env = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, env=env)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"only": ["nothing"]}, ValueError, "only must name checks, but 'nothing' came"),
        ({"expected_failures": {"algebra": "?"}}, ValueError, "expected_failures must name checks"),
        ({"tags": {"random": True}}, TypeError, "tags must be quipref.testing.Tags"),
        ({"on_fail": "shout"}, ValueError, "on_fail must be one of"),
        ({"max_examples": 0}, ValueError, "max_examples must be at least 1"),
        ({"seconds": 0}, ValueError, "seconds must be above zero"),
        ({"time_limit": -1}, ValueError, "time_limit must be finite and not negative"),
        ({"seed": -1}, ValueError, "seed must be at least 0"),
        ({"isolate": "yes"}, TypeError, "isolate must be True or False"),
    ],
)
def test_bad_options(options, error, message):
    with pytest.raises(error, match=message):
        check_rounder(nearest, **options)


@pytest.mark.parametrize(
    ("tags", "name", "words"),
    [
        (Tags(grid="fitted"), "worst_case", "with grid='fitted'. It needs a grid without end"),
        (Tags(grid=quipref.IntegerGrid(0, 3)), "trace", "It needs a grid without end"),
        (Tags(random=True), "no_worse_than_nearest", "with random=True. It needs a grid that the tags name, and"),
        (Tags(block=2), "average_case", "with block=2. It needs evenly spaced values without end and one column"),
        (Tags(), "generator", "with the default tags. It needs random=True. Leave it out or change the tags."),
        (Tags(row_separable=False), "rows_alone", "It needs row_separable=True"),
    ],
)
def test_what_does_not_apply_under_the_tags_is_refused(tags, name, words):
    """Else it would be passed over, and the report read as if it had held."""
    asked = [{"tags": tags, "only": [name]}, {"tags": tags, "expected_failures": {name: "?"}}]
    if name not in ("generator", "rows_alone"):
        asked.append({"tags": replace(tags, promises=(name,))})
        with pytest.raises(ValueError, match="promises must name checks that apply"):
            parametrized([nearest], **asked[-1])
    for options in asked:
        with says(ValueError, f"must name checks that apply under the tags, but {name!r} does not", words):
            check_rounder(nearest, **options)
    parametrized([nearest], tags=tags, expected_failures={name: "of other rounders"})


def test_every_condition_says_what_it_needs():
    for tiers in (registry.ROUNDER_TIERS, registry.QUANTIZER_TIERS):
        for check in registry.checks_of(tiers):
            assert check.needs.startswith("It needs ") and check.needs.endswith(".")
    with says(ValueError, "'nearest_point' does not with nearest=False. It needs nearest=True and random=False."):
        check_quantizer(quipref.IntegerGrid(), tags=QuantizerTags(nearest=False), only=["nearest_point"])


def test_what_is_no_rounder():
    with pytest.raises(TypeError, match="rounder must be a function"):
        check_rounder(3)


# --- block quantizers ---


def test_a_quantizer_is_checked():
    assert check_quantizer(quantizers.Doubled(), only=["codebook"], max_examples=5).failed == []
    with pytest.raises(TypeError, match="has no decode and no block"):
        check_quantizer(type("Half", (), {"quantize": None, "bits": None})())
    with pytest.raises(TypeError, match="is a class"):
        check_quantizer(quipref.IntegerGrid)
    with pytest.raises(TypeError, match="tags must be quipref.testing.QuantizerTags"):
        check_quantizer(quipref.IntegerGrid(), tags=Tags())
    assert check_quantizer(quantizers.Doubled(), tags=QuantizerTags(nearest=False), max_examples=5).failed == []
