"""Sweeps: every combination once, kept as it comes, resumed after a kill, on whatever joblib is told to use."""

import json
import os
import signal
import subprocess
import sys
import time

import joblib
import numpy as np
import pytest
from voice import says

import quipref as q
from quipref.sweeps import records, run, trials

SMALL = {"sizes": [4, 8], "spectra": ["power", "dead"], "seeds": 2, "rows": 2, "jobs": 1}  # eight layers


def contents(folder):
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}


class TestRecords:
    def test_every_combination_in_order(self):
        found = q.sweep(["ldlq", "nearest"], bases=["haar", "identity"], **SMALL)
        assert [(r["method"], r["spectrum"], r["basis"], r["n"], r["seed"]) for r in found] == [
            (method, spectrum, basis, n, seed)
            for method in ("ldlq", "nearest")
            for spectrum in ("power", "dead")
            for basis in ("haar", "identity")
            for n in (4, 8)
            for seed in (0, 1)
        ]
        assert all(r["m"] == 2 and r["bits"] is None and r["quipref"] == q.__version__ for r in found)
        assert json.loads(json.dumps(found, allow_nan=False)) == found

    def test_each_is_the_answer_to_its_question(self):
        for record in q.sweep([("ldlq", {"clamp": False}), "optq"], bits=[2, 3], **SMALL):
            answer = trials.answer(record)
            assert record == record | answer

    def test_one_thing_may_stand_for_a_list_of_it(self):
        alone = q.sweep(("ldlq", {"clamp": False}), sizes=4, spectra="power", bases="haar", seeds=1, bits=2, jobs=1)
        several = q.sweep(
            [("ldlq", {"clamp": False})], sizes=[4], spectra=["power"], bases=["haar"], seeds=[0], bits=[2], jobs=1
        )
        assert len(alone) == 1
        assert alone == several

    def test_a_repeated_question_is_asked_once(self):
        assert (
            len(q.sweep(["quip#", "quip_sharp", "quip#"], sizes=8, spectra="flat", seeds=[3, 3], bits=2, jobs=1)) == 1
        )

    def test_names_may_be_given(self):
        found = q.sweep({"mine": lambda W, H: W, "theirs": "ldlq"}, sizes=4, spectra="flat", seeds=1, jobs=1)
        assert [r["method"] for r in found] == ["mine", "ldlq"]
        assert found[0]["measured"] == 0


LISTS = "methods", "sizes", "spectra", "bases", "seeds", "bits"
REFUSED = [
    ({"methods": "ldql"}, ValueError, ["methods must be one of", "'ldql' came"]),
    ({"methods": 3}, ValueError, ["methods must be one of", "3 came"]),
    ({"methods": "quip"}, ValueError, ["'quip' came with bits=None", "On all integers there are"]),
    ({"methods": ("ldlq", {"order": "backward"})}, ValueError, ["'ldlq' came with bits=None", "without options"]),
    ({"methods": "root_trace", "bits": [2]}, ValueError, ["'root_trace' came with bits=2", "With bits there are"]),
    ({"methods": q.ldlq, "bits": 2}, ValueError, ["bits=2", "A rounder has its own grid", "leave bits out"]),
    ({"sizes": [0]}, ValueError, ["sizes must be at least 1"]),
    *[({name: []}, ValueError, [f"{name} must hold at least one, but none came"]) for name in LISTS],
    ({"jobs": 0}, ValueError, ["jobs must be at least 1, or -1 for all cores, but 0 came"]),
    ({"jobs": "all"}, TypeError, ["jobs must be an integer"]),
    ({"sizes": 12, "bases": "hadamard"}, ValueError, ["sizes must be powers of two", "Use 'haar'"]),
    ({"spectra": "pink"}, ValueError, ["spectra must be one of"]),
    ({"bases": ["pink"]}, ValueError, ["bases must be one of"]),
    ({"seeds": 0}, ValueError, ["seeds must be at least 1"]),
    ({"seeds": [-1]}, ValueError, ["seeds must be at least 0"]),
    ({"bits": 9, "methods": "quip"}, ValueError, ["bits must be from 1 to 8"]),
    ({"rows": 0}, ValueError, ["rows must be at least 1"]),
    ({"time_limit": 0}, ValueError, ["time_limit must be above zero", "None is no limit"]),
    ({"time_limit": "long"}, TypeError, ["time_limit must be a real number"]),
]


@pytest.mark.parametrize(("changes", "error", "words"), REFUSED)
def test_refused_before_any_work(changes, error, words, tmp_path, monkeypatch):
    monkeypatch.setattr(trials, "answer", lambda *a: pytest.fail("the work was begun"))
    with says(error, *words):
        q.sweep(**{"methods": "ldlq", **SMALL, "folder": tmp_path / "results"} | changes)
    assert list(tmp_path.iterdir()) == []


