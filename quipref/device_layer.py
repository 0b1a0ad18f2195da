"""A quantized layer on a GPU: decoded there, or multiplied by without ever being decoded to memory."""

from typing import Any

import numpy as np

from quipref import checks, device_codes
from quipref.backend import cuda_twin
from quipref.incoherence.factors import Sylvester
from quipref.incoherence.process import Transform
from quipref.incoherence.randomized import RandomizedHadamard

FLOAT_BYTES = 4


class CudaLayer:
    """A quantized layer on a CUDA device; made by `QuantizedLayer.to_cuda`.

    W = A^T W' B S^-1,    W' what the codes stand for, A and B the rotations and S the scale of the layer's transform

    Parameters
    ----------
    layer : QuantizedLayer
        Of the methods qtip or quip#, with ``transform="hadamard"`` or None.
    device : int, optional
        The number of the device; default the one that is current.

    Raises
    ------
    ValueError, TypeError
        Another method, another transform, a tile of no whole 32-bit words, no such device.
    ModuleNotFoundError, RuntimeError
        No numba-cuda; no driver, or no device. The simulator needs none of them: NUMBA_ENABLE_CUDASIM=1.
    MemoryError
        The device has not so much memory free.

    Notes
    -----
    `shape` and `method` are the layer's. `nbytes` are the bytes that it takes on the device. `kernel` is ``"fast"`` or
    ``"teaching"``, the kernel of `matvec`; `why` says what the fast one does not take, and is empty where it serves:
    codes of qtip but lut, with 1, 2 or 4 bits, L = 16 and tiles of 16 x 16. All of quip# has the teaching kernel only.
    Before its first product of a kind (code, bits, number of vectors) the fast one is compared with the other on a
    small matrix; if it fails, a RuntimeWarning says so, and the other takes its place for good.

    Everything is float32 there. Where nothing stands between the codes and the weights, `dequantize` is equal to that
    of the layer to the bit; else their difference is that of single precision. So is that of `matvec`, relative to the
    largest numbers of a vector: the fast kernel cuts the others off at 2^-29 of the largest near them. Any finite x
    will do; but a transform forms sums sqrt(m) times as large as W x, and where these exceed 2^128 the result is
    infinite or NaN. NaN and infinity in an x that lies on the device are not looked for: the whole row of that vector
    becomes infinite or NaN, no other.
    """

    def __init__(self, layer: Any, device: int | None = None) -> None:
        if device is not None:
            device = checks.integer(device, "device", low=0)
        _check(layer)
        cuda_twin("require_cuda")()
        self._device = cuda_twin("Device")(device)
        self.shape, self.method = layer.shape, layer.method
        with self._device.current():
            self._codes = device_codes.on_device(self._device, layer.round_to, layer.codes, layer.options)
            way = layer.transform or Transform(None, None, None)
            self._out = Side(self._device, way.rotate_out, None)
            self._in = Side(self._device, way.rotate_in, way.scale)
            self._ones = self._device.put(np.ones(max(self.shape), np.float32))
        self.nbytes = self._codes.nbytes + self._out.nbytes + self._in.nbytes + self._ones.nbytes

    @property
    def device(self) -> int:
        """The number of the device."""
        return self._device.number

    @property
    def kernel(self) -> str:
        """The kernel of `matvec`: "fast" or "teaching"."""
        return self._codes.kernel

    @property
    def why(self) -> str:
        """Why it is not the fast one; empty where it is."""
        return self._codes.why

    def __repr__(self) -> str:
        why = f", why={self.why!r}" if self.why else ""
        return f"CudaLayer({self.shape}, {self.method!r}, device={self.device}, kernel={self.kernel!r}{why})"

    def dequantize(self) -> Any:
        """The weights (m, n) that the codes stand for, float32, an array on the device."""
        m, n = self.shape
        with self._device.current():
            matrices = 1 + (self._out.is_dense or self._in.is_dense)
            self._device.check_room(
                matrices * FLOAT_BYTES * m * n, "W", "Use matvec, which writes no matrix, or layer.dequantize()."
            )
            W = self._device.empty((m, n))
            self._codes.decode(W)
            W = self._in.mixed(self._out.mixed(W, 0, transpose=True), 1, transpose=True)
            if self._out.diagonal is not None or self._in.diagonal is not None:
                self._scale(W, self._out.diagonal, self._in.diagonal, W)
            return W

    def matvec(self, x: Any) -> Any:
        """W x for one input (n,), or for each row of a batch (B, n), as an array (m,) or (B, m) on the device, float32.

        Parameters
        ----------
        x : array (n,) or (B, n)
            An array on the device with the CUDA array interface, of CuPy, torch or Numba: float32 and contiguous,
            read where it lies. Any other is taken as a NumPy array, rounded to float32 and copied there.

        Returns
        -------
        array on the device
            With the CUDA array interface, so that CuPy and torch take it as it lies; `copy_to_host()` copies it.

        Raises
        ------
        ValueError, TypeError
            Another shape, another type, NaN or infinity in a NumPy array, or an array on another device.
        MemoryError
            The device has not so much memory free.
        """
        m, n = self.shape
        with self._device.current():
            X = self._rows(x)
            B = X.shape[0]
            needed = 3 * FLOAT_BYTES * B * (m + n) + self._codes.scratch(min(B, device_codes.MOST_VECTORS), m, n)
            self._device.check_room(needed, "x", "Pass fewer vectors at a time.")
            Y = self._device.empty((B, m))
            if B:
                Y = self._multiplied(X, Y)
            return Y if len(x.shape if hasattr(x, "shape") else np.shape(x)) == 2 else Y.reshape(m)

    def _multiplied(self, X, Y):
        """A^T W' (B S^-1 X), all of them as rows."""
        if self._in.diagonal is not None:
            scaled = self._device.empty(tuple(X.shape))
            self._scale(X, None, self._in.diagonal, scaled)
            X = self._in.mixed(scaled, 1, transpose=False)
        for first in range(0, X.shape[0], device_codes.MOST_VECTORS):
            some = slice(first, first + device_codes.MOST_VECTORS)
            self._codes.multiply(X[some], Y[some])
        if self._out.diagonal is not None:
            Y = self._out.mixed(Y, 1, transpose=True)
            self._scale(Y, None, self._out.diagonal, Y)
        return Y

    def _scale(self, X, rows, columns, out):
        """Out = diag(rows) X diag(columns), where None is the identity."""
        rows, columns = (
            self._ones_of(size) if side is None else side for side, size in ((rows, X.shape[0]), (columns, X.shape[1]))
        )
        cuda_twin("scaled_rows")(X, rows, columns, out, 1)

    def _ones_of(self, size):
        """At least so many ones."""
        if size > self._ones.size:
            self._ones = self._device.put(np.ones(size, np.float32))
        return self._ones

    def _rows(self, x):
        """X (B, n) on the device, float32."""
        X = self._device.lent(x, "x")
        if X is None:
            x = checks.vectors(x, self.shape[1])
            x = checks.real_array(x, "x", ndim=x.ndim)
            with np.errstate(over="ignore"):
                x = checks.real_array(x.astype(np.float32, copy=False), "x in single precision", ndim=x.ndim)
            X = self._device.put(x, "x")
        checks.vector_shape(tuple(X.shape), self.shape[1])
        return X.reshape((1, X.size)) if len(X.shape) == 1 else X


