"""QuIP#'s packed words: what they say bit by bit, and what is refused."""

import numpy as np
import pytest
from sizes import size
from voice import says

import quipref as q
from quipref.formats import quip_sharp
from quipref.lattice import e8p

M, N = 32, 128
NAMES = ["E8P12", "E8P12RVQ3B", "E8P12RVQ4B"]


def some_codes(codebook, m=M, n=N):
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, 2**16, (2, m, n // 8))
    if codebook == "E8P12":
        return first.astype(np.uint16)
    return (first << 16 | second % (256 if codebook == "E8P12RVQ3B" else 2**16)).astype(np.uint32)


def word_of(codes, row, group):
    """The flat index of the word that holds a code, and its slot there, from the description of the format."""
    R, r, C, c = *divmod(row, 2), *divmod(group, 2)
    return (R // 8 * (codes.shape[1] // 8) + C // 4) * 32 + R % 8 * 4 + C % 4, 2 * c + r


class TestBits:
    def test_where_each_bit_of_a_code_stands(self):
        codes = some_codes("E8P12")
        words = quip_sharp.pack_weights(codes).view(np.uint64).ravel()
        assert words.size == codes.size // 4
        for (row, group), code in np.ndenumerate(codes):
            index, slot = word_of(codes, row, group)
            word = int(words[index])
            assert word >> 8 * slot & 0xFF == code >> 8
            assert sum((word >> 32 + 4 * j + slot & 1) << j for j in range(8)) == code & 0xFF

    def test_at_four_bits_the_second_codes_stand_to_the_right(self):
        codes = some_codes("E8P12RVQ4B")
        words = quip_sharp.pack_weights(codes, codebook="E8P12RVQ4B")
        for part, shift in ((words[:, : N // 32], 16), (words[:, N // 32 :], 0)):
            assert np.array_equal(part, quip_sharp.pack_weights((codes >> shift & 0xFFFF).astype(np.uint16)))

    def test_at_three_bits_they_are_bytes_of_their_row(self):
        codes = some_codes("E8P12RVQ3B")
        words = quip_sharp.pack_weights(codes, codebook="E8P12RVQ3B")
        assert np.array_equal(words[:, : N // 32], quip_sharp.pack_weights((codes >> 16).astype(np.uint16)))
        for (row, group), code in np.ndenumerate(codes):
            word = int(words[row, N // 32 + group // 8])
            assert word >> 8 * (group % 8) & 0xFF == code & 0xFF


@pytest.mark.parametrize("codebook", NAMES)
class TestAllCodebooks:
    def test_codes_come_back(self, codebook):
        codes = some_codes(codebook)
        words = quip_sharp.pack_weights(codes, codebook=codebook)
        assert words.dtype == np.int64
        assert words.size * 64 == M * N * quip_sharp.BITS[codebook]
        found = quip_sharp.unpack_codes(words, (M, N), codebook=codebook)
        assert found.dtype == codes.dtype
        assert np.array_equal(found, codes)

    def test_slices_and_read_only_arrays(self, codebook):
        codes = some_codes(codebook)
        words = quip_sharp.pack_weights(codes, codebook=codebook)
        wide = np.repeat(words, 2, axis=1)
        wide.setflags(write=False)
        assert np.array_equal(quip_sharp.unpack_codes(wide[:, ::2], (M, N), codebook=codebook), codes)
        assert np.array_equal(quip_sharp.pack_weights(np.asfortranarray(codes), codebook=codebook), words)

    @pytest.mark.parametrize("shape", [(0, 64), (16, 0)])
    def test_an_empty_layer(self, codebook, shape):
        words = quip_sharp.pack_weights(some_codes(codebook, *shape), codebook=codebook)
        assert words.shape == (shape[0], shape[1] * quip_sharp.BITS[codebook] // 64)
        assert quip_sharp.unpack_weights(words, shape, codebook=codebook).shape == shape


class TestWeights:
    def test_two_bits(self):
        codes = some_codes("E8P12")
        W_hat = quip_sharp.unpack_weights(quip_sharp.pack_weights(codes), (M, N))
        assert W_hat.dtype == np.float32
        assert np.array_equal(W_hat, e8p.points()[codes].reshape(M, N))

    @pytest.mark.parametrize("codebook", NAMES[1:])
    @pytest.mark.parametrize("residual_scale", [None, 3.0])
    def test_a_layer_that_was_quantized(self, codebook, residual_scale):
        rounder = q.ResidualQuantizer(quip_sharp.BITS[codebook], 1.0, residual_scale, backend=size("numba", "numpy"))
        codes, T_hat = rounder.quantize(np.random.default_rng(1).standard_normal((16, 64)).astype(np.float32))
        words = quip_sharp.pack_weights(codes, codebook=codebook)
        options = {"codebook": codebook, "residual_scale": residual_scale}
        assert np.array_equal(quip_sharp.unpack_weights(words, [16, 64], **options), T_hat)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: quip_sharp.unpack_weights(np.zeros((32, 4), np.int32), (M, N)),
            TypeError,
            "qidxs must be int64, but their dtype is int32. Pass Qidxs as the checkpoint has it.",
        ),
        (
            lambda: quip_sharp.unpack_weights(np.zeros((32, 4), np.int64), (M, N), codebook="E8P12RVQ3B"),
            ValueError,
            "qidxs must have the shape (32, 6) for 32 x 128 weights in E8P12RVQ3B, but it is (32, 4).",
        ),
        (lambda: quip_sharp.unpack_weights(np.zeros((32, 4), np.int64), 32), TypeError, "shape must be a pair"),
        (lambda: quip_sharp.unpack_weights(np.zeros((32, 4), np.int64), (M, N, 1)), ValueError, "shape must be a pair"),
        (
            lambda: quip_sharp.unpack_weights(np.zeros((8, 4), np.int64), (8, 128)),
            ValueError,
            "shape must be a multiple of 16 rows and of 64 columns, but 8 x 128 came. The format has no",
        ),
        (lambda: quip_sharp.unpack_weights(np.zeros((16, 3), np.int64), (16, 96)), ValueError, "of 64 columns"),
        (
            lambda: quip_sharp.unpack_codes(np.zeros((16, 2), np.int64), (16, 64), codebook="e8p"),
            ValueError,
            "codebook",
        ),
        (
            lambda: quip_sharp.unpack_weights(np.zeros((16, 2), np.int64), (16, 64), residual_scale=2.0),
            ValueError,
            "residual_scale must be None for codebook='E8P12', which has no residual, but 2.0 came.",
        ),
        (lambda: quip_sharp.pack_weights(np.zeros((16, 8), np.int64)), TypeError, "codes must be a matrix of uint16"),
        (lambda: quip_sharp.pack_weights(np.zeros(16, np.uint16)), ValueError, "of shape (16,)"),
        (lambda: quip_sharp.pack_weights(np.zeros((16, 8, 1), np.uint16)), ValueError, "of shape (16, 8, 1)"),
        (
            lambda: quip_sharp.pack_weights(some_codes("E8P12RVQ4B"), codebook="E8P12RVQ3B"),
            ValueError,
            "codes must have second codes of at most 255 for E8P12RVQ3B",
        ),
        (lambda: quip_sharp.pack_weights(np.zeros((16, 4), np.uint16)), ValueError, "16 x 32"),
        (lambda: quip_sharp.pack_weights(np.zeros((15, 8), np.uint16)), ValueError, "before they are quantized."),
    ],
)
def test_refusals(call, error, message):
    with says(error, message):
        call()
