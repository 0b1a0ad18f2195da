"""The values of the states: hashes against Python's integers and compiled integers, moments, tables, refusals."""

import zlib

import numpy as np
import pytest
from trellis_oracles import CODES, mad_value, one_mad_word, three_inst_word, two_mad_word
from voice import says

from quipref.trellis import codes, table_codes

HASHES = [codes.one_mad, codes.two_mad, codes.three_inst]
# zlib.crc32 of the 65536 little-endian float32 values that the authors' program has
CHECKSUMS = {codes.one_mad: 0x1F8809E8, codes.two_mad: 0x86CFCC81, codes.three_inst: 0x4E61E040}


@pytest.fixture(scope="module")
def tables():
    return {code: code(16) for code in HASHES}


@pytest.mark.parametrize("code", HASHES)
class TestHashes:
    def test_every_state_is_that_of_pythons_integers(self, code, tables):
        expected = np.array([CODES[code.__name__](s) for s in range(65536)], np.float32)
        assert (tables[code][:, 0].view(np.uint32) == expected.view(np.uint32)).all()

    def test_every_state_is_that_of_the_authors(self, code, tables):
        assert zlib.crc32(tables[code].astype("<f4").tobytes()) == CHECKSUMS[code]

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

    @pytest.mark.parametrize("code", [codes.one_mad, codes.two_mad])
    def test_sums_of_four_bytes(self, code, tables):
        """The sum of n uniform variables on b values has kurtosis 3 - 6/5 (b^2 + 1) / (b^2 - 1) / n."""
        x, kurtosis = tables[code].astype(np.float64), 3 - 1.2 * (256**2 + 1) / (256**2 - 1) / 4
        assert abs(x.mean()) <= 5 / np.sqrt(self.N)
        assert abs(np.square(x).mean() - 1) <= self.band(kurtosis, 1.0)

    def test_the_number_of_values(self, tables):
        assert len(np.unique(tables[codes.one_mad])) == 908
        assert {mad_value(one_mad_word(s)) for s in range(100)} <= set(np.unique(tables[codes.one_mad]).tolist())

    def test_sums_of_two_halves(self, tables):
        """Each half takes 2^13 patterns: a sign, 2 bits of exponent, 10 of mantissa; all are equally likely."""
        patterns = np.arange(65536, dtype=np.uint16)
        v = np.unique(patterns & 0x8FFF ^ 0x3B60).view(np.float16).astype(np.float64)
        assert len(v) == 2**13
        assert (np.abs(v).min(), np.abs(v).max()) == (0.125, 2 - 2.0**-10)
        variance = 2 * np.square(v).mean()
        fourth = 2 * (v**4).mean() + 6 * np.square(v).mean() ** 2
        x = tables[codes.three_inst].astype(np.float64)
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


