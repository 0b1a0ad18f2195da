"""QuIP# (arXiv:2402.04396), section 4.2 and appendix C: the codebook E8P, the nearest of its points, and its codes.

The points are multiples of 1/4, so nothing here is rounded; targets are multiples of 2^-10, on which every score is
exact in single precision.
"""

from collections import Counter
from itertools import product

import numpy as np
from hypothesis import strategies as st
from theorems.claims import for_all

from quipref.lattice import e8, e8p

SEEDS = st.integers(0, 2**32 - 1)
CODES = st.lists(st.integers(0, 2**16 - 1), min_size=1, max_size=50)
ALL = np.arange(2**16)


@st.composite
def vectors(draw):
    """One vector of multiples of 1/4, which shrinks to structure and ties, or some in generic position."""
    if draw(st.booleans()):
        return np.array([draw(st.lists(st.integers(-12, 12), min_size=8, max_size=8))]) / 4
    return np.round(np.random.default_rng(draw(SEEDS)).uniform(-3, 3, (10, 8)) * 2**10) / 2**10


def decoded(codes):
    return e8p.decode(codes, backend="numpy").astype(np.float64)


def squared(X):
    return np.square(X).sum(axis=-1)


def by_the_program(code):
    """The point of a code by the program's arithmetic: eight nibbles 2 v + 8 in a word, and a byte of signs."""
    v = e8p.patterns()[code >> 8].copy()
    v[7] *= -1 if v.sum() % 2 == 1 else 1
    word = sum(int(2 * v[i] + 8) << 4 * k for k, i in enumerate([0, 2, 4, 6, 1, 3, 5, 7]))
    odd = f"{code & 255:b}".count("1") % 2
    signs = code & 255 ^ odd
    turned = [(-1) ** (signs >> k & 1) * ((word >> 4 * k & 15) - 8) / 2 for k in range(8)]
    return [turned[k] + (-0.25 if odd else 0.25) for k in [0, 4, 1, 5, 2, 6, 3, 7]]


def by_the_paper(word):
    """The point of a word by the paper's rule, from its string of bits: eight, seven, one."""
    bits = f"{word:016b}"
    s, signs = e8p.patterns()[int(bits[:8], 2)], [-1 if bit == "1" else 1 for bit in bits[8:15]]
    for first in (1, -1):
        v = np.array([first, *signs]) * s
        if v.sum() % 2 == 0:
            return (v + (0.25 if bits[15] == "1" else -0.25)).tolist()
    raise ValueError(f"no sign makes the sum of {s} even.")


class TestE2Patterns:
    """E2, section 4.2 and appendix C. True; which 29 patterns are added, and in what order, only the program says.

    Of the vectors of absolute halves 1/2, 3/2, ... there are 1, 8, 28, 64 and 126 of squared norm 2, 4, 6, 8 and 10,
    together 227, and 224 of squared norm 12: 56 have five 3/2, and 168 one 5/2 and two 3/2. All 29 are of the 56.
    """

    def test_the_first_227_are_all_of_squared_norm_10(self):
        """Up to 7/2, beside which seven 1/2 have the squared norm 14; in lexicographic order."""
        halves = np.array(list(product((0.5, 1.5, 2.5, 3.5), repeat=8)))
        short = halves[squared(halves) <= 10]
        assert Counter(squared(short).tolist()) == {2: 1, 4: 8, 6: 28, 8: 64, 10: 126}
        assert len(short) == 227
        assert e8p.patterns()[:227].tolist() == sorted(short.tolist())

    def test_the_other_29_are_of_one_kind(self):
        halves = np.array(list(product((0.5, 1.5, 2.5, 3.5), repeat=8)))
        next_ones = halves[squared(halves) == 12]
        assert Counter(next_ones.max(axis=1).tolist()) == {1.5: 56, 2.5: 168}
        pads = {tuple(v) for v in e8p.patterns()[227:].tolist()}
        assert len(pads) == 29
        assert pads <= {tuple(v) for v in next_ones[next_ones.max(axis=1) == 1.5].tolist()}
        assert {sum(v) % 2 for v in pads} == {1}


