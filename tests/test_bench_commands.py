"""`quipref check` and `quipref bounds`, called as a user calls them, with a rounder that is no part of quipref."""

import json
import os
import subprocess
import sys
import time

import numpy as np
import pytest

import quipref as q
from quipref import cli
from quipref.figures import sweeps as figure
from quipref.sweeps import trials
from quipref.testing import random_losses

IDEA = """
import os, sys, time
import numpy as np
import quipref

print("imported")

def nearest(W, H):
    print("called")
    return np.floor(W + 0.5)

def ceiling(W, H):
    return np.ceil(W)

def slow(W, H):
    time.sleep(60)

def swallow(W, H):
    while True:
        try:
            time.sleep(60)
        except BaseException:
            pass

def nan(W, H):
    return np.nan * W

def ending(W, H):
    if W.shape[1] > 4:
        os._exit(3)
    return W.round()

number = 3
"""


@pytest.fixture
def idea(tmp_path, monkeypatch):
    """The current folder holds my_idea.py; it is forgotten afterwards."""
    (tmp_path / "my_idea.py").write_text(IDEA)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setattr(random_losses, "SIZES", [4, 16])
    monkeypatch.setattr(random_losses, "SEEDS", 1)
    monkeypatch.setattr(random_losses, "PATIENCE", 1)
    yield tmp_path
    sys.modules.pop("my_idea", None)


@pytest.fixture
def drawn(monkeypatch):
    """The records that pictures are made of; a picture takes a second."""
    drawn = []

    def save(records, *row_and_path):
        drawn.extend(records)
        row_and_path[-1].write_bytes(b"")

    monkeypatch.setattr(figure, "save", save)
    monkeypatch.setattr(figure, "save_losses", save)
    return drawn


def call(capsys, *arguments):
    status = cli.main([str(a) for a in arguments])
    out, err = capsys.readouterr()
    return status, out, err


def files(folder):
    return sorted(path.name for path in folder.iterdir())


