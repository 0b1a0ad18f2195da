"""The fast Walsh-Hadamard transform: by hand, against its matrix, both forms to the bit, layouts, refusals."""

import tracemalloc

import numpy as np
import pytest
from sizes import size
from voice import says

from quipref import backend as backends
from quipref import fwht
from quipref.incoherence import walsh

BACKENDS = ["numba", "numpy"]
DTYPES = [np.float32, np.float64]


def sylvester(n):
    """H_ij = (-1)^(binary ones that i and j share), in integers."""
    i = np.arange(n)
    return 1 - 2 * (np.bitwise_count(i[:, None] & i) % 2).astype(np.int64)


def integers(shape, rng, dtype):
    """Whole numbers, so small that every sum of them is exact."""
    return rng.integers(-8, 9, shape).astype(dtype)


@pytest.fixture
def eager(monkeypatch):
    """As many threads as asked for, however little there is to do."""
    monkeypatch.setattr(walsh, "NUMBERS_A_THREAD", 1)


@pytest.mark.parametrize("backend", BACKENDS)
class TestByHand:
    def test_four_numbers(self, backend):
        X = np.array([1.0, 2.0, 4.0, 8.0])
        assert fwht(X, backend=backend) is X
        assert X.tolist() == [15, -5, -9, 3]  # 1+2+4+8, 1-2+4-8, 1+2-4-8, 1-2-4+8

    def test_one_number_is_left_alone(self, backend):
        assert fwht(np.array([[3.0], [4.0]]), backend=backend).tolist() == [[3], [4]]

    def test_both_axes_of_a_matrix(self, backend):
        X = np.array([[1.0, 2.0], [3.0, 5.0]])
        assert fwht(X.copy(), backend=backend).tolist() == [[3, -1], [8, -2]]
        assert fwht(X.copy(), axis=0, backend=backend).tolist() == [[4, 7], [-2, -3]]

    def test_twice_is_n_times(self, backend):
        X = integers((3, 64), np.random.default_rng(0), np.float64)
        assert (fwht(fwht(X.copy(), backend=backend), backend=backend) == 64 * X).all()


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", DTYPES)
class TestAgainstTheMatrix:
    @pytest.mark.parametrize("n", [2**k for k in range(size(12, 9))])
    def test_whole_numbers_exactly(self, n, dtype, backend):
        rng = np.random.default_rng(n)
        H = sylvester(n)
        for outer, inner in [(1, 1), (5, 1), (2, 3), (1, 33)]:
            X = integers((outer, n, inner), rng, dtype)
            assert np.array_equal(fwht(X.copy(), axis=1, backend=backend), H @ X.astype(np.int64))

    @pytest.mark.parametrize("n", size([16, 256, 1024], [16, 128]))
    def test_real_numbers_up_to_the_rounding_of_a_tree(self, n, dtype, backend):
        """log2(n) roundings on each way through the tree; the product's own n roundings are in long double."""
        X = np.random.default_rng(n).standard_normal((3, n)).astype(dtype)
        exact = X.astype(np.longdouble) @ sylvester(n).astype(np.longdouble)
        depth, total = np.log2(n), np.abs(X).sum(axis=1, keepdims=True, dtype=np.longdouble)
        unit = np.finfo(dtype).eps / 2
        allowed = depth * unit / (1 - depth * unit) + n * np.finfo(np.longdouble).eps
        found = fwht(X.copy(), backend=backend)
        assert found.dtype == dtype
        assert (np.abs(found - exact) <= allowed * total).all()


