"""Scalar grids: levels, ties, clamps, codes, and the search for a row's step."""

import numpy as np
import pytest
from sizes import size
from voice import says

from quipref import IntegerGrid, UniformGrid
from quipref.rounding.grid import SHRINK_FACTORS, AffineGrid

BACKENDS = ["numba", "numpy"]
DTYPES = [np.float32, np.float64]


class TestIntegers:
    @pytest.mark.parametrize("dtype", DTYPES)
    def test_by_hand_with_halves_upwards(self, dtype):
        T = np.array([[-1.5, -0.5, -0.25, 0.0], [0.5, 1.5, 2.5, 2.75]], dtype)
        codes, T_hat = IntegerGrid().quantize(T)
        assert T_hat.tolist() == [[-1, 0, 0, 0], [1, 2, 3, 3]]
        assert T_hat.dtype == dtype
        assert codes.dtype == np.int64
        assert codes.tolist() == T_hat.tolist()

    def test_the_float_just_below_a_tie(self):
        """floor(x + 1/2) rounds the sum: the last float64 below 1/2 goes up, as in the authors' programs."""
        below = np.nextafter(0.5, 0)
        assert IntegerGrid().quantize(np.array([[below]]))[1] == np.floor(below + 0.5) == 1.0
        assert IntegerGrid().quantize(np.array([[0.5 - 2.0**-50]]))[1] == 0.0

    @pytest.mark.parametrize(
        ("low", "high", "codes", "values", "bits", "code_bits"),
        [
            (0, 3, [0, 0, 2, 3], [0, 0, 2, 3], 2.0, 2),
            (-1, 1, [0, 0, 2, 2], [-1, -1, 1, 1], np.log2(3), 2),
            (0, None, [0, 0, 2, 9], [0, 0, 2, 9], None, None),
            (None, 1, [-7, -1, 1, 1], [-7, -1, 1, 1], None, None),
            (2, 2, [0, 0, 0, 0], [2, 2, 2, 2], 0.0, 0),
        ],
    )
    def test_clamps(self, low, high, codes, values, bits, code_bits):
        grid = IntegerGrid(low, high)
        found, T_hat = grid.quantize(np.array([[-7.0, -1.0, 1.75, 9.0]]))
        assert found.tolist() == [codes]
        assert T_hat.tolist() == [values]
        assert (grid.decode(found) == T_hat).all()
        assert grid.bits == bits
        assert grid.code_bits == code_bits

    @pytest.mark.parametrize(
        ("low", "high", "dtype"),
        [
            (0, 255, np.uint8),
            (0, 256, np.uint16),
            (-128, 127, np.uint8),
            (-1, 65535, np.uint32),
            (0, None, np.uint64),
            (None, 0, np.int64),
        ],
    )
    def test_codes_are_the_smallest_unsigned_integers(self, low, high, dtype):
        assert IntegerGrid(low, high).quantize(np.zeros((1, 1)))[0].dtype == dtype

    def test_it_writes_to_nothing_and_takes_strides(self):
        T = np.arange(12.0).reshape(3, 4)[:, ::-2] / 4
        before = T.copy()
        T.flags.writeable = False
        _, T_hat = IntegerGrid(0, 3).quantize(T)
        assert np.array_equal(T, before)
        assert T_hat.tolist() == np.clip(np.floor(before + 0.5), 0, 3).tolist()

    def test_repr(self):
        assert repr(IntegerGrid(0, 3)) == "IntegerGrid(0, 3, rounding='nearest')"

    def test_refusals(self):
        with says(ValueError, "low must not exceed high, but low is 3 and high is 2."):
            IntegerGrid(3, 2)
        with says(TypeError, "low must be an integer, but 0.5 (float) came."):
            IntegerGrid(0.5)
        with says(TypeError, "high must be an integer, but '3' (str) came."):
            IntegerGrid(0, "3")
        with says(ValueError, "rounding must be one of 'nearest', 'stochastic', but 'up' came."):
            IntegerGrid(rounding="up")
        with says(ValueError, "T must have 2 axes, but its shape is (3,)."):
            IntegerGrid().quantize(np.zeros(3))
        with says(ValueError, "T must be finite"):
            IntegerGrid().quantize(np.array([[np.inf]]))
        with says(TypeError, "codes must be integers, but their dtype is float64."):
            IntegerGrid(0, 3).decode(np.zeros((1, 1)))


