"""The pictures of losses on random layers show them beside one bound, and name what they cannot show."""

import numpy as np
import pytest
from pictures_sweeps import SPECTRA, losses_against_n, ratio_against_n, record, shares

from quipref.figures import sweeps
from quipref.sweeps import trials


def curves(panel):
    """{label: ordinates} of the lines that join several sizes."""
    joined = [line for line in panel.lines if len(line.get_xdata()) > 2 and line.get_marker() != "x"]
    return {line.get_label(): line.get_ydata() for line in joined}


def test_a_row_has_one_bound_alone():
    rows = {}
    for panel in ratio_against_n().axes:
        rows.setdefault(panel.get_subplotspec().rowspan.start, []).append(panel)
    shown = {panels[0].get_ylabel(): {name.split(" (")[0] for name in curves(panels[0])} for panels in rows.values()}
    assert shown == {
        sweeps.ROWS["worst_case"].share: {"ldlq", "my_idea:ldlq"},
        sweeps.ROWS["plain_worst_case"].share: {"nearest"},
        sweeps.ROWS["root_trace"].share: {"root_trace"},
        sweeps.ON_OWN_GRID.share: {"ldlq, 2 bits"},
    }
    assert [len(panels) for panels in rows.values()] == 4 * [len(SPECTRA)]  # none is empty


def test_every_bound_of_a_sweep_has_a_row():
    assert set(sweeps.ROWS) == {*trials.LEMMAS, *trials.LIMITS, *(f"stochastic_{name}" for name in trials.LIMITS)}


def test_what_gave_no_result_is_in_the_legend():
    names = [text.get_text() for text in ratio_against_n().legends[0].get_texts()]
    assert "my_idea:ldlq (no result: 4 of 40)" in names and "ldlq" in names


def test_a_method_without_a_bound_is_told_in_the_legend_too():
    found = [record("ldlq", "power", 8, 0.3), record("ldlq", "power", 16, None, None)]
    names = [text.get_text() for text in sweeps.ratio_against_n(found).legends[0].get_texts()]
    assert "ldlq (no bound: 1 of 2)" in names


def test_nothing_to_draw_is_refused():
    with pytest.raises(ValueError, match="records must have a ratio"):
        sweeps.ratio_against_n([record("qtip", "power", 8, None, None, bits=2)])


def test_below_a_panel_stands_what_has_no_place_in_it():
    notes = {panel.get_title(loc="left"): panel.get_xlabel() for panel in losses_against_n().axes}
    assert notes == {
        "power": "$n$", "flat": "$n$\nloss 0: 8 of 8", "low rank": "$n$\nrefused: 8 of 8", "dead": "$n$",
    }  # fmt: skip


def test_the_curves_are_medians_and_the_title_has_what_was_asked():
    figure = losses_against_n()
    power, _, low_rank, _ = figure.axes
    assert {name: set(line) for name, line in curves(power).items()} == {
        "nearest": {2.0}, "ldlq, random": {0.3}, "my_idea:mine": {0.4},
    }  # fmt: skip
    assert len(curves(low_rank)) == 2
    assert figure._suptitle.get_text().startswith("my_idea:mine on random layers, $m$ = 8, 2 of each size")
    assert "a layer above the bound" in [text.get_text() for text in figure.legends[0].get_texts()]


def test_ticks_fit_the_range_of_the_losses():
    for factor, expected in ((1.0, {"0.5", "1", "2"}), (1e-3, {"$\\mathdefault{10^{-3}}$"})):
        records = [r | {"ratio": r["ratio"] * factor} if r["method"] == "ldlq" else r for r in shares((), ())]
        figure = sweeps.losses_against_n(records, sweeps.Row("loss"))
        figure.draw_without_rendering()
        assert expected <= {tick.get_text() for tick in figure.axes[0].get_yticklabels()}
        assert np.isfinite(figure.axes[0].get_ylim()).all()
