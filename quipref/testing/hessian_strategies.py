"""Strategies for Hessians and their eigenbases; `quipref.testing.strategies` is where to import them from."""

from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument
from numpy.typing import NDArray
from scipy.linalg import hadamard

from quipref import problems
from quipref.testing.drawing import GENERIC, SEEDS, SIZES, Matrices, Size, strategy_of, vectors

Bases = tuple[problems.Basis, ...]
BASES: Bases = ("identity", "hadamard", "haar")  # from the simplest: that is where examples shrink to


class Eigensystem(NamedTuple):
    """Eigenvalues (n,) and, as columns, orthonormal eigenvectors (n, n) of a Hessian."""

    values: NDArray[np.float64]
    vectors: NDArray[np.float64]

    def power(self, exponent: float) -> NDArray[np.float64]:
        """H^exponent, exactly symmetric: ``power(1)`` is H and ``power(0.5)`` its square root."""
        A = (self.vectors * self.values**exponent) @ self.vectors.T
        return (A + A.T) / 2

    def incoherence(self) -> float:
        """Sqrt(n) times the largest entry of the eigenvectors of nonzero eigenvalues."""
        vectors = self.vectors[:, self.values > 0]
        return float(np.sqrt(len(vectors)) * np.abs(vectors).max(initial=0.0))


def orthonormal_bases(n: Size = None, *, bases: Bases = BASES) -> Matrices:
    """Orthonormal bases: the axes, Sylvester's Hadamard matrix with drawn signs of its rows, Haar by seed.

    Q^T Q = I

    Parameters
    ----------
    n : int or strategy, optional
        Size; default one of 1, 2, 4, 8.
    bases : tuple of str
        Among ``"identity"``, ``"hadamard"`` (left out where n is no power of two) and ``"haar"``.

    Returns
    -------
    strategy of array (n, n)
        The basis vectors are the columns.

    Raises
    ------
    hypothesis.errors.InvalidArgument
        While drawing: no basis is left.

    Examples
    --------
    >>> from hypothesis import given
    >>> @given(orthonormal_bases(4, bases=("hadamard",)))
    ... def test_all_entries_are_equally_large(Q):
    ...     assert (abs(Q) == 1 / 2).all()
    >>> test_all_entries_are_equally_large()
    """

    @st.composite
    def draw_basis(draw):
        size = draw(strategy_of(n, st.sampled_from(SIZES)))
        basis = draw(st.sampled_from(possible(bases, size)))
        if basis == "identity":
            return np.eye(size)
        if basis == "hadamard":
            return draw(vectors(st.sampled_from([1.0, -1.0]), size))[:, None] * hadamard(size) / np.sqrt(size)
        # Q of a Gaussian matrix is Haar once the signs of R's diagonal are made positive.
        Q, R = np.linalg.qr(np.random.default_rng(draw(SEEDS)).standard_normal((size, size)))
        return Q * np.sign(R.diagonal())

    return draw_basis()


def eigensystems(
    n: Size = None, *, low: float = 1e-4, high: float = 1e2, singular: bool = False,
    bases: Bases = BASES,
) -> st.SearchStrategy[Eigensystem]:  # fmt: skip
    """Eigenvalues and eigenvectors drawn apart, so that a test knows an eigenbasis of its H.

    H = Q diag(values) Q^T

    Parameters
    ----------
    n : int or strategy, optional
        Size; default one of 1, 2, 4, 8.
    low, high : float
        Range of the eigenvalues, log-uniform, both positive: high / low bounds the condition number.
    singular : bool
        Also draw eigenvalues that are zero, at worst all of them.
    bases : tuple of str
        As in `orthonormal_bases`.

    Returns
    -------
    strategy of Eigensystem

    Raises
    ------
    hypothesis.errors.InvalidArgument
        While drawing: no basis is left, or low > high.

    Examples
    --------
    >>> from hypothesis import given
    >>> @given(eigensystems(4))
    ... def test_the_trace_is_the_sum_of_the_eigenvalues(system):
    ...     assert np.isclose(np.trace(system.power(1)), system.values.sum())
    >>> test_the_trace_is_the_sum_of_the_eigenvalues()
    """
    value = st.floats(np.log10(low), np.log10(high)).map(lambda exponent: min(max(10.0**exponent, low), high))
    value = st.just(0.0) | value if singular else value

    @st.composite
    def draw_system(draw):
        Q = draw(orthonormal_bases(n, bases=bases))
        return Eigensystem(draw(vectors(value, len(Q))), Q)

    return draw_system()


