"""The command line: `quipref tour`, `compare`, `gaussian` and other commands; `--json` on each, for scripts.

Results go to standard output, progress and warnings to standard error. Exit status: 0 done, 1 an
error in what was given (one line says what to do), 2 a misspelt command, 130 interrupted, 143 terminated.
"""

import argparse
import json
import signal
import sys
import warnings
from contextlib import contextmanager
from pathlib import Path

from tqdm import tqdm

from quipref import checks, hessian, storage

LAYER_HELP = (
    "LAYER is file.npz with W (m, n) and H (n, n), or lm:layers.2.mlp.down (a layer of the small language model), "
    "or random:256x512,spectrum=power,basis=haar,seed=3"
)


def main(arguments=None):
    """Run one command; return the exit status."""
    options = parser().parse_args(arguments)
    try:
        with warnings.catch_warnings(), _terminable():
            warnings.showwarning = lambda message, *_, **__: print(f"quipref: {message}", file=sys.stderr)
            options.run(options)
    except (ValueError, TypeError, OSError, MemoryError) as error:
        print(f"quipref: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("quipref: interrupted; no file was left half-written.", file=sys.stderr)
        return 130
    return 0


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

    tour = _command(commands, "tour", run_tour, "quantize the small language model with every method", "quipref tour")
    tour.add_argument("--full", action="store_true", help="evaluate on 64 KB and calibrate on 256 KB, not 16 and 64")
    tour.add_argument("--picture", default="tour.png", metavar="FILE", help="where the picture goes (default tour.png)")

    compare = _command(
        commands, "compare", run_compare, "every method on one layer", "quipref compare lm:layers.2.mlp.down --bits 2"
    )
    compare.add_argument("layer", metavar="LAYER", help=LAYER_HELP)
    compare.add_argument("--bits", type=int, nargs="+", default=[4, 3, 2], help="default 4 3 2")

    _measured_codes(commands)

    mu = _command(
        commands,
        "incoherence",
        run_incoherence,
        "how incoherent a layer is before and after each transform",
        "quipref incoherence lm:layers.2.mlp.down",
    )
    mu.add_argument("layer", metavar="LAYER", help=LAYER_HELP)
    mu.add_argument("--seed", type=int, default=0, help="of the rotations (default 0)")
    mu.add_argument("--rescale", action="store_true", help="balance the channels first, as QuIP does")
    mu.add_argument("--picture", default="incoherence.png", metavar="FILE", help="default incoherence.png")

    report = _command(
        commands,
        "hessian",
        run_hessian,
        "what is wrong with this Hessian, if anything",
        "quipref hessian H.safetensors",
    )
    report.add_argument("file", metavar="FILE", help="a Hessian file (safetensors), or .npz with H")

    _command(commands, "doctor", run_doctor, "what a bug report needs", "quipref doctor --json")
    return root


def _measured_codes(commands):
    gaussian = _command(
        commands, "gaussian", run_gaussian, "measure codes on N(0, 1): error against rate", "quipref gaussian --quick"
    )
    gaussian.add_argument("--picture", default="gaussian.png", metavar="FILE", help="default gaussian.png")
    measured = [gaussian]
    for number, about in ((1, "codes at 2 bits a weight"), (2, "what the search for a circle loses")):
        name, purpose = f"table{number}", f"measure table {number} of the QTIP paper: {about}"
        table = _command(commands, name, run_table, purpose, f"quipref {name} --quick")
        table.set_defaults(number=number)
        measured.append(table)
    for command in measured:
        command.add_argument("--quick", action="store_true", help="fewer sequences: seconds, not minutes")
        command.add_argument("--seed", type=int, default=0, help="of the source and of random tables (default 0)")


def _command(commands, name, run, purpose, example):
    command = commands.add_parser(
        name, help=purpose, description=purpose[0].upper() + purpose[1:] + ".", epilog=f"example: {example}"
    )
    command.add_argument("--json", action="store_true", help="print JSON instead of text")
    command.set_defaults(run=run)
    return command


def run_tour(options):
    """Print the tour's table and write its picture."""
    from quipref import tour
    from quipref.figures import tour as figure

    picture = _picture(options)
    with storage.atomic(picture) as scratch:  # a folder that cannot be written to is refused before the work
        with progress_bar("tour") as step:
            rows = tour.run(full=options.full, step=step)
        if not options.json:
            print(tour.table(rows))
        figure.save(rows, scratch)
    if options.json:
        _print_json({"rows": [row.to_dict() for row in rows], "full": options.full, "picture": str(picture)})
    else:
        print(f"\npicture: {picture}")


def _picture(options):
    """Where the picture goes, as an absolute path."""
    picture = Path(options.picture).resolve()
    if picture.suffix != ".png":
        raise ValueError(f"--picture must end in .png, but {options.picture!r} came. Name it {picture.stem}.png.")
    return storage.in_folder(picture, "--picture")


def run_compare(options):
    """Print every method's losses on one layer."""
    from quipref import tour

    for bits in options.bits:
        checks.integer(bits, "--bits", low=1, high=8)
    W, H = read_layer(options.layer)
    total = sum(len(tour.registry.tour_rows([W.shape], bits)) for bits in options.bits)
    left_out = tour.left_out([W.shape], options.bits)
    with progress_bar("compare") as step:
        rows = tour.compare(
            {"layer": W}, {"layer": H}, bits=options.bits, step=lambda what, done: step(what, done, total)
        )
    if options.json:
        _print_json(
            {"rows": [row.to_dict() for row in rows], "layer": options.layer, "shape": list(W.shape)}
            | {"left_out": left_out}
        )
    else:
        print(tour.table(rows, left_out))


def run_table(options):
    """Measure and print table 1 or table 2 of the QTIP paper."""
    from quipref import published

    measure, show = {
        1: (published.table_1, published.show_table_1),
        2: (published.table_2, published.show_table_2),
    }[options.number]
    checks.integer(options.seed, "--seed", low=0)
    with progress_bar(f"table {options.number}") as step:
        rows = measure(quick=options.quick, seed=options.seed, step=step)
    if options.json:
        _print_json({"rows": [row.to_dict() for row in rows], "quick": options.quick, "seed": options.seed})
    else:
        print(show(rows))


def run_gaussian(options):
    """Print the errors of codes against their rates and write the picture of them."""
    from quipref import gaussian_page
    from quipref.figures import gaussian_page as figure

    picture = _picture(options)
    checks.integer(options.seed, "--seed", low=0)
    with storage.atomic(picture) as scratch:
        with progress_bar("gaussian") as step:
            rows = gaussian_page.measure(quick=options.quick, seed=options.seed, step=step)
        if not options.json:
            print(gaussian_page.show(rows))
        figure.save(rows, scratch)
    facts = {"quick": options.quick, "seed": options.seed, "picture": str(picture)}
    if options.json:
        _print_json({"rows": [row.to_dict() for row in rows], **facts})
    else:
        print(f"\npicture: {picture}")


def run_incoherence(options):
    """Print mu of W and H for every transform and write the picture of them."""
    from quipref.figures import incoherence as figure
    from quipref.incoherence import report

    picture, panels = _picture(options), []
    with storage.atomic(picture) as scratch:
        W, H = read_layer(options.layer)
        with progress_bar("incoherence") as step:
            rows = report.incoherence_report(
                W, H, seed=options.seed, rescale=options.rescale, step=step, look=lambda *panel: panels.append(panel)
            )
        if not options.json:
            print("\n".join(filter(None, (report.table(rows), report.rank_note(H)))))
        figure.save_report(panels, scratch)
    if options.json:
        facts = {"layer": options.layer, "shape": list(W.shape), "seed": options.seed, "rescale": options.rescale}
        _print_json({"rows": [row.to_dict() for row in rows], **facts, "picture": str(picture)})
    else:
        print(f"\npicture: {picture}")


def run_hessian(options):
    """Print the report on a Hessian file."""
    path = Path(options.file)
    if path.suffix == ".npz":
        H, tokens = _array(storage.read_arrays(path), "H", path), None
    else:
        H, tokens = hessian.load_hessian(path)
    report = hessian.hessian_report(H)
    if options.json:
        _print_json(report.to_dict() | {"tokens": tokens})
    else:
        print(report)


def run_doctor(options):
    """Print what a bug report needs."""
    from quipref import doctor

    facts = doctor.facts()
    if options.json:
        _print_json(facts)
    else:
        width = max(map(len, facts))
        print("\n".join(f"{name.ljust(width)}  {value}" for name, value in facts.items()))


def read_layer(text):
    """The Layer that LAYER names on the command line."""
    from quipref.problems import Layer, parse_random_layer

    if text.startswith("random:"):
        return parse_random_layer(text)
    if text.startswith("lm:"):
        from quipref import lm, tour

        model = lm.load_lm()
        name = text.removeprefix("lm:")
        W = model.linear(name)
        return Layer(W, lm.calibrated_hessians(model, tour.QUICK_CALIBRATION)[name])
    if not text.endswith(".npz"):
        raise ValueError(f"LAYER must be file.npz, lm:NAME or random:MxN, but {text!r} came. {LAYER_HELP}.")
    arrays = storage.read_arrays(text)
    W, H = checks.weights(_array(arrays, "W", text)), _array(arrays, "H", text)
    return Layer(W, checks.symmetric(H, n=W.shape[1]))


def _array(arrays, name, path):
    if name not in arrays:
        raise ValueError(
            f"{path} must hold an array {name}, but it holds {sorted(arrays)}. "
            "Write it with numpy.savez(file, W=W, H=H)."
        )
    return arrays[name]


@contextmanager
def progress_bar(title):
    """A progress bar on standard error; yields the function that moves it: step(message, done, total)."""
    with tqdm(desc=title, total=1, bar_format="{desc} {percentage:3.0f}%|{bar}| {elapsed}", leave=False) as bar:

        def step(message, done, total):
            bar.total = total
            bar.n = done
            bar.set_description_str(message)

        yield step


def _print_json(content):
    print(json.dumps(content, indent=2, allow_nan=False))
