"""D8, E8 and its Quantizer: by hand, dtypes, shapes, ties, refusals. That nothing is nearer is a theorem."""

import numpy as np
import pytest
from voice import says

import quipref
from quipref import E8Lattice
from quipref.lattice import e8

SEARCHES = [e8.nearest_d8, e8.nearest]


class TestNearest:
    def test_by_hand(self):
        x = np.array([[0.6, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, -0.2], [0.6] * 8, [1.1, 0.9, -0.2, 0, 0, 0, 0, 2.0]])
        # 1 0 ... 0 is odd, and 0.6 is the worst rounded; eight ones are even; 1 1 0 ... 0 2 is even
        in_d8 = [[0.0] * 8, [1.0] * 8, [1.0, 1, 0, 0, 0, 0, 0, 2]]
        assert e8.nearest_d8(x).tolist() == in_d8
        assert e8.nearest(x).tolist() == [in_d8[0], [0.5] * 8, in_d8[2]]

    def test_ties(self):
        """Halves go up; of equally bad coordinates the first one moves; D8 comes before D8 + 1/2."""
        assert e8.nearest_d8(np.array([0.5, -0.5, 0.5, 0, 0, 0, 0, 0.0])).tolist() == [1, 0, 1, 0, 0, 0, 0, 0]
        assert e8.nearest_d8(np.array([0.5, 0, 0, 0, 0, 0, 0, 0.5])).tolist() == [1, 0, 0, 0, 0, 0, 0, 1]
        assert e8.nearest_d8(np.array([0.5, 0, 0.5, 0, 0, 0, 0, 0.5])).tolist() == [0, 0, 1, 0, 0, 0, 0, 1]
        assert e8.nearest_d8(np.array([0, 1.0, 0, 0, 0, 0, 0, 0])).tolist() == [1, 1, 0, 0, 0, 0, 0, 0]
        assert e8.nearest(np.full(8, 0.25)).tolist() == [0] * 8

    @pytest.mark.parametrize("search", SEARCHES)
    def test_any_leading_shape_and_layout(self, search):
        X = np.random.default_rng(0).standard_normal((3, 4, 8))
        X.flags.writeable = False
        rows = np.array([search(x) for x in X.reshape(-1, 8)])
        assert (search(X) == rows.reshape(X.shape)).all()
        assert (search(np.asfortranarray(X)) == search(X)).all()
        assert (search(X[::-2, :, ::-1]) == search(X[::-2, :, ::-1].copy())).all()
        assert search(X[:0]).shape == (0, 4, 8)

    @pytest.mark.parametrize("search", SEARCHES)
    @pytest.mark.parametrize(
        ("dtype", "result"), [(np.float16, np.float32), (np.float32, np.float32), (np.float64, np.float64)]
    )
    def test_dtypes(self, search, dtype, result):
        X = (np.random.default_rng(1).integers(-64, 65, (50, 8)) / 16).astype(dtype)
        found = search(X)
        assert found.dtype == result
        assert (found == search(X.astype(np.float64))).all()

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_where_adding_a_half_would_round(self, dtype):
        """The number below 1/2 rounds to 0, though 1/2 more than it is 1; and an odd number stays what it is."""
        below, odd = np.nextafter(dtype(0.5), dtype(0)), dtype(2) / np.finfo(dtype).eps - 1
        assert (e8.nearest_d8(np.full(8, below)) == 0).all()
        assert (e8.nearest_d8(np.full(8, odd)) == odd).all()
        assert (e8.nearest(np.full(8, np.finfo(dtype).max)) == np.finfo(dtype).max).all()

    @pytest.mark.parametrize("function", [*SEARCHES, e8.contains])
    def test_refusals(self, function):
        with says(ValueError, "X must have shape (..., 8), but its shape is (8, 7). Reshape it: X.reshape(-1, 8)."):
            function(np.zeros((8, 7)))
        with says(ValueError, "X must have shape (..., 8), but its shape is (). Reshape it"):
            function(np.float64(1.0))
        with says(ValueError, "X must be finite, but 1 of its 8 entries are NaN or infinite"):
            function(np.array([np.nan] + [0.0] * 7))
        with says(TypeError, "X must hold real floating-point numbers, but its dtype is int64."):
            function(np.zeros(8, np.int64))


