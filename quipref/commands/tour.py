"""`quipref tour` and `quipref compare`: every method on the small language model, or on one layer."""

from quipref import checks, storage
from quipref.commands import layers, terminal


def add(commands):
    """Add both to the parser."""
    tour = terminal.command(
        commands, "tour", run_tour, "quantize the small language model with every method", "quipref tour"
    )
    tour.add_argument("--full", action="store_true", help="evaluate on 64 KB and calibrate on 256 KB, not 16 and 64")
    tour.add_argument("--picture", default="tour.png", metavar="FILE", help="where the picture goes (default tour.png)")

    compare = terminal.command(
        commands, "compare", run_compare, "every method on one layer", "quipref compare lm:layers.2.mlp.down --bits 2"
    )
    compare.add_argument("layer", metavar="LAYER", help=layers.LAYER_HELP)
    compare.add_argument("--bits", type=int, nargs="+", default=[4, 3, 2], help="default 4 3 2")


def run_tour(options):
    """Print the tour's table and write its picture."""
    from quipref import tour
    from quipref.figures import tour as figure

    picture = terminal.picture(options)
    with storage.atomic(picture) as scratch:  # a folder that cannot be written to is refused before the work
        with terminal.progress_bar("tour") as step:
            rows = tour.run(full=options.full, step=step)
        if not options.json:
            print(tour.table(rows))
        figure.save(rows, scratch)
    if options.json:
        terminal.print_json({"rows": [row.to_dict() for row in rows], "full": options.full, "picture": str(picture)})
    else:
        print(f"\npicture: {picture}")


def run_compare(options):
    """Print every method's losses on one layer."""
    from quipref import tour

    for bits in options.bits:
        checks.integer(bits, "--bits", low=1, high=8)
    W, H = layers.read_layer(options.layer)
    total = sum(len(tour.registry.tour_rows([W.shape], bits)) for bits in options.bits)
    left_out = tour.left_out([W.shape], options.bits)
    with terminal.progress_bar("compare") as step:
        rows = tour.compare(
            {"layer": W}, {"layer": H}, bits=options.bits, step=lambda what, done: step(what, done, total)
        )
    if options.json:
        facts = {"layer": options.layer, "shape": list(W.shape), "left_out": left_out}
        terminal.print_json({"rows": [row.to_dict() for row in rows], **facts})
    else:
        print(tour.table(rows, left_out))
