"""What the pictures of decoding on a GPU say."""

import numpy as np
import pytest

from quipref.cuda import layout
from quipref.figures import lanes
from quipref.trellis import codes


def words(figure):
    return [text.get_text() for axes in figure.axes for text in axes.texts]


@pytest.mark.parametrize("shift", [0, 16, 17, 24, 31])
def test_the_window_of_a_funnel_shift(shift):
    high, low = 0x01234567, 0x89ABCDEF
    state = (high << 32 | low) >> (48 - shift) & 0xFFFF
    said = words(lanes.funnel(high, low, shift, 16))
    assert f"moved 16 to the right: the state, {state}" in said
    taken = min(16, 32 - shift)
    assert [word for word in said if word.endswith(" bits")] == [f"{n} bits" for n in (taken, 16 - taken) if n]


def test_every_window_names_the_words_it_touches():
    said = words(lanes.ring_of_words(4, {0: 0, 8: 16, 9: 18, 60: 120}, 16))
    windows = [word for word in said if word.startswith("weight")]
    assert windows == ["weight 0: word 0", "weight 8: word 0", "weight 9: words 0, 1", "weight 60: words 3, 0"]


@pytest.mark.parametrize(("k", "next_strip"), [(1, 0), (2, 2), (4, 2)])
def test_a_lane_has_a_strip_of_a_tile_and_needs_the_next(k, next_strip):
    rows = 8 // k
    (axes,) = lanes.lanes([k], 5, layout.strip_of_lane, layout.lane_below).axes
    for lane, text in enumerate(axes.texts):
        assert text.get_text() == str(lane)
        assert text.get_position() == (16 * (lane % 4) + 8, rows * (lane // 4 + 0.5))
    (arrow,) = [patch for patch in axes.patches if hasattr(patch, "get_arrowstyle")]
    (_, start), (_, end) = arrow._posA_posB
    assert (start, end) == ((next_strip + 0.5) * rows, 1.5 * rows)  # at 1 bit lane 5 has the last strip of its tile


def test_lanes_are_drawn_where_the_kernel_says():
    """Of another kernel, whose lanes lie one below the other, another picture comes."""
    (axes,) = lanes.lanes([4], 5, lambda lane, k: (0, lane // 8, lane % 8), lambda lane, k: (lane + 1) % 8).axes
    assert [text.get_position() for text in axes.texts] == [(16 * (i // 8) + 8, 2 * (i % 8) + 1) for i in range(32)]


@pytest.mark.parametrize("state", [0, 12345, 65535])
def test_the_sum_of_bytes_is_a_float(state):
    said = words(lanes.float_sum(state))[-1]
    value = int(said.rsplit(":", 1)[1])
    assert np.float32(value) / codes.BYTES_STD == codes.one_mad(16)[state, 0]


def test_instructions_are_stacked_to_their_sum():
    counts = {"a": dict(zip(lanes.UNITS, (1, 2, 0, 0.5, 0.25, 0.25), strict=True))}
    (axes,) = lanes.instructions(counts, {"time": 3.0}).axes
    assert max(bar.get_x() + bar.get_width() for bar in axes.patches) == 4.0
    assert [line.get_xdata()[0] for line in axes.lines] == [3.0]
