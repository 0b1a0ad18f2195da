"""The Gaussian source: its limits, its best scalar quantizers, measured errors. (C1, C2, T5 are in theorems/.)"""

import math

import numpy as np
import pytest
from scipy import integrate
from voice import says

from quipref import (
    MeasuredError,
    ScalarQuantizer,
    distortion_rate,
    ldlq,
    lloyd_max,
    mean_squared_error,
    optimum_uniform,
    random_layer,
)
from quipref import gaussian as source


def integrated_mse(quantizer):
    """E (x - Q(x))^2 by numerical integration of each cell."""
    edges = [-np.inf, *quantizer.edges, np.inf]
    return sum(
        integrate.quad(lambda x, q=q: (x - q) ** 2 * math.exp(-x * x / 2) / math.sqrt(2 * math.pi), a, b)[0]
        for q, a, b in zip(quantizer.levels, edges, edges[1:], strict=False)
    )


class TestLimits:
    def test_a_bit_is_a_factor_of_four_or_six_decibels(self):
        assert [distortion_rate(b) for b in (0, 1, 2, 3, 4)] == [1, 0.25, 0.0625, 0.015625, 0.00390625]
        assert distortion_rate(np.float32(0.5)) == 0.5
        assert source.snr_db(distortion_rate(3)) == pytest.approx(3 * 20 * math.log10(2))

    def test_rate_and_distortion_undo_each_other(self):
        for bits in (0, 0.3, 2, 7.5):
            assert source.rate_needed(distortion_rate(bits)) == pytest.approx(bits, abs=1e-12)
        assert source.rate_needed(3.0) == 0
        assert source.rate_needed(0) == math.inf
        assert source.snr_db(0) == math.inf

    def test_panter_dite(self):
        assert source.panter_dite(0) == pytest.approx(2.7207, abs=5e-5)
        assert source.panter_dite(2) * 16 == pytest.approx(source.panter_dite(0))

    def test_refusals(self):
        with says(ValueError, "bits must be finite and not negative, but -1 came."):
            distortion_rate(-1)
        with says(TypeError, "bits must be a real number, but 'two' (str) came."):
            distortion_rate("two")
        with says(ValueError, "mse must be finite and not negative"):
            source.rate_needed(-0.1)


class TestMeasured:
    def test_by_hand(self):
        """Sequences with errors 1/2 and 5/2: mean 3/2, and std sqrt(2) over sqrt(2)."""
        found = mean_squared_error([[1.0, 0.0], [2.0, 1.0]], [[0.0, 0.0], [0.0, 0.0]])
        assert isinstance(found, MeasuredError)
        assert found.mean == 1.5
        assert found.standard_error == pytest.approx(1.0)

    def test_the_standard_error_is_that_of_the_mean(self):
        """Over 400 repetitions the means scatter as the standard errors say (a chi with 399 degrees: 3.5 %)."""
        rng = np.random.default_rng(0)
        found = [mean_squared_error(X, 0 * X) for X in rng.standard_normal((400, 40, 5))]
        means, errors = map(np.array, zip(*found, strict=True))
        assert means.std(ddof=1) / np.sqrt(np.square(errors).mean()) == pytest.approx(1, abs=5 * 0.05)

    def test_single_precision_is_widened(self):
        X = np.full((2, 3), 1e-30, np.float32)
        assert mean_squared_error(X, 0 * X).mean == pytest.approx(1e-60)

    def test_refusals(self):
        X = np.ones((3, 4))
        with says(ValueError, "X_hat must have the shape of X, (3, 4), but its shape is (4, 3)."):
            mean_squared_error(X, X.T)
        for few in (X[:1], X[:, :0]):
            with says(ValueError, "X must hold two sequences or more", f"{few.shape}."):
                mean_squared_error(few, few)
        with says(ValueError, "X must be finite"):
            mean_squared_error(np.inf * X, X)


