"""Whole layers on the device against the same layers on the CPU: to the bit, or within what single precision may lose.

With u the unit roundoff, a sum of N products that takes r roundings one after the other is off by r u sum |a_i b_i| at
most (to first order, which 1.01 covers). A Hadamard factor has log2(order) of them, a dense one its order.
"""

import numpy as np
import pytest
from numba import cuda
from voice import says

import quipref as q
from quipref import device_codes, device_layer
from quipref.incoherence.factors import Sylvester
from quipref.incoherence.randomized import RandomizedHadamard
from quipref.trellis import codes

U = 1.01 * 2.0**-24


def qtip(shape=(16, 32), bits=2, **options):
    return layer_of(shape, method="qtip", bits=bits, **({"state_bits": 8} | options))


def layer_of(shape, **options):
    return q.quantize(*q.random_layer(*shape, spectrum="outlier", seed=1), **options)


def sides(layer):
    """(rotate_out, rotate_in, 1 / scale) of a layer."""
    way = layer.transform
    if way is None:
        return None, None, np.ones(layer.shape[1])
    scale = np.ones(layer.shape[1]) if way.scale is None else way.scale.astype(np.float64)
    return way.rotate_out, way.rotate_in, 1 / scale


def roundings(rotation):
    """Of a rotation that is undone or done: its sums, its diagonal, and the product with that."""
    if rotation is None:
        return 0
    orders = [
        factor.order.bit_length() if isinstance(factor, Sylvester) else factor.order for factor in rotation.plan.factors
    ]
    return sum(orders) + 2


def spread(rotation, x):
    """|V| |x| along the last axis, or |V^T| |x|: all entries of V are 1 / sqrt(n) in size."""
    return (
        np.abs(x) if rotation is None else np.broadcast_to(np.abs(x).sum(-1, keepdims=True), x.shape) / rotation.n**0.5
    )


def check_weights(layer, W):
    """W is what the layer decodes to: the same numbers, or as near as single precision comes."""
    expected = layer.dequantize(np.float64)
    out, into, inverse = sides(layer)
    decoded = np.abs(layer.round_to.decode(layer.codes))
    sizes = spread(into, spread(out, decoded.T).T) * inverse
    assert W.dtype == np.float32
    assert (np.abs(W - expected) <= (roundings(out) + roundings(into) + 4) * U * sizes).all()
    if layer.transform is None or (out is into is layer.transform.scale is None):
        np.testing.assert_array_equal(W, layer.dequantize())


def check_product(layer, x, y):
    """y is W x, the weights never having been formed. Products on tensor cores may cut off where others round: 2 u.

    The fast kernel cuts a vector into digits by its largest number M: the last counts 2^-29 M at most. The last three
    are as large as M / 32, and meet weights of 1MAD and 2MAD whose mean, 510 / 147.8, is not yet taken off.
    """
    expected = layer.matvec(np.float64(x))
    out, into, inverse = sides(layer)
    decoded = np.abs(layer.round_to.decode(layer.codes))
    inner, sums = spread(into, np.float64(x) * inverse), 2 * (2 * layer.shape[1] + 3)
    digits = 2.0**-29 * decoded + sums * U * (decoded + 3.46 * layer.round_to.scale) / 32
    lost = (roundings(out) + roundings(into) + sums + 3) * U * inner @ decoded.T
    lost += inner.max(axis=-1, keepdims=True) * digits.sum(axis=1)
    assert y.dtype == np.float32
    assert y.shape == expected.shape
    assert (np.abs(y - expected) <= spread(out, lost)).all()


def check(layer, B=1, kernel="teaching", why=""):
    there = layer.to_cuda()
    assert there.kernel == kernel
    assert why in there.why
    assert bool(there.why) == (kernel == "teaching")
    check_weights(layer, there.dequantize().copy_to_host())
    x = np.random.default_rng(2).standard_normal((B, layer.shape[1])).astype(np.float32)
    check_product(layer, x, there.matvec(x).copy_to_host())
    return there


@pytest.mark.parametrize(
    "options",
    [
        {"code": "1mad", "bits": 3},
        {"code": "2mad", "tile": (8, 16)},
        {"code": "3inst", "bits": 4, "transform": None},
        {"code": "mcg", "rescale": True},
        {"code": "mul1", "transform": None, "rescale": True},
        {"code": "hyb", "table_bits": 3},
        {"code": "lut", "bits": 1},
        {"code": "lut", "values_per_step": 2, "transform": None},
    ],
    ids=lambda options: options["code"],
)
def test_a_qtip_layer(options):
    check(qtip(**options), why={"1mad": "3 bits", "lut": "'lut'"}.get(options["code"], "state_bits is 8"))


