"""Reports of check_rounder: a table, a page, a record."""

import json
from dataclasses import replace

import numpy as np
import pytest

from quipref.testing import Tags, check_rounder, running
from quipref.testing.checks import registry


def nearest(W, H):
    return np.floor(W + 0.5)


def upwards(W, H):
    return np.ceil(W)


def raises(W, H):
    raise ZeroDivisionError("nothing\nmore")


def test_a_report_is_a_table_a_page_and_a_record():
    report = check_rounder(upwards, only=["algebra"], on_fail=None, max_examples=5, progress=True)
    text, page, record = str(report), report._repr_html_(), report.to_dict()
    assert repr(report) == text
    assert "\none_block  " in text
    assert "import numpy as np" in text
    assert "With one block of columns there is nobody to feed an error to" in text
    assert page.count("<tr>") == 1 + len(report.outcomes)
    assert json.loads(json.dumps(record)) == record
    assert record["failed"] == report.failed
    assert record["tags"]["promises"] == []
    assert report.example("rows_alone") is None
    assert [bound.status for bound in report.bounds] == []
    with pytest.raises(ValueError, match="name must be that of a check"):
        report.example("nothing")


def test_a_page_escapes_what_strangers_say():
    def angry(W, H):
        raise ValueError("<script>" + "!" * 200)

    report = check_rounder(angry, only=["shape_and_dtype"], on_fail=None)
    assert "<script>" not in report._repr_html_()
    assert "..." in str(report).splitlines()[4]


def test_where_there_is_no_answer_one_example_is_enough():
    """And no bound is called broken that was never tried."""
    report = check_rounder(lambda W, H: np.rint(W).astype(int), on_fail=None, max_examples=3)
    assert len(report.failed) == len(report.outcomes) > 15
    assert not any(outcome.answered for outcome in report.outcomes)
    text = str(report)
    assert "it returned int64; add .astype(float)\n" in text  # in the table, not cut off
    assert text.count("import numpy as np") == report._repr_html_().count("import numpy as np") == 1
    likewise = text.rpartition("likewise: ")[2].split(", ")
    assert len(likewise) == len(report.failed) - 1 and set(likewise) < set(report.failed)
    assert report.bounds_line().startswith("bounds kept: none; not tried: worst_case, ")
    assert "broken" not in text


def test_failures_of_different_kinds_are_all_shown():
    def fails(W, H):
        if len(W) == 5:
            raise RuntimeError("five rows")
        return np.ceil(W)

    report = check_rounder(fails, only=["shape_and_dtype", "one_block"], on_fail=None)
    assert str(report).count("import numpy as np") == 2 and "likewise" not in str(report)


def test_bounds_are_told_apart_from_checks():
    check = registry.checks_of(("algebra",))[0]
    passed = running.outcome_of(check, nearest, Tags(), registry.Budget(3))
    kept, broken = replace(passed, name="kept"), replace(passed, name="broken", status="failed")
    report = replace(check_rounder(nearest, only=["singular"]), bounds=(kept, broken))
    assert report.failed == []
    assert report.bounds_kept == ["kept"]
    assert "bounds kept: kept; broken: broken" in str(report)
