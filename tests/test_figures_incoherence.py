"""The pictures of incoherence and of Hadamard matrices show what is true."""

from types import SimpleNamespace

import matplotlib
import numpy as np
import pictures
import pytest

import quipref as q
from quipref.figures import hadamard, incoherence, mu, style


def panels(figure):
    return [axes for axes in figure.axes if axes.get_label() != "<colorbar>"]


def rgb(colour):
    return matplotlib.colors.to_rgb(colour)


@pytest.mark.parametrize("shape", [(3, 4), (5, 1000), (700, 700)])
def test_no_outlier_is_lost_in_a_pixel(shape):
    rng = np.random.default_rng(0)
    for _ in range(20):
        X = np.zeros(shape)
        i, j = (int(rng.integers(size)) for size in shape)
        X[i, j] = 1.0
        small = incoherence.largest_of_blocks(X, 48)
        assert max(small.shape) <= 48
        assert small.sum() == 1
        assert abs(np.argmax(small.any(axis=1)) / small.shape[0] - i / shape[0]) < 1 / min(48, shape[0])


def test_heatmap_is_the_same_for_a_layer_of_another_scale():
    W, H = q.random_layer(12, 16, spectrum="outlier", seed=0)
    drawn = [
        [axes.images[0].get_array() for axes in panels(incoherence.heatmaps({"before": (s * W, s * H, 1.0, 1.0)}))]
        for s in (1, 64)
    ]
    for one, other in zip(*drawn, strict=True):
        np.testing.assert_array_equal(one, other)
    incoherence.heatmaps({"before": (0 * W, 0 * H, 1.0, 1.0)})  # a layer of zeros has no scale at all


def test_every_weight_is_within_the_histograms_and_these_share_their_bins():
    W = np.random.default_rng(0).standard_normal((40, 50))
    spiked = W.copy()
    spiked[3, 5] = 40.0
    look = [SimpleNamespace(transform=name, mu_weights=1.0, mu_hessian=1.0) for name in ("none", "hadamard")]
    figure = incoherence.before_and_after([(look[0], spiked, np.eye(50)), (look[1], W, np.eye(50))])
    below = [axes for axes in panels(figure) if axes.get_xlabel() == "weight / rms"]
    edges = [[bar.get_x() for bar in axes.patches] for axes in below]
    assert edges[0] == edges[1]
    for axes, X in zip(below, (spiked, W), strict=True):
        share = np.array([bar.get_height() * bar.get_width() for bar in axes.patches])
        assert abs(share.sum() - 1) < 1e-9
        assert min(bar.get_height() for bar in axes.patches if bar.get_height()) > axes.get_ylim()[0]
        left, right = axes.get_xlim()
        scaled = incoherence.in_rms(X)
        assert left < scaled.min() and scaled.max() < right
        last = max(axes.patches, key=lambda bar: bar.get_x() if bar.get_height() else -np.inf)
        assert last.get_x() <= scaled.max() <= last.get_x() + last.get_width()
    assert panels(figure)[0].get_title(loc="left").startswith("none (before)")
    assert [axes.get_xlabel() for axes in figure.axes if axes.get_label() == "<colorbar>"] == [incoherence.SCALE]


def test_quantiles_of_a_sorted_ramp_are_the_ramp():
    W = np.arange(-50, 51).reshape(1, -1) + 0.0
    _, right = panels(incoherence.against_gaussian({"before": W}, np.linspace(-1, 1, 101)))
    line = next(line for line in right.lines if line.get_label() == "before")
    np.testing.assert_allclose(line.get_ydata(), W[0] / np.sqrt(np.square(W).mean()))


def test_grid_reaches_the_largest_weight_and_its_error_is_that_of_the_clamped_grid():
    W = np.random.default_rng(0).standard_normal((20, 20))
    axes = panels(mu.one_grid({"rotated": W, "again": W}, bits=2))[0]
    levels = [line.get_xdata()[0] for line in axes.lines]
    largest = np.abs(W).max()
    np.testing.assert_allclose(levels, largest * np.array([-1, -1 / 3, 1 / 3, 1]))
    grid = q.IntegerGrid(-2, 1)
    step = 2 * largest / 3
    error = np.square(step * (grid.quantize(W / step - 0.5)[1] + 0.5) - W).sum() / np.square(W).sum()
    assert f"{error:.0%}" in axes.get_title(loc="left")


def test_a_bound_above_the_cap_is_not_drawn_among_the_seeds():
    left, right = panels(pictures.mu_and_bounds())
    assert [line.get_xdata()[0] for line in left.lines] == [6, np.sqrt(128)]
    assert [line.get_label() for line in right.lines if "bound" in line.get_label()] == [
        "bound, kronecker",
        "bound, hadamard",
    ]


