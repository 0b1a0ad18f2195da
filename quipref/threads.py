"""Pieces of a large array on all cores: NumPy and the compiled kernels let other threads run while they compute."""

import os
from collections import deque
from concurrent.futures import ThreadPoolExecutor


def cores():
    """How many cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # pragma: no cover - macOS and Windows have no affinity call
        return os.cpu_count() or 1


def in_pieces(total, piece, task, threads=None):
    """[task(first, last), ...] for 0..total in pieces of that size, on that many threads (by default all cores).

    An error or control-C leaves the pieces undone that are not begun. Threads fetch their pieces themselves, so the
    main thread does nothing but wait, and hears control-C at once.
    """
    pieces = [(first, min(first + piece, total)) for first in range(0, total, max(piece, 1))]
    threads = min(threads or cores(), len(pieces))
    if threads < 2:
        return [task(first, last) for first, last in pieces]
    results, waiting = [None] * len(pieces), deque(enumerate(pieces))

    def work():
        try:
            while (next_one := _first(waiting)) is not None:
                i, ends = next_one
                results[i] = task(*ends)
        finally:
            waiting.clear()  # of an error; otherwise there is nothing left

    with ThreadPoolExecutor(threads) as pool:
        try:
            for worker in [pool.submit(work) for _ in range(threads)]:
                worker.result()
        finally:
            waiting.clear()  # of control-C
    return results


def _first(waiting):
    """Take the first of a deque that other threads take from; None if it is empty."""
    try:
        return waiting.popleft()
    except IndexError:
        return None
