"""QuIP#: make W and H incoherent, round eight columns at a time to a codebook cut from E8, with linear feedback; undo.

The codebook of 2 bits is `quipref.E8PQuantizer`, those of 3 and 4 are `quipref.ResidualQuantizer`; the coordinate
passes of the authors' program are `quipref.block_descent`.
"""

from quipref import checks
from quipref.incoherence.measure import root_mean_square
from quipref.incoherence.process import TRANSFORMS, incoherence_process
from quipref.lattice.e8p import E8PQuantizer, check_columns
from quipref.lattice.residual import RESIDUAL_SCALES, ResidualQuantizer
from quipref.layer import QuantizedLayer
from quipref.methods.bar import Counted, bar
from quipref.rounding.block_descent import block_descent
from quipref.rounding.ldlq import ORDERS

SCALE_BITS = 32  # the scale is a float32
# Root mean square of the weights in units of the codebook, by bits a weight.
AUTHORS_SCALE = {2: 1.03, 3: 0.98, 4: 1.03}
SOURCE_SCALE = AUTHORS_SCALE
FARTHEST = 1000.0  # beyond it, and below its inverse, nothing is left of the weights, or of the codebook


def quantize(
    W, H, *, bits, seed, backend, threads, progress, source_scale=None, residual_scale=None, passes=0,
    transform="hadamard", rescale=False, damping=0.01, order="backward",
):  # fmt: skip
    """Round W (m, n) after incoherence processing, eight weights of a row together, each to its nearest point."""
    checks.choice(transform, "transform", (*TRANSFORMS, None))
    checks.choice(order, "order", ORDERS)
    passes = checks.integer(passes, "passes", low=0)
    bits = checks.integer(bits, "bits", low=min(SOURCE_SCALE), high=max(SOURCE_SCALE))
    source_scale = SOURCE_SCALE[bits] if source_scale is None else source_scale
    residual_scale = _residual_scale(bits, residual_scale)
    check_columns(W, "W")
    search = {"backend": backend, "threads": threads}
    processed = incoherence_process(W, H, transform=transform, seed=seed, rescale=rescale, damping=damping)

    def block_ldlq(W, H):
        round_to = codebook(W, bits, source_scale, residual_scale, **search)
        with bar("quip#", W.size * (1 + passes), progress) as told:
            how = {"round_to": Counted(round_to, told.update), "passes": passes, "order": order, **search}
            return round_to, block_descent(W, H, return_codes=True, **how)[1]

    round_to, codes = processed.measure(block_ldlq)
    options = {"bits": bits, "seed": seed, "source_scale": source_scale, "residual_scale": residual_scale}
    options |= {"passes": passes, "transform": transform, "rescale": rescale, "damping": damping, "order": order}
    return QuantizedLayer(W.shape, "quip#", options, codes, round_to, SCALE_BITS, processed.transform)


def codebook(W, bits, source_scale, residual_scale=None, **search):
    """The Quantizer of so many bits in whose units the root mean square of W is `source_scale`."""
    source_scale = checks.fraction(source_scale, "source_scale")
    if not 1 / FARTHEST <= source_scale <= FARTHEST:
        raise ValueError(
            f"source_scale must be from {1 / FARTHEST} to {FARTHEST:.0f}, but {source_scale:.3g} came. "
            f"Try {SOURCE_SCALE[bits]}."
        )
    scale = root_mean_square(W) / source_scale
    return E8PQuantizer(scale, **search) if bits == 2 else ResidualQuantizer(bits, scale, residual_scale, **search)


def takes(shape, **options):
    """Whether the rows of a layer of that shape are whole blocks of eight."""
    return shape[1] % E8PQuantizer.block == 0


def bound(layer, H):
    """None: the theorem on block LDLQ is for a lattice without end, and the codebook has one."""


def _residual_scale(bits, residual_scale):
    """What came, or the authors' own; where it would be ignored it is refused."""
    if bits == 2 and residual_scale is not None:
        raise ValueError(
            f"residual_scale must be None for bits=2, which has no residual, but {residual_scale!r} came. Leave it out."
        )
    return RESIDUAL_SCALES.get(bits) if residual_scale is None else residual_scale
