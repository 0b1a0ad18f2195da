"""The wheel: what it carries, and that it alone is enough to take the tour and to test an idea of one's own."""

import hashlib
import json
import os
import re
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest
from test_readme_bench import parts

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


class Installed:
    """A clean environment with the wheel and what it depends on, and no more."""

    def __init__(self, wheel, folder):
        venv.create(folder / "venv", with_pip=True)
        self.programs = folder / "venv" / ("Scripts" if os.name == "nt" else "bin")
        home = folder / "home"
        home.mkdir()
        ours = {"PYTHONPATH", "VIRTUAL_ENV", "COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG", "NUMBA_CACHE_DIR"}
        clean = {name: value for name, value in os.environ.items() if name not in ours}
        self.environment = {**clean, "HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"}
        self.install(wheel)

    def install(self, what):
        run(self.programs / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", what)

    def run(self, program, *arguments, folder):
        return run(self.programs / program, *arguments, cwd=folder, env=self.environment)


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    return Installed(wheel, tmp_path_factory.mktemp("installed"))


def test_takes_the_tour_from_an_empty_folder(installed, tmp_path):
    done = installed.run("quipref", "tour", "--json", folder=tmp_path)
    rows = json.loads(done.stdout)["rows"]
    assert {"nearest", "ldlq", "optq"} <= {row["method"] for row in rows}


def test_tests_an_idea_that_stands_in_the_readme_alone(installed, tmp_path):
    for part in parts():
        name = re.match(r"# (\S+\.py)\n", part)
        if name:
            (tmp_path / name.group(1)).write_text(part)
    done = installed.run("quipref", "check", "my_idea:my_rounder", "--max-examples", 3, folder=tmp_path)
    assert "\nbounds kept: " in done.stdout
    installed.run("quipref", "bounds", "--sizes", 8, 16, "--seeds", 2, "--folder", "kept", folder=tmp_path)
    written = {"my_idea.py", "test_my_idea.py", "check.png", "bounds.png", "kept"}
    assert {path.name for path in tmp_path.iterdir()} == written

    pytest_is_missing = "-c", "import test_my_idea"
    with pytest.raises(AssertionError, match="ImportError: .* Install it: pip install pytest"):
        installed.run("python", *pytest_is_missing, folder=tmp_path)
    installed.install("pytest")
    done = installed.run("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_my_idea.py", folder=tmp_path)
    assert " passed" in done.stdout
    assert {path.name for path in tmp_path.iterdir()} == written


def test_draws_the_gallery(installed, tmp_path):
    program = (
        "from quipref.figures.gallery import rate_distortion; from quipref.gallery.measure import measure; "
        "rate_distortion(measure(size=(16, 32))).savefig('gallery.png')"
    )
    installed.run("python", "-c", program, folder=tmp_path)
    assert (tmp_path / "gallery.png").read_bytes().startswith(b"\x89PNG")
