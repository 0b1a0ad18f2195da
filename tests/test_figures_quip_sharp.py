"""The pictures of QuIP# from end to end show what is true."""

import matplotlib
import numpy as np
import pictures_quip_sharp as examples
import pytest
from matplotlib.patches import Rectangle

from quipref.figures import quip_sharp, style
from quipref.formats import quip_sharp as checkpoint


def line(axes, text):
    """The curve whose legend begins with the text."""
    return next(curve for curve in axes.lines if curve.get_label().startswith(text))


def rgb(role):
    return matplotlib.colors.to_rgb(style.COLOURS[role])


def test_the_ball_ends_with_the_longest_point_and_overload_is_drawn_as_it_came():
    rng = np.random.default_rng(0)
    overload = {1.03: np.array([0.1, 0.3]), 0.8: np.array([0.0, 0.1])}
    left, right = quip_sharp.ball({"targets": rng.random(50)}, np.array([1.0, 3.5, 2.0]), overload).axes
    assert line(left, "the ball").get_xdata()[0] == 3.5
    for scale, by_block in overload.items():
        np.testing.assert_array_equal(line(right, f"source scale {scale}").get_ydata(), by_block)


def test_the_lattice_without_end_falls_with_the_square_of_the_scale():
    axes = examples.by_scale().axes[0]
    lattice = line(axes, "E8 without end").get_xydata()
    np.testing.assert_allclose(lattice[:, 1] * lattice[:, 0] ** 2, 0.07)
    assert line(axes, "D(R)").get_ydata()[0] == 1 / 16
    dashed = line(axes, "LDLQ: layers.0.attn.k")
    assert (dashed.get_color(), dashed.get_linestyle()) == (style.COLOURS["nearest"], "--")
    assert line(axes, "LDLQ: 2 layers").get_color() == style.COLOURS["ldlq"]


def test_passes_are_read_along_and_across():
    left, right = examples.passes().axes
    plain = line(left, "source scale 1.03").get_ydata()
    assert (len(plain), plain[0]) == (11, pytest.approx(1.03 * 0.11 + 0.001))
    for n in (0, 1, 10):
        curve = line(right, f"{n} pass")
        np.testing.assert_allclose(curve.get_ydata(), curve.get_xdata() * (0.05 + 0.06 / (n + 1)))


def test_the_words_of_the_picture_are_those_of_the_checkpoints():
    codes = np.zeros((16, 8), np.uint16)
    codes[4:6, 2:4] = examples.CODES
    assert checkpoint.pack_weights(codes).ravel()[4 * 2 + 1] == np.uint64(examples.pack(examples.CODES)).astype(
        np.int64
    )


@pytest.mark.parametrize("word", [examples.pack(examples.CODES), examples.pack(examples.CODES) - 2**64])
def test_bits_of_a_colour_are_the_code_of_that_colour(word):
    axes = quip_sharp.word(word, examples.CODES, (2, 1)).axes[0]
    digits = {(t.get_position()[0] - 0.5, t.get_position()[1] > -1): t.get_text() for t in axes.texts
              if t.get_text() in "01"}  # fmt: skip
    boxes = [p for p in axes.patches if isinstance(p, Rectangle) and p.get_height() == 0.5 and p.get_alpha()]
    assert len(digits) == len(boxes) == 64
    for slot, role in enumerate(quip_sharp.SLOTS):
        own = sorted((b.get_xy() for b in boxes if b.get_facecolor()[:3] == rgb(role)), key=lambda at: (at[1], at[0]))
        code = int("".join(digits[x, y > -1] for x, y in own), 2)  # the low half, the patterns, is drawn lower
        assert code == examples.CODES[slot % 2, slot // 2]
        a, signs = divmod(code, 256)
        assert f"{'abcd'[slot]}: pattern {a}, signs {signs:02x}" in [t.get_text() for t in axes.texts]


def test_one_word_of_the_tile_is_dark():
    axes = examples.word().axes[0]
    tile = [p for p in axes.patches if p.get_height() == 0.3]
    dark = [i for i, p in enumerate(tile) if p.get_facecolor()[:3] == rgb("ink")]
    assert len(tile) == 32 and dark == [4 * 2 + 1]
    assert any("number 9" in t.get_text() for t in axes.texts)
