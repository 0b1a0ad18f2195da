"""Checks and times of the CUDA kernels in one go: `quipref bench --cuda`.

Every code decodes and multiplies a small matrix, and on a device the first and last rows of large ones, as the CPU
does; then each kernel is timed. Many matrices take turns, so that none is still in the cache when its turn comes again.
What they are measured by: a copy in the device's memory, and a product in half precision by cuBLAS.
"""

from functools import partial
from importlib import import_module
from statistics import median
from types import SimpleNamespace

import numpy as np

from quipref import checks, tables
from quipref.backend import cuda_twin
from quipref.device_checks import BITS, CODES, FLOAT, SMALLER, bits_of, check, matrix

SHAPES = ((8192, 8192), (16384, 53248))
SMALL, SMALL_SIMULATED = (512, 1040), (16, 32)  # several blocks of threads; what the simulator takes a second for
MOST_SIMULATED = 2**12  # weights
SIDE, HALF = 16, 2  # of a tile; bytes
ROTATED, MOST_MATRICES = 2**29, 64  # bytes that take turns, ten times the caches of large devices, where that is enough
SPANS, SPAN_SECONDS, MOST_WAITING = 5, 0.1, 400  # the median of so many spans; launches that can wait on a device
LIBRARIES = {"cupy": "CuPy", "torch": "torch"}  # imported by name, where they are: the package needs neither


def run(shapes=None, codes=None, bits=2, batch=1, step=lambda message, done, total: None):
    """Check and time codes, or all that have so many bits; return what `show` prints.

    It has facts of the device, "checks", "rows" and "notes".
    """
    facts = cuda_twin("device_facts")()
    simulated = facts["simulated"]
    small, shapes, codes, notes = arguments(shapes, codes, bits, batch, simulated)
    device, found, rows, copied, half = cuda_twin("Device")(None), [], [], None, None
    jobs = [(shape, code) for shape in dict.fromkeys([small, *shapes]) for code in codes]
    with device.current():
        if not simulated:
            copied, half = attempt(notes, copy_rate, device), half_library()
            notes += [] if half else ["no cuBLAS: neither CuPy nor torch is there with a device"]
        for done, (shape, code) in enumerate(jobs):
            step(f"{code} {named(shape)}", done, len(jobs))
            new = attempt(notes, check, device, code, bits, shape, batch) or []
            right = [each["kernel"] for each in new if each["passed"]]  # the time of a wrong one says nothing
            found += new
            if not simulated and shape in shapes:
                if half and code == codes[0]:
                    rows += attempt(notes, half_row, device, half, shape, batch) or []
                rows += attempt(notes, code_rows, device, code, bits, shape, batch, right) or []
        step("done", len(jobs), len(jobs))
    notes += ["simulated: no speed is claimed"] if simulated else []
    return {
        **facts, "batch": batch, "bits": bits, "copy_bytes_per_second": copied, "half_precision_by": half and half.name,
        "checks": found, "rows": [rated(row, copied, rows) for row in rows], "notes": notes,
    }  # fmt: skip


def arguments(shapes, codes, bits, batch, simulated):
    """(the small shape, the large ones, the codes, a note on those left out), all arguments checked."""
    least, most = BITS
    checks.integer(bits, "--bits", low=least, high=most)
    checks.integer(batch, "--batch", low=1, high=8)
    for code in codes or ():
        least, most = bits_of(checks.choice(code, "--codes", CODES))
        if not least <= bits <= most:
            raise ValueError(f"--bits must be from {least} to {most} for {code}, but {bits} came. Leave {code} out.")
    fit = [code for code in CODES if bits_of(code)[0] <= bits <= bits_of(code)[1]]
    notes = [f"{code} is left out: it has no {bits} bits" for code in CODES if not codes and code not in fit]
    shapes = (() if simulated else SHAPES) if shapes is None else shapes
    for m, n in shapes:
        if min(m, n) < SIDE or m % SIDE or n % SIDE:
            raise ValueError(f"--shapes must be whole tiles, multiples of {SIDE}, but {m}x{n} came.")
        if simulated and m * n > MOST_SIMULATED:
            raise ValueError(
                f"--shapes must have at most {MOST_SIMULATED} weights on the simulator, but {m}x{n} came. "
                "Leave them out, or run it on a device."
            )
    return SMALL_SIMULATED if simulated else SMALL, shapes, codes or fit, notes


def attempt(notes, task, *arguments):
    """What task(*arguments) returns; where memory does not suffice, None and a note."""
    try:
        return task(*arguments)
    except MemoryError as error:
        notes.append(str(error))
        return None


