"""What a state becomes in a register of the matrix A, and a digit of X in one of B, for each kind of code.

A register of A is a step of the walk. 1MAD and 2MAD leave it at the hash, whose four bytes the tensor cores add up;
the hybrid code has a pair of halves; the other computed codes have a number of 11 bits in single precision.
"""

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from quipref.cuda.codes import BYTES_STD, HASH_BITS, ONE, ONE_MAD, TWO_MAD, TWO_MAD_SECOND, value_function
from quipref.cuda.tensor import float_bits, half_bits, multiply_bytes, multiply_floats, multiply_halves
from quipref.cuda.vocabulary import device_function, multiply_add, multiply_high

BYTE, SIGN, EVERY_BYTE = np.uint32(0xFF), np.uint32(0x8000), np.uint32(0x01010101)
BYTES_MEAN = 510
TABLE_ROOM = 2**13  # words: the table of the hybrid code many times, so that lanes seldom wait for each other
TWO = np.uint32(2)
BASE, BASE_2 = np.float32(256), np.float32(65536)  # of the digits, and its square


class Kind(NamedTuple):
    """How the kernel treats a code; its weights are `scale` times what the digits' sums, `joined`, count."""

    register: Any  # (state, table, lane) -> register of A
    digit: Any  # (digit) -> register of B, or its low half
    multiply: Any  # the product
    number: type  # of its sums
    joined: Any  # (two neighbouring digits' sums, are they the first, the sum of X in two parts) -> their share
    scale: float = 1.0


@device_function
def one_mad(state, table, lane):
    """1MAD before its bytes are added."""
    return multiply_add(state, ONE_MAD[0], ONE_MAD[1])


@device_function
def two_mad(state, table, lane):
    """2MAD before its bytes are added."""
    x = multiply_add(state, TWO_MAD[0], TWO_MAD[1])
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
def float_digit(digit):
    """A digit for one number."""
    return float_bits(np.float32(digit))


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


def value_in_single(code):
    """The value of a state as it is."""
    value = value_function(code)

    @device_function
    def register(state, table, lane):
        return float_bits(value(state, 0, table))

    return register


def row_of_pairs(table_bits):
    """A row of the hybrid code's table, which stands there many times: a lane reads the copy that is its own.

    Rows begin so many words apart that the bits of the hash which say the row are already in place: shifted by 2, as
    addresses count bytes.
    """
    rows = np.uint32(((1 << table_bits) - 1) << (HASH_BITS - 1 - table_bits))
    own = np.uint32((TABLE_ROOM >> table_bits) - 1)

    @device_function
    def register(state, table, lane):
        h = multiply_add(state, state, state)
        pair = table[np.uint32(np.uint32(h & rows) | np.uint32(np.uint32(lane & own) << TWO)) >> TWO]
        return np.uint32(pair ^ np.uint32(h & SIGN))  # the sign of the first half is bit 15 as well

    return register


@lru_cache
def kind(code, table_bits=0):
    """The kind of a code by its name; `table_bits` are those of the hybrid code's table."""
    if code in ("1mad", "2mad"):
        hash_of_state = one_mad if code == "1mad" else two_mad
        return Kind(hash_of_state, byte_digit, multiply_bytes, np.int32, whole, 1 / float(BYTES_STD))
    if code == "hyb":
        return Kind(row_of_pairs(table_bits), half_digit, multiply_halves, np.float32, rounded)
    return Kind(value_in_single(code), float_digit, multiply_floats, np.float32, rounded)
