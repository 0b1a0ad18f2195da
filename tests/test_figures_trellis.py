"""The pictures of trellises, rates and codes show what is true."""

import matplotlib
import numpy as np
import pictures_trellis as examples
import pytest
from matplotlib.patches import Rectangle, Wedge

import quipref as q
from quipref.figures import bits, codes, rate, style, trellis
from quipref.trellis import codes as values

SIX = examples.SIX
CIRCLE = [int((2 * examples.RING)[i : i + 6], 2) for i in range(0, 16, 2)]


def panels(figure):
    return [axes for axes in figure.axes if axes.get_label() != "<colorbar>"]


def rgb(colour):
    return matplotlib.colors.to_rgb(style.COLOURS[colour])


def words(axes):
    return [text.get_text() for text in axes.texts]


def rows(axes):
    """The digits of each row of boxes, from the left, by the lower edge: what a reader reads."""
    found = {}
    for text in axes.texts:
        if text.get_text() in ("0", "1"):
            x, y = text.get_position()
            found.setdefault(round(y - bits.BOX / 2, 6), []).append((x, text.get_text()))
    return {y: "".join(digit for _, digit in sorted(row)) for y, row in found.items()}


def filled(axes, role):
    """(x, y) of the boxes with the colour of a role."""
    boxes = [p for p in axes.patches if isinstance(p, Rectangle) and p.get_facecolor()[:3] == rgb(role)]
    return {(round(p.get_x()), round(p.get_y(), 6)) for p in boxes if p.get_facecolor()[3]}


def test_windows_are_the_states_that_unpack_reads():
    axes = panels(trellis.windows({"circle": (examples.RING, SIX, True)}))[0]
    drawn = [int(row, 2) for y, row in rows(axes).items() if y < 0]
    stored = np.array([[int(examples.RING, 2)]], np.uint16)
    assert drawn == CIRCLE == q.unpack(stored, SIX, 8)[0].tolist()
    assert [word for word in words(axes) if "=" in word] == [f"$s_{{{i}}}$ = {s}" for i, s in enumerate(CIRCLE)]


def test_each_bit_of_the_stream_is_owned_once_and_what_wraps_is_marked():
    axes = panels(trellis.windows({"circle": (examples.RING, SIX, True)}))[0]
    assert sorted(x for x, _ in filled(axes, trellis.INSIDE)) == list(range(16))
    around = filled(axes, trellis.AROUND)
    assert all(x >= 16 for x, _ in around)
    assert sorted(x for x, y in around if y > 0) == [16, 17, 18, 19]
    assert len([1 for _, y in around if y < 0]) == 2 + 4  # s_6 has two bits from the beginning, s_7 four


def test_a_free_stream_has_no_windows_beyond_its_end():
    axes = panels(trellis.windows({"free": ("0010110", q.BitshiftTrellis(2, 1), False)}))[0]
    assert [int(row, 2) for y, row in rows(axes).items() if y < 0] == [0, 1, 2, 1, 3, 2]
    assert not filled(axes, trellis.AROUND)


def test_arcs_of_the_ring_lie_over_their_bits_and_apart():
    axes = panels(trellis.ring(examples.RING, SIX))[0]
    arcs = [p for p in axes.patches if isinstance(p, Wedge)]
    bit_arcs, windows = arcs[:16], arcs[16:]
    assert len(windows) == 8
    for i, arc in enumerate(windows):
        middle = (90 - (arc.theta1 + arc.theta2) / 2) % 360
        assert abs(middle - 360 * (2 * i + 3) / 16 % 360) < 1e-9
        assert (arc.get_facecolor()[:3] == rgb(trellis.AROUND)) == (i >= 6)
    assert {arc.r for arc in bit_arcs} == {1}
    for i, one in enumerate(windows):
        for j, other in enumerate(windows[:i]):
            apart = min((2 * i - 2 * j) % 16, (2 * j - 2 * i) % 16)
            assert one.r != other.r or apart >= 6


def test_walk_is_drawn_state_by_state_and_closes():
    circle, free = panels(examples.walks())
    curve = next(line for line in circle.lines if line.get_label() == "the walk")
    assert curve.get_ydata().tolist() == [0, 1, 2, 1, 3, 2]
    back = next(line for line in circle.lines if line.get_label().startswith("back"))
    assert back.get_xydata().tolist() == [[5, 2], [6, 0]]
    assert [t.get_text() for t in circle.get_xticklabels()] == ["start", "1", "0", "1", "1", "0", "0"]
    assert not any(line.get_label().startswith("back") for line in free.lines)
    assert [t.get_text() for t in free.get_xticklabels()] == ["start", "00", "01"]


@pytest.mark.parametrize(("number", "trellis_"), [(0, q.BitshiftTrellis(2, 1)), (1, q.BitshiftTrellis(4, 2))])
def test_all_edges_are_drawn_and_no_others(number, trellis_):
    axes = panels(examples.walks())[number]
    faint = [line for line in axes.lines if line.get_color() == style.COLOURS["faint"]]
    first = {tuple(line.get_ydata()) for line in faint if line.get_xdata()[0] == 0}
    assert first == {(s, e) for s in range(trellis_.n_states) for e in trellis_.successors([s])[0]}
    dark = [tuple(line.get_xydata()[:, 1]) for line in axes.lines if line.get_color() == style.COLOURS["muted"]]
    start = 0 if number == 0 else 11
    assert {pair for pair in dark if len(pair) == 2 and pair[0] == start} >= {
        (start, e) for e in trellis_.successors([start])[0]
    }


