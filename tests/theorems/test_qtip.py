"""QTIP (arXiv:2406.11235), section 3.1: the bit-shift trellis and what its walks take to store.

Everything is an integer, so there are no tolerances. Each statement is held against strings of bits or against the
number of walks, which the powers of the adjacency matrix count.
"""

import numpy as np
import pytest
from hypothesis import strategies as st
from theorems.claims import for_all
from trellis_oracles import bits_of, circle, edges, qtip_words, random_circles, random_stream, streams, windows

import quipref
from quipref import BitshiftTrellis

SEEDS = st.integers(0, 2**32 - 1)


@st.composite
def trellises(draw, most_bits=7):
    """A trellis with any number of bits, values and state bits that go together."""
    L = draw(st.integers(1, most_bits))
    k = draw(st.integers(1, L))
    return BitshiftTrellis(L, k, draw(st.integers(1, L // k)))


def adjacency(trellis):
    """A (2^L, 2^L) of Python integers: how many edges lead from i to j."""
    A = np.zeros((trellis.n_states, trellis.n_states), object)
    for i, after in enumerate(trellis.successors(np.arange(trellis.n_states))):
        A[i, after] += 1
    return A


class TestT1BitshiftTrellis:
    """T1, section 3.1. True.

    There is an edge from i to j if and only if j = (i 2^(kV) mod 2^L) + c with 0 <= c < 2^(kV): 2^(kV) edges leave
    each state and as many reach it. The states of a walk are the windows of L bits of a stream, where
    window t of 1, 2, ... is bits (t - 1)kV + 1 to (t - 1)kV + L, the first bit highest; and all such windows are walks.
    """

    @for_all(trellises())
    def test_the_edges_are_these_in_both_directions(self, trellis):
        states = np.arange(trellis.n_states)
        expected = edges(trellis.state_bits, trellis.shift)
        assert {(i, int(j)) for i in states for j in trellis.successors(i)} == expected
        assert {(int(i), j) for j in states for i in trellis.predecessors(j)} == expected
        pairs = np.stack(np.meshgrid(states, states, indexing="ij"), axis=-1)
        assert {(int(i), int(j)) for i, j in pairs[trellis.is_walk(pairs)]} == expected

    @for_all(trellises(most_bits=6))
    def test_every_degree_is_the_number_of_branches(self, trellis):
        A = adjacency(trellis)
        assert (A <= 1).all()
        assert (A.sum(axis=0) == 2**trellis.shift).all()
        assert (A.sum(axis=1) == 2**trellis.shift).all()

    @for_all(trellises(most_bits=20), st.integers(1, 40), SEEDS)
    def test_the_windows_of_any_stream_are_a_walk(self, trellis, n_steps, seed):
        L, kV = trellis.state_bits, trellis.shift
        stream = random_stream(np.random.default_rng(seed), n_steps * kV + L - kV)
        walk = windows(stream, L, kV)
        assert len(walk) == n_steps
        assert trellis.is_walk(walk)
        for before, after in zip(walk, walk[1:], strict=False):
            assert after in trellis.successors(before)
            assert before in trellis.predecessors(after)

    @for_all(trellises(most_bits=4), st.integers(1, 4))
    def test_every_walk_is_the_windows_of_a_stream(self, trellis, n_steps):
        """All walks, branch by branch, against all streams."""
        n_steps = min(n_steps, 8 // trellis.shift)
        walks = [(s,) for s in range(trellis.n_states)]
        for _ in range(n_steps - 1):
            walks = [(*walk, int(j)) for walk in walks for j in trellis.successors(walk[-1])]
        L, kV = trellis.state_bits, trellis.shift
        read = [tuple(windows(stream, L, kV)) for stream in streams(n_steps * kV + L - kV)]
        assert sorted(walks) == sorted(read)


class TestT2Storage:
    """T2, section 3.1 with figure 2, and 3.2. True.

    A walk over T weights takes kT + L - kV bits when it may start anywhere, and exactly kT when it bites its tail:
    when the top L - kV bits of the first state are the bottom ones of the last. The stream is then a circle, on which
    kT >= L.
    """

    @for_all(trellises(most_bits=5), st.integers(1, 12))
    def test_there_are_as_many_walks_as_their_bits_can_tell_apart(self, trellis, n_steps):
        """No fewer bits would do, no more are needed. A^(n-1) counts the walks of n states, tr A^n the closed ones."""
        T, A = n_steps * trellis.values_per_step, adjacency(trellis)
        power = np.linalg.matrix_power(A, n_steps - 1)
        assert power.sum() == 2 ** trellis.storage_bits(T, tail_biting=False)
        if trellis.bits_per_weight * T >= trellis.state_bits:
            assert np.trace(power @ A) == 2 ** trellis.storage_bits(T)

    @for_all(trellises(most_bits=20), st.integers(0, 30), SEEDS)
    def test_a_walk_bites_its_tail_if_its_ends_agree(self, trellis, more, seed):
        L, kV, rng = trellis.state_bits, trellis.shift, np.random.default_rng(seed)
        n_steps = -(-L // kV) + more
        stream = random_stream(rng, n_steps * kV + L - kV)
        closed = stream[: n_steps * kV] + stream[: L - kV]
        for free in (stream, closed):
            walk = windows(free, L, kV)
            ends = bits_of(walk[0], L)[: L - kV], bits_of(walk[-1], L)[kV:]
            assert trellis.is_tail_biting(walk) == (ends[0] == ends[1])
        assert trellis.is_tail_biting(walk)

    @for_all(trellises(most_bits=20), st.integers(0, 30), SEEDS)
    def test_a_tail_biting_walk_comes_back_from_its_bits(self, trellis, more, seed):
        """The bits are those of the circle that the states are windows of, so there are kT of them and no others."""
        L, kV, V = trellis.state_bits, trellis.shift, trellis.values_per_step
        n_steps = -(-L // kV) + more
        stream = random_stream(np.random.default_rng(seed), n_steps * kV)
        states = np.array([circle(stream, L, kV)])
        words = quipref.pack(states, trellis)
        assert words[0].tolist() == qtip_words(stream)
        assert (quipref.unpack(words, trellis, n_steps * V) == states).all()
        assert len(stream) == trellis.storage_bits(n_steps * V)

    @for_all(st.integers(1, 8), st.integers(1, 4), SEEDS)
    def test_the_other_layout_keeps_the_low_bits(self, k, n_double_words, seed):
        """EXL3: the low k bits of every state, in order, are the stream in swapped pairs of words."""
        trellis, T = BitshiftTrellis(16, k), 32 * n_double_words
        states = random_circles(np.random.default_rng(seed), trellis, 2, T)
        words = quipref.pack(states, trellis, layout="exl3")
        swapped = words.reshape(2, -1, 2)[:, :, ::-1].reshape(2, -1)
        for walk, row in zip(states, swapped, strict=True):
            assert "".join(bits_of(word, 16) for word in row) == "".join(bits_of(s % 2**k, k) for s in walk)
        assert (quipref.unpack(words, trellis, T, layout="exl3") == states).all()

    def test_figure_2(self):
        """L = 2, k = 1: of the stream 0010110, which begins and ends with 0, six bits are kept: 001011."""
        trellis, walk = BitshiftTrellis(2, 1), windows("0010110", 2, 1)
        assert trellis.storage_bits(6, tail_biting=False) == 7
        assert trellis.storage_bits(6) == 6
        words = quipref.pack([walk], trellis)
        assert bits_of(words[0, 0], 16) == "001011" + 10 * "0"
        assert quipref.unpack(words, trellis, 6).tolist() == [walk]

    def test_false_that_a_free_start_costs_nothing(self):
        """Two walks with the same kT top bits: on the circle one of them would come back as the other."""
        trellis = BitshiftTrellis(2, 1)
        one, other = windows("0010110", 2, 1), windows("0010111", 2, 1)
        assert [s >> 1 for s in one] == [s >> 1 for s in other]
        assert trellis.is_walk([one, other]).all()
        assert trellis.is_tail_biting([one, other]).tolist() == [True, False]
        with pytest.raises(ValueError, match="states must be tail-biting walks"):
            quipref.pack([other], trellis)

    def test_false_that_a_circle_may_be_shorter_than_a_state(self):
        """With kT < L only 2^(kT) states can occur at all: those that repeat themselves."""
        trellis = BitshiftTrellis(6, 2)
        closed = np.diagonal(np.linalg.matrix_power(adjacency(trellis), 2))
        assert np.flatnonzero(closed).tolist() == [int((bits_of(c, 4) * 2)[:6], 2) for c in range(16)]
        with pytest.raises(ValueError, match="n_weights must give a tail-biting stream at least 6 bits"):
            trellis.storage_bits(2)
