"""An example of each picture of a rounder under test and of evidence about bounds, as in pictures.py."""

import numpy as np

from quipref.figures import evidence, harness
from quipref.problems import Layer
from quipref.testing.report import Outcome, Report

H3 = np.array([[1.0, 0.5, 0.0], [0.5, 2.0, -1.0], [0.0, -1.0, 4.0]])


def losing_layer():
    answers = {"nearest": np.zeros((1, 3)), "ldlq": np.ones((1, 3)), "mine": np.array([[0.0, 1.0, 1.0]])}
    losses = {"nearest": 0.4, "ldlq": 0.3, "mine": 0.9}
    return harness.losing_layer(Layer(np.array([[0.4, 0.6, 0.5]]), H3), answers, losses, {"m/4 tr D": 0.8})


def verdicts():
    """Every status once, and a check that does not apply to the second rounder."""
    statuses = list(harness.SIGNS)
    outcomes = [Outcome(f"check_{i}", "algebra", "", status) for i, status in enumerate(statuses)]
    reports = {"right": outcomes, "wrong": outcomes[::-1][1:]}
    return harness.verdicts({name: Report(name, None, tuple(found)) for name, found in reports.items()})


def cells():
    axis = np.linspace(-1.5, 1.5, 40)
    targets = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1)
    return harness.cells(axis, {"nearest": np.floor(targets + 0.5), "ceiling": np.ceil(targets)})


def worth():
    rng = np.random.default_rng(0)
    kinds = "power", "flat", "low_rank", "outlier", "dead"
    return evidence.worth({name: {kind: 10 ** rng.normal(size=9) for kind in kinds} for name in ("one", "other")})


def low_rank():
    ranks = 2 ** np.arange(7)
    found = np.outer(ranks, [0.01, 0.012, 0.013])
    return evidence.low_rank(64, ranks, found, 10 * found)


def random_and_found():
    random = np.random.default_rng(0).uniform(0.2, 0.5, (3, 30))
    panels = {"A theorem": (random, np.ones(3)), "Not a theorem": (random, np.array([4.0, 8.0, 16.0]))}
    return evidence.random_and_found([4, 8, 16], panels)


TOPICS = harness, evidence
EXAMPLES = {
    harness.losing_layer: losing_layer,
    harness.verdicts: verdicts,
    harness.cells: cells,
    evidence.worth: worth,
    evidence.low_rank: low_rank,
    evidence.random_and_found: random_and_found,
}