@pytest.mark.parametrize("transform", [None, "hadamard"])
@pytest.mark.parametrize("bits", [2, 3, 4])
def test_a_quip_sharp_layer(bits, transform):
    check(layer_of((12, 40), method="quip#", bits=bits, transform=transform, rescale=bits == 3), why="codes of quip#")


@pytest.mark.parametrize("options", [{}, {"code": "hyb", "table_bits": 3, "transform": None}])
def test_the_fast_kernel_serves_what_the_papers_have(options):
    check(qtip(state_bits=16, **options), B=9, kernel="fast")


def test_the_fast_kernel_leaves_what_it_does_not_cover_to_the_other():
    check(qtip((16, 32), state_bits=16, bits=3), why="3 bits")
    check(qtip((8, 32), state_bits=16, tile=(8, 16)), why="tiles of 8 x 16")
    layer = qtip(code="hyb", table_bits=1, state_bits=16)
    tiles = q.TrellisQuantizer(layer.round_to.table * np.float32(1.1), layer.round_to.trellis)
    check(q.QuantizedLayer(layer.shape, "qtip", layer.options, layer.codes, tiles), why="half precision does not have")


def test_sizes_that_are_no_powers_of_two():
    layer = qtip((48, 80), rescale=True)
    assert [len(rotation.plan.factors) for rotation in sides(layer)[:2]] == [2, 2]
    check(layer, B=2, why="state_bits is 8")


@pytest.mark.parametrize("n", [6, 7, 120])
def test_what_stands_in_for_a_hadamard_matrix(n):
    """A side of any size: where no kernel has the factor's form, its matrix is multiplied by."""
    rotation, X = RandomizedHadamard(n, seed=0), np.random.default_rng(0).standard_normal((2, n)).astype(np.float32)
    device = device_layer.cuda_twin("Device")()
    for transpose in (False, True):
        found = (
            device_layer.Side(device, rotation, None).mixed(cuda.to_device(X), 1, transpose=transpose).copy_to_host()
        )
        exact = rotation.plan.unnormalised(np.float64(X), 1, transpose=transpose)
        largest = np.abs(rotation.plan.matrix()).max()
        assert (np.abs(found - exact) <= (n + 1) * U * largest * np.abs(X).sum(1, keepdims=True)).all()


@pytest.fixture(scope="module")
def layer():
    return qtip((16, 16))


@pytest.fixture(scope="module")
def there(layer):
    return layer.to_cuda()


class TestVectors:
    def test_one_vector_or_a_batch_of_any_size(self, layer, there):
        X = np.random.default_rng(3).standard_normal((9, 16)).astype(np.float32)
        Y = there.matvec(X).copy_to_host()
        check_product(layer, X, Y)
        np.testing.assert_array_equal(there.matvec(X[8]).copy_to_host(), Y[8])
        assert there.matvec(X[:0]).shape == (0, 16)

    def test_a_kernel_is_given_eight_vectors_at_most(self, there, monkeypatch):
        given = []

        def multiply(X, Y):
            given.append((X.shape[0], Y.shape[0]))
            Y.copy_to_device(np.zeros(Y.shape, np.float32))

        monkeypatch.setattr(there._codes, "multiply", multiply)
        there.matvec(np.ones((17, 16), np.float32))
        assert given == [(8, 8), (8, 8), (1, 1)]

    def test_more_vectors_than_rows_or_columns(self, layer, there):
        X = np.random.default_rng(3).standard_normal((17, 16)).astype(np.float32)
        check_product(layer, X, there.matvec(X).copy_to_host())

    def test_inputs_are_left_as_they_are(self, layer, there):
        x = np.arange(16.0)[::-1]
        x.setflags(write=False)
        on_device = cuda.to_device(x.astype(np.float32))
        np.testing.assert_array_equal(there.matvec(x).copy_to_host(), there.matvec(on_device).copy_to_host())
        np.testing.assert_array_equal(on_device.copy_to_host(), x)
        check_product(layer, x, there.matvec(list(x)).copy_to_host())

    @pytest.mark.parametrize("shape", [(15,), (2, 17), (2, 2, 16), ()])
    def test_wrong_shapes(self, there, shape):
        for x in (np.ones(shape, np.float32), cuda.to_device(np.ones(shape, np.float32))):
            with says(ValueError, "x must ", str(shape)):
                there.matvec(x)

    def test_wrong_numbers(self, there):
        with says(TypeError, "x must hold real floating-point numbers"):
            there.matvec(np.arange(16))
        with says(TypeError, "x must hold float32 where it lies on the device, but its dtype is float64"):
            there.matvec(cuda.to_device(np.ones(16)))
        with says(ValueError, "x must be finite"):
            there.matvec(np.full(16, np.nan))
        with says(ValueError, "x must be an array, its rows of one length, but NumPy says: "):
            there.matvec([[1.0, 2.0], [1.0]])
        with says(ValueError, "x in single precision must be finite"):
            there.matvec(np.full(16, 1e39))

    def test_what_it_says_of_itself(self, layer, there):
        assert (there.shape, there.method, there.device) == ((16, 16), "qtip", 0)
        assert repr(there) == f"CudaLayer((16, 16), 'qtip', device=0, kernel='teaching', why={there.why!r})"
        # 64 bytes of codes, a number for the table, two diagonals and as many ones
        assert there.nbytes == 64 + 4 + 2 * 64 + 64


