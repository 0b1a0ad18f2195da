"""Each scalar idea of the gallery has the property that it is known by."""

from itertools import product

import numpy as np
import pytest
from gallery_weights import gaussian, heavy, rounded, squared_error

from quipref import lloyd_max
from quipref.gallery import binary, gptqt, kmeans, logarithmic, maqd, power, uniform
from quipref.gallery.binary_quantizer import BinarySum
from quipref.gaussian import optimum_uniform
from quipref.rounding.grid import AffineGrid

ULP = 2.0**-52


class TestUniform:
    @pytest.mark.parametrize("per", ["channel", "tensor"])
    @pytest.mark.parametrize("bits", [2, 3, 8])
    def test_no_weight_moves_by_more_than_half_a_step_and_zero_stays(self, per, bits):
        for W in (gaussian(500, 200), heavy(), np.abs(heavy()), -np.abs(heavy())):
            W[:, 3] = 0
            levels = uniform.fit(W, bits, per=per)
            step = np.diff(levels.levels)[:, :1]
            assert (step.astype(np.float16) == step).all()
            W_hat = rounded(levels, W)
            assert (np.abs(W_hat - W) <= step / 2 * (1 + 2**10 * ULP)).all()
            assert (W_hat[:, 3] == 0).all()

    def test_a_channel_does_not_see_the_outlier_of_another(self):
        W = gaussian()
        shouting = W.copy()
        shouting[0, 0] = 100
        for per, same in (("channel", True), ("tensor", False)):
            before, after = (rounded(uniform.fit(X, 4, per=per), X)[1:] for X in (W, shouting))
            assert (before == after).all() == same


class TestLogarithmic:
    @pytest.mark.parametrize("bits", [2, 3, 4, 5])
    def test_levels_are_powers_of_two_and_the_logarithm_is_rounded(self, bits):
        W = heavy()
        levels = logarithmic.fit(W, bits)
        positive = levels.levels[:, 2 ** (bits - 1) :]
        exponents = np.log2(positive)
        f = round(1 / (exponents[0, 1] - exponents[0, 0]))
        assert f in logarithmic.FINENESS
        assert np.abs(f * exponents - np.rint(f * exponents)).max() < 2**10 * ULP
        W_hat, size = rounded(levels, W), np.abs(W)
        inside = (size >= positive[:, :1]) & (size <= positive[:, -1:])
        assert inside.sum() > 20
        assert np.abs(np.log2(size / np.abs(W_hat)))[inside].max() <= 1 / (2 * f) + 2**10 * ULP
        assert (np.sign(W_hat) == np.sign(W)).all()

    def test_a_shift_of_the_weights_is_a_shift_of_the_levels(self):
        W = heavy()
        assert (rounded(logarithmic.fit(4 * W, 3), 4 * W) == 4 * rounded(logarithmic.fit(W, 3), W)).all()

    def test_rows_of_zeros_and_rows_out_of_reach_are_zero(self):
        W = gaussian(3, 8)
        W[1], W[2] = 0, W[2] * 2.0**-200
        W_hat = rounded(logarithmic.fit(W, 3), W)
        assert W_hat[0].all() and not W_hat[1:].any()


class TestPower:
    def test_products_of_levels_are_powers_of_products_of_codes(self):
        W = gaussian()
        levels = power.fit(W, 4)
        k, table, K = np.arange(-7, 8), levels.levels / levels.levels[:, -1:], 7

        def of_code(code):
            return np.sign(code) * (np.abs(code) / K**2) ** (1 / levels.exponent)

        products = table[:, :, None] * table[:, None, :]
        np.testing.assert_allclose(products, np.broadcast_to(of_code(np.outer(k, k)), products.shape), rtol=1e-12)

    @pytest.mark.parametrize("bits", [2, 3, 4])
    def test_no_worse_than_the_uniform_grid_with_the_same_range(self, bits):
        for W in (gaussian(), heavy(), np.sign(gaussian()) * np.abs(gaussian()) ** 0.1):
            levels, K = power.fit(W, bits), 2 ** (bits - 1) - 1
            grid = AffineGrid(levels.levels[:, -1:] / K, 0.0, -K, K)
            assert squared_error(levels, W) <= squared_error(grid, W) * (1 + 1e-12)

    def test_bell_shapes_want_fine_steps_near_zero_and_boxes_do_not(self):
        box = np.random.default_rng(0).uniform(-1, 1, (4, 2000))
        assert power.fit(gaussian(4, 2000), 4).exponent < 1
        assert power.fit(box, 4).exponent == 1  # no exponent beats steps of one size on one density


