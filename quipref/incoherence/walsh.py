"""The fast Walsh-Hadamard transform, in place: n log2 n additions, and no matrix."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from quipref import backend as backends
from quipref import checks

Array = TypeVar("Array", bound=NDArray[np.floating])

LONG = 2**17  # bytes of a line that stay in the cache from stage to stage
NUMBERS_A_THREAD = 2**18  # with fewer, the work is done before a second thread has begun


def fwht(X: Array, axis: int = -1, *, backend: backends.Backend = "numba", threads: int | None = None) -> Array:
    """Replace every line x of X along an axis by H x, where H is Sylvester's Hadamard matrix.

    H_1 = 1, H_2n = [[H_n, H_n], [H_n, -H_n]]: the sign of H_ij is (-1)^(number of binary ones that i and j share).

    Parameters
    ----------
    X : array, float32 or float64, with any number of axes and any strides
        Overwritten. Its length n along the axis must be a power of two.
    axis : int
        The axis along which the lines run.
    backend : {"numba", "numpy"}
        Compiled, or the reference in NumPy. Their results are equal to the bit.
    threads : int, optional
        Threads of the compiled form; default every core of this process. The result does not depend on them.

    Returns
    -------
    X : array
        The array that was given.

    Raises
    ------
    TypeError
        X is no NumPy array, or holds something else than float32 or float64.
    ValueError
        X is read-only, or its length is no power of two.

    Notes
    -----
    Natural (Hadamard) order, and not normalised: H H = n I, so divide by sqrt(n) for an orthogonal transform.
    Each result is a tree of sums, off by at most log2(n) roundings of sum |x_i|. X is not searched for NaN or
    infinity, which would take as long as the transform: one such number spreads over its line, and no further.

    A line takes n log2(n) additions. What bounds them is the way to memory: a row goes there and back once (a long
    one twice), a column once for every six stages.

    An array that is contiguous in some order of its axes, as the transpose of a matrix is, is transformed where it
    stands. Any other is copied, transformed and written back.

    References
    ----------
    QuIP#, arXiv:2402.04396v2, section 3, where it is the core of the randomized Hadamard transform.

    Examples
    --------
    >>> import numpy as np, quipref
    >>> quipref.fwht(np.array([1.0, 0.0, 2.0, 0.0]))
    array([ 3.,  3., -1., -1.])
    >>> quipref.fwht(np.eye(4), axis=0)
    array([[ 1.,  1.,  1.,  1.],
           [ 1., -1.,  1., -1.],
           [ 1.,  1., -1., -1.],
           [ 1., -1., -1.,  1.]])
    """
    compiled, threads = backends.compiled(backend), backends.thread_count(threads)
    axis, n = line_of(X, axis)
    if X.size == 0:
        return X
    order = sorted(range(X.ndim), key=lambda i: -X.strides[i])  # from the slowest axis in memory to the fastest
    view = np.asarray(X).transpose(order)
    work = view if view.flags.carray else view.copy()
    x, stride = work.reshape(-1), int(np.prod(work.shape[order.index(axis) + 1 :]))
    if compiled:
        butterfly_on_threads(x, stride, n * stride, min(threads, 1 + x.size // NUMBERS_A_THREAD))
    else:
        butterfly(x, stride, n * stride)
    if work is not view:
        view[...] = work
    return X


def line_of(X, axis):
    """The axis, counted from the first one, and the length along it; refuses what cannot be transformed in place."""
    if not isinstance(X, np.ndarray):
        raise TypeError(
            f"X must be a NumPy array, since it is transformed in place, but {type(X).__name__} came. "
            "Make one first: X = np.array(X, np.float64)."
        )
    if X.dtype not in (np.float32, np.float64):
        raise TypeError(
            f"X must hold float32 or float64, since it is transformed in place, but its dtype is {X.dtype}. "
            "Convert it first, for example X = X.astype(np.float64)."
        )
    if X.ndim == 0:
        raise ValueError("X must have at least one axis, but its shape is (). Reshape it first: X.reshape(1).")
    axis = checks.integer(axis, "axis", low=-X.ndim, high=X.ndim - 1) % X.ndim
    n = X.shape[axis]
    if n.bit_count() != 1:
        raise ValueError(
            f"X must have a power of two as its length along axis {axis}, but its shape is {X.shape}. "
            "For other lengths see quipref.hadamard_plan(n) and its apply(X, axis)."
        )
    if not X.flags.writeable:
        raise ValueError("X must be writable, since it is transformed in place, but it is read-only. Copy it first.")
    return axis, n


def butterfly_on_threads(x, stride, stop, threads):
    """`butterfly`, compiled; the last stages of a long row wait until the first ones are done everywhere."""
    long = LONG // x.itemsize
    if stride == 1 and stop > long:
        butterfly_on_threads(x, 1, long, threads)
        butterfly_on_threads(x, long, stop, threads)
    elif stride < stop:
        kernel, lines = backends.twin("butterfly"), x.size * stride // stop
        backends.over_rows(lines, threads, lambda first, last: kernel(x, stride, stop, first, last))


def butterfly(x, stride, stop):
    """Stages stride, 2 stride, ... below stop: a, b <- a + b, a - b, where b stands a stride behind a."""
    while stride < stop:
        pairs = x.reshape(-1, 2, stride)
        pairs[:, 0], pairs[:, 1] = pairs[:, 0] + pairs[:, 1], pairs[:, 0] - pairs[:, 1]
        stride *= 2


def scaled(X, rows, columns, *, transform=False, backend="numba"):
    """diag(rows) X diag(columns), a new C-contiguous array; transform=True goes on with Sylvester's along each row.

    One way through memory does both, since a row is transformed while it is in the cache.
    """
    m, n = X.shape
    out, X = np.empty(X.shape, X.dtype), np.ascontiguousarray(X)
    stop = n if transform and n * X.itemsize <= LONG else 1
    if backends.compiled(backend):
        threads, kernel = min(backends.thread_count(None), 1 + X.size // NUMBERS_A_THREAD), backends.twin("scaled_rows")
        backends.over_rows(m, threads, lambda first, last: kernel(X, rows, columns, out, stop, first, last))
    else:
        scaled_rows(X, rows, columns, out, stop)
    return out if stop == n or not transform else fwht(out, 1, backend=backend)


def scaled_rows(X, rows, columns, out, stop):
    """out = diag(rows) X diag(columns), and the stages below `stop` in each row."""
    np.multiply(X, columns, out=out)
    out *= rows[:, None]
    butterfly(out.reshape(-1), 1, stop)
