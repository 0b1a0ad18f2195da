"""What a walk becomes in a register of the matrix A, and a digit of X in one of B, for each kind of code.

1MAD and 2MAD leave a register of A at the hash of a state, whose four bytes the tensor cores add up. All other codes
have numbers in half precision, and a register takes a pair of them, those of two columns: what the hybrid code's table
has for one state, and the other codes compute of two.
"""

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from quipref.cuda.codes import (
    BYTES_STD,
    HALF_1024,
    HALVES_FLIP,
    HALVES_MASK,
    HASH_BITS,
    MCG,
    MUL1,
    MUL1_SCALE,
    MUL1_SHIFT,
    ONE,
    ONE_MAD,
    THREE_INST,
    TWO_MAD,
    TWO_MAD_SECOND,
    ZERO,
)
from quipref.cuda.tensor import (
    half_bits,
    half_sum,
    half_word,
    low_halves,
    multiply_add_pairs,
    multiply_bytes,
    multiply_halves,
)
from quipref.cuda.vocabulary import device_function, funnel_left, multiply_add, multiply_high, sum_of_bytes

BYTE, SIGN, EVERY_BYTE = np.uint32(0xFF), np.uint32(0x8000), np.uint32(0x01010101)
BYTES_MEAN = 510
TABLE_ROOM = 2**13  # words: the table of the hybrid code many times, so that lanes seldom wait for each other
TWO, SIXTEEN, TWICE = np.uint32(2), np.uint32(16), np.uint32(0x10001)
BASE, BASE_2 = np.float32(256), np.float32(65536)  # of the digits, and its square


class Kind(NamedTuple):
    """How the kernel treats a code; its weights are `scale` times what the digits' sums, `joined`, count."""

    columns: int  # of W_hat, for which a register of A stands
    register: Any  # (words of the stream, bit where the state begins, table, lane) -> register of A
    digit: Any  # (digit) -> register of B, or its low half
    multiply: Any  # the product
    number: type  # of its sums
    joined: Any  # (two neighbouring digits' sums, are they the first, the sum of X in two parts) -> their share
    scale: float = 1.0


@device_function
def state_at(words, bit):
    """The 16 bits from `bit` on of neighbouring words.

    A funnel shift makes 32 bits, in which three windows stand, 8 bits apart: those from `first`, first + 8, first + 16
    on. So it begins at the same bit for all three, and a compiler, which knows all these numbers, makes it once.
    """
    byte = bit >> 3
    threes = byte * 11 >> 5  # byte // 3, for bytes below 32, in operations that a compiler sees through
    first = bit - 8 * (byte - 3 * threes)
    bits = funnel_left(words[first >> 5], words[(first >> 5) + 1], np.uint32(first & 31))
    return half_word(bits, 2 - (bit - first >> 3))


@device_function
def one_mad(words, bit, table, lane):
    """1MAD before its bytes are added."""
    return multiply_add(state_at(words, bit), ONE_MAD[0], ONE_MAD[1])


@device_function
def two_mad(words, bit, table, lane):
    """2MAD before its bytes are added."""
    x = multiply_add(state_at(words, bit), TWO_MAD[0], TWO_MAD[1])
    return multiply_add(x, ONE, multiply_high(x, TWO_MAD_SECOND))


@device_function
def byte_digit(digit):
    """A digit for each of the four bytes of a hash."""
    return np.uint32(np.uint32(np.uint32(digit) & BYTE) * EVERY_BYTE)


@device_function
def half_digit(digit):
    """A digit for one of a pair."""
    return half_bits(np.float32(digit))


@device_function
def whole(high, low, first, x_high, x_low):
    """The sums of two digits, integers, as one; with the first two goes what the mean of the bytes took too much."""
    share = np.int64(high) * 256 + np.int64(low)
    if first:
        share = share * 65536 - BYTES_MEAN * (np.int64(x_high) * 65536 + np.int64(x_low))
    return np.float32(share)


@device_function
def rounded(high, low, first, x_high, x_low):
    """The sums of two digits, in single precision, as one."""
    share = np.float32(np.float32(high * BASE) + low)
    return np.float32(share * BASE_2) if first else share


def pair_of_sums(constants, k):
    """3INST or MCG of two states, k bits apart: the halves of their hashes, made into numbers, are added."""
    a, b = constants

    @device_function
    def register(words, bit, table, lane):
        x = np.uint32(multiply_add(state_at(words, bit), a, b) & HALVES_MASK ^ HALVES_FLIP)
        y = np.uint32(multiply_add(state_at(words, bit + k), a, b) & HALVES_MASK ^ HALVES_FLIP)
        return low_halves(half_sum(x), half_sum(y))

    return register


def pair_of_mul1(k):
    """mul1 of two states, k bits apart."""
    scale, shift = np.uint32(MUL1_SCALE * TWICE), np.uint32(MUL1_SHIFT * TWICE)

    @device_function
    def register(words, bit, table, lane):
        x = sum_of_bytes(multiply_add(state_at(words, bit), MUL1, ZERO), HALF_1024)
        y = sum_of_bytes(multiply_add(state_at(words, bit + k), MUL1, ZERO), HALF_1024)
        return multiply_add_pairs(low_halves(x, y), scale, shift)

    return register


def row_of_pairs(table_bits):
    """A row of the hybrid code's table, which stands there many times: a lane reads the copy that is its own.

    Rows begin so many words apart that the bits of the hash which say the row are already in place: shifted by 2, as
    addresses count bytes.
    """
    rows = np.uint32(((1 << table_bits) - 1) << (HASH_BITS - 1 - table_bits))
    own = np.uint32((TABLE_ROOM >> table_bits) - 1)

    @device_function
    def register(words, bit, table, lane):
        state = state_at(words, bit)
        h = multiply_add(state, state, state)  # s (s + 1)
        pair = table[np.uint32(np.uint32(h & rows) | np.uint32(np.uint32(lane & own) << TWO)) >> TWO]
        return np.uint32(pair ^ np.uint32(h & SIGN))  # the sign of the first half is bit 15 as well

    return register


@lru_cache
def kind(code, k, table_bits):
    """The kind of a code by its name, for k bits a weight; `table_bits` are those of the hybrid code's table."""
    if code in ("1mad", "2mad"):
        hashed = one_mad if code == "1mad" else two_mad
        return Kind(1, hashed, byte_digit, multiply_bytes, np.int32, whole, 1 / float(BYTES_STD))
    pairs = {
        "3inst": lambda: pair_of_sums(THREE_INST, k),
        "mcg": lambda: pair_of_sums((MCG, ZERO), k),
        "mul1": lambda: pair_of_mul1(k),
        "hyb": lambda: row_of_pairs(table_bits),
    }
    return Kind(2, pairs[code](), half_digit, multiply_halves, np.float32, rounded)
