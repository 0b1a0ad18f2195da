"""What is drawn of a rounder: its losses beside those of known methods on the same layers, over the same bound."""

import json
import time

import numpy as np
import pytest

import quipref
from quipref.commands.check import _row
from quipref.problems import SPECTRA
from quipref.proxy import proxy_loss
from quipref.testing import Tags, random_losses
from quipref.testing.calling import Caller
from quipref.testing.tagged import sampled_layer

CLAMPED = quipref.IntegerGrid(-2, 1)
FINE = quipref.UniformGrid(np.array([[0.25]], np.float16), 3)
E8P = quipref.E8PQuantizer()


@pytest.fixture(autouse=True)
def few(monkeypatch):
    monkeypatch.setattr(random_losses, "SIZES", (4, 16))
    monkeypatch.setattr(random_losses, "SEEDS", 2)


def found(rounder, tags):
    records = random_losses.random_losses(Caller(rounder), "mine", tags)
    assert json.loads(json.dumps(records, allow_nan=False)) == records
    return records


def ratios(records, method):
    return [record["ratio"] for record in records if record["method"] == method]


def ldlq_on(grid):
    return lambda W, H: quipref.ldlq(W, H, round_to=grid)


@pytest.mark.parametrize(
    ("rounder", "tags"),
    [
        (quipref.ldlq, Tags()), (quipref.ldlq, Tags(block=2)), (ldlq_on(CLAMPED), Tags(grid=CLAMPED)),
        (ldlq_on(FINE), Tags(grid=FINE)), (ldlq_on(E8P), Tags(grid=E8P, block=8)),
    ],
)  # fmt: skip
def test_ldlq_is_ldlq_whatever_the_grid(rounder, tags):
    records = found(rounder, tags)
    assert ratios(records, "mine") == ratios(records, "ldlq") != ratios(records, "nearest")
    assert records[-1]["method"] == "mine"
    assert all(record["n"] % tags.block == 0 and record["error"] == "" for record in records)


def test_all_are_divided_by_the_same_bound():
    """Also nearest rounding, whose own bound is larger."""
    records = found(lambda W, H: np.floor(W + 0.5), Tags())
    assert ratios(records, "mine") == pytest.approx(ratios(records, "nearest"), rel=1e-12)
    record = records[-1]
    W, H = sampled_layer(Tags(), record["seed"], record["n"], record["spectrum"])
    loss = proxy_loss(W, np.floor(W + 0.5), H)
    assert record["ratio"] == pytest.approx(loss / (len(W) / 4 * quipref.ldl(H)[1].sum()))


@pytest.mark.parametrize(
    ("tags", "words", "square"),
    [
        (Tags(), "m/4 tr D", 1 / 4),
        (Tags(random=True), "m tr D", 1.0),
        (Tags(grid=FINE), "m s^2/4 tr D", 1 / 64),
        (Tags(grid=FINE, random=True), "m s^2 tr D", 1 / 16),
        (Tags(grid="fitted"), "m/4 tr D", 1 / 4),
        (Tags(grid=E8P, block=8), "m/4 tr D", 1 / 4),
    ],
)
def test_the_denominator_is_what_it_is_called(tags, words, square):
    layer = sampled_layer(tags, 0)
    assert random_losses.formula(tags) == words
    assert random_losses.share(layer, tags) == pytest.approx(square * len(layer.W) * quipref.ldl(layer.H)[1].sum())


def test_blocks_have_a_bound_of_their_own():
    assert random_losses.formula(Tags(grid=quipref.E8Lattice(), block=8)) == "m sum_b |D_b|"
    assert random_losses.formula(Tags(grid=quipref.E8Lattice(0.5), block=8)) == "m/4 sum_b |D_b|"


def test_the_legend_says_whether_it_is_a_bound():
    assert _row(Tags()).line == "the bound, m/4 tr D" and _row(Tags()).mean[0] == 1 / 3
    assert _row(Tags(random=True)).mean == (1 / 6, "LDLQ's mean, m/6 tr D")
    assert _row(Tags(grid=quipref.E8Lattice(), block=8)).mean is None
    missing = [_row(tags).line for tags in (Tags(grid=CLAMPED), Tags(grid="fitted"), Tags(grid=E8P, block=8))]
    assert missing == [
        "m/4 tr D, no bound here: the grid ends",
        "m/4 tr D, no bound here: the grid is fitted",
        "m/4 tr D, no bound here: no theorem on this codebook",
    ]


def refusing(W, H):
    np.linalg.cholesky(H)
    return quipref.ldlq(W, H)


def test_a_refusal_is_a_record():
    errors = {(r["spectrum"], r["error"]) for r in found(refusing, Tags()) if r["method"] == "mine"}
    assert errors == {(s, "refused" if s in ("low_rank", "dead") else "") for s in SPECTRA}


def test_no_loss_is_a_ratio_of_zero():
    assert set(ratios(found(lambda W, H: W.copy(), Tags()), "mine")) == {0.0}


def test_one_that_always_fails_is_left_alone(monkeypatch):
    monkeypatch.setattr(random_losses, "PATIENCE", 2)
    calls = []

    def failing(W, H):
        calls.append(1)
        raise KeyError("x")

    records = found(failing, Tags())
    assert len(calls) == len(records) == 2 * len(SPECTRA)
    assert {(r["method"], r["error"], r["said"]) for r in records} == {("mine", "failed", "it raised KeyError: 'x'")}
    assert {r["error"] for r in found(lambda W, H: W * np.nan, Tags())} == {"failed"}


def test_one_that_hangs_is_not_asked_again(monkeypatch):
    monkeypatch.setattr(random_losses, "SECONDS", 0.05)
    records = found(lambda W, H: time.sleep(9) if W.shape[1] > 4 else W.round(), Tags())
    own = [record["error"] for record in records if record["method"] == "mine"]
    assert own == 2 * len(SPECTRA) * [""] + ["hung"]


def test_a_slow_one_is_shown_as_far_as_it_got(monkeypatch):
    monkeypatch.setattr(random_losses, "IN_ALL", 0.0)
    assert found(quipref.ldlq, Tags()) == []


class Broken:
    block, bits = 1, None

    def quantize(self, T, rng=None):
        raise RuntimeError("not yet")


def test_a_strangers_grid_may_raise():
    records = found(quipref.ldlq, Tags(grid=Broken()))
    assert {(r["method"], r["error"]) for r in records if r["method"] != "mine"} == {
        ("nearest", "failed"), ("ldlq", "failed"),
    }  # fmt: skip
