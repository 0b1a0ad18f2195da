"""QTIP: make W and H incoherent, round tiles of 256 weights as walks through a trellis, with linear feedback; undo.

The paper's algorithm 5 is `quantize`. Its search is `quipref.viterbi`, its Quantizer `quipref.TrellisQuantizer`.
"""

from functools import lru_cache

from quipref import checks
from quipref.incoherence.measure import root_mean_square
from quipref.incoherence.process import TRANSFORMS, incoherence_process
from quipref.layer import QuantizedLayer
from quipref.methods.bar import Counted, bar
from quipref.rounding.ldlq import ORDERS, ldlq
from quipref.trellis import codes
from quipref.trellis.bitshift import BitshiftTrellis
from quipref.trellis.tiles import SCALE_BITS, TrellisQuantizer, check_tiles, checked_tile

COMPUTED = {  # they need no table at all
    "1mad": codes.one_mad,
    "2mad": codes.two_mad,
    "3inst": codes.three_inst,
    "mcg": codes.mcg,
    "mul1": codes.mul1,
}
CODES = (*COMPUTED, "hyb", "lut")
HYB_VALUES = 2  # a step of the hybrid code: its table is made for pairs
TABLE_BITS = 9
ENTRY_BITS = 16  # of the hybrid code's table
TILE = (16, 16)
# Root mean square of the weights over that of the code. The authors' example has 0.9. On layers of Gaussian weights
# 0.95 is best at 2 bits and 0.85 at 4; the small language model, whose rotated rows still differ in size, wants less.
FILL = 0.85
FARTHEST_FILL = 1000.0  # beyond it, and below its inverse, nothing is left of the weights, or of the code


def quantize(
    W, H, *, bits, seed, backend, threads, progress, code="1mad", state_bits=16, values_per_step=None, table_bits=None,
    tile=TILE, fill=FILL, transform="hadamard", rescale=False, damping=0.01, order="backward", precision="fast",
):  # fmt: skip
    """Round W (m, n) after incoherence processing, a tile at a time, each as the best walk through a trellis."""
    checks.choice(transform, "transform", (*TRANSFORMS, None))
    checks.choice(order, "order", ORDERS)
    values_per_step, table_bits = _steps(code, values_per_step, table_bits)
    trellis = BitshiftTrellis(state_bits, checks.integer(bits, "bits", low=1, high=8), values_per_step)
    tile = checked_tile(tile, trellis)
    check_tiles(W.shape, tile, "W")
    table, table_size = _table(code, trellis, table_bits, seed, progress)
    search = {"backend": backend, "threads": threads}
    processed = incoherence_process(W, H, transform=transform, seed=seed, rescale=rescale, damping=damping)

    def algorithm_5(W, H):
        scale = filling_scale(W, table, fill)
        tiles = TrellisQuantizer(table, trellis, scale=scale, tile=tile, precision=precision, **search)
        with bar("qtip", W.size, progress) as told:
            _, words = ldlq(W, H, round_to=Counted(tiles, told.update), order=order, return_codes=True, **search)
        return tiles, words

    tiles, words = processed.measure(algorithm_5)
    options = {"bits": bits, "seed": seed, "code": code, "state_bits": state_bits, "values_per_step": values_per_step}
    options |= {"table_bits": table_bits, "tile": list(tile), "fill": fill, "transform": transform, "rescale": rescale}
    options |= {"damping": damping, "order": order, "precision": precision}
    scales = SCALE_BITS + table_size
    return QuantizedLayer(W.shape, "qtip", options, words, tiles, scales, processed.transform)


def filling_scale(W, table, fill=FILL):
    """The scale at which the root mean square of W / scale is that share of the root mean square of the code."""
    fill = checks.fraction(fill, "fill")
    if not 1 / FARTHEST_FILL <= fill <= FARTHEST_FILL:
        raise ValueError(
            f"fill must be from {1 / FARTHEST_FILL} to {FARTHEST_FILL:.0f}, but {fill:.3g} came. Try {FILL}."
        )
    return root_mean_square(W) / (fill * root_mean_square(table))


def refuses(shape, bits, *, tile=TILE, **options):
    """Why a layer of that shape is not quantized; None where it is, as it consists of whole tiles."""
    if shape[0] % tile[0] or shape[1] % tile[1]:
        return f"its tiles are {tile[0]} x {tile[1]}, and {shape[0]} x {shape[1]} is no whole number of them"
    return None


def bound(layer, H):
    """None: QTIP proves no bound of its own, and those of LDLQ are for rounding without limits."""


def _steps(code, values_per_step, table_bits):
    """(V, Q) of a code: what came, or the code's own; what would be ignored is refused."""
    checks.choice(code, "code", CODES)
    own = {"hyb": HYB_VALUES, "lut": 1 if values_per_step is None else values_per_step}.get(code, 1)
    if values_per_step not in (None, own):
        raise ValueError(
            f"values_per_step must be {own} for code={code!r}, but {values_per_step!r} came. Leave it out."
        )
    if table_bits is not None and code != "hyb":
        raise ValueError(f"table_bits must be None for code={code!r}, which has none, but {table_bits!r} came.")
    return own, TABLE_BITS if code == "hyb" and table_bits is None else table_bits


def _table(code, trellis, table_bits, seed, progress):
    """(value table, bits that it takes in the layer): a computed code takes none, nor does one drawn from the seed.

    The hybrid code's table is stored, since its k-means may end in other digits on another machine.
    """
    L, V = trellis.state_bits, trellis.values_per_step
    if code == "hyb":
        entries = _hyb_entries(checks.integer(table_bits, "table_bits", low=1, high=15), seed, progress)
        return codes.hyb(entries, L), ENTRY_BITS * entries.size
    return (codes.gaussian(L, V, seed=seed) if code == "lut" else COMPUTED[code](L)), 0


@lru_cache(maxsize=4)
def _hyb_entries(table_bits, seed, progress):
    """The hybrid code's table, whose k-means takes seconds, kept for the next layer."""
    entries = codes.hyb_table(table_bits, seed, progress=progress)
    entries.setflags(write=False)
    return entries