class TestStochastic:
    def test_it_rounds_up_or_down_and_on_average_not_at_all(self):
        count = 20_000
        x = np.array([-1.75, -0.5, 0.0, 0.125, 0.9, 3.0])
        T = np.tile(x, (count, 1))
        codes, T_hat = IntegerGrid(rounding="stochastic").quantize(T, rng=0)
        assert ((T_hat == np.floor(T)) | (T_hat == np.floor(T) + 1)).all()
        assert (codes == T_hat).all()
        share = x - np.floor(x)
        assert (T_hat[:, share == 0] == T[:, share == 0]).all()
        band = 5 * np.sqrt(share * (1 - share) / count)  # five standard errors of a binomial mean
        assert (np.abs(T_hat.mean(axis=0) - x) <= band).all()

    def test_the_draws_of_different_entries_differ(self):
        T_hat = IntegerGrid(rounding="stochastic").quantize(np.full((100, 100), 0.5), rng=0)[1]
        assert T_hat.mean(axis=0).std() > 0
        assert T_hat.mean(axis=1).std() > 0

    def test_seeds_and_generators(self):
        grid, T = IntegerGrid(0, 7, rounding="stochastic"), np.random.default_rng(1).uniform(-1, 8, (20, 20))
        first = grid.quantize(T, rng=5)[1]
        assert (first == grid.quantize(T, rng=np.random.default_rng(5))[1]).all()
        assert (first != grid.quantize(T, rng=6)[1]).any()
        rng = np.random.default_rng(5)
        assert (first == grid.quantize(T, rng=rng)[1]).all()
        assert (first != grid.quantize(T, rng=rng)[1]).any()  # a generator moves on
        assert first.min() == 0
        assert first.max() == 7

    def test_it_needs_a_seed(self):
        with says(ValueError, "rng must be a seed or a Generator for stochastic rounding, but None came. Pass rng=0."):
            IntegerGrid(rounding="stochastic").quantize(np.zeros((1, 1)))

    def test_it_has_no_compiled_form(self):
        assert IntegerGrid(rounding="stochastic").affine(3, np.dtype(float)) is None


class TestAffine:
    def test_by_hand(self):
        grid = AffineGrid(np.array([[0.5], [2.0]]), 0.25, 0, 3)  # levels 1/8, 5/8, 9/8, 13/8 and 1/2, 5/2, 9/2, 13/2
        codes, T_hat = grid.quantize(np.array([[0.0, 0.375, 0.25, 9.0], [3.5, 3.4, -9.0, 5.4]]))
        assert codes.tolist() == [[0, 1, 0, 3], [2, 1, 0, 2]]
        assert T_hat.tolist() == [[0.125, 0.625, 0.125, 1.625], [4.5, 2.5, 0.5, 4.5]]
        assert (grid.decode(codes) == T_hat).all()

    @pytest.mark.parametrize("dtype", DTYPES)
    def test_what_the_twins_get(self, dtype):
        step, offset, low, high = AffineGrid(np.array([[0.5], [2.0]]), 0.25, None, 3).affine(2, np.dtype(dtype))
        assert step.tolist() == [0.5, 2.0]
        assert (offset, low, high) == (0.25, -np.inf, 3)
        assert {step.dtype, offset.dtype, low.dtype, high.dtype} == {np.dtype(dtype)}
        assert step.flags.c_contiguous
        assert AffineGrid(0.5, 0.0, 0, 1).affine(4, np.dtype(dtype))[0].tolist() == [0.5] * 4

    def test_the_grid_of_some_rows(self):
        T = np.array([[0.0, 0.375, 0.25, 9.0], [3.5, 3.4, -9.0, 5.4]])
        for grid in [AffineGrid(np.array([[0.5], [2.0]]), 0.25, 0, 3), AffineGrid(0.5, 0.25, None, 3, "stochastic")]:
            for rows in [slice(1, 2), slice(None, None, -1), np.array([1, 1, 0])]:
                some = grid.of_rows(rows, 2)
                assert (some.low, some.high, some.rounding) == (grid.low, grid.high, grid.rounding)
                flat = AffineGrid(grid.step, grid.offset, grid.low, grid.high)
                assert (flat.of_rows(rows, 2).quantize(T[rows])[1] == flat.quantize(T)[1][rows]).all()
        with says(ValueError, "step must be one for all or one a row, but the grid has 2 and the layer 3 rows."):
            AffineGrid(np.ones((2, 1)), 0.0, 0, 3).of_rows(slice(0, 1), 3)