def timed(tasks, seconds_each):
    """(seconds on the device, seconds to launch) of one task, the tasks taken in turns: the medians of some spans."""
    tasks[0]()  # compiles
    first, _ = seconds_each(tasks)
    turns = max(1, min(int(SPAN_SECONDS / max(first * len(tasks), 1e-9)), MOST_WAITING // len(tasks)))
    spans = [seconds_each(tasks * turns) for _ in range(SPANS)]
    return tuple(median(part) for part in zip(*spans, strict=True))


def in_rotation(nbytes):
    """How many matrices of so many bytes take turns."""
    return max(2, min(-(-ROTATED // nbytes), MOST_MATRICES))


def row(kernel, moved, tasks, **facts):
    """A line of the table: what `tasks`, each of which moves so many bytes, take."""
    seconds, launch = timed(tasks, cuda_twin("seconds_each"))
    return facts | {"kernel": kernel, "bytes": moved, "seconds": seconds, "launch_seconds": launch}


def copy_rate(device):
    """Bytes a second, those read and those written, of a copy larger than every cache."""
    device.check_room(2 * ROTATED, "a copy", "Without it no share of its speed is told.")
    here, there = (device.empty((ROTATED // FLOAT,)) for _ in range(2))
    return 2 * ROTATED / timed([partial(cuda_twin("copy_to"), there, here)], cuda_twin("seconds_each"))[0]


def code_rows(device, code, bits, shape, batch, kernels):
    """A row for each of these kernels: those that multiply, and "decode"."""
    (m, n), rng, rows = shape, np.random.default_rng(0), []
    count = in_rotation(m * n * bits // 8)
    matrices = [matrix(device, code, bits, shape, seed)[2] for seed in range(count)]
    X = device.put(rng.standard_normal((batch, n)).astype(np.float32))
    Y = [device.empty((batch, m)) for _ in matrices]
    for kernel in kernels:
        if kernel == "decode":
            device.check_room(FLOAT * m * n, f"decoded {named(shape)}", SMALLER)
            out, written = device.empty(shape), m * n
            tasks = [partial(each.decode, out) for each in matrices]
        else:
            written = batch * (m + n)  # and read
            tasks = [partial(each.multiply_with, kernel, X, y) for each, y in zip(matrices, Y, strict=True)]
        moved = matrices[0].nbytes + FLOAT * written
        rows.append(row(kernel, moved, tasks, code=code, bits=bits, shape=list(shape), batch=batch, matrices=count))
    return rows


def half_library():
    """CuPy or torch: its name, what puts an array on the device, and its product; None where neither has a device."""
    for name, title in LIBRARIES.items():
        try:
            library = import_module(name)
        except ImportError:
            continue
        if library.cuda.is_available():
            put = library.asarray if name == "cupy" else partial(library.as_tensor, device="cuda")
            return SimpleNamespace(name=title, put=put, product=library.matmul)
    return None


def half_row(device, half, shape, batch):
    """The row of a product in half precision, which goes through cuBLAS."""
    m, n = shape
    moved = HALF * (m * n + batch * (m + n))
    count = in_rotation(moved)
    device.check_room(count * moved, f"{count} matrices {named(shape)} in half precision", SMALLER)
    some = np.random.default_rng(0).standard_normal(2**20).astype(np.float16)
    matrices = [half.put(np.resize(some, shape)) for _ in range(count)]
    X, Y = half.put(np.resize(some, (n, batch))), half.put(np.zeros((m, batch), np.float16))
    tasks = [partial(half.product, W, X, out=Y) for W in matrices]
    return [row("cuBLAS", moved, tasks, code="float16", bits=16, shape=list(shape), batch=batch, matrices=count)]


def rated(row, copied, rows):
    """A row with its rates: bytes a second, their share of a copy's, and times the speed of the float16 product."""
    rate = row["bytes"] / row["seconds"]
    half = [each["seconds"] for each in rows if each["code"] == "float16" and each["shape"] == row["shape"]]
    times = half[0] / row["seconds"] if half and row["kernel"] != "decode" else None
    return row | {"bytes_per_second": rate, "copy_share": copied and rate / copied, "times_fp16": times}


def show(found):
    """The tables, and what is to be known about them."""
    head = [f"{found['device']}; {found['bits']} bits a weight; vectors: {found['batch']}"]
    if found["copy_bytes_per_second"]:
        head.append(f"a copy in its memory: {found['copy_bytes_per_second'] / 1e9:.0f} GB/s, read and written")
    titles = ["code", "shape", "kernel", "against the CPU", "off by", "allowed"]
    parts = ["\n".join(head), tables.markdown(titles, [judged(each) for each in found["checks"]])]
    parts += [f"{each['kernel']} of {each['code']}: {each['error']}" for each in found["checks"] if each["error"]]
    slow = {each["code"]: each["not_fast"] for each in found["checks"] if each["not_fast"]}
    parts += ["\n".join(f"{code} has no fast row ({why})" for code, why in slow.items())] if slow else []
    if found["rows"]:
        titles = ["code", "shape", "kernel", "MB moved", "us", "GB/s", "of copying", "times fp16", "us to launch"]
        parts.append(tables.markdown(titles, [line(row) for row in found["rows"]]))
    return "\n\n".join([*parts, *found["notes"]])


def judged(check):
    """The cells of a check."""
    off = "-" if check["off"] is None else f"{check['off']:.1e}"
    verdict = "right" if check["passed"] else "WRONG"
    return [check["code"], named(check["shape"]), check["kernel"], verdict, off, f"{check['allowed']:.1e}"]


def line(row):
    """The cells of a row of times."""
    share, times = row["copy_share"], row["times_fp16"]
    return [
        row["code"], named(row["shape"]), row["kernel"], f"{row['bytes'] / 1e6:.1f}", f"{row['seconds'] * 1e6:.1f}",
        f"{row['bytes_per_second'] / 1e9:.0f}", f"{share:.0%}" if share else "", f"{times:.2f}" if times else "",
        f"{row['launch_seconds'] * 1e6:.0f}",
    ]  # fmt: skip


def named(shape):
    """A shape as it is read and written."""
    return "x".join(map(str, shape))
