"""Every theorem test fails under the bugs named here, and passes without them.

A row is a theorem test and the planted bugs that it must notice; collect.py gathers both. A test that is in no
row could be one that cannot fail, so a new theorem comes with its row.
"""

import pytest
from teeth.collect import BUGS, ROWS, TEETH
from teeth.harness import plant, theorem_tests

TESTS = theorem_tests(examples=200)  # a bug stops them long before
CONTROL = theorem_tests(examples=5)


def test_every_theorem_test_has_a_planted_bug():
    assert set(TESTS) == set(ROWS)
    assert all(ROWS.values())


def test_every_bug_is_planted_somewhere():
    assert set(BUGS) == {bug for bugs in ROWS.values() for bug in bugs}


@pytest.mark.parametrize("cls", TEETH)
def test_without_a_bug_the_theorem_passes(cls):
    for test in TEETH[cls]:
        CONTROL[cls, test]()


@pytest.mark.parametrize(
    ("bug", "cls", "test"),
    [pytest.param(bug, *row, id=f"{bug}-{row[0]}.{row[1]}") for row, bugs in ROWS.items() for bug in bugs],
)
def test_under_a_bug_the_theorem_fails(bug, cls, test, monkeypatch):
    plant(BUGS[bug], monkeypatch)
    with pytest.raises(AssertionError):
        TESTS[cls, test]()
