"""parametrize_with_checks in a test file of a user's own, run by pytest in a fresh process."""

import os
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest

import quipref
from quipref.testing import RounderCheckError, Tags, parametrize_with_checks

USERS = """
    import numpy as np
    from quipref.testing import parametrize_with_checks

    def nearest(W, H):
        return np.floor(W + 0.5)

    def upwards(W, H):
        return np.ceil(W)

    def expected(rounder):
        return {"one_block": "rounds up", "singular": "refuses none"} if rounder is upwards else {}

    @parametrize_with_checks([nearest, upwards], expected_failures=expected, max_examples=3)
    def test_rounder(rounder, check):
        check(rounder)
"""


def test_a_users_own_tests(tmp_path):
    (tmp_path / "test_mine.py").write_text(textwrap.dedent(USERS))
    env = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    chosen = "one_block or singular or rows_alone or diagonal"
    command = [sys.executable, "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider", "-k", chosen, "test_mine.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=env)
    ended = {}
    for line in done.stdout.splitlines():
        word, _, rest = line.partition(" ")
        if word in ("PASSED", "FAILED", "XFAIL"):
            ended[rest.partition("[")[2].partition("]")[0]] = word
    assert {name: word for name, word in ended.items() if "upwards" in name} == {
        "upwards-singular": "FAILED",  # [XPASS(strict)]
        "upwards-one_block": "XFAIL",
        "upwards-diagonal_is_nearest": "FAILED",
        "upwards-rows_alone": "PASSED",
    }
    assert {word for name, word in ended.items() if "nearest-" in name and "upwards" not in name} == {"PASSED"}
    assert "XPASS(strict)" in done.stdout
    assert "RounderCheckError" in done.stdout
    assert "rounder.py" not in done.stdout  # no frames of the bench between the test and the report


def nearest(W, H):
    return np.floor(W + 0.5)


def cases(rounder, **options):
    def test(rounder, check):
        check(rounder)

    (mark,) = parametrize_with_checks([rounder], **options)(test).pytestmark
    return {case.id.rpartition("-")[2]: case.values for case in mark.args[1]}


def test_only_what_applies_is_collected():
    assert {"rows_alone", "values_on_grid", "scale_of_hessian"} <= set(cases(nearest))
    assert "rows_alone" not in cases(nearest, tags=Tags(row_separable=False))
    assert "generator" not in cases(nearest)
    assert "values_on_grid" not in cases(nearest, tags=Tags(grid="fitted"))
    assert "quipref:ldlq-rows_alone" in {case.id for case in parametrize_with_checks(["quipref:ldlq"]).args[1]}


def test_a_check_that_says_nothing_skips():
    rounder, check = cases(nearest)["rows_alone"]
    assert repr(check) == "OneCheck('rows_alone')"
    assert check(rounder).passed == ["rows_alone"]
    rounder, check = cases(nearest, seconds=1e-9)["rows_alone"]
    with pytest.raises(pytest.skip.Exception, match="no time was left"):
        check(rounder)


def test_a_rounder_that_hangs_fails_in_one_test():
    def hangs(W, H):
        time.sleep(60)

    found = cases(hangs, time_limit=0.02)
    rounder, check = found.pop("shape_and_dtype")
    with pytest.raises(RounderCheckError, match="did not return within 0.08 s"):
        check(rounder)
    for rounder, check in found.values():
        with pytest.raises(pytest.skip.Exception, match="not asked again: it hung in shape_and_dtype"):
            check(rounder)


def test_a_refusal_and_what_was_not_told_apart_skip():
    def refuses(W, H):
        return quipref.ldlq(W[:, ::-1], np.linalg.inv(np.linalg.inv(H[::-1, ::-1])))[:, ::-1]

    found = cases(refuses, max_examples=10)
    for name, said in (("singular", "refused: it raised LinAlgError"), ("average_against_ldlq", "not told apart: ")):
        rounder, check = found[name]
        with pytest.raises(pytest.skip.Exception, match=said):
            check(rounder)


def test_unknown_names_are_refused_while_collecting():
    with pytest.raises(ValueError, match="expected_failures must name checks, but 'nothing'"):
        parametrize_with_checks([nearest], expected_failures={"nothing": "?"})


def test_without_pytest_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pytest", None)
    with pytest.raises(ImportError, match="needs pytest, but .* Install it: pip install pytest"):
        parametrize_with_checks([nearest])
