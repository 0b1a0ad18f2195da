"""Mistakes that somebody could make in the bit-shift trellis and in how its walks are stored."""

import numpy as np

from quipref import BitshiftTrellis

TRELLIS, PACKING = "quipref.trellis.bitshift:BitshiftTrellis", "quipref.trellis.packing"


def shifted_down(self, states):
    """Successors in the trellis whose new bits enter at the top: the same graph, every arrow turned round."""
    return np.asarray(states)[..., None] >> self.shift | np.arange(self.n_branches) << self.overlap_bits


def rolled_the_other_way(windows):
    """States put together from the symbols before, where those after are meant, and the other way round."""
    return lambda symbols, *rest: windows(symbols[:, ::-1], *rest)[:, ::-1]


def overwritten(symbols, trellis, layout):
    """Windows of as many whole symbols as fit: what sticks out is forgotten."""
    states = np.zeros_like(symbols)
    for j in range(trellis.state_bits // trellis.shift):
        place = j * trellis.shift if layout == "exl3" else trellis.state_bits - (j + 1) * trellis.shift
        states |= np.roll(symbols, j if layout == "exl3" else -j, axis=1) << place
    return states


BUGS = {
    "trellis: new bits at the top": {f"{TRELLIS}.successors": lambda _: shifted_down},
    "trellis: shift by k, not kV": {
        f"{TRELLIS}.successors": lambda successors: (
            lambda self, states: successors(BitshiftTrellis(self.state_bits, self.bits_per_weight), states)
        ),
    },
    "trellis: the lowest new bit always set": {
        f"{TRELLIS}.successors": lambda successors: lambda self, states: successors(self, states) | 1,
    },
    "trellis: predecessors are successors": {
        f"{TRELLIS}.predecessors": lambda _: lambda self, states: self.successors(states),
    },
    "trellis: predecessors with their branch in the low bits": {
        f"{TRELLIS}.predecessors": lambda _: (
            lambda self, states: (
                (np.asarray(states) >> self.shift << self.shift)[..., None] | np.arange(self.n_branches)
            )
        ),
    },
    "walks: every pair follows": {
        f"{TRELLIS}.is_walk": lambda _: lambda self, states: np.full(np.shape(states)[:-1], True)
    },
    "walks: backwards in time": {
        f"{TRELLIS}.is_walk": lambda walk: lambda self, states: walk(self, np.asarray(states)[..., ::-1])
    },
    "walks: every walk bites its tail": {
        f"{TRELLIS}.is_tail_biting": lambda _: lambda self, states: self.is_walk(states)
    },
    "walks: the first state follows itself": {
        f"{TRELLIS}.is_tail_biting": lambda _: (
            lambda self, states: self.is_walk(states) & self.is_walk(np.take(np.asarray(states), [0, 0], axis=-1))
        ),
    },
    "storage: a whole state for the free start": {
        f"{TRELLIS}.storage_bits": lambda bits: (
            lambda self, T, *, tail_biting=True: (
                bits(self, T) if tail_biting else self.bits_per_weight * T + self.state_bits
            )
        ),
    },
    "storage: a circle counts as a free start": {
        f"{TRELLIS}.storage_bits": lambda bits: lambda self, T, *, tail_biting=True: bits(self, T, tail_biting=False),
    },
    "storage: a free start counts as a circle": {
        f"{TRELLIS}.storage_bits": lambda bits: lambda self, T, *, tail_biting=True: self.bits_per_weight * T,
    },
    "packing: the low bits of a state": {f"{PACKING}:_symbols": lambda symbols: lambda s, t, _: symbols(s, t, "exl3")},
    "packing: the high bits of a state": {f"{PACKING}:_symbols": lambda symbols: lambda s, t, _: symbols(s, t, "qtip")},
    "packing: lowest bit first": {
        f"{PACKING}:_words": lambda _: (
            lambda stream: np.packbits(
                np.pad(stream, ((0, 0), (0, -stream.shape[1] % 16))), axis=1, bitorder="little"
            ).view("<u2")
        ),
    },
    "packing: words byte by byte": {f"{PACKING}:_words": lambda words: lambda stream: words(stream).view("<u2")},
    "packing: pairs not swapped": {f"{PACKING}:_ordered": lambda _: lambda words, layout: words},
    "packing: pairs always swapped": {
        f"{PACKING}:_ordered": lambda ordered: (
            lambda words, layout: ordered(words, "exl3") if words.shape[1] % 2 == 0 else words
        ),
    },
    "packing: windows the wrong way round": {f"{PACKING}:_windows": rolled_the_other_way},
    "packing: no half symbols": {f"{PACKING}:_windows": lambda _: overwritten},
    "packing: the circle is not closed": {
        f"{PACKING}:_windows": lambda windows: (
            lambda symbols, *rest: windows(np.pad(symbols, ((0, 0), (20, 20))), *rest)[:, 20:-20]
        ),
    },
}
