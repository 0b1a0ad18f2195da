"""Sequences in lockstep, with costs of 32 and of 16 bits: the same walks on both backends, and what a table becomes."""

import numpy as np
import pytest
from sizes import size
from test_vector import printed

from quipref import BitshiftTrellis, backend, decode, viterbi
from quipref.trellis import coarse, codes, lockstep
from quipref.trellis.viterbi import _plain, best_walks, finder

BACKENDS = ["numba", "numpy"]
PRECISIONS = ["exact", "fast"]
LARGER = [*((L, k, 1) for L in (7, 8) for k in (1, 2, 3, 4)), (8, 1, 2), (8, 2, 2), (8, 3, 2), (8, 1, 4)]

PLAIN = [(5, 1, 1), (6, 2, 1), (7, 5, 1), (7, 7, 1), (7, 2, 2), (6, 1, 4), (12, 11, 1)]  # the last in two blocks


def costs(X, states, table):
    return np.square(X.astype(np.float64) - decode(states, table)).sum(axis=1)


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("shape", LARGER, ids=str)
def test_both_backends_find_the_same_walks(shape, precision):
    """Tables of few values and of many, for which the kernels have ways of their own; groups that are not full."""
    rng, trellis = np.random.default_rng(shape), BitshiftTrellis(*shape)
    for table in (
        rng.integers(-2, 3, (trellis.n_states, shape[2])).astype(np.float32),
        rng.standard_normal((trellis.n_states, shape[2])),
    ):
        X = 3 * rng.standard_normal((size(35, 3), size(40, 8) * shape[2]))
        a, b = (viterbi(X, table, trellis, precision=precision, backend=backend) for backend in BACKENDS)
        assert a.dtype == b.dtype == np.int32
        assert (a == b).all()
        assert trellis.is_tail_biting(a).all()


class TestFast:
    def test_where_16_bits_do_not_suffice_it_is_exact(self):
        """A constant far outside of the table saturates the costs: the search must notice."""
        trellis, table = BitshiftTrellis(6, 2), codes.gaussian(6, seed=3)
        X = np.full((3, 40), 9.0)
        exact = viterbi(X, table, trellis, backend="numpy")
        assert (viterbi(X, table, trellis, precision="fast", backend="numpy") == exact).all()
        assert (viterbi(X, table, trellis, precision="fast") == exact).all()

    @pytest.mark.parametrize("spoiled", ["outlier", "offset", "student", "mostly zero", "zero"])
    def test_a_table_with_far_values_is_searched_exactly(self, spoiled):
        """By the measure of its root mean square, all its other values would be as good as one."""
        rng, L = np.random.default_rng(1), size(16 if spoiled == "student" else 12, 10)
        trellis, table, X = BitshiftTrellis(L, 2), codes.gaussian(L, seed=0), rng.standard_normal((3, size(64, 8)))
        assert coarse.plan(table, 2) is not None
        if spoiled == "outlier":
            table[17] = 1e3
        elif spoiled == "offset":
            table, X = table + np.float32(10), X + 10
        elif spoiled == "student":
            table = rng.standard_t(2, (2**L, 1)).astype(np.float32)
        else:
            table[rng.permutation(2**L)[: 2**L if spoiled == "zero" else 2 ** (L - 1) + 1]] = 0
        assert coarse.plan(table, 2) is None
        exact, fast = (viterbi(X, table, trellis, precision=p) for p in PRECISIONS)
        assert (fast == exact).all()

    def test_twice_the_spread_of_a_gaussian_is_the_limit(self):
        """Of -1 and 1, each with one more in 8 of +-a: root mean square sqrt((6 + 2 a^2) / 8), median deviation 1."""
        table = np.tile(np.float32([-1, 1, -1, 1, -1, 1, 0, 0]), 32)[:, None]
        for ratio, kept in ((1.99, True), (2.01, False)):
            far = np.sqrt((8 * (ratio * 1.4826) ** 2 - 6) / 2)
            table[6::8], table[7::8] = -far, far
            assert (coarse.plan(table, 2) is not None) == kept

    def test_without_the_fallback_they_would_differ(self, monkeypatch):
        trellis, table = BitshiftTrellis(6, 2), codes.gaussian(6, seed=3)
        X = np.full((3, 40), 9.0)
        monkeypatch.setattr(coarse, "LIMIT", 2**20)
        exact, fast = (viterbi(X, table, trellis, precision=p, backend="numpy") for p in PRECISIONS)
        assert costs(X, fast, table).sum() > costs(X, exact, table).sum()

    def test_what_it_is_for(self):
        assert coarse.suits(BitshiftTrellis(16, 2))
        assert coarse.suits(BitshiftTrellis(16, 1, 2))
        assert not coarse.suits(BitshiftTrellis(16, 3))
        trellis, table = BitshiftTrellis(12, 1), codes.gaussian(12, values_per_step=1, seed=0)
        assert len(coarse.plan(table, 1).values) < 600
        assert coarse.plan(codes.gaussian(12, values_per_step=2, seed=0), 2) is None  # pairs are not merged
        assert coarse.finder(codes.gaussian(12, 2, seed=0), BitshiftTrellis(12, 1, 2), True, "exact") == "exact"
        assert callable(coarse.finder(table, trellis, True, "exact"))

    def test_near_values_are_merged(self):
        values, which = coarse.merged(np.float32([0.0, 0.3, 0.1, 1.0, -1.0]), np.array([4, 0, 1, 2, 3]), 0.25)
        assert values.ravel().tolist() == pytest.approx([-1.0, 0.05, 0.3, 1.0])
        assert which.tolist() == [0, 1, 2, 1, 3]

    @pytest.mark.jit
    @pytest.mark.parametrize("source", ["gaussian", "laplace", "student", "three times as large", "constant 6"])
    def test_it_costs_less_than_half_a_percent(self, source):
        """The figures of the README's kind of layer: L = 16, k = 2, on sequences of 256 weights."""
        rng, shape = np.random.default_rng(7), (64, 256)
        X = {
            "gaussian": lambda: rng.standard_normal(shape),
            "laplace": lambda: rng.laplace(size=shape) / np.sqrt(2),
            "student": lambda: rng.standard_t(5, shape) * np.sqrt(3 / 5),
            "three times as large": lambda: 3 * rng.standard_normal(shape),
            "constant 6": lambda: np.full(shape, 6.0),
        }[source]()
        trellis, table = BitshiftTrellis(16, 2), codes.one_mad(16)
        exact, fast = (costs(X, viterbi(X, table, trellis, precision=p), table).mean() for p in PRECISIONS)
        assert fast <= 1.005 * exact