class TestWeightSharing:
    @pytest.mark.parametrize("d", [1, 3])
    def test_no_half_step_raises_the_error(self, d):
        rng = np.random.default_rng(d)
        X, centres, errors = rng.standard_t(3, (400, d)), rng.standard_normal((9, d)), []
        for _ in range(20):
            codes = kmeans.nearest(X, centres)
            errors.append(np.square(X - centres[codes]).sum())
            centres = kmeans.means(X, codes, centres)
            errors.append(np.square(X - centres[codes]).sum())
        assert (np.diff(errors) <= 1e-12 * errors[0]).all()
        assert errors[-1] < 0.9 * errors[0]

    def test_codes_are_nearest_and_an_empty_cluster_stays(self):
        X, centres = np.array([[0.0], [1.0], [5.0]]), np.array([[0.2], [4.0], [99.0]])
        codes = kmeans.nearest(X, centres)
        assert codes.tolist() == [0, 0, 1]
        assert kmeans.means(X, codes, centres).ravel().tolist() == [0.5, 5, 99]

    @pytest.mark.parametrize("bits", [1, 2, 3])
    def test_on_normal_weights_it_ends_at_lloyd_max(self, bits):
        """The sample's own best codebook is no worse on it than Lloyd-Max's, and close to that of the source."""
        W, best = gaussian(100, 1000), lloyd_max(2**bits)
        levels = kmeans.fit(W, bits)
        assert squared_error(levels, W) <= squared_error(best, W) * (1 + 1e-3)  # half precision
        np.testing.assert_allclose(levels.levels[0], best.levels, atol=0.03)
        assert (levels.levels.astype(np.float16) == levels.levels).all()


class TestBinarySums:
    def test_no_signs_and_scale_are_nearer(self):
        for seed in range(5):
            w = heavy(1, 8, seed)
            signs = np.array(list(product((-1, 1), repeat=8)))
            best = (np.square(w).sum() - np.square(signs @ w[0]) / 8).min()  # each with its least-squares scale
            np.testing.assert_allclose(squared_error(binary.fit(w, 1), w), best, rtol=1e-5)  # scale in half precision

    def test_each_sign_takes_n_a_squared_off_the_error(self):
        """Exact on these weights: the means of eight eighths fit half precision."""
        W = np.random.default_rng(0).integers(-32, 33, (20, 8)) / 8.0
        for bits in (1, 2):
            quantizer = binary.fit(W, bits)
            explained = 8 * np.square(quantizer.scales).sum(axis=1)
            error = np.square(rounded(quantizer, W) - W).sum(axis=1)
            assert (error == np.square(W).sum(axis=1) - explained).all()

    def test_nothing_may_be_left(self):
        """The second scale may be far below the first; only a layer that is out of reach is refused."""
        W = np.array([[1.0, -1.0], [0.5, 0.5 + 2.0**-40]])
        scales = binary.fit(W, 3).scales
        assert scales[:, 0].tolist() == [1, 0.5] and not scales[:, 1:].any()

    def test_the_residual_form_is_two_binaries(self):
        W = heavy()
        first = rounded(binary.fit(W, 1), W)
        both = first + rounded(binary.fit(W - first, 1), W - first)
        np.testing.assert_allclose(rounded(binary.fit(W, 2), W), both, atol=1e-12)

    def test_its_tags_say_whether_greed_finds_the_nearest(self):
        """Against all sums of three scales; untagged, and all sums different, some sum itself is sent elsewhere."""
        for scales in product((0.5, 1.0, 2.0, 3.5), repeat=3):
            quantizer = BinarySum(np.array([scales]))
            sums = np.array(list(product((-1, 1), repeat=3))) @ np.array(scales)
            if nearest := quantizer.quipref_tags.nearest:
                targets = np.linspace(-8, 8, 3201)[None]
                least = np.abs(targets - sums[:, None]).min(axis=0)
                np.testing.assert_allclose(np.abs(rounded(quantizer, targets) - targets)[0], least, atol=1e-12)
            if len(set(sums)) == 8:
                assert (rounded(quantizer, sums[None]) == sums).all() == nearest
        mixed = BinarySum(np.array([[2.0, 1.0], [1.0, 2.0]]))
        assert [mixed.of_rows(slice(i, i + 1), 2).quipref_tags.nearest for i in (0, 1)] == [True, False]
        assert not mixed.quipref_tags.nearest