class TestLloydMax:
    def test_one_bit_by_hand(self):
        """Two levels: the means of the two halves, +-sqrt(2/pi), and 1 - 2/pi is left."""
        best = lloyd_max(2)
        assert best.levels == pytest.approx([-math.sqrt(2 / math.pi), math.sqrt(2 / math.pi)], abs=1e-14)
        assert best.edges.tolist() == [0]
        assert best.mse == pytest.approx(1 - 2 / math.pi, abs=1e-14)

    def test_one_level_is_the_mean(self):
        best = lloyd_max(1)
        assert (best.levels.tolist(), best.edges.tolist(), best.mse, best.bits, best.code_bits) == ([0], [], 1, 0, 0)

    @pytest.mark.parametrize("n", [3, 4, 7, 16])
    def test_the_error_is_that_of_an_integral(self, n):
        assert lloyd_max(n).mse == pytest.approx(integrated_mse(lloyd_max(n)), abs=1e-10)
        assert optimum_uniform(n).mse == pytest.approx(integrated_mse(optimum_uniform(n)), abs=1e-10)

    def test_lloyds_own_alternation_ends_there(self):
        levels = np.linspace(-2, 2, 8)
        for _ in range(2000):
            mass, moment = source.cells(source.midpoints(levels))
            levels = moment / mass
        assert np.abs(levels - lloyd_max(8).levels).max() < 1e-12

    def test_refusals(self):
        for function, low in ((lloyd_max, 1), (optimum_uniform, 2)):
            for n in (low - 1, 4097):
                with says(ValueError, f"n_levels must be from {low} to 4096, but {n} came."):
                    function(n)
            with says(TypeError, "n_levels must be an integer, but 4.0 (float) came."):
                function(4.0)


class TestUniform:
    def test_two_levels_are_those_of_lloyd_and_max(self):
        assert optimum_uniform(2).levels == pytest.approx(lloyd_max(2).levels, abs=1e-12)

    @pytest.mark.parametrize("n", [3, 4, 8, 256])
    def test_no_other_step_is_better(self, n):
        best = optimum_uniform(n)
        step = best.levels[1] - best.levels[0]
        assert np.diff(best.levels) == pytest.approx(step)
        steps = step * np.r_[np.linspace(0.2, 0.99, 80), np.linspace(1.01, 5, 80)]
        assert all(source.uniform(n, s).mse > best.mse for s in steps)


class TestScalarQuantizer:
    def test_by_hand(self):
        quantizer = ScalarQuantizer(np.array([-1.0, 0.0, 2.0]), np.array([-0.5, 1.0]), 0.0)
        codes, T_hat = quantizer.quantize(np.array([[-9.0, -0.5, 0.9], [1.0, 1.1, -0.6]], np.float32))
        assert codes.tolist() == [[0, 1, 1], [2, 2, 0]]
        assert codes.dtype == np.uint8
        assert T_hat.dtype == np.float32
        assert T_hat.tolist() == [[-1, 0, 0], [2, 2, -1]]
        assert quantizer.decode(codes).tolist() == T_hat.tolist()
        assert quantizer.bits == math.log2(3)
        assert quantizer.code_bits == 2
        assert quantizer.block == 1

    def test_it_rounds_layers(self):
        W, H = random_layer(8, 16, seed=0)
        best = lloyd_max(4)
        W_hat = ldlq(W, H, round_to=best)
        assert np.isin(W_hat, best.levels).all()
        codes, same = best.quantize(W_hat)
        assert (same == W_hat).all()

    @pytest.mark.parametrize("n", [4, 5, 300])
    def test_the_nearest_level_and_the_error_it_states(self, n):
        best = lloyd_max(n)
        T = np.random.default_rng(n).standard_normal((100, 100))
        T_hat = best.quantize(T)[1]
        assert np.abs(T - T_hat) == pytest.approx(np.abs(T[..., None] - best.levels).min(axis=2))
        mean, error = mean_squared_error(T, T_hat)
        assert abs(mean - best.mse) <= 5 * error

    def test_codes_are_integers(self):
        with says(TypeError, "codes must be integers, but their dtype is float64."):
            lloyd_max(4).decode(np.ones(3))
