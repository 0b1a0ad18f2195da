"""The tensor cores' words: a warp multiplies a matrix A (16, 8) by B (8, 8), whose words its lanes hold in registers.

Lane 4 g + t has A[g, t], A[g + 8, t], A[g, t + 4], A[g + 8, t + 4]; B[t, g], B[t + 4, g]; and of the sums C (16, 8),
to which A B is added, C[g, 2t], C[g, 2t + 1], C[g + 8, 2t], C[g + 8, 2t + 1]. A word has 32 bits, and what they mean
tells the two products apart:

    multiply_bytes    four bytes, of A without a sign and of B with one, whose four products are added: integers
    multiply_halves   two numbers in half precision, whose two products are added in single precision

    from_lane(word, lane, room)   the word that another lane holds
    load4_shared(words, i)        four neighbouring words in shared memory
    half_word(x, byte)            the 16 bits that begin with byte 0, 1 or 2
    half_bits(x), float_bits(x)   the bits of a number in half, in single precision
    half_sum(x)                   the halves of a word added, rounded to half precision, in the low half of a word
    low_halves(a, b)              the low halves of two words as one, that of a below
    multiply_add_pairs(x, a, b)   a x + b of two pairs in half precision, rounded once

A device knows all of them; the order in which it adds up, and the last bit, are its own for numbers that are not
integers. On the simulator, whose lanes cannot see each other's registers, they meet in `room`, shared memory of ROOM
words for each warp, and every thread of the block must come along.
"""

import threading

import numpy as np

from quipref.cuda.vocabulary import SIMULATED

LANES = 32
HELD = 6  # words of A and B that a lane holds
ROOM = HELD * LANES if SIMULATED else 1


def meeting(products):
    """The word of a product on the simulator: `products` of two words, summed over the eight in a row of A."""

    def multiply(a0, a1, a2, a3, b0, b1, c0, c1, c2, c3, room):
        thread = threading.current_thread()  # the simulator's own: it knows its number, and how to wait for the others
        warp, lane = divmod(thread.threadIdx.x, LANES)
        mine = room[warp * ROOM : (warp + 1) * ROOM].reshape(8, 4, HELD)  # [g, t]
        g, t = divmod(lane, 4)
        mine[g, t] = a0, a1, a2, a3, b0, b1
        thread.syncthreads()
        # rows g and g + 8 of A, columns 2t and 2t + 1 of B, each as the 4 words of its lanes and then 4 more
        A = mine[g, :, [0, 2, 1, 3]].reshape(2, 8)
        B = mine[2 * t : 2 * t + 2, :, 4:].transpose(0, 2, 1).reshape(2, 8)
        sums = [products(np.ascontiguousarray(a), np.ascontiguousarray(b)).sum() for a in A for b in B]
        thread.syncthreads()
        return tuple(type(c)(c + new) for c, new in zip((c0, c1, c2, c3), sums, strict=True))

    return multiply


def products_of_bytes(a, b):
    """Without a sign times with a sign."""
    return a.view(np.uint8).astype(np.int32) * b.view(np.int8)


def products_of_halves(a, b):
    """Exact in single precision."""
    return a.view(np.float16).astype(np.float32) * b.view(np.float16)


def halves(*words):
    """The two half-precision numbers in each word, in double precision, where sums of a few are exact."""
    return (np.array(word, np.uint32).reshape(1).view(np.float16).astype(np.float64) for word in words)


def pair(numbers):
    """Two numbers, rounded to half precision, as a word."""
    return numbers.astype(np.float16).view(np.uint32)[0]


if SIMULATED:
    multiply_bytes = meeting(products_of_bytes)
    multiply_halves = meeting(products_of_halves)

    def from_lane(word, lane, room):
        """The word that another lane of the warp holds."""
        thread = threading.current_thread()
        warp, own = divmod(thread.threadIdx.x, LANES)
        room[warp * ROOM + own] = word
        thread.syncthreads()
        found = room[warp * ROOM + lane]
        thread.syncthreads()
        return found

    def load4_shared(words, i):
        """Four neighbouring words."""
        return words[i], words[i + 1], words[i + 2], words[i + 3]

    def half_word(x, byte):
        """The 16 bits of x that begin with its byte 0, 1 or 2, the lowest being 0."""
        return np.uint32(int(x) >> 8 * int(byte) & 0xFFFF)

    def low_halves(a, b):
        """The low halves of a and b, that of a below."""
        return np.uint32((int(b) & 0xFFFF) << 16 | int(a) & 0xFFFF)

    def half_sum(x):
        """The sum of the two half-precision numbers of a word, rounded to half precision, in the low half."""
        (numbers,) = halves(x)
        return np.uint32(np.float16(numbers.sum()).view(np.uint16))

    def multiply_add_pairs(x, a, b):
        """A x + b of pairs of half-precision numbers, rounded once."""
        x, a, b = halves(x, a, b)
        return pair(a * x + b)

    def half_bits(x):
        """The bits of x rounded to half precision."""
        return np.uint32(np.float16(x).view(np.uint16))

    def float_bits(x):
        """The bits of x in single precision."""
        return np.float32(x).view(np.uint32)

else:  # pragma: no cover - the simulator's run is what is measured
    from quipref.cuda.ptx_tensor import (
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

__all__ = [
    "LANES",
    "ROOM",
    "half_sum",
    "float_bits",
    "from_lane",
    "half_bits",
    "half_word",
    "load4_shared",
    "low_halves",
    "multiply_add_pairs",
    "multiply_bytes",
    "multiply_halves",
]
