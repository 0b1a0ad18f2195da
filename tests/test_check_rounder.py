"""check_rounder and check_quantizer: what is caught by which check, options, budgets, and reports."""

import json
import os
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
import quantizers

import quipref
from quipref.testing import QuantizerTags, RounderCheckError, Tags, check_quantizer, check_rounder, running, tags
from quipref.testing.checks import registry

GROUND = ["interface", "algebra"]


def ldlq(W, H):
    return quipref.ldlq(W, H, backend="numpy")


def nearest(W, H):
    return np.floor(W + 0.5)


def found(rounder, only=GROUND, **options):
    """Names of the checks that fail."""
    return check_rounder(rounder, only=only, on_fail=None, max_examples=10, **options).failed


def feedback(H):
    return quipref.ldl(H)[0]


def by(U, W, Q=lambda t: np.floor(t + 0.5)):
    """LDLQ's loop with the feedback U."""
    W_hat = np.zeros(W.shape)
    for k in range(W.shape[1]):
        W_hat[:, k] = Q(W[:, k] + (W - W_hat) @ U[:, k])
    return W_hat


# --- rounders that are right ---


@tags(random=True, handles_singular=True)
def stochastic(W, H, rng):
    rng = np.random.default_rng(rng)
    return by(feedback(H), W, lambda t: np.floor(t + rng.random(t.shape)))


@tags(grid=quantizers.Doubled(), block=8)
def eights(W, H):
    return quipref.ldlq(W, H, round_to=quantizers.Doubled(), backend="numpy")


@tags(grid=quipref.UniformGrid(np.array([[0.25]], np.float16), 3))
def clamped(W, H):
    return quipref.ldlq(W, H, round_to=clamped.quipref_tags.grid, backend="numpy")


@tags(grid="fitted", row_separable=False)
def fitted(W, H):
    step = np.abs(W).max(initial=1e-3) / 2
    return step * np.floor(W / step + 0.5)


@tags(uses_hessian=False)
def single(W, H):
    return nearest(W, H).astype(np.float32)


@pytest.mark.parametrize("rounder", [ldlq, nearest, stochastic, eights, clamped, fitted, single])
def test_right_rounders_pass(rounder):
    report = check_rounder(rounder, only=GROUND, max_examples=10)
    assert report.failed == []
    assert {outcome.status for outcome in report.outcomes} == {"passed"}


def test_optq_refuses_a_singular_hessian():
    report = check_rounder(quipref.optq, only=GROUND, max_examples=10)
    assert report.refused == ["singular"]
    assert "LinAlgError" in next(outcome.message for outcome in report.outcomes if outcome.name == "singular")
    handles = check_rounder(quipref.optq, tags=Tags(handles_singular=True), only=["singular"], on_fail=None)
    assert handles.failed == ["singular"]


# --- rounders that are wrong, and the check that is there for each ---


def raises(W, H):
    raise ZeroDivisionError("nothing\nmore")


def transposed(W, H):
    return nearest(W, H).T.copy()


def listed(W, H):
    return nearest(W, H).tolist()


def integers(W, H):
    return nearest(W, H).astype(int)


def not_a_number(W, H):
    return np.where(W > 1, np.nan, nearest(W, H))


def leaves(W, H):
    raise SystemExit(3)


def writes(W, H):
    W[:] = nearest(W, H)
    return W.copy()


def damps_in_place(W, H):
    H[np.diag_indices(len(H))] += 1.0
    return by(feedback(H), W)


def a_view(W, H):
    W[:] = nearest(W, H)
    return W


buffers = {}


def one_buffer(W, H):
    buffer = buffers.setdefault(W.shape, np.empty(W.shape))
    buffer[:] = nearest(W, H)
    return buffer


def by_rows_of_memory(W, H):
    return np.floor(np.frombuffer(W.tobytes(order="A")).reshape(W.shape) + 0.5) if W.dtype == float else nearest(W, H)


def not_in_single(W, H):
    return nearest(W, H) + (W.dtype == np.float32)


def counts(W, H, calls=[0]):  # noqa: B006 - the state is the fault
    calls[0] += 1
    return nearest(W, H) + calls[0] % 2


@tags(random=True)
def global_state(W, H, rng):
    return np.floor(W + np.random.random(W.shape))  # noqa: NPY002 - the fault


@tags(random=True)
def reseeds(W, H, rng):
    return np.floor(W + np.random.default_rng(rng if isinstance(rng, int) else None).random(W.shape))


def nan_when_singular(W, H):
    return W * np.nan if np.linalg.matrix_rank(H) < len(H) else nearest(W, H)


def unclear_when_singular(W, H):
    if np.linalg.matrix_rank(H) < len(H):
        raise RuntimeError
    return nearest(W, H)


def half_a_step(W, H):
    return np.floor(W) + 0.5


def upwards(W, H):
    return np.ceil(W)


def feeds_back_at_random(W, H):
    return by(np.triu(np.ones_like(H), 1), W)


def moves_the_grid(W, H):
    return np.floor(W + 0.5 + 0.6 * (len(H) > 1))


def first_row_again(W, H):
    W_hat = by(feedback(H), W)
    W_hat[-1] = W_hat[0]
    return W_hat


def last_row_first(W, H):
    return nearest(np.vstack([W[:1], W[1:] + 0.2]), H)


def damps_absolutely(W, H):
    return by(feedback(H + np.eye(len(H))), W)


