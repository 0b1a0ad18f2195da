"""LDLQ on one symmetric grid a row: QuIP without its incoherence processing."""

from quipref import bounds
from quipref.factor import ldl
from quipref.hessian import damp
from quipref.methods import row_grid
from quipref.rounding.ldlq import ldlq


def quantize(W, H, *, bits, seed, backend, threads, progress, damping=0.01, order="forward", clamp=True):
    """Round W (m, n) with linear feedback from the LDL factor of the damped H (n, n)."""
    grid = row_grid.fit(W, bits, clamp, backend, threads)
    W_hat = ldlq(W, damp(H, damping), round_to=grid, order=order, backend=backend, threads=threads)
    options = {"bits": bits, "seed": seed, "damping": damping, "order": order, "clamp": clamp}
    return row_grid.store(W_hat, grid, "ldlq", options)


def bound(layer, H):
    """s^2/4 tr D summed over the rows (QuIP, theorem 1), with the D of the damped H; none with the clamp.

    The loss under H is no larger than the loss under the damped H.
    """
    if layer.options["clamp"]:
        return None
    H = damp(H, layer.options["damping"])
    _, D = ldl(H if layer.options["order"] == "forward" else H[::-1, ::-1])
    return row_grid.squared_steps(layer) * bounds.worst_case(1, D.sum())
