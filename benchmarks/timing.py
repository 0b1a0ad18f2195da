"""The least time that each of several tasks takes, in turns."""

import time

REST = 0.1  # seconds: the threads of BLAS stay awake for a while, which the next task would pay for


def least(tasks, repeats):
    """The least time of each task in seconds, the tasks taken in turns; one round warms up."""
    times = [[] for _ in tasks]
    for turn in range(repeats + 1):
        for task, seen in zip(tasks, times, strict=True):
            time.sleep(REST)
            started = time.perf_counter()
            task()
            if turn:
                seen.append(time.perf_counter() - started)
    return [min(seen) for seen in times]