class Side:
    """A rotation of one side on the device, V = H diag(signs) / sqrt(n), with the inverse of the scale of that side."""

    def __init__(self, device, rotation, scale):
        self._factors, self.diagonal = [], None
        if rotation is not None:
            self._factors = [_factor(device, factor) for factor in rotation.plan.factors]
        if rotation is not None or scale is not None:
            diagonal = 1.0 if rotation is None else rotation.diagonal
            diagonal = diagonal if scale is None else diagonal / scale.astype(np.float64)
            self.diagonal = device.put(diagonal.astype(np.float32), "the layer's transform")
        arrays = [part for part in (*self._factors, self.diagonal) if part is not None and not isinstance(part, int)]
        self.nbytes = sum(array.nbytes for array in arrays)

    @property
    def is_dense(self):
        """Whether a factor needs a second array for its results."""
        return not all(isinstance(factor, int) for factor in self._factors)

    def mixed(self, X, axis, *, transpose):
        """H x, or H^T x, for each vector along an axis of X (m, n), which is overwritten; X itself where H = 1."""
        return cuda_twin("unnormalised")(X, self._factors, axis, transpose) if self._factors else X


def _factor(device, factor):
    """The order of Sylvester's matrix, or the matrix of any other factor on the device, one byte for +-1."""
    if isinstance(factor, Sylvester):
        return factor.order
    H = factor.matrix()
    return device.put(H if H.dtype == np.int8 else H.astype(np.float32), "the layer's transform")


def _check(layer):
    """Refuse what is no layer, and codes and rotations that have no kernels."""
    if not hasattr(layer, "round_to"):
        raise TypeError(
            f"layer must be a QuantizedLayer, but a {type(layer).__name__} came. "
            "quantize makes one: quantize(W, H, method='qtip', bits=2).to_cuda()."
        )
    device_codes.check_quantizer(layer.round_to)
    way = layer.transform or Transform(None, None, None)
    for rotation in (way.rotate_out, way.rotate_in):
        if not isinstance(rotation, RandomizedHadamard | None):
            raise ValueError(
                f"layer must have transform='hadamard' or None for a GPU, but its weights were rotated by {rotation}. "
                "Decode it on the CPU: layer.dequantize(); or quantize it again with transform='hadamard'."
            )
