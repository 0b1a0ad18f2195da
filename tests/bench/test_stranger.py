"""A rounder from a file outside of the package: at the command line, in a test file of its own, and in Python."""

import json
import os
import subprocess
import sys
import textwrap

import pytest

MY_IDEA = """
    import sys, time
    import numpy as np

    def nearest(W, H):
        return np.floor(W + 0.5)

    def my_rounder(W, H):
        W_hat = np.empty(W.shape)
        for k in range(W.shape[1]):
            carried = (W[:, :k] - W_hat[:, :k]) @ H[:k, k] / (H[k, k] or 1.0)
            W_hat[:, k] = nearest(W[:, k] + carried, H)
        return W_hat

    def hangs(W, H):
        while True:
            time.sleep(1)

    def raises(W, H):
        raise RuntimeError("out of ideas")

    def not_a_number(W, H):
        return np.where(np.abs(W) > 1, np.nan, nearest(W, H))

    def a_view(W, H):
        W[:] = nearest(W, H)
        return W[:]

    def wrong_shape(W, H):
        return nearest(W, H)[:, :-1]

    def an_object(W, H):
        return nearest(W, H).astype(object)

    def nothing(W, H):
        nearest(W, H)

    def prints(W, H):
        print("rounding")
        sys.stderr.write("still rounding")
        return nearest(W, H)

    def exits(W, H):
        raise SystemExit("good night")

    def changes_numpy(W, H):
        np.seterr(all="raise")
        return nearest(W, H)

    def half_precision(W, H):
        return nearest(W, H).astype(np.float16)
"""

MY_TEST = """
    from my_idea import my_rounder
    from quipref.testing import parametrize_with_checks

    @parametrize_with_checks([my_rounder], max_examples=3)
    def test_rounder(rounder, check):
        check(rounder)
"""

MY_SCRIPT = """
    import json, sys, my_idea
    from quipref.testing import check_rounder

    found = {}
    for name in sys.argv[1:]:
        report = check_rounder(getattr(my_idea, name), on_fail=None, max_examples=3, seconds=120, time_limit=0.05)
        first = [outcome.message for outcome in report.outcomes if outcome.status == "failed"]
        found[name] = {"failed": report.failed, "all": len(report.outcomes), "said": (first or [""])[0]}
    json.dump(found, open("found.json", "w"))
"""

VERDICTS = {
    "hangs": "it did not return within",
    "raises": "it raised RuntimeError: out of ideas",
    "not_a_number": "W_hat must be finite, but",
    "wrong_shape": "W_hat must be a real float array of W's shape",
    "an_object": "W_hat must be a real float array of W's shape",
    "nothing": "but it returned a NoneType",
    "exits": "it raised SystemExit: good night",
}
FINE = ("my_rounder", "prints", "changes_numpy", "half_precision")


@pytest.fixture
def elsewhere(tmp_path):
    """Runs Python in a folder that has nothing but the stranger's files."""
    for name, text in (("my_idea", MY_IDEA), ("test_my_idea", MY_TEST), ("script", MY_SCRIPT)):
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(text))
    path = [entry for entry in sys.path if not entry.endswith("tests")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, path)), "PYTHONDONTWRITEBYTECODE": "1"}

    def run(*arguments):
        command = [sys.executable, *map(str, arguments)]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environment)

    run.folder = tmp_path
    return run


def test_in_python_each_gets_its_verdict(elsewhere):
    done = elsewhere("script.py", *VERDICTS, "a_view", *FINE)
    assert done.returncode == 0, done.stderr
    found = json.loads((elsewhere.folder / "found.json").read_text())
    for name, said in VERDICTS.items():
        assert said in found[name]["said"]
        assert len(found[name]["failed"]) == found[name]["all"] > 10, name
    assert found["a_view"]["failed"] == ["inputs_unchanged", "result_is_new", "layout"]
    assert {name: found[name]["failed"] for name in FINE} == {name: [] for name in FINE}


def test_in_a_test_file(elsewhere):
    done = elsewhere("-m", "pytest", "-q", "-p", "no:cacheprovider", "test_my_idea.py")
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout and "failed" not in done.stdout and "error" not in done.stdout


def test_at_the_command_line(elsewhere):
    before = set(elsewhere.folder.iterdir())
    done = elsewhere("-m", "quipref", "check", "my_idea:my_rounder", "--max-examples", 3, "--picture", "my_idea.png")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("my_idea:my_rounder: 0 of ")
    assert "worst_case" in done.stdout.split("broken: ")[1].splitlines()[0]
    assert {path.name for path in set(elsewhere.folder.iterdir()) - before} == {"my_idea.png"}
    done = elsewhere("-m", "quipref", "check", "my_idea:exits", "--only", "interface", "--isolate")
    assert done.returncode == 1
    assert "it raised SystemExit: good night" in done.stdout and "Traceback" not in done.stderr
