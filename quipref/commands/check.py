"""`quipref check`: is this rounding idea right, which bound does it keep, and on which layer does it fail."""

import sys
from contextlib import redirect_stdout

from quipref import storage
from quipref.commands import terminal

SIZES, SEEDS, SECONDS = [8, 16, 32, 64], 5, 5.0  # of the picture: n, layers of a kind, seconds a call


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
    check.add_argument("--seed", type=int, default=0, help="of the layers (default 0)")
    check.add_argument("--isolate", action="store_true", help="run it in an interpreter of its own")


def run_check(options):
    """Print the report on a rounder and draw its losses; exit status 1 if a check failed."""
    from quipref.figures import sweeps as figure
    from quipref.testing.rounder import check_rounder

    picture = terminal.picture(options)
    terminal.look_in_current_folder()
    with storage.atomic(picture) as scratch:
        with redirect_stdout(sys.stderr):  # what a stranger's function prints is no part of the report
            report = check_rounder(
                options.rounder, only=options.only, max_examples=options.max_examples, seconds=options.seconds,
                seed=options.seed, isolate=options.isolate, on_fail=None, progress=True,
            )  # fmt: skip
        if not options.json:
            print(report)
        with redirect_stdout(sys.stderr):
            figure.save(_losses(options.rounder, options.isolate), scratch)
    if options.json:
        terminal.print_json(report.to_dict() | {"picture": str(picture)})
    else:
        print(f"\npicture: {picture}")
    return int(bool(report.failed))


def _losses(name, isolate):
    """Records of nearest rounding, LDLQ and the rounder of that name on random layers."""
    from quipref.sweeps.run import sweep
    from quipref.testing.calling import Caller
    from quipref.testing.worker import IsolatedCaller, located

    caller = IsolatedCaller(name) if isolate else Caller(located(name))
    methods = {"nearest": "nearest", "ldlq": "ldlq", name: _within_time(caller, located(name))}
    try:
        return sweep(methods, sizes=SIZES, seeds=SEEDS, jobs=1, time_limit=None, progress=True)
    finally:
        caller.close()


def _within_time(caller, rounder):
    """The rounder, asked through `caller`; once it has not returned in time, it is not asked again."""
    from quipref.testing.protocol import tags_of

    late = []

    def ask(W, H, rng=None):
        if not late:
            answer = caller.ask(W, H, rng=rng, seconds=SECONDS)
            if answer.value is not None:
                return answer.value
            late.extend([answer.said] * (answer.kind == "hung"))
            raise ValueError(answer.said)
        raise TimeoutError(late[0])

    ask.quipref_tags = tags_of(rounder)
    return ask
