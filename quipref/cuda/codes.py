"""The codes of trellis/codes.py for one state at a time: from L bits in a register to a weight in another.

A *value function*, value(state, j, table), gives the j-th of the V values of a state, a float32. The computed codes
need no table; the hybrid code and a lookup read theirs, which the kernel has put where it is fast to read.
"""

from functools import lru_cache

import numpy as np

from quipref.cuda.vocabulary import (
    bits_as_float,
    device_function,
    multiply_add,
    multiply_add_halves,
    multiply_high,
    sum_of_bytes,
    sum_of_halves,
)

# The constants of trellis/codes.py, in 32 bits. A test holds that they are the same.
ONE_MAD = np.uint32(34038481), np.uint32(76625530)
TWO_MAD = np.uint32(264435761), np.uint32(1013904223)
TWO_MAD_SECOND = np.uint32(1664525)
THREE_INST = np.uint32(89226354), np.uint32(64248484)
MCG = np.uint32(0xCBAC1FED)
MUL1 = np.uint32(0x83DCD12D)
HALVES_MASK, HALVES_FLIP = np.uint32(0x8FFF8FFF), np.uint32(0x3B603B60)
BYTES_STD = np.float32(147.800537109375)
HALF_1024, MUL1_SCALE, MUL1_SHIFT = np.uint32(0x6400), np.uint32(0x1EEE), np.uint32(0xC931)

# The float32 numbers from 2^23 on are the integers, so an integer that is added to the bits of 2^23 is added to it as
# a number: the sum of the bytes is a float without a conversion, and subtracting 2^23 + 510 from it is exact.
FLOAT_2_23 = np.uint32(0x4B000000)
MEAN_BEYOND_2_23 = np.float32(2**23 + 510)

ZERO, ONE = np.uint32(0), np.uint32(1)
HASH_BITS = 16


@device_function
def bytes_less_mean(x):
    """The sum of the four bytes of x less its mean 510, as a float32: exact."""
    return np.float32(bits_as_float(sum_of_bytes(x, FLOAT_2_23)) - MEAN_BEYOND_2_23)


@device_function
def one_mad_bytes(state):
    """1MAD before its division: an integer, as a float32. A layer's scale can do the division once for all."""
    return bytes_less_mean(multiply_add(state, ONE_MAD[0], ONE_MAD[1]))


@device_function
def two_mad_bytes(state):
    """2MAD before its division."""
    x = multiply_add(state, TWO_MAD[0], TWO_MAD[1])
    return bytes_less_mean(multiply_add(x, ONE, multiply_high(x, TWO_MAD_SECOND)))


@device_function
def one_mad(state):
    """The value of a state. Twin of `quipref.trellis.codes.one_mad`."""
    return np.float32(one_mad_bytes(state) / BYTES_STD)


@device_function
def two_mad(state):
    """The value of a state. Twin of `quipref.trellis.codes.two_mad`."""
    return np.float32(two_mad_bytes(state) / BYTES_STD)


@device_function
def three_inst(state):
    """The value of a state. Twin of `quipref.trellis.codes.three_inst`."""
    return sum_of_halves(multiply_add(state, THREE_INST[0], THREE_INST[1]) & HALVES_MASK ^ HALVES_FLIP)


@device_function
def mcg(state):
    """The value of a state. Twin of `quipref.trellis.codes.mcg`."""
    return sum_of_halves(multiply_add(state, MCG, ZERO) & HALVES_MASK ^ HALVES_FLIP)


@device_function
def mul1(state):
    """The value of a state. Twin of `quipref.trellis.codes.mul1`."""
    total = sum_of_bytes(multiply_add(state, MUL1, ZERO), HALF_1024)  # the bits of 1024 + the sum in half precision
    return multiply_add_halves(total, MUL1_SCALE, MUL1_SHIFT)


COMPUTED = {"1mad": one_mad, "2mad": two_mad, "3inst": three_inst, "mcg": mcg, "mul1": mul1}


@lru_cache
def value_function(code, values_per_step=1, table_bits=0):
    """value(state, j, table) of a code by its name, its V, and for "hyb" the Q of its table of 2^Q rows."""
    if code == "hyb":
        return hyb(values_per_step, table_bits)
    return lookup(values_per_step) if code == "lut" else computed(COMPUTED[code])


def computed(value_of_state):
    """A computed code as a value function: one value, no table."""

    @device_function
    def value(state, j, table):
        return value_of_state(state)

    return value


def lookup(values_per_step):
    """Twin of `quipref.trellis.codes.lookup`: the table has the V values of state 0, then those of state 1, ..."""
    V = np.uint32(values_per_step)

    @device_function
    def value(state, j, table):
        return table[np.uint32(np.uint32(state * V) + np.uint32(j))]

    return value


def hyb(values_per_step, table_bits):
    """Twin of `quipref.trellis.codes.hyb`: the table has the V values of row 0, then those of row 1, ..."""
    V, shift = np.uint32(values_per_step), np.uint32(HASH_BITS - 1 - table_bits)
    last, sign = np.uint32((1 << table_bits) - 1), np.uint32(1 << (HASH_BITS - 1))

    @device_function
    def value(state, j, table):
        h = multiply_add(state, state, state)  # s (s + 1)
        row = np.uint32(np.uint32(h >> shift) & last)
        entry = table[np.uint32(np.uint32(row * V) + np.uint32(j))]
        return -entry if j == 0 and h & sign else entry

    return value