class TestLockstep:
    @pytest.mark.parametrize("shape", [(4, 1), (5, 1), (6, 2), (7, 2), (4, 2)])
    def test_the_order_of_the_butterfly(self, shape):
        """By playing it: least'[r, b] goes where least[b, r] was; c = 0, 1, ... must be read where they stand."""
        trellis = BitshiftTrellis(*shape)
        kV, W = trellis.shift, trellis.overlap_bits
        stands = np.arange(2**W)  # which group stands at a place
        for order in np.tile(lockstep.butterfly_orders(trellis.n_states, kV), (3, 1)):
            places = np.argsort(stands)
            new = np.full(2**W, -1)
            first = order.reshape(-1, trellis.n_branches, trellis.n_branches)  # r, b, c: states
            seen = [places[int(butterfly[0, 0]) >> kV] for butterfly in first]
            assert seen == sorted(seen)
            for butterfly in first:
                inputs = [places[s >> kV] for s in butterfly[0]]
                for b, outputs in enumerate(butterfly):
                    assert [places[s >> kV] for s in outputs] == inputs
                    new[inputs[b]] = outputs[0] % 2**W
            stands = new

    def test_distinct_rows(self):
        table = np.float32([[1, 2], [0, 2], [1, 2], [1, 3]])
        values, which = lockstep.distinct(table)
        assert np.array_equal(values[which], table)
        assert len(values) == 3

    def test_plans_are_kept(self):
        table = codes.gaussian(8, seed=0)
        assert lockstep.plan(table, 2) is lockstep.plan(table.copy(), 2)

    def test_memory_is_used_again(self):
        spare = []
        buffer = lockstep.memory(spare, 100)
        assert len(buffer) == 100
        assert buffer.ctypes.data % lockstep.LINE == 0
        spare.append(buffer)
        assert lockstep.memory(spare, 100) is buffer


def test_the_plain_kernel_serves_the_trellises_that_lockstep_does_not():
    assert not lockstep.suits(BitshiftTrellis(2, 2))
    assert not lockstep.suits(BitshiftTrellis(20, 18))
    assert lockstep.suits(BitshiftTrellis(16, 2))
    table = np.zeros((4, 1), np.float32)
    assert finder(table, BitshiftTrellis(2, 2), "numba").func.__name__ == "_plain"


@pytest.mark.parametrize("shape", PLAIN, ids=str)
def test_the_plain_kernel_rounds_as_the_reference_does(shape):
    """Far from the table, costs differ by their rounding alone: most are equal, and the least hangs on each sum."""
    rng, trellis = np.random.default_rng(shape), BitshiftTrellis(*shape)
    table = rng.standard_normal((trellis.n_states, shape[2])).astype(np.float32)
    X = (1e4 + rng.standard_normal((4, 7 * shape[2]))).astype(np.float32)
    overlaps = rng.integers(-1, 1 << trellis.overlap_bits, len(X)).astype(np.int32)
    a, b = (_plain(walks, table, trellis, X, overlaps) for walks in (backend.twin("best_walks"), best_walks))
    assert (a == b).all()


ON_ANY_PROCESSOR = """
import numpy as np
from quipref import BitshiftTrellis, viterbi
from quipref.trellis import codes
X = np.random.default_rng(0).standard_normal((35, 24)).astype(np.float32)
table, trellis = codes.gaussian(6, seed=0), BitshiftTrellis(6, 2)
for precision in "exact", "fast":
    for values in table, table.round():
        a, b = (viterbi(X, values, trellis, precision=precision, backend=backend) for backend in ("numba", "numpy"))
        assert (a == b).all()
print("equal")
"""


@pytest.mark.jit
def test_a_processor_without_long_vectors(tmp_path):
    """The plainest processor that Numba can compile for has neither such vectors nor masks."""
    plainest = {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""}
    assert printed(ON_ANY_PROCESSOR, NUMBA_CACHE_DIR=str(tmp_path), **plainest) == ["equal"]
