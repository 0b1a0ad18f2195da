"""All of E8 as a Quantizer, with a dither if wanted: what the theorems on block LDLQ are about, with no end to it.

A codebook of so many bits is a piece of a lattice, and beyond its end no error is bounded. Here there is no end; the
price is that a code has no fixed number of bits.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from quipref import checks
from quipref.lattice.e8 import DIMENSION, nearest, positive

LARGEST_TARGET = 2.0**50  # in units of the lattice: beyond it float64 begins to lose the halves


class E8Lattice:
    """The Quantizer that rounds eight weights together to a point of scale E8, all of it: no codebook ends.

    t_hat = scale Q(t / scale),    dithered: t_hat = scale (Q(t / scale + u) - u)

    Parameters
    ----------
    scale : float
        Positive.
    dithered : bool
        Add u, uniform over the Voronoi cell of 0 and drawn anew for each eight targets, and take it off again. The
        error is then uniform over that cell whatever the targets are, so its second moments are `SECOND_MOMENT`
        times scale^2 times the identity.

    Raises
    ------
    ValueError, TypeError
        A scale that is not positive and finite.

    Notes
    -----
    A code is twice a coordinate, an int64. A dither is drawn from `rng` for the first eight columns of all rows, then
    for the next eight: the codes of a layer that was rounded from left to right come back from its seed.

    References
    ----------
    QuIP#, arXiv:2402.04396v2, theorem 4.1, is about quantizers such as these.

    Examples
    --------
    >>> import numpy as np
    >>> T = np.full((1, 8), 0.4)
    >>> codes, T_hat = E8Lattice().quantize(T)
    >>> print(codes, T_hat)
    [[1 1 1 1 1 1 1 1]] [[0.5 0.5 0.5 0.5 0.5 0.5 0.5 0.5]]
    >>> dithered = E8Lattice(dithered=True)
    >>> codes, T_hat = dithered.quantize(T, rng=0)
    >>> bool((dithered.decode(codes, rng=0) == T_hat).all())
    True
    """

    block = DIMENSION
    bits = None

    def __init__(self, scale: float = 1.0, *, dithered: bool = False) -> None:
        self.scale, self.dithered = positive(scale, "scale"), checks.boolean(dithered, "dithered")
        self.rounding = "stochastic" if dithered else "nearest"

    def quantize(
        self, T: ArrayLike, rng: int | np.random.Generator | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.floating]]:
        """Round targets T (rows, 8 q); return (codes, T_hat), both of T's shape. `rng` is for the dither alone."""
        T = checks.real_array(T, "T", ndim=2)
        eights = _in_eights(T.astype(np.float64), "T", "Pad the layer (and its H) with zeros.")
        u = self._dither(T.shape, rng)
        with np.errstate(over="ignore"):
            X = eights / self.scale
        if not np.abs(X).max(initial=0) <= LARGEST_TARGET:
            raise ValueError(
                f"T / scale must be at most 2^50, where float64 still has E8's halves, but T reaches "
                f"{np.abs(T).max():.1e} and scale is {self.scale:.1e}. Take a larger scale."
            )
        points = nearest(X + u)
        T_hat = (self.scale * (points - u)).reshape(T.shape)
        return (2 * points).astype(np.int64).reshape(T.shape), T_hat.astype(T.dtype, copy=False)

    def decode(self, codes: ArrayLike, rng: int | np.random.Generator | None = None) -> NDArray[np.float64]:
        """The values (m, n) of codes (m, n), as float64; `rng` is the seed that made them where there is a dither.

        They are the T_hat of float64 targets; rounded to float32, those of float32 targets.
        """
        codes = np.asarray(codes)
        if codes.dtype.kind not in "ui" or codes.ndim != 2:
            raise (TypeError if codes.dtype.kind not in "ui" else ValueError)(
                f"codes must be a matrix of integers, but they are {codes.dtype} of shape {codes.shape}. "
                "E8Lattice.quantize makes them."
            )
        points = _in_eights(codes / 2, "codes", "E8Lattice.quantize makes one for each weight.")
        return (self.scale * (points - self._dither(codes.shape, rng))).reshape(codes.shape)

    def _dither(self, shape, rng):
        """A point of the Voronoi cell of 0 for each eight of that shape, as (m, q, 8); zero without dither."""
        if not self.dithered:
            return 0.0
        if rng is None:
            raise ValueError("rng must be a seed or a Generator for a dither, but None came. Pass rng=0.")
        return voronoi_points((shape[1] // DIMENSION, shape[0]), rng).swapaxes(0, 1)

    def __repr__(self) -> str:
        return f"E8Lattice(scale={self.scale:g}, dithered={self.dithered})"


def _in_eights(M, name, advice):
    """M (m, 8 q) as (m, q, 8)."""
    m, n = M.shape
    if n % DIMENSION:
        raise ValueError(f"{name} must have a multiple of 8 columns, but the shape is {M.shape}. {advice}")
    return M.reshape(m, n // DIMENSION, DIMENSION)


def voronoi_points(shape, rng):
    """Points (*shape, 8) that are uniform over the Voronoi cell of 0.

    2 Z^8 lies in E8, so what is uniform over the cube [0, 2)^8 is uniform modulo E8. The cube [0, 1)^8 would not do: it
    has the right volume, but holds x together with x + 1/2.
    """
    x = 2 * np.random.default_rng(rng).random((*shape, DIMENSION))
    return x - nearest(x)
