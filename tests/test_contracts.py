"""ruff and the import contracts hold, and the contracts catch what they are there for."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "quipref"
KERNEL_MAY_IMPORT = {"numpy", "numba", *(f"quipref.kernels.{name}" for name in ("jit", "vector", "compare"))}
NO_KERNELS = {
    "jit.py",
    "vector.py",
    "compare.py",
}  # what kernels are made with; a change of either is seen in every kernel


def run(*command, cwd=ROOT):
    return subprocess.run([str(part) for part in command], cwd=cwd, capture_output=True, text=True)


def lint_imports(cwd):
    return run(Path(sys.executable).with_name("lint-imports"), "--no-cache", "--no-logo", cwd=cwd)


def imported_names(path):
    """Every module that a file imports, wherever in the file it does so."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def sources(folder):
    return sorted((PACKAGE / folder).rglob("*.py"))


def test_ruff_finds_nothing():
    done = run(sys.executable, "-m", "ruff", "check", "--no-cache", ".")
    assert done.returncode == 0, done.stdout + done.stderr


def test_import_contracts_are_kept():
    done = lint_imports(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("checks", "from quipref import factor", "Layers"),
        ("nowhere", "", "Layers"),  # a module without a room
        ("proxy", "import numba", "numba stays in the kernels"),
        ("factor", "import quipref.kernels.planted", "Kernels are reached by name"),
        ("factor", "import quipref.cuda.device", "Kernels are reached by name"),
        ("factor", "import quipref.device_layer", "Layers"),
        ("proxy", "import matplotlib", "matplotlib stays in figures"),
        ("proxy", "import hypothesis", "hypothesis stays in testing"),
        ("proxy", "import joblib", "joblib stays in sweeps"),
        ("proxy", "import safetensors", "safetensors stays in storage"),
        ("proxy", "import torch", "torch belongs to the training script"),
    ],
)
def test_a_planted_import_breaks_its_contract(tmp_path, module, line, contract):
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(PACKAGE, tmp_path / "quipref", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "quipref" / "kernels" / "planted.py").write_text("import numba\n")
    with open(tmp_path / "quipref" / f"{module}.py", "a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")
    done = lint_imports(tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    broken = " ".join(done.stdout.split())
    assert contract in broken.split("Broken contracts")[1]
    assert "1 broken" in broken


def test_a_kernel_file_imports_numpy_numba_and_what_kernels_are_made_with():
    for path in (path for path in sources("kernels") if path.name not in NO_KERNELS):
        for name in imported_names(path):
            assert any(name == allowed or name.startswith(allowed + ".") for allowed in KERNEL_MAY_IMPORT), (
                f"{path.name} imports {name}"
            )


def test_a_cuda_file_imports_nothing_of_quipref_but_its_neighbours():
    for path in sources("cuda"):
        names = set(imported_names(path))
        assert all(f"{name}.".startswith("quipref.cuda.") for name in names if name.startswith("quipref")), path
        assert path.name.startswith("ptx") or not any(name.startswith("llvmlite") for name in names), path


def test_numba_cuda_stays_in_cuda():
    for path in sources("."):
        if "cuda" not in path.relative_to(PACKAGE).parts:
            assert not any(name.startswith("numba.cuda") for name in imported_names(path)), path


def test_sources_are_ascii():
    folders = ["quipref", "tests", "benchmarks", "docs", "data"]
    for path in (path for folder in folders for path in (ROOT / folder).rglob("*.py")):
        assert path.read_bytes().isascii(), path
