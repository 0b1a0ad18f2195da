"""The hybrid code: its values by hand, the small table from them, and the k-means that makes such a table."""

import numpy as np
import pytest
from voice import says

from quipref.trellis import codes, table_codes


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


class TestHybridEntries:
    @pytest.mark.parametrize("signed", [True, False])
    def test_the_inverse(self, signed):
        table = np.random.default_rng(0).standard_normal((512, 2)).astype(np.float32)
        table[5] = 0.0, -0.0
        found = codes.hyb_entries(codes.hyb(table, 16, signed=signed), 9, signed=signed)
        assert (found.view(np.uint32) == table.view(np.uint32)).all()

    def test_rows_that_no_state_reaches(self):
        """s (s + 1) is even, so the lowest bit of a row of 15 is never set; and two states reach one row of two."""
        found = codes.hyb_entries(codes.hyb(np.ones((2**15, 1)), 16), 15)
        assert not found[1::2].any()
        assert codes.hyb_entries(np.ones((2, 1)), 1).tolist() == [[1], [0]]

    def test_a_table_of_another_size_is_found_out(self):
        values = codes.hyb(np.arange(1.0, 9.0).reshape(4, 2), 16)
        for table_bits, signed in ((1, True), (2, False)):
            with says(ValueError, "values must be those of a hybrid code with a table of", "Pass what"):
                codes.hyb_entries(values, table_bits, signed=signed)
        before = values.copy()
        assert codes.hyb_entries(values, 3).shape == (8, 2)  # a larger table holds each row twice
        assert (values == before).all()

    def test_refusals(self):
        with says(ValueError, "table_bits must be from 1 to 15"):
            codes.hyb_entries(np.ones((4, 1)), 16)
        with says(ValueError, "values must have a row for each"):
            codes.hyb_entries(np.ones((3, 1)), 1)


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
