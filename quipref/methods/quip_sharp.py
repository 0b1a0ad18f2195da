"""QuIP#: make W and H incoherent, round eight columns at a time to a codebook cut from E8, with linear feedback; undo.

The codebook of 2 bits is `quipref.E8PQuantizer`, those of 3 and 4 are `quipref.ResidualQuantizer`; the coordinate
passes of the authors' program are `quipref.block_descent`.
"""

from functools import partial

import numpy as np

from quipref import checks
from quipref.incoherence.measure import root_mean_square
from quipref.incoherence.process import TRANSFORMS, incoherence_process
from quipref.lattice.e8p import E8PQuantizer, check_columns
from quipref.lattice.residual import RESIDUAL_SCALES, ResidualQuantizer
from quipref.lattice.scales import SOURCE_SCALES
from quipref.layer import QuantizedLayer
from quipref.methods.bar import Counted, bar
from quipref.rounding.block_descent import block_descent
from quipref.rounding.ldlq import ORDERS, column_order, feedback, feedback_factor

BLOCK = E8PQuantizer.block  # columns
BITS = (2, 3, 4)
SCALE_BITS = 32  # the scale is a float32
# Root mean squares of the weights, in units of the codebook, that are tried. Gaussian weights are rounded best near the
# authors' values, but in a layer whose rotated rows still differ in size the long ones would reach beyond the
# codebook, whose end no feedback can make good: on the small language model a fixed 0.8 loses a fifth more at 2 bits
# than the best of these for each layer, and 1.03 two thirds more.
TRIED_SCALES = (0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.0, 1.05)
ROWS = 16  # that they are tried on: so many of the longest, and as many of the others
FARTHEST = 1000.0  # beyond it, and below its inverse, nothing is left of the weights, or of the codebook


def quantize(
    W, H, *, bits, seed, backend, threads, progress, source_scale=None, residual_scale=None, passes=0,
    transform="hadamard", rescale=False, damping=0.01, order="backward",
):  # fmt: skip
    """Round W (m, n) after incoherence processing, eight weights of a row together, each to its nearest point."""
    checks.choice(transform, "transform", (*TRANSFORMS, None))
    in_order = {"forward": block_ldlq, "backward": backward_block_ldlq}[checks.choice(order, "order", ORDERS)]
    passes = checks.integer(passes, "passes", low=0)
    if bits not in BITS:
        raise ValueError(f"bits must be from 2 to 4, but {bits} came. QuIP# has no other codebooks; ldlq takes 1 to 8.")
    residual_scale = _residual_scale(bits, residual_scale)
    check_columns(W, "W")
    how = {"bits": bits, "source_scale": source_scale, "residual_scale": residual_scale, "passes": passes}
    how |= {"progress": progress, "search": {"backend": backend, "threads": threads}}
    processed = incoherence_process(W, H, transform=transform, seed=seed, rescale=rescale, damping=damping)
    source_scale, round_to, codes = processed.measure(partial(in_order, **how))
    options = {"bits": bits, "seed": seed, "source_scale": source_scale, "residual_scale": residual_scale}
    options |= {"passes": passes, "transform": transform, "rescale": rescale, "damping": damping, "order": order}
    return QuantizedLayer(W.shape, "quip#", options, codes, round_to, SCALE_BITS, processed.transform)


def block_ldlq(W, H, *, bits, source_scale, residual_scale, passes, progress, search):
    """(source scale, Quantizer, codes) of a processed layer, rounded from its first eight columns to its last."""
    U = feedback_factor(H, BLOCK, W.dtype)
    if source_scale is None:
        source_scale = best_scale(W, H, U, bits, residual_scale, search)
    round_to = codebook(W, bits, source_scale, residual_scale, **search)
    with bar("quip#", W.size * (1 + passes), progress) as told:
        counted = Counted(round_to, told.update)
        codes, _ = feedback(W, U, counted, None, **search)
        if passes:
            again = {"start": codes, "passes": passes, "order": "forward", "return_codes": True}
            _, codes = block_descent(W, H, round_to=counted, **again, **search)
    return source_scale, round_to, codes


