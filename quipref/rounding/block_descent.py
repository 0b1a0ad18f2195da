"""Block coordinate descent: after LDLQ, round one block of columns at a time again, given all the others; repeat.

The walk over the blocks and its algebra are in `one_pass`, the repetition in `iterates`; `block_descent` keeps the best
of what they visit.
"""

from collections.abc import Iterator
from dataclasses import dataclass
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

    W_hat_k <- Q(W_k + sum_{l != k} (W_l - W_hat_l) H_lk H_kk^-1),    k and l blocks of columns.

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
    Where H_kk is invertible, Q's argument is W_hat_k + (W - W_hat) H_{.,k} H_kk^-1, as the program has it.

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
        raise ValueError(
            f"round_to must round to nearest for block_descent, but {round_to!r} came. "
            "Take it without chance or dither."
        )
    if start is None:
        start = ldlq(W, H, round_to=round_to, order=order, backend=backend, threads=threads, return_codes=True)
    else:
        ldl(H)  # refuses an indefinite H, on which the descent would have no floor
        start = rounded(start, W, round_to)
    best, best_codes = (X.copy() for X in start)
    least_rise, together = np.zeros(len(W)), getattr(round_to, "tile", (1,))[0]
    width = max(1, BASE // round_to.block) if compiled else 1
    H = np.ldexp(H, -np.frexp(np.trace(H, dtype=np.float64))[1])  # a common factor changes nothing; in range, it is 1
    for W_hat, codes, rise in iterates(W, H, *start, round_to, passes, order, width):
        rise = rise.reshape(-1, together).sum(axis=1).repeat(together)
        better = rise < least_rise
        best[better], best_codes[better], least_rise[better] = W_hat[better], codes[better], rise[better]
    return (best, best_codes) if return_codes else best


def rounded(start, W, round_to):
    """(W_hat, codes) of a start that came as codes, or as numbers that may still have to be rounded."""
    start, block = np.asarray(start), round_to.block
    if start.dtype.kind in "iu":
        return decoded(start, W, round_to), start
    start = checks.same_shape(checks.weights(start, "start"), "start", W, "W").astype(W.dtype)
    pairs = [round_to.quantize(start[:, a : a + block]) for a in range(0, W.shape[1], block)]
    codes, values = zip(*pairs, strict=True) if pairs else ((np.empty(W.shape, np.int64),), (start,))
    return np.concatenate(values, axis=1), np.concatenate(codes, axis=1)


def decoded(codes, W, round_to):
    """What integers that came as `start` stand for."""
    advice = f"Integers are taken for codes of {round_to!r}; pass weights as floats."
    try:
        W_hat = np.asarray(round_to.decode(codes))
    except (TypeError, ValueError) as error:
        raise type(error)(f"start must hold floats, or codes that decode, but: {error} {advice}") from error
    if W_hat.shape != W.shape:
        raise ValueError(
            f"start must be codes of the {len(W)} x {W.shape[1]} weights of W, but those that came, of shape "
            f"{codes.shape}, stand for {' x '.join(map(str, W_hat.shape))}. {advice}"
        )
    return checks.weights(W_hat, "what the codes of start stand for").astype(W.dtype)


@dataclass
class Visit:
    """Where a descent stands, which `one_pass` changes in place.

    All but the codes are transposed, so that a block of columns is one piece of memory.
    """

    W: NDArray[np.floating]  # (n, m)
    W_hat: NDArray[np.floating]  # (n, m)
    E: NDArray[np.floating]  # W - W_hat
    codes: NDArray[np.integer]
    rise: NDArray[np.float64]  # (m,) by what each row's loss has risen since the start


def iterates(
    W: NDArray[np.floating], H: NDArray[np.floating], W_hat: NDArray[np.floating], codes: NDArray[np.integer],
    round_to: Quantizer, passes: int, order: Order, width: int,
) -> Iterator[tuple[NDArray[np.floating], NDArray[np.integer], NDArray[np.float64]]]:  # fmt: skip
    """After each pass the plain iterate: (W_hat, codes, what each row's loss has risen by since the start).

    They change in place from pass to pass; `width` blocks at a time share one product with H.
    """
    H = np.ascontiguousarray(H, W.dtype)
    W, W_hat = (np.ascontiguousarray(X.T) for X in (W, W_hat.copy()))
    at = Visit(W, W_hat, W - W_hat, codes.copy(), np.zeros(W.shape[1]))
    blocks = range(len(W) // round_to.block)[:: 1 if order == "forward" else -1]
    inverses = block_inverses(H, round_to.block)
    for _ in range(passes):
        before = at.codes.copy()
        one_pass(at, H, inverses, round_to, blocks, width)
        yield at.W_hat.T, at.codes, at.rise
        if (at.codes == before).all():
            break


def one_pass(at, H, inverses, round_to, blocks, width):
    """Update each block once.

    A row's loss is e^T H e, e its column of E; half of its gradient is in G = H E. With the others as they are, the
    loss is least where G_k vanishes, that is at

        W_k + H_kk^-1 (G_k - H_kk E_k)    in the bracket is the pull of the others: the block itself may sit anywhere.

    What Q makes of it moves the block: E_k loses the move, G loses H_{.,k} move, and the loss rises by
    move^T H_kk move - 2 move^T G_k. A group of blocks starts with one product G = H E for its own columns.
    """
    b, c = round_to.block, at.codes.shape[1] // max(1, len(blocks))
    for i in range(0, len(blocks), width):
        group = blocks[i : i + width]
        first = min(group) * b
        columns = slice(first, (max(group) + 1) * b)
        G = H[columns] @ at.E
        for k in group:
            here = slice(k * b, k * b + b)
            H_kk, G_k = H[here, here], G[k * b - first : k * b + b - first]
            target = at.W[here] + inverses[k] @ (G_k - H_kk @ at.E[here])
            at.codes[:, k * c : k * c + c], value = round_to.quantize(target.T)
            move = (value.T - at.W_hat[here]).astype(np.float64)  # squares may leave the range of single precision
            at.rise += ((H_kk @ move - 2 * G_k) * move).sum(axis=0)
            G -= H[columns, here] @ move.astype(G.dtype)
            at.W_hat[here] = value.T
            at.E[here] = at.W[here] - at.W_hat[here]


def block_inverses(H, block):
    """(n / block, block, block): the inverse of each H_kk, zero in directions in which H_kk is."""
    n = len(H)
    diagonal = np.arange(n).reshape(-1, block)
    values, vectors = np.linalg.eigh(H[diagonal[:, :, None], diagonal[:, None, :]].astype(np.float64))
    alive = values > ZERO_PIVOT * np.trace(H, dtype=np.float64)
    inverses = np.divide(1.0, values, out=np.zeros_like(values), where=alive)
    return ((vectors * inverses[:, None, :]) @ vectors.swapaxes(1, 2)).astype(H.dtype)
