"""The pictures of lattices and of E8P show what is true."""

import matplotlib
import numpy as np
import pictures_lattice as examples
import pytest
from matplotlib.collections import LineCollection
from matplotlib.patches import Circle, Polygon, Rectangle

from quipref.figures import e8p as pictures
from quipref.figures import lattice, style
from quipref.lattice import e8, e8p


def panels(figure):
    return [axes for axes in figure.axes if axes.get_label() != "<colorbar>"]


def rgb(colour):
    return matplotlib.colors.to_rgb(style.COLOURS[colour])


def words(axes):
    return [text.get_text() for text in axes.texts]


def row(axes, name):
    """The words, from the left, that stand at the height of the word `name`."""
    height = next(t.get_position()[1] for t in axes.texts if t.get_text() == name)
    found = [t for t in axes.texts if abs(t.get_position()[1] - height) < 0.01 and t.get_text() != name]
    return [t.get_text() for t in sorted(found, key=lambda t: t.get_position()[0])]


def lines(axes, label):
    """The segments drawn under a label."""
    return next(c for c in axes.collections if isinstance(c, LineCollection) and c.get_label() == label).get_segments()


def test_errors_lead_from_targets_to_points_inside_their_cells():
    for axes, side in zip(panels(examples.cells()), (1, 0.5), strict=True):
        drawn = np.array(lines(axes, "error"))
        assert drawn.shape == (lattice.DRAWN, 2, 2)
        assert np.abs(drawn[:, 0] - drawn[:, 1]).max() <= side / 2
        assert (drawn[:, 1] / side % 1 == 0).all()
        circle = next(p for p in axes.patches if isinstance(p, Circle))
        corners = [p for p in axes.patches if isinstance(p, Polygon)][24].get_xy()
        np.testing.assert_allclose(np.linalg.norm(corners, axis=1), circle.radius)
    assert f"radius {0.5**0.5:.3f}" in panels(examples.cells())[0].get_xlabel()


def test_the_error_above_a_tiling_is_that_of_all_its_targets():
    X = np.array([[0.3, 0.0], [2.4, 2.4]])
    axes = panels(lattice.cells({"one": (np.zeros((1, 2)), examples.SQUARE, X, 0 * X)}))[0]
    assert axes.get_title(loc="left") == f"one: error {np.square(X).mean():.4f}"
    assert len(lines(axes, "error")) == 1


@pytest.mark.parametrize(("n", "moment"), [(1, 1 / 12), (2, 1 / (4 * np.pi)), (3, 0.2 * (3 / (4 * np.pi)) ** (2 / 3))])
def test_second_moment_of_a_ball(n, moment):
    # of an interval, a disc and a ball of volume 1: r^2 / (n + 2)
    assert np.isclose(lattice.ball_second_moment(n), moment, rtol=1e-12)


def test_gains_stand_between_nothing_and_the_ball():
    axes = panels(examples.gains())[0]
    ball = next(line for line in axes.lines if line.get_label().startswith("a ball"))
    found = [line for line in axes.lines if line.get_marker() == "P" and len(line.get_xdata())]
    for line in found:
        (n,), (gain,) = line.get_data()
        assert gain <= ball.get_ydata()[ball.get_xdata() == n][0] + 1e-9
    assert max(ball.get_ydata()) < axes.lines[1].get_ydata()[0]
    assert words(axes)[-1].startswith(f"E8: {e8.granular_gain(e8.SECOND_MOMENT):.3f}")


def test_the_web_is_that_of_the_nearest_and_one_root_has_all_its_lines():
    axes = panels(examples.roots())[0]
    web, star = np.array(lines(axes, "nearest on the plane too")), np.array(lines(axes, "one root's 4 neighbours"))
    lengths = np.linalg.norm(web[:, 0] - web[:, 1], axis=1)
    assert len(web) == 12 and np.allclose(lengths, 2 * np.sin(np.pi / 12))
    assert len(star) == 4 and all(np.isclose(segment, [0, 1]).all(axis=1).any() for segment in star)