def test_layers_are_drawn_where_they_are():
    losses = {"q, k": np.array([[0.2, 0.1]]), "down": np.array([[0.4, 0.3]])}
    left, right = panels(mu.losses_of_layers(losses, {kind: 2 * loss for kind, loss in losses.items()}))
    drawn = {line.get_label(): line.get_xydata().tolist() for line in left.lines}
    assert drawn["q, k"] == [[0.2, 0.1]] and drawn["down"] == [[0.4, 0.3]]
    points = {tuple(line.get_xydata()[0]) for line in right.lines if line.get_ls() == "None" and len(line.get_xdata())}
    assert points == {(0.4, 0.2), (0.2, 0.1), (0.8, 0.4), (0.6, 0.3)}


@pytest.mark.parametrize(
    ("n", "name"),
    [
        (64, "Sylvester"), (1536, "Paley I"), (72, "Paley II"), (104, "Williamson"), (10920, "several"),
        (668, "fallback"), (7, "fallback"), (1028, "Miyamoto"),
    ],
)  # fmt: skip
def test_family_of_a_plan(n, name):
    assert hadamard.family(q.hadamard_plan(n)) == name


def test_every_family_is_on_the_map_and_the_counts_are_those_of_the_plans():
    figure = pictures.map_of_sizes()
    plans = [q.hadamard_plan(n) for n in range(4, 801, 4)]
    counts = {}
    for text in figure.legends[0].get_texts():
        name, count = text.get_text()[3:].split(": ")
        counts[name] = int(count)
    assert set(counts) == set(hadamard.FAMILIES)
    assert counts["fallback"] == sum(not plan.exact for plan in plans)
    assert counts["Sylvester"] == 8  # 2^2 to 2^9
    assert sum(counts.values()) == 200


def test_the_map_shows_668_as_missing():
    axes = panels(pictures.map_of_sizes())[0]
    cell = next(p for p in axes.patches if (p.get_x(), p.get_y()) == (668 // 4 - 1 - 25 * 6, 6))
    assert cell.get_facecolor()[:3] == rgb(style.COLOURS["quip#"])


@pytest.mark.parametrize("n", [2, 8, 16])
def test_butterflies_multiply_by_sylvesters_matrix(n):
    axes = panels(hadamard.butterflies(n))[0]
    H = np.eye(n)
    for stage in range(n.bit_length() - 1):
        step = np.zeros((n, n))
        for line in axes.lines:
            x, y = line.get_xdata(), line.get_ydata()
            if len(x) == 2 and tuple(x) == (stage, stage + 1):
                step[int(y[1]), int(y[0])] = -1 if line.get_ls() == "--" else 1
        H = step @ H
    np.testing.assert_array_equal(H, q.hadamard_plan(n).matrix())


def test_entries_are_drawn_with_their_signs():
    H = q.hadamard_plan(12).matrix()
    image = panels(hadamard.entries({"order 12": H}))[0].images[0]
    colours = image.to_rgba(image.get_array())[..., :3]
    np.testing.assert_allclose(colours[H == 1], [rgb(style.COLOURS["ldlq"])] * (H == 1).sum(), atol=1e-9)
    np.testing.assert_allclose(colours[H == -1], [rgb(style.COLOURS["nearest"])] * (H == -1).sum(), atol=1e-9)


def test_entries_of_all_matrices_share_one_scale_which_the_key_names():
    figure = hadamard.entries({"signs": np.array([[1, 1], [1, -1]]), "larger": np.diag([1.5, -0.5])})
    assert [axes.images[0].get_clim() for axes in panels(figure)] == [(-1.5, 1.5)] * 2
    key = {t.get_text(): h.get_facecolor()[:3] for t, h in zip(*legend_parts(figure), strict=True)}
    assert key == {
        "+1.5": rgb(style.COLOURS["ldlq"]),
        "0": (1, 1, 1),
        "\N{MINUS SIGN}1.5": rgb(style.COLOURS["nearest"]),
    }


def legend_parts(figure):
    (legend,) = figure.legends
    return legend.get_texts(), legend.legend_handles


def test_stems_say_mu():
    left, right = panels(hadamard.stems({"a": (np.eye(1, 16)[0], np.full(16, -0.25)), "b": (np.ones(4), np.ones(4))}))[
        :2
    ]
    assert "4.00" in left.get_title(loc="left") and "1.00" in right.get_title(loc="left")
