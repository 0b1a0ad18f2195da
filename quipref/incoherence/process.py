"""Incoherence processing: rescale, rotate and damp a layer; round it there; come back.

The processed weights and the processed Hessian belong together: a loss that takes one of them from each
space is a number without meaning. So they are not handed out one by one. `ProcessedLayer.round` gives both
to a rounding method and returns its answer in the units of W, and `ProcessedLayer.measure` gives both to a
function that looks at them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NoReturn, TypeVar, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from quipref import checks
from quipref.hessian import add_damping
from quipref.incoherence.rotations import KroneckerHaar, RandomizedFourier, RandomizedHadamard, Rotation
from quipref.incoherence.walsh import scaled
from quipref.threads import in_pieces

TransformName = Literal["kronecker", "hadamard", "fourier"]
TRANSFORMS = get_args(TransformName)
ROTATIONS = dict(zip(TRANSFORMS, (KroneckerHaar, RandomizedHadamard, RandomizedFourier), strict=True))
SCALE_BITS = 16
SCALE_RANGE = (2.0**-12, 2.0**12)  # of a channel's scale, well inside half precision
PIECE = 2**19  # numbers that a thread takes at a time: smaller pieces stay nearer, but threads wait for each other
SAFE = (1e-20, 1e30)  # squared norms between these have lost nothing to the range of single precision
T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Transform:
    """W' = A (W S) B^T and H' = B (S^-1 H S^-1) B^T, which leave tr(W H W^T) as it is.

    Attributes
    ----------
    rotate_out, rotate_in : Rotation or None
        A (m, m) and B (n, n), orthogonal; None is the identity.
    scale : array (n,), float16, or None
        The diagonal of S; None is the identity.
    """

    rotate_out: Rotation | None
    rotate_in: Rotation | None
    scale: NDArray[np.float16] | None

    @property
    def storage_bits(self) -> int:
        """Bits that a decoder needs: what each rotation stores, and 16 a channel for the scale."""
        rotations = [r for r in (self.rotate_out, self.rotate_in) if r is not None]
        return sum(r.storage_bits for r in rotations) + SCALE_BITS * (0 if self.scale is None else len(self.scale))

    def __repr__(self) -> str:
        scale = None if self.scale is None else f"<{len(self.scale)} float16>"
        return f"Transform({self.rotate_out}, {self.rotate_in}, scale={scale})"

    def weights(self, W: NDArray[np.floating]) -> NDArray[np.floating]:
        """W' of W (m, n), a new array unless nothing is to be done."""
        if self.scale is None and self.rotate_out is None and self.rotate_in is None:
            return W
        return conjugated(W, self.rotate_out, self.rotate_in, None, self.scale)

    def hessian(self, H: NDArray[np.floating], damping: float = 0.0) -> NDArray[np.floating]:
        """H' of H (n, n), a new array, with that share of its mean diagonal added to the diagonal."""
        inverse = None if self.scale is None else 1 / self.scale.astype(np.float64)
        H = conjugated(H, self.rotate_in, self.rotate_in, inverse, inverse)
        return add_damping(H, checks.fraction(damping, "damping"))

    def undo(self, W: NDArray[np.floating]) -> NDArray[np.floating]:
        """The weights (m, n) whose processed form W is."""
        if self.rotate_out is not None:
            W = self.rotate_out.undo(W, axis=0)
        if self.rotate_in is not None:
            W = self.rotate_in.undo(W, axis=1)
        return W if self.scale is None else W / self.scale.astype(W.dtype)


def conjugated(X, left, right, rows, columns):
    """A diag(rows) X diag(columns) B^T, a new array; the rotations A and B and the vectors may be None.

    RandomizedHadamard begins with a diagonal of its own, which joins the others in one pass over X; and what follows
    it along the rows is done while they are still in the cache.
    """
    rows, columns = _joined(rows, left, X.shape[0], X.dtype), _joined(columns, right, X.shape[1], X.dtype)
    fast = any(isinstance(rotation, RandomizedHadamard) for rotation in (left, right))  # and compiled, in any case
    out = scaled(X, rows, columns, transform=_is_walsh(right), backend="numba" if fast else "numpy")
    if right is not None and not _is_walsh(right):
        out = right.mix(out, axis=1) if isinstance(right, RandomizedHadamard) else right.apply(out, axis=1)
    if left is None:
        return out
    return left.mix(out, axis=0) if isinstance(left, RandomizedHadamard) else left.apply(out, axis=0)


