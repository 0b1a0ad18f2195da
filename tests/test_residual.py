"""One bit a weight, residual codes and the scan of their scales: by hand, dtypes and shapes, and what is refused."""

import numpy as np
import pytest
from sizes import size
from voice import says

import quipref as q
from quipref.lattice import e8p, one_bit
from quipref.lattice.scales import scale_scan

BACKENDS = size(["numba", "numpy"], ["numpy"])
E = np.eye(8)


def targets(m, n, seed=0):
    return np.random.default_rng(seed).standard_normal((m, n))


class TestOneBit:
    @pytest.mark.parametrize("backend", BACKENDS)
    @pytest.mark.parametrize(
        ("x", "point"),
        [
            (0 * E[0], 0 * E[0]),
            (0.9 * E[2] - 0.8 * E[5], E[2] - E[5]),
            (1.6 * E[0], 2 * E[0]),
            (-1.6 * E[6], -2 * E[6]),
            (-1.6 * E[7], E[0] - E[7]),  # -2 e_8 is missing; of the pairs the earliest, zeros positive
            (np.full(8, 0.3), np.full(8, 0.5)),
            (np.r_[-0.3, np.full(7, 0.4)], np.full(8, 0.5)),  # one negative half is too few: the smallest turns round
            (np.r_[-0.4, -0.3, -0.3, np.full(5, 0.4)], np.r_[-0.5, 0.5, -0.5, np.full(5, 0.5)]),  # the first of equals
            (np.full(8, 0.25), 0 * E[0]),  # as near as 1/2 in all coordinates, and wins
            (E[0], 0 * E[0]),  # 0, e_1 + e_2 and 2 e_1 are as near
        ],
    )
    def test_by_hand(self, backend, x, point):
        codes, X_hat = one_bit.quantize(x, backend=backend)
        assert X_hat.tolist() == point.tolist()
        assert one_bit.points()[codes].tolist() == point.tolist()

    @pytest.mark.parametrize("backend", BACKENDS)
    def test_shapes_and_types(self, backend):
        X = targets(6, 8).astype(np.float16).reshape(2, 3, 8)
        codes, X_hat = one_bit.quantize(X[:, ::-1], backend=backend)
        assert (codes.shape, codes.dtype) == ((2, 3), np.uint8)
        assert (X_hat.shape, X_hat.dtype) == ((2, 3, 8), np.float32)
        assert (one_bit.decode(codes.astype(np.uint64)) == X_hat).all()
        codes, X_hat = one_bit.quantize(np.zeros((0, 8)), backend=backend)
        assert (codes.shape, X_hat.shape, one_bit.decode(codes).shape) == ((0,), (0, 8), (0, 8))

    @pytest.mark.parametrize("backend", BACKENDS)
    def test_the_largest_and_the_smallest_numbers(self, backend):
        most, least = np.finfo(np.float32).max, np.finfo(np.float32).smallest_subnormal
        X = np.float32([most * E[3], np.full(8, -most), np.full(8, least), most * E[7] - most * E[0]])
        expected = [2 * E[3], np.full(8, -0.5), 0 * E[0], E[7] - E[0]]
        assert one_bit.quantize(X, backend=backend)[1].tolist() == np.array(expected).tolist()

    def test_tables_are_read_only(self):
        for table in (one_bit.points(), one_bit.patterns(), one_bit.codes_of_signs()):
            assert not table.flags.writeable

    def test_refusals(self):
        with says(ValueError, "X must consist of vectors of 8 numbers", "(3, 4)"):
            one_bit.quantize(np.zeros((3, 4)))
        with says(ValueError, "X must be finite"):
            one_bit.quantize(np.full(8, np.nan))
        with says(TypeError, "codes must be integers", "float64"):
            one_bit.decode([0.5])
        with says(ValueError, "codes must lie from 0 to 255", "from -1 to 256", "those of e8p"):
            one_bit.decode([-1, 256])
        with says(ValueError, "backend"):
            one_bit.quantize(np.zeros(8), backend="torch")
        with says(ValueError, "backend must be one of", "'nump'"):
            one_bit.decode([1], backend="nump")
        with says(ValueError, "threads must be at least 1"):
            one_bit.decode([1], threads=-3)