class TestUniform:
    STEP = np.array([[0.5], [2.0]], np.float16)

    def test_levels(self):
        grid = UniformGrid(self.STEP, 2)
        codes = np.array([[0, 1, 2, 3], [0, 1, 2, 3]], np.uint8)
        assert grid.decode(codes).tolist() == [[-0.75, -0.25, 0.25, 0.75], [-3, -1, 1, 3]]
        assert grid.bits == 2.0
        assert grid.code_bits == 2
        found, T_hat = grid.quantize(np.array([[-9.0, -0.5, 0.0, 0.6], [-2.0, 2.0, 1.9, 9.0]]))
        assert found.tolist() == [[0, 1, 2, 3], [1, 3, 2, 3]]  # ties go up
        assert (grid.decode(found) == T_hat).all()

    def test_one_bit_is_a_sign(self):
        grid = UniformGrid(self.STEP, 1)
        assert grid.quantize(np.array([[-3.0, 0.1], [0.0, -0.1]]))[1].tolist() == [[-0.25, 0.25], [1.0, -1.0]]

    def test_without_the_clamp_the_levels_go_on(self):
        grid = UniformGrid(self.STEP, 2, clamp=False)
        codes, T_hat = grid.quantize(np.array([[-9.0, 9.1], [-9.1, 9.0]]))
        assert T_hat.tolist() == [[-8.75, 9.25], [-9.0, 9.0]]
        assert grid.bits is None
        assert (grid.decode(codes) == T_hat).all()

    @pytest.mark.parametrize("clamp", [True, False])
    def test_a_zero_step_makes_the_row_zero(self, clamp):
        grid = UniformGrid(np.zeros((1, 1), np.float16), 3, clamp=clamp)
        codes, T_hat = grid.quantize(np.array([[0.0, -3.0, 7.0]]))
        assert not T_hat.any()
        assert not grid.decode(codes).any()

    @pytest.mark.parametrize("bits", range(1, 9))
    def test_codes_decode_to_the_float32_values_exactly(self, bits):
        """A half-precision step has 11 bits and k + 1/2 at most 8: the product fits float32."""
        W = np.random.default_rng(bits).standard_normal((20, 50)).astype(np.float32)
        grid = UniformGrid.fit(W, bits)
        codes, W_hat = grid.quantize(W)
        assert W_hat.dtype == np.float32
        assert codes.dtype == np.uint8
        assert codes.max() < 2**bits
        assert (grid.decode(codes) == W_hat).all()
        assert (grid.quantize(W_hat)[0] == codes).all()

    def test_repr(self):
        assert repr(UniformGrid(self.STEP, 3)) == "UniformGrid(2 steps, bits=3, clamp=True)"

    def test_refusals(self):
        for step in [self.STEP.astype(np.float32), self.STEP[:, 0], np.zeros((2, 2), np.float16)]:
            with says(
                ValueError, f"step must be float16 of shape (m, 1), but it is {step.dtype} of shape {step.shape}"
            ):
                UniformGrid(step, 2)
        for bits in [0, 9]:
            with says(ValueError, f"bits must be from 1 to 8, but {bits} came."):
                UniformGrid(self.STEP, bits)
        with says(TypeError, "bits must be an integer, but 2.5 (float) came."):
            UniformGrid(self.STEP, 2.5)


def squared_error(row, step, bits):
    """By the definition of the grid: the nearest of all its levels."""
    levels = step * (np.arange(2**bits) - 2**bits / 2 + 0.5)
    return np.square(np.abs(row[:, None] - levels).min(axis=1)).sum()