def _is_walsh(rotation):
    """True if nothing but Sylvester's matrix follows the signs."""
    return isinstance(rotation, RandomizedHadamard) and rotation.n.bit_count() == 1


def _joined(scale, rotation, n, dtype):
    """The product (n,) of both diagonals, ones where there is neither."""
    product = np.ones(n) if scale is None else scale.astype(np.float64)
    if isinstance(rotation, RandomizedHadamard):
        product *= rotation.diagonal
    return product.astype(dtype)


class ProcessedLayer:
    """A layer in the rotated space, which only `round`, `measure` and `transform.undo` reach.

    Made by `incoherence_process`. It is no array and becomes none, so that no function takes it for W or H.

    Attributes
    ----------
    transform : Transform
        The way there and back; all that a decoder needs besides the codes.
    shape : tuple of int
        (m, n).
    """

    def __init__(self, W: NDArray[np.floating], H: NDArray[np.floating], transform: Transform) -> None:
        self._W, self._H, self.transform, self.shape = _read_only(W), _read_only(H), transform, W.shape

    def round(self, rounder: Callable[..., NDArray[np.floating]], **options: object) -> NDArray[np.floating]:
        """`rounder(W', H', **options)` -> W_hat' (m, n), brought back to the units of W."""
        if not callable(rounder):
            raise TypeError(f"rounder must be a function such as quipref.ldlq, but {rounder!r} came.")
        W_hat = checks.weights(rounder(self._W, self._H, **options), "what rounder returns")
        return self.transform.undo(checks.same_shape(W_hat, "what rounder returns", self._W, "the layer"))

    def measure(self, look: Callable[[NDArray[np.floating], NDArray[np.floating]], T]) -> T:
        """`look(W', H')`: anything that is computed from the pair, both of them read-only."""
        return look(self._W, self._H)

    def __array__(self, *_: object, **__: object) -> NoReturn:
        raise TypeError(
            "A processed layer must not be used as an array: its W and H belong to the rotated space. "
            "Use .round(rounder) or .measure(function)."
        )

    def __repr__(self) -> str:
        return f"ProcessedLayer({self.shape[0]} x {self.shape[1]}, {self.transform})"


def _read_only(X):
    """A view of X that cannot be written to; X itself, which may be the caller's, stays as it is."""
    X = X.view()
    X.setflags(write=False)
    return X


def incoherence_process(
    W: ArrayLike, H: ArrayLike, *,
    transform: TransformName | tuple[Rotation | None, Rotation | None] | None = "kronecker",
    seed: int | np.random.Generator | None = None, rescale: bool = True, damping: float = 0.01,
) -> ProcessedLayer:  # fmt: skip
    """Make W and H incoherent, so that no weight and no input direction stands out.

    W' = A (W S) B^T,    H' = B (S^-1 H S^-1) B^T + damping tr(S^-1 H S^-1) / n I.

    Parameters
    ----------
    W : array (m, n), real float
    H : array (n, n), real float
        Second moment of the inputs, positive semidefinite; singular is fine.
    transform : str, pair of Rotation, or None
        ``"kronecker"`` (QuIP), ``"hadamard"`` or ``"fourier"`` (QuIP#) on both sides, or
        (rotate_out, rotate_in) of sizes m and n, either of which may be None. None rotates nothing.
    seed : int or Generator
        Required with a name: what must be undone later is never drawn silently.
    rescale : bool
        Balance the channels first: S_ii = (H_ii / (W^T W)_ii)^(1/4), which makes the product of
        tr(H') and the squared norm of W' as small as any diagonal can.
    damping : float
        Share of the mean diagonal that is added to the diagonal of H', as in `quipref.damp`.

    Returns
    -------
    ProcessedLayer
        `round(rounder)` rounds in the rotated space and comes back; `transform` is what a decoder keeps.

    Raises
    ------
    ValueError, TypeError
        Shapes that disagree, NaN, a missing seed, rotations of other sizes, ``"fourier"`` for an odd size.

    Notes
    -----
    The loss of a W_hat is the same in both spaces, but for what the damping adds. A channel that is
    dead (H_ii = 0, or a column of W that is zero) keeps S_ii = 1. S is stored, and used, in half
    precision, with mean logarithm zero and between 2^-12 and 2^12. QuIP's program damps twice, by 0.01
    before and by 0.01 after the rotation; here it is once, since a rotation leaves the identity alone.

    References
    ----------
    QuIP, arXiv:2307.13304v2, algorithms 1 and 2; QuIP#, arXiv:2402.04396v2, section 3.

    Examples
    --------
    >>> from quipref import ldlq, proxy_loss, random_layer
    >>> W, H = random_layer(16, 32, spectrum="outlier", seed=0)
    >>> processed = incoherence_process(W, H, transform="hadamard", seed=1)
    >>> W_hat = processed.round(ldlq)
    >>> bool(proxy_loss(W, W_hat, H) < proxy_loss(W, ldlq(W, H), H))
    True
    """
    W = checks.weights(W)
    H = checks.symmetric(H, n=W.shape[1])
    way = Transform(*_rotations(transform, W.shape, seed), channel_scales(W, H) if rescale else None)
    return ProcessedLayer(way.weights(W), way.hessian(H, damping), way)


