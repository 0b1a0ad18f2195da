"""Time quipref's own work as ratios measured in one run: `make bench`, or `make bench ARGS=--quick`.

Each ratio divides two times that were taken in turns, A B A B ..., and the least of each counts: on
a shared machine the least is what the work costs and the rest is what the neighbours cost. The
table goes to standard output and to `benchmarks/results.md`.
"""

import argparse
import subprocess
import sys
from functools import partial
from pathlib import Path

import lattice
import numpy as np
import trellis
from scipy.linalg import cholesky
from timing import least
from tqdm import tqdm

import quipref as q
from quipref.rounding.grid import UniformGrid

RESULTS = Path(__file__).parent / "results.md"


def layer(n):
    """A float32 layer (n, n) with a well-conditioned Hessian of correlated inputs, and its 4-bit grid."""
    rng = np.random.default_rng(0)
    W = rng.standard_normal((n, n)).astype(np.float32)
    X = rng.standard_normal((2 * n, n), dtype=np.float32)
    X[:, 1:] += 0.5 * X[:, :-1]
    return W, (X.T @ X / (2 * n)), UniformGrid.fit(W, 4)


def ldlq_against_product(n, repeats):
    """LDLQ beyond its factorisation, divided by one product W @ L of the same shapes."""
    W, H, grid = layer(n)
    L = np.tril(H)
    whole, factor, product = least(
        [lambda: q.ldlq(W, H, round_to=grid), lambda: q.ldl(H), lambda: W @ L],
        repeats,
    )
    return (whole - factor) / product


def ldl_against_cholesky(n, repeats):
    """`ldl` divided by LAPACK's Cholesky of the same float64 matrix, through SciPy."""
    H = layer(n)[1].astype(np.float64)
    mine, lapack = least([lambda: q.ldl(H), lambda: cholesky(H, lower=True, check_finite=False)], repeats)
    return mine / lapack


def compiled_against_textbook(n, repeats):
    """The textbook loop of LDLQ divided by the blocked and compiled form."""
    W, H, grid = layer(n)
    loop, compiled = least(
        [lambda: q.ldlq(W, H, round_to=grid, backend="numpy"), lambda: q.ldlq(W, H, round_to=grid)],
        repeats,
    )
    return loop / compiled


def optq_against_ldlq(n, repeats):
    """`optq`, which inverts H, divided by `ldlq`, which does not."""
    W, H, grid = layer(n)
    a, b = least([lambda: q.optq(W, H, round_to=grid), lambda: q.ldlq(W, H, round_to=grid)], repeats)
    return a / b


def fwht_against_copy(n, repeats, axis):
    """`fwht` of a float32 matrix in place, divided by a copy of it: both are bound by the way to memory."""
    X = np.empty((n, n), np.float32)
    X.fill(0)  # zeros stay zeros however often they are transformed, and the numbers do not matter to the time
    transform, copy = least([lambda: q.fwht(X, axis), X.copy], 10 * repeats)
    return transform / copy


def processing_against_ldl(n, repeats):
    """Incoherence processing of W and H, both float32, Hadamard on both sides, divided by `ldl` of the same H."""
    W, H, _ = layer(n)
    mine, factor = least([lambda: q.incoherence_process(W, H, transform="hadamard", seed=0), lambda: q.ldl(H)], repeats)
    return mine / factor


def clamped_seconds(n, repeats):
    """Seconds of `clamped_feedback` at c = 0.1, for a target that is in seconds."""
    H = q.random_layer(1, n, spectrum="outlier", seed=0).H
    (seconds,) = least([lambda: q.clamped_feedback(H, 0.1)], repeats)
    return seconds


MEMORY = """
import resource, sys, threading, time
import numpy as np, quipref as q
from quipref.rounding.grid import UniformGrid

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()

n = int(sys.argv[1])
small = np.eye(64, dtype=np.float32)
q.ldlq(small, small, round_to=UniformGrid.fit(small, 4))  # compiled code and libraries are loaded now
W = np.random.default_rng(0).standard_normal((n, n)).astype(np.float32)
grid = UniformGrid(np.full((n, 1), 0.33, np.float16), 4)
H = np.eye(n, dtype=np.float32) + np.float32(0.1)
before, peak, done = resident(), 0, False

def watch():
    global peak
    while not done:
        peak = max(peak, resident())
        time.sleep(0.002)

watcher = threading.Thread(target=watch)
watcher.start()
q.ldlq(W, H, round_to=grid)
done = True
watcher.join()
print((peak - before) / (W.nbytes + H.nbytes))
"""


def ldlq_memory(n, repeats):
    """Memory that LDLQ adds at its peak, divided by the bytes of W and H together (Linux)."""
    return float(subprocess.run([sys.executable, "-c", MEMORY, str(n)], capture_output=True, check=True).stdout)


def import_time(_, repeats):
    """`import quipref` divided by `import numpy`, each in a fresh process, less the bare interpreter."""
    runs = [
        lambda code=code: subprocess.run([sys.executable, "-c", code], check=True)
        for code in ("pass", "import numpy", "import quipref")
    ]
    bare, numpy, quipref = least(runs, 5 * repeats)
    return (quipref - bare) / (numpy - bare)


CASES = (
    ("ldlq beyond its ldl / one product W @ L", ldlq_against_product, 4096, "at most 1.3"),
    ("ldl / LAPACK's Cholesky", ldl_against_cholesky, 4096, "at most 1.5"),
    ("memory that ldlq adds / bytes of W and H", ldlq_memory, 4096, "at most 3"),
    ("fwht along rows / a copy of the matrix", partial(fwht_against_copy, axis=1), 4096, "at most 1"),
    ("fwht along columns / a copy of the matrix", partial(fwht_against_copy, axis=0), 4096, "-"),
    ("incoherence processing with RHT / ldl", processing_against_ldl, 4096, "at most 0.2"),
    ("clamped_feedback, in seconds", clamped_seconds, 512, "at most 10"),
    *trellis.CASES,
    *lattice.CASES,
    ("import quipref / import numpy", import_time, 0, "at most 2"),
    ("textbook ldlq / compiled ldlq", compiled_against_textbook, 1024, "-"),
    ("optq / ldlq", optq_against_ldlq, 1024, "-"),
)


def main():
    """Run the cases and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a quarter of the size, and two rounds instead of five")
    options = parser.parse_args()
    lines = ["| what | n | ratio | target |", "| --- | ---: | ---: | ---: |"]
    for name, measure, n, target in tqdm(CASES, unit="case"):
        n = n // 4 if options.quick else n
        lines.append(f"| {name} | {n or ''} | {measure(n, 2 if options.quick else 5):.2f} | {target} |")
    table = "\n".join(lines) + "\n"
    print(table)
    if not options.quick:
        RESULTS.write_text(table)


if __name__ == "__main__":
    main()
