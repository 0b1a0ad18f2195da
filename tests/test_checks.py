"""The one error voice: what each check lets through, and what it says when it does not."""

import numpy as np
import pytest
from voice import says

from quipref import checks

LIMIT = {np.float16: 1e-4, np.float32: 1e-4, np.float64: 1e-6}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_good_array_comes_back_itself(dtype):
    X = np.arange(6, dtype=dtype).reshape(2, 3)
    assert checks.real_array(X, "X", ndim=2) is X


@pytest.mark.parametrize(
    ("given", "widened"),
    [
        (np.float16, np.float32),
        (np.longdouble, np.float64),
        (np.dtype(">f4"), np.float64),
        (np.dtype(">f8"), np.float64),
    ],
)
def test_other_real_floats_are_widened(given, widened):
    X = np.array([[1.5, -2.0]], dtype=given)
    found = checks.real_array(X, "X", ndim=2)
    assert found.dtype == widened
    assert found.tolist() == [[1.5, -2.0]]


def test_nested_lists_are_arrays():
    assert checks.weights([[0.5, 1.0]]).tolist() == [[0.5, 1.0]]


@pytest.mark.parametrize("dtype", [np.int64, np.uint8, np.complex64, np.complex128, np.bool_, object, "U1"])
def test_other_dtypes_are_refused(dtype):
    words = "W must hold real floating-point numbers, but its dtype is ", "W.astype(np.float64)"
    with says(TypeError, *words):
        checks.weights(np.ones((2, 2)).astype(dtype))


@pytest.mark.parametrize("shape", [(), (3,), (1, 2, 3)])
def test_another_number_of_axes_is_refused(shape):
    with says(ValueError, f"W must have 2 axes, but its shape is {shape}."):
        checks.weights(np.ones(shape))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_the_first_of_the_non_finite_entries_is_named(bad):
    X = np.ones((3, 4), np.float32)
    X[1, 2] = X[2, 0] = bad
    with says(ValueError, "X must be finite, but 2 of its 12 entries are NaN or infinite, the first at (1, 2)."):
        checks.real_array(X, "X", ndim=2)


def test_same_shape():
    X = np.ones((2, 3))
    assert checks.same_shape(X, "W_hat", X, "W") is X
    with says(ValueError, "W_hat must have the shape of W, (2, 3), but its shape is (3, 2)."):
        checks.same_shape(X.T, "W_hat", X, "W")


def test_a_hessian_must_be_square():
    with says(ValueError, "H must be square, but its shape is (2, 3)."):
        checks.symmetric(np.ones((2, 3)))


def test_a_hessian_must_belong_to_the_columns():
    with says(ValueError, "H must be 3 x 3 to match the 3 columns of W, but its shape is (2, 2)", "W transposed?"):
        checks.symmetric(np.eye(2), n=3)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("scale", [1, 16])
def test_asymmetry_is_refused_above_its_limit_and_not_below(dtype, scale):
    limit = LIMIT[dtype]
    inside = dtype(limit)
    if float(inside) > limit:
        inside = np.nextafter(inside, dtype(0))
    H = np.array([[1, 0], [0, 1]], dtype) * dtype(scale)
    H[0, 1] = inside * dtype(scale)
    assert checks.symmetric(H).shape == (2, 2)
    H[0, 1] = np.nextafter(inside, dtype(1)) * dtype(scale)
    with says(ValueError, "H must be symmetric, but max |H - H^T| is ", "Symmetrise it first: H = (H + H.T) / 2."):
        checks.symmetric(H)


@pytest.mark.parametrize("n", [0, 1, 255, 256, 257, 600])
def test_asymmetry_sees_every_entry(n):
    rng = np.random.default_rng(n)
    H = rng.standard_normal((n, n))
    H = H + H.T
    assert checks.asymmetry(H) == (0.0, np.abs(H).max(initial=0.0))
    for _ in range(5 if n > 1 else 0):
        changed = H.copy()
        i, j = rng.choice(n, 2, replace=False)
        changed[i, j] += 100.0
        gap = np.abs(changed - changed.T).max()
        assert checks.asymmetry(changed) == (gap, np.abs(changed).max())


def test_choice():
    assert checks.choice("a", "name", ("a", None)) == "a"
    assert checks.choice(None, "name", ("a", None)) is None
    with says(ValueError, "name must be one of 'a', None, but 'b' came."):
        checks.choice("b", "name", ("a", None))


@pytest.mark.parametrize("value", [3, np.int8(3), np.uint64(3)])
def test_integers_of_any_kind_become_int(value):
    found = checks.integer(value, "k", low=3, high=3)
    assert found == 3
    assert type(found) is int


@pytest.mark.parametrize("value", [3.0, np.float64(3), "3", True, np.bool_(True), None])
def test_what_is_no_integer_is_refused(value):
    with says(TypeError, f"k must be an integer, but {value!r} ({type(value).__name__}) came."):
        checks.integer(value, "k")


@pytest.mark.parametrize(
    ("bounds", "value", "said"),
    [
        ({"low": 1}, 0, "at least 1"),
        ({"high": 8}, 9, "at most 8"),
        ({"low": 1, "high": 8}, 9, "from 1 to 8"),
        ({"low": 1, "high": 8}, 0, "from 1 to 8"),
    ],
)
def test_integers_out_of_range_are_refused(bounds, value, said):
    with says(ValueError, f"bits must be {said}, but {value} came."):
        checks.integer(value, "bits", **bounds)


@pytest.mark.parametrize("value", [0, 0.5, np.float32(0.25), 7])
def test_fractions_become_float(value):
    found = checks.fraction(value, "f")
    assert found == value
    assert type(found) is float


@pytest.mark.parametrize("value", [-1e-9, float("nan"), float("inf"), -1])
def test_fractions_are_finite_and_not_negative(value):
    with says(ValueError, f"f must be finite and not negative, but {value!r} came."):
        checks.fraction(value, "f")


@pytest.mark.parametrize("value", ["0.5", 1j, True, None])
def test_fractions_are_real_numbers(value):
    with says(TypeError, f"f must be a real number, but {value!r} ({type(value).__name__}) came."):
        checks.fraction(value, "f")