@pytest.mark.parametrize("bits", [3, 4])
class TestResidualQuantizer:
    def rounder(self, bits, scale=1.0, residual_scale=None, backend=BACKENDS[0]):
        return q.ResidualQuantizer(bits, scale, residual_scale, backend=backend)

    def test_two_points_by_hand(self, bits):
        """A target that two points make, the second near enough for the first to be nearest, is met exactly."""
        first, second = 0x1234, {3: 200, 4: 0x0001}[bits]
        table = one_bit.points() if bits == 3 else e8p.points()
        T = (3 * (e8p.points()[first] + table[second].astype(np.float64) / 8))[None]
        codes, T_hat = self.rounder(bits, 3.0, 8.0).quantize(T)
        assert hex(codes[0, 0]) == hex(first << 16 | second)
        assert (T_hat == T).all()

    @pytest.mark.parametrize("scale", [1.0, 0.3])
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_decode_is_what_quantize_gave(self, bits, scale, dtype):
        T = targets(12, 64).astype(dtype)[:, ::2]
        T.setflags(write=False)
        rounder = self.rounder(bits, scale)
        codes, T_hat = rounder.quantize(T)
        assert (codes.shape, codes.dtype, T_hat.dtype) == ((12, 4), np.uint32, dtype)
        assert codes.size * rounder.code_bits == bits * T.size
        assert (rounder.decode(codes).astype(dtype) == T_hat).all()
        assert bits == 4 or (codes & 0xFF00 == 0).all()

    def test_blocks_do_not_feel_each_other(self, bits):
        rounder, T = self.rounder(bits), targets(4, 24)
        codes, whole = rounder.quantize(T)
        for j in range(3):
            some, T_hat = rounder.quantize(T[:, 8 * j : 8 * j + 8])
            assert (some[:, 0] == codes[:, j]).all()
            assert (T_hat == whole[:, 8 * j : 8 * j + 8]).all()

    @pytest.mark.parametrize("backend", BACKENDS)
    def test_far_targets(self, bits, backend):
        """Of what is far beyond all points only the direction counts, however large it is."""
        T, rounder = targets(20, 8).astype(np.float32), self.rounder(bits, backend=backend)
        codes, _ = rounder.quantize(T * np.float32(2.0**40))
        assert (rounder.quantize(T * np.float32(2.0**124))[0] == codes).all()

    def test_a_residual_scale_so_small_that_nothing_is_magnified(self, bits):
        """Every remainder vanishes, and to 0 one point is nearest."""
        codes, _ = self.rounder(bits, 1.0, 1e-30).quantize(targets(2, 16))
        second = (one_bit if bits == 3 else e8p).quantize(np.zeros(8), backend="numpy")[0]
        assert (codes & 0xFFFF == second).all()

    def test_scale_zero_makes_zeros(self, bits):
        rounder = self.rounder(bits, 0.0)
        codes, T_hat = rounder.quantize(targets(2, 16))
        assert not T_hat.any()
        assert not rounder.decode(codes).any()

    @pytest.mark.parametrize("shape", [(0, 16), (4, 0)])
    def test_an_empty_layer(self, bits, shape):
        codes, T_hat = self.rounder(bits).quantize(np.zeros(shape))
        assert (codes.shape, T_hat.shape) == ((shape[0], shape[1] // 8), shape)
        assert self.rounder(bits).decode(codes).shape == shape

    def test_members(self, bits):
        rounder = self.rounder(bits)
        assert (rounder.block, rounder.bits, rounder.code_bits) == (8, bits, 8 * bits)
        assert rounder.residual_scale == np.float32({3: 2.04, 4: 3.45}[bits])
        assert repr(rounder) == f"ResidualQuantizer({bits}, scale=1, residual_scale={rounder.residual_scale:g})"

    def test_ldlq_takes_it(self, bits):
        W, H = q.random_layer(16, 32, seed=0)
        W_hat = q.ldlq(W, H, round_to=self.rounder(bits, float(W.std())), backend=BACKENDS[0])
        assert q.proxy_loss(W, W_hat, H) < 0.1 * q.proxy_loss(W, 0 * W, H)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((2,), ValueError, "bits must be 3 or 4, but 2 came. E8PQuantizer has 2"),
        ((3.0,), TypeError, "bits must be an integer"),
        ((3, -1.0), ValueError, "scale must be finite and not negative"),
        ((3, 1e39), ValueError, "scale must be zero or fit single precision"),
        ((3, 1.0, 0.0), ValueError, "residual_scale must be positive, but 0 came."),
        ((3, 1.0, 1e40), ValueError, "residual_scale must fit single precision (1.18e-38 to 3.4e38), but 1e+40 came."),
        ((3, 1.0, 1e-39), ValueError, "The authors' are 2.04 at 3 bits and 3.45 at 4."),
        ((4, 1.0, "3"), TypeError, "residual_scale must be a real number"),
    ],
)
def test_refused_quantizers(arguments, error, message):
    with says(error, message):
        q.ResidualQuantizer(*arguments)


def test_refused_arrays():
    rounder = q.ResidualQuantizer(3, backend="numpy")
    with says(ValueError, "T must have a multiple of 8 columns"):
        rounder.quantize(np.zeros((2, 12)))
    with says(TypeError, "codes must be a matrix of uint32, but they are uint16"):
        rounder.decode(np.zeros((2, 2), np.uint16))
    with says(ValueError, "codes must be a matrix of uint32", "of shape (2,)"):
        rounder.decode(np.zeros(2, np.uint32))
    with says(ValueError, "codes must lie from 0 to 255"):
        rounder.decode(np.full((1, 1), 256, np.uint32))
    with says(ValueError, "threads"):
        q.ResidualQuantizer(3, threads=0)


class TestScan:
    def test_it_is_the_error_of_each_quantizer(self):
        found = scale_scan(3, [0.9, 1.0], [1.5, 2.0, 2.5], seed=4, n_vectors=30, backend="numpy")
        X = targets(30, 8, seed=4)
        for i, s in enumerate((0.9, 1.0)):
            for j, r in enumerate((1.5, 2.0, 2.5)):
                X_hat = q.ResidualQuantizer(3, 1 / s, r, backend="numpy").quantize(X)[1]
                assert (found.mean[i, j], found.standard_error[i, j]) == q.mean_squared_error(X, X_hat)

    def test_the_best_is_the_least(self):
        found = scale_scan(4, [0.3, 0.9], [3.8, 9.0], seed=0, n_vectors=50, backend="numpy")
        assert found.best() == (0.9, 3.8, (found.mean.min(), found.standard_error[1, 0]))

    def test_refusals(self):
        with says(ValueError, "each of source_scales must be positive"):
            scale_scan(3, [0.0], [1.0], seed=0)
        with says(ValueError, "residual_scales must be a list of numbers", "(1, 1)"):
            scale_scan(3, [1.0], [[1.0]], seed=0)
        with says(ValueError, "n_vectors must be at least 2"):
            scale_scan(3, [1.0], [1.0], seed=0, n_vectors=1)