@pytest.mark.parametrize(
    ("rounder", "check"),
    [
        (raises, "shape_and_dtype"), (transposed, "shape_and_dtype"), (listed, "shape_and_dtype"),
        (integers, "shape_and_dtype"), (leaves, "shape_and_dtype"), (not_a_number, "finite_on_drawn_layers"),
        (writes, "inputs_unchanged"), (damps_in_place, "inputs_unchanged"), (a_view, "result_is_new"),
        (one_buffer, "result_is_new"), (writes, "layout"), (by_rows_of_memory, "layout"), (not_in_single, "float32"),
        (counts, "deterministic"), (global_state, "deterministic"), (reseeds, "generator"),
        (nan_when_singular, "singular"), (unclear_when_singular, "singular"), (half_a_step, "values_on_grid"),
        (moves_the_grid, "grid_is_fixed"), (upwards, "one_block"), (feeds_back_at_random, "diagonal_is_nearest"),
        (first_row_again, "rows_alone"), (last_row_first, "rows_permuted"), (damps_absolutely, "scale_of_hessian"),
    ],
)  # fmt: skip
def test_wrong_rounders_are_caught(rounder, check):
    assert found(rounder, only=[check]) == [check]


def test_the_reason_is_said():
    report = check_rounder(raises, only=["shape_and_dtype"], on_fail=None)
    assert report.outcomes[0].message == "it raised ZeroDivisionError: nothing"
    report = check_rounder(half_a_step, only=["values_on_grid"], on_fail=None)
    assert "W_hat[0, 0] = 0.5 is not on the grid" in report.outcomes[0].message


def test_a_tie_is_nobodys_fault():
    """A rounder that sums in another order for one row may send a tie the other way."""

    def ties_by_rows(W, H):
        return np.floor(W + 0.5) if len(W) > 1 else np.ceil(W - 0.5)

    halves = np.array([[0.5, 1.5], [2.5, 0.25]])
    assert not np.array_equal(ties_by_rows(halves, None)[:1], ties_by_rows(halves[:1], None))
    assert found(ties_by_rows) == []


def test_a_counterexample_is_small_and_can_be_pasted():
    report = check_rounder(first_row_again, only=["rows_alone"], on_fail=None)
    layer = report.example("rows_alone")
    assert layer.W.shape == (2, 1)
    assert np.abs(layer.W).max() <= 1
    room = {}
    exec(report.outcomes[0].code, room)
    assert np.array_equal(room["W"], layer.W)
    assert np.array_equal(room["H"], layer.H)


# --- whether H is used ---


def test_it_is_found_out_whether_h_is_used():
    def used(rounder, **options):
        return check_rounder(rounder, only=["layout"], on_fail=None, **options).tags.uses_hessian

    assert used(ldlq) is True
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
    assert report.failed == ["shape_and_dtype", "singular"]
    assert "did not return within 0.05 s" in report.outcomes[0].message
    assert report.example("shape_and_dtype").W.shape == (3, 4)


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
        time.sleep(0.02)
        return np.ceil(W)

    report = check_rounder(slow_and_wrong, only=["one_block"], seconds=0.5, on_fail=None)
    assert report.failed == ["one_block"]
    assert report.example("one_block") is not None


def test_a_failure_that_comes_and_goes():
    def flaky(W, H, calls=[0]):  # noqa: B006 - the state is the fault
        calls[0] += 1
        return np.ceil(W) if calls[0] == 20 else nearest(W, H)

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
    program = "import numpy as np, quipref.testing as t; t.check_rounder(lambda W, H: np.ceil(W), on_fail=None)"
    env = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, env=env)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"only": ["nothing"]}, ValueError, "only must name checks, but 'nothing' came"),
        ({"expected_failures": {"algebra": "?"}}, ValueError, "expected_failures must name checks"),
        ({"tags": Tags(promises=("richness",))}, ValueError, "promises must name checks, but 'richness'"),
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


def test_what_is_no_rounder():
    with pytest.raises(TypeError, match="rounder must be a function"):
        check_rounder(3)


# --- reports ---


def test_a_report_is_a_table_a_page_and_a_record():
    report = check_rounder(upwards, only=["algebra"], on_fail=None, max_examples=5, progress=True)
    text, page, record = str(report), report._repr_html_(), report.to_dict()
    assert "| one_block " in text
    assert "import numpy as np" in text
    assert "With one block of columns there is nobody to feed an error to" in text
    assert page.count("<tr>") == 1 + len(report.outcomes)
    assert json.loads(json.dumps(record)) == record
    assert record["failed"] == report.failed
    assert record["tags"]["promises"] == []
    assert report.example("rows_alone") is None
    with pytest.raises(ValueError, match="name must be that of a check"):
        report.example("nothing")


def test_a_page_escapes_what_strangers_say():
    def angry(W, H):
        raise ValueError("<script>" + "!" * 200)

    report = check_rounder(angry, only=["shape_and_dtype"], on_fail=None)
    assert "<script>" not in report._repr_html_()
    assert "..." in str(report).splitlines()[4]


def test_bounds_are_told_apart_from_checks():
    check = registry.checks_of(("algebra",))[0]
    passed = running.outcome_of(check, nearest, Tags(), registry.Budget(3))
    kept, broken = replace(passed, name="kept"), replace(passed, name="broken", status="failed")
    report = replace(check_rounder(nearest, only=["singular"]), bounds=(kept, broken))
    assert report.failed == []
    assert report.bounds_kept == ["kept"]
    assert "bounds kept: kept; broken: broken" in str(report)


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
