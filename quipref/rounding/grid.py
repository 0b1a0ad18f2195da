"""Scalar grids: the integers, and uniform grids with one step a row or one for all.

Both are the affine grid {s (k + o) : low <= k <= high}: the integers have s = 1, o = 0; a symmetric
grid of 2^b levels has o = 1/2, so that its levels are s/2, 3s/2, ... on either side of zero.

Ties: a target halfway between two levels goes to the upper one, floor(x + 1/2), as in the authors'
LDLQ. (`numpy.rint` and the authors' OPTQ round halves to even.)
"""

import math
from typing import Literal, Self, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from quipref import backend as backends
from quipref import checks

Rounding = Literal["nearest", "stochastic"]
ROUNDINGS = get_args(Rounding)
SHRINK_FACTORS = np.arange(1, 41) / 40  # of the step that just reaches the largest weight
CHUNK = 256  # rows that the step search holds at a time


class AffineGrid:
    """The Quantizer of the levels s (k + o), low <= k <= high, with block = 1.

    Parameters
    ----------
    step : float or array (m, 1)
        s; one for all, or one a row of the targets.
    offset : float
        o.
    low, high : int or None
        Clamping range of k, None for no bound.
    rounding : "nearest" or "stochastic"
        k = floor(x + 1/2), or floor(x + u) with u uniform on [0, 1), for x = t / s - o. Both in the
        dtype of the targets.
    """

    block = 1

    def __init__(
        self, step: float | NDArray[np.floating], offset: float, low: int | None, high: int | None,
        rounding: Rounding = "nearest",
    ) -> None:  # fmt: skip
        self.step, self.offset = step, offset
        self.low = None if low is None else checks.integer(low, "low")
        self.high = None if high is None else checks.integer(high, "high")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"low must not exceed high, but low is {low} and high is {high}.")
        self.rounding = checks.choice(rounding, "rounding", ROUNDINGS)

    @property
    def bits(self) -> float | None:
        """log2 of the number of levels, None for an unbounded grid."""
        return None if self.low is None or self.high is None else math.log2(self.high - self.low + 1)

    @property
    def code_bits(self) -> int | None:
        """Bits of a stored code, a whole number; None for an unbounded grid."""
        return None if self.bits is None else (self.high - self.low).bit_length()

    @property
    def limits(self) -> tuple[float, float]:
        """(low, high) as floats, infinite where there is no bound."""
        return -np.inf if self.low is None else self.low, np.inf if self.high is None else self.high

    def quantize(
        self, T: ArrayLike, rng: int | np.random.Generator | None = None
    ) -> tuple[NDArray[np.integer], NDArray[np.floating]]:
        """Round the targets T (rows, columns); return (codes, T_hat), both of T's shape.

        Codes are k - low in the smallest unsigned integer, or k itself as int64 without a lower
        bound. `rng`, an int or Generator, is needed for stochastic rounding alone.
        """
        T = checks.real_array(T, "T", ndim=2)
        self._one_step_a_row(len(T))
        k = np.clip(np.floor(self._coordinates(T) + self._shift(T, rng)), *self.limits)
        return self._encode(k), self._values(k, T.dtype)

    def decode(self, codes: ArrayLike) -> NDArray[np.float64]:
        """The values of the codes, float64."""
        codes = np.asarray(codes)
        if codes.dtype.kind not in "ui":
            raise TypeError(f"codes must be integers, but their dtype is {codes.dtype}.")
        return self._values(codes.astype(np.float64) + (self.low or 0), np.float64)

    def of_rows(self, rows: slice | NDArray[np.integer], m: int) -> "AffineGrid":
        """The grid of these rows of a layer of m rows, which may have a step each."""
        self._one_step_a_row(m)
        step = self.step if np.size(self.step) == 1 else self.step[rows]
        return AffineGrid(step, self.offset, self.low, self.high, self.rounding)

    def affine(self, m: int, dtype: np.dtype) -> tuple[NDArray[np.floating], *tuple[np.floating, ...]] | None:
        """(step (m,), offset, low, high) for the compiled twins, or None for stochastic rounding."""
        if self.rounding == "stochastic":
            return None
        self._one_step_a_row(m)
        step = np.array(np.broadcast_to(self._step(dtype).ravel(), m))  # a copy: one compiled form for all grids
        low, high = self.limits
        return step, dtype.type(self.offset), dtype.type(low), dtype.type(high)

    def _one_step_a_row(self, m):
        if np.size(self.step) not in (1, m):
            raise ValueError(
                f"step must be one for all or one a row, but the grid has {np.size(self.step)} and the layer {m} rows. "
                "Fit the grid to this layer: quipref.UniformGrid.fit(W, bits)."
            )

    def _coordinates(self, T):
        step = self._step(T.dtype)
        return T / np.where(step == 0, 1, step).astype(T.dtype) - T.dtype.type(self.offset)

    def _shift(self, T, rng):
        if self.rounding == "nearest":
            return T.dtype.type(0.5)
        if rng is None:
            raise ValueError("rng must be a seed or a Generator for stochastic rounding, but None came. Pass rng=0.")
        return np.random.default_rng(rng).random(T.shape).astype(T.dtype)

    def _values(self, k, dtype):
        dtype = np.dtype(dtype)
        return self._step(dtype) * (k.astype(dtype) + dtype.type(self.offset))

    def _step(self, dtype):
        return np.asarray(self.step, dtype)

    def _encode(self, k):
        if self.low is None:
            return k.astype(np.int64)
        top = np.iinfo(np.int64).max if self.high is None else self.high - self.low
        return (k - self.low).astype(np.min_scalar_type(top))