def hessians(
    n: Size = None, *, low: float = 1e-4, high: float = 1e2, singular: bool = False, outliers: bool = False,
    dead: bool = False, bases: Bases = BASES,
) -> Matrices:  # fmt: skip
    """Symmetric positive semidefinite matrices, positive definite unless asked otherwise.

    H = g Q diag(values) Q^T g, g diagonal

    Parameters
    ----------
    n, low, high, singular
        As in `eigensystems`.
    outliers : bool
        Also draw channels that are scaled by 10, as in the activations of language models; the
        condition number grows by at most 100.
    dead : bool
        Also draw channels whose row and column are zero.
    bases : tuple of str
        As in `orthonormal_bases`.

    Returns
    -------
    strategy of array (n, n)
        float64, exactly symmetric.

    Raises
    ------
    hypothesis.errors.InvalidArgument
        As in `eigensystems`.

    Examples
    --------
    >>> from hypothesis import given
    >>> from quipref import ldl
    >>> @given(hessians(singular=True))
    ... def test_no_pivot_is_negative(H):
    ...     assert (ldl(H)[1] >= 0).all()
    >>> test_no_pivot_is_negative()
    """
    gain = st.sampled_from([1.0] + [10.0] * outliers + [0.0] * dead)

    @st.composite
    def draw_hessian(draw):
        H = draw(eigensystems(n, low=low, high=high, singular=singular, bases=bases)).power(1)
        g = draw(vectors(gain, len(H))) if outliers or dead else np.ones(len(H))
        return H * np.outer(g, g)

    return draw_hessian()


def incoherent_hessians(n: Size = None, *, mu: float = 1.5, low: float = 1e-4, high: float = 1e2) -> Matrices:
    """Positive definite matrices that are mu-incoherent: some eigenbasis has no entry above mu / sqrt(n).

    H = Q diag(values) Q^T,    sqrt(n) max |Q_ij| <= mu

    Parameters
    ----------
    n : int or strategy, optional
        A power of two; default one of 1, 2, 4, 8.
    mu : float
        At least 1.
    low, high : float
        As in `eigensystems`.

    Returns
    -------
    strategy of array (n, n)
        float64, exactly symmetric.

    Raises
    ------
    hypothesis.errors.InvalidArgument
        While drawing: n is no power of two, or low > high.
    ValueError
        mu is below 1.

    Notes
    -----
    Q is a signed Hadamard matrix, whose mu is 1, or one that is turned away from it as far as mu allows.

    References
    ----------
    QuIP, arXiv:2307.13304v2, the definition of mu-incoherence.

    Examples
    --------
    >>> from hypothesis import given
    >>> from quipref import bounds, ldl
    >>> @given(incoherent_hessians(8, mu=2.0))
    ... def test_lemma_2(H):
    ...     root = np.sqrt(np.linalg.eigvalsh(H)).sum()
    ...     assert ldl(H)[1].sum() <= bounds.incoherent_trace(2.0, 8, root) * (1 + 1e-9)
    >>> test_lemma_2()
    """
    if not mu >= 1:
        raise ValueError(f"mu must be at least 1, as that of every orthonormal basis is, but {mu!r} came.")

    @st.composite
    def draw_hessian(draw):
        values, Q = draw(eigensystems(n, low=low, high=high, bases=("hadamard",)))
        seed = draw(GENERIC)
        return Eigensystem(values, Q if seed is None else turned_away(Q, mu, seed)).power(1)

    return draw_hessian()


def turned_away(Q: NDArray[np.float64], mu: float, seed: int) -> NDArray[np.float64]:
    """Q times a rotation drawn by seed, shrunk by halves until no entry is above mu / sqrt(n); else Q itself."""
    A = np.random.default_rng(seed).standard_normal(Q.shape)
    for share in 0.5 ** np.arange(24):
        S, unit = share * (A - A.T), np.eye(len(Q))
        turned = Q @ np.linalg.solve(unit + S, unit - S)  # Cayley's transform of a skew matrix is a rotation
        if Eigensystem(np.ones(len(Q)), turned).incoherence() <= mu:
            return turned
    return Q


def low_rank_hessians(n: Size = None, *, rank: Size = None) -> Matrices:
    """Singular matrices: the second moments of fewer samples than inputs.

    H = X^T X,    X of r rows

    Parameters
    ----------
    n : int or strategy, optional
        Size; default one of 2, 4, 8.
    rank : int or strategy, optional
        r, at most n; default 1 to n / 2.

    Returns
    -------
    strategy of array (n, n)
        float64, exactly symmetric, of rank r at most: X holds integers from -3 to 3, so that H is exact, or
        normal numbers by seed.

    Raises
    ------
    hypothesis.errors.InvalidArgument
        While drawing: a rank above n, or n = 1 without a rank.

    Examples
    --------
    >>> from hypothesis import given
    >>> @given(low_rank_hessians(8, rank=2))
    ... def test_no_more_than_two_pivots(H):
    ...     assert np.linalg.matrix_rank(H) <= 2
    >>> test_no_more_than_two_pivots()
    """

    @st.composite
    def draw_hessian(draw):
        size = draw(strategy_of(n, st.sampled_from(SIZES[1:])))
        r = draw(strategy_of(rank, st.integers(1, size // 2)))
        if r > size:
            raise InvalidArgument(f"rank must be at most n = {size}, but {r} came.")
        X, seed = draw(vectors(st.integers(-3, 3), r * size)).reshape(r, size), draw(GENERIC)
        if seed is not None:
            X = np.random.default_rng(seed).standard_normal((r, size))
        H = X.T @ X
        return (H + H.T) / 2

    return draw_hessian()


def possible(bases: Bases, n: int) -> list[problems.Basis]:
    """The bases that exist at size n: Sylvester's matrix needs a power of two."""
    return [basis for basis in bases if basis != "hadamard" or n & (n - 1) == 0]
