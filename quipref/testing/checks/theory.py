"""Third tier: the bounds of the theorems, layer by layer. A rounder is held to those it promises, and told of the rest.

QuIP is arXiv:2307.13304v2. On a grid of step s the integers' 1/4 and 1/12 are s^2/4 and s^2/12; a random rounder's
errors reach a whole step, which makes the 1/4 of the worst case 1. For blocks see `quipref.testing.loss_bounds`.
"""

import numpy as np
from hypothesis import target

from quipref.problems import Layer
from quipref.proxy import proxy_loss
from quipref.testing.checks.conditions import known_cells, same_grid, without_end
from quipref.testing.checks.registry import CheckFailed, Finding, check
from quipref.testing.comparison import compared
from quipref.testing.loss_bounds import BOUNDS, cell_radius, nearest
from quipref.testing.own_edges import at_own_edges, far_from_the_start
from quipref.testing.slack import feedback_slack, quadratic_slack
from quipref.testing.tagged import drawn_layers, shape_unit
from quipref.testing.worst_cases import GENERIC, constructed

DRAWS = 8  # of a random rounder on each constructed layer: on some, one in four breaks a bound that is not kept


def kept(rounder, tags, budget, name, formula, slack=feedback_slack):
    """The largest ratio of loss to bound over drawn and constructed layers; fails where it is above 1."""
    ratios = [0.0]

    def look(layer, rng=budget.seed if tags.random else None):
        """(ratio, the failure if the bound is broken); with that `rng`, if the rounder is random."""
        W_hat, bound = rounder(*layer, rng=rng), BOUNDS[name](layer, tags)
        loss = proxy_loss(layer.W, W_hat, layer.H)
        ratio = loss / bound if bound > 0 else 0.0
        if loss <= bound + slack(layer, W_hat, tags.unit):
            ratios.append(ratio)
            return ratio, None
        times = (f": {ratio:.4g} times as much" if bound > 0 else "") + (f", with rng={rng}" if tags.random else "")
        figures = {"times": ratio, "layers": len(ratios)}
        return ratio, CheckFailed(f"the loss is {loss:.6g}, {formula} is {bound:.6g}{times}", layer, figures)

    def holds(layer):
        ratio, failure = look(layer)
        if failure:
            raise failure
        target(ratio, label=name)

    def fail_on_worst(asked):
        broken = [(*look(*asking), asking) for asking in asked if budget.left()]
        ratio, worst, asking = max((found for found in broken if found[1]), default=(0, None, ()), key=lambda f: f[0])
        if worst:
            shorter = (look(layer, *asking[1:])[1] for layer in with_few_digits(worst.layer))
            raise next(filter(None, shorter), worst)

    (rows, columns), backward = shape_unit(tags), name.endswith("backward")
    for n in (2 * columns, 4 * columns, 8 * columns):  # these need no shrinking, so they come first
        fail_on_worst(with_draws(constructed(n, tags, rows, budget.seed), tags, budget))
    budget.for_all(drawn_layers(tags), holds)
    for n in (2, 4, 8):  # many questions a layer, so they come last
        fail_on_worst((layer,) for layer in edges_of(rounder, n, tags, budget, backward))
    if name.startswith("worst_case"):
        fail_on_worst((layer,) for layer in far_from_the_start(rounder, tags, budget, backward=backward))
    figures = {"largest_ratio": max(ratios), "layers": len(ratios) - 1}
    return Finding(figures, message=f"at most {max(ratios):.4f} of {formula}")


def with_draws(named, tags, budget):
    """(layer, rng) of several draws on each constructed layer and one on each random layer; (layer,) if not random."""
    for name, layer in named:
        draws = DRAWS if name != GENERIC else 1
        yield from ((layer, budget.seed + i) for i in range(draws)) if tags.random else ((layer,),)


