"""The tour: its rows on a tiny model, its table, its picture."""

import inspect
from dataclasses import replace

import numpy as np
import pytest

import quipref as q
from quipref import data, lm, tour
from quipref.figures import tour as figure
from quipref.methods import registry


@pytest.fixture
def rows(world):
    return tour.run()


def test_one_row_for_each_method_and_bits(rows):
    assert rows[0].method == "original"
    expected = [(tour.label(*row), bits) for bits in (4, 3, 2) for row in registry.tour_rows([(8, 12)])]
    assert [(row.label, row.bits) for row in rows[1:]] == expected


def test_a_method_of_tiles_has_a_row_where_every_layer_consists_of_them(monkeypatch):
    monkeypatch.setitem(registry.METHODS, "qtip", ("qtip", [{"state_bits": 4}]))
    tiled, other = q.random_layer(16, 32, seed=0), q.random_layer(16, 24, seed=0)
    rows = tour.compare({"a": tiled.W}, {"a": tiled.H}, bits=[2])
    assert [row.label for row in rows] == [tour.label(*row) for row in registry.tour_rows()]
    assert (rows[-1].label, rows[-1].loss_to_bound) == ("qtip, state_bits=4", None)
    assert 0 < rows[-1].loss_to_nearest < 1
    rows = tour.compare({"a": tiled.W, "b": other.W}, {"a": tiled.H, "b": other.H}, bits=[2])
    assert [row.label for row in rows] == [tour.label(*row) for row in registry.tour_rows() if row[0] != "qtip"]


def test_figures_of_a_row_are_what_they_say(rows):
    """Everything in one row, measured again from the public pieces."""
    model = lm.load_lm()
    hessians = lm.calibrated_hessians(model, tour.QUICK_CALIBRATION)
    layers = {name: q.quantize(model.linear(name), H, method="ldlq", bits=3) for name, H in hessians.items()}
    nearest = {name: q.quantize(model.linear(name), H, method="nearest", bits=3) for name, H in hessians.items()}

    def loss(layer, name):
        return q.proxy_loss(model.linear(name), layer.dequantize(), hessians[name])

    row = next(row for row in rows if (row.label, row.bits) == ("ldlq", 3))
    ratios = [loss(layers[name], name) / loss(nearest[name], name) for name in layers]
    assert row.loss_to_nearest == pytest.approx(np.mean(ratios), rel=1e-12)
    weights = sum(model.linear(name).size for name in layers)
    assert row.bits_per_weight == sum(layer.bits_per_weight * layer.codes.size for layer in layers.values()) / weights
    quantized = model.with_linears({name: layer.dequantize() for name, layer in layers.items()})
    assert row.bits_per_byte == pytest.approx(quantized.bits_per_byte(data.read("evaluation.txt")), rel=1e-12)
    assert row.perplexity == 2**row.bits_per_byte
    assert row.seconds > 0


def test_a_ratio_to_a_bound_only_where_a_theorem_holds(rows):
    for row in rows[1:]:
        assert (row.loss_to_bound is not None) == row.label.endswith("no clamp")
        assert row.loss_to_bound is None or 0 < row.loss_to_bound <= 1


def test_nearest_is_the_unit(rows):
    assert [row.loss_to_nearest for row in rows if row.label == "nearest"] == [1.0, 1.0, 1.0]


def test_progress_grows_to_the_whole(world):
    told = []
    tour.run(step=lambda message, done, total: told.append((message, done, total)))
    shares = [done / total for _, done, total in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert any("ldlq at 2 bits" in message for message, _, _ in told)


def test_full_reads_everything(world, monkeypatch):
    """More text than the quick run takes: only --full reads it all."""
    monkeypatch.setattr(tour, "QUICK_EVALUATION", 40)
    monkeypatch.setattr(tour, "QUICK_CALIBRATION", 100)
    monkeypatch.setattr(tour, "BITS", (2,))
    quick, full = tour.run()[0], tour.run(full=True)[0]
    text = data.read("evaluation.txt")
    assert quick.bits_per_byte == lm.load_lm().bits_per_byte(text[:40])
    assert full.bits_per_byte == lm.load_lm().bits_per_byte(text)


def test_table_is_markdown_with_footnotes(rows):
    lines = tour.table(rows).splitlines()
    grid = [line for line in lines if line.startswith("|")]
    assert len(grid) == len(rows) + 2
    assert len({len(line) for line in grid}) == 1
    assert len({line.count("|") for line in grid}) == 1
    assert any(line.startswith("* `-` as loss / bound: no theorem holds") for line in lines)
    assert sum(line.startswith("* quip:") for line in lines) == 1


def test_a_layer_of_whole_tiles_leaves_nothing_out():
    assert tour.left_out([(16, 16), (32, 48)], tour.BITS) == []
    assert tour.left_out([(16, 16), (32, 20), (8, 12)], [2, 2, 3]) == [
        "quip# is left out: it rounds 8 columns together, and 20 is no multiple of 8.",
        "qtip is left out: its tiles are 16 x 16, and 32 x 20 is no whole number of them.",
    ]


def test_a_method_has_its_footnote_where_it_has_a_row(rows, monkeypatch):
    """What the note says of the number of states is what the rows and `quantize` have."""
    assert "* qtip" not in tour.table(rows)
    (options,) = registry.METHODS["qtip"][1]
    default = inspect.signature(registry.module("qtip").quantize).parameters["state_bits"].default
    row = replace(rows[-1], method="qtip", label=tour.label("qtip", options))
    *_, first, second = tour.table([row, row]).splitlines()
    assert first.startswith("* qtip: a walk through a trellis")
    assert second == f"  rows have 2^{options['state_bits']} of them, where `quantize` takes 2^{default} by default."
    assert "* quip" not in tour.table([row])


def test_methods_that_change_places_are_named(rows):
    """Each method counts with its first row at 2 bits."""
    losses = [
        ("nearest", 1.0),
        ("optq", 0.5),
        ("ldlq", 0.5),
        ("quip", 0.6),
        ("quip", 0.1),
        ("quip#", 0.4),
        ("qtip", 0.4),
    ]
    made = [replace(rows[-1], method=name, loss_to_nearest=loss, bits=bits) for bits in (3, 2) for name, loss in losses]
    first, second, *why = tour.order_note(made)
    assert second.endswith(
        "change places: quip (0.600) with optq (0.500), ldlq (0.500); qtip (0.400) with quip# (0.400)."
    )
    assert why == list(tour.WHY["quip"])
    assert tour.table(made).endswith("\n".join([first, second, *why]))
    assert tour.order_note(made[:7]) == tour.order_note([made[i] for i in (7, 8, 9, 12)]) == []


def test_a_column_without_content_is_left_out(world):
    W, H = q.random_layer(3, 4, seed=0)
    table = tour.table(tour.compare({"a": W}, {"a": H}, bits=[2]))
    assert "perplexity" not in table
    assert "loss / nearest" in table


def test_a_layer_without_loss_counts_as_one():
    assert tour.mean([0.0, 1.0], [0.0, 2.0]) == 0.75
    assert tour.mean([1.0], [0.0]) == np.inf


def test_picture(rows, tmp_path):
    axes = figure.rate_and_quality(rows).axes[0]
    assert "bits a weight" in axes.get_xlabel()
    assert "bits a byte" in axes.get_ylabel()
    names = [text.get_text() for text in axes.get_legend().get_texts()]
    assert names[:-1] == [tour.label(*row) for row in registry.tour_rows([(8, 12)])]
    assert names[-1].startswith("original, 16 bits a weight")
    figure.save(rows, tmp_path / "x.png")
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")
