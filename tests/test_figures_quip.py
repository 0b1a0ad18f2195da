"""The pictures of QuIP's steps and of the errata show what is true."""

import matplotlib
import numpy as np
import pictures
import pytest

from quipref.figures import errata, quip, style


def panels(figure):
    return [axes for axes in figure.axes if axes.get_label() != "<colorbar>"]


def rgb(colour):
    return matplotlib.colors.to_rgb(colour)


def line(axes, text):
    """The curve whose legend begins with the text."""
    return next(curve for curve in axes.lines if curve.get_label().startswith(text))


def test_ladder_marks_geometric_means():
    axes = panels(quip.ladder({"one": np.array([0.5, 2.0]), "other": np.array([0.1, 0.4, 0.2])}))[0]
    bars = [curve.get_xdata()[0] for curve in axes.lines if curve.get_color() == style.COLOURS["quip#"]]
    np.testing.assert_allclose(bars, [1.0, 0.2])
    assert {"1.00", "0.20"} <= {text.get_text() for text in axes.texts}
    dots = [collection.get_offsets()[:, 0].tolist() for collection in axes.collections]
    assert dots == [[0.5, 2.0], [0.1, 0.4, 0.2]]


def test_ladder_keeps_a_layer_on_its_own_rung():
    axes = panels(quip.ladder({str(i): np.geomspace(0.01, 3, 40) for i in range(3)}))[0]
    for row, collection in enumerate(axes.collections):
        assert (np.abs(collection.get_offsets()[:, 1] - row) < 0.5).all()


def test_ranges_mark_the_published_and_the_least_error():
    fine, reach = np.linspace(1, 3, 201), np.linspace(1, 3, 11)
    errors = 0.1 + (fine - 1.5) ** 2
    losses = {"one": 2 * reach, "two": 8 - reach}
    left, right = panels(quip.ranges(np.array([fine, errors]), reach, losses, 2.4))
    np.testing.assert_allclose(line(left, "published").get_xydata(), [[2.4, 0.1 + 0.9**2]], rtol=1e-3)
    np.testing.assert_allclose(line(left, "least error").get_xydata(), [[1.5, 0.1]], rtol=1e-12)
    curves = [curve for curve in right.lines if len(curve.get_xdata()) == len(reach)]
    for curve, loss in zip(curves, losses.values(), strict=True):
        np.testing.assert_allclose(curve.get_ydata(), loss / np.interp(2.4, reach, loss))
    assert line(right, "where nearest").get_xdata()[0] == line(left, "least error").get_xdata()[0]


def test_bounds_and_losses_belong_to_the_same_layer():
    worst, incoherent = np.array([0.31, 0.32, 0.33]), np.array([30.0, 300.0, 20.0])
    axes = panels(quip.under_the_bounds(worst, 1 / 3, incoherent))[0]
    losses = line(axes, "loss").get_ydata()
    by_mu = next(curve for curve in axes.lines if curve.get_marker() == "s").get_ydata()
    assert sorted(zip(losses, by_mu, strict=True)) == sorted(zip(worst, incoherent, strict=True))
    assert (np.diff(by_mu) > 0).all()


def test_methods_look_as_everywhere():
    axes = panels(pictures.perplexities())[0]
    for name, role in (("nearest", "nearest"), ("LDLQ", "ldlq"), ("QuIP", "quip")):
        curve = line(axes, name)
        assert (curve.get_color(), curve.get_marker()) == (style.COLOURS[role], style.MARKERS[role])


def test_surface_has_the_first_weight_to_the_right():
    surface = np.zeros((5, 5))
    surface[4, 1] = 0.4  # w = (1, 1/4)
    left, right = panels(errata.stochastic_worst_case(surface, np.array([0.0, 1.0]), np.array([0.5, 0.4]), 0.3, 0.5))
    np.testing.assert_allclose(left.lines[0].get_xydata(), [[1.0, 0.25]])
    image = left.images[0]
    west, east, south, north = image.get_extent()
    pixel = int((0.25 - south) / (north - south) * 5), int((1.0 - west) / (east - west) * 5)
    assert image.get_array()[pixel] == 0.4 and image.origin == "lower"
    assert "0.4000" in left.get_title(loc="left")
    np.testing.assert_allclose(line(right, "LDLQ").get_xydata(), [[0.3, 0.47]])
    np.testing.assert_allclose(line(right, "least").get_xydata(), [[1.0, 0.4]])


def test_shares_in_the_legends_are_counted():
    figure = errata.sign_losses(np.array([1.0, 2.0, 3.0, 4.0]), 2.5)
    assert any("50%" in curve.get_label() for curve in panels(figure)[0].lines)
    figure = errata.rotated_ones(np.array([4.0, 6.0, 7.0, 8.0]), 5.0, 20.0, 0.01)
    assert any("75%" in curve.get_label() for curve in panels(figure)[0].lines)


def test_each_layer_is_on_one_side_of_the_diagonal():
    nearest, ldlq = np.array([1.0, 2.0, 3.0, 4.0]), np.array([1.0, 1.0, 4.0, 3.0])
    axes = panels(errata.against_nearest(nearest, ldlq))[0]
    drawn = {c.get_label(): c.get_offsets().tolist() for c in axes.collections}
    assert drawn == {
        "LDLQ better: 2": [[2.0, 1.0], [4.0, 3.0]],
        "the same roundings: 1": [[1.0, 1.0]],
        "nearest better: 1": [[3.0, 4.0]],
    }


@pytest.mark.parametrize(("relation", "found", "allowed"), [("<=", 3.0, False), ("<=", 0.5, True), (">=", 0.5, False)])
def test_summary_shows_which_side_a_statement_allows(relation, found, allowed):
    axes = panels(errata.summary(["it"], np.array([2.0]), np.array([2 * found]), np.array([0.0]), [relation]))[0]
    grey = next(curve for curve in axes.lines if rgb(curve.get_color()) == rgb(style.COLOURS["faint"]))
    low, high = grey.get_xdata()
    assert (low <= found <= high) == allowed
    marks = [container.lines[0].get_xdata()[0] for container in axes.containers]
    assert marks == [found]
