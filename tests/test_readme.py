"""The README's table is the tour's: every column but the seconds is measured again and compared."""

import math
import re
from pathlib import Path

import pytest

from quipref import hadamard_plan, tour

ROOT = Path(__file__).parents[1]
# Sums in another BLAS end in other last bits, and a target within rounding noise of a tie then goes to
# the other level: of 3.4 million weights a few. The printed third decimal may move with them, not more.
LAST_DIGITS = 2e-3


def table():
    """The table's lines as lists of cells, headings first."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    between = re.search(r"<!-- tour: written by make readme -->(.*)<!-- end of tour -->", text, re.DOTALL).group(1)
    lines = [line.strip("|").split("|") for line in between.splitlines() if line.startswith("|")]
    headings, _, *rows = [[cell.strip() for cell in line] for line in lines]
    return headings, rows


@pytest.mark.jit
def test_the_table_is_what_the_tour_measures():
    headings, shown = table()
    assert tuple(headings) == tour.HEADINGS
    measured = [tour.cells(row) for row in tour.run()]
    assert len(shown) == len(measured)
    for a, b in zip(shown, measured, strict=True):
        for heading, left, right in zip(headings, a, b, strict=True):
            if heading == "seconds":
                continue
            if re.fullmatch(r"\d+\.\d+", right):
                assert math.isclose(float(left), float(right), rel_tol=0, abs_tol=LAST_DIGITS), (
                    b[0],
                    heading,
                    left,
                    right,
                )
            else:
                assert left == right, (b[0], heading)


@pytest.mark.jit
def test_the_python_in_it_runs(capsys):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    section = text.split("## In Python")[1].split("\n## ")[0]
    lines = [line.removeprefix("    ") for line in section.splitlines() if line.startswith("    ") or not line]
    names = {}
    exec(compile("\n".join(lines), "README.md", "exec"), names)  # noqa: S102
    assert (names["q"].unpack(names["words"], names["trellis"], 256) == names["states"]).all()
    assert "11008" in capsys.readouterr().out


def test_every_link_leads_somewhere():
    for page in ("README.md", "data/README.md", "CONTRIBUTING.md"):
        for target in re.findall(r"\]\(([^)#]+)\)", (ROOT / page).read_text(encoding="utf-8")):
            if not target.startswith("http"):
                assert ((ROOT / page).parent / target).exists(), (page, target)


def test_every_command_is_named():
    from quipref import cli

    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (commands,) = [action.choices for action in cli.parser()._actions if action.choices]
    for command in commands:
        assert f"quipref {command}" in text


def test_the_sizes_without_a_hadamard_matrix_are_listed():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    section = re.search(r"## Sizes with a Hadamard matrix(.*?)## ", text, re.DOTALL).group(1)
    before, listed = re.split(r"<!-- sizes.*?-->", section)
    missing = [n for n in range(4, 2001, 4) if not hadamard_plan(n).exact]
    assert [int(n) for n in re.findall(r"\d+", listed.split("<!--")[0])] == missing
    assert f"exact for {500 - len(missing)}" in " ".join(before.split())
    widths = re.search(r"common models \((.*?)\)", before, re.DOTALL).group(1)
    assert all(hadamard_plan(int(n)).exact for n in widths.split(","))
    assert not hadamard_plan(13696).exact
