"""The stored notebooks keep the house rules; that their outputs are still true is what `make notebooks` finds out."""

import ast
import base64
import copy
import json
import re
import struct
from pathlib import Path

import nbformat
import pytest

import quipref
from quipref.figures import style

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
MARK = "# NBVAL_CHECK_OUTPUT"
MAX_BYTES, MAX_CODE_LINES, MAX_PROSE = 400_000, 24, 1500
HEADINGS = (
    "**What you will do.**",
    "**What you will learn.**",
    "**What you need.**",
    "## The statement",
    "## On your own",
)
PATH = re.compile(r"(?<![\w.:/])/(?:[\w.@+-]+/)+[\w.@+-]*|\b[A-Za-z]:\\")
TIMING = re.compile(r"\d\s?(?:ns|us|ms|s|sec|seconds|min|minutes)\b|%%?time|perf_counter|Wall time")
ROOMS = ("cuda", "figures", "formats", "gallery", "lattice", "testing", "testing.errata", "trellis")
STANDARD = ("contextlib", "itertools", "pathlib", "tempfile", "warnings")
MODULES = ("numpy", "numba", "os.environ", *STANDARD, "quipref", *(f"quipref.{room}" for room in ROOMS))
CLAIM = re.compile(r"^\*\*Claim (\d+)\.\*\*", re.MULTILINE)


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def source(cell):
    return "".join(cell["source"])


def said(cell):
    """The text that a code cell printed or returned."""
    outputs = cell["outputs"]
    streams = ["".join(o["text"]) for o in outputs if o["output_type"] == "stream"]
    results = ["".join(o["data"].get("text/plain", "")) for o in outputs if "data" in o]
    return "\n".join([*streams, *results])


def images(notebook):
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                yield output["data"]["image/png"], output["metadata"].get("image/png", {})


def faults(notebook):
    """Every house rule that a notebook breaks, as sentences."""
    return [*execution_faults(notebook), *content_faults(notebook), *claim_faults(notebook), *picture_faults(notebook)]


def execution_faults(notebook):
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    if [cell["execution_count"] for cell in code] != list(range(1, len(code) + 1)):
        yield "it was not executed from top to bottom"
    for cell in code:
        if any(output["output_type"] == "error" for output in cell["outputs"]):
            yield f"a stored error: {source(cell)[:60]}"
        if any(output.get("name") == "stderr" for output in cell["outputs"]):
            yield f"a stored warning: {source(cell)[:60]}"
        if PATH.search(said(cell)):
            yield f"a path in an output: {said(cell)[:60]}"
        if TIMING.search(said(cell)) or TIMING.search(source(cell)):
            yield f"a time: {source(cell)[:60]}"
    if notebook["metadata"]["kernelspec"]["name"] != "python3":
        yield "its kernel is not python3"


def content_faults(notebook):
    prose = "\n\n".join(source(cell) for cell in notebook["cells"] if cell["cell_type"] == "markdown")
    yield from (f"no {heading}" for heading in HEADINGS if heading not in prose)
    if not re.match(r"# \d+\. ", prose):
        yield "no numbered title"
    own, _, solutions = prose.partition("## On your own")[2].partition("### Solution 1")
    exercises = len(re.findall(r"^\d+\. ", own, re.MULTILINE))
    if not exercises or len(re.findall(r"^### Solution", "### Solution 1" + solutions, re.MULTILINE)) != exercises:
        yield "exercises and solutions do not match"
    quoted = "\n".join(line[1:].strip() for line in prose.splitlines() if line.startswith(">"))
    if len(re.findall(r"[.!?](?:\s|$)", quoted)) > 1:
        yield "more than one cited sentence"
    if "arXiv:" not in prose:
        yield "no paper is named"
    for cell in notebook["cells"]:
        limit = MAX_CODE_LINES if cell["cell_type"] == "code" else MAX_PROSE
        if (source(cell).count("\n") + 1 if cell["cell_type"] == "code" else len(source(cell))) > limit:
            yield f"a long cell: {source(cell)[:60]}"
        if cell["cell_type"] == "code":
            yield from import_faults(source(cell))


def import_faults(code):
    """Only numpy, a little of the standard library, the public names of quipref, its pictures and what tests share.

    For kernels also numba, and the environment, which must say that there is no GPU before numba is imported.
    """
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            modules = [f"os.{alias.name}" for alias in node.names] if node.module == "os" else [node.module]
        else:
            modules = []
        yield from (f"an import: {m}" for m in modules if m not in MODULES)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "q":
            yield from [] if node.attr in quipref.__all__ else [f"q.{node.attr} is not public"]