class TestE3Codebook:
    """E3, section 4.2. True.

    The patterns with all signs that make their sum even, moved by 1/4 and by -1/4, are 2^16 distinct points of
    E8 + 1/4. Their mean is 0, the mean of |q|^2 / 8 is 1225 / 1024. The search finds the nearest of them.
    """

    def test_all_points_differ_and_lie_in_the_lattice(self):
        q = decoded(ALL)
        assert len(np.unique(q, axis=0)) == 2**16
        assert e8.contains(q - 0.25).all()

    def test_they_are_the_patterns_with_their_signs_and_shifts(self):
        """As many as there can be: half of the 2^8 signs of each pattern make its sum even."""
        expected = set()
        for signs in product((1, -1), repeat=8):
            v = np.array(signs) * e8p.patterns()
            even = v[v.sum(axis=1) % 2 == 0]
            expected |= {tuple(q) for shift in (0.25, -0.25) for q in (even + shift).tolist()}
        assert {tuple(q) for q in decoded(ALL).tolist()} == expected

    def test_the_moments(self):
        """sum of |q|^2 = 2^16 (mean of |v|^2 + 8 / 16), since signs and shift are independent of each other."""
        q = decoded(ALL)
        assert not q.sum(axis=0).any()
        of_patterns = 2 * 1 + 4 * 8 + 6 * 28 + 8 * 64 + 10 * 126 + 12 * 29
        assert squared(q).mean() == of_patterns / 256 + 8 / 16 == 8 * 1225 / 1024

    @for_all(vectors())
    def test_the_nearest_of_all_is_found(self, X):
        codes, X_hat = e8p.quantize(X, backend="numpy")
        assert (decoded(codes) == X_hat).all()
        table = decoded(ALL)
        least = [squared(x - table).min() for x in X]
        assert squared(X - X_hat).tolist() == least

    @for_all(vectors())
    def test_among_equals_the_rule_decides(self, X):
        """1/4 before -1/4, the least norm, the fewest 5/2, the first row, the first coordinate turned round."""
        table, v, below = decoded(ALL), e8p.patterns()[ALL >> 8], np.bitwise_count(ALL & 255) % 2
        codes, _ = e8p.quantize(X, backend="numpy")
        for x, found in zip(X, codes, strict=True):
            distances = squared(x - table)
            equals = np.flatnonzero(distances == distances.min())
            y = x - 0.25 + below[equals, None] / 2
            turned = ((table[equals] - 0.25 + below[equals, None] / 2 < 0) != (y < 0)) @ 2.0 ** np.arange(8)
            fives = v[equals].max(axis=1) == 2.5
            order = np.lexsort((turned, equals >> 8, fives, squared(v[equals]), below[equals]))
            assert found == equals[order[0]]

    @for_all(vectors(), st.just([True] * 8) | st.lists(st.booleans(), min_size=8, max_size=8), st.integers(40, 140))
    def test_what_vanishes_beside_a_quarter_counts_as_zero(self, X, small, e):
        """The only rounding here: what is below 2^-38 is lost in |x - d|, and in every sum of multiples of 2^-12."""
        X, zeros = np.where(small, X * 2.0**-e, X), np.where(small, 0, X)
        assert (e8p.quantize(X, backend="numpy")[0] == e8p.quantize(zeros, backend="numpy")[0]).all()

    @for_all(CODES)
    def test_every_point_is_its_own_nearest(self, codes):
        assert e8p.quantize(decoded(codes), backend="numpy")[0].tolist() == codes


class TestE4PrintedExample:
    """E4, appendix C.2. False in one coordinate, as printed.

    The pattern (1, 1, 1, 3, 1, 1, 1, 1) / 2, the signs 1001011 and the shift 1 make (-1, -1, 3, 7, -1, 3, -1, -1) / 4;
    the second coordinate is printed as -3/4.
    """

    def test_what_the_word_means(self):
        assert decoded(e8p.from_paper_format(self.word())).tolist() == [
            -0.25,
            -0.25,
            0.75,
            1.75,
            -0.25,
            0.75,
            -0.25,
            -0.25,
        ]

    def test_false_that_the_printed_vector_is_a_point(self):
        """Less 1/4 its sum is odd, less -1/4 its entries are no halves; its nearest point is elsewhere."""
        printed = np.array([-0.25, -0.75, 0.75, 1.75, -0.25, 0.75, -0.25, -0.25])
        assert not e8.contains(printed - 0.25)
        assert not (decoded(ALL) == printed).all(axis=1).any()
        assert squared(printed - e8p.quantize(printed, backend="numpy")[1]) > 0

    def word(self):
        row = np.flatnonzero((e8p.patterns() == np.array([1, 1, 1, 3, 1, 1, 1, 1]) / 2).all(axis=1))
        assert len(row) == 1
        return int(row[0]) << 8 | 0b1001011 << 1 | 1


class TestE5Formats:
    """E5, appendix C.2 and the authors' program. True, and there are two formats.

    The paper: 8 bits of pattern, 7 signs of the coordinates after the first, 1 for the shift 1/4. The program: the
    pattern, and a byte whose parity is the shift -1/4; the parity is put on bit 0, and the bits belong to the
    coordinates 0, 2, 4, 6, 1, 3, 5, 7, the last of which is stored as negative in a pattern of odd sum.
    """

    @for_all(CODES)
    def test_codes_mean_what_the_program_makes_of_them(self, codes):
        assert decoded(codes).tolist() == [by_the_program(code) for code in codes]

    @for_all(CODES)
    def test_words_mean_what_the_paper_says(self, words):
        assert decoded(e8p.from_paper_format(words)).tolist() == [by_the_paper(word) for word in words]

    def test_the_formats_name_the_same_points(self):
        words = e8p.to_paper_format(ALL)
        assert sorted(words.tolist()) == ALL.tolist()
        assert (e8p.from_paper_format(words) == ALL).all()

    @for_all(CODES)
    def test_a_code_is_told_in_the_words_of_the_paper(self, codes):
        assert [by_the_paper(word) for word in e8p.to_paper_format(codes).tolist()] == decoded(codes).tolist()

    def test_false_that_the_formats_agree(self):
        """Except for the row of the pattern, which is the high byte of both."""
        words = e8p.to_paper_format(ALL)
        assert (words >> 8 == ALL >> 8).all()
        assert (words != ALL).any()
