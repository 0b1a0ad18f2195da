"""The values of the states: hashes against Python's integers and compiled integers, moments, tables, refusals."""

import zlib

import numpy as np
import pytest
from trellis_oracles import CODES, mad_value, one_mad_word, three_inst_word, two_mad_word
from voice import says

from quipref.trellis import codes

HASHES = [codes.one_mad, codes.two_mad, codes.three_inst, codes.mcg, codes.mul1]
# zlib.crc32 of the 65536 little-endian values that the authors' programs have: float32 in QTIP's, float16 in EXL3's
CHECKSUMS = {
    codes.one_mad: ("<f4", 0x1F8809E8),
    codes.two_mad: ("<f4", 0x86CFCC81),
    codes.three_inst: ("<f4", 0x4E61E040),
    codes.mcg: ("<f2", 0xD2D13C52),
    codes.mul1: ("<f2", 0x2BDF05C5),
}


@pytest.fixture(scope="module")
def tables():
    return {code: code(16) for code in HASHES}


@pytest.mark.parametrize("code", HASHES)
class TestHashes:
    def test_every_state_is_that_of_pythons_integers(self, code, tables):
        expected = np.array([CODES[code.__name__](s) for s in range(65536)], np.float32)
        assert (tables[code][:, 0].view(np.uint32) == expected.view(np.uint32)).all()

    def test_every_state_is_that_of_the_authors(self, code, tables):
        dtype, checksum = CHECKSUMS[code]
        assert (tables[code].astype(dtype) == tables[code]).all()
        assert zlib.crc32(tables[code].astype(dtype).tobytes()) == checksum

    def test_form(self, code, tables):
        assert tables[code].shape == (65536, 1)
        assert tables[code].dtype == np.float32
        assert tables[code].flags.c_contiguous
        assert tables[code].flags.writeable
        assert code(np.int8(3)).shape == (8, 1)

    def test_fewer_state_bits_hash_the_first_states(self, code, tables):
        for L in (1, 4, 15):
            assert (code(L) == tables[code][: 1 << L]).all()

    def test_more_state_bits_go_on(self, code, tables):
        larger = code(20)
        assert (larger[:65536] == tables[code]).all()
        for s in (65536, 98765, 2**20 - 1):
            assert larger[s, 0] == np.float32(CODES[code.__name__](s))

    def test_refusals(self, code):
        for L in (0, 21):
            with says(ValueError, f"state_bits must be from 1 to 20, but {L} came."):
                code(L)
        with says(TypeError, "state_bits must be an integer, but 4.0 (float) came."):
            code(4.0)


@pytest.mark.jit
def test_compiled_unsigned_64_bit_integers_agree():
    """What a compiled decoder computes: uint64, reduced by hand; there uint32 would widen and not wrap."""
    import numba

    @numba.njit
    def words(x1, x2, x3):
        low = np.uint64(0xFFFFFFFF)
        for i in range(len(x1)):
            s = np.uint64(i)
            x1[i] = s * np.uint64(34038481) + np.uint64(76625530) & low
            x = s * np.uint64(264435761) + np.uint64(1013904223) & low
            x2[i] = x + (x * np.uint64(1664525) >> np.uint64(32)) & low
            x3[i] = (s * np.uint64(89226354) + np.uint64(64248484)) & np.uint64(0x8FFF8FFF) ^ np.uint64(0x3B603B60)

    found = np.empty((3, 65536), np.uint64)
    words(*found)
    for row, word in zip(found, (one_mad_word, two_mad_word, three_inst_word), strict=True):
        assert row.tolist() == [word(s) for s in range(65536)]


