"""QuIP's algorithm 5: a feedback that leaves no weight far from where it was, for grids that end.

On all integers LDLQ may send a weight as far as its feedback asks. On a finite grid such a weight is clamped, and
the bounds of LDLQ fail. This feedback gives up a little of the loss for columns of V = (X + I)^-1 of bounded length:
W - W_hat = eta V, so a weight's error is a sum of target errors with those coefficients, and with stochastic
rounding its tail is sub-Gaussian.
"""

import numbers
from typing import Literal, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from quipref import backend as backends
from quipref import checks
from quipref.rounding.blocked import blocked_feedback
from quipref.rounding.column_limits import ClampedFeedback, least_trace
from quipref.rounding.ldlq import Order, arguments, column_order, finish, textbook
from quipref.rounding.quantizer import Quantizer


def clamped_feedback(H: ArrayLike, c: float = 1.0, *, tolerance: float = 1e-8) -> ClampedFeedback:
    """Find the best feedback that moves no weight far.

    Minimise tr(V H V^T) over unit upper triangular V with sum_i V_ij^2 <= 1 + c for every column j; X = V^-1 - I.

    Parameters
    ----------
    H : array (n, n), real float
        Positive semidefinite; damp a singular one, see Notes.
    c : float
        Room for feedback, from 0 (none: plain rounding) to `math.inf` (LDLQ). A weight strays by more
        than t steps with probability at most 2 exp(-2 t^2 / (1 + c)). The default is that of the authors' program.
    tolerance : float
        The gap at which to stop.

    Returns
    -------
    ClampedFeedback
        X, trace, gap and multipliers. The limits hold up to rounding, whatever the gap.

    Raises
    ------
    ValueError, TypeError
        H as in `ldl`; c or tolerance is negative, NaN or no number.
    numpy.linalg.LinAlgError
        H is indefinite.

    Notes
    -----
    W - W_hat = eta V with the errors eta of the targets, hence the limits. With multipliers l_j >= 0 for them, the
    Lagrangian tr(V (H + diag(l)) V^T) - (1 + c) sum_j l_j is least at the V of LDLQ for the Hessian H + diag(l), and
    its minimum is tr D - (1 + c) sum_j l_j: what is limited is damped, column by column. Each minimum is a lower bound
    of the trace. As a function of l it is concave with the gradient sum_i V_ij^2 - (1 + c), and Newton's method
    finds the largest in about ten steps. A column of V that is then still too long is shortened to its limit;
    the gap compares the trace of the V that is returned with the bound.

    The authors' program solves the same problem by 100 sweeps of ADMM on V, without a test of how near it came.

    On singular H the maximum can lie in a corner. H + diag(l) is then kept definite by l_j >= 1e-11 tr H, and the
    gap may stay above the tolerance by the price of that, at most (1 + c) n 1e-11 tr H / trace. A pivot that counts
    as zero in `ldl` does so here.

    Cost: about a dozen n^3 operations a step, in matrix products and factorisations.

    References
    ----------
    QuIP, arXiv:2307.13304v2, supplement, algorithm 5.

    Examples
    --------
    >>> import numpy as np
    >>> H = np.array([[1.0, 0.8], [0.8, 1.0]])
    >>> found = clamped_feedback(H, 0.25)  # LDLQ's feedback is 0.8; here V_01^2 = X_01^2 may be 1/4
    >>> print(found.X.round(6), round(found.trace, 6), found.multipliers.round(6))
    [[0.  0.5]
     [0.  0. ]] 1.45 [0.  0.6]
    """
    H = checks.symmetric(H).astype(np.float64)
    tolerance = checks.fraction(tolerance, "tolerance")
    return ClampedFeedback(
        *least_trace((H + H.T) / 2, _room(c), tolerance)
    )  # a factor reads one triangle, a trace both


