"""The small golden set that ships: a few results of QuIP's program, reproduced without the large folder."""

import fnmatch
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from quipref import IntegerGrid, data, ldlq, optq, storage
from quipref.rounding.grid import AffineGrid

BACKENDS = ["numba", "numpy"]
SCRIPT = Path(__file__).parents[2] / "data" / "make_golden.py"


@pytest.fixture(scope="module")
def shipped():
    return storage.read_arrays(data.path("golden/quip_rounding.npz"))


@pytest.fixture(scope="module")
def manifest():
    return storage.read_json(data.path("golden/manifest.json"))["files"]["quip_rounding.npz"]


def symmetric(upper):
    """The matrix whose rows from the diagonal on are these numbers."""
    n = int(np.sqrt(2 * len(upper)))
    H = np.zeros((n, n))
    H[np.triu_indices(n)] = upper
    return H + np.triu(H, 1).T


def in_grid_units(shipped, bits):
    high = 2**bits - 1
    return np.clip((shipped["W"] / shipped["scale"] + 1) / 2 * high, 0, high), IntegerGrid(0, high)


class TestManifest:
    def test_it_describes_the_archive(self, shipped, manifest):
        path = data.path("golden/quip_rounding.npz")
        assert manifest["bytes"] == path.stat().st_size < 150_000
        assert manifest["sha256"] == storage.sha256(path)
        assert manifest["arrays"] == {
            name: {"shape": list(array.shape), "dtype": array.dtype.name} for name, array in shipped.items()
        }
        assert all(any(fnmatch.fnmatch(name, pattern) for pattern in manifest["meaning"]) for name in shipped)

    def test_it_names_the_source_and_its_licence(self, manifest):
        assert manifest["commit"] == "ac92cfc7"
        assert "no licence file" in manifest["note"]

    def test_the_same_set_comes_from_the_whole_results(self, golden, shipped, tmp_path):
        done = subprocess.run([sys.executable, SCRIPT, golden, tmp_path], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        again = storage.read_arrays(tmp_path / "quip_rounding.npz")
        assert set(again) == set(shipped)
        assert all(np.array_equal(again[name], array) for name, array in shipped.items())


@pytest.mark.parametrize("bits", [2, 3, 4])
class TestRounding:
    def test_nearest(self, shipped, bits):
        w, grid = in_grid_units(shipped, bits)
        assert (grid.quantize(w)[0] == shipped[f"b{bits}_near"]).all()

    @pytest.mark.parametrize("backend", BACKENDS)
    def test_ldlq_backward(self, shipped, bits, backend):
        w, grid = in_grid_units(shipped, bits)
        H = symmetric(shipped["H_upper"])
        assert (ldlq(w, H, round_to=grid, order="backward", backend=backend) == shipped[f"b{bits}_ldl_p0"]).all()

    @pytest.mark.parametrize("backend", BACKENDS)
    @pytest.mark.parametrize("method", [ldlq, optq])
    def test_ldlq_and_optq_forward(self, shipped, bits, method, backend):
        w, grid = in_grid_units(shipped, bits)
        H = symmetric(shipped["H_upper"])
        assert (method(w, H, round_to=grid, backend=backend) == shipped[f"b{bits}_gptqequiv"]).all()

    def test_the_three_results_differ(self, shipped, bits):
        near, backward, forward = (shipped[f"b{bits}_{name}"] for name in ["near", "ldl_p0", "gptqequiv"])
        assert min((near != backward).mean(), (near != forward).mean(), (backward != forward).mean()) > 0.05


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("method", [ldlq, optq])
def test_optq_and_ldlq_on_a_grid_a_row(shipped, method, backend):
    grid = AffineGrid(shipped["optq_scale"], 0.0, 0, 7)
    H = symmetric(shipped["optq_H_upper"])
    found, codes = method(shipped["optq_W"], H, round_to=grid, backend=backend, return_codes=True)
    assert codes.dtype == np.uint8
    assert (codes == shipped["optq_codes"]).all()
    assert (found == grid.decode(codes)).all()
    assert (grid.quantize(shipped["optq_W"])[0] != codes).mean() > 0.05
