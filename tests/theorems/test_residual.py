"""QuIP# (arXiv:2402.04396), section 4.3: the codebook of one bit a weight, and residual codes of 3 and 4 bits.

Targets of the first are multiples of 2^-12, on which every score is exact in single precision.
"""

from itertools import product

import numpy as np
from hypothesis import strategies as st
from theorems.claims import for_all

import quipref
from quipref.lattice import e8p, one_bit, residual, scales

SEEDS = st.integers(0, 2**32 - 1)
UNIT = 2.0**-24  # relative error of one operation in single precision


@st.composite
def vectors(draw):
    """One vector of multiples of 1/4, which shrinks to structure and ties, or some in generic position."""
    if draw(st.booleans()):
        return np.array([draw(st.lists(st.integers(-12, 12), min_size=8, max_size=8))]) / 4
    return np.round(np.random.default_rng(draw(SEEDS)).uniform(-3, 3, (20, 8)) * 2**12) / 2**12


@st.composite
def rounders(draw, bits):
    """A quantizer with any scales, and targets of about its size."""
    scale, r = draw(st.floats(0.01, 100)), draw(st.floats(0.5, 20))
    rounder = quipref.ResidualQuantizer(bits, scale, r, backend="numpy")
    return rounder, rounder.scale * np.random.default_rng(draw(SEEDS)).standard_normal((4, 16))


def taken_apart(rounder, T):
    """(x, x_hat, q_1, q_2, r, all second points), vectors of eight in units of the codebook."""
    codes, T_hat = rounder.quantize(T)
    table = (e8p.points() if rounder.bits == 4 else one_bit.points()).astype(np.float64)
    assert (codes & 0xFFFF).max() < len(table)
    q_1, q_2 = e8p.points()[codes >> 16].astype(np.float64), table[codes & 0xFFFF]
    x, x_hat = (A.reshape(q_1.shape) / rounder.scale for A in (T, T_hat))
    return x, x_hat, q_1, q_2, rounder.residual_scale, table


def second_slack(x, q_1, r):
    """How much farther than the nearest one, squared, the second point may be for the rounding to single precision.

    A coordinate of the remainder y strays by 3 UNIT r (|x| + |q_1|): x, the difference and the product are rounded. No
    two points are more than 6 apart in a coordinate. A score has 20 operations on numbers that 3 (sum |y| + 8) + 8
    bounds, two scores are compared, and twice a score is what a squared distance has besides |y|^2.
    """
    strays = 3 * UNIT * r * (np.abs(x) + np.abs(q_1)).sum(axis=-1)
    scores = 20 * UNIT * (3 * (r * np.abs(x - q_1).sum(axis=-1) + 8) + 8)
    return 2 * 6 * strays + 4 * scores


def errors(X, bits, source_scale, residual_scale):
    """The mean squared error of each vector of X on N(0, 1)."""
    rounder = quipref.ResidualQuantizer(bits, 1 / source_scale, residual_scale, backend="numpy")
    return np.square(X - rounder.quantize(X)[1]).mean(axis=1)


def positive(differences):
    """Whether the mean of independent numbers is 5 standard errors above zero."""
    return differences.mean() > 5 * differences.std(ddof=1) / np.sqrt(len(differences))


class TestE6OneBitCodebook:
    """E6, section 4.3. True.

    The origin and the 240 roots of E8 leave room for 15 of the 16 vectors +-2 e_i among 256 points: -2 e_8 is missing.
    The search finds the nearest of them.
    """

    def test_it_is_all_that_is_short_but_one(self):
        """Against all vectors of E8 with entries from {-1, 0, 1} or {-1/2, 1/2}, and the vectors +-2 e_i."""
        entries = np.array([*product((-1, 0, 1), repeat=8), *product((-0.5, 0.5), repeat=8)])
        short = entries[(np.square(entries).sum(axis=1) <= 2) & (entries.sum(axis=1) % 2 == 0)]
        twos = 2 * np.concatenate([np.eye(8), -np.eye(8)])
        found = {tuple(point) for point in one_bit.points().tolist()}
        assert len(found) == len(one_bit.points()) == 1 + 240 + 15
        missing = {tuple(v) for v in [*(short + 0.0).tolist(), *(twos + 0.0).tolist()]} - found
        assert missing == {(0, 0, 0, 0, 0, 0, 0, -2)}
        assert len(short) == 241

    @for_all(vectors())
    def test_the_nearest_of_all_is_found(self, X):
        distances = np.square(X[:, None] - one_bit.points()).sum(axis=2)
        codes, X_hat = one_bit.quantize(X, backend="numpy")
        assert (X_hat == one_bit.points()[codes]).all()
        assert (np.square(X - X_hat).sum(axis=1) == distances.min(axis=1)).all()

    def test_every_point_is_its_own_nearest(self):
        codes, _ = one_bit.quantize(one_bit.points(), backend="numpy")
        assert codes.tolist() == list(range(256))
        assert (one_bit.decode(codes) == one_bit.points()).all()

    def test_false_that_the_codebook_is_symmetric(self):
        """2 e_8 is alone; a target in the opposite direction goes to a root, at thirteen times the squared error."""
        lonely = {tuple(p) for p in one_bit.points().tolist()} - {tuple(p) for p in (0 - one_bit.points()).tolist()}
        assert lonely == {(0, 0, 0, 0, 0, 0, 0, 2)}
        x = np.array([0, 0, 0, 0, 0, 0, 0, 2.5])
        squared = [np.square(t - one_bit.quantize(t, backend="numpy")[1]).sum() for t in (x, -x)]
        assert squared == [0.25, 1.5**2 + 1]


