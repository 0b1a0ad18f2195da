"""What each word of vocabulary.py means, over NumPy's numbers: the specification, and what the simulator runs.

Words are np.uint32, values np.float32, whatever kind of integer or real number came. Sums and products of words are
mod 2^32: NumPy would warn of that, and compiled code would widen.
"""

import numpy as np

LOW_32 = 0xFFFFFFFF


def multiply_add(x, a, b):
    """A x + b mod 2^32."""
    return np.uint32(int(x) * int(a) + int(b) & LOW_32)


def multiply_high(x, a):
    """floor(a x / 2^32)."""
    return np.uint32(int(x) * int(a) >> 32)


def funnel_left(high, low, shift):
    """The top 32 of the 64 bits high:low after a shift to the left by 0 to 31 bits."""
    return np.uint32((int(high) << 32 | int(low)) << int(shift) >> 32 & LOW_32)


def sum_of_bytes(x, start):
    """Start + the four bytes of x, mod 2^32."""
    return np.uint32(sum(int(x).to_bytes(4, "little")) + int(start) & LOW_32)


def count_bits(x):
    """How many bits of x are set."""
    return np.uint32(int(x).bit_count())


def bits_as_float(x):
    """The single-precision number whose bits are x."""
    return np.uint32(x).view(np.float32)


def sum_of_halves(x):
    """The two halves of x are half-precision numbers: their sum, rounded to half precision."""
    high, low = (np.uint16(int(x) >> shift & 0xFFFF).view(np.float16) for shift in (16, 0))
    return np.float32(high + low)


def multiply_add_halves(x, a, b):
    """A x + b of three half-precision numbers, given by their bits, rounded to half precision once."""
    x, a, b = (np.float64(np.uint16(bits).view(np.float16)) for bits in (x, a, b))
    return np.float32(np.float16(a * x + b))


def load4(words, i):
    """The words i, i + 1, i + 2, i + 3 of an array with one axis; i is a multiple of 4."""
    return words[i], words[i + 1], words[i + 2], words[i + 3]
