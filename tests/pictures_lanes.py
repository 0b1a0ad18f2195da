"""Examples of the pictures of decoding on a GPU, as in pictures.py."""

from quipref.cuda import layout
from quipref.figures import lanes


def ring_of_words():
    return lanes.ring_of_words(4, {0: 0, 12: 24, 40: 80, 60: 120}, 16)


def funnel():
    return lanes.funnel(0x01234567, 0x89ABCDEF, 24, 16)


def some_lanes():
    return lanes.lanes([1, 2, 4], 5, layout.strip_of_lane, layout.lane_below)


def float_sum():
    return lanes.float_sum(12345)


def instructions():
    counts = {"1mad": dict.fromkeys(lanes.UNITS, 0.5), "hyb": dict.fromkeys(lanes.UNITS, 0.7)}
    return lanes.instructions(counts, {"one": 1.0, "two": 2.0})


TOPICS = (lanes,)
EXAMPLES = {
    lanes.ring_of_words: ring_of_words,
    lanes.funnel: funnel,
    lanes.lanes: some_lanes,
    lanes.float_sum: float_sum,
    lanes.instructions: instructions,
}
