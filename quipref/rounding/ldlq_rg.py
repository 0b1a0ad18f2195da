"""LDLQ-RG: QuIP's LDLQ on columns sorted by their weight in the loss, polished by greedy descent."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from quipref import backend as backends
from quipref import checks
from quipref.rounding.greedy import greedy, scalar_nearest
from quipref.rounding.ldlq import arguments, ldlq
from quipref.rounding.quantizer import Quantizer


def ldlq_rg(
    W: ArrayLike, H: ArrayLike, *, round_to: Quantizer | None = None, passes: int = 9,
    backend: backends.Backend = "numba", threads: int | None = None,
) -> NDArray[np.floating]:  # fmt: skip
    """Round the columns of largest H_jj first, by LDLQ, then sweep over them greedily in the same order.

    W_hat = greedy(ldlq(W)), both from the largest H_jj to the smallest.

    Parameters
    ----------
    W : array (m, n), real float
        The layer, in the units of the grid.
    H : array (n, n), real float
        Second moment of the inputs, positive semidefinite; singular is fine.
    round_to : Quantizer
        A scalar grid with nearest rounding; default `IntegerGrid()`.
    passes : int
        Greedy sweeps at most; 0 leaves LDLQ on sorted columns.
    backend, threads
        As in `ldlq`.

    Returns
    -------
    W_hat : array (m, n)
        On the grid; float32 for float32 W, else float64.

    Raises
    ------
    ValueError, TypeError
        As in `greedy`.
    numpy.linalg.LinAlgError
        H is indefinite.

    Notes
    -----
    The columns are sorted by ascending H_jj, equal ones kept in their order, and gone through from the
    last to the first. No sweep raises the loss, because `greedy` clamps inside each update. The authors'
    program clamps after each whole sweep and leaves its running error as it was, so its loss can grow;
    rows that it never has to clamp are the same here, up to ties, which its sweeps round to even.

    References
    ----------
    QuIP, arXiv:2307.13304v2, the supplement ("LDLQ-RG", and "QuIP-RG" with incoherence).

    Examples
    --------
    >>> import numpy as np
    >>> H = np.array([[4.0, 1.8], [1.8, 1.0]])
    >>> ldlq_rg(np.array([[0.4, 0.4]]), H)  # column 0, of the larger H_jj, goes first: its error carries the other
    array([[0., 1.]])
    """
    W, H, round_to = arguments(W, H, round_to, "backward", threads)
    scalar_nearest(round_to, "ldlq_rg")
    checks.integer(passes, "passes", low=0)
    columns = np.argsort(H.diagonal(), kind="stable")
    ordered, H = W[:, columns], H[np.ix_(columns, columns)]
    options = {"round_to": round_to, "order": "backward", "backend": backend, "threads": threads}
    start = ldlq(ordered, H, **options)
    W_hat = np.empty_like(start)
    W_hat[:, columns] = greedy(ordered, H, start=start, passes=passes, **options)
    return W_hat
