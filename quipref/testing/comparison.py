"""A rounder's mean loss against another's on the same random layers: better, worse, or not told apart by so many."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from quipref.problems import Layer
from quipref.proxy import proxy_loss
from quipref.testing.checks.registry import Budget, OutOfTime
from quipref.testing.protocol import Tags
from quipref.testing.tagged import sampled_layer

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
    example : Layer
        The one on which the rounder was worst, by that difference.
    """

    difference: float
    error: float
    layers: int
    example: Layer

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
    losses, example, most = [], None, -np.inf
    for i in range(LAYERS_AN_EXAMPLE * budget.max_examples):
        if not budget.left():
            break
        layer = sampled_layer(tags, budget.seed + i)
        W_hat = rounder(*layer, rng=i) if tags.random else rounder(*layer)
        losses.append((proxy_loss(layer.W, W_hat, layer.H), other(layer, tags, i + 1)))
        excess = losses[-1][0] - losses[-1][1]
        if excess > most:
            example, most = layer, excess
    if len(losses) < min(FEWEST, LAYERS_AN_EXAMPLE * budget.max_examples) or example is None:
        raise OutOfTime
    own, others = np.array(losses).T
    scale = others.mean() or 1.0
    error = WIDE * (own - others).std(ddof=1) / np.sqrt(len(own))
    return Comparison(float((own - others).mean() / scale), float(error / scale), len(own), example)
