"""The gallery as a whole: its list, what its bits count, the harness it goes through, its picture."""

from pathlib import Path

import numpy as np
import pytest
from pictures_gallery import gallery_rate_distortion
from voice import says

import quipref.gallery
from quipref import distortion_rate, ldlq, lloyd_max, proxy_loss, random_layer
from quipref.figures.gallery import LOOKS
from quipref.gallery import binary, gptqt, kmeans, maqd, measure, uniform
from quipref.gallery.entries import ENTRIES
from quipref.testing import check_quantizer, check_rounder

SHARED = {"__init__.py", "entries.py", "levels.py", "measure.py"}  # not ideas
AT_EVERY_RATE = [pytest.param(entry, bits, id=f"{entry.name}-{bits}") for entry in ENTRIES for bits in entry.bits]
ideas = pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)

# Bits besides the codes at 2 bits for 32 x 48 weights, by hand: rows x (scale + ...), codebook entries x 16.
TABLE_BITS = {
    "uniform, per channel": 32 * (16 + 2),
    "uniform, per tensor": 16 + 2,
    "logarithmic": 32 * 8 + 2,
    "power law": 32 * 16 + 5,
    "weight sharing": 4 * 16,
    "binary sums": 32 * 2 * 16,
    "two steps": 32 * (16 + 2 * 4),
    "pyramid": 32 * 2 * 16,
    "additive codebooks": 32 * 16 + 4 * 16 * 8 * 16,
    "round-clip, standardized": 32 * 2 * 16,
}


def affordable(entry, bits):
    """Whether the harness tries this: 2 bits, and the most that there are but where beams take many seconds."""
    return bits == 2 or (bits == entry.bits[-1] and not entry.uses_hessian)


def gaussian(m=32, n=48, seed=0):
    return np.random.default_rng(seed).standard_normal((m, n))


def test_files_of_ideas_are_short():
    files = [path for path in Path(quipref.gallery.__file__).parent.glob("*.py") if path.name not in SHARED]
    assert len(files) >= 9
    assert [path.name for path in files if len(path.read_text(encoding="utf-8").splitlines()) >= 80] == []


def test_every_idea_has_a_reference_a_look_and_a_name_of_its_own():
    assert len({entry.name for entry in ENTRIES}) == len(ENTRIES) == len(TABLE_BITS)
    assert all("arXiv" in entry.reference for entry in ENTRIES)
    assert {entry.name for entry in ENTRIES} == set(LOOKS)
    assert len(set(LOOKS.values())) == len(LOOKS)


@pytest.mark.parametrize(("entry", "bits"), AT_EVERY_RATE)
def test_codes_fit_their_width_and_the_decoder_needs_no_more(entry, bits):
    W, H = gaussian(), np.eye(48)
    quantizer, codes = entry.encode(W, H, bits)
    assert codes.dtype.kind == "u" and codes.size * entry.block == W.size
    assert quantizer.code_bits == bits * entry.block
    assert int(codes.max()) < 2**quantizer.code_bits
    assert quantizer.block == entry.block and quantizer.bits <= bits
    assert (entry.rounder(bits)(W, H) == quantizer.decode(codes)).all()
    again, T_hat = quantizer.quantize(W.astype(np.float32))
    assert T_hat.dtype == np.float32 and again.shape == codes.shape
    assert (T_hat == quantizer.decode(again).astype(np.float32)).all()


@ideas
def test_all_bits_are_counted(entry):
    W = gaussian()
    place = measure.place(entry, 2, W)
    assert place.table_bits == TABLE_BITS[entry.name]
    assert place.code_bits == 2 * 32 * 48
    assert place.rate == 2 + TABLE_BITS[entry.name] / (32 * 48)


def test_errors_are_above_the_limit_and_fall_with_the_bits():
    found = measure.places(gaussian(96, 96))
    for place in found:
        assert place.error > distortion_rate(place.rate)
    for entry in ENTRIES:
        errors = [place.error for place in found if place.name == entry.name]
        assert (np.diff(errors) < 0).all() and errors[-1] < 0.06


@ideas
def test_the_error_is_relative_to_that_of_zero(entry):
    W, H = random_layer(32, 48, spectrum="outlier", seed=1)
    place = measure.place(entry, 2, W, H)
    W_hat = entry.rounder(2)(W, H)
    assert place.error == proxy_loss(W, W_hat, H) / proxy_loss(W, 0 * W, H)
    assert place.to_dict()["rate"] == place.rate
    assert place.error < 1


@pytest.mark.parametrize(("entry", "bits"), [rate for rate in AT_EVERY_RATE if affordable(*rate.values)])
def test_the_harness_passes_it(entry, bits):
    report = check_rounder(entry.rounder(bits), max_examples=10, seconds=60)
    assert report.passed == [outcome.name for outcome in report.outcomes]
    assert {"shape_and_dtype", "inputs_unchanged", "deterministic", "singular"} <= set(report.passed)
    assert entry.shared or {"rows_alone", "rows_permuted"} <= set(report.passed)


