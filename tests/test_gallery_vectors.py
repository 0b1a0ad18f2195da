"""Each idea of the gallery that rounds vectors has the property that it is known by."""

from itertools import product
from math import comb

import numpy as np
import pytest
from gallery_weights import gaussian, rounded

from quipref.gallery import additive, additive_steps, pyramid, pyramid_points
from quipref.gallery.additive_quantizer import AdditiveQuantizer


def pyramid_of(n, K):
    return np.array([y for y in product(range(-K, K + 1), repeat=n) if np.abs(y).sum() == K])


class TestPyramid:
    @pytest.mark.parametrize(("n", "K"), [(1, 3), (2, 4), (3, 3), (4, 2), (5, 4)])
    def test_ranks_name_each_point_once(self, n, K):
        Y = pyramid_of(n, K)
        assert len(Y) == pyramid_points.counts(n, K)[n, K]
        ranks = pyramid_points.rank(Y, K)
        assert sorted(ranks.tolist()) == list(range(len(Y)))
        assert (pyramid_points.unrank(ranks, n, K) == Y).all()

    @pytest.mark.parametrize(("n", "K"), [(2, 5), (3, 4), (4, 3)])
    def test_nearest_is_nearest(self, n, K):
        Y, X = pyramid_of(n, K), gaussian(200, n)
        scaled = K * X / np.abs(X).sum(axis=1, keepdims=True)
        found = pyramid_points.nearest(X, K)
        assert (np.abs(found).sum(axis=1) == K).all()
        least = np.square(scaled[:, None] - Y).sum(axis=2).min(axis=1)
        np.testing.assert_allclose(np.square(scaled - found).sum(axis=1), least, atol=1e-12)

    def test_where_the_sum_is_a_whole_number_up_to_rounding(self):
        """Points of the pyramid, blown up by thirds, come back; so does zero, as some point."""
        Y = pyramid_of(4, 5)
        for factor in (1 / 3, 1e-200, 7e100):
            assert (pyramid_points.nearest(Y * factor, 5) == Y).all()
        assert np.abs(pyramid_points.nearest(np.zeros((2, 6)), 4)).sum(axis=1).tolist() == [4, 4]

    @pytest.mark.parametrize("bits", [1, 2, 3, 4])
    def test_the_largest_code_fits(self, bits):
        """The last rank and gain at each rate, against Vandermonde's sum of 2^j C(n, j) C(K - 1, j - 1)."""
        quantizer = pyramid.fit(gaussian(4, 64), bits)
        K, gains = quantizer.K, quantizer.gains
        points = sum(2**j * comb(16, j) * comb(K - 1, j - 1) for j in range(1, 17))
        assert 8 * points <= gains * points <= 2 ** (16 * bits) < (gains + 1) * points
        last = pyramid_points.unrank(np.array([points - 1], np.uint64), 16, K)
        assert pyramid_points.rank(last, K).tolist() == [points - 1]
        assert last.tolist() == [[-K] + [0] * 15]

    @pytest.mark.parametrize("share", [0.0, 0.3, 0.48, 0.77, 1.0])
    def test_along_a_point_of_the_pyramid_only_the_gain_is_rounded(self, share):
        quantizer = pyramid.fit(gaussian(1, 320), 2)
        low, high = quantizer.ends.ravel()
        y = pyramid_points.nearest(gaussian(1, 16), quantizer.K)
        target = (low + share * (high - low)) * y / np.linalg.norm(y)
        gap = rounded(quantizer, target) - target
        assert np.linalg.norm(gap) <= (high - low) / (quantizer.gains - 1) / 2 * (1 + 1e-9)
        np.testing.assert_allclose(gap @ target.T * target, gap * (target @ target.T), atol=1e-12)


def layer(seed, rank=32):
    """X (20, 32), H of this rank, row weights and codebooks with codes."""
    rng = np.random.default_rng(seed)
    B = rng.standard_normal((32, rank)) * rng.exponential(size=rank)
    C = rng.standard_normal((3, 16, 8))
    return rng.standard_normal((20, 32)), B @ B.T, rng.exponential(size=(20, 1)), C, rng.integers(0, 16, (20, 4, 3))


