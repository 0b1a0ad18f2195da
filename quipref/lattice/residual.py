"""QuIP#'s codes of 3 and 4 bits: a point of E8P, and a second point for what the first one leaves over, magnified."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from quipref import backend as backends
from quipref import checks
from quipref.lattice import e8p, one_bit
from quipref.lattice.e8 import positive
from quipref.rounding.scale import in_units, stored_scale

SECOND = {3: one_bit, 4: e8p}  # the codebook of what is left over, by bits a weight
RESIDUAL_SCALES = {3: 2.04, 4: 3.45}  # the authors'
FAR = np.float32(2.0**100)  # of what is magnified beyond it only the direction matters to the second codebook


class ResidualQuantizer:
    """The Quantizer of QuIP# at 3 and 4 bits: two points for eight weights, with one scale for all.

    t_hat = scale * (q_1 + q_2 / r),    q_1 nearest to t / scale, q_2 nearest to r (t / scale - q_1)

    Parameters
    ----------
    bits : int
        3: q_1 is a point of E8P and q_2 one of the 256 of one bit a weight. 4: both are points of E8P.
    scale : float
        At least 0 and kept in single precision; 0 makes every weight 0.
    residual_scale : float, optional
        r, positive; by default the authors' 2.04 for 3 bits and 3.45 for 4.
    backend : str
        ``"numba"`` or ``"numpy"``.
    threads : int, optional
        Default all cores of this process.

    Raises
    ------
    ValueError, TypeError
        Other bits, a scale that is negative or beyond single precision, or a misspelt option.

    Notes
    -----
    The codes are those of the authors' program: the first point's in the high 16 bits, the second's in the low ones.
    The second point makes the best of the first, which was chosen without regard to it, so that another pair may be
    nearer to t.

    References
    ----------
    QuIP#, arXiv:2402.04396v2, section 4.3.

    Examples
    --------
    >>> import numpy as np
    >>> T = np.random.default_rng(0).standard_normal((40, 16))
    >>> rounder = ResidualQuantizer(3)
    >>> codes, T_hat = rounder.quantize(T)
    >>> codes.shape, bool((rounder.decode(codes) == T_hat).all()), bool(((T - T_hat) ** 2).mean() < 0.04)
    ((40, 2), True, True)
    """

    block = 8

    def __init__(
        self, bits: int, scale: float = 1.0, residual_scale: float | None = None, *,
        backend: backends.Backend = "numba", threads: int | None = None,
    ) -> None:  # fmt: skip
        self._bits = checks.integer(bits, "bits")
        if bits not in SECOND:
            raise ValueError(f"bits must be 3 or 4, but {bits} came. E8PQuantizer has 2; QuIP# has no other codebooks.")
        self.scale = stored_scale(scale)
        self.residual_scale = _stored(RESIDUAL_SCALES[bits] if residual_scale is None else residual_scale)
        backends.compiled(backend)
        backends.thread_count(threads)
        self._how = {"backend": backend, "threads": threads}

    @property
    def bits(self) -> int:
        """Bits a weight: 3 or 4."""
        return self._bits

    @property
    def code_bits(self) -> int:
        """Bits of a stored code, which stands for eight weights."""
        return 8 * self.bits

    def quantize(
        self, T: ArrayLike, rng: int | np.random.Generator | None = None
    ) -> tuple[NDArray[np.uint32], NDArray[np.floating]]:
        """Round targets T (rows, 8 q); return (codes (rows, q), T_hat), T_hat as T. `rng` is not used."""
        T = checks.real_array(T, "T", ndim=2)
        e8p.check_columns(T, "T")
        X = in_units(T, self.scale).reshape(len(T), T.shape[1] // 8, 8)
        first, q_1 = e8p.quantize(X, **self._how)
        second, q_2 = SECOND[self.bits].quantize(self._magnified(X - q_1), **self._how)
        codes = first.astype(np.uint32) << 16 | second
        return codes, self._weights(q_1, q_2).astype(T.dtype, copy=False)

    def decode(self, codes: ArrayLike) -> NDArray[np.float64]:
        """The weights (m, n) of codes (m, n / 8), as float64, which holds scale times float32 value exactly.

        They are the T_hat of float64 targets; rounded to float32, those of float32 targets.
        """
        codes = np.asarray(codes)
        if codes.dtype != np.uint32 or codes.ndim != 2:
            raise (TypeError if codes.dtype != np.uint32 else ValueError)(
                f"codes must be a matrix of uint32, but they are {codes.dtype} of shape {codes.shape}. "
                "ResidualQuantizer.quantize makes them."
            )
        q_1 = e8p.decode(codes >> 16, **self._how)
        q_2 = SECOND[self.bits].decode(codes & 0xFFFF, **self._how)
        return self._weights(q_1, q_2)

    def _magnified(self, rest):
        """What is left over, times r, in place; or times less where that exceeds FAR and only the direction decides."""
        factor, largest = np.float32(self.residual_scale), max(rest.max(initial=0), -rest.min(initial=0))
        if float(largest) > float(FAR) / self.residual_scale:
            factor = np.minimum(factor, FAR / np.abs(rest).max(axis=2, keepdims=True, initial=1))
        rest *= factor
        return rest

    def _weights(self, q_1, q_2):
        values = q_2 / np.float32(self.residual_scale)
        values += q_1
        return self.scale * values.reshape(len(q_1), 8 * q_1.shape[1]).astype(np.float64)

    def __repr__(self) -> str:
        return f"ResidualQuantizer({self.bits}, scale={self.scale:g}, residual_scale={self.residual_scale:g})"


def _stored(residual_scale):
    """The residual scale as a float32, in which its quotients are formed."""
    r, float32 = positive(residual_scale, "residual_scale"), np.finfo(np.float32)
    if not float(float32.tiny) <= r <= float(float32.max):
        raise ValueError(
            f"residual_scale must fit single precision (1.18e-38 to 3.4e38), but {r:.3g} came. "
            f"The authors' are {RESIDUAL_SCALES[3]} at 3 bits and {RESIDUAL_SCALES[4]} at 4."
        )
    return float(np.float32(r))