class TestCheck:
    def test_a_good_rounder(self, idea, capsys):
        status, out, err = call(capsys, "check", "my_idea:nearest", "--only", "algebra", "theory", "--max-examples", 3)
        assert status == 0
        assert out.startswith("my_idea:nearest: 0 of ")
        assert "\ndiagonal_is_nearest " in out
        assert "bounds kept: " in out
        assert out.endswith(f"\n\npicture: {idea / 'check.png'}\n")
        assert "called" not in out and "imported" not in out  # what a stranger prints is no result
        assert (idea / "check.png").read_bytes().startswith(b"\x89PNG")
        assert "checks: " in err and "picture: " in err

    def test_a_bad_one_and_the_layer_that_shows_it(self, idea, drawn, capsys):
        status, out, _ = call(capsys, "check", "my_idea:ceiling", "--only", "diagonal_is_nearest", "--picture", "p.png")
        assert status == 1
        assert out.startswith("my_idea:ceiling: 1 of 1 checks failed")
        code = out.partition("import numpy as np\n")[2].partition("\n\npicture")[0]
        names = {}
        exec("import numpy as np\n" + code, names)  # noqa: S102
        W, H = names["W"], names["H"]
        assert (q.ldlq(W, H) != np.ceil(W)).any()
        assert files(idea) == ["my_idea.py", "p.png"]
        assert {record["method"] for record in drawn} == {"nearest", "ldlq", "my_idea:ceiling"}

    def test_json(self, idea, drawn, capsys):
        arguments = "check", "my_idea:ceiling", "--json", "--only", "diagonal_is_nearest", "deterministic"
        status, out, _ = call(capsys, *arguments, "--seed", 3, "--max-examples", 2, "--seconds", 9)
        content = json.loads(out)
        assert status == 1
        assert (content["rounder"], content["failed"]) == ("my_idea:ceiling", ["diagonal_is_nearest"])
        assert content["picture"] == str(idea / "check.png")

    def test_no_picture_of_one_that_never_answers(self, idea, capsys):
        arguments = "check", "my_idea:nan", "--only", "rows_alone"
        status, out, _ = call(capsys, *arguments)
        assert status == 1
        assert out.endswith("; on the first it returned an array with NaN or infinite entries\n")
        assert "\n\nno picture: it gave no result on 5 layers" in out
        status, out, _ = call(capsys, *arguments, "--json")
        assert json.loads(out)["picture"] is None
        assert files(idea) == ["my_idea.py"]

    @pytest.mark.parametrize(("name", "how"), [("slow", []), ("swallow", ["--isolate"])])
    def test_one_that_hangs_is_asked_once(self, idea, drawn, capsys, name, how):
        start = time.monotonic()
        status, out, _ = call(capsys, "check", f"my_idea:{name}", "--time-limit", 0.1, *how)
        assert status == 1 and time.monotonic() - start < 30
        assert out.startswith(f"my_idea:{name}: 1 of 21 checks failed; it hung, so 20 were not tried\n")
        assert " passed " not in out
        assert out.endswith("\n\nno picture: it hung\n") and not drawn

    @pytest.mark.parametrize("how", [[], ["--isolate"]])
    def test_promises_and_expected_failures(self, idea, drawn, capsys, how):
        arguments = "check", "my_idea:ceiling", "--only", "worst_case", "trace", "--max-examples", 1, *how
        status, out, _ = call(capsys, *arguments)
        assert status == 0
        assert "\nthe layer that breaks worst_case: report.example('worst_case'), or --promise worst_case\n" in out
        status, out, _ = call(capsys, *arguments, "--promise", "worst_case", "--promise", "trace")
        assert status == 1 and "\nworst_case: the loss is " in out and "the layer that breaks" not in out
        arguments += "--promise", "worst_case", "--expected-failure", "worst_case=rounds up"
        status, out, _ = call(capsys, *arguments)
        assert status == 0 and "rounds up: the loss is " in out

    def test_in_an_interpreter_of_its_own(self, idea, drawn, capsys):
        status, out, _ = call(
            capsys, "check", "my_idea:ending", "--only", "finite_on_drawn_layers", "--isolate", "--seconds", 4
        )
        assert status == 1
        assert "its interpreter ended with exit status 3" in out
        found = {(record["n"], record["error"]) for record in drawn if record["method"] == "my_idea:ending"}
        assert found == {(4, ""), (16, "failed")}

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["my_idea"], "rounder must read MODULE:FUNCTION, but 'my_idea' came"),
            (["your_idea:nearest"], "rounder must name a function that can be imported, but for 'your_idea:nearest'"),
            (["my_idea:number"], "rounder must name a function, but 'my_idea:number' is int"),
            (["my_idea:nearest", "--only", "beauty"], "only must name checks, but 'beauty' came"),
            (["my_idea:nearest", "--promise", "beauty"], "promises must be one of 'worst_case'"),
            (["my_idea:nearest", "--max-examples", "0"], "max_examples must be at least 1"),
            (["my_idea:nearest", "--picture", "p.svg"], "--picture must end in .png"),
        ],
    )
    def test_refusals_are_one_line(self, idea, capsys, arguments, message):
        status, out, err = call(capsys, "check", *arguments)
        assert (status, out) == (1, "")
        assert message in err
        assert files(idea) == ["my_idea.py"]

    def test_an_expected_failure_has_a_reason(self, idea, capsys):
        with pytest.raises(SystemExit):
            call(capsys, "check", "my_idea:nearest", "--expected-failure", "trace")
        assert "must read NAME=REASON, but 'trace' came" in capsys.readouterr().err


SMALL = ["--sizes", 4, 16, "--seeds", 2, "--rows", 2, "--spectra", "power", "low_rank", "--jobs", 1]