@overload
def clamped_ldlq(
    W: ArrayLike, H: ArrayLike, *, round_to: Quantizer, c: float = 1.0, order: Order = "forward",
    rng: int | np.random.Generator, backend: backends.Backend = "numba", threads: int | None = None,
    return_codes: Literal[False] = False,
) -> NDArray[np.floating]: ...  # fmt: skip
@overload
def clamped_ldlq(
    W: ArrayLike, H: ArrayLike, *, round_to: Quantizer, c: float = 1.0, order: Order = "forward",
    rng: int | np.random.Generator, backend: backends.Backend = "numba", threads: int | None = None,
    return_codes: Literal[True],
) -> tuple[NDArray[np.floating], NDArray[np.integer]]: ...  # fmt: skip
def clamped_ldlq(
    W: ArrayLike, H: ArrayLike, *, round_to: Quantizer, c: float = 1.0, order: Order = "forward",
    rng: int | np.random.Generator, backend: backends.Backend = "numba", threads: int | None = None,
    return_codes: bool = False,
) -> NDArray[np.floating] | tuple[NDArray[np.floating], NDArray[np.integer]]:  # fmt: skip
    """Round W stochastically onto a grid that ends, with `clamped_feedback`.

    W_hat_k = Q(W_k + (W - W_hat)_{<k} X_{<k,k}),    Q(t) = floor(t + u), u uniform on [0, 1).

    Parameters
    ----------
    W : array (m, n), real float
        The layer, in the units of the grid, and inside the grid by a margin; see Notes.
    H : array (n, n), real float
        Second moment of the inputs, positive semidefinite; damp a singular one.
    round_to : Quantizer
        A scalar grid that ends, with stochastic rounding: `IntegerGrid(0, 3, rounding="stochastic")`.
    c : float
        Room for feedback, as in `clamped_feedback`: 0 is plain rounding, `math.inf` LDLQ.
    order : "forward" or "backward"
        Left to right, or right to left.
    rng : int or Generator
        Required.
    backend, threads, return_codes
        As in `ldlq`.

    Returns
    -------
    W_hat : array (m, n)
        On the grid; float32 for float32 W, else float64.
    codes : array (m, n)
        With `return_codes=True`.

    Raises
    ------
    ValueError, TypeError
        As in `ldlq` and `clamped_feedback`; a grid that has no end, rounds to nearest or is no scalar grid.
    numpy.linalg.LinAlgError
        H is indefinite.

    Notes
    -----
    If all weights lie inside the range by `bounds.clamping_margin(m, n, c, delta)` steps, then with probability
    1 - delta nothing is clamped, and the mean loss is at most m/4 trace with the `trace` of `clamped_feedback`.
    At 2 bits that margin is wider than the grid: there the theorem is about many bits, or about the order of growth.

    References
    ----------
    QuIP, arXiv:2307.13304v2, supplement, algorithm 5 and theorem 7.

    Examples
    --------
    >>> import numpy as np
    >>> from quipref import IntegerGrid
    >>> H = np.array([[1.0, 0.9], [0.9, 1.0]])
    >>> clamped_ldlq(np.array([[1.4, 1.4]]), H, round_to=IntegerGrid(0, 3, rounding="stochastic"), rng=0)
    array([[2., 1.]])
    """
    W, H, round_to = arguments(W, H, round_to, order, threads)
    _refuse_grid(round_to)
    if rng is None:
        raise ValueError("rng must be a seed or a Generator for clamped_ldlq, but None came. Pass rng=0.")
    compiled, rng = backends.compiled(backend), np.random.default_rng(rng)
    columns = column_order(W.shape[1], 1, order)
    X = clamped_feedback(H[columns][:, columns], c).X.astype(W.dtype)
    W = W[:, columns]
    if compiled:
        codes, W_hat = blocked_feedback(W, X, round_to, rng=rng, residual=False, threads=threads)
    else:
        codes, W_hat = textbook(W, X, round_to, rng)
    return finish(W_hat, codes, order, round_to, return_codes)


def _room(c):
    if isinstance(c, bool) or not isinstance(c, numbers.Real):
        raise TypeError(f"c must be a real number, but {c!r} ({type(c).__name__}) came.")
    if not c >= 0:
        raise ValueError(f"c must not be negative, but {c!r} came. 0 is plain rounding, math.inf is LDLQ.")
    return float(c)


def _refuse_grid(round_to):
    """Refuse what the theorem is not about: blocks, nearest rounding, grids without an end."""
    if round_to.block != 1 or getattr(round_to, "rounding", "nearest") != "stochastic":
        raise ValueError(
            f"round_to must be a scalar grid with stochastic rounding for clamped_ldlq, but {round_to!r} came. "
            'Use IntegerGrid(low, high, rounding="stochastic"), with W in grid units.'
        )
    if round_to.bits is None:
        raise ValueError(
            f"round_to must end on both sides for clamped_ldlq, but {round_to!r} came. "
            "Where nothing can be clamped, ldlq has the smaller loss."
        )
