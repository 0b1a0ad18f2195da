"""Every compiled kernel agrees with its reference, and no kernel is missing from the list in twins.py."""

import ast
import inspect
from pathlib import Path

import numpy as np
import pytest
from sizes import size
from twins import TWINS
from twins_lattice import plant as plant_e8p
from twins_roots import plant as plant_roots
from twins_viterbi import BestWalks, plant

from quipref import backend

KERNELS = Path(backend.__file__).parent / "kernels"
SHAPES = size(
    [(1, 1), (1, 40), (40, 1), (0, 5), (5, 0), (63, 17), (64, 64), (65, 128), (130, 33)],
    [(1, 1), (1, 6), (6, 1), (0, 3), (3, 0), (3, 7), (65, 2)],
)
IDS = [twin.name for twin in TWINS]


def row_ranges(m, rng):
    """All rows, and some rows in the middle."""
    yield 0, m
    first, last = sorted(rng.integers(0, m + 1, 2))
    yield int(first), int(last)


def agree(twin, shape, dtype, seeds):
    """Compare on some exact cases; raises AssertionError at the first difference."""
    for seed in range(seeds):
        rng = np.random.default_rng([seed, *shape])
        case = twin.exact(*shape, dtype, rng)
        for rows in row_ranges(shape[0], rng):
            twin.assert_equal(case, twin.reference(case, rows), twin.kernel(case, rows))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("twin", TWINS, ids=IDS)
def test_exact_cases_agree_to_the_bit(twin, shape, dtype):
    agree(twin, shape, dtype, seeds=size(8, 4))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("twin", TWINS, ids=IDS)
def test_general_cases_agree_up_to_the_rounding_of_sums(twin, shape):
    for seed in range(size(4, 2)):
        rng = np.random.default_rng([seed, *shape])
        case = twin.general(*shape, rng)
        rows = (0, shape[0])
        twin.assert_close(case, twin.reference(case, rows), twin.kernel(case, rows))


@pytest.mark.parametrize("twin", TWINS, ids=IDS)
@pytest.mark.parametrize("shape", size([(40, 33)], [(12, 9)]))
def test_another_rule_would_be_seen(twin, shape, monkeypatch):
    """Halves downwards, the last among equal steps, or b - a in the reference: the exact cases must tell them apart."""
    module = inspect.getmodule(twin.reference_function())
    if isinstance(twin, BestWalks):
        plant(monkeypatch)
    elif twin.name in ("nearest_points", "point_values"):
        plant_e8p(monkeypatch)
    elif twin.name == "nearest_roots":
        plant_roots(monkeypatch)
    elif twin.name == "best_steps":
        original = module.best_steps

        def last_among_equals(W, candidates, offset, low, high, first_row, last_row, best):
            original(W, candidates[:, ::-1], offset, low, high, first_row, last_row, best)

        monkeypatch.setattr(module, "best_steps", last_among_equals)
    elif twin.name in ("butterfly", "scaled_rows"):

        def differences_turned(x, stride, stop):
            while stride < stop:
                pairs = x.reshape(-1, 2, stride)
                pairs[:, 0], pairs[:, 1] = pairs[:, 0] + pairs[:, 1], pairs[:, 1] - pairs[:, 0]
                stride *= 2

        monkeypatch.setattr(module, "butterfly", differences_turned)
    else:
        from quipref.rounding.grid import AffineGrid

        def halves_down(self, T, rng=None):
            k = np.clip(np.ceil(self._coordinates(T) - T.dtype.type(0.5)), *self.limits)
            return self._encode(k), self._values(k, T.dtype)

        monkeypatch.setattr(AffineGrid, "quantize", halves_down)
    with pytest.raises(AssertionError):
        agree(twin, shape, np.float64, seeds=8)


def jitted_functions(folder):
    """{function: module} of everything decorated with `jit` in the files of a folder, private helpers left out.

    A private helper is reached through the public kernels of its own file, which the list tests.
    """
    found = {}
    for path in sorted(folder.glob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                decorators = [d.func if isinstance(d, ast.Call) else d for d in node.decorator_list]
                if any("jit" in ast.unparse(decorator) for decorator in decorators):
                    found[node.name] = f"quipref.kernels.{path.stem}"
    return found


def test_the_list_the_door_and_the_files_name_the_same_kernels():
    assert jitted_functions(KERNELS) == backend.KERNELS
    assert sorted(twin.name for twin in TWINS) == sorted(backend.KERNELS)


def test_a_forgotten_kernel_is_found(tmp_path):
    (tmp_path / "new.py").write_text("@jit\ndef forgotten(x):\n    return x\n\n@njit()\ndef other(x):\n    return x\n")
    assert jitted_functions(tmp_path) == {"forgotten": "quipref.kernels.new", "other": "quipref.kernels.new"}


@pytest.mark.parametrize("twin", TWINS, ids=IDS)
def test_a_kernel_names_its_reference_and_shares_its_name(twin):
    kernel = twin.kernel_function()
    assert f"Twin of `{twin.reference_name}`" in kernel.__doc__
    assert kernel.__name__ == twin.reference_function().__name__ == twin.name
