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
