"""Every rounder with a planted bug is caught, by the checks that the table in README.md names."""

from pathlib import Path

import pytest
from bench import feedback_bugs, other_bugs

import quipref
from quipref.testing import check_rounder

BUGS = {
    name: thing for module in (feedback_bugs, other_bugs) for name, thing in vars(module).items()
    if hasattr(thing, "quipref_tags") and thing.__module__ == module.__name__
}  # fmt: skip


def rows():
    """{rounder: (what is wrong, checks that catch it)} of the table."""
    lines = Path(__file__).with_name("README.md").read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| `")]
    return {name.strip("`"): (wrong, checks.split(", ")) for name, wrong, checks in cells}


TABLE = rows()


def test_the_table_has_every_bug_and_says_what_it_is():
    assert {name: " ".join(bug.__doc__.split()) for name, bug in BUGS.items()} == {
        name: wrong for name, (wrong, _) in TABLE.items()
    }
    assert len(TABLE) >= 14


@pytest.mark.jit
@pytest.mark.parametrize("name", TABLE)
def test_a_bug_is_caught_by_the_checks_of_its_row(name):
    caught = TABLE[name][1]
    report = check_rounder(BUGS[name], only=caught, on_fail=None, seconds=120)
    assert set(report.failed) == set(caught) and caught


def test_without_tags_a_weak_feedback_is_no_failure_but_its_bound_is_told():
    def untagged(W, H):
        return feedback_bugs.weakens_the_feedback(W, H)

    report = check_rounder(untagged, only=["worst_case", "one_block"], on_fail=None, seconds=120)
    assert report.failed == [] and report.passed == ["one_block"]
    assert "broken: worst_case" in str(report)


def test_an_example_that_nobody_would_read_is_named_instead():
    report = check_rounder(feedback_bugs.drops_a_far_boundary, only=["worst_case"], on_fail=None, seconds=120)
    assert report.outcomes[0].code == "# arrays of the shapes (1, 264) and (264, 264): report.example(name)"
    W, H = report.example("worst_case")
    bound = len(W) / 4 * quipref.ldl(H)[1].sum()
    assert quipref.proxy_loss(W, feedback_bugs.drops_a_far_boundary(W, H), H) > 1.2 * bound
