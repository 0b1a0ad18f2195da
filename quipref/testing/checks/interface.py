"""First tier: a rounder takes and returns what a rounder should, by the statements of this project."""

import numpy as np

from quipref.problems import Layer
from quipref.testing.checks.conditions import has_grid, is_random
from quipref.testing.checks.registry import CheckFailed, Finding, Refused, check
from quipref.testing.checks.samples import JITTER, must_agree, sample
from quipref.testing.tagged import drawn_layers

LAST_BIT = 2.0**-52
SHAPES = ((1, 1), (1, 4), (5, 1), (3, 4), (4, 3), (2, 8))  # in units of the blocks


@check("interface")
def check_shape_and_dtype(rounder, tags, budget):
    """W_hat is a new finite NumPy array of W's shape and of a real float dtype, for m below, at and above n."""
    for seed, (m, n) in enumerate(SHAPES):
        rounder(*sample(tags, m, n, seed))


@check("interface")
def check_finite_on_drawn_layers(rounder, tags, budget):
    """W_hat is finite and no error is raised on any layer; H is positive definite unless singular ones are handled."""

    def holds(layer):
        rounder(*layer)

    return Finding({"layers": budget.for_all(drawn_layers(tags), holds)})


@check("interface")
def check_inputs_unchanged(rounder, tags, budget):
    """Neither W nor H is written to."""
    for seed in range(3):
        layer = sample(tags, seed=seed)
        rounder(*layer)
        changed = rounder.ask(*layer).changed
        if changed:
            raise CheckFailed(f"it wrote to the caller's {' and '.join(changed)}; copy first", layer)


@check("interface")
def check_result_is_new(rounder, tags, budget):
    """W_hat is the caller's own: no view of W or H, and not overwritten by the next call."""
    for seed in range(3):
        layer = sample(tags, seed=seed)
        rounder(*sample(tags, seed=seed + 3))
        answer = rounder.ask(*layer)
        if answer.shares:
            raise CheckFailed(f"it returned a view of {' and '.join(answer.shares)}; return a copy", layer)
        if answer.overwrote:
            raise CheckFailed("the result of the call before changed; allocate W_hat anew in each call", layer)


@check("interface")
def check_layout(rounder, tags, budget):
    """W_hat does not depend on how W and H lie in memory: by columns, with strides, or read-only."""
    layer = sample(tags)
    for layout in ("fortran", "strided", "read_only"):
        must_agree(
            tags, layer, lambda W, layout=layout: (rounder(W, layer.H), rounder(W, layer.H, layout=layout)),
            f"W_hat differs for {layout} arrays",
        )  # fmt: skip


@check("interface")
def check_float32(rounder, tags, budget):
    """A float32 layer is rounded too and, off the ties and with a known grid, to the values of the same in float64."""
    layer = Layer(*(X.astype(np.float32) for X in sample(tags)))
    if tags.random or tags.quantizer is None:
        rounder(*layer)
        return

    def answers(W):
        W = W.astype(np.float32)
        return rounder(W, layer.H).astype(np.float32), rounder(W.astype(np.float64), layer.H.astype(np.float64))

    must_agree(tags, layer, answers, "W_hat differs between float32 and float64")


@check("interface")
def check_deterministic(rounder, tags, budget):
    """The same W, H and seed give the same W_hat to the bit, also after a call with other ones."""
    layer, other = sample(tags, seed=1), sample(tags, 2, 3, seed=2)
    first = rounder(*layer)
    rounder(*other)
    for _ in range(3):
        if not np.array_equal(first, rounder(*layer)):
            how = "the same rng" if tags.random else "no rng (if it is random, tag it random=True)"
            raise CheckFailed(f"W_hat differs between two calls with {how}; keep no state between calls", layer)


@check("interface", when=has_grid)
def check_no_memory(rounder, tags, budget):
    """A W that has come before is rounded anew with another H: as one that is moved a little and has never come."""
    layer, H = sample(tags, 8, 8, seed=1), sample(tags, 8, 8, seed=2).H

    def answers(W):
        rounder(W, H)
        again, anew = rounder(W, layer.H), rounder(W + JITTER**2 * tags.unit, layer.H)
        return again, np.where(np.abs(anew - again) < JITTER * tags.unit, again, anew)  # off the grid it moves with W

    must_agree(tags, layer, answers, "W_hat differs after a call with the same W and another H; keep no results")


@check("interface")
def check_last_bits_of_hessian(rounder, tags, budget):
    """H is symmetric to rounding, not more: another last bit on one side of the diagonal changes nothing off the ties.

    A product X^T X may come so; `quipref` refuses an asymmetry above 1e-6 of its largest entry.
    """
    layer = sample(tags, 8, 8)
    H = layer.H
    above = np.triu(np.ones(H.shape, bool), 1)
    for name, bent in (
        ("above", np.where(above, H * (1 + LAST_BIT), H)),
        ("below", np.where(above.T, H * (1 + LAST_BIT), H)),
    ):
        must_agree(
            tags, layer, lambda W, bent=bent: (rounder(W, layer.H), rounder(W, bent)),
            f"W_hat differs when the last bits of H {name} the diagonal do",
        )  # fmt: skip


@check("interface", when=is_random)
def check_generator(rounder, tags, budget):
    """A random rounder takes a Generator for `rng` as well as an int, and draws from it alone."""
    layer = sample(tags, 8, 8)
    first, second = (rounder(*layer, rng=np.random.default_rng(7)) for _ in range(2))
    if not np.array_equal(first, second):
        raise CheckFailed("W_hat differs between two calls with the same Generator; draw from rng alone", layer)


@check("interface")
def check_singular(rounder, tags, budget):
    """With a singular H - low rank, a dead channel, zero - W_hat is finite or a LinAlgError or ValueError refuses H."""
    refused = None
    for seed, spectrum in enumerate(("low_rank", "dead", "zero")):
        W, H = sample(tags, seed=seed, spectrum="power" if spectrum == "zero" else spectrum)
        try:
            rounder(W, 0 * H if spectrum == "zero" else H)
        except Refused as refusal:
            refused = refused or refusal
    if refused:
        raise refused
