"""Second tier: equalities that hold whatever the rounder's idea is. QuIP is arXiv:2307.13304v2."""

import numpy as np
from hypothesis import strategies as st

from quipref.problems import Layer
from quipref.testing.checks.conditions import has_grid, rounds_to_nearest, separable
from quipref.testing.checks.registry import CheckFailed, Finding, check
from quipref.testing.checks.samples import must_agree, sample, slack
from quipref.testing.tagged import drawn_layers

LARGE = 2.0**26  # steps of the grid: integers that single precision does not have


def on_grid(W, tags):
    """W block by block through the grid's quantizer, for any number of columns."""
    grid, W = tags.quantizer, np.asarray(W, np.float64)
    blocks = [grid.quantize(W[:, a : a + grid.block], 0)[1] for a in range(0, W.shape[1], grid.block)]
    return np.concatenate(blocks, axis=1)


def nearest_or_fail(layer, W_hat, tags, message):
    """Each block of W_hat must be as near to W as the grid's own answer; at a tie either neighbour is right."""
    W, block = layer.W, tags.quantizer.block

    def distance(X):
        return np.square(X - W).reshape(len(W), -1, block).sum(axis=2)

    excess = distance(W_hat.astype(np.float64)) - distance(on_grid(W, tags))
    allowed = slack(W_hat, W) * (slack(W_hat, W) + 2 * np.sqrt(distance(on_grid(W, tags))))
    if (excess > allowed).any():
        row, column = np.argwhere(excess > allowed)[0] * (1, block)
        came = f"{W[row, column]:g} became {W_hat[row, column]:g} in row {row}, column {column}"
        raise CheckFailed(f"{message}; {came}", layer)


@check("algebra", when=has_grid)
def check_values_on_grid(rounder, tags, budget):
    """Every value of W_hat is one of the grid's: rounding it again changes nothing."""

    def holds(layer):
        W_hat = rounder(*layer)
        off = np.abs(on_grid(W_hat, tags) - W_hat)
        if (off > slack(W_hat)).any():
            row, column = np.unravel_index(off.argmax(), off.shape)
            where = f"W_hat[{row}, {column}] = {W_hat[row, column]:g} is not on the grid"
            raise CheckFailed(f"{where}, {tags.quantizer!r}; tag the grid it has, or grid='fitted'", layer)

    return Finding({"layers": budget.for_all(drawn_layers(tags), holds)})


@check("algebra", when=has_grid)
def check_grid_is_fixed(rounder, tags, budget):
    """A W that is on the grid stays as it is: no error is made, so none is fed back. Large weights as well."""

    def holds(layer, unit=1.0):
        Z = on_grid(unit * layer.W, tags)
        if not np.array_equal(on_grid(Z, tags), Z):
            return  # a quantizer whose search is not exact may not find its own point again
        W_hat = rounder(Z, layer.H)
        if (np.abs(W_hat - Z) > slack(W_hat, Z)).any():
            row, column = np.unravel_index(np.abs(W_hat - Z).argmax(), Z.shape)
            came = f"{Z[row, column]:g} became {W_hat[row, column]:g} in row {row}, column {column}"
            raise CheckFailed(f"a W on the grid must not change; {came}", Layer(Z, layer.H))

    tried = budget.for_all(drawn_layers(tags), holds)
    layer = sample(tags)
    holds(layer, min(LARGE, float(np.finfo(rounder(*layer).dtype).max) / 2**12))  # half precision ends at 65504
    return Finding({"layers": tried + 1})


@check("algebra", when=rounds_to_nearest)
def check_one_block(rounder, tags, budget):
    """With one block of columns there is nobody to feed an error to: W_hat is the nearest point of the grid."""

    def holds(layer):
        first = Layer(layer.W[:, : tags.block], np.eye(tags.block) * layer.H[0, 0])
        nearest_or_fail(first, rounder(*first), tags, "one block must be rounded to nearest")

    return Finding({"layers": budget.for_all(drawn_layers(tags), holds)})


@check("algebra", when=rounds_to_nearest)
def check_diagonal_is_nearest(rounder, tags, budget):
    """With H = I, and with any diagonal H that is constant within the blocks, W_hat is W rounded to nearest.

    The loss is then a sum over blocks, the feedback U is zero. (QuIP, section 3: H = (U + I) D (U + I)^T.)
    """

    def holds(drawn):
        layer, identity = drawn
        d = np.repeat(layer.H.diagonal()[:: tags.block], tags.block)
        layer = Layer(layer.W, np.diag(np.ones_like(d) if identity else d))
        nearest_or_fail(layer, rounder(*layer), tags, "with a diagonal H, W must be rounded to nearest")

    return Finding({"layers": budget.for_all(st.tuples(drawn_layers(tags), st.booleans()), holds)})


@check("algebra", when=separable)
def check_rows_alone(rounder, tags, budget):
    """Each row alone is rounded as it is among the others: tr(E H E^T) is a sum over the rows of E = W_hat - W."""

    def holds(layer):
        def answers(W):
            return rounder(W, layer.H), np.concatenate([rounder(W[i : i + 1], layer.H) for i in range(len(W))])

        must_agree(tags, layer, answers, "a row is rounded differently among the others and alone")

    return Finding({"layers": budget.for_all(drawn_layers(tags), holds)})


@check("algebra", when=separable)
def check_rows_permuted(rounder, tags, budget):
    """W with its rows in another order gives W_hat with its rows in that order."""

    def holds(layer):
        def answers(W):
            return rounder(W, layer.H)[::-1], rounder(W[::-1].copy(), layer.H)

        must_agree(tags, layer, answers, "W_hat differs when the rows of W are reversed and put back")

    return Finding({"layers": budget.for_all(drawn_layers(tags, m=3), holds)})


@check("algebra")
def check_scale_of_hessian(rounder, tags, budget):
    """A multiple of H gives the same W_hat: the loss of every candidate is multiplied by the same number."""

    def holds(drawn):
        layer, power = drawn

        def answers(W):
            return rounder(W, layer.H), rounder(W, layer.H * 2.0**power)

        must_agree(tags, layer, answers, f"W_hat differs between H and 2^{power} H")

    powers = st.sampled_from([1, -1, 4, -4, 12, -12])
    tried = budget.for_all(st.tuples(drawn_layers(tags), powers), holds)
    for power in (12, -12):  # small layers may be rounded alike by chance
        holds((sample(tags, 8, 8), power))
    return Finding({"layers": tried + 2})
