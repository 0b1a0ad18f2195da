"""How the theorems state a claim that holds for all layers."""

from hypothesis import given, settings

USUAL, EXAMPLES = 100, 40  # Hypothesis' own number of examples, and what a theorem gets instead


def for_all(*strategies):
    """Hypothesis looks for a counterexample; a profile that asks for a number of examples of its own gets that."""
    asked = settings.default.max_examples
    return lambda test: settings(max_examples=EXAMPLES if asked == USUAL else asked)(given(*strategies)(test))
