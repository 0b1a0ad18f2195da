"""Strategies for trellises, walks through them and codebooks; import them from `quipref.testing.strategies`."""

from typing import NamedTuple

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st
from numpy.typing import NDArray

from quipref.testing.drawing import GENERIC, Matrices, Size, strategy_of, vectors
from quipref.trellis.bitshift import BitshiftTrellis


class Walk(NamedTuple):
    """A trellis, and states (steps,), int32, of a walk through it."""

    trellis: BitshiftTrellis
    states: NDArray[np.int32]


def trellises(
    state_bits: Size = None, bits_per_weight: Size = None, values_per_step: Size = None
) -> st.SearchStrategy[BitshiftTrellis]:
    """Bit-shift trellises of few states.

    s -> (s 2^(kV) mod 2^L) + c,    kV <= L

    Parameters
    ----------
    state_bits : int or strategy, optional
        L; default 1 to 6.
    bits_per_weight, values_per_step : int or strategy, optional
        k, default 1 to 3, and V, default 1 or 2; pairs with kV > L are passed over.

    Returns
    -------
    strategy of quipref.BitshiftTrellis

    Raises
    ------
    hypothesis.errors.Unsatisfiable
        While drawing: no pair has kV <= L.

    Examples
    --------
    >>> from hypothesis import given
    >>> @given(trellises())
    ... def test_as_many_edges_lead_in_as_out(trellis):
    ...     states = np.arange(trellis.n_states)
    ...     assert (np.bincount(trellis.successors(states).ravel()) == trellis.n_branches).all()
    >>> test_as_many_edges_lead_in_as_out()
    """

    @st.composite
    def draw_trellis(draw):
        L = draw(strategy_of(state_bits, st.integers(1, 6)))
        k = draw(strategy_of(bits_per_weight, st.integers(1, min(3, L))))
        V = draw(strategy_of(values_per_step, st.integers(1, max(1, min(2, L // k)))))
        assume(k * V <= L)
        return BitshiftTrellis(L, k, V)

    return draw_trellis()


def walks(
    trellis: BitshiftTrellis | st.SearchStrategy[BitshiftTrellis] | None = None, *, n_steps: Size = None,
    tail_biting: bool = False,
) -> st.SearchStrategy[Walk]:  # fmt: skip
    """Walks through a bit-shift trellis: the windows of a stream of drawn bits.

    s_t = bits t kV to t kV + L of the stream

    Parameters
    ----------
    trellis : BitshiftTrellis or strategy, optional
        Default `trellises()`.
    n_steps : int or strategy, optional
        Default 1 to 8; if tail-biting, L / (kV) and up to 7 steps more.
    tail_biting : bool
        The stream is a circle, of n_steps kV >= L bits.

    Returns
    -------
    strategy of Walk
        (trellis, states).

    Raises
    ------
    hypothesis.errors.Unsatisfiable
        While drawing: tail-biting, and fewer steps than a state has bits.

    Examples
    --------
    >>> from hypothesis import given
    >>> @given(walks(n_steps=8, tail_biting=True))
    ... def test_the_first_state_follows_the_last(walk):
    ...     assert walk.trellis.is_tail_biting(walk.states)
    >>> test_the_first_state_follows_the_last()
    """

    @st.composite
    def draw_walk(draw):
        way = trellis if isinstance(trellis, BitshiftTrellis) else draw(trellises() if trellis is None else trellis)
        L, shift = way.state_bits, way.shift
        least = -(-L // shift) if tail_biting else 1
        steps = draw(strategy_of(n_steps, st.integers(least, least + 7)))
        assume(steps >= least)
        n_bits = steps * shift + (0 if tail_biting else L - shift)
        stream = draw(st.lists(st.integers(0, 1), min_size=n_bits, max_size=n_bits))
        windows = (np.arange(steps)[:, None] * shift + np.arange(L)) % n_bits
        return Walk(way, (np.array(stream, np.int32)[windows] @ (1 << np.arange(L)[::-1])).astype(np.int32))

    return draw_walk()


def codebooks(n_points: Size = None, dimension: Size = None) -> Matrices:
    """Codebooks: distinct points, each the value of the code that is its row.

    Parameters
    ----------
    n_points : int or strategy, optional
        K; default 1 to 8.
    dimension : int or strategy, optional
        Weights rounded together; default 1, 2 or 4.

    Returns
    -------
    strategy of array (K, dimension)
        float64, in no order: quarters from -2 to 2, where many targets have two nearest points, or standard normal
        numbers by seed.

    Raises
    ------
    hypothesis.errors.Unsatisfiable
        While drawing: there are not so many quarters.

    Examples
    --------
    >>> from hypothesis import given
    >>> @given(codebooks(dimension=2))
    ... def test_a_point_is_its_own_nearest(C):
    ...     distances = ((C[:, None] - C) ** 2).sum(axis=2)
    ...     assert (distances.argmin(axis=1) == np.arange(len(C))).all()
    >>> test_a_point_is_its_own_nearest()
    """
    quarters = st.integers(-8, 8).map(lambda k: k / 4)

    @st.composite
    def draw_codebook(draw):
        K, d = draw(strategy_of(n_points, st.integers(1, 8))), draw(strategy_of(dimension, st.sampled_from([1, 2, 4])))
        points = np.array(draw(st.lists(vectors(quarters, d), min_size=K, max_size=K, unique_by=tuple))).reshape(K, d)
        seed = draw(GENERIC)
        return points if seed is None else np.random.default_rng(seed).standard_normal((K, d))

    return draw_codebook()
