"""Hypothesis strategies for layers, Hessians, codebooks and walks, named by their mathematics.

Two kinds, and tests want both. Drawn entry by entry (`hessians`, `layers`), an example shrinks to
round numbers and reaches structure: equal eigenvalues, exact ties, zero weights. Drawn as a seed
(`seeded_layers`), it is in generic position, where statements fail that hold for every structured
example: nobody finds by entries that LDLQ can lose to nearest rounding, and every tenth seed shows it.
"""

import numpy as np
from hypothesis import strategies as st

from quipref import problems
from quipref.testing.code_strategies import Walk, codebooks, trellises, walks
from quipref.testing.drawing import GENERIC, SEEDS, SIZES, Matrices, Size, strategy_of, vectors
from quipref.testing.hessian_strategies import (
    BASES,
    Bases,
    Eigensystem,
    eigensystems,
    hessians,
    incoherent_hessians,
    low_rank_hessians,
    orthonormal_bases,
    possible,
)

__all__ = [
    "Eigensystem",
    "Walk",
    "codebooks",
    "eigensystems",
    "hessians",
    "incoherent_hessians",
    "layers",
    "low_rank_hessians",
    "orthonormal_bases",
    "seeded_layers",
    "trellises",
    "walks",
    "weights",
]


def weights(m: Size = None, n: Size = None, *, entries: st.SearchStrategy[float] | None = None) -> Matrices:
    """Weight matrices, in the units of a grid.

    Parameters
    ----------
    m : int or strategy, optional
        Outputs; default 1 to 3.
    n : int or strategy, optional
        Inputs; default one of 1, 2, 4, 8.
    entries : strategy of float, optional
        Default -8 to 8, with many halves, where rounding has its ties, and whole matrices of standard normal
        numbers by seed.

    Returns
    -------
    strategy of array (m, n)
        float64.

    Examples
    --------
    >>> from hypothesis import given
    >>> @given(weights())
    ... def test_no_integer_is_nearer(W):
    ...     assert (abs(W - np.floor(W + 0.5)) <= 0.5).all()
    >>> test_no_integer_is_nearer()
    """
    drawn = st.floats(-8, 8) | st.integers(-16, 16).map(lambda k: k / 2) if entries is None else entries

    @st.composite
    def draw_weights(draw):
        shape = draw(strategy_of(m, st.integers(1, 3))), draw(strategy_of(n, st.sampled_from(SIZES)))
        W = draw(vectors(drawn, shape[0] * shape[1])).reshape(shape)
        seed = draw(GENERIC) if entries is None else None
        return W if seed is None else np.random.default_rng(seed).standard_normal(shape)

    return draw_weights()


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
    n : int or strategy, optional
        Inputs; default one of 1, 2, 4, 8.
    weights : strategy of float, optional
        The entries of W; default -8 to 8, halves among them, where rounding has its ties.
    low, high, singular, outliers, dead, bases
        As in `hessians`.

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
        rows = draw(strategy_of(m, st.integers(1, 3)))
        return problems.Layer(draw(vectors(weights, rows * len(H))).reshape(rows, len(H)), H)

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
        rows, columns = draw(strategy_of(m, st.integers(1, 3))), draw(strategy_of(n, st.sampled_from(SIZES)))
        spectrum = draw(st.sampled_from(spectra))
        basis = draw(st.sampled_from(possible(bases, columns)))
        return problems.random_layer(rows, columns, spectrum=spectrum, basis=basis, seed=draw(SEEDS))

    return draw_layer()
