"""The README's page for inventors, followed as it stands: its files are written out, its words are held to a run."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
LAST_DIGITS = 0.3  # per cent: in another BLAS a target next to a tie may go to the other side, on 100 layers a few


def section():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return text.split("## Test your own rounding idea\n")[1].split("\n## ")[0]


def blocks():
    """The indented blocks, without their indent."""
    found = re.findall(r"(?:^    .*\n|^\n(?=    ))+", section(), re.MULTILINE)
    return [re.sub(r"^    ", "", block, flags=re.MULTILINE).strip() for block in found]


def parts():
    """The blocks, cut where another file begins."""
    return [
        part for block in blocks() for part in re.split(r"^(?=# \w+\.py$|# a notebook$)", block, flags=re.MULTILINE)
    ]


def bounds_of(text):
    """({kept, broken or not tried: names}, the sizes in brackets) of the line about bounds in a text."""
    (line,) = re.findall(r"^ *(bounds kept: .*)$", text, re.MULTILINE)
    sizes = re.findall(r" \((\S+) times\)", line)
    return re.sub(r" \(\S+ times\)", "", line), [float(size) for size in sizes]


def compared(text):
    """{check: (verdict, per cent, error bar)} of the comparisons with other methods that a text shows."""
    lines = re.findall(r"^ *(average_against_\w+) .* ((?:better|worse) than .*): (\S+)% \+- (\S+)%", text, re.MULTILINE)
    return {check: (verdict, float(mean), float(bar)) for check, verdict, mean, bar in lines}


@pytest.fixture(scope="module")
def followed(tmp_path_factory):
    """A folder with the files that the page has the reader write, and a way to run commands there."""
    folder = tmp_path_factory.mktemp("reader")
    for part in parts():
        name = re.match(r"# (\S+\.py)\n", part)
        if name:
            (folder / name.group(1)).write_text(part)
    path = os.pathsep.join(entry for entry in sys.path if entry and not entry.endswith("tests"))

    def run(*arguments):
        env = os.environ | {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.run([sys.executable, *arguments], cwd=folder, capture_output=True, text=True, env=env)

    run.folder = folder
    return run


@pytest.mark.jit
def test_its_rounder_passes_and_its_bounds_are_those_printed(followed):
    before = set(followed.folder.iterdir())
    done = followed("-m", "quipref", "check", "my_idea:my_rounder", "--seconds", "120")
    assert done.returncode == 0, done.stderr
    assert {path.name for path in set(followed.folder.iterdir()) - before} == {"check.png"}
    (said, sizes), (printed, found) = bounds_of(section()), bounds_of(done.stdout)
    assert printed == said and len(sizes) == 4
    assert np.allclose(found, sizes, rtol=0.02, atol=0), (found, sizes)
    shown, found = compared(section()), compared(done.stdout)
    assert len(shown) == 2
    for check, (verdict, *percent) in shown.items():
        assert found[check][0] == verdict
        assert np.allclose(percent, found[check][1:], rtol=0, atol=LAST_DIGITS), (check, percent, found[check])


@pytest.mark.jit
def test_its_test_file_passes(followed):
    done = followed("-m", "pytest", "-q", "-p", "no:cacheprovider", "test_my_idea.py")
    assert done.returncode == 0, done.stdout


@pytest.mark.jit
def test_its_python_runs(followed):
    (program,) = [block for block in blocks() if block.startswith("from quipref.testing import check_rounder, tags")]
    (notebook,) = [part for part in parts() if part.startswith("# a notebook")]
    done = followed("-c", f"{notebook}\nassert report.failed == []\n{program}\nassert report.failed == ['worst_case']")
    assert done.returncode == 0, done.stderr
    assert "m/4 tr D is" in done.stdout and "W = np.array(" in done.stdout


def test_its_table_names_every_result():
    from typing import get_args

    from quipref.testing.report import Status

    named = set(re.findall(r"^\| ([a-z ]+) \|", section(), re.MULTILINE)) - {"result"}
    told = {status.replace("_", " ") for status in get_args(Status)}
    assert named == told - {"expected failure", "unexpected pass"}


def test_there_are_as_many_planted_bugs_as_it_says():
    table = (ROOT / "tests/bench/README.md").read_text(encoding="utf-8")
    (said,) = re.findall(r"has more than (\d+)\s+rounders\s+with\s+one\s+bug\s+each", section())
    assert len(re.findall("^. `", table, re.MULTILINE)) > int(said)
