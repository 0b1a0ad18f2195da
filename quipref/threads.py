"""Pieces of a large array on all cores: NumPy and the compiled kernels let other threads run while they compute."""

import os
from concurrent.futures import ThreadPoolExecutor


def cores():
    """How many cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # pragma: no cover - macOS and Windows have no affinity call
        return os.cpu_count() or 1


def in_pieces(total, piece, task, threads=None):
    """[task(first, last), ...] for 0..total in pieces of that size, on that many threads (by default all cores)."""
    pieces = [(first, min(first + piece, total)) for first in range(0, total, max(piece, 1))]
    threads = min(threads or cores(), len(pieces))
    if threads < 2:
        return [task(first, last) for first, last in pieces]
    with ThreadPoolExecutor(threads) as pool:
        try:
            return list(pool.map(lambda ends: task(*ends), pieces))
        except BaseException:  # an error or control-C, which may come while pieces are still being handed out
            pool.shutdown(wait=False, cancel_futures=True)
            raise
