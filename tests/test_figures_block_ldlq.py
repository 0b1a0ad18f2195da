"""The pictures of block LDLQ show what is true."""

import numpy as np
import pictures_block_ldlq as examples
import pytest

from quipref.figures import block_ldlq


def panels(figure):
    return [axes for axes in figure.axes if axes.get_label() != "<colorbar>"]


def line(axes, name):
    return next(curve for curve in axes.lines if curve.get_label() == name)


def words(axes):
    return [text.get_text() for text in axes.texts]


def test_factors_are_drawn_as_they_are_and_multiply_to_h():
    axes = panels(examples.factors())
    images = [np.ma.filled(panel.images[0].get_array(), 0) for panel in axes]
    assert (images[0] == examples.H).all()
    eye = np.eye(16)
    for U, D in zip(images[1:5], images[5:], strict=True):
        np.testing.assert_allclose((U + eye) @ D @ (U + eye).T, examples.H, atol=1e-12)
    labels = [panel.get_xlabel() for panel in axes]
    assert labels[:5] == ["tr 16.0", "120 entries", "112 entries", "64 entries", "0 entries"]
    assert labels[5:] == [f"tr {np.trace(D.sum(axis=0)):.1f}" for _, D in examples.FOUND.values()]


def test_what_lies_beside_the_blocks_of_d_is_left_white():
    axes = panels(examples.factors())
    for (g, _), panel in zip(examples.FOUND.items(), axes[5:], strict=True):
        blank = np.ma.getmaskarray(np.ma.masked_invalid(panel.images[0].get_array()))
        block = np.arange(16) // g
        np.testing.assert_array_equal(blank, block[:, None] != block)


def test_the_promise_has_five_standard_errors_about_each_mean():
    for axes in panels(examples.promise()):
        bars = {}
        for container in axes.containers:
            (segment,) = container.lines[2][0].get_segments()
            bars[round(segment[0, 1], 2)] = segment[:, 0]
        np.testing.assert_allclose(bars[-0.12], [0.065, 0.075])
        np.testing.assert_allclose(bars[1.12], [0.1, 0.1])
    assert [word.get_text() for word in panels(examples.promise())[0].get_yticklabels()] == ["zero", "wide"]


def test_bars_that_reach_the_second_moment_are_seen_whole():
    found = {
        "a": {"dithered": (0.07, 0.001), "nearest": (0.075, 0.003)},
        "b": {"dithered": (0.071, 1e-4), "nearest": (0.2, 0.01)},
    }
    right = panels(block_ldlq.promise(found, 0.0717, 1))[1]
    low, high = right.get_xlim()
    assert low < 0.06 and 0.09 < high < 0.15
    assert sum(low <= tick <= high for tick in right.get_xticks()) >= 3


def test_a_ball_in_few_dimensions_has_its_known_second_moment():
    found = [block_ldlq.least_second_moment(g) for g in (1, 2, 3)]
    np.testing.assert_allclose(found, [1 / 12, 1 / (4 * np.pi), (4 * np.pi / 3) ** (-2 / 3) / 5])
    assert abs(block_ldlq.least_second_moment(1e6) * 2 * np.pi * np.e - 1) < 1e-4


def test_means_of_the_models_layers_are_geometric():
    right = panels(examples.worth())[1]
    means = [np.exp(np.log(np.linspace(0.8, 1.1, 9) + 0.01 * g).mean()) for g in (2, 8)]
    bars = [
        curve.get_ydata()[0] for curve in right.lines if len(curve.get_xdata()) == 2 and np.ptp(curve.get_xdata()) < 1
    ]
    np.testing.assert_allclose(bars, means)
    assert words(right) == [f"{mean:.2f}" for mean in means]
    assert [word.get_text() for word in right.get_xticklabels()] == ["2", "8"]


def test_circles_mark_where_the_remark_begins_to_fail():
    left, right = panels(examples.remark())
    circles = [curve.get_xydata()[0].tolist() for curve in left.lines if curve.get_markersize() == 10]
    assert circles == [[1, 1], [4, 1], [64, 1]]
    np.testing.assert_array_equal(line(left, "E8").get_xydata(), [[16, 0.25], [64, 0.5]])
    np.testing.assert_array_equal(line(right, "LDLQ").get_xydata(), [[16, 0.01], [64, 0.02]])


@pytest.mark.parametrize("panel", [0, 1])
def test_overload_lies_above_the_bound_and_the_lattice_below(panel):
    axes = panels(examples.overload())[panel]
    bound = line(axes, "bound for the lattice").get_ydata()[0]
    assert line(axes, "E8").get_ydata().max() < bound < line(axes, "E8P").get_ydata().max()


def test_passes_are_drawn_plain_and_at_their_best():
    left, right = panels(examples.passes())
    assert line(left, "E8, low rank").get_ydata().tolist() == [1.0, 1.2, 0.9, 1.1]
    dotted = [
        curve.get_ydata().tolist() for curve in left.lines if curve.get_linewidth() == 1.2 and len(curve.get_xdata())
    ]
    assert dotted[0] == [1.0, 1.0, 0.9, 0.9]
    assert line(right, "E8P").get_xydata()[-1].tolist() == [1.0, 0.5]