class TestPoints:
    def test_inside_by_hand(self):
        half = np.full(8, 0.5)
        mixed, odd_half = np.where(np.arange(8) < 4, 0.5, 1.0), half.copy()
        odd_half[0] = -0.5
        X = np.array([half, -half, odd_half, mixed, half / 2, 2 * np.eye(8)[0], np.eye(8)[0], 0 * half])
        assert e8.contains(X).tolist() == [True, True, False, False, False, True, False, True]

    def test_inside_near_and_far(self):
        """Next to a point is outside, however near; far out all numbers are even."""
        assert not e8.contains(np.array([-1e-300] + [0.0] * 7))
        assert e8.contains(np.full(8, 1e300))
        assert e8.contains(np.zeros((2, 0, 8))).shape == (2, 0)

    def test_the_roots(self):
        """112 of two ones, 128 of eight halves with an even number of minus signs, in lexicographic order."""
        roots = e8.shell(2)
        assert ((np.abs(roots) == 1).sum(axis=1) == 2).sum() == 112
        halves = roots[(np.abs(roots) == 0.5).all(axis=1)]
        assert len(halves) == 128
        assert ((halves < 0).sum(axis=1) % 2 == 0).all()
        assert roots.tolist() == sorted(roots.tolist())
        assert roots.dtype == np.float64

    def test_the_origin_is_a_shell(self):
        assert e8.shell(0).tolist() == [[0.0] * 8]
        assert [e8.shell_size(N) for N in (0, 2, 4, 6, 8, 10)] == [1, 240, 2160, 6720, 17520, 30240]

    def test_refusals(self):
        with says(
            ValueError,
            "squared_norm must be even, as the squared norms of E8 are, but 3 came. "
            "The shells beside it are those of 2 and 4.",
        ):
            e8.shell(3)
        with says(ValueError, "squared_norm must be from 0 to 32, but 34 came."):
            e8.shell(34)
        with says(ValueError, "squared_norm must be at least 0, but -2 came."):
            e8.shell_size(-2)
        with says(TypeError, "squared_norm must be an integer, but 2.0 (float) came."):
            e8.shell_size(2.0)
        with says(ValueError, "second_moment must be positive, but 0 came."):
            e8.granular_gain(0)


class TestQuantizer:
    def test_by_hand(self):
        codes, T_hat = E8Lattice(2.0).quantize(np.array([[0.9] * 8 + [2.1, 2.0] + [0.1] * 6]))
        assert codes.tolist() == [[1] * 8 + [2, 2] + [0] * 6]
        assert T_hat.tolist() == [[1.0] * 8 + [2.0, 2.0] + [0.0] * 6]
        assert codes.dtype == np.int64
        assert repr(E8Lattice(0.5)) == "E8Lattice(scale=0.5, dithered=False)"
        assert (E8Lattice.block, E8Lattice.bits) == (8, None)

    @pytest.mark.parametrize("dithered", [False, True])
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_the_codes_and_the_seed_are_the_values(self, dithered, dtype):
        T = np.random.default_rng(0).standard_normal((5, 24)).astype(dtype)
        before, lattice = T.copy(), E8Lattice(0.3, dithered=dithered)
        codes, T_hat = lattice.quantize(T, rng=7)
        assert T_hat.dtype == dtype
        assert (lattice.decode(codes, rng=7).astype(dtype) == T_hat).all()
        assert np.array_equal(T, before)
        assert lattice.quantize(T[:0], rng=7)[1].shape == (0, 24)

    def test_a_layer_comes_back_from_its_codes_and_its_seed(self):
        """ldlq draws the dithers of one block of columns after the other."""
        W, H = quipref.random_layer(4, 24, seed=0)
        lattice = E8Lattice(0.5, dithered=True)
        W_hat, codes = quipref.ldlq(W, H, round_to=lattice, rng=3, return_codes=True)
        assert (lattice.decode(codes, rng=3) == W_hat).all()
        assert not (lattice.decode(codes, rng=4) == W_hat).any()

    def test_every_block_has_a_dither_of_its_own(self):
        _, T_hat = E8Lattice(dithered=True).quantize(np.zeros((3, 16)), rng=0)
        assert len(np.unique(T_hat.reshape(6, 8), axis=0)) == 6

    def test_refusals(self):
        with says(ValueError, "scale must be positive, but 0 came."):
            E8Lattice(0.0)
        with says(ValueError, "scale must be finite and not negative, but inf came."):
            E8Lattice(np.inf)
        with says(TypeError, "dithered must be True or False, but 1 came."):
            E8Lattice(dithered=1)
        with says(ValueError, "T must have a multiple of 8 columns, but the shape is (2, 12). Pad the layer"):
            E8Lattice().quantize(np.zeros((2, 12)))
        with says(ValueError, "rng must be a seed or a Generator for a dither, but None came. Pass rng=0."):
            E8Lattice(dithered=True).quantize(np.zeros((2, 8)))
        with says(
            ValueError,
            "T / scale must be at most 2^50, where float64 still has E8's halves, but T reaches 1.0e+00 and scale is "
            "1.0e-320. Take a larger scale.",
        ):
            E8Lattice(1e-320).quantize(np.ones((1, 8)))
        with says(TypeError, "codes must be a matrix of integers, but they are float64 of shape (1, 8). E8Lattice."):
            E8Lattice().decode(np.zeros((1, 8)))
        with says(ValueError, "codes must be a matrix of integers, but they are int64 of shape (8,). E8Lattice."):
            E8Lattice().decode(np.zeros(8, np.int64))
        with says(ValueError, "codes must have a multiple of 8 columns, but the shape is (1, 4). E8Lattice."):
            E8Lattice().decode(np.zeros((1, 4), np.int64))