class TestFolder:
    def test_results_are_written_as_they_come(self, tmp_path):
        seen = []

        def rounder(W, H):
            seen.append(len(records.files(tmp_path)))
            return W

        q.sweep({"mine": rounder}, folder=tmp_path, **SMALL)
        assert seen == list(range(8))

    def test_a_second_sweep_measures_what_is_new(self, tmp_path, monkeypatch):
        first = q.sweep("ldlq", folder=tmp_path / "results", **SMALL)
        before = contents(tmp_path / "results")
        asked = []
        answer = trials.answer
        monkeypatch.setattr(trials, "answer", lambda *a: asked.append(a[0]["seed"]) or answer(*a))
        assert q.sweep("ldlq", folder=tmp_path / "results", **SMALL) == first
        assert asked == []
        more = q.sweep("ldlq", folder=tmp_path / "results", **SMALL | {"seeds": 3})
        assert asked == [2, 2, 2, 2]
        assert [record for record in more if record["seed"] < 2] == first
        after = contents(tmp_path / "results")
        assert {name: after[name] for name in before} == before

    def test_only_the_folder_is_written_to(self, tmp_path):
        """With the current folder, the home and the folder for scratch files all watched."""
        (tmp_path / "watched").mkdir()
        (tmp_path / "watched" / "mine.txt").write_text("mine")
        program = (
            "import sys, quipref; quipref.sweep('nearest', sizes=[4, 8], spectra='flat', seeds=2, folder=sys.argv[1], "
        )
        program += "jobs=2, progress=True)"
        watched = dict.fromkeys(("HOME", "TMPDIR", "JOBLIB_TEMP_FOLDER"), str(tmp_path / "watched"))
        environment = os.environ | watched | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        environment["PYTHONDONTWRITEBYTECODE"] = "1"
        command = [sys.executable, "-c", program, str(tmp_path / "results")]
        subprocess.run(command, cwd=tmp_path / "watched", env=environment, check=True, capture_output=True)
        left = {str(path.relative_to(tmp_path / "watched")) for path in (tmp_path / "watched").rglob("*")}
        assert left == {"mine.txt"}
        assert len(records.files(tmp_path / "results")) == len(list((tmp_path / "results").iterdir())) == 4

    @pytest.mark.parametrize("damage", [b"", b"{}", b"\xff\xfe", b'{"question": {"method": "mine"}}'])
    def test_a_corrupt_file_is_reported_and_measured_again(self, tmp_path, damage):
        found = q.sweep("ldlq", folder=tmp_path, **SMALL)
        (tmp_path / "notes.txt").write_text("mine")
        whole = contents(tmp_path)
        victim = records.files(tmp_path)[3]
        victim.write_bytes(damage)
        damaged = f"{victim.name} must be a whole record, but .{{5,50}}\\. It is measured again\\.$"
        with pytest.warns(UserWarning, match=damaged) as said:
            assert q.sweep("ldlq", folder=tmp_path, **SMALL) == found
        assert (len(said), said[0].filename) == (1, __file__)
        after = contents(tmp_path)
        assert after.pop(victim.name)[0] == whole.pop(victim.name)[0]
        assert after == whole

    def test_an_interruption_leaves_whole_results(self, tmp_path):
        calls = []

        def rounder(W, H):
            calls.append(1)
            if len(calls) == 4:
                raise KeyboardInterrupt
            return W

        with pytest.raises(KeyboardInterrupt):
            q.sweep({"mine": rounder}, folder=tmp_path, **SMALL)
        assert len(q.load_sweep(tmp_path)) == len(list(tmp_path.iterdir())) == 3


SLOW = """
import sys, time, quipref
def rounder(W, H):
    with open(sys.argv[2], "a") as log:
        log.write(f"{W.sum()!r}\\n")
    time.sleep(0.05)
    return W.round()
quipref.sweep(rounder, sizes=[4, 8], spectra=["flat"], seeds=10, jobs=1, folder=sys.argv[1])
"""


def test_a_killed_sweep_resumes_and_repeats_nothing(tmp_path):
    (tmp_path / "idea.py").write_text(SLOW)
    folder, log = tmp_path / "results", tmp_path / "log"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, str(tmp_path / "idea.py"), str(folder), str(log)]
    with subprocess.Popen(command, env=environment) as process:
        while process.poll() is None and (not folder.exists() or len(records.files(folder)) < 5):
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    finished = contents(folder)
    first = log.read_text().splitlines()
    assert process.returncode == -signal.SIGKILL
    assert 5 <= len(finished) <= len(first) < 20
    subprocess.run(command, env=environment, check=True)
    every = log.read_text().splitlines()
    assert len(set(every)) == len(records.files(folder)) == len(q.load_sweep(folder)) == 20
    assert len(every) <= 21  # what was being measured when it was killed, and nothing else, is measured twice
    assert {name: found for name, found in contents(folder).items() if name in finished} == finished


