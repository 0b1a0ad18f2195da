"""The Hadamard kernels against their twins in NumPy: to the bit where sums have one order, exact on integers else."""

import numpy as np
import pytest
from numba import cuda

from quipref.cuda import hadamard
from quipref.incoherence import walsh
from quipref.incoherence.factorisation import base
from quipref.incoherence.factors import Dense
from quipref.incoherence.hadamard import hadamard_plan


def numbers(*shape):
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


def integers(*shape):
    """So small that every sum of them is exact, in whatever order."""
    return np.random.default_rng(0).integers(-8, 9, shape).astype(np.float32)


@pytest.mark.parametrize(
    ("size", "stride", "n", "tile"),
    [
        (64, 1, 64, 4096),  # one line, in one tile
        (24, 1, 8, 16),  # short lines share a tile, the last one half empty
        (64, 1, 64, 16),  # a line is longer than a tile: 16 numbers, and then stages of 16 and 32
        (128, 1, 128, 4),  # three passes and one more
        (96, 12, 8, 64),  # columns, some of them beside a tile's width
        (2 * 3 * 8, 3, 8, 16),  # fewer columns than a tile is wide
        (5 * 16, 5, 16, 8),
        (6, 2, 1, 16),  # nothing to do
    ],
)
def test_butterfly_is_its_twin_to_the_bit(size, stride, n, tile):
    x = numbers(size)
    there = cuda.to_device(x)
    hadamard.butterfly(there, stride, stride * n, tile)
    walsh.butterfly(x, stride, stride * n)
    np.testing.assert_array_equal(there.copy_to_host(), x)


@pytest.mark.parametrize(("shape", "stop"), [((3, 16), 16), ((5, 6), 1), ((4, 24), 8)])
def test_scaled_rows_is_its_twin_to_the_bit(shape, stop):
    X, rows, columns = numbers(*shape), numbers(shape[0]), numbers(shape[1])
    arrays = [cuda.to_device(array) for array in (X, rows, columns, np.empty_like(X))]
    hadamard.scaled_rows(*arrays, stop)
    expected = np.empty_like(X)
    walsh.scaled_rows(X, rows, columns, expected, stop)
    np.testing.assert_array_equal(arrays[3].copy_to_host(), expected)
    np.testing.assert_array_equal(arrays[0].copy_to_host(), X)


@pytest.mark.parametrize("transpose", [False, True])
@pytest.mark.parametrize("shape", [(1, 12, 3), (3, 12, 1)])
def test_a_dense_factor_is_its_twin(shape, transpose):
    factor, Y = base(12), integers(*shape)
    assert not np.array_equal(factor.matrix(), factor.matrix().T)
    out = cuda.device_array(shape, np.float32)
    hadamard.dense_factor(cuda.to_device(factor.matrix()), cuda.to_device(Y), out, transpose)
    np.testing.assert_array_equal(out.copy_to_host(), factor.transform(Y.copy(), transpose, 1))


@pytest.mark.parametrize("transpose", [False, True])
@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("n", [1, 16, 12, 24])
def test_a_plan_on_either_axis_is_its_twin(n, axis, transpose):
    plan, Y = hadamard_plan(n), integers(*((n, 3) if axis == 0 else (3, n)))
    factors = [
        cuda.to_device(factor.matrix()) if isinstance(factor, Dense) else factor.order for factor in plan.factors
    ]
    found = hadamard.unnormalised(cuda.to_device(Y), factors, axis, transpose)
    np.testing.assert_array_equal(found.copy_to_host(), plan.unnormalised(Y, axis, transpose=transpose))


def test_nothing_is_left_as_it_is():
    empty = cuda.device_array((0, 4), np.float32)
    hadamard.scaled_rows(empty, cuda.to_device(numbers(1)), cuda.to_device(numbers(4)), empty, 4)
    assert hadamard.unnormalised(empty, [4], 1, False).shape == (0, 4)
