"""Walks as words: the paper's figure, both layouts against strings of bits, pieces, padding, refusals."""

import numpy as np
import pytest
from trellis_oracles import bits_of, circle, exl3_words, qtip_words, random_circles, random_stream
from voice import says

from quipref import BitshiftTrellis, pack, unpack
from quipref.trellis import packing

# state bits, bits a weight, values a step, weights: streams of whole words and others, symbols that fit L and others
SHAPES = [(1, 1, 1, 1), (2, 1, 1, 6), (4, 2, 1, 8), (5, 2, 1, 21), (7, 3, 1, 11), (7, 7, 1, 3), (9, 2, 2, 22)]
SHAPES += [(16, 2, 1, 256), (16, 2, 2, 256), (16, 3, 1, 16), (20, 1, 1, 40), (20, 10, 2, 6), (12, 5, 1, 64)]


class TestQtip:
    def test_figure_2_of_the_paper(self):
        """L = 2, k = 1: the walk that reads 0010110 ends as it began, so the last bit need not be stored."""
        trellis = BitshiftTrellis(2, 1)
        walk = [int("0010110"[t : t + 2], 2) for t in range(6)]
        assert walk == [0b00, 0b01, 0b10, 0b01, 0b11, 0b10]
        words = pack([walk], trellis)
        assert [bits_of(word, 16) for word in words[0]] == ["001011" + 10 * "0"]
        assert unpack(words, trellis, 6).tolist() == [walk]

    @pytest.mark.parametrize(("L", "k", "V", "T"), SHAPES)
    def test_the_circle_of_bits(self, L, k, V, T):
        rng, trellis = np.random.default_rng(L), BitshiftTrellis(L, k, V)
        streams = [random_stream(rng, T * k) for _ in range(5)]
        states = np.array([circle(stream, L, k * V) for stream in streams])
        words = pack(states, trellis)
        assert words.dtype == np.uint16
        assert words.tolist() == [qtip_words(stream) for stream in streams]
        found = unpack(words, trellis, T)
        assert found.dtype == np.int32
        assert (found == states).all()

    def test_state_0_is_the_first_bits_and_the_last_one_wraps(self):
        trellis, words = BitshiftTrellis(16, 2), np.array([[0x1234, 0x5678, 0x9ABC]], np.uint16)
        states = unpack(words, trellis, 24)[0]
        assert states[0] == 0x1234
        assert states[2] == 0x2345
        assert states[-2] == 0xC123


class TestExl3:
    @pytest.mark.parametrize(("k", "T"), [(1, 32), (2, 256), (3, 32), (4, 16), (5, 32), (6, 16), (7, 32), (8, 256)])
    def test_low_bits_in_swapped_words(self, k, T):
        rng, trellis = np.random.default_rng(k), BitshiftTrellis(16, k)
        states = random_circles(rng, trellis, 4, T)
        words = pack(states, trellis, layout="exl3")
        assert words.tolist() == [exl3_words(walk, k) for walk in states.tolist()]
        assert (unpack(words, trellis, T, layout="exl3") == states).all()

    @pytest.mark.parametrize("k", range(1, 9))
    def test_it_is_qtips_circle_cut_later(self, k):
        """EXL3's bit q is QTIP's bit q + 16 - k: the first state's high bits stand at the end, in the tail."""
        trellis = BitshiftTrellis(16, k)
        states = random_circles(np.random.default_rng(k), trellis, 1, 32)
        qtip = "".join(bits_of(word, 16) for word in pack(states, trellis)[0])
        pairs = pack(states, trellis, layout="exl3")[0].reshape(-1, 2)[:, ::-1]
        exl3 = "".join(bits_of(word, 16) for word in pairs.ravel())
        assert exl3 == qtip[16 - k :] + qtip[: 16 - k]
        assert exl3[k - 16 :] + exl3[:k] == bits_of(states[0, 0], 16)

    def test_as_32_bit_words_the_highest_bit_comes_first(self):
        trellis = BitshiftTrellis(16, 4)
        states = random_circles(np.random.default_rng(0), trellis, 1, 8)
        whole = pack(states, trellis, layout="exl3").astype("<u2").view("<u4")
        assert bits_of(whole[0, 0], 32) == "".join(bits_of(s % 16, 4) for s in states[0])


