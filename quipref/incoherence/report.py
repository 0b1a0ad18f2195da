"""How incoherent a layer is, before and after each transform: what `quipref incoherence` shows."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from quipref import bounds, checks, tables
from quipref.factor import ldl
from quipref.incoherence.hadamard import hadamard_plan
from quipref.incoherence.measure import mu_weights
from quipref.incoherence.process import ROTATIONS, Transform, channel_scales

DELTA = 0.01  # the bounds are those that hold with probability 99 %


@dataclass(frozen=True)
class Incoherence:
    """A layer after one transform.

    Attributes
    ----------
    transform : str
        ``"none"``, or a name that `incoherence_process` takes.
    mu_weights, mu_hessian : float
        Of the transformed W and H.
    mu_weights_bound, mu_hessian_bound : float
        What the theorem of the transform allows with probability 99 %, for each of the two; where that is more
        than a matrix of this size can have, and for ``"none"``, the largest mu possible.
    storage_bits : int
        What a decoder keeps of the transform.
    """

    transform: str
    mu_weights: float
    mu_hessian: float
    mu_weights_bound: float
    mu_hessian_bound: float
    storage_bits: int

    def to_dict(self) -> dict[str, Any]:
        """The row as JSON types."""
        return asdict(self)


def incoherence_report(
    W: ArrayLike, H: ArrayLike, *, seed: int, rescale: bool = False,
    step: Callable[[str, int, int], object] = lambda message, done, total: None,
    look: Callable[[Incoherence, NDArray[np.floating], NDArray[np.floating]], object] = lambda row, W, H: None,
) -> list[Incoherence]:  # fmt: skip
    """Measure mu of W and H before and after every transform.

    Parameters
    ----------
    W : array (m, n), real float
    H : array (n, n), real float
    seed : int
        The rotations are drawn from it.
    rescale : bool
        Balance the channels first, as `incoherence_process` does.
    step : callable
        Told (message, transforms done, transforms in all).
    look : callable
        Given each row with its W' and H', for pictures.

    Returns
    -------
    list of Incoherence
        ``"none"`` first. The Fourier transform is left out where a size is odd.

    Raises
    ------
    ValueError, TypeError
        Shapes that disagree, NaN, a seed that is no seed.
    numpy.linalg.LinAlgError
        H is indefinite.
    """
    W = checks.weights(W)
    H = checks.symmetric(H, n=W.shape[1])
    seed = checks.integer(seed, "seed", low=0)
    ldl(H)  # refuses an indefinite H, for which mu would mean nothing
    names = ["none", *(name for name in ROTATIONS if name != "fourier" or not any(size % 2 for size in W.shape))]
    scale = Transform(None, None, channel_scales(W, H) if rescale else None)
    W, H = scale.weights(W), scale.hessian(H)
    step("eigenvectors of H", 0, len(names) + 1)
    basis = np.linalg.eigh(H)[1]  # once: the eigenvectors of the rotated H are the rotated ones
    rows = []
    for name in names:
        step(name, 1 + len(rows), len(names) + 1)
        rng = np.random.default_rng(seed)
        way = Transform(*(None if name == "none" else ROTATIONS[name](n, seed=rng) for n in W.shape), None)
        turned = basis if way.rotate_in is None else way.rotate_in.apply(basis, axis=0)
        W_turned = way.weights(W)
        largest = float(np.abs(turned).max(initial=0.0)) * len(H) ** 0.5
        row = Incoherence(name, mu_weights(W_turned), largest, *_bounds(name, *W.shape), way.storage_bits)
        look(row, W_turned, way.hessian(H))
        rows.append(row)
    return rows


def _bounds(name, m, n):
    """(of W, of H): what the theorem allows, and no more than a matrix of the size can have.

    What stands in where there is no Hadamard matrix has no theorem: blocks leave some coordinates unmixed.
    """
    weights, hessian = bounds.largest_mu_weights(m, n), bounds.largest_mu_hessian(n)
    if name == "kronecker":
        weights = min(weights, bounds.kronecker_mu_weights(m, n, DELTA))
        hessian = min(hessian, bounds.kronecker_mu_hessian(n, DELTA))
    mixed = [name == "fourier" or (name == "hadamard" and hadamard_plan(size).exact) for size in (m, n)]
    if all(mixed):
        weights = min(weights, bounds.hadamard_mu_weights(m, n, DELTA))
    if mixed[1]:
        hessian = min(hessian, bounds.hadamard_mu_hessian(n, DELTA))
    return weights, hessian


HEADINGS = ("transform", "mu of W", "at most*", "mu of H", "at most*", "bits to store")
FOOTNOTE = (
    "* with probability 99 % for each, by the theorem of the transform; where that is larger than any matrix of this\n"
    "  size can have, where no Hadamard matrix of the size is built here, and for `none`, the largest value possible.\n"
    "mu of H is that of the eigenvectors the solver found: where eigenvalues are equal, others may have a smaller one."
)


def table(rows: list[Incoherence]) -> str:
    """The rows as a Markdown table with its footnote."""
    lines = [
        (
            row.transform,
            f"{row.mu_weights:.2f}",
            f"{row.mu_weights_bound:.2f}",
            f"{row.mu_hessian:.2f}",
            f"{row.mu_hessian_bound:.2f}",
            str(row.storage_bits),
        )
        for row in rows
    ]
    return "\n".join((tables.markdown(HEADINGS, lines), "", FOOTNOTE))


def rank_note(H: ArrayLike) -> str:
    """A line that says what becomes of a rank-deficient H (n, n); empty for a definite one."""
    pivots = ldl(H)[1]
    zero = int((pivots == 0).sum())
    if not zero:
        return ""
    return (
        f"H is rank-deficient: {zero} of its {len(pivots)} pivots are zero. LDLQ takes it so, by the singular LDL; "
        "QuIP damps it by 0.01."
    )
