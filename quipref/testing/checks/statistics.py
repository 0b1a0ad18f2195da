"""Fourth tier: the mean loss on random layers beside that of known methods, on the same layers and the same grid.

A random rounder is held against methods that round stochastically. Intervals are five standard errors of the paired
difference; a verdict needs zero outside of it. Only nearest rounding has to be matched: the others measure.
"""

from quipref.testing import loss_bounds
from quipref.testing.checks.conditions import fair_to_rotations, has_grid, known_cells
from quipref.testing.checks.registry import Finding, check
from quipref.testing.comparison import compared, fail_if_worse


def told(comparison, other, otherwise="measured"):
    """A Finding with the verdict; `otherwise` where the two were told apart."""
    verdict = "not_told_apart" if comparison.verdict == "not told apart" else otherwise
    return Finding(comparison.figures, verdict, comparison.against(other))


@check("statistics", when=has_grid, against=loss_bounds.nearest)
def check_average_against_nearest(rounder, tags, budget):
    """On average over default random layers the loss is no larger than nearest rounding's, by five standard errors.

    What a rounder that looks at H is for (QuIP, arXiv:2307.13304v2, theorem 1); one that does not is held to the same.
    """
    found = compared(rounder, tags, budget, loss_bounds.nearest)
    other = "stochastic rounding without feedback" if tags.random else "nearest rounding"
    fail_if_worse(found, other, rounder, tags, budget, loss_bounds.nearest)
    return told(found, other, "passed")


@check("statistics", when=has_grid, against=loss_bounds.of_ldlq)
def check_average_against_ldlq(rounder, tags, budget):
    """The mean loss beside that of LDLQ on the same grid, from left to right: better, worse or not told apart."""
    return told(compared(rounder, tags, budget, loss_bounds.of_ldlq), "LDLQ")


@check("statistics", when=fair_to_rotations, against=loss_bounds.of_quip)
def check_average_against_quip(rounder, tags, budget):
    """The mean loss beside that of QuIP: LDLQ on the same grid after a random rotation of inputs and outputs.

    It does not apply to evenly spaced values that end: layers are drawn evenly over these, as suits them and no rotated
    weights, which become Gaussian and leave the grid. Other codebooks get Gaussian weights, which stay so when rotated.
    """
    return told(compared(rounder, tags, budget, loss_bounds.of_quip), "QuIP")


@check("statistics", when=known_cells)
def check_average_against_bound(rounder, tags, budget):
    """The mean loss beside m/12 tr D, or m/6 tr D if random, which is LDLQ's mean: QuIP, theorem 1."""
    formula = "m/6 tr D" if tags.random else "m/12 tr D"
    return told(compared(rounder, tags, budget, loss_bounds.average_case), formula)