class TestHybrid:
    TABLE = np.arange(1.0, 9.0).reshape(4, 2)

    def by_hand(self, s, Q, signed):
        h = s * (s + 1) % 65536
        index = (h >> (15 if signed else 16) - Q) % 2**Q
        sign = -1 if signed and h >= 32768 else 1
        return [sign * (2 * index + 1), 2 * index + 2]

    @pytest.mark.parametrize("signed", [True, False])
    @pytest.mark.parametrize(("L", "every"), [(1, 1), (9, 1), (16, 5), (20, 257)])
    def test_by_hand(self, L, every, signed):
        found = codes.hyb(self.TABLE, L, signed=signed)
        some = range(0, 1 << L, every)
        assert found[some].tolist() == [self.by_hand(s, 2, signed) for s in some]
        assert found.dtype == np.float32
        assert found.flags.c_contiguous

    def test_the_first_entry_is_negated_not_the_second(self):
        """Where the authors' program and the paper's text differ, the program."""
        found = codes.hyb(self.TABLE, 16)
        assert (found[:, 0] < 0).any()
        assert (found[:, 1] > 0).all()

    def test_signs_of_zero(self):
        found = codes.hyb(np.zeros((2, 2)), 16)
        assert np.signbit(found[:, 0]).any()
        assert not np.signbit(found[:, 0]).all()
        assert not np.signbit(found[:, 1]).any()

    def test_one_and_many_columns_and_large_tables(self):
        assert codes.hyb(np.arange(2.0**15)[:, None], 16).shape == (65536, 1)
        assert codes.hyb(np.ones((2, 5), np.float16), 16)[181].tolist() == [-1, 1, 1, 1, 1]

    def test_the_table_is_left_alone(self):
        table = np.asfortranarray(self.TABLE)
        table.flags.writeable = False
        codes.hyb(table, 16)
        assert (table == self.TABLE).all()

    def test_refusals(self):
        for shape in [(3, 2), (1, 2), (0, 2), (2**16, 2), (4, 0)]:
            with says(ValueError, "table must have a row for each", "a power of two from 2 to 32768", str(shape)):
                codes.hyb(np.zeros(shape), 16)
        with says(ValueError, "table must have 2 axes"):
            codes.hyb(np.zeros(4), 16)
        with says(ValueError, "state_bits must be from 1 to 20"):
            codes.hyb(self.TABLE, 21)
        with says(TypeError, "signed must be True or False"):
            codes.hyb(self.TABLE, 16, signed=0)


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


class TestHybridTable:
    def test_form(self):
        for Q in (1, 6):
            table = codes.hyb_table(Q, 0)
            assert table.shape == (1 << Q, 2)
            assert table.dtype == np.float32
            assert (table.astype(np.float16) == table).all()
            # rounding to half precision moves an entry, and so the deviation, by 2^-11 of it at most
            assert abs(table.astype(np.float64).std() - (15 / 16) ** 0.5) <= 2.0**-11 * np.sqrt(np.square(table).mean())

    def test_a_seed_is_a_table(self):
        assert (codes.hyb_table(3, 1) == codes.hyb_table(3, 1)).all()
        assert (codes.hyb_table(3, 1) != codes.hyb_table(3, 2)).any()

    def test_refusals(self):
        for Q in (0, 16):
            with says(ValueError, "table_bits must be from 1 to 15"):
                codes.hyb_table(Q, 0)
        with says(ValueError, "seed must be given"):
            codes.hyb_table(3, None)
        with says(TypeError, "progress must be True or False, but 1 came."):
            codes.hyb_table(3, 0, progress=1)

    def test_progress(self, monkeypatch):
        shown = []

        def bar(steps, *args, **options):
            shown.append((len(steps), options["delay"], options["disable"]))
            return steps

        monkeypatch.setattr("tqdm.tqdm", bar)
        assert (codes.hyb_table(3, 0, progress=True) == codes.hyb_table(3, 0)).all()
        assert shown == [(table_codes.LLOYD_STEPS, 2, False), (table_codes.LLOYD_STEPS, 2, True)]

    def test_k_means_finds_clusters(self):
        """Four clusters of five points: the centroids are their means; a centroid far from all stays where it is."""
        rng = np.random.default_rng(0)
        corners = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0], [10.0, 10.0]])
        X = (corners[:, None] + rng.uniform(-1, 1, (4, 5, 2))).reshape(-1, 2)
        found = table_codes.k_means(X, np.vstack([X[::5], [[99.0, 99.0]]]))
        assert np.allclose(found[:4], X.reshape(4, 5, 2).mean(axis=1), rtol=1e-14, atol=1e-14)  # five terms each
        assert found[4].tolist() == [99.0, 99.0]

    def test_k_means_lowers_the_error(self):
        from scipy.spatial import cKDTree

        X = np.random.default_rng(1).standard_normal((4096, 2))
        before, after = (np.square(cKDTree(C).query(X)[0]).mean() for C in (X[:32], table_codes.k_means(X, X[:32])))
        assert after < 0.8 * before
