"""Looks for the layer on which a rounder loses most, as a multiple of a bound: by climbing, and by construction."""

from dataclasses import dataclass

import hypothesis
import numpy as np
from hypothesis import HealthCheck, Phase, Verbosity

from quipref import checks
from quipref.problems import Layer
from quipref.proxy import proxy_loss
from quipref.rounding.grid import AffineGrid
from quipref.testing.calling import Caller
from quipref.testing.checks.registry import Budget, CheckFailed, Hung
from quipref.testing.guard import Guarded
from quipref.testing.hermetic import without_local_constants
from quipref.testing.loss_bounds import BOUNDS, NEEDS_CELLS, cell_radius
from quipref.testing.own_edges import at_own_edges
from quipref.testing.paste import pasteable
from quipref.testing.protocol import Rounder, Tags, tags_of
from quipref.testing.slack import quadratic_slack
from quipref.testing.tagged import drawn_layers, shape_unit
from quipref.testing.worst_cases import constructed


@dataclass(frozen=True)
class WorstLayer:
    """The worst layer that was found.

    Attributes
    ----------
    layer : Layer
    ratio : float
        Its loss over the bound; infinite where the bound is zero and the loss is not.
    found_by : str
        "climbing", or the construction.
    """

    layer: Layer
    ratio: float
    found_by: str

    @property
    def code(self) -> str:
        """Code that rebuilds the layer, to paste into a test."""
        return pasteable(self.layer)


def worst_layer(
    rounder: Rounder, n: int, *, bound: str = "worst_case", m: int = 1, max_examples: int = 200, seed: int = 0,
    tags: Tags | None = None,
) -> WorstLayer:  # fmt: skip
    """The layer with the largest ratio of the rounder's loss to a bound, of all that were tried.

    max over (W, H) of tr((W_hat - W) H (W_hat - W)^T) / bound(W, H)

    Parameters
    ----------
    rounder : callable
        (W, H) -> W_hat.
    n : int
        Columns of the layer, a multiple of the rounder's block.
    bound : str
        ``"worst_case"`` (m/4 tr D on the integers), ``"worst_case_backward"`` (the same from right to left),
        ``"trace"`` (m/4 tr H), ``"plain_worst_case"`` (m n lambda_max / 4), ``"average_case"`` (m/12 tr D), or the
        loss on the same layer of ``"nearest"`` or ``"ldlq"`` with the same grid. The first four are four times that
        for a random rounder, m tr D and so on, as its errors reach a whole step.
    m : int
        Rows, a multiple of the rows of the grid's tiles.
    max_examples : int
        Layers that are drawn; those that are constructed come on top, some 50.
    seed : int
        The same seed finds the same layer, another one a better or a worse one: see the notes. It is also the `rng`
        of a random rounder.
    tags : Tags, optional
        As in `check_rounder`.

    Returns
    -------
    WorstLayer
        (layer, ratio, found_by). No proof: there may be worse ones.

    Raises
    ------
    ValueError, TypeError
        An unknown bound, or one that the grid does not have; a size that is no multiple of a block.
    CheckFailed
        The rounder raised an error, hung, or returned no finite array of W's shape.

    Notes
    -----
    Hypothesis draws layers and climbs the ratio. Constructed are: W = eta (U + I)^-1 with eta = +-1/2, which attains
    LDLQ's worst case; the same for the feedback and the order of columns that the rounder has, found by asking which
    columns answer which, and where its answers jump; signs that make the errors of plain rounding agree; H = 1 1^T; and
    QuIP's counterexample for grids that end.

    The seed decides the H of most constructions and the signs of eta, and all that is drawn. Where a bound is kept
    and attained, as by LDLQ, every seed comes to the same ratio. Where it is broken there often is no worst layer:
    the more singular H, the larger the ratio, and seeds differ by as much as they differ in that, up to a hundred
    times. Ask several, and take such a ratio for a proof that the bound is broken, not for a measure of by how much.

    The bounds of theorems are as if the grid had no end, so a clamped rounder may be far above them.

    References
    ----------
    QuIP, arXiv:2307.13304v2, theorem 1, lemma 3 and the supplement; QuIP#, arXiv:2402.04396v2, after theorem 4.1.

    Examples
    --------
    >>> def nearest(W, H):
    ...     return np.floor(W + 0.5)
    >>> worst = worst_layer(nearest, 8, max_examples=10)
    >>> worst.ratio > 1
    True
    """
    said = tags_of(rounder, tags)
    m, n = checks.integer(m, "m", low=1), checks.integer(n, "n", low=1)
    checks.integer(max_examples, "max_examples", low=1)
    _refuse(n, m, bound, said)
    guarded, found = Guarded(Caller(rounder), said, seed=checks.integer(seed, "seed", low=0)), []

    def look(layer, found_by):
        try:
            W_hat = guarded(*layer)
        except Hung as hung:
            raise CheckFailed(hung.message, layer) from None
        loss, most = proxy_loss(layer.W, W_hat, layer.H), BOUNDS[bound](layer, said)
        noise = quadratic_slack(layer, W_hat)
        ratio = loss / most if most > noise else 0.0 if loss <= most + 2 * noise else np.inf
        if not found or ratio > found[-1].ratio:
            found.append(WorstLayer(layer, ratio, found_by))
        return ratio

    for name, layer in constructed(n, said, m, seed):
        look(layer, name)
    budget = Budget(max_examples, np.inf, seed)
    for W, H in at_own_edges(guarded, n, said, budget, backward=bound.endswith("backward")):
        look(Layer(np.tile(W, (m, 1)), H), "the edges of its own cells, found by asking (theorem 1 of QuIP)")
    _climb(lambda layer: look(layer, "climbing"), drawn_layers(said, n, m), max_examples, seed)
    return found[-1]


def _climb(ratio, layers, max_examples, start):
    """Let Hypothesis draw layers and raise their ratio."""
    quiet = hypothesis.settings(
        max_examples=max_examples, database=None, deadline=None, derandomize=False, verbosity=Verbosity.quiet,
        phases=(Phase.generate, Phase.target), suppress_health_check=list(HealthCheck),
    )  # fmt: skip

    def once(layer):
        hypothesis.target(min(ratio(layer), 1e300))

    with without_local_constants():
        hypothesis.seed(start)(quiet(hypothesis.given(layers)(once)))()


def _refuse(n, m, bound, tags):
    """Refuse a bound that the grid does not have, and sizes that are not made of whole blocks."""
    checks.choice(bound, "bound", tuple(BOUNDS))
    if tags.quantizer is None:
        raise ValueError("tags must name a grid for a bound, but grid='fitted' came. Tag the rounder with its grid.")
    if bound in NEEDS_CELLS and cell_radius(tags) is None:
        raise ValueError(
            f"bound must be 'nearest' or 'ldlq' for the grid {tags.quantizer!r}, since no theorem bounds its errors, "
            f"but {bound!r} came."
        )
    if bound == "average_case" and not (isinstance(tags.quantizer, AffineGrid) and tags.block == 1):
        raise ValueError(
            "bound must not be 'average_case', which is for one column at a time on evenly spaced values, but the grid "
            f"is {tags.quantizer!r} in blocks of {tags.block}. Take 'ldlq'."
        )
    for size, name, unit in zip((m, n), ("m", "n"), shape_unit(tags), strict=True):
        if size % unit:
            raise ValueError(f"{name} must be a multiple of {unit}, which is rounded together, but {size} came.")
