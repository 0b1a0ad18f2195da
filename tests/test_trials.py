"""One trial: what is measured beside which limit, and what a method that fails leaves behind."""

import sys
import time
from contextlib import suppress

import numpy as np
import pytest

import quipref as q
from quipref import bounds
from quipref.lattice.dither import E8Lattice
from quipref.rounding.grid import AffineGrid
from quipref.sweeps import trials
from quipref.testing.protocol import tags

POWER = {"method": "ldlq", "options": {}, "bits": None, "m": 3, "n": 8, "spectrum": "power", "basis": "haar", "seed": 5}


def layer(**changes):
    asked = POWER | changes
    return q.random_layer(asked["m"], asked["n"], spectrum=asked["spectrum"], basis=asked["basis"], seed=asked["seed"])


def test_ldlq_beside_theorem_one():
    W, H = layer()
    limit = 3 / 4 * q.ldl(H)[1].sum()
    loss = q.proxy_loss(W, q.ldlq(W, H), H)
    found = trials.answer(POWER)
    numbers = [found.pop(name) for name in ("measured", "limit", "ratio")]
    assert numbers == pytest.approx([loss, limit, loss / limit], rel=1e-12)
    assert found == {"bound": "worst_case", "error": None, "time_limit": None}


@pytest.mark.parametrize("method", ["nearest", "greedy"])
def test_nearest_and_greedy_beside_the_largest_eigenvalue(method):
    W, H = layer()
    W_hat = np.floor(W + 0.5) if method == "nearest" else q.greedy(W, H)
    found = trials.answer(POWER | {"method": method})
    assert found["measured"] == pytest.approx(q.proxy_loss(W, W_hat, H), rel=1e-12)
    assert (found["limit"], found["bound"]) == (
        pytest.approx(3 * 8 * np.linalg.eigvalsh(H)[-1] / 4, rel=1e-12),
        "plain_worst_case",
    )


def test_optq_is_ldlq():
    one, other = trials.answer(POWER | {"method": "optq"}), trials.answer(POWER)
    assert (one.pop("measured"), one.pop("ratio")) == pytest.approx((other.pop("measured"), other.pop("ratio")))
    assert one == other


def test_inequalities_about_h():
    _, H = layer()
    values, Q = np.linalg.eigh(H)
    root = (Q * np.sqrt(values)) @ Q.T
    trace_D, mu = q.ldl(H)[1].sum(), np.sqrt(8) * np.abs(Q).max()
    for lemma, limit in (
        ("root_trace", bounds.root_trace(np.trace(root), root.diagonal().max())),
        ("incoherent_trace", bounds.incoherent_trace(mu, 8, np.trace(root))),
    ):
        found = trials.answer(POWER | {"method": lemma})
        assert (found["measured"], found["limit"]) == pytest.approx((trace_D, limit), rel=1e-9)
        assert (found["bound"], found["error"]) == (lemma, None)


@pytest.mark.parametrize(("clamp", "bound"), [(False, "worst_case"), (True, None)])
def test_a_published_method_at_some_bits(clamp, bound):
    W, H = layer()
    found = trials.answer(POWER | {"bits": 2, "options": {"clamp": clamp}})
    quantized = q.quantize(W, H, method="ldlq", bits=2, seed=5, clamp=clamp)
    assert found["measured"] == pytest.approx(q.proxy_loss(W, quantized.dequantize(np.float64), H), rel=1e-12)
    assert found["bound"] == bound
    assert (found["limit"] is None, found["ratio"] is None) == (clamp, clamp)


def test_nearest_without_the_clamp_has_its_own_bound():
    found = trials.answer(POWER | {"method": "nearest", "bits": 2, "options": {"clamp": False}})
    assert found["bound"] == "plain_worst_case"
    assert 0 < found["ratio"] < 1


def fails_badly(W, H):
    raise BaseException("first line\nsecond line")


def hangs(W, H):
    while True:
        with suppress(Exception):
            time.sleep(10)


