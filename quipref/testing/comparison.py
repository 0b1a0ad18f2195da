"""A rounder's mean loss against another's on the same random layers: better, worse, or not told apart by so many."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from quipref.problems import Layer
from quipref.proxy import proxy_loss
from quipref.testing.checks.registry import Budget, CheckFailed, OutOfTime
from quipref.testing.protocol import Tags
from quipref.testing.slack import quadratic_slack
from quipref.testing.tagged import drawn_layers, sampled_layer

LAYERS_AN_EXAMPLE = 4  # an average needs more layers than a search for a counterexample
FEWEST = 10
WIDE = 5  # standard errors: by chance one comparison in a million goes so far


@dataclass(frozen=True)
class Comparison:
    """The paired difference of two mean losses, as a share of the second.

    Attributes
    ----------
    difference : float
        Mean of (loss - other loss), divided by the mean of the other.
    error : float
        Five standard errors of it.
    layers : int
    """

    difference: float
    error: float
    layers: int

    @property
    def verdict(self) -> Literal["better", "worse", "the same", "not told apart"]:
        """Better or worse where zero lies outside the interval; the same if no loss differed on any layer."""
        if self.difference == self.error == 0:
            return "the same"
        if abs(self.difference) <= self.error:
            return "not told apart"
        return "better" if self.difference < 0 else "worse"

    @property
    def figures(self) -> dict[str, Any]:
        """For a Finding."""
        return {
            "difference": self.difference, "five_standard_errors": self.error, "layers": self.layers,
            "verdict": self.verdict,
        }  # fmt: skip

    def against(self, other: str) -> str:
        """The sentence for the table."""
        interval = f"{self.difference:+.1%} +- {self.error:.1%} on {self.layers} layers"
        if self.verdict == "the same":
            return f"the same losses as {other} on {self.layers} layers"
        if self.verdict == "not told apart":
            return f"not told apart from {other} at this sample size: {interval}"
        return f"{self.verdict} than {other}: {interval}"


def compared(
    rounder: Callable[..., Any], tags: Tags, budget: Budget, other: Callable[[Layer, Tags, int], float]
) -> Comparison:
    """The rounder's loss against `other(layer, tags, rng)` on as many sampled layers as the budget has time for."""
    losses = []
    for i in range(LAYERS_AN_EXAMPLE * budget.max_examples):
        if not budget.left():
            break
        layer = sampled_layer(tags, budget.seed + i)
        W_hat = rounder(*layer, rng=i) if tags.random else rounder(*layer)
        losses.append((proxy_loss(layer.W, W_hat, layer.H), other(layer, tags, i + 1)))
    if len(losses) < min(FEWEST, LAYERS_AN_EXAMPLE * budget.max_examples):
        raise OutOfTime
    own, others = np.array(losses).T
    scale = others.mean() or 1.0
    error = WIDE * (own - others).std(ddof=1) / np.sqrt(len(own))
    return Comparison(float((own - others).mean() / scale), float(error / scale), len(own))


def fail_if_worse(
    found: Comparison, against: str, rounder: Callable[..., Any], tags: Tags, budget: Budget,
    other: Callable[[Layer, Tags, int], float],
) -> None:  # fmt: skip
    """Fail where the mean loss is worse, and show one small layer with a loss that is larger by a tenth."""
    if found.verdict != "worse":
        return
    message = f"the mean loss is {found.against(against)}"

    def holds(layer):
        W_hat, compare = rounder(*layer), other(layer, tags, 0)
        loss = proxy_loss(layer.W, W_hat, layer.H)
        if loss > 1.1 * compare + quadratic_slack(layer, W_hat):
            raise CheckFailed(f"{message}; on this layer it is {loss:.4g} and {compare:.4g}", layer)

    with suppress(OutOfTime):  # the verdict stands without an example
        budget.for_all(drawn_layers(tags), holds)
    raise CheckFailed(message)
