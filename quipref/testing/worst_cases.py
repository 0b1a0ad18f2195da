"""Layers that are built to make a rounder lose as much as a bound lets it, for the adversary and the theory checks.

They are for the integers and for other grids with one step, whose unit and offset they are brought to.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from quipref.factor import ldl
from quipref.problems import Layer, random_layer
from quipref.testing.counterexamples import LDLQ_LOSES, aligned_halves, clamped_counterexample
from quipref.testing.protocol import Tags

Array = NDArray[np.float64]
NEARLY = 1 - 1e-6  # of half a step: a tie may go either way, and rounding errors must not make one
GENERIC, MANY = "a random layer", 24
SPECTRA = (("power", "haar"), ("outlier", "haar"), ("power", "identity"))


def constructed(n: int, tags: Tags, m: int = 1, seed: int = 0) -> Iterator[tuple[str, Layer]]:
    """(name, layer) of every construction that exists for n columns."""
    for name, layer in (*_at_the_edge(n, m, seed), *_in_agreement(n, m, tags), *_known(n, m), *_generic(n, m, seed)):
        offset = getattr(tags.quantizer, "offset", 0.0)
        yield name, Layer(tags.unit * (layer.W + offset), layer.H)


def _at_the_edge(n, m, seed) -> Iterator[tuple[str, Layer]]:
    """Q2a: W = eta (X + I)^-1 puts every target of the feedback X at the edge of its cell, eta = +-1/2."""
    rng = np.random.default_rng(seed)
    for spectrum, basis in SPECTRA:
        H = random_layer(1, n, spectrum=spectrum, basis=basis, seed=rng).H
        eta = NEARLY / 2 * rng.choice([-1.0, 1.0], (m, n))
        inverse = np.linalg.inv(ldl(H)[0] + np.eye(n))
        yield "every target at the edge of its cell (theorem 1 of QuIP)", Layer(eta @ inverse, H)
        backward = np.linalg.inv(ldl(H[::-1, ::-1])[0] + np.eye(n))[::-1, ::-1]
        yield "the same from right to left", Layer(eta @ backward, H)
        yield "errors along the worst signs (lemma 3 of QuIP)", Layer(_rows(NEARLY / 2 * worst_signs(H), m), H)


def _in_agreement(n, m, tags) -> Iterator[tuple[str, Layer]]:
    """S7: H = 1 1^T and halves that all go up; with a ridge where a singular H is refused."""
    for ridge in (0.0 if tags.handles_singular else 1e-3, 1.0):
        W, H = aligned_halves(n, ridge)
        yield "H = 1 1^T, where all errors agree (remark after theorem 4.1 of QuIP#)", Layer(_rows(W[0], m), H)


def _known(n, m) -> Iterator[tuple[str, Layer]]:
    """Q9, from either side, and the smallest layer on which LDLQ loses to nearest, beside columns of zeros."""
    if n < 3:
        return
    W, H = clamped_counterexample(n)
    yield "QuIP's counterexample for clamped grids", Layer(_rows(W[0], m), H)
    yield "the same from right to left", Layer(_rows(W[0, ::-1], m), H[::-1, ::-1].copy())
    W, H = np.zeros(n), np.eye(n)
    W[:3], H[:3, :3] = LDLQ_LOSES.W[0], LDLQ_LOSES.H
    yield "the smallest layer on which LDLQ loses to nearest", Layer(_rows(W, m), H)


def _generic(n, m, seed) -> Iterator[tuple[str, Layer]]:
    """Layers in generic position: one in a few refutes what holds for every layer with a structure."""
    rng = np.random.default_rng([seed, n])
    for _ in range(MANY):
        W, H = random_layer(m, n, seed=rng)  # H has no eigenvalue below 1 / (1 + log n)
        yield GENERIC, Layer(W.round(3), H.round(3))


def worst_signs(H: Array) -> Array:
    """Signs s with a large s^T H s: those of the first eigenvector, then turned one by one while that helps."""
    s = np.where(np.linalg.eigh(H)[1][:, -1] < 0, -1.0, 1.0)
    for _ in range(len(H) ** 2):
        gain = -s * (H @ s - H.diagonal() * s)  # a quarter of what turning each sign adds
        j = int(gain.argmax())
        if gain[j] <= 1e-12 * H.diagonal().sum():
            break
        s[j] = -s[j]
    return s


def _rows(w, m):
    return np.tile(w, (m, 1))
