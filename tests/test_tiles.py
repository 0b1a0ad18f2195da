"""TrellisQuantizer: how tiles, sequences and words belong together, and what `ldlq` makes of them."""

import numpy as np
import pytest
from sizes import size
from voice import says

import quipref as q
from quipref.trellis import codes

L, K = 6, 2  # small enough for the run without the JIT
BACKENDS = size(["numba", "numpy"], ["numpy"])


def tiles(bits=K, state_bits=L, **options):
    options = {"tile": (2, 16), "backend": BACKENDS[0]} | options
    return q.TrellisQuantizer(codes.one_mad(state_bits), q.BitshiftTrellis(state_bits, bits), **options)


def targets(m, n, seed=0):
    return np.random.default_rng(seed).standard_normal((m, n))


class TestByHand:
    def test_a_walk_that_fits_is_found(self):
        """Two bits a state and a step: any values may follow each other, so that each weight is rounded by itself."""
        table = np.float32([[-3], [-1], [1], [3]])
        found = q.TrellisQuantizer(table, q.BitshiftTrellis(2, 2), scale=2.0, tile=(1, 8), backend=BACKENDS[0])
        T = np.array([[-6.0, -2, 2, 6, 9, -9, 0.5, -0.5], [-6.0, -6, -6, -6, -6, -6, -6, 6]])
        words, T_hat = found.quantize(T)
        assert (T_hat == [[-6, -2, 2, 6, 6, -6, 2, -2], [-6, -6, -6, -6, -6, -6, -6, 6]]).all()
        assert [[format(word, "016b") for word in row] for row in words] == [["0001101111001001"], ["0000000000000011"]]

    def test_a_tile_is_read_row_by_row(self):
        """The sequence of a tile (2, 16) is its first row, then its second."""
        T = targets(4, 16)
        by_hand = q.viterbi(T.reshape(2, 32), codes.one_mad(L), q.BitshiftTrellis(L, K), backend=BACKENDS[0])
        words, T_hat = tiles().quantize(T)
        assert (T_hat == q.decode(by_hand, codes.one_mad(L)).reshape(4, 16)).all()
        assert (words.reshape(2, 4) == q.pack(by_hand, q.BitshiftTrellis(L, K))).all()

    def test_tensor_cores_have_another_order(self):
        """Weight 32 b + 8 e + 4 d + 2 a + f of the sequence stands in row 8 a + b, column 8 d + 2 e + f."""
        row, column = np.empty(256, int), np.empty(256, int)
        for b, e, d, a, f in np.ndindex(8, 4, 2, 2, 2):
            p = 32 * b + 8 * e + 4 * d + 2 * a + f
            row[p], column[p] = 8 * a + b, 8 * d + 2 * e + f
        T = targets(16, 16)
        mma, plain = (tiles(tile=(16, 16), order_in_tile=order) for order in ("mma", "row"))
        words, T_hat = mma.quantize(T)
        words_of_sequence, sequence = plain.quantize(T[row, column].reshape(16, 16))
        assert (words == words_of_sequence).all()
        assert (T_hat[row, column] == sequence.ravel()).all()
        assert (mma.decode(words) == T_hat).all()
        assert not (plain.decode(words) == T_hat).all()


