"""Every picture draws in the house style, says what it shows, and shows what is true."""

import inspect
import io
import subprocess
import sys
from functools import cache
from importlib import import_module
from itertools import combinations

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure
from pictures import EXAMPLES, H2, TOPICS, ZERO, babai_steps, backward, halving, level_ellipses
from PIL import Image

import quipref as q
from quipref.figures import feedback, nearest_plane, proxy, style

PNG = b"\x89PNG\r\n\x1a\n"
examples = pytest.mark.parametrize("draw", EXAMPLES.values(), ids=lambda draw: draw.__name__)


@cache
def drawn(draw):
    """The picture and its PNG, made once."""
    figure = draw()
    return figure, png(figure)


def png(figure):
    memory = io.BytesIO()
    figure.savefig(memory, format="png")
    return memory.getvalue()


def panels(figure):
    return [axes for axes in figure.axes if axes.get_label() != "<colorbar>"]


def texts(figure):
    """(text, box in pixels) of every visible word of a picture."""
    figure.draw_without_rendering()
    found = [t for t in figure.findobj(matplotlib.text.Text) if t.get_text().strip() and t.get_visible()]
    for axes in figure.axes:  # ticks beyond the limits are kept by matplotlib, but not drawn
        for axis, (low, high) in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
            for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]:
                if not min(low, high) <= tick.get_loc() <= max(low, high):
                    found = [t for t in found if t not in (tick.label1, tick.label2)]
    return [(t.get_text(), t.get_window_extent()) for t in found]


def test_every_picture_has_an_example():
    drawing = {
        f
        for topic in TOPICS
        for _, f in inspect.getmembers(topic, inspect.isfunction)
        if f.__module__ == topic.__name__ and "matplotlib.figure.Figure" in (f.__doc__ or "")
    }
    assert drawing == set(EXAMPLES)


@examples
def test_picture_is_labelled_and_described(draw):
    figure, image = drawn(draw)
    assert isinstance(figure, Figure)
    assert image.startswith(PNG)
    assert len(figure.about) > 20
    for axes in panels(figure):
        assert axes.get_title(loc="left")
        assert axes.get_ylabel() or axes.get_shared_y_axes().get_siblings(axes) != [axes]
        assert axes.get_xlabel() or axes.get_shared_x_axes().get_siblings(axes) != [axes]


@examples
def test_words_lie_inside_the_picture_and_apart(draw):
    figure, _ = drawn(draw)
    words = texts(figure)
    edge = figure.bbox
    for text, box in words:
        assert edge.x0 <= box.x0 and box.x1 <= edge.x1 and edge.y0 <= box.y0 and box.y1 <= edge.y1, text
    for (one, a), (other, b) in combinations(words, 2):
        width = min(a.x1, b.x1) - max(a.x0, b.x0)
        height = min(a.y1, b.y1) - max(a.y0, b.y0)
        assert width <= 1 or height <= 1, f"{one!r} lies over {other!r}"


def test_words_that_overlap_are_seen():
    with style.page(3, 3, about="Two words in one place.") as (figure, axes):
        axes.text(0.5, 0.5, "one")
        axes.text(0.5, 0.5, "other")
    boxes = dict(texts(figure))
    assert boxes["one"].overlaps(boxes["other"])


@examples
def test_settings_of_the_user_change_nothing(draw):
    _, usual = drawn(draw)
    with matplotlib.rc_context({"font.size": 30, "axes.grid": True, "savefig.dpi": 20, "axes.facecolor": "red"}):
        before = dict(matplotlib.rcParams)
        assert png(draw()) == usual
        assert dict(matplotlib.rcParams) == before


def test_pyplot_is_never_loaded():
    code = "import sys; sys.path.insert(0, 'tests'); from pictures import EXAMPLES; [f() for f in EXAMPLES.values()]"
    code += "; sys.exit('matplotlib.pyplot' in sys.modules)"
    root = inspect.getsourcefile(q).removesuffix("quipref/__init__.py")
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_notebook_gets_the_picture_with_its_description():
    data, metadata = halving()._repr_png_()
    assert data.startswith(PNG)
    assert metadata == {"alt": halving().about}


@examples
def test_a_notebook_gets_the_picture_in_fewer_bytes_and_the_same_colours(draw):
    _, image = drawn(draw)
    stored, _ = draw()._repr_png_()  # a new one: a figure that was drawn before may move by a pixel
    assert len(stored) < 0.6 * len(image)
    usual, reduced = (np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int) for png in (image, stored))
    assert (reduced[usual.min(axis=2) == 255] == 255).all()
    assert np.abs(usual - reduced).mean() < 1


