"""The codes of a layer on a GPU: laid out for the kernels, and what decodes them or multiplies by them there.

A layer's codes come as an object with `nbytes`, `kernel` and `why` (see `quipref.CudaLayer`), and two methods whose
arrays lie on the device, float32 and C-contiguous: `decode(out)` writes the decoded weights (m, n), and
`multiply(X, Y)` writes X W_hat^T (B, m) for X (B, n) with B up to `MOST_VECTORS`, for which it takes `scratch(B, m, n)`
bytes of the device's memory meanwhile.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quipref.backend import cuda_twin
from quipref.lattice import e8p, one_bit
from quipref.lattice.e8p import E8PQuantizer
from quipref.lattice.residual import ResidualQuantizer
from quipref.rounding.quantizer import StoredQuantizer
from quipref.trellis import codes as trellis_codes
from quipref.trellis.packing import WORD
from quipref.trellis.tiles import TrellisQuantizer

MOST_VECTORS = 8  # that a kernel multiplies at once: their sums stand in registers
WORD_32 = 32
HALF = "a table with numbers that half precision does not have: the fast kernel keeps it so"
COMPUTED = {  # codes whose value a kernel computes from the state
    "1mad": trellis_codes.one_mad,
    "2mad": trellis_codes.two_mad,
    "3inst": trellis_codes.three_inst,
    "mcg": trellis_codes.mcg,
    "mul1": trellis_codes.mul1,
}


class Walks:
    """The walks of a `TrellisQuantizer`, for each tile a circle of 32-bit words, and the table of their code."""

    def __init__(
        self, device: Any, round_to: TrellisQuantizer, codes: NDArray[np.uint16], options: Mapping[str, Any]
    ) -> None:
        trellis, tile = round_to.trellis, round_to.tile
        bits = tile[0] * tile[1] * trellis.bits_per_weight
        if bits % WORD_32:
            raise ValueError(
                f"tile must hold whole 32-bit words for a GPU, but {tile[0]} x {tile[1]} weights of "
                f"{trellis.bits_per_weight} bits are {bits} bits. Quantize with a tile of twice as many rows."
            )
        if round_to.order_in_tile != "row":
            raise ValueError(
                f"order_in_tile must be 'row' for a GPU, but {round_to.order_in_tile!r} came. "
                "Decode the layer on the CPU: layer.dequantize()."
            )
        code, table, table_bits = smallest_table(options, round_to.table)
        self._device, self._scale = device.number, round_to.scale
        self._how = {"code": code, "state_bits": trellis.state_bits, "bits": trellis.bits_per_weight}
        self._how |= {"values_per_step": trellis.values_per_step, "table_bits": table_bits, "tile": tile}
        self._streams = device.put(joined(round_to.streams(codes)), "the layer's codes")
        self._table = device.put(table.ravel(), "the layer's table")
        self.nbytes = self._streams.nbytes + self._table.nbytes
        self.why = cuda_twin("fast_refuses")(**self._how) or _beyond_half(table) or ""
        self.kernel = "teaching" if self.why else "fast"

    def decode(self, out: Any) -> None:
        """Write the weights."""
        cuda_twin("decode_walks")(self._streams, self._table, out, self._scale, **self._how)

    def scratch(self, B: int, m: int, n: int) -> int:
        """The bytes that the fast kernel takes for B vectors; the other takes none."""
        return cuda_twin("fast_scratch")(B, m, n) if self.kernel == "fast" else 0

    def multiply(self, X: Any, Y: Any) -> None:
        """Write X W_hat^T; with the kernel to read, for good, once the fast one has failed its check."""
        if self.kernel == "fast":
            self.why = cuda_twin("fast_fails")(self._device, X.shape[0], self._table.size, **self._how) or ""
            self.kernel = "teaching" if self.why else "fast"
        self.multiply_with(self.kernel, X, Y)

    def multiply_with(self, kernel: str, X: Any, Y: Any) -> None:
        """The same with the kernel of that name, "fast" or "teaching", checked or not."""
        multiply = cuda_twin("fast_walks_matvec" if kernel == "fast" else "walks_matvec")
        multiply(self._streams, self._table, X, Y, self._scale, **self._how)


class Points:
    """The codes of QuIP#, of an `E8PQuantizer` or a `ResidualQuantizer`, and the tables of their points."""

    kernel, why = "teaching", "codes of quip#: the fast kernel takes those of qtip"

    def __init__(self, device: Any, round_to: E8PQuantizer | ResidualQuantizer, codes: NDArray[np.unsignedinteger]):
        self._scale, self._bits = round_to.scale, round_to.bits
        self._residual_scale = getattr(round_to, "residual_scale", 1.0)
        self._codes, self._patterns = device.put(codes, "the layer's codes"), device.put(e8p.patterns())
        self._second = device.put(one_bit.points()) if round_to.bits == 3 else self._patterns
        self.nbytes = self._codes.nbytes + self._patterns.nbytes + (self._second.nbytes if round_to.bits == 3 else 0)

    def decode(self, out: Any) -> None:
        """Write the weights."""
        tables, scales = (self._patterns, self._second), (self._scale, self._residual_scale)
        cuda_twin("decode_points")(self._codes, *tables, out, *scales, bits=self._bits)

    def scratch(self, B: int, m: int, n: int) -> int:
        """None is taken."""
        return 0

    def multiply(self, X: Any, Y: Any) -> None:
        """Write X W_hat^T."""
        self.multiply_with(self.kernel, X, Y)

    def multiply_with(self, kernel: str, X: Any, Y: Any) -> None:
        """The same; there is one kernel only."""
        tables, scales = (self._patterns, self._second), (self._scale, self._residual_scale)
        cuda_twin("points_matvec")(self._codes, *tables, X, Y, *scales, bits=self._bits)


