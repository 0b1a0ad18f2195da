"""OPTQ (GPTQ) on one symmetric grid a row; the same rounding as `ldlq`, computed in the authors' way."""

from quipref.hessian import damp
from quipref.methods import row_grid
from quipref.methods.ldlq import bound
from quipref.rounding.optq import optq

__all__ = ["bound", "quantize"]


def quantize(W, H, *, bits, seed, backend, threads, progress, damping=0.01, order="forward", clamp=True):
    """Round W (m, n), correcting later columns through the inverse of the damped H (n, n)."""
    grid = row_grid.fit(W, bits, clamp, backend, threads)
    W_hat = optq(W, damp(H, damping), round_to=grid, order=order, backend=backend, threads=threads)
    options = {"bits": bits, "seed": seed, "damping": damping, "order": order, "clamp": clamp}
    return row_grid.store(W_hat, grid, "optq", options)
