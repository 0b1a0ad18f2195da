"""The bit-shift trellis: examples by hand, against the definition by strings of bits, refusals."""

import dataclasses

import numpy as np
import pytest
from trellis_oracles import circle, edges, random_stream, windows
from voice import says

from quipref import BitshiftTrellis

SMALL = [(1, 1, 1), (2, 1, 1), (3, 1, 2), (4, 2, 1), (4, 2, 2), (5, 1, 3), (6, 3, 2), (7, 2, 1), (7, 7, 1)]


class TestNumbers:
    def test_by_hand(self):
        trellis = BitshiftTrellis(16, 2, 2)
        assert (trellis.n_states, trellis.shift, trellis.n_branches, trellis.overlap_bits) == (65536, 4, 16, 12)
        assert trellis.n_steps(256) == 128
        assert BitshiftTrellis(16, 2).values_per_step == 1

    def test_storage(self):
        """QTIP's tile: 256 weights at 2 bits, with the 14 bits that a free start costs on top."""
        trellis = BitshiftTrellis(16, 2)
        assert trellis.storage_bits(256) == 512
        assert trellis.storage_bits(256, tail_biting=False) == 526
        assert BitshiftTrellis(16, 2, 2).storage_bits(256, tail_biting=False) == 524

    def test_the_largest(self):
        assert BitshiftTrellis(20, 20).successors(0)[-1] == 2**20 - 1
        assert BitshiftTrellis(20, 2).successors(2**20 - 1).tolist() == [2**20 - 4, 2**20 - 3, 2**20 - 2, 2**20 - 1]

    def test_it_is_a_value(self):
        trellis = BitshiftTrellis(np.int64(4), np.uint8(2))
        assert trellis == BitshiftTrellis(4, 2, 1)
        assert hash(trellis) == hash(BitshiftTrellis(4, 2))
        assert trellis != BitshiftTrellis(4, 1)
        assert {type(number) for number in dataclasses.astuple(trellis)} == {int}
        assert repr(trellis) == "BitshiftTrellis(state_bits=4, bits_per_weight=2, values_per_step=1)"
        with pytest.raises(dataclasses.FrozenInstanceError):
            trellis.state_bits = 5


class TestEdges:
    def test_by_hand(self):
        trellis = BitshiftTrellis(4, 2)
        assert trellis.successors(0b0110).tolist() == [0b1000, 0b1001, 0b1010, 0b1011]
        assert trellis.predecessors(0b0110).tolist() == [0b0001, 0b0101, 0b1001, 0b1101]

    @pytest.mark.parametrize(("L", "k", "V"), SMALL)
    def test_both_directions_are_the_definition(self, L, k, V):
        trellis = BitshiftTrellis(L, k, V)
        states = np.arange(trellis.n_states)
        after, before = trellis.successors(states), trellis.predecessors(states)
        assert {(i, int(j)) for i in states.tolist() for j in after[i]} == edges(L, k * V)
        assert {(int(i), j) for j in states.tolist() for i in before[j]} == edges(L, k * V)
        for found in (after, before):
            assert found.shape == (trellis.n_states, trellis.n_branches)
            assert found.dtype == np.int32
            assert (np.diff(found) > 0).all()  # ascending, none twice

    def test_any_shape_and_any_integers(self):
        trellis = BitshiftTrellis(8, 2)
        states = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)[:, ::-1, ::2] * 10
        states.flags.writeable = False
        assert trellis.successors(states).shape == (2, 3, 2, 4)
        assert (trellis.successors(states) == trellis.successors(states.tolist())).all()
        assert trellis.predecessors(np.zeros((0, 3), int)).shape == (0, 3, 4)


