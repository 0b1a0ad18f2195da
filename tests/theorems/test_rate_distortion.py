"""The Gaussian source, and what was known before QTIP: the limit, scalar quantizers, trellis-coded quantization.

Everywhere the source is N(0, 1), errors are mean squared errors, and R counts all bits that a decoder needs.
"""

import math

import numpy as np
from hypothesis import strategies as st
from scipy.integrate import quad
from theorems.claims import for_all

import quipref
from quipref import gaussian
from quipref.trellis import codes

SMALL = [(4, 1, 1), (6, 2, 1), (6, 1, 2), (8, 1, 1), (8, 2, 2)]  # (L, k, V)


def coded(L, k, V, *, n_weights, tail_biting, scale=1.0):
    """(mean, standard error, bits a weight) of a random table on 400 sequences."""
    trellis, table = quipref.BitshiftTrellis(L, k, V), codes.gaussian(L, V, seed=0)
    X = np.random.default_rng(1).standard_normal((400, n_weights)).astype(np.float32)
    states = quipref.viterbi(X * np.float32(scale), table, trellis, tail_biting=tail_biting, backend="numpy")
    bits = trellis.storage_bits(n_weights, tail_biting=tail_biting)
    return *quipref.mean_squared_error(X, quipref.decode(states, table) / np.float32(scale)), bits / n_weights


class TestT5RateDistortion:
    """T5, Shannon: no code of R bits a weight has a mean error below D(R) = 4^-R. True, of means.

    Every bit counts: a walk with a free start has L - kV more than one that bites its tail, and on short sequences
    they are worth more than all the shaping. What is not claimed: that D(R) holds for each sequence.
    """

    def test_no_trellis_code_beats_the_limit(self):
        """On average, 5 standard errors; short sequences, where uncounted bits would show."""
        for L, k, V in SMALL:
            for tail_biting in (True, False):
                for scale in (0.9, 1.1):
                    mean, error, rate = coded(L, k, V, n_weights=8, tail_biting=tail_biting, scale=scale)
                    assert mean + 5 * error >= quipref.distortion_rate(rate)

    def test_nor_does_a_trellis_coded_quantizer(self):
        X = np.random.default_rng(2).standard_normal((400, 8))
        for bits in (1, 2, 3):
            for n_states in (4, 64):
                code = quipref.TrellisCodedQuantizer(bits, n_states, quipref.lloyd_max(2 ** (bits + 1)).levels)
                mean, error = quipref.mean_squared_error(X, code.quantize(X)[2])
                assert mean + 5 * error >= quipref.distortion_rate(code.storage_bits(8) / 8)
                assert mean + 5 * error < quipref.lloyd_max(2**bits).mse  # and it is a good code

    @for_all(st.integers(1, 300), st.floats(0.01, 3))
    def test_nor_any_scalar_quantizer(self, n_levels, step):
        """Exactly. One level is the only one that reaches the limit."""
        best, other = quipref.lloyd_max(n_levels), gaussian.uniform(n_levels, step)
        for quantizer in (best, other):
            assert quantizer.mse >= quipref.distortion_rate(quantizer.bits) * (1 - 1e-12)
            assert gaussian.rate_needed(quantizer.mse) <= quantizer.bits + 1e-12
        assert best.mse <= other.mse + 1e-12

    def test_false_that_k_bits_a_step_are_all_the_bits(self):
        """With free ends a walk beats 4^-k on eight weights, since it owns L - kV bits more."""
        mean, error, rate = coded(8, 1, 1, n_weights=8, tail_biting=False)
        assert rate == 15 / 8
        assert mean + 5 * error < quipref.distortion_rate(1)

    def test_false_that_the_limit_holds_for_each_sequence(self):
        X = np.random.default_rng(3).standard_normal((100, 1))
        best = quipref.lloyd_max(4)
        errors = np.square(X - best.quantize(X)[1])[:, 0]
        assert errors.min() < quipref.distortion_rate(2) < errors.mean()


def integral(f, low, high):
    """Of f times the normal density; what lies beyond 12 is below 1e-30."""
    low, high = max(low, -12.0), min(high, 12.0)
    return quad(lambda x: f(x) * math.exp(-x * x / 2) / math.sqrt(2 * math.pi), low, high, epsabs=1e-14)[0]