@pytest.mark.parametrize("backend", BACKENDS)
class TestFit:
    @pytest.mark.parametrize("bits", [1, 2, 3, 4, 8])
    def test_no_shrunk_step_is_better(self, backend, bits):
        W = np.random.default_rng(bits).standard_t(3, (size(6, 3), 40))
        grid = UniformGrid.fit(W, bits, backend=backend)
        assert grid.step.dtype == np.float16
        for row, step in zip(W, grid.step[:, 0].astype(float), strict=True):
            candidates = (2 * np.abs(row).max() / (2**bits - 1) * np.arange(1, 41) / 40).astype(np.float16)
            assert step in candidates.astype(float)
            least = min(squared_error(row, float(c), bits) for c in candidates)
            assert squared_error(row, step, bits) <= least * (1 + 1e-12)

    def test_per_tensor_is_one_row(self, backend):
        W = np.random.default_rng(9).standard_normal((4, 30))
        grid = UniformGrid.fit(W, 3, per="tensor", backend=backend)
        assert grid.step.shape == (1, 1)
        assert grid.step == UniformGrid.fit(W.reshape(1, -1), 3, backend=backend).step
        assert UniformGrid.fit(W, 3, backend=backend).step.shape == (4, 1)

    def test_levels_that_are_the_weights_are_found(self, backend):
        W = np.array([[-1.5, -0.5, 0.5, 1.5], [-3.0, -1.0, 1.0, 3.0], [0.0, 0.0, 0.0, 0.0]])
        grid = UniformGrid.fit(W, 2, backend=backend)
        assert grid.step.tolist() == [[1.0], [2.0], [0.0]]
        assert (grid.quantize(W)[1] == W).all()

    def test_shrinking_helps_against_one_outlier(self, backend):
        row = np.concatenate([np.random.default_rng(0).standard_normal(200), [20.0]])[None]
        assert UniformGrid.fit(row, 2, backend=backend).step < 0.5 * 2 * 20 / 3

    @pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0)])
    def test_nothing(self, backend, shape):
        assert UniformGrid.fit(np.zeros(shape), 2, backend=backend).step.shape == (shape[0], 1)

    def test_threads_strides_and_float32(self, backend):
        W = np.random.default_rng(3).standard_normal((size(130, 66), 24)).astype(np.float32)
        expected = UniformGrid.fit(W.astype(np.float64), 3, backend=backend, threads=1).step
        frozen = np.asfortranarray(W)[:, ::-1]
        before = frozen.copy()
        frozen.flags.writeable = False
        for threads in [1, 2, 3]:
            assert (UniformGrid.fit(frozen[:, ::-1], 3, backend=backend, threads=threads).step == expected).all()
        assert (frozen == before).all()

    def test_weights_outside_half_precision_are_refused(self, backend):
        for value in [1e6, 1e-9, 1e308]:
            words = "W must have rows whose grid step fits half precision", f"row 1 reaches {value:.3g}."
            with says(ValueError, *words):
                UniformGrid.fit(np.array([[1.0], [value]]), 2, backend=backend)

    def test_refusals(self, backend):
        with says(ValueError, "per must be one of 'row', 'tensor', but 'column' came."):
            UniformGrid.fit(np.ones((2, 2)), 2, per="column", backend=backend)
        with says(ValueError, "bits must be from 1 to 8, but 9 came."):
            UniformGrid.fit(np.ones((2, 2)), 9, backend=backend)
        with says(ValueError, "W must be finite"):
            UniformGrid.fit(np.full((1, 1), np.inf), 2, backend=backend)


def test_an_unknown_backend_is_refused():
    with says(ValueError, "backend must be one of 'numba', 'numpy', but 'gpu' came."):
        UniformGrid.fit(np.ones((2, 2)), 2, backend="gpu")


def test_there_are_40_shrink_factors_up_to_one():
    assert len(SHRINK_FACTORS) == 40
    assert SHRINK_FACTORS[0] == 1 / 40
    assert SHRINK_FACTORS[-1] == 1.0
