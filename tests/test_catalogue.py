"""Every statement of the catalogue has its theorem class, or stands in the list of what no test could refute."""

import re
from pathlib import Path

from theorems.not_tested import NOT_TESTED

QUIP = ["Q1", "Q2a", "Q2b", "Q2c", *(f"Q{i}" for i in range(3, 14)), "Q3Prime", "Q3DoublePrime", "Q10Prime"]
QTIP = ["T1", "T2", "T3", "T4", "T6"]
LATTICES = [*(f"S{i}" for i in range(1, 10)), *(f"E{i}" for i in range(1, 8))]
CATALOGUE = {*QUIP, *QTIP, *LATTICES, "Y1", "B1", "T5", "C1", "C2", "C3"}


def with_a_class():
    """The tags that classes of tests/theorems carry: Q2a of TestQ2aWorstCaseNearest."""
    files = Path(__file__).with_name("theorems").glob("test_*.py")
    pattern = r"^class Test([A-Z]\d+(?:Prime|DoublePrime|[a-z])?)(?=[A-Z])"
    return {tag for path in files for tag in re.findall(pattern, path.read_text(encoding="utf-8"), flags=re.MULTILINE)}


def without_a_class():
    """The tags of statements that have no class at all."""
    return {statement for statement in NOT_TESTED if "," not in statement}


def test_every_statement_has_a_class_or_a_reason():
    assert CATALOGUE - with_a_class() - without_a_class() == set()


def test_what_has_a_class_is_not_listed_as_untested():
    assert with_a_class() & without_a_class() == set()
    assert {statement.split(",")[0] for statement in NOT_TESTED if "," in statement} <= with_a_class()


def test_each_reason_is_a_sentence():
    assert all(reason.endswith(".") and len(reason) > 40 for reason in NOT_TESTED.values())


def test_tags_are_read_from_class_names():
    assert {"Q1", "Q2b", "Q3Prime", "Q3DoublePrime", "Q10", "Q10Prime", "B1"} <= with_a_class()
