"""Hypothesis strategies for Hessians and layers, named by their mathematics.

Two kinds, and tests want both. Drawn entry by entry (`hessians`, `layers`), an example shrinks to
round numbers and reaches structure: equal eigenvalues, exact ties, zero weights. Drawn as a seed
(`seeded_layers`), it is in generic position, where statements fail that hold for every structured
example: nobody finds by entries that LDLQ can lose to nearest rounding, and every tenth seed shows it.
"""

from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.linalg import hadamard

from quipref import problems

SIZES = (1, 2, 4, 8)
Bases = tuple[problems.Basis, ...]
BASES: Bases = ("identity", "hadamard", "haar")  # from the simplest: that is where examples shrink to
SEEDS = st.integers(0, 2**32 - 1)
Size = int | st.SearchStrategy[int] | None
Matrices = st.SearchStrategy[NDArray[np.float64]]


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
        size = draw(_strategy(n, st.sampled_from(SIZES)))
        basis = draw(st.sampled_from(_possible(bases, size)))
        if basis == "identity":
            return np.eye(size)
        if basis == "hadamard":
            return draw(_vectors(st.sampled_from([1.0, -1.0]), size))[:, None] * hadamard(size) / np.sqrt(size)
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
        return Eigensystem(draw(_vectors(value, len(Q))), Q)

    return draw_system()


def hessians(
    n: Size = None, *, low: float = 1e-4, high: float = 1e2, singular: bool = False, outliers: bool = False,
    dead: bool = False, bases: Bases = BASES,
) -> Matrices:  # fmt: skip
    """Symmetric positive semidefinite matrices, positive definite unless asked otherwise.

    H = g Q diag(values) Q^T g, g diagonal

    Parameters
    ----------
    n, low, high, singular, bases
        As in `eigensystems`.
    outliers : bool
        Also draw channels that are scaled by 10, as in the activations of language models; the
        condition number grows by at most 100.
    dead : bool
        Also draw channels whose row and column are zero.

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
        g = draw(_vectors(gain, len(H))) if outliers or dead else np.ones(len(H))
        return H * np.outer(g, g)

    return draw_hessian()


def layers(
    m: Size = None, n: Size = None, *, weights: st.SearchStrategy[float] | None = None, low: float = 1e-4,
    high: float = 1e2, singular: bool = False, outliers: bool = False, dead: bool = False,
    bases: Bases = BASES,
) -> st.SearchStrategy[problems.Layer]:  # fmt: skip
    """Layers (W, H) drawn entry by entry; they shrink to round numbers.

    Parameters
    ----------
    m : int or strategy, optional
        Outputs; default 1 to 3.
    n, low, high, singular, outliers, dead, bases
        As in `hessians`.
    weights : strategy of float, optional
        The entries of W; default -8 to 8, halves among them, where rounding has its ties.

    Returns
    -------
    strategy of quipref.Layer
        W (m, n) and H (n, n), float64.

    Raises
    ------
    hypothesis.errors.InvalidArgument
        As in `eigensystems`.

    Examples
    --------
    >>> from hypothesis import given
    >>> from quipref import ldlq
    >>> @given(layers())
    ... def test_ldlq_returns_integers(layer):
    ...     W_hat = ldlq(layer.W, layer.H)
    ...     assert (W_hat == np.rint(W_hat)).all()
    >>> test_ldlq_returns_integers()
    """
    weights = st.floats(-8, 8) if weights is None else weights
    squares = hessians(n, low=low, high=high, singular=singular, outliers=outliers, dead=dead, bases=bases)

    @st.composite
    def draw_layer(draw):
        H = draw(squares)
        rows = draw(_strategy(m, st.integers(1, 3)))
        return problems.Layer(draw(_vectors(weights, rows * len(H))).reshape(rows, len(H)), H)

    return draw_layer()


def seeded_layers(
    m: Size = None, n: Size = None, *, spectra: tuple[problems.Spectrum, ...] = problems.SPECTRA,
    bases: Bases = BASES,
) -> st.SearchStrategy[problems.Layer]:  # fmt: skip
    """Layers in generic position: a drawn seed, and the array from `quipref.random_layer`.

    Parameters
    ----------
    m : int or strategy, optional
        Outputs; default 1 to 3.
    n : int or strategy, optional
        Inputs; default one of 1, 2, 4, 8.
    spectra : tuple of str
        Among those of `quipref.random_layer`; ``"low_rank"`` and ``"dead"`` are singular.
    bases : tuple of str
        As in `eigensystems`.

    Returns
    -------
    strategy of quipref.Layer
        W (m, n) standard normal, and H (n, n).

    Raises
    ------
    hypothesis.errors.InvalidArgument
        While drawing: no basis is left.

    Examples
    --------
    >>> from hypothesis import given
    >>> @given(seeded_layers(2, 8, spectra=("power",)))
    ... def test_mean_diagonal_is_one(layer):
    ...     assert np.isclose(np.trace(layer.H), 8)
    >>> test_mean_diagonal_is_one()
    """

    @st.composite
    def draw_layer(draw):
        rows, columns = draw(_strategy(m, st.integers(1, 3))), draw(_strategy(n, st.sampled_from(SIZES)))
        spectrum = draw(st.sampled_from(spectra))
        basis = draw(st.sampled_from(_possible(bases, columns)))
        return problems.random_layer(rows, columns, spectrum=spectrum, basis=basis, seed=draw(SEEDS))

    return draw_layer()


def _strategy(size, default):
    """`size` as a strategy of ints: the default for None, a constant for an int."""
    if size is None:
        return default
    return size if isinstance(size, st.SearchStrategy) else st.just(size)


def _vectors(entries, n):
    """Arrays (n,) of floats drawn one by one."""
    return st.lists(entries, min_size=n, max_size=n).map(lambda values: np.array(values, np.float64))


def _possible(bases, n):
    """The bases that exist at size n: Sylvester's matrix needs a power of two."""
    return [basis for basis in bases if basis != "hadamard" or n & (n - 1) == 0]
