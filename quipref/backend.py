"""The one door from a public function to its compiled twin, and to its twin on a GPU.

`twin("round_columns")` imports the kernel of that name on first use, so the reference never names
numba. A new kernel is one line in `KERNELS`; `cuda_twin` and `CUDA` do the same for what runs on a CUDA device.
"""

from importlib import import_module
from typing import Literal, get_args

from quipref import checks
from quipref.threads import cores, in_pieces

Backend = Literal["numba", "numpy"]
BACKENDS = get_args(Backend)

KERNELS = {
    "best_steps": "quipref.kernels.grid",
    "best_walks": "quipref.kernels.viterbi",
    "butterfly": "quipref.kernels.walsh",
    "coarse_walks": "quipref.kernels.coarse",
    "descend": "quipref.kernels.greedy",
    "lockstep_walks": "quipref.kernels.lockstep",
    "nearest_points": "quipref.kernels.e8p",
    "nearest_roots": "quipref.kernels.roots",
    "point_values": "quipref.kernels.e8p",
    "round_columns": "quipref.kernels.feedback",
    "round_tile": "quipref.kernels.two_sided",
    "scaled_rows": "quipref.kernels.walsh",
}

CUDA = {
    "Device": "quipref.cuda.device",
    "butterfly": "quipref.cuda.hadamard",
    "copy_to": "quipref.cuda.timing",
    "decode_points": "quipref.cuda.decode",
    "decode_walks": "quipref.cuda.decode",
    "dense_factor": "quipref.cuda.hadamard",
    "device_facts": "quipref.cuda.timing",
    "fast_fails": "quipref.cuda.fast_check",
    "fast_refuses": "quipref.cuda.fast_matvec",
    "fast_scratch": "quipref.cuda.fast_matvec",
    "fast_walks_matvec": "quipref.cuda.fast_matvec",
    "points_matvec": "quipref.cuda.matvec",
    "require_cuda": "quipref.cuda.presence",
    "scaled_rows": "quipref.cuda.hadamard",
    "seconds_each": "quipref.cuda.timing",
    "unnormalised": "quipref.cuda.hadamard",
    "walks_matvec": "quipref.cuda.matvec",
}

ROWS_A_TASK = 64  # rows are handed to threads in multiples of the kernels' vector width


def twin(name):
    """The compiled function that has the name and the arguments of a reference function."""
    return getattr(import_module(KERNELS[checks.choice(name, "name", tuple(KERNELS))]), name)


def cuda_twin(name):
    """The function of that name for arrays on a CUDA device; the import fails where there is no numba.cuda."""
    return getattr(import_module(CUDA[checks.choice(name, "name", tuple(CUDA))]), name)


def compiled(backend):
    """True for "numba", False for "numpy"; anything else is refused."""
    return checks.choice(backend, "backend", BACKENDS) == "numba"


def thread_count(threads):
    """`threads`, or for None every core that this process may use."""
    return cores() if threads is None else checks.integer(threads, "threads", low=1)


def over_rows(m, threads, task, most=None):
    """Call task(first, last) on pieces of 0..m, one for each of that many threads (the kernels release the GIL).

    `most` rows make a piece where given: slow work is then soon interrupted, since no piece is begun after control-C.
    """
    threads = thread_count(threads)
    piece = -(-m // threads)
    in_pieces(m, most or -(-piece // ROWS_A_TASK) * ROWS_A_TASK, task, threads)
