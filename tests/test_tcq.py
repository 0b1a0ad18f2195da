"""Trellis-coded quantization: its trellises, its search against enumeration and QTIP's. (C3 is in theorems/.)"""

import itertools

import numpy as np
import pytest
from voice import says

from quipref import TrellisCodedQuantizer, decode, marcellin_fischer, viterbi
from quipref.gaussian import lloyd_max, mean_squared_error
from quipref.trellis.tcq import PARITY_CHECKS, centroids

STATES = sorted(PARITY_CHECKS)
# Squared free distances in units of the squared distance of neighbouring levels, as published: no more than 16, which
# two levels of one subset have.
FREE_DISTANCES = {4: 9, 8: 10, 16: 11, 32: 13, 64: 14, 128: 16, 256: 16}


def untrained(bits, n_states):
    return TrellisCodedQuantizer(bits, n_states, lloyd_max(2 ** (bits + 1)).levels)


def free_distance(code):
    """The least sum of squared subset distances between two walks that part and meet again.

    The code is linear: the distance of two walks is that of their difference, of which subset e is at least
    0, 1, 2 or 1 levels away from D0; walks in the trellis from the zero state back to it, by Bellman and Ford.
    """
    weight = np.array([0, 1, 4, 1])[code.subsets]
    half = code.n_states
    best = np.full(half, np.inf)  # to each state of nu bits, the cheapest way that left zero and has not come back
    best[1] = weight[1]
    back = np.inf
    for _ in range(4 * half):
        ways = np.repeat(best, 2) + weight  # by windows of nu + 1 bits: (old state, new bit)
        reached = ways.reshape(2, half).min(axis=0)
        back = min(back, reached[0])
        best = np.minimum(best, np.where(np.arange(half) == 0, np.inf, reached))
    return back


class TestTrellises:
    @pytest.mark.parametrize("n_states", STATES)
    def test_the_free_distance_is_the_published_one(self, n_states):
        assert min(free_distance(untrained(1, n_states)), 16) == FREE_DISTANCES[n_states]

    @pytest.mark.parametrize("n_states", STATES)
    def test_the_subsets_along_every_walk_pass_the_parity_check(self, n_states):
        """h1(D) z1 + h0(D) z0 = 0, and no other sequences do: each starting state and bit has one z1."""
        code = untrained(1, n_states)
        h1, h0 = PARITY_CHECKS[n_states]
        u = np.random.default_rng(0).integers(0, 2, 200)
        nu = code.memory
        windows = np.array([sum(u[t - i] << i for i in range(nu + 1)) for t in range(nu, len(u))])
        assert code.trellis.is_walk(windows)
        z1, z0 = code.subsets[windows] >> 1, code.subsets[windows] & 1
        checks = [
            sum((h1 >> i & 1) * z1[t - i] + (h0 >> i & 1) * z0[t - i] for i in range(nu + 1)) % 2
            for t in range(nu, len(z1))
        ]
        assert not any(checks)
        assert len(set(zip(z1, z0, strict=True))) == 4

    @pytest.mark.parametrize("n_states", STATES)
    def test_the_edges_of_a_state_are_every_other_level(self, n_states):
        """D0 or D2, D1 or D3: out of a state, and into one."""
        subsets = untrained(1, n_states).subsets
        for pair in (*subsets.reshape(-1, 2), *subsets.reshape(2, -1).T):
            assert sorted(pair) in ([0, 2], [1, 3])

    def test_four_states_by_hand(self):
        """U_t + u_(t-2) above u_(t-1)."""
        assert untrained(1, 4).subsets.tolist() == [0, 2, 1, 3, 2, 0, 3, 1]


