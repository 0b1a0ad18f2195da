"""The strategies draw what their docstrings say, and reach every case that they promise."""

import numpy as np
import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument, NoSuchExample

from quipref import ldlq, proxy_loss
from quipref.testing.strategies import Eigensystem, eigensystems, hessians, layers, orthonormal_bases, seeded_layers

EPS = np.finfo(np.float64).eps
SEARCH = settings(max_examples=1000, derandomize=True, database=None, phases=[Phase.generate])
EXAMPLES = min(40, settings.default.max_examples)
ODD_SIZES = st.sampled_from([1, 2, 3, 5, 8])


def few(*strategies):
    """`given` with 40 examples at most."""
    return lambda test: settings(max_examples=EXAMPLES)(given(*strategies)(test))


def assembly_error(largest, n):
    """How far the computed eigenvalues of Q diag(values) Q^T can stray from `values`.

    Q is orthonormal to n eps in each entry's sum, each product of length n rounds at n eps, and the
    symmetric eigenvalue solver is backward stable with a modest multiple of n: 8 n^2 eps covers all.
    """
    return 8 * n**2 * EPS * largest


@few(eigensystems(ODD_SIZES, singular=True))
def test_an_eigensystem_is_one(system):
    values, Q = system
    n = len(values)
    assert Q.shape == (n, n)
    assert np.abs(Q.T @ Q - np.eye(n)).max() <= 8 * n * EPS
    H, root = system.power(1), system.power(0.5)
    assert (H.T == H).all() and (root == root.T).all()
    scale = values.max(initial=0.0)
    assert np.abs(H @ Q - Q * values).max() <= assembly_error(scale, n)
    assert np.abs(root @ root - H).max() <= assembly_error(scale, n)
    assert 1 - n * EPS <= system.incoherence() <= np.sqrt(n) * (1 + n * EPS) or scale == 0


@few(eigensystems(low=1e-2, high=10.0))
def test_eigenvalues_keep_to_their_range(system):
    assert (system.values >= 1e-2).all() and (system.values <= 10.0).all()


@pytest.mark.parametrize(("basis", "incoherence"), [("identity", 4.0), ("hadamard", 1.0)])
def test_the_incoherence_of_the_axes_is_largest_and_of_a_hadamard_basis_least(basis, incoherence):
    @few(orthonormal_bases(16, bases=(basis,)))
    def check(Q):
        assert Eigensystem(np.ones(16), Q).incoherence() == incoherence

    check()


@few(hessians(ODD_SIZES))
def test_a_hessian_is_positive_definite_and_its_condition_bounded(H):
    n = len(H)
    assert H.dtype == np.float64 and H.shape == (n, n) and (H.T == H).all()
    eigenvalues = np.linalg.eigvalsh(H)
    error = assembly_error(1e2, n)
    assert 1e-4 - error <= eigenvalues[0] and eigenvalues[-1] <= 1e2 + error


@few(hessians(outliers=True, dead=True, singular=True))
def test_a_hessian_with_everything_is_semidefinite(H):
    assert (H.T == H).all()
    assert np.linalg.eigvalsh(H)[0] >= -assembly_error(1e4, len(H))


@few(layers(singular=True, outliers=True, dead=True), seeded_layers())
def test_a_layer_has_matching_shapes_and_every_method_takes_it(drawn, seeded):
    for W, H in (drawn, seeded):
        m, n = W.shape
        assert 1 <= m <= 3 and H.shape == (n, n)
        assert W.dtype == H.dtype == np.float64
        assert np.isfinite(proxy_loss(W, ldlq(W, H), H))


@few(layers(2, 4, weights=st.integers(0, 3).map(float)), seeded_layers(2, 4))
def test_sizes_and_weights_are_those_asked_for(drawn, seeded):
    assert drawn.W.shape == seeded.W.shape == (2, 4)
    assert set(drawn.W.ravel()) <= {0.0, 1.0, 2.0, 3.0}


def rank(H):
    return int((np.linalg.eigvalsh(H) > 1e-12 * np.trace(H)).sum())


def dead_channels(H):
    return int((~H.any(axis=0)).sum())


def condition(H):
    return np.linalg.cond(H)


def gains(H):
    """Log10 of the largest over the smallest diagonal entry."""
    return np.log10(H.diagonal().max() / H.diagonal().min()) if H.diagonal().all() else np.nan


@pytest.mark.parametrize(
    ("strategy", "wanted"),
    [
        (hessians(4, singular=True), lambda H: 0 < rank(H) < 4 and not dead_channels(H)),
        (hessians(4, singular=True), lambda H: not H.any()),
        (hessians(4, dead=True), lambda H: 0 < dead_channels(H) < 4),
        (hessians(4, outliers=True, low=1.0, high=1.0), lambda H: gains(H) == 2),
        (hessians(4), lambda H: condition(H) > 1e5),
        (hessians(4), lambda H: condition(H) < 10 and np.count_nonzero(H) == 16),
        (hessians(), lambda H: H.shape == (1, 1)),
        (seeded_layers(n=8), lambda layer: rank(layer.H) == 2),
        (seeded_layers(n=8), lambda layer: dead_channels(layer.H) == 1),
        (seeded_layers(n=8), lambda layer: gains(layer.H) > 1),
        (seeded_layers(n=8, spectra=("flat",)), lambda layer: np.count_nonzero(layer.H) == 8),
        (layers(1, 2), lambda layer: (layer.W == 0.5).any()),
    ],
)
def test_a_promised_case_is_reached(strategy, wanted):
    find(strategy, wanted, settings=SEARCH)


@pytest.mark.parametrize(
    ("strategy", "unwanted"),
    [
        (hessians(4), lambda H: rank(H) < 4),
        (hessians(4, low=1.0, high=1.0, bases=("haar",)), lambda H: gains(H) > 1),
        (seeded_layers(n=8, spectra=("power",)), lambda layer: rank(layer.H) < 8),
        (seeded_layers(n=3), lambda layer: len(layer.H) != 3),
    ],
)
def test_a_case_that_was_not_asked_for_is_not_drawn(strategy, unwanted):
    with pytest.raises(NoSuchExample):
        find(strategy, unwanted, settings=settings(SEARCH, max_examples=60))


def test_generic_position_needs_seeds():
    """A seed finds at once a layer on which LDLQ loses to nearest rounding, at every size from 4."""
    found = find(
        seeded_layers(2, 8, spectra=("power",), bases=("haar",)),
        lambda layer: proxy_loss(layer.W, ldlq(layer.W, layer.H), layer.H, normalize="nearest") > 1,
        settings=settings(SEARCH, max_examples=100),
    )
    assert found.W.shape == (2, 8)


def test_an_example_drawn_entry_by_entry_shrinks_to_round_numbers():
    W, H = find(
        layers(1, 2),
        lambda layer: layer.W[0, 0] > 1 and np.trace(layer.H) > 2,
        settings=settings(max_examples=500, derandomize=True, database=None),
    )
    assert W[0, 1] == 0 and W[0, 0] == 2
    assert H[0, 1] == 0


@pytest.mark.parametrize("strategy", [hessians(3, bases=("hadamard",)), hessians(2, low=2.0, high=1.0)])
def test_nothing_to_draw_from_is_refused(strategy):
    with pytest.raises(InvalidArgument):
        find(strategy, lambda H: True, settings=SEARCH)


@few(seeded_layers(2, 8))
def test_a_seeded_layer_is_in_generic_position(layer):
    assert np.unique(layer.W).size == layer.W.size  # no two weights agree
    assert (np.abs(layer.W - np.floor(layer.W) - 0.5) > 0).all()  # none is a tie
