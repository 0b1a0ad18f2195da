"""What code_quality measures: moments by hand, correlations by enumeration of walks, errors against other codes."""

import itertools

import numpy as np
import pytest
from voice import says

from quipref import BitshiftTrellis, CodeQuality, code_quality, distortion_rate, mean_squared_error
from quipref.trellis import codes
from quipref.trellis.quality import SCALES, correlations, squared_errors

QUICK = {"n_sequences": 4, "n_weights": 16, "seed": 0, "backend": "numpy"}


def correlations_by_walking(table, trellis, lag):
    """Between the values of a state and those of the state `lag` steps later, over all walks, by NumPy's corrcoef."""
    walks = [[s] for s in range(trellis.n_states)]
    for _ in range(lag):
        walks = [[*walk, s] for walk in walks for s in trellis.successors(walk[-1])]
    first, last = (table[[walk[i] for walk in walks]].T for i in (0, -1))
    V = len(first)
    return np.corrcoef(first, last)[:V, V:]


class TestMoments:
    def test_by_hand(self):
        """+-1 and +-3: variance 5, fourth moment 41."""
        found = code_quality(np.array([[-3.0], [1.0], [-1.0], [3.0]]), BitshiftTrellis(2, 1), **QUICK)
        assert isinstance(found, CodeQuality)
        assert (found.mean, found.variance, found.distinct, found.scale) == (0, 5, 4, 1)
        assert found.kurtosis == pytest.approx(41 / 25)

    def test_the_computed_codes(self):
        """1MAD at L = 16: 908 values, flatter than a Gaussian, and neighbours that know a little of each other."""
        found = code_quality(codes.one_mad(16), BitshiftTrellis(16, 2), **QUICK | {"n_sequences": 2})
        assert found.distinct == 908
        assert abs(found.mean) < 1e-3
        assert found.variance == pytest.approx(1, abs=1e-3)
        assert found.kurtosis == pytest.approx(2.70, abs=0.005)
        assert found.correlations.shape == (9, 1, 1)

    def test_pairs_count_as_rows(self):
        table = np.array([[0.0, 1.0], [0.0, -1.0], [0.0, 1.0], [1.0, 0.0]])
        found = code_quality(table, BitshiftTrellis(2, 1, 2), **QUICK)
        assert found.distinct == 3
        assert found.correlations.shape == (2, 2, 2)

    def test_a_constant_table_has_no_kurtosis(self):
        found = code_quality(np.ones((4, 1)), BitshiftTrellis(2, 1), **QUICK)
        assert found.variance == 0
        assert np.isnan(found.kurtosis)
        assert found.largest_correlation == 0


