"""What is pasted is what was found, to the bit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from quipref import Layer, random_layer
from quipref.testing.paste import WIDTH, pasteable
from quipref.testing.strategies import layers, seeded_layers

FEW = settings(max_examples=min(40, settings.default.max_examples))


def rebuilt(code):
    names = {}
    exec(code, names)
    return names


def bits(array):
    return array.dtype, array.shape, array.tobytes()


@FEW
@given(layers(singular=True) | seeded_layers(8, 8))
def test_a_layer_comes_back_to_the_bit(layer):
    code = pasteable(layer)
    found = rebuilt(code)
    assert bits(found["W"]) == bits(layer.W) and bits(found["H"]) == bits(layer.H)
    assert max(map(len, code.splitlines())) <= WIDTH + 30  # the name and the dtype stand beside the list


@FEW
@given(
    st.sampled_from([np.float64, np.float32, np.float16, np.int64, np.uint8]).flatmap(
        lambda dtype: arrays(dtype, array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=5))
    )
)
def test_any_array_comes_back(array):
    found = rebuilt(pasteable(array))["X"]
    assert (found.dtype, found.shape) == (array.dtype, array.shape)
    assert np.array_equal(found, array, equal_nan=array.dtype.kind == "f")
    assert array.dtype.kind != "f" or np.array_equal(np.signbit(found), np.signbit(array)) or np.isnan(array).any()


def test_long_arrays_are_broken_into_lines():
    code = pasteable({"T": random_layer(1, 40, seed=0).W[0]})
    assert code.startswith("import numpy as np\n\nT = np.array([\n    ") and code.endswith("\n])")
    assert max(map(len, code.splitlines())) <= WIDTH


def test_what_cannot_be_written():
    with pytest.raises(TypeError, match="W must be an array"):
        pasteable(Layer([[1.0]], np.eye(1)))
    with pytest.raises(TypeError, match="its dtype is complex128"):
        pasteable(np.ones(2) * 1j)
