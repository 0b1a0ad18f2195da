"""The values that the states of a trellis stand for: computed here, or read from the tables of the files beside it.

A code is a value table (2^L, V), float32 and C-contiguous: row s holds the V values of state s. Neighbours in a walk
share L - kV bits, so a good code is one whose values look independent though the states are not: a hash does it
without a table. The hashes work in 32 bits whatever L is; a smaller L hashes the states below 2^L, as the authors do.

All integers here are uint64 and reduced by hand, because uint32 wraps in NumPy but widens in compiled code.
"""

import numpy as np
from numpy.typing import NDArray

from quipref.trellis.hybrid import hyb as hyb
from quipref.trellis.hybrid import hyb_entries as hyb_entries
from quipref.trellis.table_codes import gaussian as gaussian
from quipref.trellis.table_codes import hyb_table as hyb_table
from quipref.trellis.table_codes import lookup as lookup
from quipref.trellis.table_codes import states

LOW_32 = 0xFFFFFFFF

# Multipliers and increments of x -> a x + b mod 2^32. The paper states them without a derivation.
ONE_MAD = 34038481, 76625530
TWO_MAD = 264435761, 1013904223  # the increment is that of the generator in Numerical Recipes, 1664525 x + 1013904223
TWO_MAD_SECOND = 1664525  # and this its multiplier
THREE_INST = 89226354, 64248484

# Four bytes, each uniform on 0..255, have a sum of mean 4 * 255 / 2 and variance 4 (256^2 - 1) / 12 = 21845.
BYTES_MEAN = 510
BYTES_STD = np.float32(np.sqrt(4 * (256**2 - 1) / 12))  # 147.800537109375, rounded to single precision

# A half-precision number is sign, 5 bits of exponent, 10 of mantissa. The mask keeps the sign, the low 2 bits of the
# exponent and the mantissa of both halves of a word; 0x3B60, half-precision 0.921875 = 1.84375 2^-1, fills in the
# exponent's high bits, so that it is 12 to 15: values from 2^-3 to below 2 on either side.
HALVES_MASK = 0x8FFF8FFF
HALVES_FLIP = 0x3B603B60

# EXL3's multipliers, and what mul1 makes of a sum of bytes: the half-precision numbers 0x1EEE and 0xC931
MCG, MUL1 = 0xCBAC1FED, 0x83DCD12D
MUL1_SCALE, MUL1_SHIFT = 0.00676727294921875, -10.3828125


def one_mad(state_bits: int) -> NDArray[np.float32]:
    """1MAD: one multiply-and-add, then the sum of the four bytes, which is nearly Gaussian.

    x = 34038481 s + 76625530 mod 2^32;  value = (sum of the bytes of x - 510) / sqrt(21845)

    Parameters
    ----------
    state_bits : int
        L, from 1 to 20.

    Returns
    -------
    array (2^L, 1), float32
        Of variance near 1. The 65536 states of L = 16 share 908 values.

    Raises
    ------
    ValueError, TypeError
        L is no integer from 1 to 20.

    References
    ----------
    QTIP, arXiv:2406.11235, section 3.1.1, algorithm 1.

    Examples
    --------
    >>> one_mad(2)[:, 0]
    array([-1.2516869 , -0.8389685 , -0.42625013, -0.01353175], dtype=float32)
    """
    return _bytes_to_values(_linear(states(state_bits), *ONE_MAD))


def two_mad(state_bits: int) -> NDArray[np.float32]:
    """2MAD: a second multiplication, whose high half is added, before the bytes are summed.

    x = 264435761 s + 1013904223 mod 2^32;  x = x + floor(1664525 x / 2^32) mod 2^32;  value as in 1MAD

    Parameters
    ----------
    state_bits : int
        L, from 1 to 20.

    Returns
    -------
    array (2^L, 1), float32
        Of variance near 1.

    Raises
    ------
    ValueError, TypeError
        L is no integer from 1 to 20.

    Notes
    -----
    It stands in the authors' program, not in the paper.

    References
    ----------
    QTIP's program, commit e90c6688.

    Examples
    --------
    >>> two_mad(16).shape
    (65536, 1)
    """
    x = _linear(states(state_bits), *TWO_MAD)
    return _bytes_to_values(x + (x * TWO_MAD_SECOND >> 32) & LOW_32)


