"""The pictures of Viterbi's algorithm and of QTIP show what is true."""

import matplotlib
import numpy as np
import pictures_viterbi as examples
import pytest
from matplotlib.collections import LineCollection

from quipref.figures import butterfly, qtip, style, viterbi


def panels(figure):
    return [axes for axes in figure.axes if axes.get_label() != "<colorbar>"]


def rgb(colour):
    return matplotlib.colors.to_rgb(colour)


def lines(axes, colour):
    """The curves of that colour, as lists of points."""
    return [line.get_xydata().tolist() for line in axes.lines if rgb(line.get_color()) == rgb(colour)]


def edges(axes, colour):
    """(step, from, to) of the branches of that colour."""
    found = [c for c in axes.collections if isinstance(c, LineCollection) and rgb(c.get_colors()[0]) == rgb(colour)]
    return {(int(a[0]), int(a[1]), int(b[1])) for c in found for a, b in c.get_segments()}


def words(axes):
    return [text.get_text() for text in axes.texts]


def steps_of(walk):
    return set(zip(range(len(walk) - 1), walk[:-1], walk[1:], strict=True))


def every_walk(steps):
    """All walks of L = 4, k = 1."""
    stream = np.arange(2 ** (4 + steps - 1))
    return stream[:, None] >> np.arange(steps - 1, -1, -1) & 15


class TestSurvivors:
    X = np.random.default_rng(0).standard_normal(32)

    def best_walk_to_each_group(self, step):
        """By enumeration."""
        walks = every_walk(step + 1)
        cost = np.square(examples.codes.gaussian(4, seed=0)[walks, 0] - self.X[: step + 1]).sum(axis=1)
        groups = [np.flatnonzero(walks[:, -1] % 8 == u) for u in range(8)]
        return walks[[some[cost[some].argmin()] for some in groups]].tolist(), walks[cost.argmin()].tolist()

    @pytest.mark.parametrize("frame", [0, 1, 2])
    def test_a_frame_shows_the_best_walk_to_each_group(self, frame):
        step = [2, 5, 8][frame]
        axes = panels(examples.film())[frame]
        walks, cheapest = self.best_walk_to_each_group(step)
        assert edges(axes, viterbi.ALIVE) == set().union(*map(steps_of, walks))
        assert lines(axes, viterbi.BEST)[0] == [[i, s] for i, s in enumerate(cheapest)]
        assert lines(axes, viterbi.BEST)[1] == [[step, cheapest[-1]]]
        assert f"after step {step}" == axes.get_title(loc="left")

    def test_what_died_was_alive_before_and_is_not_now(self):
        axes = panels(examples.film())[2]
        ever = [set().union(*map(steps_of, self.best_walk_to_each_group(step)[0])) for step in range(1, 9)]
        assert edges(axes, viterbi.DEAD) == set().union(*ever) - ever[-1]
        assert edges(axes, viterbi.DEAD)

    def test_the_stem_is_what_all_survivors_share(self):
        before, costs = examples.a_pass()
        left, _ = panels(examples.merging())
        stem = np.array(lines(left, viterbi.BEST)[0])[:, 1]
        walks = viterbi.survivors(before, 1, 31)
        assert (walks[:, : len(stem)] == stem).all() and len(set(walks[:, len(stem)])) > 1
        assert left.get_title(loc="left").endswith(f" {len(stem) - 1}")
        assert (examples.back(before, costs[-1].argmin(), 1)[: len(stem)] == stem).all()

    def test_nothing_may_be_decided(self):
        left, _ = panels(viterbi.merging(examples.a_pass(3)[0], 1, {4: np.ones(3)}))
        assert lines(left, viterbi.BEST) == [[]]
        assert left.get_title(loc="left").startswith("Nothing")


class TestTie:
    def test_costs_and_winners(self):
        left, _ = panels(examples.tie())
        cost = np.array([float(text) for text in words(left) if not text.startswith("group")])
        winners = {tuple(p[0])[1] for colour in (viterbi.BEST, style.COLOURS["muted"]) for p in lines(left, colour)}
        assert winners == {u + 4 * cost.reshape(2, 4)[:, u].argmin() for u in range(4)}
        (best,), (other,) = lines(left, viterbi.BEST), lines(left, viterbi.OTHER)
        assert (best[0][1], other[0][1]) == (1, 5) and cost[1] == cost[5] and best[1] == other[1]

    def test_two_walks_of_one_cost(self):
        _, right = panels(examples.tie())
        x = np.round(4 * np.random.default_rng(27).standard_normal(12)) / 4
        walks = [
            np.array(curve, int)[:, 1] for colour in (viterbi.BEST, viterbi.OTHER) for curve in lines(right, colour)
        ]
        assert len({np.square(examples.QUARTERS[walk] - x).sum() for walk in walks}) == 1
        shaded = sorted(round(patch.get_x() + 0.5) for patch in right.patches)
        assert shaded == np.flatnonzero(walks[0] != walks[1]).tolist() == [3, 4, 5]


