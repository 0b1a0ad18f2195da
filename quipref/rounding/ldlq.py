"""LDLQ: adaptive rounding with linear feedback from the LDL factor of H, and the class it is best in."""

from typing import Literal, get_args, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from quipref import backend as backends
from quipref import checks
from quipref.factor import block_ldl, ldl
from quipref.rounding.blocked import blocked_feedback
from quipref.rounding.grid import IntegerGrid
from quipref.rounding.quantizer import Quantizer

Order = Literal["forward", "backward"]
ORDERS = get_args(Order)


@overload
def ldlq(
    W: ArrayLike, H: ArrayLike, *, round_to: Quantizer | None = None, order: Order = "forward",
    rng: int | np.random.Generator | None = None, backend: backends.Backend = "numba", threads: int | None = None,
    return_codes: Literal[False] = False,
) -> NDArray[np.floating]: ...  # fmt: skip
@overload
def ldlq(
    W: ArrayLike, H: ArrayLike, *, round_to: Quantizer | None = None, order: Order = "forward",
    rng: int | np.random.Generator | None = None, backend: backends.Backend = "numba", threads: int | None = None,
    return_codes: Literal[True],
) -> tuple[NDArray[np.floating], NDArray[np.integer]]: ...  # fmt: skip
def ldlq(
    W: ArrayLike, H: ArrayLike, *, round_to: Quantizer | None = None, order: Order = "forward",
    rng: int | np.random.Generator | None = None, backend: backends.Backend = "numba", threads: int | None = None,
    return_codes: bool = False,
) -> NDArray[np.floating] | tuple[NDArray[np.floating], NDArray[np.integer]]:  # fmt: skip
    """Round W column by column, feeding the error of the finished columns into the next one.

    W_hat_k = Q(W_k + (W - W_hat)_{<k} U_{<k,k})    with    H = (U + I) D (U + I)^T.

    Parameters
    ----------
    W : array (m, n), real float
        The layer, in the units of the grid.
    H : array (n, n), real float
        Second moment of the inputs, positive semidefinite; singular is fine.
    round_to : Quantizer
        What rounds `block` columns together; default `IntegerGrid()`. With block > 1 the factor is
        `block_ldl`.
    order : "forward" or "backward"
        Left to right as in the papers, or right to left as in the authors' programs: the same
        algorithm on reversed columns, with another D.
    rng : int or Generator
        For stochastic quantizers.
    backend : "numba" or "numpy"
        Blocked and compiled, or the textbook loop.
    threads : int, optional
        Default: all cores this process may use.
    return_codes : bool
        Return the quantizer's codes as well.

    Returns
    -------
    W_hat : array (m, n)
        On the grid; float32 for float32 W, else float64.
    codes : array (m, n) or as the quantizer gives them
        With `return_codes=True`.

    Raises
    ------
    ValueError, TypeError
        Shapes that disagree, NaN, a wrong dtype or name, a block that does not divide n.
    numpy.linalg.LinAlgError
        H is indefinite.

    Notes
    -----
    With eta = (W - W_hat)(U + I), the rounding errors of the targets, the proxy loss is
    sum_k D_k |eta_k|^2, so on the integers it is at most m/4 tr D, and m/12 tr D on average. No
    method of the class `linear_feedback` has a smaller worst case or mean. With a clamped grid
    neither bound holds. H is factored in float64 whatever the dtype of W.

    Cost: the factorisation, and half a product W @ U.

    References
    ----------
    QuIP, arXiv:2307.13304v2, section 3 and theorem 1; the block form is QuIP#, arXiv:2402.04396v2, section 4.1.

    Examples
    --------
    >>> import numpy as np
    >>> H = np.array([[1.0, 0.9], [0.9, 1.0]])
    >>> ldlq(np.array([[0.4, 0.4]]), H)  # the error of the first column carries the second over 1/2
    array([[0., 1.]])
    """
    W, H, round_to = arguments(W, H, round_to, order, threads)
    columns = column_order(W.shape[1], round_to.block, order)
    U = feedback_factor(H if order == "forward" else H[columns][:, columns], round_to.block, W.dtype)
    ordered = W if order == "forward" else W[:, columns]
    codes, W_hat = feedback(ordered, U, round_to, rng, backend, threads)
    return finish(W_hat, codes, order, round_to, return_codes)


