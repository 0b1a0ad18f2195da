"""The command line: `quipref tour`, `compare`, `check` and other commands; `--json` on each, for scripts.

Results go to standard output, progress and warnings to standard error. Exit status: 0 done; 1 an error in what was
given (one line says what to do), a check that failed or a bound that broke; 2 a misspelt command; 130 interrupted;
143 terminated.
"""

import argparse
import signal
import sys
import warnings
from contextlib import contextmanager

from quipref.commands import bench, bounds, check, codes, machine, matrices, tour


def main(arguments=None):
    """Run one command; return the exit status."""
    options = parser().parse_args(arguments)
    try:
        with warnings.catch_warnings(), _terminable():
            warnings.showwarning = lambda message, *_, **__: print(f"quipref: {message}", file=sys.stderr)
            return options.run(options) or 0
    except (ValueError, TypeError, OSError, MemoryError) as error:
        print(f"quipref: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("quipref: interrupted; no file was left half-written.", file=sys.stderr)
        return 130


@contextmanager
def _terminable():
    """Let SIGTERM end the program as an exception does, so that scratch files are removed; exit status 143."""

    def stop(*_):
        raise SystemExit(143)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def parser():
    """The argument parser with all commands."""
    description = "Quantize language-model weights, and see why it works."
    root = argparse.ArgumentParser(prog="quipref", description=description, epilog="example: quipref tour")
    commands = root.add_subparsers(required=True, metavar="COMMAND")
    for kind in (tour, codes, matrices, check, bounds, bench, machine):
        kind.add(commands)
    return root