class TestWalks:
    @pytest.mark.parametrize(("L", "k", "V"), SMALL)
    def test_windows_are_walks_and_a_wrong_shared_bit_is_seen(self, L, k, V):
        rng, trellis = np.random.default_rng(L), BitshiftTrellis(L, k, V)
        walk = np.array(windows(random_stream(rng, 6 * k * V + L - k * V), L, k * V))
        assert len(walk) == 6
        assert trellis.is_walk(walk)
        for t in range(6):
            for bit in range(L):
                wrong = walk.copy()
                wrong[t] ^= 1 << bit
                with_the_next = t < 5 and bit < trellis.overlap_bits
                with_the_last = t > 0 and bit >= trellis.shift
                assert trellis.is_walk(wrong) == (not with_the_next and not with_the_last)

    @pytest.mark.parametrize(("L", "k", "V"), SMALL)
    def test_circles_bite_their_tails_and_a_wrong_shared_bit_is_seen(self, L, k, V):
        rng, trellis = np.random.default_rng(L), BitshiftTrellis(L, k, V)
        walk = np.array(circle(random_stream(rng, 8 * k * V), L, k * V))
        assert trellis.is_tail_biting(walk)
        for t in range(8):
            for bit in range(L):
                wrong = walk.copy()
                wrong[t] ^= 1 << bit
                assert trellis.is_tail_biting(wrong) == (trellis.overlap_bits <= bit < trellis.shift)

    def test_a_walk_whose_ends_do_not_meet(self):
        trellis = BitshiftTrellis(2, 1)
        assert trellis.is_walk([0b00, 0b01, 0b11])
        assert not trellis.is_tail_biting([0b00, 0b01, 0b11])

    def test_time_is_the_last_axis(self):
        states = np.array([[[0, 1, 3], [0, 1, 2]], [[3, 1, 2], [2, 0, 1]]])
        assert BitshiftTrellis(2, 1).is_walk(states).tolist() == [[True, True], [False, True]]
        assert BitshiftTrellis(2, 1).is_tail_biting(states).tolist() == [[False, True], [False, True]]
        assert BitshiftTrellis(2, 1).is_walk(states[..., :1]).all()


class TestRefusals:
    @pytest.mark.parametrize("L", [0, -1, 21])
    def test_state_bits(self, L):
        with says(ValueError, "state_bits must be from 1 to 20", str(L)):
            BitshiftTrellis(L, 1)

    @pytest.mark.parametrize(("k", "V"), [(3, 1), (1, 3), (2, 2)])
    def test_more_new_bits_than_state_bits(self, k, V):
        with says(ValueError, f"bits_per_weight * values_per_step must not exceed state_bits, but {k} * {V} > 2."):
            BitshiftTrellis(2, k, V)

    def test_other_numbers(self):
        with says(ValueError, "bits_per_weight must be at least 1, but 0 came."):
            BitshiftTrellis(4, 0)
        with says(ValueError, "values_per_step must be at least 1, but -1 came."):
            BitshiftTrellis(4, 1, -1)
        with says(TypeError, "bits_per_weight must be an integer, but 1.5 (float) came."):
            BitshiftTrellis(4, 1.5)

    def test_weights(self):
        trellis = BitshiftTrellis(4, 1, 2)
        with says(
            ValueError, "n_weights must be a multiple of values_per_step, but 7 weights came for 2 values a step"
        ):
            trellis.n_steps(7)
        with says(ValueError, "length must be a multiple of values_per_step"):
            trellis.n_steps(7, "length")
        with says(ValueError, "n_weights must be at least 1, but 0 came."):
            trellis.storage_bits(0)
        with says(TypeError, "tail_biting must be True or False, but 1 came."):
            trellis.storage_bits(8, tail_biting=1)

    def test_a_circle_shorter_than_a_state(self):
        trellis = BitshiftTrellis(4, 1)
        trellis.check_tail_biting(4)
        with says(ValueError, "n_weights must give a tail-biting stream at least 4 bits", "3 weights give 3"):
            trellis.check_tail_biting(3)
        with says(ValueError, "Take longer sequences, or fewer state bits."):
            trellis.check_tail_biting(3)
        with says(ValueError, "Take longer sequences, fewer state bits, or tail_biting=False."):
            trellis.storage_bits(3)
        assert trellis.storage_bits(3, tail_biting=False) == 6

    def test_what_is_no_state(self):
        trellis = BitshiftTrellis(3, 1)
        with says(ValueError, "states must lie from 0 to 7, but they lie from 0 to 8.", "3 state bits"):
            trellis.successors([0, 8])
        with says(ValueError, "states must lie from 0 to 7, but they lie from -1 to 2."):
            trellis.predecessors([-1, 2])
        with says(ValueError, f"from 0 to {2**64 - 1}."):
            trellis.is_walk(np.array([0, 2**64 - 1], np.uint64))
        with says(TypeError, "states must be integers, but their dtype is float64."):
            trellis.is_walk([0.0, 1.0])
        for states in (3, [], [[], []]):
            with says(ValueError, "states must have a last axis with at least one step"):
                trellis.is_tail_biting(np.array(states, int))
