"""Viterbi's search, and a whole layer quantized with it."""

import subprocess
import sys
from functools import lru_cache, partial

import numpy as np
from timing import least

import quipref as q
from quipref import backend
from quipref.trellis.codes import one_mad


def sequences(L, count):
    """Gaussian sequences of 256 weights, the values of 1MAD for 2^L states, and the trellis of two bits a weight."""
    X = np.random.default_rng(0).standard_normal((count, 256), dtype=np.float32)
    return X, one_mad(L), q.BitshiftTrellis(L, 2)


def viterbi_ms(count, repeats, **options):
    """Milliseconds of `viterbi` for a tail-biting sequence, L = 16, on two threads."""
    problem = sequences(16, count)
    (seconds,) = least([lambda: q.viterbi(*problem, threads=2, **options)], repeats)
    return 1000 * seconds / count


def viterbi_against_sweep(count, repeats, precision, rows):
    """The same on one thread, divided by bare sweeps over its arrays.

    Once a step, one is added to each of the 2^14 least costs of so many sequences, 64 bytes together; in three
    quarters of the steps, as in the search, their branches are written, two bits for each.
    """
    problem, passes = sequences(16, count), -(-count // rows)
    costs = np.zeros(2**14 * 64 // 4, np.float32)
    branches = np.zeros((256, 2**14 * rows // 4), np.uint8)

    def sweep():
        for step in range(passes * 512):
            np.add(costs, np.float32(1), out=costs)
            if step % 4:
                branches[step % 256] = 1

    search, bare = least([lambda: q.viterbi(*problem, threads=1, precision=precision), sweep], repeats)
    return search / bare


def viterbi_with_more_states(count, repeats):
    """Sixteen times the states: `viterbi` at L = 16 divided by L = 12, on one thread."""
    large, small = sequences(16, count), sequences(12, count)
    a, b = least([lambda: q.viterbi(*large, threads=1), lambda: q.viterbi(*small, threads=1)], repeats)
    return a / b


def viterbi_in_plain_loops(count, repeats):
    """The readable kernel divided by the one that searches 16 sequences in lockstep, on one thread."""
    X, table, trellis = sequences(16, max(count // 16, 4))
    loops, free = backend.twin("best_walks"), np.full(len(X), -1, np.int32)
    states = np.zeros(X.shape, np.int32)
    plain = lambda: loops(X, table, 2, free, 0, 0, len(X), states)  # noqa: E731
    quick = np.resize(X, (16, 256))
    a, b = least([plain, lambda: q.viterbi(quick, table, trellis, tail_biting=False, threads=1)], repeats)
    return (a / len(X)) / (b / len(quick))


LAYER = """
import resource, sys, time
import numpy as np, quipref as q

n = int(sys.argv[1])
rng = np.random.default_rng(0)
W = rng.standard_normal((n, n), dtype=np.float32)
X = rng.standard_normal((n // 4, n), dtype=np.float32)
H = X.T @ X / len(X)
del X
q.quantize(W[:512, :16], H[:16, :16], method="qtip", bits=2)  # compiled code and libraries are loaded now
started = time.perf_counter()
q.quantize(W, H, method="qtip", bits=2)
print(time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20)
"""


@lru_cache
def whole_layer(n):
    """(seconds, GiB at the peak, the process as a whole) of an n x n layer at 2 bits, L = 16, the method's defaults."""
    done = subprocess.run([sys.executable, "-c", LAYER, str(n)], capture_output=True, check=True, text=True)
    return tuple(float(number) for number in done.stdout.split())


def layer_seconds(n, repeats):
    """The time of a whole layer; once, since it takes long."""
    return whole_layer(n)[0]


def layer_memory(n, repeats):
    """Its memory."""
    return whole_layer(n)[1]


def slope(sizes, tasks, repeats):
    """The exponent p of time ~ size^p, fitted to the logarithms."""
    return np.polyfit(np.log(sizes), np.log(least(tasks, repeats)), 1)[0]


def slope_in_weights(m, repeats):
    """`qtip` at L = 12 on layers of m / 8, m / 4, m / 2 and m rows of 128 weights: 1 if the time is proportional."""
    rows = [m // 8, m // 4, m // 2, m]
    layers = [q.random_layer(rows[i], 128, seed=0) for i in range(4)]
    run = partial(q.quantize, method="qtip", bits=2, state_bits=12)
    return slope(rows, [partial(run, W, H) for W, H in layers], repeats)


def slope_in_states(count, repeats):
    """`viterbi` at L = 10, 12, 14 and 16: 1 if the time is proportional to 2^L."""
    problems = [sequences(L, count) for L in (10, 12, 14, 16)]
    return slope([2**10, 2**12, 2**14, 2**16], [partial(q.viterbi, *p, threads=1) for p in problems], repeats)


CASES = (
    ("viterbi, ms a sequence", viterbi_ms, 512, "at most 1.0"),
    ("viterbi fast, ms a sequence", partial(viterbi_ms, precision="fast"), 512, "at most 0.6"),
    ("viterbi / bare sweeps over its arrays", partial(viterbi_against_sweep, precision="exact", rows=16), 128, "-"),
    ("viterbi fast / bare sweeps over its arrays", partial(viterbi_against_sweep, precision="fast", rows=32), 128, "-"),
    ("viterbi, L = 16 / L = 12", viterbi_with_more_states, 128, "at least 12"),
    ("viterbi, exponent of 2^L", slope_in_states, 128, "1"),
    ("viterbi, plain loops / lockstep", viterbi_in_plain_loops, 128, "-"),
    ("qtip, seconds a layer", layer_seconds, 4096, "at most 60"),
    ("qtip, GiB at the peak", layer_memory, 4096, "at most 1.4"),
    ("qtip, exponent of the weights", slope_in_weights, 8192, "1"),
)
