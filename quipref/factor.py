"""LDL and block LDL: H = (U + I) D (U + I)^T with U strictly upper triangular.

Everything that adaptive rounding knows about H is in this factorisation: U is the feedback of LDLQ
and D the price of one unit of squared rounding error in each column.
"""

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from quipref import checks

ZERO_PIVOT = 1e-12  # of tr H: a pivot this near to zero counts as zero, and its column of U is zero
INDEFINITE_PIVOT = -1e-10  # of tr H: a pivot below this means that H is indefinite
PANEL = 64  # columns that the semidefinite factorisation takes together


def ldl(H: ArrayLike, *, dtype: DTypeLike = np.float64) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Factor a positive semidefinite matrix as H = (U + I) diag(D) (U + I)^T.

    Parameters
    ----------
    H : array (n, n), real float
        Symmetric positive semidefinite; singular is fine.
    dtype : numpy dtype
        Precision of the factorisation and of the result, float64 or float32.

    Returns
    -------
    U : array (n, n)
        Strictly upper triangular.
    D : array (n,)
        Pivots, none negative. A pivot within 1e-12 tr H of zero counts as zero, and its column
        of U is zero.

    Raises
    ------
    numpy.linalg.LinAlgError
        A pivot lies below -1e-10 tr H and an eigenvalue below -1e-12 tr H: H is indefinite. The message has
        its smallest eigenvalue.
    ValueError, TypeError
        H is not a finite, symmetric, real square matrix.

    Notes
    -----
    The papers write this upper form (columns left to right); the authors' programs factor with a
    lower triangle (columns right to left), which is `ldl` of H with rows and columns reversed. The
    pivots of the two differ, their product does not: it is det H.

    A Cholesky factor R R^T of the reversed matrix gives U + I = R / diag(R) and D = diag(R)^2, so
    the cost is LAPACK's potrf and two passes over the matrix. A singular H takes elimination that skips
    pivots of zero, and eigenvalues where rounding hides which those are.

    References
    ----------
    QuIP, arXiv:2307.13304v2, section 3.1.

    Examples
    --------
    >>> import numpy as np
    >>> U, D = ldl(np.array([[5.0, 2.0], [2.0, 4.0]]))
    >>> print(U, D)
    [[0.  0.5]
     [0.  0. ]] [4. 4.]
    """
    H = checks.symmetric(H)
    dtype = _precision(dtype)
    R = _reversed_cholesky(H, dtype)
    if R is not None:
        r = R.diagonal().copy()
        D = np.square(r)
        if D.min(initial=np.inf) > ZERO_PIVOT * np.trace(H, dtype=np.float64):
            return _unit_upper(R, r), D
    U, D = _semidefinite_ldl(H)  # in float64: float32 rounding is larger than the pivots that count as zero
    return U.astype(dtype, copy=False), D.astype(dtype, copy=False)


def block_ldl(
    H: ArrayLike, block: int, *, dtype: DTypeLike = np.float64
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Factor H = (U + I) blockdiag(D) (U + I)^T with U strictly block upper triangular.

    Parameters
    ----------
    H : array (n, n), real float
        Symmetric positive semidefinite.
    block : int
        Columns a block; divides n.
    dtype : numpy dtype
        As in `ldl`.

    Returns
    -------
    U : array (n, n)
        Zero in and below the diagonal blocks.
    D : array (n / block, block, block)
        Symmetric positive semidefinite blocks.

    Raises
    ------
    ValueError
        `block` does not divide n, or as in `ldl`.

    Notes
    -----
    With the scalar factors U_s, D_s and the unit triangles T_i on the diagonal of U_s + I: column
    block i of U + I is that of U_s + I times T_i^-1, and D_i = T_i diag(D_s,i) T_i^T. T_i is always
    invertible, so singular H needs no special case.

    References
    ----------
    QuIP#, arXiv:2402.04396v2, section 4.1.
    """
    n = len(checks.symmetric(H))
    block = checks.integer(block, "block", low=1)
    if n % block:
        raise ValueError(f"block must divide the {n} columns of H, but {block} does not. Pad H or choose a divisor.")
    U, d = ldl(H, dtype=dtype)
    eye = np.eye(block, dtype=U.dtype)
    D = np.empty((n // block, block, block), U.dtype)
    for i, start in enumerate(range(0, n, block)):
        here = slice(start, start + block)
        T = U[here, here] + eye
        D[i] = (T * d[here]) @ T.T
        U[:start, here] = np.linalg.solve(T.T, U[:start, here].T).T
        U[here, here] = 0
    return U, D


def is_indefinite(H):
    """True where `ldl` refuses H as indefinite."""
    try:
        ldl(H)
    except np.linalg.LinAlgError:
        return True
    return False


def _precision(dtype):
    dtype = np.dtype(dtype)
    if dtype not in (np.float32, np.float64):
        raise TypeError(f"dtype must be float32 or float64, but {dtype} came.")
    return dtype


def _reversed_cholesky(H, dtype):
    """The upper R with H = R R^T as a view, or None where Cholesky stops at a pivot.

    Let J reverse the order of the columns. H = R R^T with R upper means J H J = (J R J)(J R J)^T with J R J
    lower: the ordinary Cholesky factor of the reversed matrix, reversed again.
    """
    from scipy.linalg.lapack import get_lapack_funcs

    if not len(H):
        return np.empty((0, 0), dtype)
    A = np.array(H[::-1, ::-1], dtype=dtype, order="C")
    (potrf,) = get_lapack_funcs(("potrf",), (A,))
    # LAPACK reads columns, NumPy writes rows: A.T is A's memory as LAPACK sees it, without a copy. Its upper
    # factor, read back through .T, is the lower factor of A.
    factor, info = potrf(A.T, lower=0, overwrite_a=1, clean=0)
    return factor.T[::-1, ::-1] if info == 0 else None


def _unit_upper(R, r):
    """R / diag(R) - I; what lies below the diagonal of R is ignored."""
    n = len(R)
    U = np.zeros((n, n), R.dtype)
    for start in range(0, n, PANEL):  # panels of rows: only the upper part is read and written
        here = slice(start, start + PANEL)
        np.divide(R[here, start:], r[start:], out=U[here, start:])
        corner = U[here, here]
        corner[np.tril_indices(len(corner))] = 0
    return U


def _semidefinite_ldl(H):
    """LDL that lets pivots be zero, by elimination if that can tell them from rounding."""
    found = _eliminated(H)
    return _ldl_of_root(H) if found is None else found


def _eliminated(H):
    """Right-looking, in panels of columns from the last to the first; None where a pivot is too low."""
    A = np.array(H, dtype=np.float64, order="C")
    n, trace = len(A), float(np.trace(A))
    U, D = np.zeros((n, n)), np.zeros(n)
    for stop in range(n, 0, -PANEL):
        start = max(0, stop - PANEL)
        panel = A[:stop, start:stop]
        for k in range(stop - 1, start - 1, -1):
            column = panel[:k, k - start]
            if _too_low(A[k, k], column, trace):
                return None
            if A[k, k] > ZERO_PIVOT * trace:
                D[k], U[:k, k] = A[k, k], column / A[k, k]
                panel[:k, : k - start] -= np.outer(U[:k, k], column[start:])
        left = U[:start, start:stop]
        A[:start, :start] -= (left * D[start:stop]) @ left.T
    return U, D


def _too_low(pivot, column, trace):
    """True for a pivot that a semidefinite matrix has by rounding alone.

    In a semidefinite matrix |a_ik|^2 <= a_ii a_kk, so a zero pivot over a large column also means
    an eigenvalue below -1e-10 tr H.
    """
    largest = float(np.abs(column).max(initial=0.0))
    vanishes = pivot <= ZERO_PIVOT * trace
    return pivot < INDEFINITE_PIVOT * trace or (vanishes and largest**2 > -INDEFINITE_PIVOT * trace**2)


def _ldl_of_root(H):
    """LDL of H = S S^T by Gram-Schmidt on the rows of S from the last to the first; refuses an indefinite H.

    Elimination magnifies rounding by 1 + |H_aa^-1 H_ad|^2 (a: pivots so far, d: the rest), without limit where a pivot
    is far below H's eigenvalues. Here D_k is a squared distance of rows of S, which rounding cannot make negative, and
    the rows that span nothing new are zero to rounding.
    """
    values, Q = np.linalg.eigh(np.asarray(H, np.float64))
    n, trace = len(values), float(np.trace(H, dtype=np.float64))
    if values[0] < -ZERO_PIVOT * trace:
        raise np.linalg.LinAlgError(_indefinite(values[0], trace, n))
    values[values <= n * np.finfo(np.float64).eps * values[-1]] = 0.0  # what rounding alone makes of zero
    S = Q * np.sqrt(values)
    U, D = np.zeros((n, n)), np.zeros(n)
    for k in range(n - 1, -1, -1):
        square = S[k] @ S[k]
        if square > ZERO_PIVOT * trace:
            D[k], U[:k, k] = square, S[:k] @ S[k] / square
            S[:k] -= np.outer(U[:k, k], S[k])
    return U, D


def _indefinite(smallest, trace, n):
    """The refusal of an indefinite H; eigenvalues are computed only where elimination stops."""
    found = f"H must be symmetric positive semidefinite; its smallest eigenvalue is {smallest:.1e} (n = {n}). "
    fraction = smallest_damping(smallest, trace, n)
    if fraction is None:
        return found + "Damping cannot help, since its trace is not positive: look for the step that made it."
    return found + f"Symmetrise or damp it: quipref.damp(H, {fraction:g})."


def smallest_damping(smallest, trace, n):
    """The fraction of the mean diagonal that lifts the smallest eigenvalue to 2e-12 tr H, rounded up to two digits.

    Zero where it is higher already, None where the trace is not positive, so that no fraction lifts anything.
    """
    if trace <= 0:
        return None
    missing = 2 * ZERO_PIVOT * trace - smallest
    if missing <= 0:
        return 0.0
    fraction = missing * n / trace
    unit = 10.0 ** (np.floor(np.log10(fraction)) - 1)
    return float(np.ceil(fraction / unit) * unit)
