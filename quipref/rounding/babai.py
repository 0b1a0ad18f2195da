"""Babai's nearest plane, the lattice algorithm that LDLQ and OPTQ turn out to be."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from quipref.backend import Backend
from quipref.rounding.ldlq import ldlq
from quipref.rounding.quantizer import Quantizer


def babai(
    W: ArrayLike, H: ArrayLike, *, round_to: Quantizer | None = None,
    rng: int | np.random.Generator | None = None, backend: Backend = "numba", threads: int | None = None,
) -> NDArray[np.floating]:  # fmt: skip
    """Round each row of W to a near point of the lattice of X, where H = X^T X.

    With X = QR, plane after plane from the last: z_k = round(w_k + sum_{j>k} R_kj / R_kk (w_j - z_j)).

    Parameters
    ----------
    W, H, round_to, rng, backend, threads
        As in `quipref.ldlq`.

    Returns
    -------
    W_hat : array (m, n)

    Raises
    ------
    ValueError, TypeError, numpy.linalg.LinAlgError
        As in `quipref.ldlq`.

    Notes
    -----
    The rows of R, divided by their diagonal, are the feedback of `ldlq(..., order="backward")`: the
    two are one algorithm. |X (z - w)|^2 is at most 1/4 sum R_kk^2, the trace of the D of H with
    reversed rows and columns, on an unbounded grid.

    References
    ----------
    Babai, On Lovasz' lattice reduction and the nearest lattice point problem, 1986;
    GPTQ as Babai, arXiv:2507.18553.

    Examples
    --------
    >>> import numpy as np
    >>> babai(np.array([[0.4, 0.4]]), np.array([[1.0, 0.9], [0.9, 1.0]]))
    array([[1., 0.]])
    """
    return ldlq(W, H, round_to=round_to, order="backward", rng=rng, backend=backend, threads=threads)
