"""Time on a device: how long a kernel takes when others follow it without a gap, and what the device is called.

A kernel that takes some microseconds is done before Python has asked for the next one. So the device is made to wait
until all have been asked for; then an event before the first and one after the last say how long they took. The
simulator has no time, so nothing of this runs there.
"""

from time import perf_counter

import numpy as np
from numba import cuda

from quipref.cuda.vocabulary import SIMULATED

NAP = np.uint32(1_000_000)  # nanoseconds, the longest that a thread can sleep
MARGIN = 0.005  # seconds that the device waits longer than the host is expected to take


def device_facts():
    """What a table of times must say of the device."""
    if SIMULATED:
        return {"device": "Numba's simulator", "simulated": True}
    device = cuda.current_context().device  # pragma: no cover - the simulator's run is what is measured
    name = device.name.decode() if isinstance(device.name, bytes) else device.name  # pragma: no cover - same
    return {  # pragma: no cover - same
        "device": name,
        "simulated": False,
        "capability": ".".join(map(str, device.compute_capability)),
        "memory_bytes": cuda.current_context().get_memory_info()[1],
    }


def seconds_each(launches):  # pragma: no cover - the simulator has no time
    """(seconds on the device, seconds on the host to ask for it) of one of these launches, of which 500 can wait."""
    with cuda.defer_cleanup():  # to free memory would wait for the device
        began = perf_counter()
        for launch in launches:
            launch()
        asked = perf_counter() - began
        cuda.synchronize()
        start, stop = cuda.event(), cuda.event()
        wait[1, 1](int(1000 * (2 * asked + MARGIN)))
        start.record()
        for launch in launches:
            launch()
        stop.record()
        stop.synchronize()
    return start.elapsed_time(stop) / 1000 / len(launches), asked / len(launches)


@cuda.jit
def wait(milliseconds):  # pragma: no cover - the simulator has no time
    """Keep the device from what is asked for next."""
    for _ in range(milliseconds):
        cuda.nanosleep(NAP)


def copy_to(there, array):  # pragma: no cover - the simulator has no time
    """Copy an array on the device to another on the device."""
    there.copy_to_device(array)
