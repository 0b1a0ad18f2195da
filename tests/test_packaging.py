"""The files around the package agree with each other: environment, licences, Makefile, gate."""

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
TARGETS = ["tour", "test", "lab", "bench", "readme", "notebooks", "clean", "help"]


def requirement(text):
    """`name>=bound` as a pair."""
    name, bound = re.fullmatch(r"([A-Za-z0-9._-]+)>=([0-9.]+)", text).groups()
    return name.lower(), bound


def read_environment(text):
    """Channels and dependencies of an environment.yml: two flat lists are all the YAML there is in it."""
    lists, current = {}, None
    for line in text.splitlines():
        line = line.split("#")[0].rstrip()
        if re.fullmatch(r"\w+:", line):
            current = lists.setdefault(line[:-1], [])
        elif line.startswith("  - "):
            current.append(line[4:])
    return lists


def test_conda_environment_has_the_names_and_bounds_of_pyproject():
    environment = read_environment((ROOT / "environment.yml").read_text())
    extras = PROJECT["optional-dependencies"]
    wanted = {*PROJECT["dependencies"], *extras["notebooks"], *extras["test"], "python" + PROJECT["requires-python"]}
    found = [line for line in environment["dependencies"] if line != "pip"]
    assert environment["channels"] == ["conda-forge"]
    assert sorted(map(requirement, found)) == sorted(map(requirement, wanted))


def test_environment_reader_sees_a_bound_that_differs():
    text = (ROOT / "environment.yml").read_text()
    assert read_environment(text.replace("numpy>=2.1", "numpy>=2.0")) != read_environment(text)


def test_extras_are_the_four_that_the_readme_names():
    assert set(PROJECT["optional-dependencies"]) == {"notebooks", "test", "cuda", "data"}


def test_licence_expression_and_licence_files_name_the_same_licences():
    identifiers = set(re.split(r" AND ", PROJECT["license"]))
    files = [path.stem for path in (ROOT / "LICENSES").iterdir()]
    of_file = {stem: [i for i in identifiers if stem == i or stem.startswith(i + "-")] for stem in files}
    assert all(len(found) == 1 for found in of_file.values()), of_file
    assert {found[0] for found in of_file.values()} == identifiers
    assert (ROOT / "LICENSES" / "MIT.txt").read_text() == (ROOT / "LICENSE").read_text()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("LICENSE", "Permission is hereby granted, free of charge"),
        ("LICENSES/PSF-2.0.txt", "PYTHON SOFTWARE FOUNDATION LICENSE VERSION 2"),
        ("LICENSES/BSD-3-Clause-NumPy.txt", "NumPy Developers"),
        ("LICENSES/BSD-3-Clause-SciPy.txt", "SciPy Developers"),
    ],
)
def test_licence_texts_are_whole(name, words):
    text = (ROOT / name).read_text()
    assert words in text
    assert len(text.splitlines()) > 20


def test_citation_names_the_papers_and_this_version():
    text = (ROOT / "CITATION.cff").read_text()
    for paper in ["2307.13304", "2402.04396", "2406.11235", "2210.17323"]:
        assert f"arXiv:{paper}" in text
    assert f"version: {PROJECT['version']}\n" in text
    assert f"## [{PROJECT['version']}]" in (ROOT / "CHANGELOG.md").read_text()


@pytest.mark.parametrize("target", TARGETS)
def test_makefile_has_the_target(target):
    done = subprocess.run(["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


def make_environment_with(tmp_path, interpreters):
    """Run the Makefile's choice of an interpreter where only these fakes (name: works) are on the path."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    for tool in ["mkdir", "touch"]:
        (bin_folder / tool).symlink_to(shutil.which(tool))
    for name, works in interpreters.items():
        script = 'if [ "$1" = -m ]; then echo "$0 $*" >> made; mkdir -p .venv; fi\n' if works else "exit 1\n"
        (bin_folder / name).write_text("#!/bin/sh\n" + script)
        (bin_folder / name).chmod(0o755)
    environment = {"PATH": str(bin_folder), "HOME": str(tmp_path)}
    command = [shutil.which("make"), "SHELL=/bin/sh", ".venv/.stamp-python"]
    return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)


def test_makefile_takes_the_first_interpreter_that_is_new_enough(tmp_path):
    done = make_environment_with(tmp_path, {"python3": False, "python3.13": True, "python3.11": True})
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "made").read_text().endswith("bin/python3.13 -m venv .venv\n")


def test_makefile_says_what_to_do_without_an_interpreter(tmp_path):
    done = make_environment_with(tmp_path, {"python3": False})
    assert done.returncode != 0
    assert "No Python >= 3.11 found" in done.stderr
    assert "PYTHON=" in done.stderr


def test_gate_is_executable_and_calls_make_test():
    gate = ROOT / ".ci" / "run"
    assert os.access(gate, os.X_OK)
    assert subprocess.run(["bash", "-n", gate], capture_output=True).returncode == 0
    assert re.search(r'^run_stage "1 make test" \d+ make test$', gate.read_text(), re.MULTILINE)