def _rotations(transform, shape, seed):
    """(rotate_out, rotate_in) of sizes m and n, drawn one after the other from one seed; or given, and checked."""
    if transform is None:
        return None, None
    if not isinstance(transform, tuple):
        draw = ROTATIONS[checks.choice(transform, "transform", TRANSFORMS)]
        if transform == "fourier" and any(size % 2 for size in shape):
            raise ValueError(
                f"transform must be 'kronecker' or 'hadamard' where W has an odd size, but 'fourier' came for {shape}."
            )
        if seed is None:
            raise ValueError(
                f"seed must be given for transform={transform!r}, since what must be undone later is never drawn "
                "silently, but None came. Pass seed=0."
            )
        if not isinstance(seed, np.random.Generator):
            seed = np.random.default_rng(checks.integer(seed, "seed", low=0))
        return tuple(draw(n, seed=seed) for n in shape)
    if len(transform) != 2:
        raise ValueError(f"transform must be a pair (rotate_out, rotate_in), but {len(transform)} came.")
    for side, one, n in zip(("rotate_out", "rotate_in"), transform, shape, strict=True):
        if not isinstance(one, Rotation | None):
            raise TypeError(
                f"{side} must be a rotation or None, but {type(one).__name__} came. Try RandomizedHadamard."
            )
        if one is not None and one.n != n:
            raise ValueError(f"{side} must have n = {n} for W of shape {shape}, but its n is {one.n}.")
    return transform


def channel_scales(W, H):
    """S_ii = (H_ii / (W^T W)_ii)^(1/4) in half precision, with mean logarithm zero over the live channels."""
    h, w = H.diagonal().astype(np.float64), _squares(W)
    if not (SAFE[0] < w.min(initial=1.0) and w.max(initial=1.0) < SAFE[1]):
        # Squares may have overflown or vanished. A common factor of W changes nothing, and doubles reach further.
        w = _squares(W / np.float64(max(W.max(initial=0), -W.min(initial=0)) or 1.0))
    live = (h > 0) & (w > 0)
    logarithms = np.zeros(len(h))
    if live.any():
        logarithms[live] = (np.log(h[live]) - np.log(w[live])) / 4
        logarithms[live] -= logarithms[live].mean()
    return np.clip(np.exp(logarithms), *SCALE_RANGE).astype(np.float16)


def _squares(W):
    """The squared norm of each column, in W's precision in a piece of the rows, in double precision over the pieces."""

    def rows(first, last):
        return np.einsum("ij,ij->j", W[first:last], W[first:last])

    with np.errstate(over="ignore", under="ignore"):
        return sum(in_pieces(len(W), _rows_a_piece(W), rows), np.zeros(W.shape[1]))


def _rows_a_piece(X):
    """So many rows that they stay in the cache."""
    return max(1, PIECE // max(1, X.shape[1]))
