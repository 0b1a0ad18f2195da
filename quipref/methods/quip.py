"""QuIP: make W and H incoherent, round with linear feedback on one grid for the whole layer, undo.

The paper's algorithm 3 is `quantize`; algorithm 1 is `incoherence_process`, algorithm 2 the layer's `transform`.
"""

import numpy as np

from quipref import bounds, checks
from quipref.factor import ldl
from quipref.incoherence.measure import root_mean_square
from quipref.incoherence.process import TRANSFORMS, incoherence_process
from quipref.methods import row_grid
from quipref.rounding.grid import UniformGrid, refuse_unstorable
from quipref.rounding.ldlq import ORDERS, ldlq
from quipref.rounding.ldlq_rg import ldlq_rg

RANGE = 2.4  # the published grid reaches so many root mean squares of the processed weights
STEPS = ("published", "optimum")
ROUNDERS = ("ldlq", "ldlq_rg", "nearest")


def quantize(
    W, H, *, bits, seed, backend, threads, progress, transform="kronecker", rescale=True, damping=0.01,
    step="published", rounder="ldlq", order="forward", clamp=True,
):  # fmt: skip
    """Round W (m, n) after incoherence processing; a seed gives the rotations of both sides."""
    checks.choice(transform, "transform", (*TRANSFORMS, None))
    checks.choice(step, "step", STEPS)
    checks.choice(rounder, "rounder", ROUNDERS)
    if checks.choice(order, "order", ORDERS) != "forward" and rounder != "ldlq":
        raise ValueError(
            f"order must be 'forward' for rounder={rounder!r}, which has an order of its own; {order!r} came."
        )
    processed = incoherence_process(W, H, transform=transform, seed=seed, rescale=rescale, damping=damping)
    fast = {"backend": backend, "threads": threads}

    def algorithm_3(W, H):
        grid = published_grid(W, bits, clamp) if step == "published" else optimum_grid(W, bits, clamp, **fast)
        if rounder == "ldlq":
            return grid, ldlq(W, H, round_to=grid, order=order, **fast)
        if rounder == "ldlq_rg":
            return grid, ldlq_rg(W, H, round_to=grid, **fast)
        return grid, grid.quantize(W)[1]

    grid, W_hat = processed.measure(algorithm_3)
    options = {"bits": bits, "seed": seed, "transform": transform, "rescale": rescale, "damping": damping}
    options |= {"step": step, "rounder": rounder, "order": order, "clamp": clamp}
    return row_grid.store(W_hat, grid, "quip", options, processed.transform)


def published_grid(W, bits, clamp=True):
    """QuIP's grid: 2^b levels from -2.4 rms(W) to 2.4 rms(W), one step for the tensor."""
    rms = root_mean_square(W)
    levels = 2 ** checks.integer(bits, "bits", low=1, high=8)
    with np.errstate(over="ignore"):
        step = np.array([[2 * RANGE * rms / (levels - 1)]]).astype(np.float16)
    refuse_unstorable(np.array([RANGE * rms]), step)
    return UniformGrid(step, bits, clamp=clamp)


def optimum_grid(W, bits, clamp=True, **fast):
    """One step for the tensor, that of 40 with the least squared error."""
    return UniformGrid.fit(W, bits, per="tensor", clamp=clamp, **fast)


def bound(layer, H):
    """m s^2/4 tr D with the D of the processed H (QuIP, theorem 1) for LDLQ without the clamp, else None.

    The processed H, by lemma 2 with mu of lemma 5, has tr D <= mu^2/n (tr H^1/2)^2.
    """
    options = layer.options
    if options["clamp"] or options["rounder"] != "ldlq":
        return None
    H = layer.transform.hessian(H, options["damping"])
    _, D = ldl(H if options["order"] == "forward" else H[::-1, ::-1])
    return row_grid.squared_steps(layer) * bounds.worst_case(layer.shape[0], D.sum())
