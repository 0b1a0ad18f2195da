"""What QuIP's program (commit ac92cfc7) put out for its random rotations, with the parts that it drew.

`quip_butterfly.npz`, for n = 64, 96, 128, 60 and 7: with blocks and permutations, with shared factors, without
permutations. All of it is reproduced here.
"""

import numpy as np
import pytest

from quipref import KroneckerHaar
from quipref.incoherence.kronecker import alternate_factors

SIZES = [64, 96, 128, 60, 7]
VARIANTS = ["butterfly", "butterfly_noblock", "butterfly_nopermute"]
NAMES = {"B0", "B1", "p_in", "p_out", "x", "y", "Q", "factors"}
HALF_ULP = 2.0**-24  # relative error of one float32 operation


@pytest.fixture(scope="module")
def archive(golden):
    with np.load(golden / "quip_butterfly.npz", allow_pickle=False) as archive:
        return dict(archive)


@pytest.fixture(params=[f"n{n}_{variant}_" for n in SIZES for variant in VARIANTS])
def stored(request, archive):
    prefix = request.param
    found = {name.removeprefix(prefix): value for name, value in archive.items() if name.startswith(prefix)}
    return {name: found[name] for name in NAMES}


@pytest.fixture
def V(stored):
    return KroneckerHaar.from_parts(*(stored[name] for name in ("B0", "B1", "p_in", "p_out")))


def test_nothing_in_the_archive_is_left_out(archive):
    assert set(archive) == {f"n{n}_{variant}_{name}" for n in SIZES for variant in VARIANTS for name in NAMES}


def test_the_size_is_factored_as_theirs(stored, V):
    assert alternate_factors(len(stored["x"])) == V.factors == tuple(stored["factors"])


def test_the_matrix_to_the_last_bit(stored, V):
    """Every entry is one product of two float32 numbers, exact in float64, rounded once."""
    assert (V.matrix().astype(np.float32) == stored["Q"]).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rotated_vectors(stored, V, dtype):
    """Theirs adds up f0, then f1 float32 products; in float32 ours does so too, in an order of its own."""
    x = stored["x"].astype(dtype)
    found = V.apply(x, axis=0)
    assert found.dtype == dtype
    sizes = np.abs(V.matrix()) @ np.abs(stored["x"].astype(float))
    runs = 2 if dtype == np.float32 else 1
    assert (np.abs(found - stored["y"].astype(float)) <= runs * (sum(V.factors) + 1) * HALF_ULP * sizes).all()


def test_and_back(stored, V):
    """V is orthogonal up to the rounding of the factors to float32, entry by entry."""
    Q = np.abs(V.matrix())
    x = V.undo(stored["y"].astype(float), axis=0)
    f = sum(V.factors)
    sizes = Q.T @ (Q @ np.abs(stored["x"].astype(float)))
    assert (np.abs(x - stored["x"]) <= (f + 1 + 4 * f) * HALF_ULP * sizes).all()


def test_the_variants_differ(archive):
    for n in SIZES:
        y = [archive[f"n{n}_{variant}_y"] for variant in VARIANTS]
        assert np.abs(y[0] - y[2]).max() > 0.1
        assert n == 7 or np.abs(y[0] - y[1]).max() > 0.1  # at a prime there is one factor for all