@pytest.mark.usefixtures("eager")
class TestTheTwoForms:
    SHAPES = size(
        [(1, 1), (130, 1), (3, 3), (70, 3), (1, 16), (2, 40), (1, 200), (3, 130)],
        [(1, 1), (130, 1), (65, 3), (1, 16), (1, 70)],
    )

    @pytest.mark.parametrize("dtype", DTYPES)
    @pytest.mark.parametrize("n", size([2, 4, 8, 16, 64, 128, 512, 1024, 2048], [2, 8, 16, 128]))
    def test_equal_to_the_bit(self, n, dtype):
        rng = np.random.default_rng(n)
        for outer, inner in self.SHAPES:
            X = rng.standard_normal((outer, n, inner)).astype(dtype)
            X[rng.random(X.shape) < 0.5] *= 0  # zeros of both signs
            expected = fwht(X.copy(), axis=1, backend="numpy").tobytes()
            for threads in [1, 2, 3]:
                assert fwht(X.copy(), axis=1, threads=threads).tobytes() == expected

    @pytest.mark.parametrize("dtype", DTYPES)
    def test_rows_of_every_radix(self, dtype):
        """What follows the first sweep over a row is done in steps of eight, four or two."""
        rng = np.random.default_rng(1)
        for n in [512, 1024, 2048]:
            X = rng.standard_normal((2, n)).astype(dtype)
            assert fwht(X.copy()).tobytes() == fwht(X.copy(), backend="numpy").tobytes()

    @pytest.mark.parametrize("limit", [1024, pytest.param(walsh.LONG, marks=pytest.mark.jit)])
    def test_long_rows_are_done_in_two_steps(self, limit, monkeypatch):
        monkeypatch.setattr(walsh, "LONG", limit)
        steps = []
        original = backends.over_rows
        monkeypatch.setattr(backends, "over_rows", lambda m, *rest: (steps.append(m), original(m, *rest)))
        n = limit  # twice or four times as many numbers as LONG bytes hold would do
        X = np.random.default_rng(2).standard_normal((2, n)).astype(np.float32)
        assert fwht(X.copy()).tobytes() == fwht(X.copy(), backend="numpy").tobytes()
        assert steps == [2 * n // (limit // 4), 2 * n // 4]  # short rows, and the columns of four of them

    def test_a_strip_ends_with_its_row(self):
        """Rows wider than a strip, and not a whole number of strips."""
        X = np.random.default_rng(3).standard_normal((4, size(2**12 + 2**6 + 1, 2**12 + 1))).astype(np.float32)
        assert fwht(X.copy(), 0).tobytes() == fwht(X.copy(), 0, backend="numpy").tobytes()


def test_little_work_is_one_threads_work(monkeypatch):
    asked = []
    monkeypatch.setattr(backends, "over_rows", lambda m, threads, task: asked.append(threads))
    for numbers in [2**10, walsh.NUMBERS_A_THREAD]:
        fwht(np.zeros(numbers, np.float32), threads=5)
    fwht(np.zeros((4, walsh.NUMBERS_A_THREAD), np.float32), 0, threads=3)
    assert asked == [1, 2, 2, 3]  # the second row is long and takes two steps


class TestLayouts:
    """Whatever its strides, X itself is transformed, and nothing beside it."""

    LAYOUTS = {
        "a gap after each row": lambda base: base[:8, :16, :4],
        "every other": lambda base: base[1:17:2, ::2][:, :16, :4],
        "backwards": lambda base: base[7::-1, 15::-1, 3::-1],
        "another order of axes": lambda base: base[:16, :4, :8].transpose(2, 0, 1),
    }

    @pytest.mark.parametrize("backend", BACKENDS)
    @pytest.mark.parametrize("axis", [0, 1, 2, -1])
    @pytest.mark.parametrize("layout", sorted(LAYOUTS))
    def test_views_into_a_larger_array(self, layout, axis, backend):
        rng = np.random.default_rng(4)
        base = integers((24, 40, 12), rng, np.float64)
        place = self.LAYOUTS[layout](np.arange(base.size).reshape(base.shape))
        X = self.LAYOUTS[layout](base)
        expected = base.copy()
        expected.flat[place] = np.moveaxis(np.moveaxis(X, axis, -1) @ sylvester(X.shape[axis]), -1, axis)
        assert fwht(X, axis, backend=backend) is X
        assert np.array_equal(base, expected)

    @pytest.mark.parametrize("backend", BACKENDS)
    @pytest.mark.parametrize("offset", [1, 4])
    def test_numbers_at_odd_addresses(self, offset, backend):
        X = np.frombuffer(bytearray(8 * 64 + offset), np.float64, 64, offset).reshape(4, 16)
        X[:] = integers((4, 16), np.random.default_rng(5), np.float64)
        expected = X @ sylvester(16)
        assert np.array_equal(fwht(X, backend=backend), expected)

    @pytest.mark.parametrize("dtype", DTYPES)
    @pytest.mark.parametrize(("rows", "n"), [(1, 128), (3, 2), (5, 32), (2, 1024)])
    def test_guards_before_and_behind_stay(self, rows, n, dtype):
        """The compiled form reads and writes by address."""
        for axis, shape in [(1, (rows, n)), (0, (n, rows))]:
            base = np.full(rows * n + 64, 7.25, dtype)
            X = base[32:-32].reshape(shape)
            X[:] = integers(shape, np.random.default_rng(6), dtype)
            expected = fwht(X.copy(), axis, backend="numpy")
            assert np.array_equal(fwht(X, axis), expected)
            assert (base[:32] == 7.25).all()
            assert (base[-32:] == 7.25).all()

    @pytest.mark.parametrize("axis", [0, 1])
    @pytest.mark.parametrize("layout", ["C", "F", "strided"])
    def test_only_a_strided_array_is_copied(self, layout, axis):
        whole = np.zeros((size(512, 32), 1024))
        X = whole[:, ::2] if layout == "strided" else np.require(whole, requirements=layout)
        fwht(X, axis)  # whatever the first call loads
        tracemalloc.start()
        try:
            fwht(X, axis)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert (peak >= X.nbytes) == (layout == "strided")

    def test_a_memory_map(self, tmp_path):
        X = np.memmap(tmp_path / "x", np.float32, "w+", shape=(4, 8))
        X[:] = 1
        assert fwht(X) is X
        assert np.array_equal(np.fromfile(tmp_path / "x", np.float32).reshape(4, 8)[:, 0], [8] * 4)

    @pytest.mark.parametrize("backend", BACKENDS)
    @pytest.mark.parametrize(("shape", "axis"), [((0, 4), 1), ((4, 0), 0), ((0, 1, 0), 1)])
    def test_nothing_to_do(self, shape, axis, backend):
        assert fwht(np.ones(shape), axis, backend=backend).shape == shape


@pytest.mark.parametrize("backend", BACKENDS)
class TestInputs:
    def test_nan_stays_in_its_line(self, backend):
        for axis in [0, 1]:
            X = np.ones((16, 16), np.float32)
            X[3, 5] = np.nan
            lost = np.isnan(fwht(X, axis, backend=backend))
            assert (lost == (np.arange(16) == (5 if axis == 0 else 3)).reshape((1, 16) if axis == 0 else (16, 1))).all()

    def test_refusals(self, backend):
        with says(TypeError, "X must be a NumPy array, since it is", "in place, but list came.", "np.array(X"):
            fwht([1.0, 2.0], backend=backend)
        for dtype in [np.int64, np.float16, np.complex128, ">f8"]:
            with says(TypeError, "X must hold float32 or float64", f"its dtype is {np.dtype(dtype)}.", "astype"):
                fwht(np.ones(4, dtype), backend=backend)
        with says(ValueError, "X must have at least one axis, but its shape is ()."):
            fwht(np.array(1.0), backend=backend)
        with says(
            ValueError, "X must have a power of two as its length along axis 0, but its shape is (12, 4).", "plan"
        ):
            fwht(np.ones((12, 4)), axis=-2, backend=backend)
        with says(ValueError, "a power of two as its length along axis 1, but its shape is (3, 0)."):
            fwht(np.ones((3, 0)), backend=backend)
        with says(ValueError, "X must be writable", "it is read-only. Copy it first"):
            fwht(np.broadcast_to(np.ones(4), (3, 4)), backend=backend)
        with says(ValueError, "axis must be from -2 to 1, but 2 came."):
            fwht(np.ones((2, 2)), axis=2, backend=backend)
        with says(ValueError, "threads must be at least 1, but 0 came."):
            fwht(np.ones(2), threads=0, backend=backend)

    def test_what_is_refused_is_not_touched(self, backend):
        X = np.arange(6.0)
        with says(ValueError, "a power of two"):
            fwht(X, backend=backend)
        assert X.tolist() == [0, 1, 2, 3, 4, 5]


def test_refused_backends():
    with says(ValueError, "backend must be one of 'numba', 'numpy', but 'cuda' came."):
        fwht(np.ones(2), backend="cuda")


class TestScaled:
    """diag(rows) X diag(columns), and then the transform of each row."""

    @pytest.mark.parametrize("backend", ["numba", "numpy"])
    @pytest.mark.parametrize("long", [16, 2**17])  # bytes: whether a row is longer than what stays in the cache
    def test_is_the_definition(self, backend, long, monkeypatch):
        monkeypatch.setattr(walsh, "LONG", long)
        rng = np.random.default_rng(0)
        X, rows, columns = rng.integers(-9, 10, (5, 16)) / 1.0, rng.integers(-9, 10, 5) / 1.0, 2.0 ** np.arange(16)
        plain = np.diag(rows) @ X @ np.diag(columns)
        for given in (X, np.asfortranarray(X)):
            kept = given.copy()
            assert (walsh.scaled(given, rows, columns, backend=backend) == plain).all()
            found = walsh.scaled(given, rows, columns, transform=True, backend=backend)
            assert (found == plain @ sylvester(16)).all()
            assert found.flags.c_contiguous
            assert (given == kept).all()
