"""The one door from a public function to its compiled twin.

`twin("round_columns")` imports the kernel of that name on first use, so the reference never names
numba. A new kernel is one line in `KERNELS`.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import Literal, get_args

from quipref import checks

Backend = Literal["numba", "numpy"]
BACKENDS = get_args(Backend)

KERNELS = {
    "best_steps": "quipref.kernels.grid",
    "best_walks": "quipref.kernels.viterbi",
    "butterfly": "quipref.kernels.walsh",
    "descend": "quipref.kernels.greedy",
    "lockstep_walks": "quipref.kernels.lockstep",
    "round_columns": "quipref.kernels.feedback",
    "round_tile": "quipref.kernels.two_sided",
}

ROWS_A_TASK = 64  # rows are handed to threads in multiples of the kernels' vector width


def twin(name):
    """The compiled function that has the name and the arguments of a reference function."""
    return getattr(import_module(KERNELS[checks.choice(name, "name", tuple(KERNELS))]), name)


def compiled(backend):
    """True for "numba", False for "numpy"; anything else is refused."""
    return checks.choice(backend, "backend", BACKENDS) == "numba"


def thread_count(threads):
    """`threads`, or for None every core that this process may use."""
    if threads is not None:
        return checks.integer(threads, "threads", low=1)
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # pragma: no cover - macOS and Windows have no affinity call
        return os.cpu_count() or 1


def over_rows(m, threads, task):
    """Call task(first, last) on pieces of 0..m, on that many threads (the kernels release the GIL)."""
    threads = thread_count(threads)
    piece = -(-m // threads)
    piece = -(-piece // ROWS_A_TASK) * ROWS_A_TASK
    pieces = [(first, min(first + piece, m)) for first in range(0, m, max(piece, 1))]
    if len(pieces) < 2:
        for first, last in pieces:
            task(first, last)
        return
    with ThreadPoolExecutor(len(pieces)) as pool:
        for future in [pool.submit(task, first, last) for first, last in pieces]:
            future.result()
