"""Greedy coordinate descent on the proxy loss, with the clamp inside each update."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from quipref import backend as backends
from quipref import checks
from quipref.factor import ldl
from quipref.rounding.ldlq import Order, arguments
from quipref.rounding.quantizer import Quantizer


def greedy(
    W: ArrayLike, H: ArrayLike, *, round_to: Quantizer | None = None, start: ArrayLike | None = None,
    passes: int = 10, order: Order = "forward", backend: backends.Backend = "numba", threads: int | None = None,
) -> NDArray[np.floating]:  # fmt: skip
    """Round one column at a time to the level that is best with all the others fixed; repeat.

    W_hat_j <- Q(W_hat_j + ((W - W_hat) H)_j / H_jj), swept over the columns until nothing moves.

    Parameters
    ----------
    W : array (m, n), real float
        The layer, in the units of the grid.
    H : array (n, n), real float
        Positive semidefinite. A column with H_jj = 0 is rounded to nearest.
    round_to : Quantizer
        A scalar grid with nearest rounding; default `IntegerGrid()`.
    start : array (m, n), optional
        Where the descent begins; default the layer rounded to nearest. Try `ldlq(W, H)`.
    passes : int
        Sweeps at most.
    order, backend, threads
        As in `ldlq`.

    Returns
    -------
    W_hat : array (m, n)
        On the grid, clamped: no single change of one entry lowers the loss, if the sweeps sufficed.

    Raises
    ------
    ValueError, TypeError
        As in `ldlq`, or a quantizer that is stochastic or has block > 1.
    numpy.linalg.LinAlgError
        H is indefinite.

    Notes
    -----
    From a start on the grid the loss never grows, since each update is the exact minimiser over the
    levels of one entry. The authors' program clamps after a whole sweep instead, and its loss can grow.

    References
    ----------
    QuIP, arXiv:2307.13304v2, the greedy updates ("QuIP-RG" and "Greedy") of the supplement.
    """
    W, H, round_to = arguments(W, H, round_to, order, threads)
    ldl(H)  # refuses an indefinite H, on which the descent would have no floor
    passes = checks.integer(passes, "passes", low=0)
    scalar_nearest(round_to, "greedy")
    if start is None:
        W_hat = round_to.quantize(W)[1]
    else:
        W_hat = checks.same_shape(checks.weights(start, "start"), "start", W, "W").astype(W.dtype)
    columns = np.arange(W.shape[1])[:: 1 if order == "forward" else -1]
    H = np.ascontiguousarray(H, W.dtype)
    G = (W - W_hat) @ H
    affine = round_to.affine(len(W), W.dtype) if backends.compiled(backend) and hasattr(round_to, "affine") else None
    if affine is None:
        descend(W_hat, G, W, H, columns, passes, round_to)
        return W_hat
    kernel = backends.twin("descend")
    backends.over_rows(
        len(W),
        threads,
        lambda first, last: kernel(W_hat, G, W, H, columns, passes, *affine, first, last),
    )
    return W_hat


def scalar_nearest(round_to, method):
    """Refuse a quantizer that is stochastic or rounds blocks: a descent needs the best level of one entry."""
    if round_to.block != 1 or getattr(round_to, "rounding", "nearest") != "nearest":
        raise ValueError(f"round_to must be a scalar grid with nearest rounding for {method}, but {round_to!r} came.")


def descend(W_hat, G, W, H, columns, passes, round_to):
    """Sweep over the columns, all rows together, keeping G = (W - W_hat) H; W_hat and G change in place."""
    for _ in range(passes):
        changed = False
        for j in columns:
            target = W_hat[:, j] + G[:, j] / H[j, j] if H[j, j] > 0 else W[:, j]
            value = round_to.quantize(target[:, None])[1][:, 0]
            move = value - W_hat[:, j]
            if move.any():
                changed = True
                W_hat[:, j] = value
                G -= np.outer(move, H[j])
        if not changed:
            break