def test_offers_name_the_error_and_draw_what_was_taken():
    x = np.array([0.0, 1.0])
    axes = panels(trellis.offers(x, {"one": (np.array([[0.5, 2.0], [1.0, 3.0]]), np.array([0.5, 1.0]))}))[0]
    assert axes.get_title(loc="left") == "one: mean squared error 0.125"
    drawn = {line.get_label(): line.get_ydata().tolist() for line in axes.lines}
    assert drawn == {"offered": [0.5, 2.0, 1.0, 3.0], "weight": [0.0, 1.0], "taken": [0.5, 1.0]}


def test_limit_is_shannons_and_distances_are_decibels():
    left, right = panels(rate.rate_distortion({"Lloyd-Max": (np.array([1.0, 2.0]), np.array([0.5, 0.125]))}))
    limit = next(line for line in left.lines if line.get_label().startswith("limit"))
    np.testing.assert_allclose(limit.get_ydata(), [q.distortion_rate(b) for b in limit.get_xdata()])
    distances = next(line for line in right.lines if line.get_marker() == "s").get_ydata()
    np.testing.assert_allclose(distances, 10 * np.log10(2))


def test_a_published_figure_is_dashed_and_says_so():
    axes = panels(examples.memory())[0]
    levels = {line.get_ydata()[0]: line.get_ls() for line in axes.lines if np.ptp(line.get_ydata()) == 0}
    assert levels[0.089] == "--" and levels[0.1175] == "-"
    assert any("published: 0.089" in word for word in words(axes))
    assert any("0.0625" in word for word in words(axes))


def test_what_lies_below_the_limit_is_counted_and_coloured():
    e = np.array([0.05, 0.06, 0.07, 0.08, 0.09])
    axes = panels(rate.sequences({"five": e}, 0.0625))[0]
    assert axes.get_title(loc="left") == "five: 40% below"
    heights = {}
    for bar in axes.patches:
        role = next(name for name in ("quip#", "ldlq") if bar.get_facecolor()[:3] == rgb(name))
        heights.setdefault(role, []).append((bar.get_x(), bar.get_height(), bar.get_width()))
    assert sum(h for _, h, _ in heights["quip#"]) == 2 and sum(h for _, h, _ in heights["ldlq"]) == 3
    assert max(x + w for x, h, w in heights["quip#"] if h) < 0.0625 + 1e-9
    assert min(x for x, h, _ in heights["ldlq"] if h) > 0.0625 - 1e-9


@pytest.mark.parametrize("state", [0, 1, 12345, 40000, 65535])
def test_steps_of_a_hash_end_at_the_value_of_the_code(state):
    table = np.random.default_rng(0).standard_normal((512, 2)).astype(np.float32)
    for figure, value in (
        (codes.one_mad(state), f"= {values.one_mad(16)[state, 0]:.4f}"),
        (codes.three_inst(state), f"= {values.three_inst(16)[state, 0]:.4f}"),
        (codes.hyb(state, table), "({:.4f}, {:.4f})".format(*values.hyb(table, 16)[state])),
    ):
        axes = panels(figure)[0]
        assert words(axes)[-1].endswith(value)
        assert rows(axes)[0.0] == f"{state:016b}"


def test_bytes_and_fields_are_those_of_the_words():
    axes = panels(codes.one_mad(12345))[0]
    product = int(rows(axes)[-codes.PITCH], 2)
    assert product == (34038481 * 12345 + 76625530) % 2**32
    assert [word for word in words(axes) if word.startswith("byte")] == [
        f"byte {b}" for b in product.to_bytes(4, "big")
    ]
    axes = panels(codes.three_inst(12345))[0]
    half = rows(axes)[-4 * codes.PITCH]
    assert len(half) == 32 and half[1] == half[17] == "0"
    for i, number in enumerate(np.array([int(half[:16], 2), int(half[16:], 2)], np.uint16).view(np.float16)):
        sign, power, mantissa = words(axes)[-7 + 3 * i : -4 + 3 * i]
        assert (sign == "$-$") == (number < 0)
        assert abs(float(mantissa) * 2.0 ** int(power[4:-2]) - abs(float(number))) < 1e-4


def test_a_code_is_drawn_in_units_of_its_own_size():
    axes = panels(codes.histograms({"a": np.array([[2.0], [-2.0]]), "b": np.array([[1.0], [-1.0]])}))
    heights = [[bar.get_height() for bar in panel.patches] for panel in axes]
    assert heights[0] == heights[1]
    full = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in axes[0].patches if bar.get_height()]
    assert [left <= value < right for (left, right), value in zip(full, (-1, 1), strict=True)] == [True, True]


def test_panels_that_are_not_used_vanish():
    assert len(panels(examples.histograms())) == len(panels(examples.overlaps())) == 7


def test_every_code_is_in_the_pictures_that_compare_them():
    found = {str(i): np.full(3, 0.1 * i) for i in range(9)}
    axes = panels(codes.lags(found))[0]
    drawn = [line for line in axes.lines if line.get_label() in found]
    assert [line.get_ydata()[0] for line in drawn] == [0.1 * i for i in range(9)]
    axes = panels(codes.errors({"a": (0.07, 0.001), "b": (0.1, 0.002)}, {"limit": 0.0625}))[0]
    bars = [container.lines[2][0].get_segments()[0][:, 0].tolist() for container in axes.containers]
    np.testing.assert_allclose(bars, [[0.065, 0.075], [0.09, 0.11]])
    assert words(axes) == ["0.0700", "0.1000"]