@pytest.mark.parametrize("layout", packing.LAYOUTS)
class TestBoth:
    TRELLIS = BitshiftTrellis(16, 3)

    def test_no_bit_is_spare(self, layout):
        """Every choice of bits is a walk: what is stored is exactly kT bits."""
        words = np.random.default_rng(0).integers(0, 65536, (50, 48)).astype(np.uint16)
        states = unpack(words, self.TRELLIS, 256, layout=layout)
        assert self.TRELLIS.is_tail_biting(states).all()
        assert (pack(states, self.TRELLIS, layout=layout) == words).all()

    def test_pieces_change_nothing_and_are_no_larger_than_they_may_be(self, layout, monkeypatch):
        words = np.random.default_rng(1).integers(0, 65536, (7, 48)).astype(np.uint16)
        states = unpack(words, self.TRELLIS, 256, layout=layout)
        seen, windows = [], packing._windows
        monkeypatch.setattr(packing, "PIECE", 3 * 768 + 5)
        monkeypatch.setattr(
            packing, "_windows", lambda symbols, *rest: seen.append(len(symbols)) or windows(symbols, *rest)
        )
        assert (unpack(words, self.TRELLIS, 256, layout=layout) == states).all()
        assert seen == [3, 3, 1]
        assert (pack(states, self.TRELLIS, layout=layout) == words).all()
        monkeypatch.setattr(packing, "PIECE", 5)  # not even one sequence: then one at a time
        assert (unpack(words, self.TRELLIS, 256, layout=layout) == states).all()

    def test_kinds_of_arrays(self, layout):
        words = np.random.default_rng(2).integers(0, 65536, (12, 96)).astype(np.uint16)[::-2, ::2]
        words.flags.writeable = False
        states = unpack(words, self.TRELLIS, 256, layout=layout)
        for same in (words.view(np.int16), words.astype(">u2"), words.astype(">i2"), np.asfortranarray(words)):
            assert (unpack(same, self.TRELLIS, 256, layout=layout) == states).all()
        for same in (states.astype(np.uint16), states.astype(">i8"), np.asfortranarray(states), states.tolist()):
            assert (pack(same, self.TRELLIS, layout=layout) == words).all()

    def test_nothing(self, layout):
        assert pack(np.zeros((0, 256), np.int32), self.TRELLIS, layout=layout).shape == (0, 48)
        assert unpack(np.zeros((0, 48), np.uint16), self.TRELLIS, 256, layout=layout).shape == (0, 256)

    def test_walks_that_do_not_end_as_they_began(self, layout):
        states = random_circles(np.random.default_rng(3), self.TRELLIS, 5, 32)
        states[3, 0] ^= 1 << 15
        words = ["states must be tail-biting walks, since only 3 of the 16 bits of a state are stored", "sequence 3"]
        with says(
            ValueError, *words, f"state {states[3, 0]} at step 0 does not follow state {states[3, -1]} at the end"
        ):
            pack(states, self.TRELLIS, layout=layout)

    def test_states_that_are_no_walk(self, layout, monkeypatch):
        monkeypatch.setattr(packing, "PIECE", 2 * 96)
        states = random_circles(np.random.default_rng(4), self.TRELLIS, 5, 32)
        states[4, 20] ^= 1 << 3
        with says(ValueError, "in sequence 4 state", "at step 20 does not follow state"):
            pack(states, self.TRELLIS, layout=layout)

    def test_refusals(self, layout):
        good = np.zeros((2, 48), np.uint16)
        for words in (good[:, :47], good[0], np.zeros((2, 49), np.uint16)):
            with says(
                ValueError, "words must have shape (sequences, 48) for the 768 bits of 256 weights", str(words.shape)
            ):
                unpack(words, self.TRELLIS, 256, layout=layout)
        for dtype in (np.uint8, np.int32, np.float16):
            with says(TypeError, "words must be uint16 (or int16, its view)", str(np.dtype(dtype))):
                unpack(good.astype(dtype), self.TRELLIS, 256, layout=layout)
        with says(ValueError, "states must have 2 axes (sequences, steps), but their shape is (256,)."):
            pack(np.zeros(256, int), self.TRELLIS, layout=layout)
        with says(ValueError, "states must lie from 0 to 65535"):
            pack(np.full((1, 256), 65536), self.TRELLIS, layout=layout)
        with says(TypeError, "states must be integers"):
            pack(np.zeros((1, 256)), self.TRELLIS, layout=layout)
        with says(ValueError, "n_weights must give a tail-biting stream at least 16 bits", "4 weights give 12"):
            unpack(good, self.TRELLIS, 4, layout=layout)


class TestRefusals:
    def test_bits_after_the_last_weight(self):
        with says(ValueError, "words must end in zeros after the 6 bits of 6 weights"):
            unpack(np.array([[0b0010110000000001]], np.uint16), BitshiftTrellis(2, 1), 6)

    def test_trellises_that_are_none(self):
        with says(TypeError, "trellis must be a BitshiftTrellis, but (16, 2) came."):
            pack([[0] * 8], (16, 2))
        with says(TypeError, "trellis must be a BitshiftTrellis, but (16, 2) came."):
            unpack(np.zeros((1, 32), np.uint16), (16, 2), 256)

    def test_circles_shorter_than_a_state(self):
        """Neither has an option tail_biting that could be advised."""
        trellis, short = BitshiftTrellis(4, 2), "must give a tail-biting stream at least 4 bits"
        with says(ValueError, f"states {short}", "1 weights give 2. Take longer sequences, or fewer state bits."):
            pack([[0]], trellis)
        with says(ValueError, f"n_weights {short}", "1 weights give 2. Take longer sequences, or fewer state bits."):
            unpack(np.zeros((1, 1), np.uint16), trellis, 1)

    def test_steps(self):
        with says(ValueError, "n_weights must be a multiple of values_per_step"):
            unpack(np.zeros((1, 1), np.uint16), BitshiftTrellis(4, 1, 2), 15)

    def test_layouts(self):
        with says(ValueError, "layout must be one of 'qtip', 'exl3', but 'gguf' came."):
            pack([[0]], BitshiftTrellis(1, 1), layout="gguf")

    @pytest.mark.parametrize("trellis", [BitshiftTrellis(12, 2), BitshiftTrellis(16, 2, 2), BitshiftTrellis(16, 9)])
    def test_trellises_that_exl3_does_not_have(self, trellis):
        with says(
            ValueError, "trellis must have 16 state bits, 1 value a step and at most 8 bits", "Use layout='qtip'."
        ):
            unpack(np.zeros((1, 32), np.uint16), trellis, 256, layout="exl3")

    def test_streams_that_exl3_does_not_have(self):
        with says(
            ValueError, "n_weights must make a stream of whole 32-bit words", "24 weights at 2 bits make 48 bits"
        ):
            unpack(np.zeros((1, 3), np.uint16), BitshiftTrellis(16, 2), 24, layout="exl3")
        with says(ValueError, "states must make a stream of whole 32-bit words"):
            pack(np.zeros((1, 24), int), BitshiftTrellis(16, 2), layout="exl3")