class IntegerGrid(AffineGrid):
    """All integers, or the integers from `low` to `high`: the grid of the theorems, W in grid units.

    Parameters
    ----------
    low, high : int or None
        Clamping range; None (the default) leaves that side unbounded, as the theorems require.
    rounding : "nearest" or "stochastic"
        floor(x + 1/2), halves upwards, or floor(x + u) with u uniform on [0, 1).

    Examples
    --------
    >>> import numpy as np
    >>> codes, T_hat = IntegerGrid(0, 3).quantize(np.array([[-0.7, 0.5, 2.49, 9.0]]))
    >>> print(codes, T_hat)
    [[0 1 2 3]] [[0. 1. 2. 3.]]
    """

    def __init__(self, low: int | None = None, high: int | None = None, *, rounding: Rounding = "nearest") -> None:
        super().__init__(1.0, 0.0, low, high, rounding)

    def __repr__(self) -> str:
        return f"IntegerGrid({self.low}, {self.high}, rounding={self.rounding!r})"


class UniformGrid(AffineGrid):
    """The symmetric uniform grid of 2^bits levels s (k + 1/2), with a half-precision step.

    Parameters
    ----------
    step : array (m, 1) or (1, 1), float16
        One step a row, or one for the tensor. Zero makes the row zero.
    bits : int
        1 to 8.
    clamp : bool
        False removes the outer bounds: the grid of the theorems with the step of this one.

    Examples
    --------
    >>> import numpy as np
    >>> grid = UniformGrid.fit(np.array([[-1.5, -0.5, 0.5, 1.5]]), 2)
    >>> grid.quantize(np.array([[0.9, -7.0, 0.0, 1.1]]))[1]
    array([[ 0.5, -1.5,  0.5,  1.5]])
    """

    def __init__(self, step: NDArray[np.float16], bits: int, *, clamp: bool = True) -> None:
        step = np.asarray(step)
        if step.dtype != np.float16 or step.ndim != 2 or step.shape[1] != 1:
            raise ValueError(
                f"step must be float16 of shape (m, 1), but it is {step.dtype} of shape {step.shape}. "
                "UniformGrid.fit(W, bits) finds one."
            )
        half = 2 ** checks.integer(bits, "bits", low=1, high=8) // 2
        super().__init__(step, 0.5, *((-half, half - 1) if clamp else (None, None)))
        self.clamp = clamp

    @classmethod
    def fit(
        cls, W: ArrayLike, bits: int, *, per: Literal["row", "tensor"] = "row", clamp: bool = True,
        backend: backends.Backend = "numba", threads: int | None = None,
    ) -> Self:  # fmt: skip
        """The grid with the least squared error among 40 shrunk steps, row by row or for all of W.

        Parameters
        ----------
        W : array (m, n), real float
        bits : int
            1 to 8.
        per : "row" or "tensor"
        clamp, backend, threads
            As in the constructor and in `quipref.quantize`.

        Notes
        -----
        The step that just reaches the largest weight, 2 max|w| / (2^bits - 1), is multiplied by
        1/40, 2/40 ... 1 and rounded to half precision; what is compared is the clamped error of the
        step as it will be stored.
        """
        W = checks.weights(W).astype(np.float64)
        checks.integer(bits, "bits", low=1, high=8)
        rows = W if checks.choice(per, "per", ("row", "tensor")) == "row" else W.reshape(1, -1)
        largest = np.abs(rows).max(axis=1, initial=0.0)
        with np.errstate(over="ignore"):
            candidates = (2 * largest[:, None] / (2**bits - 1) * SHRINK_FACTORS).astype(np.float16)
        refuse_unstorable(largest, candidates)
        half = 2**bits // 2
        search = best_steps if not backends.compiled(backend) else backends.twin("best_steps")
        best = np.empty(len(rows))
        arguments = np.ascontiguousarray(rows), candidates.astype(np.float64), 0.5, -half, half - 1
        backends.over_rows(len(rows), threads, lambda first, last: search(*arguments, first, last, best))
        return cls(best.astype(np.float16)[:, None], bits, clamp=clamp)

    def __repr__(self) -> str:
        return f"UniformGrid({len(self.step)} steps, bits={self.code_bits}, clamp={self.clamp})"


def best_steps(W, candidates, offset, low, high, first_row, last_row, best):
    """Write to best[row] the candidate step, of candidates (m, c), with the least squared error of that row."""
    for start in range(first_row, last_row, CHUNK):
        here = slice(start, min(start + CHUNK, last_row))
        least = np.full(here.stop - here.start, np.inf)
        for step in candidates[here].T[:, :, None]:
            k = np.clip(np.floor(W[here] / np.where(step == 0, 1, step) - offset + 0.5), low, high)
            error = np.square(W[here] - step * (k + offset)).sum(axis=1)
            better = error < least
            least[better], best[here][better] = error[better], step[better, 0]  # best[here] is a view of `best`


def refuse_unstorable(largest, candidates):
    """Refuse rows whose steps overflow half precision, or vanish in it."""
    overflow = ~np.isfinite(candidates[:, -1])
    vanish = (largest > 0) & (candidates[:, -1] == 0)
    if overflow.any() or vanish.any():
        row = int(np.flatnonzero(overflow | vanish)[0])
        where = "it" if len(largest) == 1 else f"row {row}"
        raise ValueError(
            f"W must have rows whose grid step fits half precision (6e-8 to 65504), but {where} reaches "
            f"{largest[row]:.3g}. Scale the layer by a power of two first and undo it afterwards."
        )