class TestQuantizer:
    @pytest.mark.parametrize("tile", [(1, 16), (2, 8), (4, 16), (3, 24)])
    @pytest.mark.parametrize("columns", [1, 3])
    def test_decode_is_what_quantize_gave(self, tile, columns):
        rounder = tiles(tile=tile, scale=0.3)
        T = targets(3 * tile[0], columns * tile[1])
        words, T_hat = rounder.quantize(T)
        assert words.dtype == np.uint16
        assert words.shape == (len(T), T.shape[1] * K // 16)
        assert words.size * rounder.code_bits == K * T.size
        assert (rounder.decode(words) == T_hat).all()

    def test_tiles_do_not_feel_each_other(self):
        rounder, T = tiles(), targets(6, 48)
        _, whole = rounder.quantize(T)
        for i in range(0, 6, 2):
            for j in range(0, 48, 16):
                here = slice(i, i + 2), slice(j, j + 16)
                assert (rounder.quantize(T[here])[1] == whole[here]).all()

    def test_a_power_of_two_scales_everything(self):
        T = targets(2, 16)
        words, T_hat = tiles().quantize(T)
        scaled_words, scaled = tiles(scale=0.25).quantize(T / 4)
        assert (words == scaled_words).all()
        assert (scaled == T_hat / 4).all()

    def test_float32_stays_float32_and_targets_as_they_are(self):
        T = targets(2, 32).astype(np.float32)[:, ::2]
        T.setflags(write=False)
        before = T.copy()
        words, T_hat = tiles(scale=0.7).quantize(T)
        assert T_hat.dtype == np.float32
        assert (before == T).all()
        assert (tiles(scale=0.7).decode(words).astype(np.float32) == T_hat).all()

    @pytest.mark.parametrize("backend", BACKENDS)
    @pytest.mark.parametrize("shape", [(0, 32), (4, 0), (0, 0)])
    def test_an_empty_layer(self, shape, backend):
        words, T_hat = tiles(backend=backend).quantize(np.zeros(shape))
        assert (words.shape, words.dtype, T_hat.shape) == ((shape[0], shape[1] // 8), np.uint16, shape)
        assert tiles().decode(words).shape == shape

    @pytest.mark.parametrize("tile", [[2, 16], np.array([2, 16]), np.array([2, 16], np.uint8), (np.int64(2), 16)])
    def test_a_tile_is_any_pair_of_integers(self, tile):
        found = tiles(tile=tile).tile
        assert found == (2, 16)
        assert [type(side) for side in found] == [int, int]

    def test_scale_zero_makes_zeros(self):
        words, T_hat = tiles(scale=0.0).quantize(targets(2, 16))
        assert not T_hat.any()
        assert not tiles(scale=0.0).decode(words).any()

    def test_the_scale_is_the_one_that_is_stored(self):
        assert tiles(scale=0.1).scale == np.float32(0.1)

    def test_members(self):
        rounder = tiles(3)
        assert (rounder.block, rounder.bits, rounder.code_bits) == (16, 3, 16)
        assert repr(rounder).startswith("TrellisQuantizer(BitshiftTrellis(state_bits=6, bits_per_weight=3")

    def test_pairs_of_values(self):
        rounder = q.TrellisQuantizer(
            codes.gaussian(L, 2, seed=0), q.BitshiftTrellis(L, K, 2), tile=(2, 16), backend=BACKENDS[0]
        )
        words, T_hat = rounder.quantize(targets(4, 16))
        assert (rounder.decode(words) == T_hat).all()


class TestInLdlq:
    """The words of a whole layer are the words of its blocks, in the order of its columns."""

    @pytest.mark.parametrize("order", ["forward", "backward"])
    @pytest.mark.parametrize("backend", BACKENDS)
    def test_words_decode_to_the_rounded_layer(self, order, backend):
        W, H = q.random_layer(4, 64, seed=1)
        rounder = tiles(scale=0.5)
        W_hat, words = q.ldlq(W, H, round_to=rounder, order=order, backend=backend, return_codes=True)
        assert words.shape == (4, 8)
        assert (rounder.decode(words) == W_hat).all()

    def test_backward_is_block_feedback_from_the_last_block(self):
        """target = W_b + (W - W_hat)_later L_later,b with the lower block factor of H, blocks from last to first."""
        W, H = q.random_layer(4, 64, seed=2)
        H = H + 0.1 * np.eye(64)
        C = np.linalg.cholesky(H)
        rounder, W_hat = tiles(), np.zeros_like(W)
        for b in range(48, -1, -16):
            here = slice(b, b + 16)
            feedback = C[b + 16 :, here] @ np.linalg.inv(C[here, here])
            target = W[:, here] + (W - W_hat)[:, b + 16 :] @ feedback
            W_hat[:, here] = rounder.quantize(target)[1]
        np.testing.assert_array_equal(q.ldlq(W, H, round_to=rounder, order="backward"), W_hat)

    def test_feedback_pays(self):
        ratios = []
        for seed in range(size(12, 6)):
            W, H = q.random_layer(4, 64, seed=seed)
            W = W / W.std()
            losses = [q.proxy_loss(W, X, H) for X in (q.ldlq(W, H, round_to=tiles()), tiles().quantize(W)[1])]
            ratios.append(losses[0] / losses[1])
        assert np.mean(ratios) + 5 * np.std(ratios) / np.sqrt(len(ratios)) < 1


class TestRefusals:
    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ({"tile": (2, 12)}, ["tile must have rows of whole 16-bit words", "12 columns of 2 bits"]),
            ({"tile": (4, 4)}, ["At 2 bits any multiple of 8 columns will do."]),
            ({"tile": (4, 4), "bits": 3}, ["At 3 bits any multiple of 16 columns will do."]),
            ({"tile": (4, 2), "bits": 4}, ["At 4 bits any multiple of 4 columns will do."]),
            ({"tile": (0, 16)}, ["each side of tile must be at least 1, but 0 came"]),
            ({"tile": (1, 8), "state_bits": 18}, ["tile must give a tail-biting stream", "18 bits"]),
            ({"order_in_tile": "mma"}, ["tile must be (16, 16) for order_in_tile='mma'", "(2, 16) came", "Use 'row'"]),
            ({"order_in_tile": "column"}, ["order_in_tile must be one of 'row', 'mma'"]),
            ({"scale": -1.0}, ["scale must be finite and not negative"]),
            ({"scale": 1e39}, ["scale must be zero or fit single precision", "1e+39 came", "power of two"]),
            ({"scale": 1e-40}, ["scale must be zero or fit single precision"]),
            ({"precision": "double"}, ["precision must be one of 'exact', 'fast'"]),
            ({"backend": "cuda"}, ["backend must be one of"]),
            ({"threads": 0}, ["threads must be at least 1"]),
        ],
    )
    def test_options(self, options, words):
        with says(ValueError, *words):
            tiles(**options)

    @pytest.mark.parametrize("tile", [16, np.array(16), (16,), "16x16", (2.0, 16), np.eye(2), {2, 16}])
    def test_no_tile(self, tile):
        with says(TypeError, "tile must be"):
            tiles(tile=tile)

    def test_no_trellis(self):
        with says(TypeError, "trellis must be a BitshiftTrellis, but (8, 2) came."):
            q.TrellisQuantizer(codes.one_mad(8), (8, 2))

    def test_another_table(self):
        with says(ValueError, "table must have the shape (64, 1)"):
            q.TrellisQuantizer(codes.one_mad(5), q.BitshiftTrellis(L, K))

    @pytest.mark.parametrize("shape", [(3, 16), (2, 24)])
    def test_targets_that_are_no_whole_tiles(self, shape):
        came = f"it is {shape[0]} x {shape[1]}"
        with says(ValueError, "T must consist of whole tiles of 2 x 16", came, "Pad the layer (and its H) with zeros"):
            tiles().quantize(np.zeros(shape))

    def test_targets_that_are_not_finite(self):
        with says(ValueError, "T must be finite"):
            tiles().quantize(np.full((2, 16), np.nan))

    @pytest.mark.parametrize("backend", BACKENDS)
    @pytest.mark.parametrize(("size", "scale"), [(1e30, 1e-37), (1e39, 1.0), (-1e39, 1.0), (np.float32(1e30), 1e-37)])
    def test_targets_beyond_single_precision(self, size, scale, backend):
        with says(ValueError, "T / scale must fit single precision, but T reaches 1.0e+", f"scale is {scale:.1e}."):
            tiles(scale=scale, backend=backend).quantize(np.full((2, 16), size))

    @pytest.mark.parametrize("shape", [(3, 2), (2, 3)])
    def test_words_that_are_no_whole_tiles(self, shape):
        needed = "codes must have 2 rows and 2 columns for each tile of 2 x 16 weights"
        with says(ValueError, needed, f"their shape is {shape}.", "TrellisQuantizer.quantize made"):
            tiles().decode(np.zeros(shape, np.uint16))

    @pytest.mark.parametrize("codes", [np.zeros((2, 2), np.int64), np.zeros(2, np.uint16)])
    def test_words_of_another_kind(self, codes):
        with says(TypeError, "codes must be a matrix of uint16", "TrellisQuantizer.quantize makes them"):
            tiles().decode(codes)
