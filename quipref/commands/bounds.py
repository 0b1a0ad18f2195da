"""`quipref bounds`: which theorems hold on many random layers, and how much of its bound each method uses up."""

import os
import statistics
import sys
from contextlib import contextmanager, redirect_stdout

from quipref import checks, storage, tables
from quipref.commands import terminal
from quipref.sweeps import records as kept

METHODS = ["nearest", "ldlq", "root_trace", "incoherent_trace"]
METHODS_HELP = (
    "names on the integers (nearest, ldlq, optq, greedy), of inequalities about H (root_trace, incoherent_trace), "
    "with --bits of published methods, or MODULE:FUNCTION of your own (default: nearest ldlq and both inequalities)"
)
TIME_HELP = "for a rounder of your own and one layer, after which it counts as hanging (default 10)"
SIZES = [8, 16, 32, 64, 128]
SIZES_HELP = f"columns n (default {' '.join(map(str, SIZES))})"
KEPT, BROKEN, NO_BOUND, NO_RESULT = "kept here", "broken", "no bound", "no result"
HEADINGS = ("method", "bound", "layers", "errors", "median", "largest", "verdict", "largest on")


def add(commands):
    """Add it to the parser."""
    bounds = terminal.command(
        commands,
        "bounds",
        run_bounds,
        "check bounds on many random layers",
        "quipref bounds --sizes 16 64 256 --seeds 20 --folder results",
    )
    bounds.add_argument("--methods", nargs="+", default=METHODS, metavar="METHOD", help=METHODS_HELP)
    bounds.add_argument("--bits", type=int, nargs="+", help="bits a weight (default: all integers, as in the theorems)")
    bounds.add_argument("--sizes", type=int, nargs="+", default=SIZES, help=SIZES_HELP)
    bounds.add_argument("--spectra", nargs="+", help="power, flat, low_rank, outlier, dead (default all)")
    bounds.add_argument("--bases", nargs="+", default=["haar"], help="haar, hadamard, identity (default haar)")
    bounds.add_argument("--seeds", type=int, default=10, metavar="N", help="layers of each kind (default 10)")
    bounds.add_argument("--rows", type=int, default=16, help="rows of a layer (default 16)")
    bounds.add_argument("--folder", metavar="DIR", help="keep results there and measure none twice")
    bounds.add_argument("--jobs", type=int, metavar="N", help="at a time (default: all cores)")
    bounds.add_argument("--time-limit", type=float, default=10.0, metavar="SECONDS", help=TIME_HELP)
    bounds.add_argument("--picture", default="bounds.png", metavar="FILE", help="default bounds.png")


def run_bounds(options):
    """Print how much of its bound each method uses up, and write the picture if there is anything to draw.

    Exit status 1 if a bound is broken, or a method gave no result at all.
    """
    from quipref.figures import sweeps as figure
    from quipref.problems import SPECTRA
    from quipref.sweeps.run import sweep

    picture = terminal.picture(options)
    if options.jobs is not None:
        checks.integer(options.jobs, "--jobs", low=1)
    terminal.look_in_current_folder()
    with _prints_are_no_results():
        records = sweep(
            [_method(text) for text in options.methods], sizes=options.sizes, spectra=options.spectra or SPECTRA,
            bases=options.bases, seeds=options.seeds, bits=options.bits, rows=options.rows, folder=options.folder,
            jobs=options.jobs, time_limit=options.time_limit, progress=True,
        )  # fmt: skip
    found = by_method(records)
    if not options.json:
        print(table(found), *remarks(found), sep="\n")
    drawn = any(record["ratio"] is not None for record in records)
    if drawn:
        with storage.atomic(picture) as scratch:
            figure.save(records, scratch)
    if options.json:
        terminal.print_json({"records": records, "picture": str(picture) if drawn else None})
    else:
        print(f"\npicture: {picture}" if drawn else "\nno picture: there is no bound to draw losses against")
    return int(any(verdict(own) in (BROKEN, NO_RESULT) for own in found.values()))


@contextmanager
def _prints_are_no_results():
    """What a stranger's module prints goes to standard error, also in the worker processes that are started here."""
    sys.stdout.flush()
    stdout = os.dup(1)
    os.dup2(2, 1)
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        os.dup2(stdout, 1)
        os.close(stdout)


def _method(text):
    """A name, or the callable that MODULE:FUNCTION names."""
    from quipref.testing.worker import located

    return located(text) if ":" in text else text


def by_method(records):
    """{label: its records}, in order."""
    found = {}
    for record in records:
        found.setdefault(kept.label(record), []).append(record)
    return found


def verdict(own):
    """What became of one method's bound."""
    if all(record["error"] is not None for record in own):
        return NO_RESULT
    ratios = [record["ratio"] for record in own if record["ratio"] is not None]
    return (BROKEN if max(ratios) > kept.BROKEN else KEPT) if ratios else NO_BOUND


def table(found):
    """A line for each method: the median and the largest part of its bound, and the layer that it is reached on."""
    lines = []
    for name, own in found.items():
        errors = sum(record["error"] is not None for record in own)
        line = [name, "", str(len(own)), str(errors) if errors else "", "", "", verdict(own), ""]
        judged = [record for record in own if record["ratio"] is not None]
        if judged:
            worst = max(judged, key=lambda record: record["ratio"])
            median = statistics.median(record["ratio"] for record in judged)
            line[1], line[4:6], line[7] = worst["bound"], (f"{median:.3f}", f"{worst['ratio']:.3f}"), _layer(worst)
        lines.append(line)
    return tables.markdown(HEADINGS, lines)


def remarks(found):
    """On each method's first error, on what random layers can tell, and on what has no bound."""
    for name, own in found.items():
        failed = [record for record in own if record["error"] is not None]
        if failed:
            yield f"\n{name}: no result on {len(failed)} of {len(own)} layers, first {_layer(failed[0])}"
            yield f"  {failed[0]['error']}"
    verdicts = [verdict(own) for own in found.values()]
    if KEPT in verdicts:
        yield "\nkept here: on these layers, drawn at random; worse ones are searched for by quipref check"
    if NO_BOUND in verdicts:
        yield "\nno bound: the theorems are of grids without end, a column at a time; --json shows the losses"


def _layer(record):
    """LAYER on the command line: what `quipref compare` takes."""
    return "random:{m}x{n},spectrum={spectrum},basis={basis},seed={seed}".format(**record)
