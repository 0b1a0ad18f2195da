"""`quipref incoherence` and `quipref hessian`: what a layer or a Hessian is like."""

from pathlib import Path

from quipref import hessian, storage
from quipref.commands import layers, terminal


def add(commands):
    """Add both to the parser."""
    mu = terminal.command(
        commands,
        "incoherence",
        run_incoherence,
        "how incoherent a layer is before and after each transform",
        "quipref incoherence lm:layers.2.mlp.down",
    )
    mu.add_argument("layer", metavar="LAYER", help=layers.LAYER_HELP)
    mu.add_argument("--seed", type=int, default=0, help="of the rotations (default 0)")
    mu.add_argument("--rescale", action="store_true", help="balance the channels first, as QuIP does")
    mu.add_argument("--picture", default="incoherence.png", metavar="FILE", help="default incoherence.png")

    report = terminal.command(
        commands,
        "hessian",
        run_hessian,
        "what is wrong with this Hessian, if anything",
        "quipref hessian H.safetensors",
    )
    report.add_argument("file", metavar="FILE", help="a Hessian file (safetensors), or .npz with H")


def run_incoherence(options):
    """Print mu of W and H for every transform and write the picture of them."""
    from quipref.figures import incoherence as figure
    from quipref.incoherence import report

    picture, panels = terminal.picture(options), []
    with storage.atomic(picture) as scratch:
        W, H = layers.read_layer(options.layer)
        with terminal.progress_bar("incoherence") as step:
            rows = report.incoherence_report(
                W, H, seed=options.seed, rescale=options.rescale, step=step, look=lambda *panel: panels.append(panel)
            )
        if not options.json:
            print("\n".join(filter(None, (report.table(rows), report.rank_note(H)))))
        figure.save_report(panels, scratch)
    if options.json:
        facts = {"layer": options.layer, "shape": list(W.shape), "seed": options.seed, "rescale": options.rescale}
        terminal.print_json({"rows": [row.to_dict() for row in rows], **facts, "picture": str(picture)})
    else:
        print(f"\npicture: {picture}")


def run_hessian(options):
    """Print the report on a Hessian file."""
    path = Path(options.file)
    if path.suffix == ".npz":
        H, tokens = layers.array(storage.read_arrays(path), "H", path), None
    else:
        H, tokens = hessian.load_hessian(path)
    report = hessian.hessian_report(H)
    if options.json:
        terminal.print_json(report.to_dict() | {"tokens": tokens})
    else:
        print(report)
