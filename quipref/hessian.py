"""The second moment H of a layer's inputs: gathering it, examining it, damping it, its file."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from quipref import checks, storage
from quipref.factor import ZERO_PIVOT, is_indefinite, smallest_damping

FILE_FORMAT, FILE_VERSION = "quipref.hessian", "1"


class HessianAccumulator:
    """Streaming second moment H = sum of x x^T / tokens over the inputs x of a layer.

    Parameters
    ----------
    n : int
        Inputs of the layer.

    Notes
    -----
    Sums are kept in float64, so the order of the updates matters only up to rounding, and two
    accumulators over different texts can be merged. The published programs differ by a factor:
    OPTQ's program sums 2 x x^T and divides by sequences, not tokens, so its H is 2 x (tokens a sequence)
    times this one. No rounding method in quipref depends on the scale of H.

    Examples
    --------
    >>> import numpy as np
    >>> a = HessianAccumulator(2)
    >>> a.update(np.array([[1.0, 0.0], [1.0, 2.0]]))
    >>> a.hessian()
    array([[1., 1.],
           [1., 2.]])
    """

    def __init__(self, n: int) -> None:
        self.n = checks.integer(n, "n", low=1)
        self.tokens = 0
        self._sum = np.zeros((self.n, self.n))

    def update(self, X: ArrayLike) -> None:
        """Add the inputs X, an array (tokens, n) of real floats."""
        X = checks.real_array(X, "X", ndim=2)
        if X.shape[1] != self.n:
            raise ValueError(
                f"X must have shape (tokens, {self.n}), but its shape is {X.shape}. Flatten the batch axes."
            )
        X = X.astype(np.float64, copy=False)
        self._sum += X.T @ X
        self.tokens += len(X)

    def merge(self, other: "HessianAccumulator") -> None:
        """Add everything that another accumulator of the same size has seen."""
        if not isinstance(other, HessianAccumulator):
            raise TypeError(f"other must be a HessianAccumulator, but {type(other).__name__} came.")
        if other.n != self.n:
            raise ValueError(f"other must gather {self.n} inputs, but it gathers {other.n}.")
        self._sum += other._sum
        self.tokens += other.tokens

    def hessian(self) -> NDArray[np.float64]:
        """H as a new float64 array (n, n), exactly symmetric."""
        if not self.tokens:
            raise ValueError("hessian() needs at least one token, but none was added. Call update(X) first.")
        H = self._sum / self.tokens
        return (H + H.T) / 2


@dataclass(frozen=True)
class HessianReport:
    """What `hessian_report` found.

    Attributes
    ----------
    kind : str
        The gravest of "non-finite", "asymmetric", "indefinite", "dead channels", "rank-deficient",
        or "positive definite".
    n, rank : int
        Size, and eigenvalues above 1e-12 tr H (0 when H is not finite).
    n_bad : int
        NaN or infinite entries.
    asymmetry : float
        max |H - H^T| / max |H|.
    dead : tuple of int
        Channels with a zero row and column: inputs that were zero on every token.
    smallest_eigenvalue, largest_eigenvalue, mean_diagonal : float
        Of the symmetrised H; NaN when it is not finite.
    smallest_damping : float or None
        The smallest fraction f, rounded up to two digits, for which `damp(H, f)` is safely positive
        definite, so that every method accepts it; None where no damping can help.
    advice : str
        What to do, in a sentence.
    """

    kind: str
    n: int
    rank: int
    n_bad: int
    asymmetry: float
    dead: tuple[int, ...]
    smallest_eigenvalue: float
    largest_eigenvalue: float
    mean_diagonal: float
    smallest_damping: float | None
    advice: str

    def to_dict(self) -> dict[str, Any]:
        """The report as a dict of JSON types: NaN becomes None."""
        plain = {k: None if isinstance(v, float) and v != v else v for k, v in asdict(self).items()}
        return plain | {"dead": list(self.dead)}

    def __str__(self) -> str:
        damping = "none helps" if self.smallest_damping is None else f"{self.smallest_damping:g}"
        dead = f"{len(self.dead)}" + (f" (first: {', '.join(map(str, self.dead[:8]))})" if self.dead else "")
        return "\n".join(
            (
                f"kind                 {self.kind}",
                f"size                 {self.n} x {self.n}, rank {self.rank}",
                f"non-finite entries   {self.n_bad}",
                f"asymmetry            {self.asymmetry:.1e} of max |H|",
                f"dead channels        {dead}",
                f"eigenvalues          {self.smallest_eigenvalue:.3e} to {self.largest_eigenvalue:.3e}",
                f"mean of the diagonal {self.mean_diagonal:.3e}",
                f"smallest damping     {damping}",
                f"advice               {self.advice}",
            )
        )


ADVICE = {
    "non-finite": "Refuse it: find the batch that made NaN or infinity; damping cannot repair it.",
    "asymmetric": "Symmetrise it, H = (H + H.T) / 2, and look for the transposed or half-written part.",
    "indefinite": "Symmetrise it and add up in float64; if that is done, damp it with at least the fraction above.",
    "dead channels": "ldlq takes it as it is; for optq damp it, or drop the dead inputs.",
    "rank-deficient": "ldlq takes it as it is; for optq damp it, or gather more than n tokens.",
    "positive definite": "Every method takes it as it is.",
}
NO_DAMPING = "No damping helps, since the trace is not positive: gather H again, from inputs that are not all zero."


def hessian_report(H: ArrayLike) -> HessianReport:
    """Examine a Hessian: tell NaN, asymmetry, indefiniteness, rank and dead channels apart.

    Parameters
    ----------
    H : array (n, n), real float
        Anything square; unlike every other function, this one does not refuse a bad matrix.

    Returns
    -------
    HessianReport

    Raises
    ------
    ValueError, TypeError
        Not a square matrix of real floats.

    Notes
    -----
    Cost: one symmetric eigenvalue problem. H is called indefinite where `ldl` refuses it. The smallest damping f solves
    lambda_min + f mean(diag H) = 2e-12 tr H, twice the pivot that counts as zero.

    Examples
    --------
    >>> import numpy as np
    >>> report = hessian_report(np.diag([2.0, 0.0]))
    >>> report.kind, report.dead, report.rank
    ('dead channels', (1,), 1)
    """
    H = np.asarray(H)
    if H.dtype.kind != "f":
        raise TypeError(f"H must hold real floating-point numbers, but its dtype is {H.dtype}. Convert it first.")
    if H.ndim != 2 or H.shape[0] != H.shape[1] or not len(H):
        raise ValueError(f"H must be square and not empty, but its shape is {H.shape}.")
    n, n_bad = len(H), int((~np.isfinite(H)).sum())
    if n_bad:
        return HessianReport("non-finite", n, 0, n_bad, np.nan, (), np.nan, np.nan, np.nan, None, ADVICE["non-finite"])
    tolerance = checks.ASYMMETRY.get(H.dtype, 1e-6)
    H = H.astype(np.float64)
    gap, scale = checks.asymmetry(H)
    H = (H + H.T) / 2
    eigenvalues = np.linalg.eigvalsh(H)
    trace, mean = float(np.trace(H)), float(np.trace(H)) / n
    dead = tuple(int(i) for i in np.flatnonzero(~H.any(axis=0)))
    rank = int((eigenvalues > ZERO_PIVOT * trace).sum())
    if gap > tolerance * scale:
        kind = "asymmetric"
    elif is_indefinite(H):
        kind = "indefinite"
    elif dead:
        kind = "dead channels"
    else:
        kind = "rank-deficient" if rank < n else "positive definite"
    asymmetry = gap / scale if scale else 0.0
    extremes = float(eigenvalues[0]), float(eigenvalues[-1])
    damping = smallest_damping(extremes[0], trace, n)
    advice = ADVICE[kind] if damping is not None else NO_DAMPING
    return HessianReport(kind, n, rank, 0, asymmetry, dead, *extremes, mean, damping, advice)


def damp(H: ArrayLike, fraction: float) -> NDArray[np.floating]:
    """H + fraction * mean(diag H) * I, as a new array.

    Parameters
    ----------
    H : array (n, n), real float
        Symmetric.
    fraction : float
        Not negative; 0.01 is what OPTQ, QuIP, QuIP# and QTIP use.

    Returns
    -------
    array (n, n)

    Raises
    ------
    ValueError, TypeError
        As `checks.symmetric`, or a negative fraction.

    Examples
    --------
    >>> import numpy as np
    >>> damp(np.diag([3.0, 1.0]), 0.5)
    array([[4., 0.],
           [0., 2.]])
    """
    return add_damping(checks.symmetric(H).copy(), checks.fraction(fraction, "fraction"))


def add_damping(H, fraction):
    """H itself, with fraction * mean(diag H) added to its diagonal."""
    if len(H):
        H[np.diag_indices(len(H))] += H.dtype.type(fraction * np.trace(H, dtype=np.float64) / len(H))
    return H


def save_hessian(path: storage.FilePath, H: ArrayLike, *, tokens: int = 0) -> None:
    """Write a Hessian file: safetensors with `H` and the metadata format, version, tokens.

    Parameters
    ----------
    path : str or path
        Where to; an interrupted write leaves the old file, or none.
    H : array (n, n), real float
        Symmetric; stored in its own precision.
    tokens : int
        How many inputs H was gathered from, 0 for unknown.

    Raises
    ------
    ValueError, TypeError
        As `checks.symmetric`, or a negative number of tokens.
    """
    H = checks.symmetric(H)
    tokens = checks.integer(tokens, "tokens", low=0)
    storage.write_tensors(path, {"H": H}, {"format": FILE_FORMAT, "version": FILE_VERSION, "tokens": str(tokens)})


def load_hessian(path: storage.FilePath) -> tuple[NDArray[np.floating], int]:
    """Read a Hessian file.

    Parameters
    ----------
    path : str or path
        As `save_hessian` wrote it.

    Returns
    -------
    H : array (n, n)
        It may be a bad matrix: ask `hessian_report`.
    tokens : int

    Raises
    ------
    ValueError
        The file is damaged, or no Hessian file of this version.
    FileNotFoundError
        There is none.
    """
    tensors, metadata = storage.read_tensors(path)
    found = metadata.get("format"), metadata.get("version")
    if found != (FILE_FORMAT, FILE_VERSION) or set(tensors) != {"H"}:
        raise ValueError(
            f"{path} must be a Hessian file ({FILE_FORMAT} version {FILE_VERSION} with one tensor H), but it is "
            f"{found[0]} version {found[1]} with {sorted(tensors)[:4]}. Write it with quipref.save_hessian."
        )
    tokens = metadata.get("tokens", "0")
    if not tokens.isdecimal():
        raise ValueError(f"{path} must say its tokens as a whole number, but it says {tokens!r}.")
    return tensors["H"], int(tokens)
