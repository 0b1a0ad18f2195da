"""The lattice E8 (QuIP#, arXiv:2402.04396, section 4.2; Conway and Sloane, Sphere Packings, Lattices and Groups).

Targets are drawn as multiples of a power of two, on which every line of the search is exact: ties are ties, and
there is no tolerance but the standard errors of the second moments.
"""

import numpy as np
from hypothesis import strategies as st
from theorems.claims import for_all

from quipref.lattice import dither, e8

SEEDS = st.integers(0, 2**32 - 1)
# Rows: 2 e_1, e_2 - e_1, ..., e_7 - e_6, and 1/2. Triangular but for the last row, so the volume is 2 * 1^6 / 2.
BASIS = np.vstack([2 * np.eye(8)[:1], np.diff(np.eye(8), axis=0)[:6], np.full((1, 8), 0.5)])


@st.composite
def targets(draw):
    """Rows of eight multiples of 1/8 that shrink to structure, ties and deep holes, or of 2^-20 in generic position."""
    if draw(st.booleans()):
        return np.array([draw(st.lists(st.integers(-40, 40), min_size=8, max_size=8))]) / 8
    return np.round(np.random.default_rng(draw(SEEDS)).uniform(-4, 4, (20, 8)) * 2**20) / 2**20


@st.composite
def points(draw):
    """Some points of E8, from the basis."""
    rows = draw(st.lists(st.lists(st.integers(-3, 3), min_size=8, max_size=8), min_size=1, max_size=4))
    return np.array(rows) @ BASIS


def squared(X):
    return np.square(X).sum(axis=-1)


def check_moments(errors):
    """The 8 means are 0 and the 36 second moments SECOND_MOMENT I, each within five standard errors of its own."""
    rows, columns = np.triu_indices(8)
    for samples, expected in (
        (errors, np.zeros(8)),
        (errors[:, rows] * errors[:, columns], e8.SECOND_MOMENT * (rows == columns)),
    ):
        standard_errors = samples.std(axis=0, ddof=1) / np.sqrt(len(samples))
        assert (np.abs(samples.mean(axis=0) - expected) <= 5 * standard_errors).all()


class TestE1Points:
    """E1, the points. True.

    E8 holds the vectors of eight integers, or of eight halves of odd integers, whose sum is even: D8 and D8 + 1/2.
    It is a lattice of volume 1. Its squared norms are even; 240 sigma_3(N / 2) points have the squared norm N: 240 the
    least one, 2, and 2160 the next.
    """

    @for_all(st.lists(st.integers(-6, 6), min_size=8, max_size=8), st.sampled_from([1, 2, 4]))
    def test_the_points_are_the_integer_combinations_of_a_basis(self, numerators, denominator):
        x = np.array(numerators) / denominator
        inside = e8.contains(x)
        coordinates = x @ np.linalg.inv(BASIS)  # of a triangle of 0, 1/2, 1, 2: exact
        assert inside == (coordinates == np.rint(coordinates)).all()
        assert inside == ((e8.nearest_d8(x) == x).all() or (e8.nearest_d8(x - 0.5) == x - 0.5).all())

    @for_all(points(), st.integers(0, 7), st.sampled_from([0.5, 1.0, 0.25]))
    def test_a_point_is_inside_and_what_is_beside_it_is_not(self, P, i, step):
        assert e8.contains(P).all()
        assert not e8.contains(P + step * np.eye(8)[i]).any()

    def test_the_volume_is_one(self):
        assert abs(np.linalg.det(BASIS)) == e8.VOLUME

    def test_the_shells_are_as_large_as_the_theta_series_says(self):
        for squared_norm in range(0, 14, 2):
            shell = e8.shell(squared_norm)
            assert len(shell) == len(set(map(tuple, shell))) == e8.shell_size(squared_norm)
            assert (squared(shell) == squared_norm).all()
            assert e8.contains(shell).all()

    def test_the_kissing_number_and_the_radius_of_the_packing(self):
        nearest_neighbours = e8.shell(2)
        assert len(nearest_neighbours) == e8.KISSING_NUMBER
        assert np.isclose(np.sqrt(squared(nearest_neighbours)).min() / 2, e8.PACKING_RADIUS, rtol=1e-15, atol=0)


class TestE1NearestPoint:
    """E1, the nearest point. True.

    The better of the nearest points in D8 and in D8 + 1/2 is the nearest in E8, at most at distance 1: the covering
    radius. A point is its own nearest point. Its cell is bounded by the 240 planes halfway to its nearest neighbours.
    """

    WALLS = e8.shell(2)

    @for_all(targets())
    def test_no_other_point_is_nearer(self, X):
        """|e - v|^2 >= |e|^2 = |e - 0|^2, so e.v <= |v|^2 / 2 = 1, for the error e and each of the neighbours v."""
        P = e8.nearest(X)
        assert e8.contains(P).all()
        assert ((X - P) @ self.WALLS.T <= 1).all()

    @for_all(points())
    def test_a_point_is_its_own_nearest(self, P):
        assert (e8.nearest(P) == P).all()
        assert (e8.nearest(P + 0.125) == P).all()  # 1/8 in all coordinates is less than half of sqrt 2

    @for_all(targets())
    def test_nothing_is_farther_than_the_covering_radius(self, X):
        assert (squared(X - e8.nearest(X)) <= e8.COVERING_RADIUS**2).all()

    def test_the_deep_holes_are_halves_of_the_second_shell(self):
        holes = e8.shell(4) / 2
        assert (squared(holes - e8.nearest(holes)) == e8.COVERING_RADIUS**2).all()

    def test_false_that_d8_covers_as_well(self):
        """1/2 lies at distance sqrt 2 from D8."""
        hole = np.full(8, 0.5)
        assert squared(hole - e8.nearest_d8(hole)) == 2 * e8.COVERING_RADIUS**2
        assert squared(hole - e8.nearest(hole)) == 0


class TestE1SecondMoment:
    """E1, the second moment. True.

    The error of a target that is uniform modulo E8 has mean 0 and the second moments 929/12960 I: 0.654 dB less than
    the integers' 1/12, where no lattice can have 10 log10(pi e / 6) = 1.533 dB. With a dither that is uniform over the
    cell it has them for every target.
    """

    M = 40_000

    def test_of_uniform_targets(self):
        """On average; 5 standard errors."""
        X = 2 * np.random.default_rng(0).random((self.M, 8))
        check_moments(X - e8.nearest(X))

    def test_of_any_target_with_a_dither(self):
        """On average; 5 standard errors."""
        for target in (np.zeros(8), np.eye(8)[0], 0.3 * np.arange(8)):
            T = np.tile(target, (self.M, 1))
            _, T_hat = dither.E8Lattice(dithered=True).quantize(T, rng=0)
            check_moments(T - T_hat)

    def test_false_that_a_single_target_without_a_dither_has_them(self):
        """At a point of the lattice there is no error, in a deep hole there is 1: 1/8 a coordinate."""
        for target, error in ((np.zeros(8), 0.0), (np.eye(8)[0], 1.0)):
            _, T_hat = dither.E8Lattice().quantize(target[None])
            assert squared(target - T_hat) == error

    def test_the_gain_lies_between_the_integers_and_the_sphere(self):
        assert e8.granular_gain(1 / 12) == 0
        assert 0 < e8.granular_gain(e8.SECOND_MOMENT) < e8.granular_gain(1 / (2 * np.pi * np.e))
        assert round(e8.granular_gain(e8.SECOND_MOMENT), 3) == 0.654
        assert round(e8.granular_gain(1 / (2 * np.pi * np.e)), 3) == 1.533
