"""QuantizedLayer: what it decodes to, what it weighs, how it multiplies."""

import json

import numpy as np
import pytest

import quipref as q
from quipref.layer import QuantizedLayer


@pytest.fixture
def layer():
    grid = q.UniformGrid(np.array([[1.0], [2.0]], np.float16), 2)
    codes = np.array([[0, 1, 2], [3, 3, 0]], np.uint8)
    return QuantizedLayer((2, 3), "nearest", {"bits": 2}, codes, grid, scale_bits=32)


def test_dequantize(layer):
    W = layer.dequantize()
    assert W.dtype == np.float32
    np.testing.assert_array_equal(W, [[-1.5, -0.5, 0.5], [3.0, 3.0, -3.0]])
    assert layer.dequantize(np.float64).dtype == np.float64


def test_it_shows_its_options_as_they_would_be_typed(layer):
    assert repr(layer) == "QuantizedLayer((2, 3), 'nearest', {'bits': 2}, scale_bits=32)"


def test_every_bit_is_counted(layer):
    header = len('{"method":"nearest","shape":[2,3],"options":{"bits":2}}')
    assert json.loads(layer.header())["shape"] == [2, 3]
    assert layer.size_in_bits() == {"codes": 12, "scales": 32, "transform": 0, "header": 8 * header}
    assert layer.bits_per_weight == (12 + 32 + 8 * header) / 6


def test_products_equal_those_of_the_dense_matrix(layer):
    W = layer.dequantize(np.float64)
    x = np.array([1.0, 2.0, -1.0])
    np.testing.assert_array_equal(layer.matvec(x), W @ x)
    np.testing.assert_array_equal(layer @ x, W @ x)
    batch = np.arange(12.0).reshape(4, 3)
    np.testing.assert_array_equal(layer.matvec(batch), batch @ W.T)
    np.testing.assert_array_equal(layer @ batch.T, W @ batch.T)
    assert layer.matvec(x.astype(np.float32)).dtype == np.float32


def test_a_product_of_the_wrong_size_is_refused(layer):
    with pytest.raises(ValueError, match=r"x must be \(3,\) or \(B, 3\), so many inputs, but its shape is \(2,\)"):
        layer.matvec(np.ones(2))
    with pytest.raises(TypeError, match="x must hold real floating-point numbers"):
        layer.matvec(np.arange(3))
    with pytest.raises(ValueError, match="x must be an array, its rows of one length, but NumPy says: "):
        layer.matvec([[1.0, 2.0, 3.0], [1.0]])
    with pytest.raises(ValueError, match=r"x must be \(3,\) or \(B, 3\)"):
        layer.matvec(np.ones((2, 2, 3)))


def test_the_layer_cannot_be_changed(layer):
    with pytest.raises(ValueError, match="read-only"):
        layer.codes[0, 0] = 1
    with pytest.raises(TypeError):
        layer.options["bits"] = 3


def test_weights_are_not_cut_to_integers(layer):
    with pytest.raises(TypeError, match="dtype must be a real floating-point type, but int64 came"):
        layer.dequantize(np.int64)
