"""Random layers: every spectrum and basis is what its name says."""

import numpy as np
import pytest
from voice import says

from quipref import random_layer
from quipref.problems import BASES, SPECTRA, Layer, _eigenvectors, parse_random_layer

HARMONIC = 1.0 / np.arange(1, 65)


def eigenvalues(H):
    return np.linalg.eigvalsh(H)[::-1]


@pytest.mark.parametrize("basis", BASES)
@pytest.mark.parametrize("spectrum", SPECTRA)
@pytest.mark.parametrize("n", [2, 64])
def test_a_layer_is_semidefinite_with_mean_diagonal_one(spectrum, basis, n):
    layer = random_layer(5, n, spectrum=spectrum, basis=basis, seed=1)
    W, H = layer
    assert isinstance(layer, Layer)
    assert W.shape == (5, n)
    assert H.shape == (n, n)
    assert W.dtype == H.dtype == np.float64
    assert (H == H.T).all()
    assert np.trace(H) == pytest.approx(n, rel=1e-12)
    assert eigenvalues(H)[-1] > -1e-13 * n


@pytest.mark.parametrize("basis", BASES)
def test_spectra(basis):
    def spectrum_of(name):
        return eigenvalues(random_layer(1, 64, spectrum=name, basis=basis, seed=2).H)

    np.testing.assert_allclose(spectrum_of("power"), HARMONIC * (64 / HARMONIC.sum()), atol=1e-12)
    np.testing.assert_allclose(spectrum_of("flat"), 1.0, atol=1e-12)
    low_rank = np.where(np.arange(64) < 16, HARMONIC, 0)
    np.testing.assert_allclose(spectrum_of("low_rank"), low_rank * (64 / low_rank.sum()), atol=1e-12)


def test_identity_keeps_the_axes():
    H = random_layer(1, 64, basis="identity", seed=3).H
    np.testing.assert_allclose(H, np.diag(HARMONIC * (64 / HARMONIC.sum())), atol=1e-13)


def test_outliers_are_one_channel_in_32_at_ten_times_the_amplitude():
    diagonal = random_layer(1, 64, spectrum="outlier", basis="identity", seed=4).H.diagonal()
    ratio = diagonal / HARMONIC
    gains = ratio / ratio.min()
    assert sorted(gains.round(9))[-3:] == [1.0, 100.0, 100.0]


def test_dead_channels_are_one_in_16_and_the_rest_is_the_power_law():
    with_dead = random_layer(1, 64, spectrum="dead", basis="haar", seed=5).H
    power = random_layer(1, 64, spectrum="power", basis="haar", seed=5).H
    alive = with_dead.any(axis=0)
    assert (~alive).sum() == 4
    assert not with_dead[~alive].any()
    corner, expected = with_dead[np.ix_(alive, alive)], power[np.ix_(alive, alive)]
    np.testing.assert_allclose(corner / np.trace(corner), expected / np.trace(expected), atol=1e-14)


def test_hadamard_eigenvectors_have_entries_of_one_size():
    """Each entry of H is a signed mean of the eigenvalues: with a single eigenvalue, all have one size."""
    W, H = random_layer(1, 2, spectrum="low_rank", basis="hadamard", seed=6)
    np.testing.assert_allclose(np.abs(H), 1.0, atol=1e-13)
    np.testing.assert_allclose(random_layer(1, 64, basis="hadamard", seed=6).H.diagonal(), 1.0, atol=1e-12)


def test_haar_vectors_have_no_preferred_sign_or_axis():
    """|Q_00|^2 has mean 1/n and the largest eigenvector a mean of zero; LAPACK's own signs break the second."""
    n, trials = 4, 400
    columns = np.array([_eigenvectors(n, "haar", np.random.default_rng(seed))[:, 0] for seed in range(trials)])
    band = 5 / np.sqrt(trials)
    assert np.abs(columns.mean(axis=0)).max() < band * np.sqrt(1 / n)  # the variance of an entry is 1/n
    variance_of_square = 3 / (n * (n + 2)) - 1 / n**2
    assert np.abs(np.square(columns).mean(axis=0) - 1 / n).max() < band * np.sqrt(variance_of_square)


def test_weights_are_standard_normal():
    W = random_layer(200, 200, spectrum="flat", basis="identity", seed=7).W
    count = W.size
    assert abs(W.mean()) < 5 / np.sqrt(count)
    assert abs(np.square(W).mean() - 1) < 5 * np.sqrt(2 / count)
    assert abs((W**4).mean() - 3) < 5 * np.sqrt(96 / count)


def test_the_seed_decides():
    first, again = random_layer(3, 8, seed=8), random_layer(3, 8, seed=np.random.default_rng(8))
    assert (first.W == again.W).all()
    assert (first.H == again.H).all()
    assert (first.W != random_layer(3, 8, seed=9).W).all()
    with pytest.raises(TypeError, match="seed"):
        random_layer(3, 8)


@pytest.mark.parametrize("spectrum", SPECTRA)
def test_the_smallest_layer(spectrum):
    W, H = random_layer(1, 1, spectrum=spectrum, seed=0)
    assert W.shape == H.shape == (1, 1)
    assert H[0, 0] == (0.0 if spectrum == "dead" else 1.0)


def test_refusals():
    with says(ValueError, "m must be at least 1, but 0 came."):
        random_layer(0, 4, seed=0)
    with says(ValueError, "n must be at least 1, but -1 came."):
        random_layer(4, -1, seed=0)
    with says(TypeError, "n must be an integer, but 4.0 (float) came."):
        random_layer(4, 4.0, seed=0)
    with says(ValueError, "spectrum must be one of 'power', ", "but 'powder' came."):
        random_layer(4, 4, spectrum="powder", seed=0)
    with says(ValueError, "basis must be one of 'haar', ", "but 'dct' came."):
        random_layer(4, 4, basis="dct", seed=0)
    with says(ValueError, "n must be a power of two for basis='hadamard', but 12 came. Use basis='haar'."):
        random_layer(4, 12, basis="hadamard", seed=0)


class TestParse:
    def test_a_full_description(self):
        found = parse_random_layer("random:3x8,spectrum=outlier,basis=hadamard,seed=3")
        expected = random_layer(3, 8, spectrum="outlier", basis="hadamard", seed=3)
        assert (found.W == expected.W).all()
        assert (found.H == expected.H).all()

    def test_defaults(self):
        assert (parse_random_layer("random:3x8").H == random_layer(3, 8, seed=0).H).all()

    @pytest.mark.parametrize("text", ["random:", "random:3", "random:3x", "random:3x8x2", "random:-3x8", "random:axb"])
    def test_bad_sizes(self, text):
        with says(ValueError, f"LAYER must read like random:256x512,spectrum=power,seed=3, but {text!r} came."):
            parse_random_layer(text)

    def test_a_bad_seed(self):
        with says(ValueError, "LAYER must read like random:256x512", "seed=x"):
            parse_random_layer("random:3x8,seed=x")

    @pytest.mark.parametrize("setting", ["rank=3", "spectrum", "", "=power"])
    def test_bad_settings(self, setting):
        words = "LAYER settings must be spectrum=, basis= or seed=, but ", f"{setting!r} came in "
        with says(ValueError, *words):
            parse_random_layer(f"random:3x8,{setting}")

    def test_bad_names_speak_as_random_layer_does(self):
        with says(ValueError, "spectrum must be one of"):
            parse_random_layer("random:3x8,spectrum=powder")
