"""OPTQ (GPTQ): round a column, then move the others to where they best make up for its error."""

from typing import Literal, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from quipref import backend as backends
from quipref.factor import ldl
from quipref.rounding.blocked import blocked_feedback
from quipref.rounding.ldlq import Order, arguments, column_order, finish
from quipref.rounding.quantizer import Quantizer


@overload
def optq(
    W: ArrayLike, H: ArrayLike, *, round_to: Quantizer | None = None, order: Order = "forward",
    rng: int | np.random.Generator | None = None, backend: backends.Backend = "numba", threads: int | None = None,
    return_codes: Literal[False] = False,
) -> NDArray[np.floating]: ...  # fmt: skip
@overload
def optq(
    W: ArrayLike, H: ArrayLike, *, round_to: Quantizer | None = None, order: Order = "forward",
    rng: int | np.random.Generator | None = None, backend: backends.Backend = "numba", threads: int | None = None,
    return_codes: Literal[True],
) -> tuple[NDArray[np.floating], NDArray[np.integer]]: ...  # fmt: skip
def optq(
    W: ArrayLike, H: ArrayLike, *, round_to: Quantizer | None = None, order: Order = "forward",
    rng: int | np.random.Generator | None = None, backend: backends.Backend = "numba", threads: int | None = None,
    return_codes: bool = False,
) -> NDArray[np.floating] | tuple[NDArray[np.floating], NDArray[np.integer]]:  # fmt: skip
    """Round column by column; after each one, correct all later columns by the optimal update.

    e = (T_j - Q(T_j)) / C_jj,    T_{>j} <- T_{>j} - e C_{j,>j}    with    H^-1 = C^T C, C upper.

    Parameters
    ----------
    W : array (m, n), real float
        The layer, in the units of the grid.
    H : array (n, n), real float
        Second moment of the inputs, positive definite.
    round_to : Quantizer
        Default `IntegerGrid()`; its block must be 1.
    order, rng, backend, threads, return_codes
        As in `ldlq`.

    Returns
    -------
    W_hat : array (m, n)
        And the codes with `return_codes=True`.

    Raises
    ------
    numpy.linalg.LinAlgError
        H is singular, so that it has no inverse (`ldlq` needs none), or indefinite.
    ValueError, TypeError
        As in `ldlq`, or a quantizer with block > 1.

    Notes
    -----
    The result is that of `ldlq`, column for column, on any grid, clamped or not: QuIP's theorem 6.
    Two computations of one number can differ in the last bit, so the two part ways where a target
    lies within rounding noise of a tie. OPTQ's program adds up sum e^2 / 2; sum e^2 is the proxy loss.

    References
    ----------
    OPTQ, arXiv:2210.17323v2, algorithm 1; QuIP, arXiv:2307.13304v2, theorem 6.

    Examples
    --------
    >>> import numpy as np
    >>> H = np.array([[1.0, 0.9], [0.9, 1.0]])
    >>> optq(np.array([[0.4, 0.4]]), H)
    array([[0., 1.]])
    """
    W, H, round_to = arguments(W, H, round_to, order, threads)
    if round_to.block != 1:
        raise ValueError(
            f"round_to.block must be 1 for optq, but it is {round_to.block}. Use ldlq, which takes blocks."
        )
    columns = column_order(W.shape[1], 1, order)
    C = inverse_factor(H[columns][:, columns]).astype(W.dtype, copy=False)
    rng = None if rng is None else np.random.default_rng(rng)
    if backends.compiled(backend):
        X = np.triu(-C / C.diagonal()[:, None], 1)
        ordered = W if order == "forward" else W[:, columns]
        codes, W_hat = blocked_feedback(ordered, X, round_to, rng=rng, residual=True, threads=threads)
    else:
        codes, W_hat = textbook(W[:, columns], C, round_to, rng)
    return finish(W_hat, codes, order, round_to, return_codes)


def textbook(W, C, round_to, rng):
    """(codes, W_hat) by the definition: one column after the other, all later ones corrected at once."""
    T, W_hat, codes = W.copy(), np.empty_like(W), []
    for j in range(W.shape[1]):
        code, W_hat[:, j : j + 1] = round_to.quantize(T[:, j : j + 1], rng)
        codes.append(code)
        e = (T[:, j] - W_hat[:, j]) / C[j, j]
        T[:, j + 1 :] -= np.outer(e, C[j, j + 1 :])
    return (np.concatenate(codes, axis=1) if codes else np.empty(W.shape, np.int64)), W_hat


def inverse_factor(H):
    """The upper C with H^-1 = C^T C, in float64; refuses a singular H and names the way out.

    H = R R^T with R = (U + I) diag(D)^1/2, so C = R^-1. It is also the Cholesky factor of the explicit
    inverse, which is how OPTQ's program finds it; that way fails from a condition number of 1e8 on.
    """
    from scipy.linalg.lapack import dtrtri

    U, D = ldl(H)  # finds an indefinite H, and a singular one by its zero pivots
    zero = int((D == 0).sum())
    if zero:
        raise np.linalg.LinAlgError(
            f"H must be positive definite for optq, which needs its inverse; {zero} of its {len(H)} pivots are zero. "
            "Damp it: quipref.damp(H, 0.01), or use ldlq, which takes it as it is."
        )
    R = (U + np.eye(len(U))) * np.sqrt(D)
    return dtrtri(R)[0] if len(R) else R