class TestE7ResidualCodes:
    """E7, section 4.3. True, and what it is worth depends on two scales.

    x is rounded to q_1 + q_2 / r, q_1 nearest to x and q_2 nearest to r (x - q_1); the error is that of the second
    rounding over r. With 3 bits q_2 is one of the 256 points of one bit a weight, with 4 bits another point of E8P.
    """

    @for_all(rounders(3) | rounders(4))
    def test_the_second_point_is_nearest_to_the_remainder(self, drawn):
        x, x_hat, q_1, q_2, r, table = taken_apart(*drawn)
        assert (e8p.quantize(x, backend="numpy")[1] == q_1).all()
        assert (np.abs(x_hat - (q_1 + q_2 / r)) <= 2 * UNIT * (np.abs(q_1) + np.abs(q_2) / r)).all()
        rest = r * (x - q_1)
        least = np.square(rest).sum(axis=-1) + (np.square(table).sum(axis=1) - 2 * rest @ table.T).min(axis=-1)
        assert (np.square(rest - q_2).sum(axis=-1) <= least + second_slack(x, q_1, r)).all()

    def test_three_bits_beat_the_best_scalar_quantizer(self):
        """On average, 5 standard errors; and no code beats D(R)."""
        s, r = scales.SOURCE_SCALES[3], residual.RESIDUAL_SCALES[3]
        error = scales.scale_scan(3, s, r, seed=0, n_vectors=4096, backend="numpy").best()[2]
        assert error.mean + 5 * error.standard_error < quipref.lloyd_max(8).mse
        assert error.mean - 5 * error.standard_error > quipref.distortion_rate(3)

    def test_the_scales_for_three_bits_are_the_best_of_their_neighbourhood(self):
        """On average, 5 standard errors of the paired difference, for each scale ten per cent up and down."""
        s, r = scales.SOURCE_SCALES[3], residual.RESIDUAL_SCALES[3]
        X = np.random.default_rng(1).standard_normal((2**13, 8))
        here = errors(X, 3, s, r)
        for other in ((1.1 * s, r), (s / 1.1, r), (s, 1.1 * r), (s, r / 1.1)):
            assert positive(errors(X, 3, *other) - here)

    def test_false_that_the_scales_for_four_bits_are_the_best(self):
        """Source scale 0.9 and residual scale 3.8 leave less error; then four bits beat Lloyd and Max's."""
        X = np.random.default_rng(2).standard_normal((2**12, 8))
        theirs = errors(X, 4, scales.SOURCE_SCALES[4], residual.RESIDUAL_SCALES[4])
        ours = errors(X, 4, 0.9, 3.8)
        assert positive(theirs - ours)
        assert positive(quipref.lloyd_max(16).mse - ours)

    def test_false_that_the_nearest_first_point_is_the_best(self):
        """Another first point, farther from x, can leave a remainder that the second codebook meets better."""
        rounder, better = quipref.ResidualQuantizer(3, backend="numpy"), 0
        X = np.random.default_rng(3).standard_normal((20, 8))
        _, X_hat = rounder.quantize(X)
        for x, x_hat in zip(X, X_hat, strict=True):
            near = e8p.points()[np.argsort(np.square(x - e8p.points()).sum(axis=1))[:20]]
            rest = rounder.residual_scale * (x - near)
            left = np.square(rest - one_bit.quantize(rest, backend="numpy")[1]).sum(axis=1) / rounder.residual_scale**2
            better += left.min() < (1 - 1e-4) * np.square(x - x_hat).sum()
        assert better > 0
