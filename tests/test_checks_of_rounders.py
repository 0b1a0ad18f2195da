"""Right rounders pass the first two tiers, and each wrong one is caught by the check that is there for it."""

import numpy as np
import pytest
import quantizers

import quipref
from quipref.testing import Tags, check_rounder, tags
from quipref.testing.checks.registry import CheckFailed
from quipref.testing.checks.samples import apart, must_agree, sample

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
    assert found(rounder, only=[check], seconds=3) == [check]


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


class Drifting(quantizers.Plain):
    """A search so inexact that it leaves each of its own points."""

    def quantize(self, T, rng=None):
        codes, T_hat = self.grid.quantize(T)
        return codes + 1, T_hat + 1


def test_a_grid_whose_search_is_not_exact_is_no_fault_of_the_rounder():
    grid = Drifting(quipref.IntegerGrid())
    report = check_rounder(lambda W, H: grid.quantize(W)[1], tags=Tags(grid=grid), only=["grid_is_fixed"])
    assert report.passed == ["grid_is_fixed"]


def test_answers_that_differ_by_chance_are_shown_as_they_came():
    """Four pairs differ; a fifth, which would not, is not asked for."""
    pairs = iter(4 * [(np.zeros((1, 1)), np.ones((1, 1)))])
    with pytest.raises(CheckFailed, match=r"they differ; entry \(0, 0\) is 0 and 1$"):
        must_agree(Tags(), sample(Tags(), 1, 1), lambda W: next(pairs), "they differ")


def test_numbers_that_differ_are_told_apart():
    assert apart(1.0, 2.0) == "1 and 2"
    assert apart(0.7446613, 0.7446612) == "0.7446613 and 0.7446612"
    assert apart(1.0, 1 + 2.0**-52) == "1 and 1.0000000000000002"