def backward_block_ldlq(W, H, **how):
    """`block_ldlq` from the last eight columns to the first. The codes, one for eight columns, are in W's order."""
    columns = column_order(W.shape[1], BLOCK, "backward")
    source_scale, round_to, codes = block_ldlq(W[:, columns], H[columns][:, columns], **how)
    return source_scale, round_to, np.ascontiguousarray(codes[:, ::-1])


def codebook(W, bits, source_scale, residual_scale=None, **search):
    """The Quantizer of so many bits in whose units the root mean square of W is `source_scale`."""
    source_scale = checks.fraction(source_scale, "source_scale")
    if not 1 / FARTHEST <= source_scale <= FARTHEST:
        raise ValueError(
            f"source_scale must be from {1 / FARTHEST} to {FARTHEST:.0f}, but {source_scale:.3g} came. "
            f"The authors' is {SOURCE_SCALES[bits]}; None tries some."
        )
    scale = root_mean_square(W) / source_scale
    return E8PQuantizer(scale, **search) if bits == 2 else ResidualQuantizer(bits, scale, residual_scale, **search)


def best_scale(W, H, U, bits, residual_scale, search):
    """Which of `TRIED_SCALES` loses least on some rows of W, feedback included. Columns are in order of rounding.

    Where H tells none from another, as the zero matrix does, it is the one with the least squared error.
    """
    rows, stand_for = sample(W)
    rms = root_mean_square(W)
    if not rms:
        return SOURCE_SCALES[bits]  # all are alike
    # Each scale has its copy of the rows, in units of the codebook: one run of feedback serves them all.
    X = np.concatenate([rows / rms * s for s in TRIED_SCALES], dtype=W.dtype)
    unit = E8PQuantizer(**search) if bits == 2 else ResidualQuantizer(bits, 1.0, residual_scale, **search)
    E = X - feedback(X, U, unit, None, **search)[1]
    H = np.ldexp(H, -np.frexp(np.trace(H, dtype=np.float64))[1])  # a common factor changes nothing; in range, it is 1
    losses = ((E @ H.astype(W.dtype, copy=False)) * E).sum(axis=1)
    if not losses.any():
        losses = np.square(E).sum(axis=1)
    losses = losses.reshape(len(TRIED_SCALES), -1) @ stand_for / np.square(TRIED_SCALES)
    return TRIED_SCALES[int(np.argmin(losses))]


def sample(W):
    """(rows, how many each stands for): the longest rows of W for themselves, some of the others for all of them."""
    by_length = np.argsort(-np.linalg.norm(W / (np.abs(W).max(initial=0) or 1), axis=1), kind="stable")
    longest, others = by_length[:ROWS], by_length[ROWS:]
    others = others[:: max(1, -(-len(others) // ROWS))]
    each = (len(W) - len(longest)) / max(1, len(others))
    return W[np.concatenate([longest, others])], np.repeat([1.0, each], [len(longest), len(others)])


def refuses(shape, bits, **options):
    """Why a layer of that shape is not rounded to so many bits; None where it is."""
    if shape[1] % BLOCK:
        return f"it rounds {BLOCK} columns together, and {shape[1]} is no multiple of {BLOCK}"
    return None if bits in BITS else "its codebooks are of 2, 3 and 4 bits"


def bound(layer, H):
    """None: the theorem on block LDLQ is for a lattice without end, and the codebook has one."""


def _residual_scale(bits, residual_scale):
    """What came, or the authors' own; where it would be ignored it is refused."""
    if bits == 2 and residual_scale is not None:
        raise ValueError(
            f"residual_scale must be None for bits=2, which has no residual, but {residual_scale!r} came. Leave it out."
        )
    return RESIDUAL_SCALES.get(bits) if residual_scale is None else residual_scale
