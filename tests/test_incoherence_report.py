"""The report on incoherence: its rows measured again, its bounds, its table."""

import json

import numpy as np
import pytest

import quipref as q
from quipref import bounds
from quipref.incoherence import report
from quipref.incoherence.process import ROTATIONS, channel_scales

NAMES = ["none", "kronecker", "hadamard", "fourier"]


@pytest.fixture
def layer():
    return q.random_layer(6, 8, spectrum="outlier", seed=1)


@pytest.mark.parametrize("rescale", [False, True])
def test_each_row_is_what_the_processed_layer_has(layer, rescale):
    """mu of H by an eigensolver on each rotated H; the report turns one eigenbasis instead."""
    rows = report.incoherence_report(*layer, seed=5, rescale=rescale)
    assert [row.transform for row in rows] == NAMES
    for row in rows:
        name = None if row.transform == "none" else row.transform
        processed = q.incoherence_process(*layer, transform=name, seed=5, rescale=rescale, damping=0.0)
        mu_weights, mu_hessian = processed.measure(lambda W, H: (q.mu_weights(W), q.mu_hessian(H)))
        assert row.mu_weights == pytest.approx(mu_weights, rel=1e-12)
        # an eigenvector moves by the error of H, some 1e-14 |H|, over the gap to the next eigenvalue, 4e-4 |H| here
        assert row.mu_hessian == pytest.approx(mu_hessian, rel=1e-9)
        assert row.storage_bits == (0 if name is None else 2 * 64)


def test_rescaling_changes_the_layer_before_all_transforms(layer):
    plain, rescaled = (report.incoherence_report(*layer, seed=5, rescale=rescale)[0] for rescale in (False, True))
    assert plain.mu_weights == q.mu_weights(layer.W)
    assert plain.mu_hessian == pytest.approx(q.mu_hessian(layer.H), rel=1e-15)
    assert rescaled.mu_weights == q.mu_weights(layer.W * channel_scales(*layer).astype(float))


def test_a_transform_for_complex_numbers_needs_even_sizes(layer):
    W, H = layer
    for odd in ((W[:5], H), (W[:, :7], H[:7, :7])):
        assert [row.transform for row in report.incoherence_report(*odd, seed=0)] == NAMES[:-1]


def test_bounds_are_those_of_the_theorems_until_the_cap_is_smaller():
    W, H = q.random_layer(1024, 32, seed=0)
    none, kronecker, hadamard, fourier = report.incoherence_report(W, H, seed=0)
    cap = bounds.largest_mu_weights(1024, 32), bounds.largest_mu_hessian(32)
    for row in (none, kronecker):
        assert (row.mu_weights_bound, row.mu_hessian_bound) == cap
    for row in (hadamard, fourier):
        assert row.mu_weights_bound == bounds.hadamard_mu_weights(1024, 32, 0.01) < cap[0]
        assert row.mu_hessian_bound == min(cap[1], bounds.hadamard_mu_hessian(32, 0.01))
    assert report._bounds("kronecker", 10**6, 4096) == (
        bounds.kronecker_mu_weights(10**6, 4096, 0.01),
        bounds.kronecker_mu_hessian(4096, 0.01),
    )


def test_progress_is_told_and_every_row_is_shown(layer):
    told, seen = [], []
    rows = report.incoherence_report(
        *layer,
        seed=5,
        step=lambda message, done, total: told.append((message, done, total)),
        look=lambda row, W, H: seen.append((row, q.mu_weights(W), W.shape, H.shape)),
    )
    assert told == [(name, i, 5) for i, name in enumerate(["eigenvectors of H", *NAMES])]
    assert seen == [(row, row.mu_weights, (6, 8), (8, 8)) for row in rows]


def test_the_same_seed_gives_the_same_report(layer):
    assert report.incoherence_report(*layer, seed=5) == report.incoherence_report(*layer, seed=5)
    assert report.incoherence_report(*layer, seed=5) != report.incoherence_report(*layer, seed=6)


def test_float32_and_what_was_given_stays(layer):
    W, H = (X.astype(np.float32) for X in layer)
    before = W.copy(), H.copy()
    rows = report.incoherence_report(W, H, seed=5, rescale=True)
    np.testing.assert_array_equal(W, before[0])
    np.testing.assert_array_equal(H, before[1])
    for row, other in zip(rows, report.incoherence_report(*layer, seed=5, rescale=True), strict=True):
        assert row.mu_weights == pytest.approx(other.mu_weights, rel=1e-3)  # a scale may round to its neighbour


def test_rows_are_json(layer):
    row = report.incoherence_report(*layer, seed=5)[1]
    assert json.loads(json.dumps(row.to_dict())) == {
        "transform": "kronecker",
        "mu_weights": row.mu_weights,
        "mu_hessian": row.mu_hessian,
        "mu_weights_bound": row.mu_weights_bound,
        "mu_hessian_bound": row.mu_hessian_bound,
        "storage_bits": 128,
    }


def test_table():
    rows = [
        report.Incoherence("none", 21.314, 8.0, 45.254, 8.0, 0),
        report.Incoherence("hadamard", 4.0, 3.456, 12.0, 7.0, 128),
    ]
    assert report.table(rows).splitlines()[:5] == [
        "| transform | mu of W | at most* | mu of H | at most* | bits to store |",
        "| --------- | ------: | -------: | ------: | -------: | ------------: |",
        "| none      |   21.31 |    45.25 |    8.00 |     8.00 |             0 |",
        "| hadamard  |    4.00 |    12.00 |    3.46 |     7.00 |           128 |",
        "",
    ]
    assert report.table(rows).endswith(report.FOOTNOTE)


def test_refusals(layer):
    W, H = layer
    with pytest.raises(ValueError, match="H must be 7 x 7 to match the 7 columns of W"):
        report.incoherence_report(W[:, :7], H, seed=0)
    with pytest.raises(TypeError, match="W must hold real floating-point numbers"):
        report.incoherence_report(W.astype(int), H, seed=0)


def test_every_transform_has_its_row():
    assert ["none", *ROTATIONS] == NAMES


@pytest.mark.parametrize("shape", [(4, 7), (7, 4), (6, 6)])
def test_where_there_is_no_hadamard_matrix_there_is_no_theorem(shape):
    """On the axes blocks leave the last coordinate alone, and mu of H exceeds what the theorem would allow."""
    m, n = shape
    W, H = np.ones(shape), np.diag(np.arange(1.0, n + 1))
    row = next(row for row in report.incoherence_report(W, H, seed=0) if row.transform == "hadamard")
    assert row.mu_weights_bound == bounds.largest_mu_weights(m, n)
    if n != 4:
        assert row.mu_hessian_bound == bounds.largest_mu_hessian(n)


def test_an_indefinite_hessian_is_refused(layer):
    with pytest.raises(np.linalg.LinAlgError, match="H must be symmetric positive semidefinite"):
        report.incoherence_report(layer.W, -layer.H, seed=0)


def test_a_rank_deficient_hessian_is_named():
    assert report.rank_note(np.diag([1.0, 2.0])) == ""
    assert report.rank_note(np.diag([1.0, 0.0, 2.0])).startswith("H is rank-deficient: 1 of its 3 pivots are zero.")
