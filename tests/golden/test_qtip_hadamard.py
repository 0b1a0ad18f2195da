"""The Hadamard matrices and transforms of QTIP's program (commit e90c6688), those of QuIP# too: `qtip_hadamard.npz`."""

import numpy as np
import pytest

from quipref import hadamard_plan

BASES = [12, 20, 28, 36, 52, 60, 108, 116, 124, 140, 156, 172]


@pytest.fixture(scope="module")
def stored(golden):
    with np.load(golden / "qtip_hadamard.npz", allow_pickle=False) as archive:
        return dict(archive)


def float32_noise(x):
    """How far H x / sqrt(n) in float32 is off: each entry is a sum of n terms, rounded not more than n + 2 times."""
    n = x.shape[-1]
    return (n + 2) * 2.0**-24 * np.abs(x.astype(np.float64)).sum(axis=-1, keepdims=True) / n**0.5


class TestQtipHadamard:
    @pytest.mark.parametrize("n", BASES)
    def test_base_matrices_cell_by_cell(self, stored, n):
        found = hadamard_plan(n).matrix()
        assert found.dtype == stored[f"had{n}"].dtype
        assert (found == stored[f"had{n}"]).all()

    def test_all_of_them_are_there(self, stored):
        assert sorted(int(name[3:]) for name in stored if name[3:].isdigit() and name.startswith("had")) == BASES

    @pytest.mark.parametrize("j", [1, 3])
    @pytest.mark.parametrize("n", BASES)
    def test_a_multiple_by_a_power_of_two_has_the_base_on_its_slow_axis(self, stored, n, j):
        first, second = hadamard_plan(n << j).factors
        assert (first.matrix() == stored[f"had{n}"]).all()
        assert second.order == 1 << j

    @pytest.mark.parametrize(
        ("x", "method", "result"), [("x", "apply", "hadU"), ("x", "undo", "hadUt"), ("x64", "apply", "hadU64")]
    )
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_transforms(self, stored, x, method, result, dtype):
        """Theirs is rounded to float32, ours too in float32."""
        x = stored[x].astype(dtype)
        found = getattr(hadamard_plan(x.shape[-1]), method)(x)
        assert found.dtype == dtype
        noise = float32_noise(x) * (2 if dtype == np.float32 else 1)
        assert (np.abs(found - stored[result]) <= noise).all()

    def test_apply_and_undo_are_not_the_same(self, stored):
        """The base of order 12 is not symmetric: a transform that was transposed would be seen."""
        assert (np.abs(stored["hadU"] - stored["hadUt"]) > 10 * float32_noise(stored["x"])).any()
