"""The codebook tier: quantizers of this project pass, and each check fails one with a bug of its kind."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

import quipref
from quipref.testing.checks import codebook
from quipref.testing.protocol import QuantizerTags
from quipref.testing.rounder import check_quantizer
from quipref.testing.strategies import codebooks
from quipref.trellis.codes import one_mad

TILES = quipref.TrellisQuantizer(one_mad(6), quipref.BitshiftTrellis(6, 2), tile=(4, 8), backend="numpy")
CORRECT = [
    (quipref.IntegerGrid(), QuantizerTags()),
    (quipref.IntegerGrid(-1, 2), QuantizerTags()),
    (quipref.lloyd_max(5), QuantizerTags()),
    (quipref.E8Lattice(0.5), QuantizerTags()),
    (quipref.E8PQuantizer(), QuantizerTags()),
    (quipref.ResidualQuantizer(3), QuantizerTags(nearest=False)),
    (TILES, QuantizerTags(nearest=False)),
    (quipref.IntegerGrid(-2, 2, rounding="stochastic"), QuantizerTags(random=True)),
    (quipref.E8Lattice(dithered=True), QuantizerTags(random=True)),
]


@pytest.mark.parametrize(("quantizer", "tags"), CORRECT)
def test_quantizers_of_this_project_pass(quantizer, tags):
    report = check_quantizer(quantizer, tags=tags, max_examples=10)
    assert report.failed == [] and len(report.passed) >= 5


class Points:
    """The nearest of some points, by trying all; the bugs below change one thing each."""

    def __init__(self, C):
        self.C, self.block = C, C.shape[1]
        self.bits = np.log2(len(C)) / self.block
        self.code_bits = (len(C) - 1).bit_length()

    def codes(self, T):
        return np.square(np.asarray(T)[:, None] - self.C).sum(axis=2).argmin(axis=1)

    def quantize(self, T, rng=None):
        codes = self.codes(T)
        return codes[:, None].astype(np.uint8), self.C[codes].astype(T.dtype)

    def decode(self, codes):
        return self.C[codes[:, 0]]


class ShiftedDecoder(Points):
    def decode(self, codes):
        return self.C[codes[:, 0] - 1]


class FlatDecoder(Points):
    def decode(self, codes):
        return super().decode(codes).ravel()


class Remembering(Points):
    """A scale that follows the targets it has seen."""

    seen = 0

    def codes(self, T):
        self.seen += 1
        return super().codes(T * (1 + 0.1 * (self.seen % 2)))


class Writing(Points):
    def quantize(self, T, rng=None):
        T += 0.0
        return super().quantize(T)


class Clearing(Points):
    def quantize(self, T, rng=None):
        found = super().quantize(T)
        if T.flags.writeable:
            T[0] = 0.0
        return found


class BufferReader(Points):
    """Takes the memory of T to be contiguous."""

    def codes(self, T):
        return super().codes(T.ravel(order="K").reshape(T.shape))


class SinglePrecisionSlip(Points):
    def quantize(self, T, rng=None):
        codes, T_hat = super().quantize(T)
        return codes, T_hat + (0.25 if T.dtype == np.float32 else 0.0)


class SharedScale(Points):
    """Each row is scaled by the largest target of all rows."""

    def codes(self, T):
        return super().codes(T / np.abs(T).max())


class Truncating(Points):
    """The nearest of the points below, which is not the nearest."""

    def codes(self, T):
        return super().codes(T - 0.2)


class Wandering(Points):
    """A point of the codebook is sent to another one."""

    def codes(self, T):
        codes = super().codes(T)
        return np.where((self.C[codes] == T).all(axis=1), 0, codes)


class Understated(Points):
    def __init__(self, C):
        super().__init__(C)
        self.bits /= 2


class Overstated(Points):
    """Bits a block, not a weight."""

    def __init__(self, C):
        super().__init__(C)
        self.bits *= self.block


class Narrow(Points):
    def __init__(self, C):
        super().__init__(C)
        self.code_bits -= 1


class Uncounted:
    """Two decimals of each weight, said to be one bit: the error gives it away."""

    block, bits = 8, 1.0

    def quantize(self, T, rng=None):
        codes = np.floor(100 * T + 0.5).astype(np.int64)
        return codes, (codes / 100).astype(T.dtype)

    def decode(self, codes):
        return codes / 100


C = np.array([[-1.5, -1.0], [-0.5, 0.25], [0.0, 1.5], [0.5, -0.75], [1.0, 1.0], [1.5, 0.0], [-1.25, 1.0], [0.25, 0.0]])


@pytest.mark.parametrize(
    ("quantizer", "failed"),
    [
        (Points(C), set()),
        (ShiftedDecoder(C), {"decode_after_encode", "single_precision"}),
        (FlatDecoder(C), {"decode_after_encode", "single_precision"}),
        (Remembering(C), {"same_again", "targets_unchanged"}),
        (Writing(C), {"targets_unchanged"}),
        (Clearing(C), {"targets_unchanged"}),
        (BufferReader(C), {"targets_unchanged"}),
        (SinglePrecisionSlip(C), {"single_precision"}),
        (SharedScale(C), {"rows_apart", "nearest_point"}),
        (Truncating(C), {"nearest_point"}),
        (Wandering(C), {"points_are_fixed"}),
        (Understated(C), {"codes_fit_their_bits"}),
        (Overstated(C), {"bits_are_per_weight"}),
        (Narrow(C), {"codes_fit_their_bits"}),
        (Uncounted(), {"rate_and_distortion"}),
    ],
    ids=lambda thing: type(thing).__name__,
)
def test_a_bug_is_caught_by_its_check(quantizer, failed):
    report = check_quantizer(quantizer, on_fail=None, max_examples=10)
    assert failed <= set(report.failed) and bool(failed) == bool(report.failed), report


class Stored(quipref.IntegerGrid):
    bits = 4.0


WASTEFUL = "5 codes occur, however wide the targets, which 3 bits a weight would name"


@pytest.mark.parametrize(
    ("quantizer", "message"),
    [
        (quipref.IntegerGrid(-100, 100), "it has more codes than can be counted"),
        (quipref.UniformGrid(np.array([[1000.0]], np.float16), 8), "it has more codes than can be counted"),
        (quipref.UniformGrid(np.array([[0.01]], np.float16), 1), ""),
        (quipref.IntegerGrid(-(2**15), 2**15 - 1), "it has more codes than can be counted"),
        (Stored(-4, 4), ""),
        (Stored(-2, 2), WASTEFUL),
        (quipref.E8PQuantizer(), "it has more codes than can be counted"),
        (quipref.E8Lattice(), "it has more codes than can be counted"),
        (Points(C), ""),
    ],
)
def test_bits_that_are_never_needed_are_named(quantizer, message):
    report = check_quantizer(quantizer, only=["bits_are_per_weight"])
    assert report.passed == ["bits_are_per_weight"] and report.outcomes[0].message == message


def test_bits_of_a_block_are_told_from_bits_of_a_weight():
    report = check_quantizer(Overstated(C), only=["bits_are_per_weight"], on_fail=None)
    assert report.outcomes[0].message == (
        "8 codes occur, however wide the targets, which 1.5 bits a weight would name, but bits is 3; "
        "count bits a weight, not a block"
    )


def test_a_failure_in_single_precision_is_small():
    report = check_quantizer(SinglePrecisionSlip(C), only=["single_precision"], on_fail=None)
    assert report.outcomes[0].example.shape == (1, 2)


def test_words_for_bits():
    assert [codebook.counted(bits) for bits in (1, 2.0, 0.5)] == ["1 bit", "2 bits", "0.5 bits"]


@settings(max_examples=5, suppress_health_check=[HealthCheck.nested_given])
@given(codebooks(n_points=8, dimension=4))
def test_a_drawn_codebook_that_is_searched_point_by_point_passes(drawn):
    assert check_quantizer(Points(drawn), max_examples=5).failed == []


def test_a_search_that_is_not_exact_is_found_by_its_own_points():
    report = check_quantizer(TILES, on_fail=None, only=["nearest_point"])
    assert report.failed == ["nearest_point"]
    assert report.example("nearest_point").shape == (4, 8)


def test_figures():
    report = check_quantizer(quipref.lloyd_max(4), only=["rate_and_distortion", "codes_fit_their_bits"])
    codes, rate = (outcome.figures for outcome in report.outcomes)
    assert codes == {"codes": 4} and rate["bits"] == 2
    assert abs(rate["mse"] - quipref.lloyd_max(4).mse) <= 5 * rate["standard_error"]
    assert 0 < rate["bits_above_the_limit"] < 0.5
