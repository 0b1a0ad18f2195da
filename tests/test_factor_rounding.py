"""LDL where a column nearly depends on those after it.

Elimination magnifies rounding by distance^-2, beyond the -1e-10 tr H that is an indefinite pivot.
"""

import numpy as np
import pytest
from test_factor import EPS, assert_factors, rebuilt
from voice import says

import quipref
from quipref import factor, ldl


def nearly_dependent(n, rank, distance, seed):
    """S S^T, where the last row of S that spans anything new lies at that distance from those after it."""
    S = np.random.default_rng(seed).standard_normal((n, rank))
    after = S[n - rank + 1 :]
    S[n - rank] = distance * np.linalg.svd(after)[2][-1] + after.mean(axis=0)
    return S @ S.T


@pytest.mark.parametrize("seed", range(8))
def test_rounding_is_not_taken_for_indefinite(seed):
    H = nearly_dependent(60, 20, 1e-4, seed)
    assert_factors(H, *ldl(H))


def test_on_a_random_layer():
    H = quipref.random_layer(16, 256, spectrum="low_rank", seed=33).H
    assert_factors(H, *ldl(H))


def test_below_rounding_it_is_refused_as_before():
    H = nearly_dependent(60, 20, 1e-4, seed=0)
    with says(np.linalg.LinAlgError, "H must be symmetric positive semidefinite; its smallest eigenvalue is -"):
        ldl(H - 2e-12 * np.trace(H) * np.eye(60))


@pytest.mark.parametrize(("n", "rank"), [(1, 1), (5, 0), (60, 20), (60, 60)])
def test_where_elimination_gives_up_nothing_is_magnified(n, rank, monkeypatch):
    H = nearly_dependent(n, rank, 1e-4, seed=n) if rank > 1 else np.full((n, n), float(rank))
    monkeypatch.setattr(factor, "_reversed_cholesky", lambda *_: None)
    monkeypatch.setattr(factor, "_eliminated", lambda H: None)
    U, D = ldl(H)
    assert (D > 0).tolist() == [False] * (n - rank) + [True] * rank
    assert (U[np.tril_indices(n)] == 0).all()
    np.testing.assert_allclose(rebuilt(U, D), H, rtol=0, atol=8 * n * EPS * np.trace(H))
    if rank == 20:  # an eigenvalue's error, n eps tr H, reaches this pivot times 1e4^2
        assert D[n - rank] == pytest.approx(1e-8, rel=n * EPS * np.trace(H) * 1e8)