class TestMoments:
    """The bytes of a good hash look uniform and independent; bands are five standard errors of 65536 such draws."""

    N = 65536

    def band(self, fourth_moment, variance):
        return 5 * np.sqrt((fourth_moment - variance**2) / self.N)

    @pytest.mark.parametrize("code", [codes.one_mad, codes.two_mad, codes.mul1])
    def test_sums_of_four_bytes(self, code, tables):
        """The sum of n uniform variables on b values has kurtosis 3 - 6/5 (b^2 + 1) / (b^2 - 1) / n."""
        x, kurtosis = tables[code].astype(np.float64), 3 - 1.2 * (256**2 + 1) / (256**2 - 1) / 4
        assert abs(x.mean()) <= 5 / np.sqrt(self.N)
        assert abs(np.square(x).mean() - 1) <= self.band(kurtosis, 1.0)

    def test_the_number_of_values(self, tables):
        assert len(np.unique(tables[codes.one_mad])) == 908
        assert len(np.unique(tables[codes.mul1])) == 913
        assert {mad_value(one_mad_word(s)) for s in range(100)} <= set(np.unique(tables[codes.one_mad]).tolist())

    def test_sums_of_two_halves(self, tables):
        """Each half takes 2^13 patterns: a sign, 2 bits of exponent, 10 of mantissa; all are equally likely."""
        patterns = np.arange(65536, dtype=np.uint16)
        v = np.unique(patterns & 0x8FFF ^ 0x3B60).view(np.float16).astype(np.float64)
        assert len(v) == 2**13
        assert (np.abs(v).min(), np.abs(v).max()) == (0.125, 2 - 2.0**-10)
        variance = 2 * np.square(v).mean()
        fourth = 2 * (v**4).mean() + 6 * np.square(v).mean() ** 2
        for code in (codes.three_inst, codes.mcg):
            x = tables[code].astype(np.float64)
            assert abs(x.mean()) <= 5 * np.sqrt(variance / self.N)
            assert abs(np.square(x).mean() - variance) <= self.band(fourth, variance)
        assert round(variance**0.5, 2) == 1.24  # not 1

    def test_half_precision_matters(self, tables):
        """Without the rounding of the sum more than a third of 3INST's values are others, and more of them differ."""
        words = np.array([three_inst_word(s) for s in range(65536)], np.uint32)
        high, low = (
            part.astype(np.uint16).view(np.float16).astype(np.float32) for part in (words >> 16, words & 0xFFFF)
        )
        assert (high + low != tables[codes.three_inst][:, 0]).sum() == 27707
        assert len(np.unique(high + low)) == 24592
        assert len(np.unique(tables[codes.three_inst])) == 10598

    def test_constants(self):
        assert codes.BYTES_STD == 147.800537109375
        assert np.arange(256).mean() * 4 == codes.BYTES_MEAN
        assert np.float16(0.921875).view(np.uint16) == 0x3B60 == codes.HALVES_FLIP >> 16
        assert np.float16(codes.MUL1_SCALE) == codes.MUL1_SCALE
        assert np.float16(codes.MUL1_SHIFT) == codes.MUL1_SHIFT

    def test_mul1_rounded_twice_would_be_others(self, tables):
        """A product that is rounded before the sum gives other values: the multiply-and-add must be one operation."""
        total = np.arange(1024, 2045).astype(np.float16)
        twice = total * np.float16(codes.MUL1_SCALE) + np.float16(codes.MUL1_SHIFT)
        assert not np.isin(tables[codes.mul1], twice.astype(np.float32)).all()


class TestTables:
    def test_lookup(self):
        values = np.array([1.5, -2.0, 0.25, 3.0])
        found = codes.lookup(values)
        assert found.tolist() == [[1.5], [-2.0], [0.25], [3.0]]
        assert found.dtype == np.float32
        assert codes.lookup(values.reshape(2, 2)).tolist() == values.reshape(2, 2).tolist()
        assert codes.lookup(np.asfortranarray(np.ones((4, 2)))).flags.c_contiguous

    def test_lookup_is_a_copy(self):
        mine = np.ones((4, 2), np.float32)
        codes.lookup(mine)[:] = 0
        assert (mine == 1).all()

    def test_refusals(self):
        for shape in [(5,), (1,), (0,), (2**21,), (2, 0)]:
            with says(ValueError, "a power of two from 2 to 1048576", "shape is"):
                codes.lookup(np.zeros(shape))
        for table in (1.0, np.ones((2, 2, 2))):
            with says(ValueError, "table must have 1 or 2 axes", f"its shape is {np.shape(table)}"):
                codes.lookup(table)
        with says(ValueError, "table must be finite"):
            codes.lookup([1.0, np.nan])
        with says(ValueError, "table must fit float32, but it reaches 1.0e+300."):
            codes.lookup([1.0, -1e300])
        with says(TypeError, "table must hold real floating-point numbers"):
            codes.lookup([1, 2])

    def test_random_values_are_standard_normal(self):
        """Bands of five standard errors: of the mean 1 / sqrt(N), of the mean square sqrt(2 / N)."""
        x = codes.gaussian(12, 2, seed=3).astype(np.float64)
        assert x.shape == (4096, 2)
        assert abs(x.mean()) <= 5 / np.sqrt(x.size)
        assert abs(np.square(x).mean() - 1) <= 5 * np.sqrt(2 / x.size)
        assert abs((x[:, 0] * x[:, 1]).mean()) <= 5 / np.sqrt(len(x))
        assert len(np.unique(x)) > 8000

    def test_a_seed_is_a_table(self):
        assert (codes.gaussian(5, seed=7) == codes.gaussian(5, seed=7)).all()
        assert (codes.gaussian(5, seed=7) != codes.gaussian(5, seed=8)).all()
        rng = np.random.default_rng(0)
        assert (codes.gaussian(5, seed=rng) != codes.gaussian(5, seed=rng)).all()
        with says(ValueError, "seed must be given"):
            codes.gaussian(5, seed=None)
        with says(ValueError, "values_per_step must be at least 1"):
            codes.gaussian(5, 0, seed=0)
