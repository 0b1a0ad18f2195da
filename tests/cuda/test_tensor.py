"""The tensor cores' words: small matrix products through registers, against NumPy's."""

import ast
from pathlib import Path

import numpy as np
import pytest
from numba import cuda

from quipref.cuda import tensor
from quipref.cuda.tensor import (
    LANES,
    ROOM,
    float_bits,
    from_lane,
    half_bits,
    half_sum,
    half_word,
    load4_shared,
    low_halves,
    multiply_add_pairs,
    multiply_bytes,
    multiply_halves,
)

WARPS = 2  # whose lanes must not meet each other's


def product(multiply, number):
    """A kernel: C <- C + A B for each warp, A (16, 8) and B (8, 8) of words, C (16, 8)."""
    room_size = ROOM * WARPS

    @cuda.jit
    def kernel(A, B, C):
        room = cuda.shared.array(room_size, np.uint32)
        warp, lane = cuda.threadIdx.x // LANES, cuda.threadIdx.x % LANES
        g, t = lane // 4, lane % 4
        a, b, c = A[warp], B[warp], C[warp]
        c[g, 2 * t], c[g, 2 * t + 1], c[g + 8, 2 * t], c[g + 8, 2 * t + 1] = multiply(
            a[g, t], a[g + 8, t], a[g, t + 4], a[g + 8, t + 4], b[t, g], b[t + 4, g],
            number(c[g, 2 * t]), number(c[g, 2 * t + 1]), number(c[g + 8, 2 * t]), number(c[g + 8, 2 * t + 1]), room,
        )  # fmt: skip

    return kernel


# word: (numbers of A and of B in a register, how they are drawn, the type of the sums)
KINDS = {
    "bytes": (multiply_bytes, 4, np.uint8, np.int8, np.int32),
    "halves": (multiply_halves, 2, np.float16, np.float16, np.float32),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_product_of_the_tensor_cores(kind):
    """Exact: the products are multiples of 2^-6 and below 2^24, and so are their sums."""
    multiply, each, a_type, b_type, number = KINDS[kind]
    rng = np.random.default_rng(3)
    if kind == "bytes":
        A, B = rng.integers(0, 256, (WARPS, 16, 8 * each)), rng.integers(-128, 128, (WARPS, 8, 8 * each))
    else:
        A, B = (rng.integers(-64, 65, (WARPS, rows, 8 * each)) / 8 for rows in (16, 8))
    A, B = A.astype(a_type), B.astype(b_type)  # B as its columns
    C = rng.integers(-1000, 1001, (WARPS, 16, 8)).astype(number)
    expected = C + np.einsum("wik,wjk->wij", A.astype(np.float64), B.astype(np.float64))
    words = np.ascontiguousarray(B.view(np.uint32).transpose(0, 2, 1))
    found = cuda.to_device(C)
    product(multiply, number)[1, WARPS * LANES](cuda.to_device(A.view(np.uint32)), cuda.to_device(words), found)
    assert (found.copy_to_host() == expected).all()


def test_words_of_other_lanes_and_of_shared_memory():
    room_size, count = ROOM * WARPS, 4 * LANES * WARPS

    @cuda.jit
    def kernel(words, found):
        room = cuda.shared.array(room_size, np.uint32)
        near = cuda.shared.array(count, np.uint32)
        i = cuda.threadIdx.x
        for j in range(4):
            near[4 * i + j] = words[4 * i + j]
        cuda.syncthreads()
        lane = i % LANES
        found[0, i] = from_lane(words[i], (lane + 5) % LANES, room)
        a, b, c, d = load4_shared(near, count - 4 - 4 * i)
        found[1, i], found[2, i] = np.uint32(a ^ b), np.uint32(c ^ d)
        found[3, i] = half_word(words[i], np.uint32(i % 3))
        found[4, i], found[5, i] = half_bits(np.float32(i / 7)), float_bits(np.float32(i / 7))

    words = np.random.default_rng(5).integers(0, 2**32, count, dtype=np.uint32)
    found = cuda.to_device(np.zeros((6, WARPS * LANES), np.uint32))
    kernel[1, WARPS * LANES](cuda.to_device(words), found)
    lanes, from_far, xor_1, xor_2, half, in_half, in_single = np.arange(WARPS * LANES), *found.copy_to_host()
    assert (from_far == words[lanes // LANES * LANES + (lanes + 5) % LANES]).all()
    four = words.reshape(-1, 4)[::-1]
    assert (xor_1 == four[:, 0] ^ four[:, 1]).all()
    assert (xor_2 == four[:, 2] ^ four[:, 3]).all()
    assert (half == words[lanes] >> 8 * (lanes % 3).astype(np.uint32) & 0xFFFF).all()
    sevenths = (lanes / 7).astype(np.float32)
    assert (in_half == sevenths.astype(np.float16).view(np.uint16)).all()
    assert (in_single == sevenths.view(np.uint32)).all()


def test_pairs_in_half_precision():
    """On a device each comes from other instructions than on the CPU: against NumPy, for many words."""

    @cuda.jit
    def kernel(words, found):
        for i in range(cuda.threadIdx.x, words.shape[1], LANES):
            x, a, b = words[0, i], words[1, i], words[2, i]
            found[0, i], found[1, i] = half_sum(x) & np.uint32(0xFFFF), low_halves(x, a)
            found[2, i] = multiply_add_pairs(x, a, b)

    numbers = np.random.default_rng(7).standard_normal((3, 100, 2)).astype(np.float16)  # the low half comes first
    words = numbers.view(np.uint32)[..., 0]
    found = cuda.to_device(np.zeros((3, 100), np.uint32))
    kernel[1, LANES](cuda.to_device(words.copy()), found)
    sums, low, products = found.copy_to_host()
    assert (sums == (numbers[0, :, 0] + numbers[0, :, 1]).view(np.uint16)).all()
    assert (low == (words[0] & 0xFFFF | words[1] << 16)).all()
    x, a, b = numbers.astype(np.float64)
    assert (products == (a * x + b).astype(np.float16).view(np.uint32)[:, 0]).all()


def test_a_device_has_a_word_of_every_name():
    """Told from the source, since the simulator cannot import it."""
    source = Path(tensor.__file__).with_name("ptx_tensor.py").read_text(encoding="utf-8")
    tree = ast.parse(source).body
    names = {node.name for node in tree if isinstance(node, ast.FunctionDef)}
    names |= {target.id for node in tree if isinstance(node, ast.Assign) for target in node.targets}
    assert set(tensor.__all__) - {"LANES", "ROOM"} <= names