class TestRoundersOfOnesOwn:
    def test_it_is_measured_beside_theorem_one(self):
        assert trials.answer(POWER, lambda W, H: q.ldlq(W, H)) == trials.answer(POWER)

    def test_another_bound_may_be_promised(self):
        mine = tags(promises=("no_worse_than_nearest", "plain_worst_case"))(lambda W, H: np.floor(W + 0.5))
        assert trials.answer(POWER, mine) == trials.answer(POWER | {"method": "nearest"})

    def test_a_step_scales_the_layer_and_the_bound(self):
        grid = AffineGrid(0.5, 0.0, None, None)
        mine = tags(grid=grid)(lambda W, H: q.ldlq(W, H, round_to=grid))
        found, usual = trials.answer(POWER, mine), trials.answer(POWER)
        assert found["ratio"] == pytest.approx(usual["ratio"], rel=1e-12)
        assert found["limit"] == pytest.approx(usual["limit"] / 4, rel=1e-12)

    @pytest.mark.parametrize(
        "facts", [{"grid": q.IntegerGrid(0, 3)}, {"grid": "fitted"}, {"grid": E8Lattice(), "block": 8}]
    )
    def test_no_theorem_for_grids_that_end_or_blocks(self, facts):
        found = trials.answer(POWER, tags(**facts)(lambda W, H: W))
        assert found == {"measured": 0.0} | dict.fromkeys(("limit", "ratio", "bound", "error", "time_limit"))

    def test_columns_that_are_rounded_together_have_the_bound_of_one_at_a_time(self):
        assert trials.answer(POWER, tags(block=2)(lambda W, H: q.ldlq(W, H))) == trials.answer(POWER)

    @pytest.mark.parametrize("promises", [(), ("plain_worst_case",)])
    def test_random_errors_reach_a_whole_step(self, promises):
        def mine(W, H, rng=None):
            return np.floor(W)

        usual = trials.answer(POWER, tags(promises=promises)(lambda W, H: mine(W, H)))
        found = trials.answer(POWER, tags(random=True, promises=promises)(mine))
        assert found["bound"] == f"stochastic_{usual['bound']}"
        assert (found["measured"], found["limit"]) == (usual["measured"], pytest.approx(4 * usual["limit"], rel=1e-12))

    def test_a_random_one_is_given_the_seed(self):
        seen = []

        @tags(random=True)
        def mine(W, H, rng):
            seen.append(rng)
            return W

        trials.answer(POWER, mine)
        assert seen == [5]

    def test_it_cannot_change_what_it_is_measured_on(self):
        def mine(W, H):
            W_hat = W + 1
            W[:], H[:] = 0, 0
            return W_hat

        _, H = layer()
        assert trials.answer(POWER, mine)["measured"] == pytest.approx(3 * H.sum(), rel=1e-12)

    def test_what_it_prints_is_no_result(self, capsys):
        trials.answer(POWER, lambda W, H: print("here") or W)
        assert capsys.readouterr() == ("", "here\n")

    @pytest.mark.parametrize(
        ("mine", "error"),
        [
            (lambda W, H: 1 / 0, "ZeroDivisionError: division by zero"),
            (lambda W, H: np.full_like(W, np.nan), "ValueError: W_hat must be finite"),
            (lambda W, H: W[:, 1:], "ValueError: W_hat must have the shape of W"),
            (lambda W, H: None, "TypeError: W_hat must hold real floating-point numbers"),
            (lambda W, H: W + 1e200, "OverflowError: the loss is"),
            (lambda W, H: sys.exit(3), "SystemExit: 3"),
            (fails_badly, "BaseException: first line"),
        ],
    )
    @pytest.mark.filterwarnings("ignore:overflow")
    def test_a_failure_is_a_record_too(self, mine, error):
        found = trials.answer(POWER, mine)
        said = found.pop("error")
        assert said.startswith(error) and "second" not in said
        assert set(found.values()) == {None}

    @pytest.mark.parametrize("error", [MemoryError, KeyboardInterrupt])
    def test_no_memory_and_an_interruption_are_no_results(self, error):
        def mine(W, H):
            raise error

        with pytest.raises(error):
            trials.answer(POWER, mine)

    def test_one_that_hangs_is_given_up(self):
        found = trials.answer(POWER, hangs, 0.1)
        assert (found.pop("error"), found.pop("time_limit")) == ("hung: no result within 0.1 s", 0.1)
        assert set(found.values()) == {None}
        assert trials.answer(POWER, lambda W, H: q.ldlq(W, H), 60) == trials.answer(POWER)

    def test_what_it_does_to_the_error_state_ends_with_it(self):
        def mine(W, H):
            np.seterr(divide="raise")
            return W

        before = np.geterr()
        trials.answer(POWER, mine)
        assert np.geterr() == before


def test_a_refusal_is_a_record_too():
    found = trials.answer(POWER | {"method": "optq", "spectrum": "low_rank"})
    assert found["error"].startswith("LinAlgError: H must be positive definite for optq")
    assert found["measured"] is None


def test_a_limit_of_zero_has_no_ratio():
    found = trials.answer(POWER | {"n": 1, "spectrum": "dead"})
    assert (found["measured"], found["limit"], found["ratio"]) == (0.0, 0.0, None)
