"""Viterbi's walks: against all walks, ties, scales, threads, bad input. (T3 and T4 are in theorems/.)"""

import signal
import threading
import time

import numpy as np
import pytest
from oracles import best_by_rule, circles, walk_costs, walks
from sizes import size
from voice import says

from quipref import BitshiftTrellis, decode, viterbi, viterbi_exact_tail_biting
from quipref.trellis import codes
from quipref.trellis.viterbi import rows_a_task

BACKENDS = ["numba", "numpy"]
PRECISIONS = ["exact", "fast"]
TRELLISES = [
    *(BitshiftTrellis(L, k) for L, k in [(1, 1), (2, 1), (2, 2), (3, 1), (4, 1), (4, 2), (5, 2), (5, 3), (6, 4)]),
    *(BitshiftTrellis(L, k, V) for L, k, V in [(4, 1, 2), (5, 1, 2), (6, 2, 2), (4, 1, 4), (6, 1, 4)]),
]


def whole(rng, *shape, most=2):
    """Small integers, as float32: sums of squares are exact, and ties are common."""
    return rng.integers(-most, most + 1, shape).astype(np.float32)


def costs(X, states, table):
    return np.square(X.astype(np.float64) - decode(states, table)).sum(axis=1)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("trellis", TRELLISES, ids=str)
