"""Where a thread finds its bits: the state of a step is a window of L bits on the circle of its tile.

The walk through a tile of T weights is a circle of kT bits, bit 0 the highest of word 0. Step i begins at bit i kV. A
window of at most 32 bits touches two neighbouring words, and one funnel shift brings its L bits to the top.
"""

import numpy as np

from quipref.cuda.vocabulary import device_function, funnel_left

WORD = 32  # bits
LOG_WORD, INSIDE = np.uint32(5), np.uint32(31)
ZERO, ONE = np.uint32(0), np.uint32(1)


def window(state_bits, bits_a_step, n_words):
    """Two functions of circles of so many words: where(step) finds a window's place, state_at reads the bits there.

    where(step) -> word, the one after it, shift;    state_at(streams, tile, word, after, shift) -> state
    """
    bits_a_step, last = np.uint32(bits_a_step), np.uint32(n_words - 1)
    rest = np.uint32(WORD - state_bits)

    @device_function
    def where(step):
        bit = np.uint32(np.uint32(step) * bits_a_step)
        word = np.uint32(bit >> LOG_WORD)
        after = np.uint32(word + ONE) if word < last else ZERO  # the last windows run on into the beginning
        return word, after, np.uint32(bit & INSIDE)

    @device_function
    def state_at(streams, tile, word, after, shift):
        return np.uint32(funnel_left(streams[tile, word], streams[tile, after], shift) >> rest)

    return where, state_at


def by_rows(columns):
    """The function place(weight) -> (row, column) of a walk that goes row after row through its tile."""
    columns = np.uint32(columns)

    @device_function
    def place(weight):
        weight = np.uint32(weight)
        return np.uint32(weight // columns), np.uint32(weight % columns)

    return place


def as_tensor_cores(columns):
    """The same for tiles of 16 x 16 in the order "mma": row 8 a + b, column 8 d + 2 e + f, from bits bbb ee d a f."""
    one, two, three, four, five = (np.uint32(i) for i in range(1, 6))

    @device_function
    def place(weight):
        weight = np.uint32(weight)
        row = np.uint32(np.uint32((weight & two) << two) | np.uint32(weight >> five))
        column = np.uint32(
            np.uint32((weight & four) << one) | np.uint32((weight >> three & three) << one) | weight & one
        )
        return row, column

    return place


PLACES = {"row": by_rows, "mma": as_tensor_cores}
