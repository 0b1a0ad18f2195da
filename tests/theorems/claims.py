"""How the theorems state a claim that holds for all layers."""

from hypothesis import given, settings

EXAMPLES = 40  # a claim; a profile that asks for fewer gets fewer


def for_all(*strategies):
    """Hypothesis looks for a counterexample among what the strategies draw."""

    def decorate(test):
        return settings(max_examples=min(EXAMPLES, settings.default.max_examples))(given(*strategies)(test))

    return decorate
