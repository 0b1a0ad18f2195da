"""Numbers in single precision as integers of four digits: bytes with a sign, which tensor cores multiply exactly.

With M the largest magnitude of a vector in a block's columns, 2^e <= M < 2^(e + 1), a number x becomes the integer
x 2^(29 - e), below 2^30 in magnitude, cut off after the point. 1 of these is the unit 2^(e - 29). The digits of an
integer count 256^3, 256^2, 256 and 1, each from -128 to 127.

Powers of two are made from their bits. 2^(29 - e) may be more than single precision holds, and so may its inverse be
less: they are multiplied by in two factors.
"""

import numpy as np

from quipref.cuda.vocabulary import bits_as_float, device_function

DIGITS = 4  # of a number
INFINITY, MAGNITUDE = np.uint32(0x7F800000), np.uint32(0x7FFFFFFF)  # the bits of infinity; all bits but the sign
NOT_A_NUMBER = np.uint32(0x7FC00000)
FRACTION_BITS, BIAS = 23, 127  # of a number in single precision
TOP = 29  # the largest number of a block becomes an integer from 2^29 on


@device_function
def lowest(x):
    """The lowest digit of an integer."""
    return np.int32(((x + 128) & 255) - 128)


@device_function
def as_fixed_point(x, largest):
    """The integer below 2^30 in magnitude that x is, where `largest`, bits of a number, counts 2^29 or more."""
    if largest >= INFINITY:
        return np.int32(0)
    first, second = two_powers(TOP - exponent_of(largest))
    return np.int32(np.float32(np.float32(x * first) * second))


@device_function
def in_units(share, largest):
    """So many times what 1 of `as_fixed_point` stands for; NaN if there was infinity or NaN among the numbers."""
    if largest >= INFINITY:
        return bits_as_float(NOT_A_NUMBER)
    first, second = two_powers(exponent_of(largest) - TOP)
    return np.float32(np.float32(share * first) * second)


@device_function
def exponent_of(largest):
    """The power of two in a number above 0, from its bits; the least there is for those too small to have one."""
    return max(np.int32(largest >> np.uint32(FRACTION_BITS)), 1) - BIAS


@device_function
def two_powers(exponent):
    """Two powers of two whose product is 2^exponent, from -155 to 155: more than single precision has for one."""
    half = np.int32(exponent) >> 1
    first = bits_as_float(np.uint32(np.uint32(half + BIAS) << np.uint32(FRACTION_BITS)))
    return first, bits_as_float(np.uint32(np.uint32(exponent - half + BIAS) << np.uint32(FRACTION_BITS)))
