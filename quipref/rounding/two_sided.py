"""YAQA's rounding: LDLQ from both sides, when an error has a price by its row as well as by its column."""

from contextlib import contextmanager

import numpy as np
from numpy.typing import ArrayLike, NDArray

from quipref import backend as backends
from quipref import checks
from quipref.rounding.ldlq import ORDERS, Order, column_order, feedback_factor, ldlq, quantizer
from quipref.rounding.quantizer import Quantizer

TILE = 64  # rows and columns that the compiled twin rounds together


def two_sided_ldlq(
    W: ArrayLike, H_in: ArrayLike, H_out: ArrayLike, *, round_to: Quantizer | None = None, order: Order = "forward",
    rng: int | np.random.Generator | None = None, backend: backends.Backend = "numba", threads: int | None = None,
) -> NDArray[np.floating]:  # fmt: skip
    """Round W entry by entry, feeding the finished entries' errors along the rows and down the columns.

    W_hat_ij = Q(T_ij),    T = W + U_out^T E + E U_in + U_out^T E U_in,    E = W - W_hat.

    Parameters
    ----------
    W : array (m, n), real float
        The layer, in the units of the grid.
    H_in : array (n, n), real float
        Second moment of the inputs, positive semidefinite: the H of `ldlq`.
    H_out : array (m, m), real float
        The same for the outputs, as the second moment of their gradients. Diagonal: `ldlq`, to the bit.
    round_to : Quantizer
        What rounds `block` weights of a row together; default `IntegerGrid()`.
    order : "forward" or "backward"
        From the first row and column, or from the last of both, as in the paper.
    rng : int or Generator
        For stochastic quantizers.
    backend : "numba" or "numpy"
        In compiled tiles, or entry by entry.
    threads : int, optional
        As in `ldlq` where H_out is diagonal. Otherwise each entry waits for the one above, and one thread rounds.

    Returns
    -------
    W_hat : array (m, n)
        On the grid; float32 for float32 W, else float64.

    Raises
    ------
    ValueError, TypeError
        Shapes that disagree, NaN, a wrong dtype or name, a block that does not divide n.
    numpy.linalg.LinAlgError
        H_in or H_out is indefinite.

    Notes
    -----
    With H_in = (U_in + I) D_in (U_in + I)^T and H_out likewise, eta = (U_out + I)^T E (U_in + I) is what
    rounding did to the targets T, and the loss tr(E^T H_out E H_in), of `proxy_loss(..., H_out=H_out)`, is
    sum_ij D_out,i D_in,j eta_ij^2. On the integers that is at most tr D_out tr D_in / 4, and a twelfth on
    average; with H_in alone, `ldlq` has tr H_out tr D_in / 12.

    It is LDLQ twice over: row i is `ldlq` of the moved row V_i = W_i + sum_{p<i} (U_out)_pi E_p.

    A grid goes through the compiled twin; any other quantizer is asked entry by entry, or block by block.
    Cost: both factorisations and m n (m + n) / 2 products, three times `ldlq` on a square layer.

    References
    ----------
    YAQA, arXiv:2505.22988. The convention is QuIP's: the paper factors with lower triangles.

    Examples
    --------
    >>> import numpy as np
    >>> W, H = np.array([[0.4, 0.4], [0.4, 0.4]]), np.array([[1.0, 0.9], [0.9, 1.0]])
    >>> print(two_sided_ldlq(W, H, np.eye(2)), two_sided_ldlq(W, H, H))
    [[0. 1.]
     [0. 1.]] [[0. 1.]
     [1. 0.]]
    """
    W = checks.weights(W)
    m, n = W.shape
    H_in, H_out = checks.symmetric(H_in, "H_in", n=n), checks.output_moment(H_out, m)
    checks.choice(order, "order", ORDERS)
    backends.thread_count(threads)
    round_to = quantizer(round_to, n)
    rows, columns = column_order(m, 1, order), column_order(n, round_to.block, order)
    with _refusals_naming("H_out"):
        U_out = feedback_factor(H_out[rows][:, rows], 1, W.dtype)
    with _refusals_naming("H_in"):
        if not U_out.any():  # rows that do not meet are rounded together
            return ldlq(W, H_in, round_to=round_to, order=order, rng=rng, backend=backend, threads=threads)
        U_in = feedback_factor(H_in[columns][:, columns], round_to.block, W.dtype)
    ordered, round_to = np.ascontiguousarray(W[rows][:, columns]), _of_rows(round_to, rows, m)
    W_hat = np.empty_like(ordered)
    affine = round_to.affine(m, W.dtype) if backends.compiled(backend) and hasattr(round_to, "affine") else None
    if affine is not None:
        tiled(ordered, U_in, U_out, affine, W_hat)
    else:
        rng = None if rng is None else np.random.default_rng(rng)
        V, T = ordered.copy(), np.zeros_like(ordered)
        round_tile(ordered, V, T, U_in, U_out, 0, m, 0, n, round_to, rng, W_hat)
    return W_hat[rows][:, columns]  # each order is its own inverse


def round_tile(W, V, T, U_in, U_out, first_row, last_row, first, last, round_to, rng, W_hat):
    """Round columns first..last of rows first_row..last_row into W_hat, entry by entry; with all of both, the method.

    V holds W and what it has received from the rows before first_row, T what came from the columns before `first`.
    V receives what the rows of the tile feed into each other.
    """
    for i in range(first_row, last_row):
        above, row = slice(first_row, i), slice(i, i + 1)
        grid = _of_rows(round_to, row, len(W))
        # V_i = W_i + sum_{p<i} (U_out)_pi E_p
        V[i, first:last] += U_out[above, i] @ (W[above, first:last] - W_hat[above, first:last])
        for a in range(first, last, round_to.block):
            b = a + round_to.block
            # T_ij = V_ij + sum_{q<j} (V - W_hat)_iq (U_in)_qj
            target = V[row, a:b] + T[row, a:b] + (V[row, first:a] - W_hat[row, first:a]) @ U_in[first:a, a:b]
            W_hat[row, a:b] = grid.quantize(target, rng)[1]


def tiled(W, U_in, U_out, affine, W_hat):
    """The same in tiles: what comes from outside a tile is a matrix product, what is left the compiled twin's."""
    twin = backends.twin("round_tile")
    E, V, T = np.empty_like(W), np.empty_like(W), np.empty_like(W)
    m, n = W.shape
    for i in range(0, m, TILE):
        rows = slice(i, min(i + TILE, m))
        V[rows] = W[rows] + U_out[:i, rows].T @ E[:i]
        for j in range(0, n, TILE):
            columns = slice(j, min(j + TILE, n))
            T[rows, columns] = (V[rows, :j] - W_hat[rows, :j]) @ U_in[:j, columns]
            twin(W, V, T, U_in, U_out, rows.start, rows.stop, columns.start, columns.stop, *affine, W_hat)
        E[rows] = W[rows] - W_hat[rows]


def _of_rows(round_to, rows, m):
    """The quantizer of some of the m rows: a grid may have a step for each."""
    return round_to.of_rows(rows, m) if hasattr(round_to, "of_rows") else round_to


@contextmanager
def _refusals_naming(name):
    """What is refused as H is called by the name that it has here."""
    try:
        yield
    except np.linalg.LinAlgError as error:
        raise np.linalg.LinAlgError(f"{name}: {error}") from None
