"""The words of the kernels: plain.py against NumPy, and what a kernel makes of them against plain.py."""

import ast
from pathlib import Path

import numpy as np
from numba import cuda

from quipref.cuda import plain, vocabulary
from quipref.cuda.vocabulary import (
    bits_as_float,
    count_bits,
    funnel_left,
    load4,
    multiply_add,
    multiply_add_halves,
    multiply_high,
    sum_of_bytes,
    sum_of_halves,
)

SPECIAL = [0, 1, 2, 31, 255, 0x6400, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x4B000000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]
FINITE = 0x7BFF  # the largest half


def words(seed, count=400):
    rng = np.random.default_rng(seed)
    return np.concatenate([SPECIAL, rng.integers(0, 2**32, count)]).astype(np.uint32)


X, A, B = words(0), words(1)[::-1].copy(), words(2)
X64, A64, B64 = (words.astype(np.uint64) for words in (X, A, B))
LOW = np.uint64(0xFFFFFFFF)


def halves(x):
    """Words whose two halves are finite half-precision numbers."""
    parts = x.view(np.uint16)
    return np.where(parts & 0x7C00 == 0x7C00, parts & 0x83FF, parts).view(np.uint32)


def each(word, *arguments):
    return np.array([word(*row) for row in zip(*arguments, strict=True)])


class TestPlain:
    def test_sums_and_products(self):
        assert (each(plain.multiply_add, X, A, B) == (X64 * A64 + B64 & LOW)).all()
        assert (each(plain.multiply_high, X, A) == X64 * A64 >> np.uint64(32)).all()
        total = sum(X64 >> np.uint64(shift) & np.uint64(255) for shift in (0, 8, 16, 24))
        assert (each(plain.sum_of_bytes, X, A) == (total + A64 & LOW)).all()

    def test_bits(self):
        assert (each(plain.count_bits, X) == np.bitwise_count(X)).all()
        floats = each(plain.bits_as_float, X)
        assert floats.dtype == np.float32
        assert (floats.view(np.uint32) == X).all()

    def test_funnel(self):
        """By strings of bits."""
        for high, low in zip(X, A, strict=True):
            bits = f"{high:032b}{low:032b}"
            for shift in (0, 1, 17, 31):
                assert plain.funnel_left(high, low, np.uint32(shift)) == int(bits[shift : shift + 32], 2)

    def test_halves(self):
        pairs = halves(X).view(np.float16).reshape(-1, 2)
        with np.errstate(over="ignore"):
            expected = (pairs[:, 0] + pairs[:, 1]).astype(np.float32)
            found = each(plain.sum_of_halves, halves(X))
        assert (found == expected).all()
        assert found.dtype == np.float32

    def test_halves_are_rounded_once(self):
        """(1 + 2^-10) (1 + 3 2^-10) - 1 = 2^-8 + 3 2^-20, and a product that is rounded first loses the 3 2^-20."""
        a, b, minus_one = (int(np.float16(x).view(np.uint16)) for x in (1 + 2**-10, 1 + 3 * 2**-10, -1))
        assert plain.multiply_add_halves(a, b, minus_one) == 2.0**-8 + 2.0**-18  # a half's next number

    def test_four_words(self):
        assert plain.load4(X, 8) == tuple(X[8:12])


@cuda.jit
def use(x, a, b, pairs, found, floats):
    """Every word on every line; those that load take four at a time."""
    for i in range(cuda.grid(1), x.shape[0], cuda.gridsize(1)):
        found[0, i] = multiply_add(x[i], a[i], b[i])
        found[1, i] = multiply_high(x[i], a[i])
        found[2, i] = funnel_left(x[i], a[i], b[i] & np.uint32(31))
        found[3, i] = sum_of_bytes(x[i], a[i])
        found[4, i] = count_bits(x[i])
        floats[0, i] = bits_as_float(x[i])
        floats[1, i] = sum_of_halves(pairs[i])
        floats[2, i] = multiply_add_halves(pairs[i] & np.uint32(0x3FFF), np.uint32(0x1EEE), np.uint32(0xC931))
        if i % 4 == 0:
            found[5, i], found[5, i + 1], found[5, i + 2], found[5, i + 3] = load4(x, i)


def test_a_kernel_knows_every_word():
    """On a device this is the one test of ptx.py; the simulator runs plain.py itself."""
    count, pairs = len(X) // 4 * 4, halves(X)
    x, a, b = X[:count], A[:count], B[:count]
    found, floats = cuda.device_array((6, count), np.uint32), cuda.device_array((3, count), np.float32)
    use[2, 8](*(cuda.to_device(array) for array in (x, a, b, pairs[:count])), found, floats)
    shift, thirteen = b & np.uint32(31), pairs[:count] & np.uint32(0x3FFF)
    scale, offset = np.full(count, 0x1EEE), np.full(count, 0xC931)
    expected = [
        each(plain.multiply_add, x, a, b),
        each(plain.multiply_high, x, a),
        each(plain.funnel_left, x, a, shift),
        each(plain.sum_of_bytes, x, a),
        each(plain.count_bits, x),
        x,
    ]
    assert (found.copy_to_host() == expected).all()
    sums = each(plain.sum_of_halves, pairs[:count]), each(plain.multiply_add_halves, thirteen, scale, offset)
    assert (floats.copy_to_host().view(np.uint32) == np.array([x.view(np.float32), *sums]).view(np.uint32)).all()


def functions(name):
    """{function: names of its arguments} of a file, read and not imported, since ptx.py needs the compiler."""
    tree = ast.parse(Path(vocabulary.__file__).with_name(f"{name}.py").read_text(encoding="utf-8"))
    found = (node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name != "instruction")
    return {node.name: [arg.arg for arg in node.args.args if arg.arg != "typing"] for node in found}


def test_both_have_the_same_words():
    told = functions("ptx")
    assert told.pop("warp_sum") == ["x", "stride"]
    assert told == functions("plain")
    for word, arguments in functions("plain").items():
        assert hasattr(vocabulary, word)
        assert f"{word}({arguments[0]}" in vocabulary.__doc__
