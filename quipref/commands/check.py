"""`quipref check`: is this rounding idea right, which bound does it keep, and on which layer does it fail."""

import sys
from argparse import ArgumentTypeError
from contextlib import redirect_stdout
from dataclasses import replace

from quipref import storage
from quipref.commands import terminal


def add(commands):
    """Add it to the parser."""
    check = terminal.command(
        commands,
        "check",
        run_check,
        "is this rounder right, and which bound does it keep",
        "quipref check my_idea:my_rounder",
    )
    check.add_argument("rounder", metavar="MODULE:FUNCTION", help="a rounder, (W (m, n), H (n, n)) -> W_hat (m, n)")
    check.add_argument("--picture", default="check.png", metavar="FILE", help="default check.png")
    check.add_argument("--only", nargs="+", metavar="NAME", help="these checks or tiers alone")
    check.add_argument("--max-examples", type=int, default=25, metavar="N", help="layers a check draws (default 25)")
    check.add_argument("--seconds", type=float, default=20.0, help="for all checks together (default 20)")
    check.add_argument("--time-limit", type=float, default=5.0, metavar="SECONDS", help="a call may take (default 5)")
    check.add_argument(
        "--promise", action="append", default=[], metavar="NAME", help="hold it to this bound too; may be repeated"
    )
    check.add_argument(
        "--expected-failure", action="append", default=[], type=_named, metavar="NAME=REASON",
        help="this check must fail; may be repeated",
    )  # fmt: skip
    check.add_argument("--seed", type=int, default=0, help="of the layers (default 0)")
    check.add_argument("--isolate", action="store_true", help="run it in an interpreter of its own")


def run_check(options):
    """Print the report on a rounder and draw its losses, if it has any; exit status 1 if a check failed."""
    from quipref.testing.rounder import check_rounder

    picture = terminal.picture(options)
    terminal.look_in_current_folder()
    with redirect_stdout(sys.stderr):  # what a stranger's function prints is no part of the report
        report = check_rounder(
            options.rounder, only=options.only, max_examples=options.max_examples, seconds=options.seconds,
            time_limit=options.time_limit, seed=options.seed, isolate=options.isolate, on_fail=None, progress=True,
            expected_failures=dict(options.expected_failure), tags=_promising(options),
        )  # fmt: skip
    if not options.json:
        print(report)
    with redirect_stdout(sys.stderr):
        hung = any(outcome.hung for outcome in report.outcomes)
        missing = "it hung" if hung else _draw(options.rounder, options.isolate, picture)
    if options.json:
        terminal.print_json(report.to_dict() | {"picture": None if missing else str(picture)})
    else:
        print(f"\nno picture: {missing}" if missing else f"\npicture: {picture}")
    return int(bool(report.failed))


def _named(text):
    """(name, reason) of NAME=REASON."""
    name, equals, reason = text.partition("=")
    if not (name and equals and reason):
        raise ArgumentTypeError(f"must read NAME=REASON, but {text!r} came")
    return name, reason


def _promising(options):
    """The rounder's tags with the promises of the command line added, None if there are none."""
    from quipref.testing.protocol import tags_of
    from quipref.testing.worker import IsolatedCaller, located

    if not options.promise:
        return None
    if options.isolate:  # what ends the interpreter on import must not end this one
        caller = IsolatedCaller(options.rounder)
        caller.start()
        caller.close()
    said = tags_of(located(options.rounder))
    return replace(said, promises=tuple(dict.fromkeys((*said.promises, *options.promise))))


def _draw(name, isolate, picture):
    """Write the picture of the losses of the rounder of that name, or say why there is nothing to draw."""
    from quipref.figures import sweeps as figure
    from quipref.testing.calling import Caller
    from quipref.testing.protocol import tags_of
    from quipref.testing.random_losses import random_losses
    from quipref.testing.worker import IsolatedCaller, located

    rounder = located(name)
    caller = IsolatedCaller(name) if isolate else Caller(rounder)
    try:
        records = random_losses(caller, name, tags_of(rounder), progress=True)
    finally:
        caller.close()
    if all(record["error"] for record in records):
        return f"it gave no result on {len(records)} layers; on the first {records[0]['said']}"
    with storage.atomic(picture) as scratch:
        figure.save_losses(records, _row(tags_of(rounder)), scratch)
    return ""


def _row(tags):
    """What the losses are shares of, in words."""
    from quipref.bounds import NEAREST, STOCHASTIC
    from quipref.figures.sweeps import Row
    from quipref.testing.checks.conditions import known_cells
    from quipref.testing.random_losses import formula, why_no_bound

    share, line, missing = f"loss / ({formula(tags)})", f"the bound, {formula(tags)}", why_no_bound(tags)
    where = ", stochastic" if tags.random else ", on the integers" if tags.quantizer is None else ""
    names = ("nearest", "no feedback" + where if tags.random else "nearest" + where), ("ldlq", "ldlq" + where)
    if missing:
        return Row(share, f"{formula(tags)}, no bound here: {missing}", "a layer above the line", names=names)
    if not known_cells(tags):
        return Row(share, line, names=names)
    constant, part = (STOCHASTIC, 1) if tags.random else (NEAREST, 4)  # of m tr D, and of m/4 tr D
    return Row(share, line, mean=(part / constant, f"LDLQ's mean, m/{constant} tr D"), names=names)