class TestBounds:
    def test_the_table_and_the_picture(self, idea, capsys):
        status, out, err = call(capsys, "bounds", *SMALL)
        assert status == 0
        lines = [line.split("|")[1:-1] for line in out.splitlines() if line.startswith("| ")][2:]
        assert [line[0].strip() for line in lines] == ["nearest", "ldlq", "root_trace", "incoherent_trace"]
        assert {line[2].strip() for line in lines} == {"8"}
        assert out.endswith(f"\n\npicture: {idea / 'bounds.png'}\n")
        assert (idea / "bounds.png").read_bytes().startswith(b"\x89PNG")
        assert "32 of 32" in err

    def test_a_broken_bound_and_the_layer_that_breaks_it(self, idea, drawn, capsys):
        status, out, _ = call(capsys, "bounds", "--methods", "my_idea:ceiling", "ldlq", *SMALL)
        ceiling, ldlq = (line for line in out.splitlines() if "worst_case" in line)
        assert status == 1
        assert " broken " in ceiling and " kept here " in ldlq
        assert "\n\nkept here: on these layers, drawn at random; worse ones are searched for by quipref check\n" in out
        worst = max((r for r in drawn if r["method"] == "my_idea:ceiling"), key=lambda r: r["ratio"])
        assert f"random:2x{worst['n']},spectrum={worst['spectrum']},basis=haar,seed={worst['seed']} |" in ceiling
        assert f" {worst['ratio']:.3f} " in ceiling

    def test_json_and_a_folder(self, idea, drawn, capsys, monkeypatch):
        arguments = ["bounds", "--methods", "ldlq", "--json", *SMALL, "--folder", "results", "--bases", "identity"]
        status, out, _ = call(capsys, *arguments)
        content = json.loads(out)
        assert status == 0
        assert content == {"records": drawn, "picture": str(idea / "bounds.png")}
        assert sorted(content["records"], key=str) == sorted(q.load_sweep("results"), key=str)
        assert files(idea) == ["bounds.png", "my_idea.py", "results"]
        monkeypatch.setattr(trials, "answer", lambda *a: pytest.fail("nothing is measured twice"))
        assert call(capsys, *arguments)[1] == out

    def test_what_has_no_bound_says_so(self, idea, drawn, capsys):
        status, out, _ = call(capsys, "bounds", "--methods", "ldlq", "quip#", "--bits", 2, *SMALL)
        lines = [
            [cell.strip() for cell in line.split("|")[1:-1]]
            for line in out.splitlines()
            if "2 bits " in line and "|" in line
        ]
        assert status == 0
        assert lines == [["ldlq, 2 bits", "8", "", "no bound"], ["quip#, 2 bits", "8", "4", "no bound"]]  # 4 columns

    def test_nothing_to_draw_is_said(self, idea, capsys):
        arguments = ["bounds", "--methods", "ldlq", "--bits", 2, *SMALL]
        status, out, _ = call(capsys, *arguments)
        assert status == 0
        assert "\n\nno bound: the theorems are of grids without end" in out
        assert out.endswith("\nno picture: there is no bound to draw losses against\n")
        status, out, _ = call(capsys, *arguments, "--json")
        assert (status, json.loads(out)["picture"]) == (0, None)
        assert files(idea) == ["my_idea.py"]

    def test_what_fails_everywhere_is_told_and_the_others_are_measured(self, idea, drawn, capsys):
        methods = ["my_idea:slow", "my_idea:nan", "ldlq"]
        status, out, _ = call(capsys, "bounds", "--methods", *methods, "--time-limit", 0.1, *SMALL)
        verdicts = {line.split("|")[1].strip(): line.split("|")[7].strip() for line in out.splitlines() if "|" in line}
        assert status == 1
        assert [verdicts[name] for name in methods] == ["no result", "no result", "kept here"]
        first = "no result on 8 of 8 layers, first random:2x4,spectrum=power,basis=haar,seed=0"
        assert f"\n\nmy_idea:slow: {first}\n  hung: no result within 0.1 s\n" in out
        assert f"\n\nmy_idea:nan: {first}\n  ValueError: W_hat must be finite" in out

    def test_a_refusal_of_singular_layers_breaks_nothing(self, idea, drawn, capsys):
        status, out, _ = call(capsys, "bounds", "--methods", "optq", *SMALL)
        assert status == 0
        assert "\noptq: no result on 4 of 8 layers, first random:2x4,spectrum=low_rank" in out
        assert " kept here " in out

    def test_what_a_module_prints_is_no_result(self, idea):
        """Nor in the processes that import it to do the work."""
        command = [sys.executable, "-m", "quipref", "bounds", "--json", "--methods", "my_idea:nearest", *SMALL[:-1], 2]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        done = subprocess.run([str(a) for a in command], env=environment, capture_output=True, text=True)
        assert len(json.loads(done.stdout)["records"]) == 8
        assert "imported" in done.stderr and "called" in done.stderr

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["--methods", "ldql"], "methods must be one of 'nearest'"),
            (["--spectra", "pink"], "spectra must be one of"),
            (["--folder", "none/results"], "folder must be in an existing folder"),
            (["--jobs", "0"], "--jobs must be at least 1"),
            (["--picture", "p.svg"], "--picture must end in .png"),
        ],
    )
    def test_refusals_are_one_line(self, idea, capsys, arguments, message):
        status, out, err = call(capsys, "bounds", *arguments)
        assert (status, out) == (1, "")
        assert message in err
        assert files(idea) == ["my_idea.py"]