@ideas
def test_a_rounder_takes_layers_that_half_precision_cannot_hold(entry):
    """By powers of two, which round nothing: what is scaled comes back scaled; a row without spread comes back."""
    W, H = gaussian(4, 16), np.eye(16)
    rounder = entry.rounder(2)
    usual = rounder(W, H)
    for exponent in (-1020, -160, 150, 1000):
        far = rounder(np.ldexp(W, exponent), H)
        assert (np.ldexp(far, -exponent) == usual).all()
        if not entry.shared:  # beside common rows just as alone
            mixed = rounder(np.vstack([W[:2], np.ldexp(W[2:], exponent)]), H)
            assert (mixed == np.vstack([usual[:2], far[2:]])).all()
    flat = np.full((1, 16), 1.0)
    flat[0, 0] += 1e-12
    assert np.isfinite(rounder(flat, H)).all()
    assert np.isfinite(rounder(flat * 5e-324, H)).all()


@pytest.mark.parametrize(("entry", "bits"), AT_EVERY_RATE)
def test_its_quantizer_is_what_its_tags_say(entry, bits):
    quantizer = entry.encode(gaussian(1, 64), np.eye(64), bits)[0]
    assert check_quantizer(quantizer, max_examples=10, seconds=60).named("skipped") == []
    if not quantizer.quipref_tags.nearest:
        return
    assert {"nearest_point", "points_are_fixed"} <= set(check_quantizer(quantizer, max_examples=1).passed)


def test_tags_know_which_quantizers_find_the_nearest():
    nearest = {
        entry.name: [b for b in entry.bits if entry.encode(gaussian(), np.eye(48), b)[0].quipref_tags.nearest]
        for entry in ENTRIES
    }
    assert nearest["uniform, per channel"] == nearest["uniform, per tensor"] == [2, 3, 4]
    assert nearest["weight sharing"] == [1, 2, 3, 4]
    assert nearest["pyramid"] == []
    assert nearest["additive codebooks"] == [1]  # two codebooks: the beam holds all sums
    assert not nearest["logarithmic"][1:]


def test_rows_keep_their_own_levels_in_ldlq():
    """A fitted scalar quantizer rounds inside LDLQ, which then beats the same levels without feedback."""
    W, H = random_layer(32, 64, spectrum="power", seed=0)
    W *= np.linspace(0.2, 5, 32)[:, None]
    for fit in (uniform.fit, binary.fit, gptqt.fit, maqd.fit):
        levels = fit(W, 3)
        losses = [proxy_loss(W, W_hat, H) for W_hat in (levels.quantize(W)[1], ldlq(W, H, round_to=levels))]
        assert losses[1] < 0.7 * losses[0]
        part = levels.of_rows(slice(3, 5), 32)
        assert part.quipref_tags == levels.quipref_tags or fit is binary.fit  # of which some rows may be nearest
        assert (part.quantize(W[3:5])[1] == levels.quantize(W)[1][3:5]).all()
    shared = kmeans.fit(W, 3)
    assert shared.of_rows(slice(3, 5), 32) is shared


def test_measure_names_both_layers():
    told = []
    own = (ENTRIES[0],)
    found = measure.measure(size=(32, 48), layer="layers.0.attn.q", entries=own, step=told.append)
    assert list(found) == ["Gaussian", "layers.0.attn.q"]
    assert told == 2 * [ENTRIES[0].name]
    assert [len(places) for places in found.values()] == 2 * [len(ENTRIES[0].bits)]
    assert found["layers.0.attn.q"][0].code_bits == 2 * 256 * 256


@ideas
def test_refusals(entry):
    with says(TypeError, "bits must be an integer, but 2.0"):
        entry.fit(gaussian(), 2.0)
    with says(ValueError, "bits must be from", "but 9 came"):
        entry.fit(gaussian(), 9)
    with says(ValueError, "W must have at least one row and one column to be fitted to, but it is (0, 16)"):
        entry.fit(np.zeros((0, 16)), 2)
    with says(ValueError, "W must be finite"):
        entry.fit(np.full((2, 16), np.nan), 2)
    for far in (1e40, 1e-60):
        with says(ValueError, "W must have", "Scale the layer by a power of two first and undo it afterwards."):
            entry.fit(far * gaussian(), 2)
    if entry.block > 1:
        with says(ValueError, f"W must have a multiple of {entry.block} columns, but its shape is (32, 44)."):
            entry.fit(gaussian(32, 44), 2)


@ideas
def test_zeros_come_back(entry):
    W = np.zeros((3, 16))
    assert not entry.rounder(2)(W, np.eye(16)).any()


def test_the_picture_is_true():
    """Its limit is D(R), its grey line Lloyd-Max, and below stands the distance of what is above in decibels."""
    above, _, below, _ = gallery_rate_distortion().axes
    limit, lloyd, *ideas = above.lines
    np.testing.assert_allclose(limit.get_ydata(), [distortion_rate(bits) for bits in limit.get_xdata()])
    assert [lloyd_max(2 ** int(bits)).mse for bits in lloyd.get_xdata()] == list(lloyd.get_ydata())
    assert [line.get_label() for line in ideas] == [*LOOKS, "your own"]
    for line, distance in zip(ideas, below.lines[2:], strict=True):
        bits, error = line.get_data()
        np.testing.assert_allclose(distance.get_ydata(), 10 * np.log10(error / 4.0**-bits), atol=1e-12)
