"""How the theorems state a claim that holds for all layers, and one that fails with a small probability."""

from hypothesis import given, settings
from scipy.stats import binom

USUAL, EXAMPLES = 100, 40  # Hypothesis' own number of examples, and what a theorem gets instead


def for_all(*strategies):
    """Hypothesis looks for a counterexample; a profile that asks for a number of examples of its own gets that."""
    asked = settings.default.max_examples
    return lambda test: settings(max_examples=EXAMPLES if asked == USUAL else asked)(given(*strategies)(test))


def most_by_chance(trials, delta):
    """What the number of events of probability delta (at most) stays within, but for one time in a million."""
    return int(binom.ppf(1 - 1e-6, trials, delta))
