"""Which scales suit residual codebooks: the error on Gaussian weights, over a table of both."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from quipref import backend as backends
from quipref import checks
from quipref.gaussian import MeasuredError, mean_squared_error
from quipref.lattice.e8 import positive
from quipref.lattice.residual import ResidualQuantizer

SOURCE_SCALES = {2: 1.03, 3: 0.98, 4: 1.03}  # the authors', by bits; their residual scales are in residual.py


class ScaleScan(NamedTuple):
    """Errors on N(0, 1), and their standard errors, by source scale (a row each) and residual scale (a column each)."""

    bits: int
    source_scales: NDArray[np.float64]
    residual_scales: NDArray[np.float64]
    mean: NDArray[np.float64]
    standard_error: NDArray[np.float64]

    def best(self) -> tuple[float, float, MeasuredError]:
        """(source scale, residual scale, error) of the least error; measured anew it would be a little larger."""
        row, column = np.unravel_index(self.mean.argmin(), self.mean.shape)
        error = MeasuredError(float(self.mean[row, column]), float(self.standard_error[row, column]))
        return float(self.source_scales[row]), float(self.residual_scales[column]), error


def scale_scan(
    bits: int, source_scales: ArrayLike, residual_scales: ArrayLike, *, seed: int | np.random.Generator,
    n_vectors: int = 2**16, backend: backends.Backend = "numba", threads: int | None = None,
) -> ScaleScan:  # fmt: skip
    """The mean squared error of `ResidualQuantizer` on N(0, 1) for each pair of scales, always on the same weights.

    x_hat = (q_1 + q_2 / r) / s,    q_1 nearest to s x, q_2 nearest to r (s x - q_1)

    Parameters
    ----------
    bits : int
        3 or 4.
    source_scales : array (S,), real
        s: the root mean square of the weights in units of the codebook.
    residual_scales : array (R,), real
        r.
    seed : int or Generator
    n_vectors : int
        How many vectors of eight weights, at least 2.
    backend, threads
        As for `ResidualQuantizer`.

    Returns
    -------
    ScaleScan

    Raises
    ------
    ValueError, TypeError
        Other bits, or scales that are not positive.

    References
    ----------
    QuIP#, arXiv:2402.04396v2, section 4.3.

    Examples
    --------
    >>> found = scale_scan(3, [0.5, 1.0], [2.0], seed=0, n_vectors=1000)
    >>> found.best()[:2], bool(0.028 < found.mean[1, 0] < 0.032)
    ((1.0, 2.0), True)
    """
    X = np.random.default_rng(seed).standard_normal((checks.integer(n_vectors, "n_vectors", low=2), 8))
    S, R = _scales(source_scales, "source_scales"), _scales(residual_scales, "residual_scales")
    errors = np.empty((2, len(S), len(R)))
    for i, s in enumerate(S):
        for j, r in enumerate(R):
            rounder = ResidualQuantizer(bits, 1 / s, r, backend=backend, threads=threads)
            errors[:, i, j] = mean_squared_error(X, rounder.quantize(X)[1])
    return ScaleScan(bits, S, R, *errors)


def _scales(scales, name):
    scales = np.atleast_1d(scales)
    if scales.ndim != 1 or not scales.size:
        raise ValueError(f"{name} must be a list of numbers, but its shape is {scales.shape}. Pass one at least.")
    return np.array([positive(scale.item(), f"each of {name}") for scale in scales])
