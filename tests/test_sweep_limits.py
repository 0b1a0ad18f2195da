"""Sweeps of rounders that hang, or end the process that they run in."""

import os
import signal
import subprocess
import sys
import time

import pytest
from voice import says

import quipref as q
from quipref.sweeps import workers

SMALL = {"sizes": [4, 8], "spectra": ["power", "dead"], "seeds": 2, "rows": 2, "jobs": 1}  # eight layers


def hangs_on_eight(W, H):
    while W.shape[1] == 8:
        time.sleep(0.01)
    return W


def ends(W, H):
    os._exit(3)


class TestTimeLimit:
    @pytest.mark.parametrize("jobs", [1, 2])
    def test_a_rounder_that_hangs_does_not_stop_the_sweep(self, jobs):
        found = q.sweep([hangs_on_eight, "ldlq"], time_limit=0.2, **SMALL | {"jobs": jobs})
        assert [(r["n"], r["error"], r["time_limit"]) for r in found[:8]] == 2 * (
            2 * [(4, None, None)] + 2 * [(8, "hung: no result within 0.2 s", 0.2)]
        )
        assert found[8:] == q.sweep("ldlq", **SMALL)

    def test_what_hung_is_asked_again_when_there_is_more_time(self, tmp_path):
        seconds = []

        def rounder(W, H):
            seconds.append(W.shape[1])
            time.sleep(0.3 if W.shape[1] == 8 else 0)
            return W

        for limit, hung, asked in ((0.1, 4, 8), (0.1, 4, 8), (0.05, 4, 8), (None, 0, 12), (0.1, 0, 12)):
            found = q.sweep({"mine": rounder}, folder=tmp_path, time_limit=limit, **SMALL)
            assert sum(record["error"] is not None for record in found) == hung
            assert len(seconds) == asked
            assert found == q.sweep({"mine": rounder}, folder=tmp_path, time_limit=limit, **SMALL)

    def test_a_process_that_ends_is_told(self, tmp_path):
        with says(ChildProcessError, "methods must return or raise, but one ended the process", "--isolate"):
            q.sweep({"mine": ends}, folder=tmp_path, **SMALL | {"jobs": 2})


BUSY = """
import pathlib, sys, time, quipref
def rounder(W, H):
    if W.shape[1] == 8:
        pathlib.Path(sys.argv[1]).touch()
        time.sleep(300)
    return W
quipref.sweep({"mine": rounder}, sizes=[4, 8], spectra=["flat"], seeds=2, jobs=2, time_limit=None)
"""


def test_workers_end_with_a_killed_parent(tmp_path):
    """Busy or idle; they have its standard error, so a reader of that waits for all of them."""
    (tmp_path / "idea.py").write_text(BUSY)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, str(tmp_path / "idea.py"), str(tmp_path / "begun")]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        while process.poll() is None and not (tmp_path / "begun").exists():
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL


class TestWatch:
    """What the workers do, in this process."""

    def test_it_ends_when_the_parent_is_another(self, monkeypatch):
        parents, ended = [5, 5, 1], []
        monkeypatch.setattr(workers, "SECONDS", 0)
        monkeypatch.setattr(os, "getppid", lambda: parents.pop(0))
        monkeypatch.setattr(os, "_exit", ended.append)
        workers._watch(5)
        assert (parents, ended) == ([], [1])

    @pytest.mark.parametrize(("name", "watched"), [("LokyProcess", [os.getppid()]), ("MainProcess", [])])
    def test_in_workers_alone(self, name, watched, monkeypatch):
        seen = []
        monkeypatch.setattr(workers, "_watch", seen.append)
        monkeypatch.setattr(workers, "current_process", type(name, (), {}))
        workers.end_with_parent.__wrapped__()
        for _ in range(100):
            if seen == watched:
                break
            time.sleep(0.01)
        assert seen == watched
