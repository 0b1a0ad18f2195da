"""Markdown tables, to the character."""

import pytest

from quipref import tables


def test_columns_line_up():
    table = tables.markdown(("method", "bits", "x"), [("ldlq", "2", "0.125"), ("quip, no clamp", "10", "7")])
    assert table.splitlines() == [
        "| method         | bits |     x |",
        "| -------------- | ---: | ----: |",
        "| ldlq           |    2 | 0.125 |",
        "| quip, no clamp |   10 |     7 |",
    ]


def test_a_column_without_content_is_left_out():
    assert tables.markdown(("a", "b", "c"), [("1", "", "2"), ("3", "", "")]).splitlines() == [
        "| a  |  c |",
        "| -- | -: |",
        "| 1  |  2 |",
        "| 3  |    |",
    ]


def test_a_line_of_another_length_is_refused():
    with pytest.raises(ValueError, match="zip"):
        tables.markdown(("a", "b"), [("1",)])