def linear_feedback(
    W: ArrayLike, X: ArrayLike, *, round_to: Quantizer | None = None,
    rng: int | np.random.Generator | None = None, backend: backends.Backend = "numba", threads: int | None = None,
) -> NDArray[np.floating]:  # fmt: skip
    """The class of methods that LDLQ is optimal in: W_hat = Q(W + (W - W_hat) X).

    Parameters
    ----------
    W : array (m, n), real float
    X : array (n, n), real float
        Strictly upper triangular: zero gives plain rounding, the factor U of H gives LDLQ.
    round_to, rng, backend, threads
        As in `ldlq`.

    Returns
    -------
    W_hat : array (m, n)

    Raises
    ------
    ValueError, TypeError
        As in `ldlq`, or X is not strictly (block) upper triangular.

    Notes
    -----
    With eta = (W - W_hat)(X + I), the errors of the targets, the loss is tr(eta B D B^T eta^T),
    where B = (X + I)^-1 (U + I).

    References
    ----------
    QuIP, arXiv:2307.13304v2, equation (2).
    """
    W = checks.weights(W)
    X = checks.real_array(X, "X", ndim=2)
    n = W.shape[1]
    if X.shape != (n, n):
        raise ValueError(f"X must be {n} x {n} to match the columns of W, but its shape is {X.shape}.")
    round_to = quantizer(round_to, n)
    backends.thread_count(threads)
    block_of = np.arange(n) // round_to.block
    if X[block_of[:, None] >= block_of].any():
        raise ValueError("X must be strictly upper triangular, but it has entries elsewhere. Use numpy.triu(X, 1).")
    return feedback(W, X.astype(W.dtype, copy=False), round_to, rng, backend, threads)[1]


def feedback(W, X, round_to, rng, backend, threads):
    """(codes, W_hat) with the feedback X; the compiled twin keeps no codes of a grid, None comes in their place."""
    rng = None if rng is None else np.random.default_rng(rng)
    if not backends.compiled(backend):
        return textbook(W, X, round_to, rng)
    return blocked_feedback(W, X, round_to, rng=rng, residual=False, threads=threads)


def textbook(W, X, round_to, rng):
    """(codes, W_hat) by the definition, one block of columns after the other."""
    W_hat, codes = np.empty_like(W), []
    for a in range(0, W.shape[1], round_to.block):
        b = a + round_to.block
        target = W[:, a:b] + (W[:, :a] - W_hat[:, :a]) @ X[:a, a:b]
        code, W_hat[:, a:b] = round_to.quantize(target, rng)
        codes.append(code)
    return (np.concatenate(codes, axis=1) if codes else np.empty(W.shape, np.int64)), W_hat


def arguments(W, H, round_to, order, threads) -> tuple[NDArray[np.floating], NDArray[np.floating], Quantizer]:
    """The checked arguments that LDLQ, OPTQ and greedy share."""
    W = checks.weights(W)
    H = checks.symmetric(H, n=W.shape[1])
    checks.choice(order, "order", ORDERS)
    backends.thread_count(threads)
    return W, H, quantizer(round_to, W.shape[1])


def quantizer(round_to, n):
    """`round_to`, by default all integers; refuses what is no Quantizer and a block that does not divide n."""
    round_to = IntegerGrid() if round_to is None else round_to
    if isinstance(round_to, type) or not hasattr(round_to, "quantize") or not hasattr(round_to, "block"):
        raise TypeError(f"round_to must be a Quantizer such as quipref.IntegerGrid(), but {round_to!r} came.")
    if n % round_to.block:
        raise ValueError(
            f"round_to.block must divide the {n} columns of W, but it is {round_to.block}. Pad W and H with zeros."
        )
    return round_to


def column_order(n, block, order):
    """The columns in the order of rounding; blocks are reversed, not the columns inside a block."""
    columns = np.arange(n)
    return columns if order == "forward" else columns.reshape(-1, block)[::-1].ravel()


def finish(W_hat, codes, order, round_to, return_codes):
    """The rounded layer in W's order of columns, with its codes if they are wanted."""
    if order == "backward":
        W_hat = W_hat[:, column_order(W_hat.shape[1], round_to.block, order)]  # the order is its own inverse
    if not return_codes:
        return W_hat
    if codes is None:  # the compiled twin keeps none, but the codes of a grid's own levels are found again exactly
        return W_hat, round_to.quantize(W_hat)[0]
    # A quantizer may give fewer codes than weights, one for a block of 8, say: their order is that of the blocks.
    codes_a_block = codes.shape[1] * round_to.block // max(1, W_hat.shape[1])
    return W_hat, codes[:, column_order(codes.shape[1], max(1, codes_a_block), order)]


def feedback_factor(H, block, dtype):
    """U of `ldl` or `block_ldl`, factored in float64, in the dtype of the layer."""
    U, _ = ldl(H) if block == 1 else block_ldl(H, block)
    return U.astype(dtype, copy=False)
