"""Babai's nearest plane is LDLQ from the last column to the first. (B1 is in theorems/.)"""

import numpy as np
import pytest
from voice import says

from quipref import IntegerGrid, UniformGrid, babai, ldlq, random_layer


def nearest_plane(X, w):
    """By its own words: the plane that is nearest along the last direction, then the same problem inside it."""
    Q, R = np.linalg.qr(X)
    target, z = R @ w, np.zeros(len(w))
    for k in range(len(w) - 1, -1, -1):
        z[k] = np.floor(target[k] / R[k, k] + 0.5)
        target = target - z[k] * R[:, k]
    return z


@pytest.mark.parametrize("backend", ["numba", "numpy"])
def test_it_is_the_nearest_plane_algorithm(backend):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((30, 12))
    W = rng.standard_normal((8, 12)) * 4
    found = babai(W, X.T @ X, backend=backend)
    assert (found == np.array([nearest_plane(X, w) for w in W])).all()


def test_by_hand():
    """The basis (1, 0), (1/2, 1): from (.25, .5) the plane z_1 = 1, then round(.25 - 1/2 (1 - .5)) = 0."""
    X = np.array([[1.0, 0.5], [0.0, 1.0]])
    assert babai(np.array([[0.25, 0.5]]), X.T @ X).tolist() == [[0.0, 1.0]]


def test_it_is_backward_ldlq_with_every_argument():
    W, H = random_layer(20, 24, seed=1)
    assert (babai(W, H) == ldlq(W, H, order="backward")).all()
    assert (babai(W, H) != ldlq(W, H)).any()
    grid = UniformGrid.fit(W, 2)
    assert (babai(W, H, round_to=grid, threads=2) == ldlq(W, H, round_to=grid, order="backward")).all()
    stochastic = IntegerGrid(-2, 1, rounding="stochastic")
    expected = ldlq(W, H, round_to=stochastic, order="backward", rng=3)
    assert (babai(W, H, round_to=stochastic, rng=3) == expected).all()


def test_empty_and_single():
    for shape in [(0, 3), (3, 0), (0, 0)]:
        assert babai(np.zeros(shape), np.eye(shape[1])).shape == shape
    assert babai(np.array([[0.75]]), np.eye(1)).tolist() == [[1.0]]


def test_refusals():
    with says(np.linalg.LinAlgError, "its smallest eigenvalue is -1.0e+00 (n = 2)"):
        babai(np.ones((1, 2)), np.diag([1.0, -1.0]))
    with says(TypeError, "W must hold real floating-point numbers"):
        babai(np.ones((1, 2), int), np.eye(2))
    with says(ValueError, "H must be 2 x 2"):
        babai(np.ones((1, 2)), np.eye(3))
    with says(ValueError, "backend must be one of"):
        babai(np.ones((1, 2)), np.eye(2), backend="cuda")
    with says(ValueError, "rng must be a seed"):
        babai(np.ones((1, 2)), np.eye(2), round_to=IntegerGrid(rounding="stochastic"))