def test_lengths_are_counted_and_radii_stand_where_they_are():
    e = np.array([[0.6, 0.8], [0.3, 0.4], [0.3, 0.4], [0.3, 0.4]])
    figure = lattice.lengths({"one": e, "other": e}, {"covering": 1.0})
    axes = panels(figure)[0]
    bars = {round(p.get_x(), 3): p.get_height() * p.get_width() for p in axes.patches[:73] if p.get_height()}
    assert sorted(bars.values()) == pytest.approx([0.25, 0.75])
    assert [text.get_text() for text in figure.legends[0].texts][0] == "one: mean square 0.2188 a weight"
    assert axes.lines[0].get_xdata() == [1.0, 1.0] and words(axes) == ["covering\n1.000"]


def test_every_pattern_is_drawn_once_with_its_norm_and_share():
    shares = np.arange(1, 257) / np.arange(1, 257).sum()
    left, right = panels(pictures.patterns(shares))
    norms, places = np.square(e8p.patterns()).sum(axis=1), []
    for norm in pictures.NORMS:
        line = next(line for line in left.lines if line.get_label() == f"$|v|^2$ = {norm}")
        np.testing.assert_allclose(sorted(line.get_ydata()), sorted(shares[norms == norm]))
        places += line.get_xdata().tolist()
    assert sorted(places) == list(range(256))
    heights = [bar.get_height() for bar in right.patches]
    np.testing.assert_allclose(heights[:6], np.array([1, 8, 28, 64, 126, 29]) / 256)
    assert sum(heights[6:]) == pytest.approx(1)


@pytest.mark.parametrize("code", [0x0000, 0x0001, 0x20D4, 0x20D5, 0xFF80])
def test_bits_are_those_of_the_code_and_weights_those_of_its_point(code):
    axes = panels(pictures.taken_apart(code))[0]
    assert "".join(row(axes, "program")) == f"{code:016b}"
    assert "".join(row(axes, "paper")) == f"{int(e8p.to_paper_format(code)):016b}"
    assert row(axes, "even parity").count("1") % 2 == 0
    weights = [float(entry) for entry in row(axes, "weight")]
    assert weights == e8p.decode(code).tolist()
    sign = [1 - 2 * int(entry) for entry in row(axes, "negative?")]
    pattern = [half(entry) for entry in row(axes, "pattern")]
    shift = [0.25 if entry == "+1/4" else -0.25 for entry in row(axes, "shift")[:8]]
    assert (np.array(sign) * pattern + shift).tolist() == weights


def half(text):
    numerator, denominator = text.split("/")
    return int(numerator) / int(denominator)


def test_the_bit_that_is_turned_round_is_marked():
    turned, straight = (panels(pictures.taken_apart(code))[0] for code in (0x20D5, 0x20D4))
    for axes, marked in ((turned, 2), (straight, 1)):  # the other one is the paper's shift
        boxes = [p for p in axes.patches if isinstance(p, Rectangle) and p.get_facecolor()[:3] == rgb(pictures.SHIFT)]
        assert len([p for p in boxes if p.get_facecolor()[3]]) == marked
    assert any("turned" in word for word in words(turned)) and any("nothing" in word for word in words(straight))


def test_maps_share_one_scale_and_lie_the_right_way_up():
    figure = examples.plane()
    for axes in panels(figure):
        (image,) = axes.images
        assert image.get_clim() == (0, pictures.MOST) and image.origin == "lower"
        assert image.get_extent() == [-5, 5, -5, 5]
        assert [p.radius for p in axes.patches if isinstance(p, Circle)] == [2.9, 4.06]
    assert [text.get_text() for text in figure.legends[0].texts] == ["near: 2.90", "far: 4.06"]


def test_levels_are_named_where_they_are():
    axes = panels(examples.overload())[0]
    first = next(line for line in axes.lines if line.get_label() == "E8P")
    assert first.get_xdata().tolist() == examples.SIZES.tolist()
    levels = [line.get_ydata()[0] for line in axes.lines if len(line.get_ydata()) == 2]
    assert levels == [0.1175, 0.0625] and words(axes) == ["Lloyd-Max: 0.1175", "limit: 0.0625"]
