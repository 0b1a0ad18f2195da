"""A quantized layer: its codes, what decodes them, and its exact size."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from quipref import checks
from quipref.device_layer import CudaLayer
from quipref.incoherence.process import Transform
from quipref.rounding.quantizer import StoredQuantizer


@dataclass(frozen=True, eq=False)
class QuantizedLayer:
    """Codes and everything that turns them back into weights.

    Attributes
    ----------
    shape : tuple of int
        (m, n): outputs, inputs.
    method : str
        Its name in the tables: ``"quip#"`` where `quipref.quantize` was given ``"quip_sharp"``.
    options : mapping
        All that the method was told: bits, seed and its own options, as JSON types.
    codes : array, unsigned integers
        As the quantizer gives them, m rows of them: (m, n) of a grid, (m, n / 8) of quip#, whose codes stand for
        eight weights each, (m, bits n / 16) of qtip, words of 16 bits.
    round_to : Quantizer
        Decodes the codes; its `code_bits` is the width that one code is stored with.
    scale_bits : int
        Bits that the quantizer's scales take.
    transform : Transform, optional
        Leads from the decoded weights back to those of the model; None where they are the same.

    Notes
    -----
    The object is not changed after it was made: its codes are read-only.
    """

    shape: tuple[int, int]
    method: str
    options: Mapping[str, Any]
    codes: NDArray[np.unsignedinteger] = field(repr=False)
    round_to: StoredQuantizer = field(repr=False)
    scale_bits: int = 0
    transform: Transform | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "options", MappingProxyType(dict(self.options)))
        self.codes.setflags(write=False)

    def __repr__(self) -> str:
        told = f"{self.shape}, {self.method!r}, {dict(self.options)}"
        return f"QuantizedLayer({told}, scale_bits={self.scale_bits})"

    def header(self) -> str:
        """The facts that a reader needs besides the codes and scales, as compact JSON text."""
        facts = {"method": self.method, "shape": list(self.shape), "options": dict(self.options)}
        return json.dumps(facts, separators=(",", ":"))

    def size_in_bits(self) -> dict[str, int]:
        """Bits of each part: codes at their fixed width, scales, transform, header. The sum is the whole layer."""
        return {
            "codes": self.codes.size * self.round_to.code_bits,
            "scales": self.scale_bits,
            "transform": 0 if self.transform is None else self.transform.storage_bits,
            "header": 8 * len(self.header().encode()),
        }

    @property
    def bits_per_weight(self) -> float:
        """All bits of the layer, divided by its m n weights."""
        return sum(self.size_in_bits().values()) / (self.shape[0] * self.shape[1])

    def dequantize(self, dtype: DTypeLike = np.float32) -> NDArray[np.floating]:
        """The weights (m, n) that the codes stand for."""
        if np.dtype(dtype).kind != "f":
            raise TypeError(f"dtype must be a real floating-point type, but {np.dtype(dtype)} came. Try numpy.float32.")
        W_hat = self.round_to.decode(self.codes)
        return (W_hat if self.transform is None else self.transform.undo(W_hat)).astype(dtype)

    def matvec(self, x: ArrayLike) -> NDArray[np.floating]:
        """W x for one input (n,), or for each row of a batch (B, n), as (m,) or (B, m)."""
        x = checks.vectors(x, self.shape[1])
        x = checks.real_array(x, "x", ndim=x.ndim)
        return x @ self.dequantize(x.dtype).T

    def __matmul__(self, X: ArrayLike) -> NDArray[np.floating]:
        """W @ X for X of shape (n,) or (n, B)."""
        return self.matvec(checks.array(X, "x").T).T

    def to_cuda(self, device: int | None = None) -> CudaLayer:
        """The layer on a GPU, for the methods qtip and quip#; see `quipref.CudaLayer` for what is refused.

        Parameters
        ----------
        device : int, optional
            The number of the device; default the one that is current.

        Returns
        -------
        CudaLayer
            With `dequantize()` and `matvec(x)`, whose results are arrays on the device.

        Notes
        -----
        It needs a GPU and ``pip install "quipref[cuda]"``; or, for a look at small layers, NUMBA_ENABLE_CUDASIM=1 in
        the environment before Python starts, with which Numba runs the same kernels slowly on the CPU.
        """
        return CudaLayer(self, device)