class TestPicturesAreTrue:
    def test_ellipse_is_a_curve_of_equal_loss(self):
        w = np.array([0.4, -0.3])
        points = proxy.ellipse(w, H2, 0.7).T
        losses = [q.proxy_loss(w[None], z[None], H2) for z in points]
        np.testing.assert_allclose(losses, 0.7, rtol=1e-12)

    def test_ellipse_goes_through_its_point(self):
        axes = panels(level_ellipses())[0]
        curves = [line for line in axes.lines if len(line.get_xdata()) > 100]
        for curve, point in zip(curves, ([0, 0], [1, 0], [1, 1]), strict=True):
            gaps = np.hypot(*(curve.get_xydata() - point).T)
            assert gaps.min() < 0.02

    def test_index_picture_marks_the_coefficients_and_leaves_the_ones_out(self):
        for k, axes in zip((4, 1), panels(feedback.feedback_index(6, 4)), strict=True):
            marked = [
                p for p in axes.patches if np.allclose(p.get_facecolor()[:3], rgb(feedback.FEEDS)) and p.get_y() >= 0
            ]
            assert {p.get_x() for p in marked} == {k}
            assert sorted(p.get_y() for p in marked) == ([0, 1, 2, 3] if k == 4 else [2, 3, 4, 5])
            ones = [p for p in axes.patches if np.allclose(p.get_facecolor()[:3], rgb(feedback.ONE))]
            assert sorted((p.get_x(), p.get_y()) for p in ones) == [(i, i) for i in range(6)]

    def test_halving_covers_each_entry_above_the_diagonal_once(self):
        n, base = 64, 8
        covered = np.zeros((n, n), int)
        for (a, b), (c, d) in feedback.products(0, n, base):
            covered[a:b, c:d] += 1
        block = np.arange(n) // base
        np.testing.assert_array_equal(covered, (block[:, None] < block).astype(int))

    @pytest.mark.parametrize("order", ["nearest", "forward", "backward"])
    def test_targets_in_a_cell_are_rounded_to_its_point(self, order):
        X = {"nearest": ZERO, "forward": q.ldl(H2)[0], "backward": backward(H2)}[order]
        R = np.linalg.cholesky(H2).T
        corners = nearest_plane.cell(R, X)
        inside, outside = (np.linalg.solve(R, scale * corners).T for scale in (1 - 1e-9, 1 + 1e-9))
        for W, zero in ((inside, True), (outside, False)):
            W_hat = np.floor(W + 0.5) if order == "nearest" else q.ldlq(W, H2, order=order)
            assert all(not row.any() for row in W_hat) if zero else all(row.any() for row in W_hat)

    @pytest.mark.parametrize("order", ["forward", "backward"])
    def test_cells_of_ldlq_are_bricks_with_the_loss_of_the_theorem(self, order):
        X = q.ldl(H2)[0] if order == "forward" else backward(H2)
        D = q.ldl(H2 if order == "forward" else H2[::-1, ::-1])[1]
        corners = nearest_plane.cell(np.linalg.cholesky(H2).T, X)
        np.testing.assert_allclose(np.square(corners).sum(axis=0), D.sum() / 4)
        np.testing.assert_allclose(nearest_plane.second_moment(corners), D.sum() / 12)

    def test_best_cell_holds_the_targets_whose_nearest_point_is_the_origin(self):
        R = np.linalg.cholesky(H2).T
        corners = nearest_plane.voronoi_cell(R)
        z = np.stack(np.meshgrid(np.arange(-3, 4), np.arange(-3, 4)), -1).reshape(-1, 2) @ R.T
        distances = np.linalg.norm(corners.T[:, None] - z, axis=2)
        np.testing.assert_allclose(distances.min(axis=1), np.linalg.norm(corners, axis=0))
        a, b = corners, np.roll(corners, -1, axis=1)
        np.testing.assert_allclose(np.abs(a[0] * b[1] - a[1] * b[0]).sum() / 2, np.sqrt(np.linalg.det(H2)))

    def test_steps_end_at_babais_point(self):
        w = np.array([[0.42, 0.44]])
        axes = panels(babai_steps())[0]
        end = next(line for line in axes.lines if "Babai" in line.get_label()).get_xydata()[0]
        np.testing.assert_allclose(end, np.linalg.cholesky(H2).T @ q.babai(w, H2)[0])


def rgb(colour):
    return matplotlib.colors.to_rgb(colour)


def test_figures_reexport_nothing():
    package = import_module("quipref.figures")
    own = [name for name in vars(package) if not name.startswith("_")]
    assert all(inspect.ismodule(getattr(package, name)) for name in own)