def three_inst(state_bits: int) -> NDArray[np.float32]:
    """3INST: one multiply-and-add, then the word's halves, made into half-precision numbers, are added.

    x = 89226354 s + 64248484 mod 2^32;  y = (x & 0x8FFF8FFF) ^ 0x3B603B60;  value = half(y >> 16) + half(y mod 2^16)

    Parameters
    ----------
    state_bits : int
        L, from 1 to 20.

    Returns
    -------
    array (2^L, 1), float32
        Of standard deviation near 1.2437, not 1: scale the source by it. The sum is rounded to half precision.

    Raises
    ------
    ValueError, TypeError
        L is no integer from 1 to 20.

    References
    ----------
    QTIP, arXiv:2406.11235, section 3.1.1, algorithm 2. EXL3 has the same code.

    Examples
    --------
    >>> round(float(three_inst(16).std()), 4)
    1.2437
    """
    return _halves_to_values(_linear(states(state_bits), *THREE_INST))


def mcg(state_bits: int) -> NDArray[np.float32]:
    """EXL3's "mcg": one multiplication without an increment, then 3INST's halves.

    x = 0xCBAC1FED s mod 2^32;  y = (x & 0x8FFF8FFF) ^ 0x3B603B60;  value = half(y >> 16) + half(y mod 2^16)

    Parameters
    ----------
    state_bits : int
        L, from 1 to 20.

    Returns
    -------
    array (2^L, 1), float32
        Of standard deviation near 1.2441, not 1: scale the source by it. The sum is rounded to half precision.

    Raises
    ------
    ValueError, TypeError
        L is no integer from 1 to 20.

    References
    ----------
    EXL3's format, of ExLlamaV3, where a tensor of that name marks it.

    Examples
    --------
    >>> round(float(mcg(16).std()), 4)
    1.2441
    """
    return _halves_to_values(_linear(states(state_bits), MCG, 0))


def mul1(state_bits: int) -> NDArray[np.float32]:
    """EXL3's "mul1": one multiplication, the sum of the four bytes, and one multiply-and-add in half precision.

    x = 0x83DCD12D s mod 2^32;  value = half(a (1024 + sum of the bytes of x) + b),  a = 0.00676727, b = -10.3828125

    Parameters
    ----------
    state_bits : int
        L, from 1 to 20.

    Returns
    -------
    array (2^L, 1), float32
        Of variance near 1. The 65536 states of L = 16 share 913 values.

    Raises
    ------
    ValueError, TypeError
        L is no integer from 1 to 20.

    Notes
    -----
    1024 + the sum is below 2048, so it is a half-precision number, and the sum of integers is its bits: 0x6400, those
    of 1024, + the sum. The value is near
    (sum - 510) / 147.8, as in 1MAD; a (1024 + sum) + b is rounded once.

    References
    ----------
    EXL3's format, of ExLlamaV3, where a tensor of that name marks it.

    Examples
    --------
    >>> mul1(2)[:, 0]
    array([-3.453125  ,  0.6411133 , -0.44848633,  0.19445801], dtype=float32)
    """
    total = 1024 + _sum_of_bytes(_linear(states(state_bits), MUL1, 0)).astype(np.float64)
    # 11 bits times 11 bits and a sum: exact in double precision, so it is rounded once
    return (MUL1_SCALE * total + MUL1_SHIFT).astype(np.float16).astype(np.float32)[:, None]


def _linear(s, a, b):
    """A s + b mod 2^32."""
    return s * a + b & LOW_32


def _sum_of_bytes(x):
    return sum(x >> shift & 0xFF for shift in (0, 8, 16, 24))


def _bytes_to_values(x):
    """(sum of the four bytes - 510) / sqrt(21845), a division of float32: a product with the reciprocal differs."""
    return ((_sum_of_bytes(x).astype(np.float32) - BYTES_MEAN) / BYTES_STD)[:, None]


def _halves_to_values(x):
    """The halves of x, made into half-precision numbers and added."""
    halves = (x & HALVES_MASK ^ HALVES_FLIP).astype(np.uint32)
    high, low = ((part & 0xFFFF).astype(np.uint16).view(np.float16) for part in (halves >> 16, halves))
    return (high + low).astype(np.float32)[:, None]