class TestRefused:
    def test_other_methods_and_transforms(self):
        with says(ValueError, "layer must be one of method 'qtip' or 'quip#'", "UniformGrid", "layer.dequantize()"):
            layer_of((8, 8), method="ldlq", bits=2).to_cuda()
        with says(ValueError, "layer must be one of method 'qtip' or 'quip#'"):  # no matter how it was rotated
            layer_of((8, 8), method="quip", bits=2).to_cuda()
        with says(TypeError, "layer must be a QuantizedLayer, but a ndarray came."):
            q.CudaLayer(np.ones((16, 16)))
        with says(ValueError, "layer must have transform='hadamard' or None", "KroneckerHaar(16", "on the CPU"):
            qtip((16, 16), transform="kronecker").to_cuda()

    def test_tiles_that_are_no_whole_words(self):
        with says(ValueError, "tile must hold whole 32-bit words for a GPU, but 3 x 16 weights of 1 bits are 48 bits."):
            qtip((3, 16), bits=1, tile=(3, 16)).to_cuda()
        trellis = q.BitshiftTrellis(8, 2)
        tiles = q.TrellisQuantizer(codes.one_mad(8), trellis, order_in_tile="mma")
        layer = q.QuantizedLayer((16, 16), "qtip", {}, np.zeros((16, 2), np.uint16), tiles)
        with says(ValueError, "order_in_tile must be 'row' for a GPU, but 'mma' came."):
            layer.to_cuda()

    def test_devices_that_there_are_not(self, layer):
        with says(ValueError, "device must be at least 0, but -1 came."):
            layer.to_cuda(-1)
        with says(TypeError, "device must be an integer, but 'cuda:0' (str) came."):
            layer.to_cuda("cuda:0")
        with says(ValueError, "device must be the number of a CUDA device", "but 99 came."):
            layer.to_cuda(99)

    def test_too_little_memory(self, layer, there, monkeypatch):
        def check_room(self, nbytes, name, advice):
            raise MemoryError(name, nbytes)

        monkeypatch.setattr(type(there._device), "check_room", check_room)

        with says(MemoryError, "the layer's codes", "64"):
            layer.to_cuda()
        with says(MemoryError, "'W', 1024"):
            there.dequantize()
        with says(MemoryError, "'x', 128"):
            there.matvec(np.ones((2, 16), np.float32))
        x = cuda.to_device(np.ones((9, 16), np.float32))
        with says(MemoryError, "'x', 3456"):
            there.matvec(x)
        monkeypatch.setattr(there._codes, "kernel", "fast")  # whose blocks find 8 x 16 numbers
        with says(MemoryError, "'x', 3968"):
            there.matvec(x)


def test_a_table_that_is_not_what_the_options_say_is_looked_up():
    table = codes.one_mad(8)
    assert device_codes.smallest_table({"code": "1mad"}, table)[0] == "1mad"
    assert device_codes.smallest_table({"code": "2mad"}, table)[0] == "lut"
    assert device_codes.smallest_table({"code": "hyb", "table_bits": 3}, table)[0] == "lut"
    assert device_codes.smallest_table({}, table)[0] == "lut"
    small = np.array([[1.0, 2.0], [3.0, 4.0]], np.float32)
    code, entries, table_bits = device_codes.smallest_table({"code": "hyb", "table_bits": 1}, codes.hyb(small, 16))
    assert (code, table_bits, entries.tolist()) == ("hyb", 1, small.tolist())


def test_a_stream_of_16_bit_words_becomes_one_of_32():
    words = np.array([[0x0123, 0x4567, 0x89AB, 0xCDEF]], np.uint16)
    np.testing.assert_array_equal(device_codes.joined(words), np.array([[0x01234567, 0x89ABCDEF]], np.uint32))
