"""QTIP (arXiv:2406.11235), section 3.1 and algorithm 4: what the search for a walk finds.

Squared errors of small whole numbers are exact in float32 (all sums stay below 2^24): there, ties are prescribed too.
In generic position a walk's cost is a sum in float32, and the walk that is best by it is best up to its rounding.
"""

import numpy as np
from hypothesis import strategies as st
from oracles import best_by_rule, circles, walk_costs, walks
from sizes import size
from theorems.claims import for_all

import quipref
from quipref import BitshiftTrellis, decode, viterbi, viterbi_exact_tail_biting

SEEDS = st.integers(0, 2**32 - 1)
QUICK = size("numba", "numpy")
HALF_ULP = 2.0**-24  # relative error of one operation in float32


@st.composite
def problems(draw, *, most_walks, circle=False, whole=None):
    """(X, table, trellis) small enough that all walks can be listed; whole numbers, or in generic position."""
    L = draw(st.integers(1, 4))
    k = draw(st.integers(1, L))
    trellis = BitshiftTrellis(L, k, draw(st.integers(1, L // k)))
    longest = 1 + (most_walks - L) // trellis.shift
    n_steps = draw(st.integers(-(-L // trellis.shift) if circle else 1, max(longest, -(-L // trellis.shift))))
    rng = np.random.default_rng(draw(SEEDS))
    shape, V = (3, n_steps * trellis.values_per_step), trellis.values_per_step
    if draw(st.booleans()) if whole is None else whole:
        most = draw(st.integers(1, 4))
        X, table = (rng.integers(-most, most + 1, size) for size in (shape, (trellis.n_states, V)))
    else:
        X, table = rng.standard_normal(shape), rng.standard_normal((trellis.n_states, V))
    return X.astype(np.float32), table.astype(np.float32), trellis


def cost(X, states, table):
    """The squared error of each sequence, in float64."""
    return np.square(X.astype(np.float64) - decode(states, table)).sum(axis=1)


def slack(X, table):
    """A walk's cost by float32 is off by (n_steps + V + 2) half units of its largest sum, on either side."""
    reach = np.abs(X).max() + np.abs(table).max()
    return 2 * (X.shape[1] + table.shape[1] + 2) * HALF_ULP * X.shape[1] * float(reach) ** 2


class TestT3Viterbi:
    """T3, section 3.1. True.

    Viterbi's algorithm finds a walk of least cost among all 2^(L + kV (T/V - 1)), in time linear in 2^L T / V: of the
    2^(kV) predecessors of a state only the best counts, and states with the same high bits have the same predecessors.
    """

    @for_all(problems(most_walks=11))
    def test_no_walk_costs_less(self, problem):
        X, table, trellis = problem
        found = viterbi(X, table, trellis, tail_biting=False)
        assert trellis.is_walk(found).all()
        everything = walks(trellis, found.shape[1])
        best = np.array([walk_costs(x, table, everything).min() for x in X])
        assert (cost(X, found, table) <= best + slack(X, table)).all()

    @for_all(problems(most_walks=10, whole=True))
    def test_among_equals_the_smallest_predecessor_wins(self, problem):
        X, table, trellis = problem
        everything = walks(trellis, X.shape[1] // trellis.values_per_step)
        for x, walk in zip(X, viterbi(X, table, trellis, tail_biting=False), strict=True):
            assert walk.tolist() == best_by_rule(everything, walk_costs(x, table, everything)).tolist()

    @for_all(problems(most_walks=11, whole=True))
    def test_a_prefix_of_the_best_walk_is_the_best_to_its_end(self, problem):
        """Bellman's principle, which is why one predecessor a state suffices."""
        X, table, trellis = problem
        states = viterbi(X, table, trellis, tail_biting=False)
        V, last = trellis.values_per_step, states.shape[1] // 2
        prefixes = walks(trellis, last + 1)
        for x, walk in zip(X, states, strict=True):
            costs = walk_costs(x[: (last + 1) * V], table, prefixes)
            ours = (prefixes == walk[: last + 1]).all(axis=1)
            assert costs[ours] == costs[prefixes[:, -1] == walk[last]].min()


class TestT4TailBiting:
    """T4, algorithm 4. True, with the rotation by a multiple of V.

    Algorithm 4's walk is tail-biting. It costs at least as much as the best circle, and that at least as much as the
    best walk with free ends. It is the best circle of its overlap, so it is optimal if that overlap is the best one's.
    """

    @for_all(problems(most_walks=11, circle=True))
    def test_free_then_best_then_algorithm_4(self, problem):
        X, table, trellis = problem
        free = cost(X, viterbi(X, table, trellis, tail_biting=False), table)
        states = viterbi(X, table, trellis)
        assert trellis.is_tail_biting(states).all()
        closed = circles(trellis, states.shape[1])
        best = np.array([walk_costs(x, table, closed).min() for x in X])
        assert (free <= best + slack(X, table)).all()
        assert (best <= cost(X, states, table) + slack(X, table)).all()

    @for_all(problems(most_walks=11, circle=True))
    def test_the_exhaustive_search_finds_the_best_circle(self, problem):
        X, table, trellis = problem
        states = viterbi_exact_tail_biting(X, table, trellis)
        assert trellis.is_tail_biting(states).all()
        closed = circles(trellis, states.shape[1])
        best = np.array([walk_costs(x, table, closed).min() for x in X])
        assert (cost(X, states, table) <= best + slack(X, table)).all()

    @for_all(problems(most_walks=11, circle=True, whole=True))
    def test_it_is_the_best_circle_of_its_overlap(self, problem):
        X, table, trellis = problem
        states = viterbi(X, table, trellis)
        closed = circles(trellis, states.shape[1])
        for x, walk in zip(X, states, strict=True):
            same = closed[closed[:, 0] >> trellis.shift == walk[0] >> trellis.shift]
            assert walk.tolist() == best_by_rule(same, walk_costs(x, table, same)).tolist()

    def test_on_long_sequences_little_is_lost(self):
        """L = 8, k = 1 and L = 6, k = 2, T = 128: less than half a percent over the best of all overlaps."""
        for shape, n_sequences in (((8, 1), 12), ((6, 2), 24)):
            trellis, rng = BitshiftTrellis(*shape), np.random.default_rng(shape)
            table = rng.standard_normal((trellis.n_states, 1)).astype(np.float32)
            X = rng.standard_normal((n_sequences, 128)).astype(np.float32)
            free, best, found = (
                cost(X, states, table)
                for states in (
                    viterbi(X, table, trellis, tail_biting=False, backend=QUICK),
                    viterbi_exact_tail_biting(X, table, trellis, backend=QUICK),
                    viterbi(X, table, trellis, backend=QUICK),
                )
            )
            assert (free <= best + slack(X, table)).all()
            assert (best <= found + slack(X, table)).all()
            assert found.sum() <= 1.005 * best.sum()

    def test_false_that_it_is_always_the_best_circle(self):
        """On short sequences the middle knows too little of the ends: among 100, some are worse by a tenth."""
        trellis, rng = BitshiftTrellis(4, 1), np.random.default_rng(0)
        table = rng.standard_normal((16, 1)).astype(np.float32)
        X = rng.standard_normal((100, 6)).astype(np.float32)
        best = cost(X, viterbi_exact_tail_biting(X, table, trellis), table)
        found = cost(X, quipref.viterbi(X, table, trellis), table)
        assert (found > 1.1 * best).any()
        assert (found <= best + slack(X, table)).any()
