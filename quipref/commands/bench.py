"""`quipref bench --cuda`: are the CUDA kernels right on this device, and how fast."""

import re

from quipref.commands import terminal

SHAPES = "rows and columns, besides a small one (default 8192x8192 16384x53248; on the simulator the small one alone)"


def add(commands):
    """Add it to the parser."""
    bench = terminal.command(
        commands, "bench", run_bench, "check and time the CUDA kernels on this device", "quipref bench --cuda"
    )
    bench.add_argument("--cuda", action="store_true", help="the kernels for a GPU, the only ones that it times so far")
    bench.add_argument("--shapes", nargs="+", metavar="MxN", help=SHAPES)
    bench.add_argument(
        "--codes", nargs="+", metavar="CODE", help="such as 1mad hyb quip# (default all of so many bits)"
    )
    bench.add_argument(
        "--bits", type=int, default=2, metavar="K", help="bits a weight, 1 to 8, for quip# 2 to 4 (default 2)"
    )
    bench.add_argument("--batch", type=int, default=1, metavar="B", help="vectors at once, 1 to 8 (default 1)")


def run_bench(options):
    """Print what is right and how fast; exit status 1 if anything is wrong."""
    from quipref import device_bench
    from quipref.backend import cuda_twin

    if not options.cuda:
        raise ValueError(
            "bench must be told what to time: --cuda, the kernels for a GPU. "
            "What runs on the CPU is timed by `make bench` in a checkout of the sources."
        )
    shapes = [shape(part) for part in listed(options.shapes)] or None
    try:
        cuda_twin("require_cuda")()
    except (ModuleNotFoundError, RuntimeError) as error:
        raise OSError(str(error)) from None
    with terminal.progress_bar("bench") as step:
        found = device_bench.run(shapes, listed(options.codes) or None, options.bits, options.batch, step=step)
    if options.json:
        terminal.print_json(found)
    else:
        print(device_bench.show(found))
    return int(not all(check["passed"] for check in found["checks"]))


def listed(parts):
    """Words between spaces or commas."""
    return [word for part in parts or [] for word in part.split(",") if word]


def shape(text):
    """(m, n) of a text such as 8192x8192."""
    found = re.fullmatch(r"(\d+)x(\d+)", text)
    if found is None:
        raise ValueError(f"--shapes must read like 8192x8192, but {text!r} came.")
    return int(found[1]), int(found[2])