class TestCircle:
    def test_bits_in_brackets_agree_where_the_walk_closes(self):
        above, middle, below = panels(examples.algorithm_4())
        assert words(above) == ["1[011]", "[110]0"]  # 11, then 12
        assert words(middle) == words(below) == ["0[110]", "[110]0"]  # 6, then 12

    def test_the_closing_edge_is_dotted_where_there_is_none(self):
        above, _, below = panels(examples.algorithm_4())
        ends = [axes.lines[1] for axes in (above, below)]
        assert [line.get_linestyle() for line in ends] == [":", "-"]
        assert [line.get_xydata().tolist() for line in ends] == [[[15, 11], [16, 12]], [[15, 6], [16, 12]]]

    def test_the_first_pass_is_labelled_by_its_own_steps(self):
        _, middle, _ = panels(examples.algorithm_4())
        assert [t.get_text() for t in middle.get_xticklabels()] == [str(i % 16) for i in range(8, 24)]

    def test_prices_are_drawn_as_given(self):
        left, right = panels(examples.price_of_a_circle())
        assert [line.get_label() for line in left.lines] == ["best circle", "algorithm 4"]
        np.testing.assert_allclose(right.lines[0].get_ydata(), [25, 12.5, 6.25, 3.125, 1.5625])


class TestButterfly:
    @pytest.mark.parametrize("shift", [1, 2])
    def test_wires_join_a_minimum_with_what_it_is_taken_of(self, shift):
        axes = panels(butterfly.places(4, [1, 2]))[shift - 1]
        stands = {text.xy: int(text.get_text()) for text in axes.texts}
        for step in range(4 // shift):
            joined = set()
            for line in axes.lines:
                (x, a), (_, b) = line.get_xydata()
                if int(x) == step:
                    joined.add((stands[step, a], stands[step + 1, b]))
            # the group (c, r) has the successors (r, b)
            assert joined == {(u, (u << shift) % 16 + b) for u in range(16) for b in range(2**shift)}

    def test_what_is_written_stands_where_something_was_read(self):
        for line in panels(examples.places())[0].lines:
            r_is_one = rgb(line.get_color()) == rgb(viterbi.BEST)
            assert r_is_one == (line.get_linewidth() == 2)
        stands = [{t.xy[1]: t.get_text() for t in panels(examples.places())[0].texts if t.xy[0] == i} for i in (0, 4)]
        assert stands[0] == stands[1] == {i: str(i) for i in range(16)}

    def test_numbers_are_rotated(self):
        assert butterfly.rotated(np.array([0b0001, 0b1000, 0b1010]), 1, 4).tolist() == [0b0010, 0b0001, 0b0101]
        assert butterfly.rotated(np.arange(16), 4, 4).tolist() == list(range(16))

    def test_the_choice_is_marked(self):
        left, right = panels(examples.coarse_costs())
        assert left.lines[1].get_xdata() == [512, 512]
        np.testing.assert_allclose(left.lines[0].get_ydata()[0], 100 * 4 / 4**1.5)
        assert max(right.lines[0].get_ydata()) == 100


class TestQtip:
    def test_histograms_are_in_root_mean_squares(self):
        rng = np.random.default_rng(0)
        X = rng.standard_normal((64, 64))
        left, right = panels(qtip.targets({"weights": 7 * X, "targets": X}, np.ones(4), 0.9))
        drawn = [patch.get_data().values for patch in left.patches]
        np.testing.assert_array_equal(drawn[0], drawn[1])
        level = next(line for line in right.lines if line.get_label().startswith("the code"))
        np.testing.assert_allclose(level.get_ydata(), 1 / 0.9)

    def test_a_tile_and_its_bits(self):
        target, decoded, difference, bits = panels(examples.tile())
        X, X_hat, E = (axes.images[0].get_array() for axes in (target, decoded, difference))
        np.testing.assert_allclose(X - X_hat, E)
        assert len({axes.images[0].get_clim() for axes in (target, decoded, difference)}) == 1
        rng = np.random.default_rng(0)
        rng.standard_normal((16, 16))
        first = rng.integers(0, 2**16, (16, 2), np.uint16)[0]
        assert "".join(map(str, bits.images[0].get_array()[0])) == f"{first[0]:016b}{first[1]:016b}"
        assert "512" in bits.get_xlabel()

    def test_names_of_near_levels_are_moved_apart_in_their_order(self):
        moved = qtip.apart([1.0, 0.0, 1.05, 0.95], 0.2)
        np.testing.assert_allclose(moved, [1.15, 0.0, 1.35, 0.95])

    def test_levels_are_drawn_at_their_losses(self):
        axes = panels(examples.loss_by_states())[0]
        for name, level in {"nearest": 1.0, "ldlq": 0.96, "quip": 0.4}.items():
            assert any(line[0][1] == line[1][1] == level for line in lines(axes, style.COLOURS[name]))
        assert [line.get_label() for line in axes.lines[3:]] == ["1mad", "3inst", "lut", "hyb"]

    def test_rates_over_the_bound(self):
        _, right = panels(examples.rates())
        heights = {line.get_label(): line.get_ydata() for line in right.lines}
        np.testing.assert_allclose(heights["QTIP, L = 4"], 1.75)
        np.testing.assert_allclose(heights["D(R)"], 1)
        np.testing.assert_allclose(heights["Lloyd-Max, Gaussian"], 2)