class TestCorrelations:
    @pytest.mark.parametrize(("L", "k", "V"), [(3, 1, 1), (4, 2, 1), (5, 2, 1), (4, 1, 2), (5, 1, 3), (2, 2, 1)])
    def test_against_all_walks(self, L, k, V):
        trellis, table = BitshiftTrellis(L, k, V), codes.gaussian(L, V, seed=L)
        found = correlations(table.astype(np.float64), trellis)
        assert len(found) == 1 + -(-L // trellis.shift)
        for lag, matrix in enumerate(found):
            assert matrix == pytest.approx(correlations_by_walking(table, trellis, lag), abs=1e-6)

    def test_nothing_is_shared_after_the_last_bit_has_left(self):
        found = correlations(codes.gaussian(6, seed=0).astype(np.float64), BitshiftTrellis(6, 2))
        assert abs(found[2, 0, 0]) > 1e-3
        assert abs(found[3, 0, 0]) < 1e-12

    def test_a_code_that_reads_its_bits_as_a_number_is_bad(self):
        """The newest bits lowest: the high bits of the next state are these ones' low bits, worth a quarter of them."""
        line = codes.lookup(np.arange(64) - 31.5)
        found = code_quality(line, BitshiftTrellis(6, 2), **QUICK)
        assert found.correlations[1, 0, 0] == pytest.approx(0.25, abs=0.01)
        assert found.largest_correlation == found.correlations[1, 0, 0]

    def test_the_largest_leaves_out_each_weight_with_itself(self):
        found = code_quality(codes.gaussian(4, 2, seed=1), BitshiftTrellis(4, 1, 2), **QUICK)
        assert found.correlations[0].diagonal() == pytest.approx(1)
        assert 0 < found.largest_correlation < 1
        assert found.largest_correlation == max(abs(found.correlations[0, 0, 1]), np.abs(found.correlations[1:]).max())


class TestError:
    def test_without_memory_it_is_the_nearest_level(self):
        """KV = L: any state may follow any other, so each weight is rounded by itself."""
        levels = np.array([-1.5, -0.5, 0.5, 1.5])
        rng = np.random.default_rng(5)
        found = code_quality(levels[:, None], BitshiftTrellis(2, 2), **QUICK | {"seed": 5, "scale": 0.9})
        X, unit = rng.standard_normal((4, 16)), 0.9 * np.sqrt(1.25)
        nearest = levels[np.abs(X[..., None] * unit - levels).argmin(axis=2)] / unit
        assert found.error == pytest.approx(mean_squared_error(X, nearest), rel=1e-5)
        assert found.scale == 0.9

    def test_the_scale_of_the_table_does_not_matter(self):
        table, trellis = codes.gaussian(4, seed=0), BitshiftTrellis(4, 1)
        scales = (1, 2.0**20, 2.0**125, 2.0**-120)  # the last two near the ends of float32
        found = [code_quality(c * table, trellis, **QUICK).error for c in scales]
        assert found == found[:1] * len(scales)

    @pytest.mark.parametrize("tail_biting", [True, False])
    def test_circles_cost_more(self, tail_biting):
        X, table = np.random.default_rng(0).standard_normal((8, 16)), codes.gaussian(6, seed=0)
        free, tied = (
            squared_errors(X, table, BitshiftTrellis(6, 1), 1.0, tail_biting=t, backend="numpy") for t in (False, True)
        )
        assert (free <= tied + 1e-6).all()
        assert free.mean() < tied.mean()
        found = code_quality(table, BitshiftTrellis(6, 1), **QUICK, tail_biting=tail_biting)
        assert found.error.mean > 0

    def test_the_optimum_scale_is_one_of_the_steps_and_no_worse(self):
        table, trellis = codes.three_inst(4), BitshiftTrellis(4, 2)
        options = QUICK | {"n_sequences": 64}
        found = code_quality(table, trellis, scale="optimum", **options)
        assert found.scale in SCALES
        X = np.random.default_rng(9).standard_normal((64, 16))
        errors = [squared_errors(X, table, trellis, s, backend="numpy") for s in (found.scale, SCALES[0], SCALES[-1])]
        assert errors[0].mean() < 0.9 * min(errors[1].mean(), errors[2].mean())

    @pytest.mark.jit
    def test_more_states_are_better(self):
        """L = 4, 6 ... 16 at 2 bits: five random tables each, on the same sequences; each step by 3 standard errors."""
        X = np.random.default_rng(0).standard_normal((64, 256))
        errors = {
            L: np.mean(
                [squared_errors(X, codes.gaussian(L, seed=s), BitshiftTrellis(L, 2), 1.0) for s in range(5)], axis=0
            )
            for L in range(4, 17, 2)
        }
        for less, more in itertools.pairwise(errors):
            gain = errors[less] - errors[more]
            assert gain.mean() > 3 * gain.std(ddof=1) / np.sqrt(len(gain)), (less, more)
        assert errors[16].mean() > distortion_rate(2)


class TestRefusals:
    def test_what_viterbi_refuses(self):
        with says(ValueError, "table must have the shape (16, 1)"):
            code_quality(np.ones((8, 1)), BitshiftTrellis(4, 2), **QUICK)
        with says(TypeError, "trellis must be a BitshiftTrellis"):
            code_quality(np.ones((8, 1)), 3, **QUICK)
        with says(ValueError, "n_weights"):
            code_quality(np.ones((16, 2)), BitshiftTrellis(4, 1, 2), **QUICK | {"n_weights": 15})

    def test_its_own(self):
        table, trellis = codes.gaussian(4, seed=0), BitshiftTrellis(4, 1)
        with says(ValueError, "n_sequences must be at least 2, but 1 came."):
            code_quality(table, trellis, **QUICK | {"n_sequences": 1})
        for scale, came in ((0, "0 came"), (1e-30, "1e-30 came"), (1e39, "1e+39 came")):
            with says(ValueError, "scale must be from 1e-06 to 1e+06", came):
                code_quality(table, trellis, **QUICK, scale=scale)
        with says(TypeError, "scale must be a real number, but 'best' (str) came."):
            code_quality(table, trellis, **QUICK, scale="best")
        with says(ValueError, "table must have values other than zero"):
            code_quality(0 * table, trellis, **QUICK)
        with says(ValueError, "table must fit into float32", "e+200. Divide it"):
            code_quality(table.astype(float) * 1e200, trellis, **QUICK)
        with says(ValueError, "table must reach 1.2e-38", "e-200. Multiply it by a power of two"):
            code_quality(table.astype(float) * 1e-200, trellis, **QUICK)
        with says(ValueError, "table must have 2 axes", "table[:, None]"):
            code_quality(table[:, 0], trellis, **QUICK)

    def test_sequences_too_short_for_a_circle(self):
        table, trellis, few = codes.gaussian(4, seed=0), BitshiftTrellis(4, 1), QUICK | {"n_weights": 3}
        with says(ValueError, "n_weights must give a tail-biting stream at least 4 bits", "or tail_biting=False."):
            code_quality(table, trellis, **few)
        assert code_quality(table, trellis, **few, tail_biting=False).error.mean > 0

    def test_seeds(self):
        table, trellis = codes.gaussian(4, seed=0), BitshiftTrellis(4, 1)
        with says(ValueError, "seed must be given", "None came"):
            code_quality(table, trellis, **QUICK | {"seed": None})
        with says(TypeError, "seed must be an integer, but 'x' (str) came."):
            code_quality(table, trellis, **QUICK | {"seed": "x"})