def check_quantizer(round_to: StoredQuantizer) -> None:
    """Refuse codes that have no kernels."""
    if not isinstance(round_to, TrellisQuantizer | E8PQuantizer | ResidualQuantizer):
        raise ValueError(
            f"layer must be one of method 'qtip' or 'quip#' for a GPU, but its codes are those of a "
            f"{type(round_to).__name__}. Decode it on the CPU: layer.dequantize()."
        )


def on_device(
    device: Any, round_to: StoredQuantizer, codes: NDArray[np.unsignedinteger], options: Mapping[str, Any]
) -> Walks | Points:
    """The codes of a layer on the device; the options are the layer's, of which "code" names a trellis code."""
    check_quantizer(round_to)
    if isinstance(round_to, TrellisQuantizer):
        return Walks(device, round_to, codes, options)
    return Points(device, round_to, codes)


def joined(streams: NDArray[np.uint16]) -> NDArray[np.uint32]:
    """Words of 16 bits as words of 32, bit 0 of a stream still the highest of its first word."""
    high, low = streams[:, 0::2].astype(np.uint32), streams[:, 1::2]
    return high << WORD | low


def smallest_table(options: Mapping[str, Any], table: NDArray[np.float32]) -> tuple[str, NDArray[np.float32], int]:
    """(code, its table as a kernel wants it, Q): a computed code needs none, the hybrid code its small one.

    `table` has the values of all states. If they are not what the options say, they are looked up, whatever they are.
    """
    code, table_bits = options.get("code"), options.get("table_bits")
    if code in COMPUTED and np.array_equal(COMPUTED[code](len(table).bit_length() - 1), table):
        return code, np.zeros(1, np.float32), 0
    if code == "hyb":
        with suppress(ValueError, TypeError):
            return code, trellis_codes.hyb_entries(table, table_bits), table_bits
    return "lut", table, 0


def _beyond_half(table: NDArray[np.float32]) -> str | None:
    """Why the fast kernel does not take that table, whose numbers it keeps in half precision; None where it does."""
    with np.errstate(over="ignore"):
        return None if (table.astype(np.float16) == table).all() else HALF
