"""The wheel: what it carries, and that it alone is enough to take the tour."""

import hashlib
import json
import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MAX_BYTES = 9_000_000

pytestmark = pytest.mark.wheel


def run(*command, **options):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT)
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def content(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_size(wheel):
    assert wheel.stat().st_size <= MAX_BYTES


def test_carries_every_file_of_the_manifest_unchanged(content):
    manifest = json.loads(content["quipref/_data/manifest.json"])
    assert {"lm.safetensors", "evaluation.txt", "calibration.txt"} <= set(manifest["files"])
    for name, entry in manifest["files"].items():
        assert hashlib.sha256(content[f"quipref/_data/{name}"]).hexdigest() == entry["sha256"], name


def test_carries_the_whole_package_the_golden_set_and_the_licences(content):
    def shipped(folder, pattern):
        return [path.relative_to(ROOT).as_posix() for path in (ROOT / folder).rglob(pattern) if path.is_file()]

    modules = shipped("quipref", "*.py")
    golden = [name for name in shipped("data/golden", "*") if not name.endswith(".gitkeep")]
    assert len(modules) > 10
    assert golden
    assert {*modules, "quipref/py.typed", *("quipref/_" + name for name in golden)} <= set(content)
    licences = {Path(name).name for name in content if "/licenses/" in name}
    assert licences == {"LICENSE", *os.listdir(ROOT / "LICENSES")}


def test_carries_nothing_else(content):
    top = {name.split("/")[0] for name in content}
    assert top == {"quipref", next(name for name in top if name.endswith(".dist-info"))}
    data = [name for name in content if name.startswith("quipref/_data/")]
    assert not [name for name in data if name.endswith((".py", ".part", ".pyc")) or "/build/" in name]
    assert not [name for name in content if name.endswith((".nbi", ".nbc", ".pyc"))]  # compiled caches


def test_takes_the_tour_from_an_empty_folder(wheel, tmp_path):
    environment = tmp_path / "venv"
    venv.create(environment, with_pip=True)
    programs = environment / ("Scripts" if os.name == "nt" else "bin")
    run(programs / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wheel)

    home, empty = tmp_path / "home", tmp_path / "empty"
    home.mkdir()
    empty.mkdir()
    ours = {"PYTHONPATH", "VIRTUAL_ENV", "COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG", "NUMBA_CACHE_DIR"}
    clean = {name: value for name, value in os.environ.items() if name not in ours}
    done = run(programs / "quipref", "tour", "--json", cwd=empty, env={**clean, "HOME": str(home)})
    rows = json.loads(done.stdout)["rows"]
    assert {"nearest", "ldlq", "optq"} <= {row["method"] for row in rows}