def claim_faults(notebook):
    numbers = []
    for i, cell in enumerate(notebook["cells"]):
        if cell["cell_type"] == "markdown":
            found = CLAIM.findall(source(cell))
            numbers += map(int, found)
            if found:
                after = notebook["cells"][i + 1] if i + 1 < len(notebook["cells"]) else {"cell_type": "nothing"}
                yield from (f"claim {found[0]} {fault}" for fault in proof_faults(len(found), after))
        elif MARK in source(cell) and not source(cell).startswith(MARK + "\n"):
            yield f"a mark that is not the first line: {source(cell)[:60]}"
    if numbers != list(range(1, len(numbers) + 1)) or not numbers:
        yield "claims are not numbered 1, 2, ..."


def proof_faults(claims, cell):
    if claims > 1:
        yield "shares its cell with another"
    if cell["cell_type"] != "code":
        yield "is not followed by code"
        return
    if not any(isinstance(node, ast.Assert) for node in ast.walk(ast.parse(source(cell)))):
        yield "has no assert"
    if not source(cell).startswith(MARK + "\n"):
        yield "is not marked, so its output is never compared"
    if not any(output["output_type"] == "stream" for output in cell["outputs"]):
        yield "prints nothing"


def picture_faults(notebook):
    found = list(images(notebook))
    if len(found) < 2:
        yield "no pictures"
    for data, metadata in found:
        width, height = struct.unpack(">II", base64.b64decode(data)[16:24])
        if not 300 <= width <= style.WIDTH * style.DPI + 1 or not 200 <= height <= 700:
            yield f"a picture of {width} x {height} pixels"
        if len(metadata.get("alt", "")) < 20:
            yield "a picture without a description"


def test_there_are_notebooks():
    assert [path.stem.split("_")[0] for path in NOTEBOOKS] == [f"{i:02}" for i in range(1, len(NOTEBOOKS) + 1)]
    assert len(NOTEBOOKS) >= 3


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_keeps_the_rules(path):
    assert faults(read(path)) == []
    assert path.stat().st_size < MAX_BYTES
    assert path.read_bytes().isascii()
    nbformat.validate(nbformat.read(path, as_version=4))


def claim_cell(notebook):
    """The position of the code cell after the first claim."""
    return 1 + next(i for i, c in enumerate(notebook["cells"]) if CLAIM.search(source(c)))


def replace(old, new):
    def plant(cell):
        cell["source"] = source(cell).replace(old, new)

    return plant


def prints(text):
    def plant(cell):
        cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": text}]

    return plant


@pytest.mark.parametrize(
    ("plant", "fault"),
    [
        (lambda cell: cell.update(execution_count=None), "not executed"),
        (lambda cell: cell["outputs"].append({"output_type": "error", "ename": "", "evalue": ""}), "stored error"),
        (lambda cell: cell["outputs"].append({"output_type": "stream", "name": "stderr", "text": ""}), "warning"),
        (prints("read " + "/".join(["", "home", "me", "x.npz"])), "a path"),
        (prints("took 3.2 s"), "a time"),
        (replace(MARK, ""), "is not marked"),
        (replace("assert ", "_ = "), "has no assert"),
        (lambda cell: cell.update(outputs=[]), "prints nothing"),
        (replace("print(", "import os\nprint("), "an import: os"),
        (replace("print(", "from os import system\nprint("), "an import: os.system"),
        (replace("print(", "q.secret\nprint("), "q.secret is not public"),
        (replace("print(", "x = 1\n" * MAX_CODE_LINES + "print("), "a long cell"),
    ],
)
def test_a_planted_fault_in_a_claim_is_found(plant, fault):
    notebook = copy.deepcopy(read(NOTEBOOKS[0]))
    plant(notebook["cells"][claim_cell(notebook)])
    assert any(fault in found for found in faults(notebook)), faults(notebook)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("# 1. The", "The", "no numbered title"),
        ("**What you need.**", "", "no **What you need.**"),
        ("**Claim 2.**", "**Claim 7.**", "not numbered"),
        ("### Solution 2", "", "do not match"),
        ("## The statement", "## The statement\n> One. Two.", "more than one cited sentence"),
        ("arXiv:", "", "no paper"),
        ("alt", "other", "without a description"),
        ("image/png", "image/other", "no pictures"),
    ],
)
def test_a_planted_fault_in_the_notebook_is_found(old, new, fault):
    notebook = json.loads(json.dumps(read(NOTEBOOKS[0])).replace(old, new.replace("\n", "\\n")))
    assert any(fault in found for found in faults(notebook)), faults(notebook)