class TestC1LloydMax:
    """C1, Lloyd and Max: the best scalar quantizer of N(0, 1). True.

    Its levels are the centroids of their cells, its edges the midpoints of its levels; therefore E[Q] = 0,
    E[Q x] = E[Q^2] and the error is 1 - E[Q^2]. For a log-concave density only one quantizer is like that, and it
    is the best.
    """

    # Table of J. Max (1960), to the digits that are printed there or later.
    ERRORS = (0.3633802, 0.1174818, 0.0345478, 0.0095010, 0.0025047, 0.0006442, 0.0001635, 0.0000412)
    LEVELS = {4: (0.45278, 1.51042), 8: (0.24509, 0.75601, 1.34391, 2.15195)}

    @for_all(st.integers(1, 64))
    def test_levels_are_centroids_and_edges_midpoints(self, n_levels):
        """By numerical integration, whose own error is below 1e-12."""
        best = quipref.lloyd_max(n_levels)
        ends = [-np.inf, *best.edges, np.inf]
        cells = list(zip(ends, ends[1:], strict=False))
        mass = np.array([integral(lambda x: 1, *cell) for cell in cells])
        centroids = np.array([integral(lambda x: x, *cell) for cell in cells]) / mass
        assert np.abs(best.levels - centroids).max() <= 1e-10
        assert np.abs(best.edges - (best.levels[1:] + best.levels[:-1]) / 2).max(initial=0) <= 1e-15
        assert abs(mass @ best.levels) <= 1e-10
        assert abs(best.mse - (1 - mass @ best.levels**2)) <= 1e-10

    @for_all(st.integers(2, 16), st.integers(0, 2**32 - 1), st.sampled_from([1e-3, 0.1, 1.0]))
    def test_no_other_quantizer_is_better(self, n_levels, seed, far):
        best = quipref.lloyd_max(n_levels)
        other = np.sort(best.levels + far * np.random.default_rng(seed).standard_normal(n_levels))
        assert gaussian.exact_mse(other, gaussian.midpoints(other)) >= best.mse - 1e-14

    def test_the_published_numbers(self):
        for b, error in enumerate(self.ERRORS, start=1):
            assert abs(quipref.lloyd_max(2**b).mse - error) <= 0.5e-7
        for n, levels in self.LEVELS.items():
            assert np.abs(quipref.lloyd_max(n).levels[n // 2 :] - levels).max() <= 0.5e-5


class TestC2PanterDite:
    """C2, Panter and Dite: 4^b times the error of the best scalar quantizer tends to sqrt(3) pi / 2. True.

    From below, and at b bits it is about a multiple of 2^-b away: so twice one term less the one before comes close.
    """

    def test_the_limit_is_approached_from_below(self):
        limit = gaussian.panter_dite(0)
        terms = np.array([4.0**b * quipref.lloyd_max(2**b).mse for b in range(1, 12)])
        gaps = limit - terms
        assert (gaps > 0).all()
        assert (gaps[1:] < 0.7 * gaps[:-1]).all()
        assert abs(2 * terms[-1] - terms[-2] - limit) < 1e-4

    @for_all(st.floats(0, 8))
    def test_it_is_a_constant_above_the_limit_of_any_code(self, bits):
        limit, scalar = quipref.distortion_rate(bits), gaussian.panter_dite(bits)
        assert abs(scalar / limit - math.sqrt(3) * math.pi / 2) <= 1e-12
        assert abs(gaussian.snr_db(limit) - gaussian.snr_db(scalar) - 4.35) < 0.01

    def test_false_that_uniform_levels_come_as_close(self):
        """Their error times 4^b grows without bound, about as b does."""
        terms = [4.0**b * quipref.optimum_uniform(2**b).mse for b in range(1, 11)]
        assert all(b > a + 0.3 for a, b in zip(terms, terms[1:], strict=False))
        assert terms[-1] > 2 * gaussian.panter_dite(0)


class TestC3TrellisCodedQuantization:
    """C3, Marcellin and Fischer (1990): their signal-to-noise ratios on the Gaussian source, in decibels. True.

    R bits a weight, 2^(R+1) trained levels, Ungerboeck's trellises of 4 and 8 states: to 0.1 dB, since the levels are
    trained anew. Each is above the best scalar quantizer of the same rate and below the limit 6.02 R.
    """

    PUBLISHED = {(1, 4): 5.00, (1, 8): 5.19, (2, 4): 10.56, (2, 8): 10.70, (3, 4): 16.19, (3, 8): 16.33}

    def test_the_published_ratios(self):
        X = np.random.default_rng(4).standard_normal((128, 500))
        for (bits, n_states), published in self.PUBLISHED.items():
            code = quipref.marcellin_fischer(bits, n_states, seed=0, n_sequences=32, n_weights=512)
            found = gaussian.snr_db(quipref.mean_squared_error(X, code.quantize(X)[2]).mean)
            assert abs(found - published) <= 0.1
            assert gaussian.snr_db(quipref.lloyd_max(2**bits).mse) < found
            assert found < gaussian.snr_db(quipref.distortion_rate(bits))