class TestAdditive:
    @pytest.mark.parametrize("rank", [32, 5])
    def test_no_half_step_raises_the_loss(self, rank):
        for seed in range(5):
            X, H, s, C, codes = layer(seed, rank)
            losses = [additive_steps.loss(X, codes, C, H, s)]
            for _ in range(4):
                codes = additive_steps.search(X, codes, C, H)
                losses.append(additive_steps.loss(X, codes, C, H, s))
                C = additive_steps.least_squares(X, codes, C, H, s)
                losses.append(additive_steps.loss(X, codes, C, H, s))
            assert (np.diff(losses) <= 1e-9 * losses[0]).all()
            assert losses[-1] < 0.3 * losses[0]

    def test_codebooks_are_the_solution_of_the_normal_equations(self):
        """Least squares on the design matrix itself, kron by kron."""
        X, H, s, C, codes = layer(0)
        root = np.linalg.cholesky(H + 1e-9 * np.eye(32))
        columns = []
        for k, entry, i in np.ndindex(C.shape):
            unit = np.zeros((20, 4, 8))
            unit[..., i] = codes[..., k] == entry
            columns.append((np.sqrt(s) * (unit.reshape(20, 32) @ root)).ravel())
        target = (np.sqrt(s) * (X @ root)).ravel()
        best = np.linalg.lstsq(np.array(columns).T, target)[0]
        least = np.square(np.array(columns).T @ best - target).sum()
        found = additive_steps.loss(X, codes, additive_steps.least_squares(X, codes, C, H, s), H, s)
        assert found <= least + 1e-5 * additive_steps.loss(X, codes, C, H, s)

    def test_with_two_codebooks_the_beam_holds_all_sums(self):
        """Sixteen first vectors fit the beam: the search of a block is exhaustive."""
        X, H, s, C, codes = layer(1)
        C, X, H = C[:2], X[:, :8], H[:8, :8]
        found = additive_steps.search(X, codes[:, :1, :2], C, H)
        sums = (C[0][:, None] + C[1]).reshape(-1, 8) - X[:, None]
        np.testing.assert_allclose(
            np.einsum("abi,ij,abj->ab", sums, H, sums).min(axis=1),
            [additive_steps.loss(X[i : i + 1], found[i : i + 1], C, H, 1.0) for i in range(20)],
        )

    def test_blocks_that_do_not_meet_are_left_out(self):
        """A block-diagonal H: least squares as with the same H made dense, up to rounding."""
        X, _, s, C, codes = layer(4)
        H = np.kron(np.eye(4), layer(5)[1][:8, :8])
        dense = H + 1e-300  # which meets everywhere, and costs nothing
        found, same = (additive_steps.least_squares(X, codes, C, A, s) for A in (H, dense))
        np.testing.assert_allclose(found, same, atol=1e-9)

    def test_it_is_fitted_to_the_hessian_that_it_is_given(self):
        """With the codes of the plain search, least squares under H alone wins a fifth of that."""
        W, H = gaussian(200, 32), layer(2)[1]
        plain, aware = (W - q.decode(q.fitted) for q in (additive.fit(W, 2), additive.fit(W, 2, H)))
        assert np.trace(aware @ H @ aware.T) < 0.5 * np.trace(plain @ H @ plain.T)

    def test_codes_pack_one_codebook_after_the_other(self):
        C = layer(3)[3]
        quantizer = AdditiveQuantizer(C, np.full((1, 1), 2.0), np.array([[[1, 2, 3]]]))
        assert quantizer.fitted.tolist() == [[0x321]]
        assert (quantizer.decode(quantizer.fitted) == 2 * (C[0, 1] + C[1, 2] + C[2, 3])).all()

    def test_a_layer_of_zeros(self):
        quantizer = additive.fit(np.zeros((3, 16)), 2)
        assert not quantizer.decode(quantizer.fitted).any()
