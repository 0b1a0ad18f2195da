"""LAYER on the command line: a file, a layer of the small language model, or a random one."""

from quipref import checks, storage

LAYER_HELP = (
    "LAYER is file.npz with W (m, n) and H (n, n), or lm:layers.2.mlp.down (a layer of the small language model), "
    "or random:256x512,spectrum=power,basis=haar,seed=3"
)


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
    W, H = checks.weights(array(arrays, "W", text)), array(arrays, "H", text)
    return Layer(W, checks.symmetric(H, n=W.shape[1]))


def array(arrays, name, path):
    """The array of that name from the file `path`."""
    if name not in arrays:
        raise ValueError(
            f"{path} must hold an array {name}, but it holds {sorted(arrays)}. "
            "Write it with numpy.savez(file, W=W, H=H)."
        )
    return arrays[name]