class TestAgainstAllWalks:
    """On whole numbers every cost is exact, so the walk itself is prescribed, ties included."""

    def steps(self, trellis, at_least=1):
        """So few that all walks can be tried; `at_least` bits, as a circle needs a state's."""
        return max(-(-at_least // trellis.shift), min(4, 1 + (11 - trellis.state_bits) // trellis.shift))

    def test_a_free_walk(self, trellis, backend):
        rng, n_steps = np.random.default_rng(trellis.state_bits), self.steps(trellis)
        everything = walks(trellis, n_steps)
        for most in (1, 3):
            table = whole(rng, trellis.n_states, trellis.values_per_step, most=most)
            X = whole(rng, 20, n_steps * trellis.values_per_step)
            found = viterbi(X, table, trellis, tail_biting=False, backend=backend)
            for x, walk in zip(X, found, strict=True):
                assert walk.tolist() == best_by_rule(everything, walk_costs(x, table, everything)).tolist()

    def test_the_best_circle(self, trellis, backend):
        rng, n_steps = np.random.default_rng(trellis.shift), self.steps(trellis, at_least=trellis.state_bits)
        everything = circles(trellis, n_steps)
        table = whole(rng, trellis.n_states, trellis.values_per_step)
        X = whole(rng, 20, n_steps * trellis.values_per_step)
        found = viterbi_exact_tail_biting(X, table, trellis, backend=backend)
        assert trellis.is_tail_biting(found).all()
        best = [walk_costs(x, table, everything).min() for x in X]
        assert costs(X, found, table).tolist() == best
        assert (costs(X, viterbi(X, table, trellis, backend=backend), table) >= best).all()

    def test_algorithm_4_step_by_step(self, trellis, backend):
        """The overlap is that of the middle of the best free walk through the rotated sequence; then all is tied."""
        n_steps, V = self.steps(trellis, at_least=trellis.state_bits), trellis.values_per_step
        rng = np.random.default_rng(5)
        free, closed = walks(trellis, n_steps), circles(trellis, n_steps)
        table = whole(rng, trellis.n_states, V)
        X = whole(rng, 20, n_steps * V)
        for x, walk in zip(X, viterbi(X, table, trellis, backend=backend), strict=True):
            rolled = np.roll(x, n_steps // 2 * V)
            overlap = best_by_rule(free, walk_costs(rolled, table, free))[n_steps // 2] >> trellis.shift
            tied = closed[closed[:, 0] >> trellis.shift == overlap]
            assert walk.tolist() == best_by_rule(tied, walk_costs(x, table, tied)).tolist()


class TestByHand:
    trellis, table = BitshiftTrellis(2, 1), np.float32([[-2.0], [0.5], [-0.5], [2.0]])

    @pytest.mark.parametrize("backend", BACKENDS)
    def test_a_walk_and_a_circle(self, backend):
        """Free: 01, 11, 11 would cost .01 + .01 + 16; 01, 10, 01 is near -.4 after 1.6, but 11 cannot be followed by
        00. The stream of states 1, 3, 2 is 0110, and as a circle 011."""
        X = [[0.4, 1.9, -0.6]]
        assert viterbi(X, self.table, self.trellis, backend=backend).tolist() == [[1, 3, 2]]
        assert viterbi(X, self.table, self.trellis, tail_biting=False, backend=backend).tolist() == [[1, 3, 2]]

    def test_values_of_states(self):
        found = decode([[1, 3, 2]], np.float32([[0, 1], [2, 3], [4, 5], [6, 7]]))
        assert found.tolist() == [[2, 3, 6, 7, 4, 5]]
        assert found.dtype == np.float32

    @pytest.mark.parametrize("backend", BACKENDS)
    def test_equal_costs(self, backend):
        """Where all values are equal, the smallest last state is 0, and at every step 0 has the predecessor 0."""
        X = np.random.default_rng(0).standard_normal((3, 6))
        for trellis in (self.trellis, BitshiftTrellis(5, 2), BitshiftTrellis(6, 3)):
            assert not viterbi(X, np.ones((trellis.n_states, 1)), trellis, backend=backend).any()

    @pytest.mark.parametrize("backend", BACKENDS)
    def test_nothing(self, backend):
        assert viterbi(np.zeros((0, 6)), self.table, self.trellis, backend=backend).shape == (0, 6)


@pytest.mark.parametrize("backend", BACKENDS)
class TestScales:
    """Costs may neither overflow nor vanish, whatever the size of the numbers."""

    trellis = BitshiftTrellis(6, 2)

    def case(self):
        rng = np.random.default_rng(2)
        return rng.standard_normal((4, 12)).astype(np.float32), codes.gaussian(6, seed=1)

    @pytest.mark.parametrize("exponent", [100, -100, -137])
    def test_a_power_of_two_changes_nothing(self, backend, exponent):
        """2^-137 makes subnormal numbers, which keep few digits: they are made first, and then made large."""
        X, table = self.case()
        X, table = np.ldexp(X, exponent), np.ldexp(table, exponent)
        larger = [np.ldexp(A, -exponent) for A in (X, table)]
        expected = viterbi(*larger, self.trellis, backend=backend)
        assert (viterbi(X, table, self.trellis, backend=backend) == expected).all()

    @pytest.mark.parametrize("precision", PRECISIONS)
    def test_huge_weights_take_the_largest_values(self, backend, precision):
        """1e30 with a table of the size of 1: any value is as near as another, but no cost may become infinite or NaN;
        with a table as large, X is met as well as at any other scale."""
        X, table = self.case()
        found = viterbi(np.float32(1e30) * X, table, self.trellis, backend=backend, precision=precision)
        assert self.trellis.is_tail_biting(found).all()
        big, values = np.float32(1e30) * X, np.float32(1e30) * table
        states = viterbi(big, values, self.trellis, backend=backend, precision=precision)
        error = np.square(decode(states, values) / 1e30 - X, dtype=np.float64).mean()
        best = (
            costs(X, viterbi(X, table, self.trellis, backend=backend, precision=precision), table).mean() / X.shape[1]
        )
        assert error == pytest.approx(best, rel=1e-2)

    def test_a_sequence_is_scaled_alone(self, backend):
        X, table = self.case()
        alone = viterbi(X, table, self.trellis, backend=backend)
        X[1] *= np.float32(2.0**120)
        assert (viterbi(X, table, self.trellis, backend=backend)[[0, 2, 3]] == alone[[0, 2, 3]]).all()

    def test_subnormal_weights(self, backend):
        """Beside values of the size of 1 they are as good as zeros."""
        X, table = self.case()
        tiny = np.full_like(X, 1e-42)
        expected = viterbi(np.zeros_like(X), table, self.trellis, backend=backend)
        assert (viterbi(tiny, table, self.trellis, backend=backend) == expected).all()

    def test_a_table_of_zeros(self, backend):
        X, table = np.zeros((2, 6)), np.zeros((64, 1))
        for precision in PRECISIONS:
            assert not viterbi(X, table, self.trellis, backend=backend, precision=precision).any()


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("precision", PRECISIONS)
class TestArrays:
    trellis = BitshiftTrellis(5, 2)

    def test_inputs_stay_as_they_are(self, backend, precision):
        rng = np.random.default_rng(0)
        X, table = rng.standard_normal((3, 8)).astype(np.float32), codes.gaussian(5, seed=0)
        expected = viterbi(X, table, self.trellis, backend=backend, precision=precision)
        before = X.copy(), table.copy()
        X.flags.writeable = table.flags.writeable = False
        assert (viterbi(X, table, self.trellis, backend=backend, precision=precision) == expected).all()
        assert np.array_equal(X, before[0])
        assert np.array_equal(table, before[1])
        strided, columns = np.repeat(X, 2, axis=1)[:, ::2], np.asfortranarray(np.repeat(table, 3, axis=0))[::3]
        assert (viterbi(strided, columns, self.trellis, backend=backend, precision=precision) == expected).all()
        assert (viterbi(X.astype(float), table, self.trellis, backend=backend, precision=precision) == expected).all()

    def test_threads_change_nothing(self, backend, precision, monkeypatch):
        monkeypatch.setattr("quipref.trellis.viterbi.WORK_A_TASK", 1)
        X = np.random.default_rng(0).standard_normal((size(200, 70), 8))
        table = codes.gaussian(5, seed=0)
        expected = viterbi(X, table, self.trellis, backend=backend, precision=precision, threads=1)
        for threads in (2, 5, None):
            found = viterbi(X, table, self.trellis, backend=backend, precision=precision, threads=threads)
            assert (found == expected).all()


class TestProgress:
    def test_a_bar_counts_the_weights(self, monkeypatch):
        shown = []

        class Bar:
            def __init__(self, **options):
                shown.append(options)

            def __enter__(self):
                return self

            def __exit__(self, *error):
                shown.append("closed")

            def update(self, weights):
                shown.append(weights)

        monkeypatch.setattr("tqdm.tqdm", Bar)
        viterbi(np.zeros((70, 8)), codes.gaussian(5, seed=0), BitshiftTrellis(5, 2), progress=True, backend="numpy")
        assert shown[0] == {"total": 560, "unit": " weights", "unit_scale": True, "delay": 2, "leave": False}
        assert sum(shown[1:-1]) == 560
        assert shown[-1] == "closed"

    def test_a_task_is_no_longer_than_it_must_be(self):
        """Kernels search 16 or 32 sequences as fast as one; where each is searched alone, a task may be one."""
        tasks = [("numpy", (16, 2), "fast", 1), ("numba", (16, 9), "exact", 1), ("numba", (16, 2), "exact", 16)]
        tasks += [("numba", (16, 2), "fast", 32), ("numba", (16, 3), "fast", 16), ("numpy", (8, 2), "exact", 256)]
        for backend, shape, precision, rows in tasks:
            assert rows_a_task(np.zeros((9, 256)), BitshiftTrellis(*shape), backend, precision) == rows

    @pytest.mark.jit
    @pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="no signals for threads here")
    @pytest.mark.parametrize(("backend", "bits", "seconds"), [("numba", 2, 5), ("numba", 9, 5), ("numpy", 2, 20)])
    def test_control_c_is_heard_long_before_the_end(self, backend, bits, seconds, request):
        """Within a second on an idle machine; all of it would take much longer."""
        before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background inherits 'ignore'
        request.addfinalizer(lambda: signal.signal(signal.SIGINT, before))
        X, table, trellis = np.zeros((9000, 256)), codes.one_mad(16), BitshiftTrellis(16, bits)
        viterbi(X[:1], table, trellis, backend=backend)  # compiled, planned
        sent = []

        def interrupt():
            sent.append(time.perf_counter())
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

        timer = threading.Timer(0.3, interrupt)
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            viterbi(X, table, trellis, backend=backend)
        assert time.perf_counter() - sent[0] < seconds


class TestBadInput:
    trellis, table = BitshiftTrellis(4, 2), np.zeros((16, 1))

    @pytest.mark.parametrize("call", [viterbi, viterbi_exact_tail_biting])
    def test_arrays(self, call):
        with says(ValueError, "table must have the shape (16, 1)", "(8, 1)", "state_bits"):
            call(np.zeros((1, 4)), np.zeros((8, 1)), self.trellis)
        with says(ValueError, "table must have the shape (16, 2)"):
            call(np.zeros((1, 4)), self.table, BitshiftTrellis(4, 1, 2))
        with says(ValueError, "X.shape[1] must be a multiple of values_per_step", "5 weights came"):
            call(np.zeros((1, 5)), np.zeros((16, 2)), BitshiftTrellis(4, 1, 2))
        with says(ValueError, "X.shape[1] must give a tail-biting stream at least 4 bits"):
            call(np.zeros((1, 1)), self.table, self.trellis)
        with says(ValueError, "X must be finite", "NaN"):
            call([[0.0, np.nan]], self.table, self.trellis)
        with says(ValueError, "table must be finite"):
            call([[0.0, 0.0]], self.table + np.inf, self.trellis)
        with says(ValueError, "table must have 2 axes", "its shape is (16,)", "table[:, None]", "lookup(table)"):
            call([[0.0, 0.0]], self.table[:, 0], self.trellis)
        with says(ValueError, "X must fit into float32", "1.0e+300"):
            call([[0.0, 1e300]], self.table, self.trellis)
        with says(ValueError, "X must have 2 axes"):
            call(np.zeros(4), self.table, self.trellis)
        with says(TypeError, "X must hold real"):
            call(np.zeros((1, 4), int), self.table, self.trellis)
        with says(TypeError, "trellis must be a BitshiftTrellis", "(4, 2)"):
            call(np.zeros((1, 4)), self.table, (4, 2))

    def test_options(self):
        X = np.zeros((1, 4))
        with says(ValueError, "precision must be one of 'exact', 'fast'", "'exakt'"):
            viterbi(X, self.table, self.trellis, precision="exakt")
        with says(ValueError, "backend must be one of"):
            viterbi(X, self.table, self.trellis, backend="cuda")
        with says(TypeError, "tail_biting must be True or False"):
            viterbi(X, self.table, self.trellis, tail_biting="no")
        with says(TypeError, "progress must be True or False"):
            viterbi(X, self.table, self.trellis, progress=1)
        with says(ValueError, "threads must be at least 1"):
            viterbi(X, self.table, self.trellis, threads=0)

    def test_too_many_overlaps(self):
        with says(ValueError, "trellis must have at most 12 bits of overlap", "14", "viterbi"):
            viterbi_exact_tail_biting(np.zeros((1, 256)), np.zeros((2**16, 1)), BitshiftTrellis(16, 2))

    def test_states_to_decode(self):
        with says(TypeError, "states must be integers", "float64"):
            decode([[0.0]], self.table)
        with says(ValueError, "states must have 2 axes"):
            decode([0], self.table)
        with says(ValueError, "states must lie from 0 to 15", "from 0 to 16"):
            decode([[0, 16]], self.table)

    def test_tables_to_decode_with(self):
        with says(ValueError, "table must fit into float32", "1.0e+300"):
            decode([[0]], self.table + 1e300)
        with says(ValueError, "table must have 2 axes", "table[:, None]"):
            decode([[0]], self.table[:, 0])
        with says(TypeError, "table must hold real floating-point numbers"):
            decode([[0]], self.table.astype(int))
