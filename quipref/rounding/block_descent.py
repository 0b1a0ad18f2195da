"""Block coordinate descent: after LDLQ, round one block of columns at a time again, given all the others; repeat.

The walk over the blocks is `one_pass`, the repetition `iterates`; `block_descent` keeps the best of what they visit.
"""

from collections.abc import Iterator
from typing import Literal, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from quipref import backend as backends
from quipref import checks
from quipref.factor import ZERO_PIVOT, ldl
from quipref.rounding.blocked import BASE
from quipref.rounding.ldlq import Order, arguments, ldlq
from quipref.rounding.quantizer import Quantizer


@overload
def block_descent(
    W: ArrayLike, H: ArrayLike, *, round_to: Quantizer, start: ArrayLike | None = None, passes: int = 10,
    order: Order = "backward", backend: backends.Backend = "numba", threads: int | None = None,
    return_codes: Literal[False] = False,
) -> NDArray[np.floating]: ...  # fmt: skip
@overload
def block_descent(
    W: ArrayLike, H: ArrayLike, *, round_to: Quantizer, start: ArrayLike | None = None, passes: int = 10,
    order: Order = "backward", backend: backends.Backend = "numba", threads: int | None = None,
    return_codes: Literal[True],
) -> tuple[NDArray[np.floating], NDArray[np.integer]]: ...  # fmt: skip
def block_descent(
    W: ArrayLike, H: ArrayLike, *, round_to: Quantizer, start: ArrayLike | None = None, passes: int = 10,
    order: Order = "backward", backend: backends.Backend = "numba", threads: int | None = None,
    return_codes: bool = False,
) -> NDArray[np.floating] | tuple[NDArray[np.floating], NDArray[np.integer]]:  # fmt: skip
    """Move one block of columns at a time to what rounds its best unrounded values, given all others; keep the best.

    W_hat_k <- Q(W_hat_k + (W - W_hat) H_{.,k} H_kk^-1),    k over the blocks of columns.

    Parameters
    ----------
    W : array (m, n), real float
        The layer, in the units of the quantizer.
    H : array (n, n), real float
        Positive semidefinite. In directions in which H_kk is zero, the weights themselves are rounded.
    round_to : Quantizer
        With nearest rounding and any block: a scalar grid, a lattice, a codebook, tiles of a trellis.
    start : array, optional
        Where the descent begins. Default: `ldlq(W, H)` with the same quantizer and order. Floats (m, n) are rounded
        first, which leaves the points of a grid or a lattice as they are. Integers are taken as the quantizer's
        codes; pass these where the quantizer may not find its own points again, as with residual codebooks.
    passes : int
        At most; it ends where a pass moves nothing.
    order : "forward" or "backward"
        Of the blocks; the authors' program goes from the last to the first.
    backend : "numba" or "numpy"
        In groups of 128 columns, or the textbook loop. The search itself is the quantizer's.
    threads : int, optional
        Of the default start.
    return_codes : bool
        Return the quantizer's codes as well.

    Returns
    -------
    W_hat : array (m, n)
        Each row as it was at the start, or after the pass that left it with the least loss.
    codes : array
        With `return_codes=True`, as the quantizer gives them.

    Raises
    ------
    ValueError, TypeError
        As in `ldlq`, or a stochastic quantizer.
    numpy.linalg.LinAlgError
        H is indefinite.

    Notes
    -----
    The update is the best choice among the quantizer's points where H_kk is a multiple of the identity, so always
    with one column a block: then no pass raises the loss. For larger blocks the nearest point in the ordinary
    distance need not be the nearest in that of H_kk, and a pass can raise the loss. The authors' program keeps the
    last iterate; here each row keeps its best (each row of tiles, where a code spans several rows), so the loss never
    exceeds the start's.

    Cost: a product W @ H and a search of all blocks each pass.

    References
    ----------
    QuIP#, arXiv:2402.04396v2; the passes are the program's `quip_tune_iters`.

    Examples
    --------
    >>> import numpy as np
    >>> from quipref import IntegerGrid
    >>> H = np.array([[1.0, 0.9], [0.9, 1.0]])
    >>> block_descent(np.array([[0.4, 0.4]]), H, round_to=IntegerGrid(), start=np.array([[1.0, 1.0]]))
    array([[1., 0.]])
    """
    W, H, round_to = arguments(W, H, round_to, order, threads)
    passes = checks.integer(passes, "passes", low=0)
    compiled = backends.compiled(backend)
    if getattr(round_to, "rounding", "nearest") != "nearest":
        raise ValueError(f"round_to must round to nearest for block_descent, but {round_to!r} came.")
    if start is None:
        start = ldlq(W, H, round_to=round_to, order=order, backend=backend, threads=threads, return_codes=True)
    else:
        ldl(H)  # refuses an indefinite H, on which the descent would have no floor
        start = rounded(start, W, round_to)
    best, best_codes = (X.copy() for X in start)
    least, together = np.zeros(len(W)), getattr(round_to, "tile", (1,))[0]
    width = max(1, BASE // round_to.block) if compiled else 1
    H = np.ldexp(H, -np.frexp(np.trace(H, dtype=np.float64))[1])  # a common factor changes nothing; in range, it is 1
    for W_hat, codes, rise in iterates(W, H, *start, round_to, passes, order, width):
        rise = rise.reshape(-1, together).sum(axis=1).repeat(together)
        better = rise < least
        best[better], best_codes[better], least[better] = W_hat[better], codes[better], rise[better]
    return (best, best_codes) if return_codes else best


def rounded(start, W, round_to):
    """(W_hat, codes) of a start that came as codes, or as numbers that may still have to be rounded."""
    start, block = np.asarray(start), round_to.block
    if start.dtype.kind in "iu":
        W_hat = checks.weights(np.asarray(round_to.decode(start)), "what the codes of start stand for")
        return checks.same_shape(W_hat, "what the codes of start stand for", W, "W").astype(W.dtype), start
    start = checks.same_shape(checks.weights(start, "start"), "start", W, "W").astype(W.dtype)
    pairs = [round_to.quantize(start[:, a : a + block]) for a in range(0, W.shape[1], block)]
    codes, values = zip(*pairs, strict=True) if pairs else ((np.empty(W.shape, np.int64),), (start,))
    return np.concatenate(values, axis=1), np.concatenate(codes, axis=1)


def iterates(
    W: NDArray[np.floating], H: NDArray[np.floating], W_hat: NDArray[np.floating], codes: NDArray[np.integer],
    round_to: Quantizer, passes: int, order: Order, width: int,
) -> Iterator[tuple[NDArray[np.floating], NDArray[np.integer], NDArray[np.float64]]]:  # fmt: skip
    """After each pass the plain iterate: (W_hat, codes, what each row's loss has risen by since the start).

    They change in place from pass to pass; `width` blocks at a time share one product with H. Within, layers are
    transposed, so that a block of columns is one piece of memory.
    """
    H = np.ascontiguousarray(H, W.dtype)
    W, W_hat = (np.ascontiguousarray(X.T) for X in (W, W_hat.copy()))
    codes, rise, E = codes.copy(), np.zeros(W.shape[1]), W - W_hat
    blocks = range(len(W) // round_to.block)[:: 1 if order == "forward" else -1]
    inverses = block_inverses(H, round_to.block)
    for _ in range(passes):
        before = codes.copy()
        one_pass(W, H, W_hat, codes, rise, E, round_to, blocks, inverses, width)
        yield W_hat.T, codes, rise
        if (codes == before).all():
            break


def one_pass(W, H, W_hat, codes, rise, E, round_to, blocks, inverses, width):
    """One update of each block; W_hat, codes, rise and E = W - W_hat change in place. All but codes are transposed.

    In a group of blocks, G = H E starts as one product for the whole group, and each move is taken off it.
    """
    b, c = round_to.block, codes.shape[1] // max(1, len(blocks))
    for i in range(0, len(blocks), width):
        group = blocks[i : i + width]
        first = min(group) * b
        columns = slice(first, (max(group) + 1) * b)
        G = H[columns] @ E
        for k in group:
            here, inside = slice(k * b, k * b + b), slice(k * b - first, k * b + b - first)
            # The others' pull, H E without the block's own part: the block itself may sit anywhere.
            target = W[here] + inverses[k] @ (G[inside] - H[here, here] @ E[here])
            codes[:, k * c : k * c + c], value = round_to.quantize(target.T)
            move = (value.T - W_hat[here]).astype(np.float64)  # squares may leave the range of single precision
            # of (E - move)^T H (E - move) - E^T H E only the block's rows and columns of H remain
            rise += ((H[here, here] @ move - 2 * G[inside]) * move).sum(axis=0)
            G -= H[columns, here] @ move.astype(G.dtype)
            W_hat[here] = value.T
            E[here] = W[here] - W_hat[here]


def block_inverses(H, block):
    """(n / block, block, block): the inverse of each H_kk, zero in directions in which H_kk is."""
    n = len(H)
    diagonal = np.arange(n).reshape(-1, block)
    values, vectors = np.linalg.eigh(H[diagonal[:, :, None], diagonal[:, None, :]].astype(np.float64))
    alive = values > ZERO_PIVOT * np.trace(H, dtype=np.float64)
    inverses = np.divide(1.0, values, out=np.zeros_like(values), where=alive)
    return ((vectors * inverses[:, None, :]) @ vectors.swapaxes(1, 2)).astype(H.dtype)