class TestTextOfARounder:
    """A callable is known by what its author wrote."""

    def module(self, tmp_path, text):
        path = tmp_path / "idea.py"
        path.write_text(text)
        names = {"__name__": "idea"}
        exec(compile(text, str(path), "exec"), names)
        import linecache

        linecache.checkcache(str(path))
        return names["rounder"]

    def test_a_new_text_is_a_new_question(self, tmp_path):
        results = tmp_path / "results"
        one = q.sweep(self.module(tmp_path, "def rounder(W, H):\n    return W\n"), folder=results, **SMALL)
        two = q.sweep(self.module(tmp_path, "def rounder(W, H):\n    return W + 1\n"), folder=results, **SMALL)
        assert [r["measured"] for r in one] == [0] * 8
        assert min(r["measured"] for r in two) > 0
        assert {r["method"] for r in one + two} == {"idea:rounder"}
        assert len(q.load_sweep(results)) == 16

    def test_what_has_no_text_needs_a_name(self, tmp_path):
        scale = 2.0

        def closure(W, H):
            return scale * W

        for unknown in (closure, np.minimum, type("Idea", (), {"__call__": lambda self, W, H: W})()):
            with says(ValueError, "methods must be callables with a text", "came", "Name it"):
                q.sweep(unknown, folder=tmp_path, **SMALL)
            assert len(q.sweep({"mine": unknown}, folder=tmp_path / "named", **SMALL)) == 8
            assert len(q.sweep(unknown, **SMALL)) == 8  # without a folder there is nothing to mistake


class TestLoad:
    def test_records_come_back_sorted(self, tmp_path):
        written = q.sweep(["nearest", "ldlq"], sizes=[4, 16], spectra="flat", seeds=12, folder=tmp_path, jobs=1)
        loaded = q.load_sweep(tmp_path)
        assert loaded == sorted(written, key=lambda r: (r["method"], r["n"], r["seed"]))

    def test_a_damaged_file_is_reported_and_left_out(self, tmp_path):
        q.sweep("ldlq", folder=tmp_path, **SMALL)
        victim = records.files(tmp_path)[0]
        victim.write_text("{")
        with pytest.warns(UserWarning, match=f"{victim.name} must be a whole record.* It is left out"):
            assert len(q.load_sweep(tmp_path)) == 7
        assert victim.read_text() == "{"


def test_the_bar_tells_the_time_to_go(capsys, tmp_path):
    q.sweep("ldlq", folder=tmp_path, **SMALL)
    assert capsys.readouterr().err == ""
    q.sweep(["ldlq", lambda W, H: time.sleep(0.15) or W], folder=tmp_path, progress=True, **SMALL)
    shown = capsys.readouterr().err.split("\r")
    assert shown[1].startswith("sweep: 8 of 16 |")  # what is known from before is not measured again
    assert shown[-1].startswith("sweep: 16 of 16 |")
    assert any("00:01 to go" in line for line in shown)


class TestJobs:
    """Whatever joblib is told to use, the records are the same."""

    def usual(self):
        return q.sweep(["ldlq", "nearest"], **SMALL)

    def again(self, **options):
        return q.sweep(["ldlq", "nearest"], **SMALL | {"jobs": None} | options)

    def test_processes(self):
        assert self.again(jobs=2) == self.usual()

    def test_threads(self):
        with joblib.parallel_config(backend="threading"):
            assert self.again() == self.usual()

    def test_without_a_word_all_cores_are_used(self, monkeypatch):
        used = []
        monkeypatch.setattr(joblib, "Parallel", lambda n_jobs, **_: used.append(n_jobs) or (lambda tasks: []))
        monkeypatch.setattr(run.threads, "cores", lambda: 7)
        for settings in ({}, {"n_jobs": 3}, {"backend": "threading"}):
            with joblib.parallel_config(**settings), pytest.raises(KeyError):  # nobody has answered
                self.again()
        assert used == [7, None, 7]

    def test_a_backend_that_hands_over_lists_is_asked_in_short_ones(self, tmp_path):
        """As Ray's is."""
        seen = []

        def rounder(W, H):
            seen.append(len(records.files(tmp_path)))
            return W

        with joblib.parallel_config(backend="multiprocessing", n_jobs=1):
            q.sweep({"mine": rounder}, folder=tmp_path, **SMALL | {"jobs": None})
        assert seen == [0, 0, 0, 0, 4, 4, 4, 4]