class TestTwoSteps:
    @pytest.mark.parametrize("bits", [1, 2, 3])
    def test_levels_are_sums_of_scales_on_the_first_grid(self, bits):
        W = heavy()
        levels = gptqt.fit(W, bits)
        np.testing.assert_allclose(levels.levels, -levels.levels[:, ::-1])
        for row, edges in zip(levels.levels, levels.edges, strict=True):
            steps = np.abs(row).min() / np.arange(0.5, 2 ** (bits + 1))
            assert any(on_grid(row, edges, step) and row[-1] < 2 ** (bits + 1) * step for step in steps)
        if bits == 2:
            first, second, third, fourth = levels.levels.T
            np.testing.assert_allclose(first + fourth, second + third, atol=1e-12)

    def test_all_codes_by_hand(self):
        assert gptqt.codes(1, 2).tolist() == [[-0.5, 0.5], [-1.5, 1.5]]
        assert sorted(gptqt.codes(2, 2).tolist()) == [[-1.5, -0.5, 0.5, 1.5]]  # 1/2 + 1; 1/2 + 2 is out of range

    @pytest.mark.parametrize("bits", [1, 2, 3])
    def test_no_worse_than_a_uniform_grid_of_one_or_three_fine_steps(self, bits):
        for W in (gaussian(), heavy()):
            found, top = np.square(rounded(gptqt.fit(W, bits), W) - W).sum(axis=1), 2 ** (bits + 1) - 0.5
            for factor, width in product(gptqt.SHRINK_FACTORS, (1, 3)):
                step = (factor * np.abs(W).max(axis=1, keepdims=True) / top).astype(np.float16)
                grid = AffineGrid(width * step.astype(np.float64), 0.5, -(2**bits) // 2, 2**bits // 2 - 1)
                assert (found <= np.square(rounded(grid, W) - W).sum(axis=1) * (1 + 1e-9)).all()


def on_grid(row, edges, step):
    """Whether levels are odd multiples of step / 2 and edges multiples of it."""
    levels, edges = row / step - 0.5, edges / step
    return max(np.abs(levels - np.rint(levels)).max(), np.abs(edges - np.rint(edges)).max()) < 1e-9


class TestRoundClip:
    @pytest.mark.parametrize("bits", [1, 2, 4])
    def test_codes_do_not_see_scale_and_shift_of_a_row(self, bits):
        W, rng = gaussian(), np.random.default_rng(1)
        other = W * np.exp(rng.normal(size=(6, 1))) + rng.normal(size=(6, 1))
        assert (maqd.fit(W, bits).quantize(W)[0] == maqd.fit(other, bits).quantize(other)[0]).all()

    def test_levels_are_those_of_the_normal_source(self):
        W = gaussian(2, 500)
        found = (maqd.fit(W, 3).levels - W.mean(axis=1, keepdims=True)) / W.std(axis=1, keepdims=True)
        np.testing.assert_allclose(found, np.broadcast_to(optimum_uniform(8).levels, (2, 8)), atol=2e-3)  # 2^-11 of 2.1

    def test_constant_rows_and_rows_of_nearly_no_mean(self):
        for W in (np.full((1, 5), 0.75), np.array([[1.0, -1.0, 2.0**-30]])):
            found = maqd.fit(W, 2)
            np.testing.assert_allclose(found.levels.mean(), W.mean(), atol=2.0**-30)
        assert (rounded(maqd.fit(np.full((1, 5), 0.75), 2), np.full((1, 5), 0.75)) == 0.75).all()
