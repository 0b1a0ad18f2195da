"""The proxy loss tr((W_hat - W) H (W_hat - W)^T) and what published programs divide it by."""

from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from quipref import checks

Normalization = Literal[None, "weights", "nearest", "trace"]
NORMALIZATIONS = get_args(Normalization)


def proxy_loss(
    W: ArrayLike, W_hat: ArrayLike, H: ArrayLike, *, H_out: ArrayLike | None = None, normalize: Normalization = None,
    nearest: ArrayLike | None = None,
) -> float:  # fmt: skip
    """Expected squared error of a layer's output, tr((W_hat - W) H (W_hat - W)^T).

    Parameters
    ----------
    W, W_hat : array (m, n), real float
        The layer and its rounded form, both in the space that H belongs to: after a rotation, all
        three must be rotated.
    H : array (n, n), real float
        Second moment of the layer's inputs.
    H_out : array (m, m), optional
        What errors of the outputs cost, in YAQA: with E = W_hat - W, the loss is then tr(E^T H_out E H).
        Default: the identity, all outputs alike.
    normalize : None, "weights", "nearest" or "trace"
        What the loss is divided by, see Notes.
    nearest : array (m, n), optional
        For ``"nearest"``: the layer rounded to nearest on the grid in use. Default: the integers,
        floor(W + 1/2), for W in grid units.

    Returns
    -------
    float
        Computed in float64.

    Raises
    ------
    ValueError
        Shapes that disagree, NaN or infinity, an asymmetric H or H_out, a divisor of zero.
    TypeError
        Integer or complex arrays.

    Notes
    -----
    ============== ================= ==========================================================
    normalize      divisor           who prints it
    ============== ================= ==========================================================
    ``None``       1                 QuIP ("error"); OPTQ's program prints half, of its own H
    ``"weights"``  loss of zero      QuIP#, QTIP ("err_proxy") and EXL3: tr(W H W^T)
    ``"nearest"``  loss of nearest   quipref's tour
    ``"trace"``    tr H              a squared error a row, in the units of W^2
    ============== ================= ==========================================================

    With H_out, `"trace"` divides by tr H tr H_out / m, which the identity leaves at tr H.
    The m x m matrix under the trace is never formed: the loss is the sum of (E H) * E. H is not factored, so
    an indefinite one is not refused here, and the loss can then be negative.

    References
    ----------
    QuIP, arXiv:2307.13304v2, equation (1); with H_out YAQA, arXiv:2505.22988.

    Examples
    --------
    >>> import numpy as np
    >>> proxy_loss(np.array([[0.5, 0.25]]), np.array([[1.0, 0.0]]), np.eye(2))
    0.3125
    """
    W = checks.weights(W)
    W_hat = checks.same_shape(checks.weights(W_hat, "W_hat"), "W_hat", W, "W")
    H = checks.symmetric(H, n=W.shape[1])
    H_out = None if H_out is None else checks.output_moment(H_out, len(W))
    checks.choice(normalize, "normalize", NORMALIZATIONS)
    loss = _loss(W_hat - W.astype(np.float64), H, H_out)
    if normalize is None:
        return loss
    if normalize == "weights":
        divisor = _loss(W, H, H_out)
    elif normalize == "trace":
        divisor = float(np.trace(H, dtype=np.float64))
        divisor *= 1.0 if H_out is None else float(np.trace(H_out, dtype=np.float64)) / max(1, len(W))
    else:
        nearest = np.floor(W + 0.5) if nearest is None else checks.weights(nearest, "nearest")
        checks.same_shape(nearest, "nearest", W, "W")
        divisor = _loss(nearest - W.astype(np.float64), H, H_out)
    if divisor <= 0:
        raise ValueError(
            f"normalize must divide by something positive, but for {normalize!r} the divisor is {divisor}. "
            "Use normalize=None."
        )
    return loss / divisor


def _loss(E, H, H_out):
    return quadratic(E, H) if H_out is None else two_sided(E, H, H_out)


def two_sided(E, H_in, H_out):
    """tr(E^T H_out E H_in) in float64."""
    E, H_in, H_out = (np.asarray(X, np.float64) for X in (E, H_in, H_out))
    return float(np.einsum("ij,ij->", H_out @ E @ H_in, E))


def quadratic(E, H):
    """tr(E H E^T) in float64, without the m x m matrix."""
    E, H = np.asarray(E, np.float64), np.asarray(H, np.float64)
    return float(np.einsum("ij,ij->", E @ H, E))
