"""QuIP#'s points for one code at a time: a row of a small table, packed into a word, and signs.

A row of eight halves, 0 to +-5/2, is a word of eight nibbles, nibble j = 2 v_j + 8. For E8P, coordinate 7 of a pattern
of odd sum is stored negated: then every pattern needs an even number of further signs.
"""

import numpy as np

from quipref.cuda.vocabulary import count_bits, device_function

ROWS = 256
ONE, FOUR, EIGHT, FIFTEEN = (np.uint32(i) for i in (1, 4, 8, 15))
SIXTEEN, LOW_BYTE, LOW_HALF = np.uint32(16), np.uint32(0xFF), np.uint32(0xFFFF)
HALF, QUARTER, EIGHT_HALVES = np.float32(0.5), np.float32(0.25), np.float32(8)


@device_function
def packed(points, row):
    """A row of points (256, 8) as a word."""
    word = np.uint32(0)
    for j in range(8):
        nibble = np.uint32(points[row, j] / HALF + EIGHT_HALVES)
        word = np.uint32(word | np.uint32(nibble << np.uint32(4 * j)))
    return word


@device_function
def packed_pattern(patterns, row):
    """A pattern of E8P as a word: the last nibble becomes 16 - itself where the sum is odd."""
    word = packed(patterns, row)
    total = np.float32(0)
    for j in range(8):
        total = np.float32(total + patterns[row, j])
    odd = np.int32(total) & 1
    last = np.uint32(word >> np.uint32(28))
    return np.uint32(word & np.uint32(0x0FFFFFFF) | np.uint32(np.uint32(16 - last) << np.uint32(28))) if odd else word


@device_function
def coordinate(word, j):
    """Coordinate j of a packed row."""
    nibble = np.uint32(np.uint32(word >> np.uint32(FOUR * j)) & FIFTEEN)
    return np.float32(np.float32(np.int32(np.int32(nibble) - 8)) * HALF)


@device_function
def e8p_coordinate(word, low, j):
    """Coordinate j of the point of E8P with this packed pattern and low byte. Twin of `quipref.lattice.e8p.decode`."""
    parity = np.uint32(count_bits(low) & ONE)
    place = np.uint32(np.uint32(j >> ONE) + np.uint32(FOUR * np.uint32(j & ONE)))  # bits 0, 4, 1, 5, 2, 6, 3, 7
    v = coordinate(word, j)
    if np.uint32(np.uint32(low ^ parity) >> place) & ONE:
        v = np.float32(-v)
    return np.float32(v - QUARTER) if parity else np.float32(v + QUARTER)


@device_function
def two_bits(code, j, rows, more, residual_scale):
    """Weight j of a code of 2 bits a weight: a point of E8P."""
    return e8p_coordinate(rows[code >> EIGHT], np.uint32(code & LOW_BYTE), np.uint32(j))


@device_function
def three_bits(code, j, rows, more, residual_scale):
    """Weight j of a code of 3 bits a weight: a point of E8P in the high half, and one of 256 others."""
    rest = coordinate(more[code & LOW_BYTE], np.uint32(j))
    return np.float32(two_bits(code >> SIXTEEN, j, rows, more, residual_scale) + rest / residual_scale)


@device_function
def four_bits(code, j, rows, more, residual_scale):
    """Weight j of a code of 4 bits a weight: two points of E8P."""
    rest = two_bits(code & LOW_HALF, j, rows, more, residual_scale)
    return np.float32(two_bits(code >> SIXTEEN, j, rows, more, residual_scale) + rest / residual_scale)


POINTS = {2: two_bits, 3: three_bits, 4: four_bits}
