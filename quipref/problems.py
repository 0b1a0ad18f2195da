"""Random layers (W, H) on which bounds are checked and rounding ideas are compared."""

from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from quipref import checks

Spectrum = Literal["power", "flat", "low_rank", "outlier", "dead"]
Basis = Literal["haar", "hadamard", "identity"]
SPECTRA, BASES = get_args(Spectrum), get_args(Basis)


class Layer(NamedTuple):
    """Weights W (m, n) and the second moment H (n, n) of their inputs, both float64."""

    W: NDArray[np.float64]
    H: NDArray[np.float64]


def random_layer(
    m: int, n: int, *, spectrum: Spectrum = "power", basis: Basis = "haar", seed: int | np.random.Generator
) -> Layer:
    """A Gaussian layer W and a Hessian H = Q diag(eigenvalues) Q^T of mean diagonal one.

    Parameters
    ----------
    m, n : int
        Outputs and inputs, at least 1.
    spectrum : str
        ``"power"``: eigenvalue i is 1/i. ``"flat"``: all are one. ``"low_rank"``: a quarter of them
        as ``"power"``, the rest zero. ``"outlier"``: as ``"power"``, then one channel in 32 (at least
        one) is scaled by 10, as in the activations of language models. ``"dead"``: as ``"power"``,
        then one channel in 16 (at least one) is set to zero.
    basis : str
        Eigenvectors: ``"haar"`` uniform, ``"hadamard"`` Sylvester's matrix with random column
        signs (n a power of two), ``"identity"`` the axes.
    seed : int or numpy.random.Generator
        Required: what is measured must be reproducible.

    Returns
    -------
    Layer
        W (m, n) standard normal, H (n, n).

    Raises
    ------
    ValueError, TypeError
        An unknown name, a size below 1, ``"hadamard"`` for n that is no power of two.

    Examples
    --------
    >>> W, H = random_layer(2, 4, spectrum="flat", basis="identity", seed=0)
    >>> W.shape, H.diagonal()
    ((2, 4), array([1., 1., 1., 1.]))
    """
    m, n = checks.integer(m, "m", low=1), checks.integer(n, "n", low=1)
    checks.choice(spectrum, "spectrum", SPECTRA)
    checks.choice(basis, "basis", BASES)
    rng = np.random.default_rng(seed)
    W = rng.standard_normal((m, n))
    Q = _eigenvectors(n, basis, rng)
    H = (Q * _eigenvalues(n, spectrum)) @ Q.T
    if spectrum == "outlier":
        gains = np.ones(n)
        gains[rng.choice(n, max(1, n // 32), replace=False)] = 10.0
        H *= np.outer(gains, gains)
    elif spectrum == "dead":
        dead = rng.choice(n, max(1, n // 16), replace=False)
        H[dead], H[:, dead] = 0.0, 0.0
    H = (H + H.T) / 2
    trace = np.trace(H)
    return Layer(W, H * (n / trace) if trace else H)


def _eigenvalues(n, spectrum):
    if spectrum == "flat":
        return np.ones(n)
    power = 1.0 / np.arange(1, n + 1)
    if spectrum == "low_rank":
        power[max(1, n // 4) :] = 0.0
    return power


def _eigenvectors(n, basis, rng):
    if basis == "identity":
        return np.eye(n)
    if basis == "haar":
        # QR of a Gaussian matrix is Haar once the signs of R's diagonal are made positive.
        Q, R = np.linalg.qr(rng.standard_normal((n, n)))
        return Q * np.sign(R.diagonal())
    if n & (n - 1):
        raise ValueError(f"n must be a power of two for basis='hadamard', but {n} came. Use basis='haar'.")
    from scipy.linalg import hadamard

    return hadamard(n) * rng.choice([-1.0, 1.0], n)[:, None] / np.sqrt(n)


def parse_random_layer(text):
    """The layer that `random:256x512,spectrum=power,basis=haar,seed=3` names (seed defaults to 0)."""
    size, *settings = text.removeprefix("random:").split(",")
    options = {"seed": "0"}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals or key not in ("spectrum", "basis", "seed"):
            raise ValueError(f"LAYER settings must be spectrum=, basis= or seed=, but {setting!r} came in {text!r}.")
        options[key] = value
    numbers = [*size.split("x"), options.pop("seed")]
    if len(numbers) != 3 or not all(number.isdecimal() for number in numbers):
        raise ValueError(f"LAYER must read like random:256x512,spectrum=power,seed=3, but {text!r} came.")
    m, n, seed = map(int, numbers)
    return random_layer(m, n, seed=seed, **options)