class TestSearch:
    @pytest.mark.parametrize(("bits", "n_states", "n_weights"), [(1, 4, 5), (2, 4, 4), (1, 8, 4), (3, 4, 3)])
    def test_the_best_of_all_walks(self, bits, n_states, n_weights):
        code = untrained(bits, n_states)
        X = np.random.default_rng(bits).standard_normal((6, n_weights))
        windows, indices, X_hat = code.quantize(X)
        assert code.trellis.is_walk(windows).all()
        assert (indices % 4 == code.subsets[windows]).all()
        assert (X_hat == code.levels[indices]).all()
        best = np.full(len(X), np.inf)
        for stream in itertools.product((0, 1), repeat=code.memory + n_weights):
            walk = [sum(stream[t - i] << i for i in range(code.memory + 1)) for t in range(code.memory, len(stream))]
            errors = [
                np.square(X[:, t, None] - code.levels[code.subsets[window] :: 4]).min(axis=1)
                for t, window in enumerate(walk)
            ]
            best = np.minimum(best, np.sum(errors, axis=0))
        assert np.square(X - X_hat).sum(axis=1) == pytest.approx(best, rel=1e-12)

    @pytest.mark.parametrize(("bits", "n_states"), [(1, 4), (1, 8), (2, 4), (3, 4)])
    def test_it_is_a_code_of_qtip(self, bits, n_states):
        """The same levels in a table on a bit-shift trellis: another search finds walks as good, to float32."""
        code = untrained(bits, n_states)
        table, trellis = code.as_table()
        assert (trellis.state_bits, trellis.bits_per_weight) == (bits * code.memory + 1, bits)
        wasted = (bits - 1) * (code.memory - 1)  # bits of the first state that no step looks at
        assert trellis.storage_bits(32, tail_biting=False) == code.storage_bits(32) + wasted
        X = np.random.default_rng(0).standard_normal((8, 32)).astype(np.float32)
        states = viterbi(X, table, trellis, tail_biting=False, backend="numpy")
        mine, other = (np.square(X - Y).sum(axis=1) for Y in (code.quantize(X)[2], decode(states, table)))
        assert mine == pytest.approx(other, rel=32 * 2.0**-23)

    def test_a_table_may_be_too_large(self):
        with says(ValueError, "bits * log2(n_states) must be below 20 for a table, but it is 3 * 8.", "Use quantize"):
            untrained(3, 256).as_table()

    def test_ties_go_to_the_smaller_window(self):
        """On the middle of all levels every walk costs the same."""
        code = TrellisCodedQuantizer(1, 4, np.array([-1.0, -1.0, 1.0, 1.0]))
        assert code.quantize(np.zeros((2, 5)))[0].tolist() == [[0] * 5] * 2

    def test_bits_are_counted(self):
        assert untrained(2, 256).storage_bits(256) == 2 * 256 + 8

    def test_empty_and_refused(self):
        code = untrained(2, 4)
        assert code.quantize(np.ones((0, 7)))[2].shape == (0, 7)
        assert code.quantize(np.ones((3, 0)))[2].shape == (3, 0)
        with says(ValueError, "X must be finite"):
            code.quantize(np.full((1, 2), np.nan))
        with says(ValueError, "X must have 2 axes"):
            code.quantize(np.ones(2))
        with says(ValueError, "n_weights must be at least 1, but 0 came."):
            code.storage_bits(0)


class TestTraining:
    def test_it_improves_and_repeats(self):
        options = {"n_sequences": 16, "n_weights": 200}
        code = marcellin_fischer(2, 8, seed=3, **options)
        assert (code.levels == marcellin_fischer(2, 8, seed=3, **options).levels).all()
        assert (np.diff(code.levels) > 0).all()
        X = np.random.default_rng(0).standard_normal((64, 200))
        before, after = (np.square(X - c.quantize(X)[2]).mean(axis=1) for c in (untrained(2, 8), code))
        gain = before - after
        assert gain.mean() > 5 * gain.std(ddof=1) / np.sqrt(len(gain))

    def test_more_states_are_better(self):
        X = np.random.default_rng(1).standard_normal((64, 200))
        errors = [np.square(X - untrained(2, n).quantize(X)[2]).mean(axis=1) for n in (4, 16, 64)]
        for worse, better in itertools.pairwise(errors):
            gain = worse - better
            assert gain.mean() > 5 * gain.std(ddof=1) / np.sqrt(len(gain))

    def test_a_level_without_weights_stays(self):
        found = centroids(np.array([[1.0, 2.0, 6.0]]), np.array([[0, 0, 2]]), np.array([-1.0, 7.0, 0.0]))
        assert found.tolist() == [1.5, 7, 6]

    def test_one_weight_ends_it_at_once(self):
        code = marcellin_fischer(1, 4, seed=0, n_sequences=1, n_weights=1)
        assert mean_squared_error(np.ones((2, 1)), code.quantize(np.ones((2, 1)))[2]).mean < 1

    def test_refusals(self):
        with says(ValueError, "bits must be from 1 to 8, but 0 came."):
            marcellin_fischer(0, 4, seed=0)
        with says(ValueError, "n_states must be one of [4, 8, 16, 32, 64, 128, 256], but 6 came."):
            marcellin_fischer(1, 6, seed=0)
        with says(TypeError, "n_states must be an integer"):
            marcellin_fischer(1, "4", seed=0)
        with says(ValueError, "n_sequences must be at least 1"):
            marcellin_fischer(1, 4, seed=0, n_sequences=0)
        with says(ValueError, "seed must be given", "None came"):
            marcellin_fischer(1, 4, seed=None)
        with says(TypeError, "seed must be an integer, but 'x' (str) came."):
            marcellin_fischer(1, 4, seed="x")
