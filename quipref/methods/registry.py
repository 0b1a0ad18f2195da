"""The methods by name. A new method is a file in this folder and one line in `METHODS`."""

import difflib
import inspect
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from quipref import backend as backends
from quipref import checks
from quipref.layer import QuantizedLayer

# name: (module, option sets that the tour shows as rows)
METHODS = {
    "nearest": ("nearest", [{}]),
    "optq": ("optq", [{}]),
    "ldlq": ("ldlq", [{}, {"clamp": False}]),
    "quip": ("quip", [{}, {"step": "optimum"}]),
    "quip#": ("quip_sharp", [{}, {"passes": 10}]),
    "qtip": ("qtip", [{"state_bits": 12}]),
}
ALIASES = {"quip_sharp": "quip#"}  # for those whose shell takes # for a comment
GENERAL = ("W", "H", "bits", "seed", "backend", "threads", "progress")


def quantize(
    W: ArrayLike, H: ArrayLike, *, method: str, bits: int, seed: int = 0, backend: backends.Backend = "numba",
    threads: int | None = None, progress: bool = False, **options: Any,
) -> QuantizedLayer:  # fmt: skip
    """Quantize a layer with one of the published methods.

    Parameters
    ----------
    W : array (m, n), real float
        The weights, (outputs, inputs).
    H : array (n, n), real float
        Second moment of the inputs.
    method : str
        ``"nearest"``, ``"optq"``, ``"ldlq"``, ``"quip"``, ``"quip#"`` (or ``"quip_sharp"``) or ``"qtip"``.
    bits : int
        Bits of a weight: 1 to 8, and 2 to 4 for quip#.
    seed : int
        For methods that draw; stored in any case.
    backend : "numba" or "numpy"
        Compiled kernels, or the readable reference.
    threads : int, optional
        Default: all cores this process may use.
    progress : bool
        Show a progress bar where the method takes more than seconds.
    **options
        The method's own: ``damping=0.01`` and ``order="forward"`` for optq, ldlq and quip,
        ``clamp=True`` for these and nearest (False lifts the outer limits of the grid, as the theorems
        require).
        For quip also ``transform="kronecker"`` (or ``"hadamard"``, ``"fourier"``, None),
        ``rescale=True``, ``step="published"`` (a range of 2.4 root mean squares) or ``"optimum"``,
        and ``rounder="ldlq"`` (or ``"ldlq_rg"``, ``"nearest"``).
        For quip#, which takes W with a multiple of 8 columns: ``source_scale`` (root mean square of the weights in
        units of the codebook; by default that of ten which loses least on some of the rows, where the authors have
        1.03, and 0.98 at 3 bits), ``residual_scale`` (of 3 and 4 bits: the second point counts 1 / residual_scale),
        ``passes=0`` (of `quipref.block_descent`, at most), ``transform="hadamard"``, ``rescale=False``,
        ``damping=0.01`` and ``order="backward"``.
        For qtip, which takes W of whole tiles: ``code="1mad"`` (or ``"2mad"``, ``"3inst"``, ``"mcg"``,
        ``"mul1"``, ``"hyb"``, ``"lut"``), ``state_bits=16``, ``values_per_step`` (of lut; hyb has 2, the others 1),
        ``table_bits=9`` (of hyb), ``tile=(16, 16)``, ``fill=0.85`` (root mean square of the weights over that of the
        code), ``transform="hadamard"``, ``rescale=False``, ``damping=0.01``, ``order="backward"`` and
        ``precision="fast"`` (or ``"exact"``, as in `quipref.viterbi`; the loss of a large layer is the same within
        0.5 %, but that of 64 x 64 weights may move by 3 % either way, since each error is fed forward).

    Returns
    -------
    QuantizedLayer

    Raises
    ------
    ValueError, TypeError
        An unknown method or option, bits out of range, NaN, shapes that disagree, an empty layer.
    numpy.linalg.LinAlgError
        H is indefinite, or singular where the method needs its inverse.

    Notes
    -----
    `nearest`, `optq` and `ldlq` use one symmetric grid a row, whose half-precision step is the best
    of 40 for that row's squared error. `quip` uses one grid for the processed layer, `quip#` one scale for it and a
    codebook for eight weights of a row, `qtip` one scale and a walk through a trellis for each tile.

    References
    ----------
    OPTQ, arXiv:2210.17323v2; QuIP, arXiv:2307.13304v2; QuIP#, arXiv:2402.04396v2; QTIP,
    arXiv:2406.11235.

    Examples
    --------
    >>> from quipref import random_layer
    >>> W, H = random_layer(8, 16, seed=0)
    >>> layer = quantize(W, H, method="ldlq", bits=4)
    >>> layer.size_in_bits()["codes"], layer.size_in_bits()["scales"]
    (512, 128)
    """
    W = checks.weights(W)
    H = checks.symmetric(H, n=W.shape[1])
    if not W.size:
        raise ValueError(f"W must have at least one row and one column to have bits per weight, but it is {W.shape}.")
    backends.compiled(backend)
    backends.thread_count(threads)
    seed = checks.integer(seed, "seed", low=0)
    checks.boolean(progress, "progress")
    run = module(method).quantize
    bits = checks.integer(bits, "bits")
    parameters = inspect.signature(run).parameters
    allowed = [name for name in parameters if name not in GENERAL]
    for name, value in options.items():
        default = parameters[checks.choice(name, f"option of {method}", allowed)].default
        value = value.item() if isinstance(value, np.generic) else value  # a layer keeps its options as JSON types
        options[name] = checks.boolean(value, name) if isinstance(default, bool) else value
    return run(W, H, bits=bits, seed=seed, backend=backend, threads=threads, progress=progress, **options)


def module(method):
    """The module of a method: it has `quantize` and `bound(layer, H)` (None where no theorem applies).

    Where not every layer can be quantized to every number of bits, it has `refuses(shape, bits, **options)` as well:
    the reason as a sentence, or None.
    """
    names = (*METHODS, *ALIASES)
    if not isinstance(method, str) or method not in names:
        near = difflib.get_close_matches(str(method).lower(), names, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else "help(quipref.quantize) tells of each."
        raise ValueError(f"method must be one of {', '.join(map(repr, names))}, but {method!r} came. {hint}")
    name, _ = METHODS[ALIASES.get(method, method)]
    return import_module(f"quipref.methods.{name}")


def tour_rows(shapes=(), bits=2):
    """(method, options) of every row of the tour that layers of these shapes can have at so many bits, in order."""
    rows = [(method, options) for method, (_, rows) in METHODS.items() for options in rows]
    return [row for row in rows if not any(_refusals(*row, shapes, bits))]


def left_out(shapes, bits):
    """{method: why} for those that have no row there."""
    present = {method for method, _ in tour_rows(shapes, bits)}
    absent = {method: rows[0] for method, (_, rows) in METHODS.items() if method not in present}
    return {method: next(filter(None, _refusals(method, row, shapes, bits))) for method, row in absent.items()}


def _refusals(method, options, shapes, bits):
    refuses = getattr(module(method), "refuses", lambda shape, bits, **options: None)
    return (refuses(shape, bits, **options) for shape in shapes)
