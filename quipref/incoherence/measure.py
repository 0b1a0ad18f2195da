"""How far a layer is from having no direction that stands out: mu of the weights, mu of the Hessian."""

import numpy as np
from numpy.typing import ArrayLike

from quipref import checks
from quipref.incoherence.orthogonal import SINGLE, orthonormal


def mu_weights(W: ArrayLike) -> float:
    """The smallest mu for which W is mu-incoherent: its largest weight against its root mean square.

    mu = max |W_ij| sqrt(m n) / ||W||_F

    Parameters
    ----------
    W : array (m, n), real float
        Not empty.

    Returns
    -------
    float
        From 1 (all weights have one size) to sqrt(m n) (one weight alone). 1 for a matrix of zeros: its
        largest entry, zero, is within every bound.

    Raises
    ------
    ValueError, TypeError
        W is empty, not finite, or not a real matrix.

    Notes
    -----
    W is mu-incoherent when max |W_ij| <= mu ||W||_F / sqrt(m n). A Gaussian matrix has
    mu = sqrt(2 log(2 m n)) or a little less.

    References
    ----------
    QuIP, arXiv:2307.13304v2, the definition of mu-incoherence.

    Examples
    --------
    >>> import numpy as np
    >>> mu_weights(np.array([[1.0, -1.0], [1.0, 1.0]])), mu_weights(np.array([[0.0, 0.0], [0.0, -3.0]]))
    (1.0, 2.0)
    """
    W = checks.weights(W)
    if not W.size:
        raise ValueError(f"W must hold at least one weight, but its shape is {W.shape}.")
    largest = np.abs(W).max()
    if largest == 0:
        return 1.0
    scaled = W.astype(np.float64) / float(largest)  # so that no square overflows or underflows
    return _within(np.sqrt(W.size / np.square(scaled).sum()), W.size)


def mu_hessian(H: ArrayLike, basis: ArrayLike | None = None) -> float:
    """The mu for which H is mu-incoherent in an eigenbasis: the largest entry of an eigenvector.

    mu = max |Q_ij| sqrt(n),    H = Q diag(eigenvalues) Q^T

    Parameters
    ----------
    H : array (n, n), real float
        Symmetric, n at least 1; its eigenvalues may have any sign.
    basis : array (n, n), real float, optional
        Q, orthonormal eigenvectors of H as columns. Default: the basis that `numpy.linalg.eigh` returns.

    Returns
    -------
    float
        From 1 (all entries of Q have one size) to sqrt(n) (an eigenvector along an axis).

    Raises
    ------
    ValueError, TypeError
        H is empty, not finite or not symmetric; `basis` is not orthonormal or does not diagonalise H.

    Notes
    -----
    H is mu-incoherent when *some* eigenbasis has no entry above mu / sqrt(n). Where eigenvalues are distinct there
    is one eigenbasis, up to signs, and the answer is the least mu. Where some are equal, their eigenvectors may be
    turned into each other, `eigh` returns one basis of many, and the answer is an upper bound on the
    least mu, no more. The identity is the extreme case: any basis will do, so that it is 1-incoherent for every n
    that has a Hadamard matrix, while `eigh` returns the axes, and sqrt(n). Eigenvalues that are nearly equal have
    eigenvectors that rounding decides. Pass `basis` where a better one is known. Bounds that grow with mu
    stay true with an upper bound on it.

    References
    ----------
    QuIP, arXiv:2307.13304v2, the definition of mu-incoherence.

    Examples
    --------
    >>> import numpy as np
    >>> hadamard = np.array([[1.0, 1.0], [1.0, -1.0]]) / np.sqrt(2)
    >>> mu_hessian((hadamard * [3.0, 1.0]) @ hadamard)
    1.0
    >>> round(mu_hessian(np.eye(2)), 4), mu_hessian(np.eye(2), basis=hadamard)
    (1.4142, 1.0)
    """
    H = checks.symmetric(H).astype(np.float64)
    if not H.size:
        raise ValueError(f"H must have at least one column, but its shape is {H.shape}.")
    Q = np.linalg.eigh(H)[1] if basis is None else _eigenbasis(basis, H)
    return _within(np.abs(Q).max() * np.sqrt(len(H)), len(H))


def _within(mu, count):
    """mu, held inside its range [1, sqrt(count)], which rounding may leave by a last digit."""
    return float(min(max(mu, 1.0), np.sqrt(count)))


def _eigenbasis(Q, H):
    """`Q` as an orthonormal eigenbasis of H, up to single precision."""
    Q = checks.same_shape(checks.real_array(Q, "basis", ndim=2), "basis", H, "H").astype(np.float64)
    turned = orthonormal(Q, "basis").T @ H @ Q
    rest = np.linalg.norm(turned - np.diag(turned.diagonal()))
    # An error of e in the columns leaves 2 e |H| beside the diagonal, and the columns may be in single precision.
    if rest > 8 * np.sqrt(len(H)) * SINGLE * np.linalg.norm(H):
        raise ValueError(
            f"basis must diagonalise H, but {rest / np.linalg.norm(H):.1e} of the norm of Q^T H Q is off its diagonal. "
            "Pass eigenvectors of this H as columns, in the order of np.linalg.eigh."
        )
    return Q


def root_mean_square(W):
    """The root mean square of the entries of W; their squares neither overflow nor vanish."""
    largest = float(np.abs(W).max()) or 1.0
    return largest * np.sqrt(np.square(W / largest, dtype=np.float64).mean())
