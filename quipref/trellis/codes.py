"""The values that the states of a trellis stand for: QTIP's computed codes, and the tables of table_codes.py.

A code is a value table (2^L, V), float32 and C-contiguous: row s holds the V values of state s. Neighbours in a walk
share L - kV bits, so a good code is one whose values look independent though the states are not: a hash does it
without a table. The hashes work in 32 bits whatever L is; a smaller L hashes the states below 2^L, as the authors do.

All integers here are uint64 and reduced by hand, because uint32 wraps in NumPy but widens in compiled code.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from quipref import checks
from quipref.trellis.bitshift import LARGEST_STATE_BITS
from quipref.trellis.table_codes import checked
from quipref.trellis.table_codes import gaussian as gaussian
from quipref.trellis.table_codes import hyb_table as hyb_table
from quipref.trellis.table_codes import lookup as lookup

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

HASH_BITS = 16  # of s (s + 1) that the hybrid code looks at: the sign, and below it the index


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
    return _bytes_to_values(_linear(_states(state_bits), *ONE_MAD))


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
    x = _linear(_states(state_bits), *TWO_MAD)
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
    x = _linear(_states(state_bits), *THREE_INST)
    halves = (x & HALVES_MASK ^ HALVES_FLIP).astype(np.uint32)
    high, low = ((part & 0xFFFF).astype(np.uint16).view(np.float16) for part in (halves >> 16, halves))
    return (high + low).astype(np.float32)[:, None]


def hyb(table: ArrayLike, state_bits: int, *, signed: bool = True) -> NDArray[np.float32]:
    """HYB, the hybrid code: a hash picks the row of a small table, and one more of its bits a sign.

    h = s (s + 1) mod 2^16;  value = table[the Q bits of h below its highest], column 0 negated if the highest is set

    Parameters
    ----------
    table : array (2^Q, V), real, Q from 1 to 15
        The released models have Q = 9, V = 2 and half-precision entries, a table a layer.
    state_bits : int
        L, from 1 to 20. No more than 16 bits of s count.
    signed : bool
        False is the older form: no sign, and the index is the highest Q bits of h.

    Returns
    -------
    array (2^L, V), float32
        The table's numbers; a negated zero is -0.0.

    Raises
    ------
    ValueError, TypeError
        L is no integer from 1 to 20, or the table has another shape or numbers that are not finite.

    Notes
    -----
    The paper's text negates the second entry of a pair, the authors' program and its models the first: so does this.

    References
    ----------
    QTIP, arXiv:2406.11235, section 3.1.2; `quantlut_sym` (and `quantlut`) of QTIP's program, commit e90c6688.

    Examples
    --------
    >>> import numpy as np
    >>> hyb(np.array([[1.0, 2.0], [3.0, 4.0]]), 16)[[1, 128, 181]]
    array([[ 1.,  2.],
           [ 3.,  4.],
           [-1.,  2.]], dtype=float32)
    """
    entries = checked(table, most_bits=HASH_BITS - 1)
    s, Q = _states(state_bits), len(entries).bit_length() - 1
    signed = checks.boolean(signed, "signed")
    h = s * (s + np.uint64(1))
    values = entries[h >> np.uint64(HASH_BITS - signed - Q) & np.uint64(len(entries) - 1)]
    if signed:
        values[:, 0] *= 1 - 2 * (h >> np.uint64(HASH_BITS - 1) & np.uint64(1)).astype(np.float32)
    return values


def _states(state_bits):
    return np.arange(1 << checks.integer(state_bits, "state_bits", low=1, high=LARGEST_STATE_BITS), dtype=np.uint64)


def _linear(s, a, b):
    """A s + b mod 2^32."""
    return s * a + b & LOW_32


def _bytes_to_values(x):
    """(sum of the four bytes - 510) / sqrt(21845), a division of float32: a product with the reciprocal differs."""
    total = sum(x >> shift & 0xFF for shift in (0, 8, 16, 24))
    return ((total.astype(np.float32) - BYTES_MEAN) / BYTES_STD)[:, None]
