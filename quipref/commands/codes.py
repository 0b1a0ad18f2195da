"""`quipref gaussian`, `table1` and `table2`: codes measured on N(0, 1)."""

from quipref import checks, storage
from quipref.commands import terminal


def add(commands):
    """Add the three to the parser."""
    gaussian = terminal.command(
        commands, "gaussian", run_gaussian, "measure codes on N(0, 1): error against rate", "quipref gaussian --quick"
    )
    gaussian.add_argument("--picture", default="gaussian.png", metavar="FILE", help="default gaussian.png")
    measured = [gaussian]
    for number, about in ((1, "codes at 2 bits a weight"), (2, "what the search for a circle loses")):
        name, purpose = f"table{number}", f"measure table {number} of the QTIP paper: {about}"
        table = terminal.command(commands, name, run_table, purpose, f"quipref {name} --quick")
        table.set_defaults(number=number)
        measured.append(table)
    for command in measured:
        command.add_argument("--quick", action="store_true", help="fewer sequences: seconds, not minutes")
        command.add_argument("--seed", type=int, default=0, help="of the source and of random tables (default 0)")


def run_gaussian(options):
    """Print the errors of codes against their rates and write the picture of them."""
    from quipref import gaussian_page
    from quipref.figures import gaussian_page as figure

    picture = terminal.picture(options)
    checks.integer(options.seed, "--seed", low=0)
    with storage.atomic(picture) as scratch:
        with terminal.progress_bar("gaussian") as step:
            rows = gaussian_page.measure(quick=options.quick, seed=options.seed, step=step)
        if not options.json:
            print(gaussian_page.show(rows))
        figure.save(rows, scratch)
    facts = {"quick": options.quick, "seed": options.seed, "picture": str(picture)}
    if options.json:
        terminal.print_json({"rows": [row.to_dict() for row in rows], **facts})
    else:
        print(f"\npicture: {picture}")


def run_table(options):
    """Measure and print table 1 or table 2 of the QTIP paper."""
    from quipref import published

    measure, show = {
        1: (published.table_1, published.show_table_1),
        2: (published.table_2, published.show_table_2),
    }[options.number]
    checks.integer(options.seed, "--seed", low=0)
    with terminal.progress_bar(f"table {options.number}") as step:
        rows = measure(quick=options.quick, seed=options.seed, step=step)
    if options.json:
        terminal.print_json({"rows": [row.to_dict() for row in rows], "quick": options.quick, "seed": options.seed})
    else:
        print(show(rows))