def edges_of(rounder, n, tags, budget, backward):
    """`at_own_edges`, asked for once: the layers are the same for every bound."""
    key = "own edges", n, backward
    if key in rounder.memory:
        return rounder.memory[key]
    layers = list(at_own_edges(rounder, n, tags, budget, backward=backward))
    if not budget.cut_short:
        rounder.memory[key] = layers
    return layers


def with_few_digits(layer):
    """The layer with its numbers rounded to 1, 2, 3 and 4 decimals, where H stays positive definite."""
    for decimals in range(1, 5):
        W, H = (np.round(X, decimals) for X in layer)
        values = np.linalg.eigvalsh(H)
        if values[0] > 1e-6 * values[-1]:
            yield Layer(W, H)


def quarter(tags):
    """r^2, as the bounds have it: 1/4 on the integers."""
    square = cell_radius(tags) ** 2
    return {0.25: "m/4", 1.0: "m"}.get(square, f"{square:.3g} m")


def sum_of_pivots(tags):
    """Tr D, or what takes its place where blocks are rounded together."""
    return "tr D" if tags.quantizer.block == 1 else "sum_b |D_b|"


def blocks(tags):
    """The number of blocks in a row."""
    return "n" if tags.quantizer.block == 1 else f"n/{tags.quantizer.block}"


@check("theory", when=without_end)
def check_worst_case(rounder, tags, budget):
    """No layer loses more than m/4 tr D, H = (U + I) D (U + I)^T: QuIP, theorem 1, of LDLQ from left to right.

    More than m tr D if the rounder is random: then each error is below 1, not 1/2.
    """
    return kept(rounder, tags, budget, "worst_case", f"{quarter(tags)} {sum_of_pivots(tags)}")


@check("theory", when=without_end)
def check_worst_case_backward(rounder, tags, budget):
    """No layer loses more than m/4 tr D, H = L D L^T, L lower triangular: QuIP, theorem 1, from right to left.

    More than m tr D if the rounder is random.
    """
    return kept(
        rounder, tags, budget, "worst_case_backward", f"{quarter(tags)} {sum_of_pivots(tags)}, from right to left,"
    )


@check("theory", when=without_end)
def check_trace(rounder, tags, budget):
    """No layer loses more than m/4 tr H, or m tr H if random: weaker than either bound with tr D, as tr D <= tr H."""
    return kept(rounder, tags, budget, "trace", f"{quarter(tags)} tr H")


@check("theory", when=without_end)
def check_plain_worst_case(rounder, tags, budget):
    """No layer loses more than m n lambda_max / 4, nearest rounding's bound, or m n lambda_max if random.

    QuIP's lemma 3 has m/4 tr H, which is true of stochastic rounding's mean alone.
    """
    return kept(rounder, tags, budget, "plain_worst_case", f"{quarter(tags)} {blocks(tags)} lambda_max")


@check("theory", when=same_grid, against=nearest)
def check_no_worse_than_nearest(rounder, tags, budget):
    """No layer loses more than nearest rounding does on it.

    False of LDLQ, which is optimal in the worst layer and on average, not layer by layer; true of a descent that
    starts from nearest.
    """

    def slack(layer, W_hat, unit):
        return 2 * quadratic_slack(layer, W_hat)  # a descent compares such losses itself

    return kept(rounder, tags, budget, "nearest", "nearest rounding's loss", slack)


@check("theory", when=known_cells)
def check_average_case(rounder, tags, budget):
    """With weights that are uniform in their cells, the mean loss is at most m/12 tr D, or m/6 tr D if random.

    By five standard errors. LDLQ's equals it, and no other linear feedback has a smaller one (QuIP, theorem 1).
    """
    formula = "m/6 tr D" if tags.random else "m/12 tr D"
    found = compared(rounder, tags, budget, BOUNDS["average_case"])
    if found.verdict == "worse":  # no single layer shows it: half of all lie above their mean
        figures = {**found.figures, "times": 1 + found.difference}
        raise CheckFailed(f"the mean loss is {found.against(formula)}", figures=figures)
    return Finding(found.figures, message=found.against(formula))
