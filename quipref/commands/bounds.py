"""`quipref bounds`: which theorems hold on many random layers, and how much of its bound each method uses up."""

import statistics

from quipref import checks, storage, tables
from quipref.commands import terminal
from quipref.sweeps import records as kept

METHODS = ["nearest", "ldlq", "root_trace", "incoherent_trace"]
METHODS_HELP = (
    "names on the integers (nearest, ldlq, optq, greedy), of inequalities about H (root_trace, incoherent_trace), "
    "with --bits of published methods, or MODULE:FUNCTION of your own (default: nearest ldlq and both inequalities)"
)
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
    bounds.add_argument("--sizes", type=int, nargs="+", default=[8, 16, 32, 64, 128], help="columns n, default to 128")
    bounds.add_argument("--spectra", nargs="+", help="power, flat, low_rank, outlier, dead (default all)")
    bounds.add_argument("--bases", nargs="+", default=["haar"], help="haar, hadamard, identity (default haar)")
    bounds.add_argument("--seeds", type=int, default=10, metavar="N", help="layers of each kind (default 10)")
    bounds.add_argument("--rows", type=int, default=16, help="rows of a layer (default 16)")
    bounds.add_argument("--folder", metavar="DIR", help="keep results there and measure none twice")
    bounds.add_argument("--jobs", type=int, metavar="N", help="at a time (default: all cores)")
    bounds.add_argument("--picture", default="bounds.png", metavar="FILE", help="default bounds.png")


def run_bounds(options):
    """Print how much of its bound each method uses up, and write the picture; exit status 1 if a bound is broken."""
    from quipref.figures import sweeps as figure
    from quipref.problems import SPECTRA
    from quipref.sweeps.run import sweep

    picture = terminal.picture(options)
    if options.jobs is not None:
        checks.integer(options.jobs, "--jobs", low=1)
    terminal.look_in_current_folder()
    with storage.atomic(picture) as scratch:
        records = sweep(
            [_method(text) for text in options.methods], sizes=options.sizes, spectra=options.spectra or SPECTRA,
            bases=options.bases, seeds=options.seeds, bits=options.bits, rows=options.rows, folder=options.folder,
            jobs=options.jobs, progress=True,
        )  # fmt: skip
        if not options.json:
            print(table(records))
        figure.save(records, scratch)
    if options.json:
        terminal.print_json({"records": records, "picture": str(picture)})
    else:
        print(f"\npicture: {picture}")
    return int(any(record["ratio"] is not None and record["ratio"] > kept.BROKEN for record in records))


def _method(text):
    """A name, or the callable that MODULE:FUNCTION names."""
    from quipref.testing.worker import located

    return located(text) if ":" in text else text


def table(records):
    """A line for each method: the median and the largest part of its bound, and the layer that it is reached on."""
    lines = []
    for name in dict.fromkeys(map(kept.label, records)):
        own = [record for record in records if kept.label(record) == name]
        found = [record for record in own if record["ratio"] is not None]
        errors = sum(record["error"] is not None for record in own)
        line = [name, "", str(len(own)), str(errors) if errors else "", "", "", "no bound", ""]
        if found:
            worst = max(found, key=lambda record: record["ratio"])
            median = statistics.median(record["ratio"] for record in found)
            verdict = "broken" if worst["ratio"] > kept.BROKEN else "kept"
            line[1] = worst["bound"]
            line[4:] = f"{median:.3f}", f"{worst['ratio']:.3f}", verdict, _layer(worst)
        lines.append(line)
    return tables.markdown(HEADINGS, lines)


def _layer(record):
    """LAYER on the command line: what `quipref compare` takes."""
    return "random:{m}x{n},spectrum={spectrum},basis={basis},seed={seed}".format(**record)
