"""A rounder from a file outside of the package that does what it should not: in Python, and at the command line.

What a good one meets, tests/test_readme_bench.py shows.
"""

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

MY_SCRIPT = """
    import json, sys, my_idea
    from quipref.testing import check_rounder

    found = {}
    for name in sys.argv[1:]:  # `hangs` comes first: its time limit cuts nothing of quipref's own in two
        limit, only = (0.05, None) if name == "hangs" else (60.0, ["interface", "algebra", "statistics"])
        report = check_rounder(
            getattr(my_idea, name), only=only, on_fail=None, max_examples=3, seconds=120, time_limit=limit
        )
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
FINE = ("prints", "changes_numpy", "half_precision")


@pytest.fixture
def elsewhere(tmp_path):
    """Runs Python in a folder that has nothing but the stranger's files."""
    for name, text in (("my_idea", MY_IDEA), ("script", MY_SCRIPT)):
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(text))
    path = [entry for entry in sys.path if not entry.endswith("tests")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, path)), "PYTHONDONTWRITEBYTECODE": "1"}

    def run(*arguments):
        command = [sys.executable, *map(str, arguments)]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environment)

    run.folder = tmp_path
    return run


@pytest.mark.jit
def test_in_python_each_gets_its_verdict(elsewhere):
    done = elsewhere("script.py", *VERDICTS, "a_view", *FINE)
    assert done.returncode == 0, done.stderr
    found = json.loads((elsewhere.folder / "found.json").read_text())
    for name, said in VERDICTS.items():
        assert said in found[name]["said"]
        failed, all_of_them = len(found[name]["failed"]), found[name]["all"]
        assert failed == (1 if name == "hangs" else all_of_them) and all_of_them > 10, (
            name
        )  # what hung is not asked again
    assert found["a_view"]["failed"] == ["inputs_unchanged", "result_is_new", "layout"]
    assert {name: found[name]["failed"] for name in FINE} == {name: [] for name in FINE}


def test_at_the_command_line(elsewhere):
    before = set(elsewhere.folder.iterdir())
    done = elsewhere(
        "-m", "quipref", "check", "my_idea:exits", "--only", "interface", "--isolate", "--picture", "x.png"
    )
    assert done.returncode == 1
    assert "it raised SystemExit: good night" in done.stdout and "Traceback" not in done.stderr
    assert "\nno picture: it gave no result" in done.stdout and set(elsewhere.folder.iterdir()) == before
