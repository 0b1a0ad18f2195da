"""Which Hadamard matrices there are: small orders by hand, H H^T = n I in integers, what the search takes."""

import numpy as np
import pytest
from sizes import size

from quipref import hadamard_plan
from quipref.incoherence.factorisation import base, block_orders
from quipref.incoherence.factors import Dense, SharedPair, Sylvester

MULTIPLES = range(4, 2001, 4)
# Widths of models that other programs have no matrix for, and ordinary ones.
MODELS = [10920, 4544, 3584, 768, 896, 1152, 1600, 2304, 2560, 2816, 4096, 4864, 5120, 5376, 5632, 5760, 6400, 6912]
MODELS += [8960, 10752, 10944, 11008, 12288, 13824, 14336, 17920, 18432, 18944, 21504, 22016, 27648, 28672, 29568]


def is_hadamard(H):
    """Entries +-1 and H H^T = n I, in integers."""
    n = len(H)
    gram = H.astype(np.float32) @ H.T.astype(np.float32)  # exact: sums of n signs
    return H.dtype == np.int8 and bool((np.abs(H) == 1).all() and (gram == n * np.eye(n)).all())


def is_hadamard_on_vectors(H, rng, vectors=16):
    """The same, but H H^T x = n x on random x from -4 ... 4: a matrix that is none passes each with at most 1/9."""
    x = rng.integers(-4, 5, (len(H), vectors)).astype(np.float32)
    signs = H.astype(np.float32)  # exact: 2000 * 2000 * 4 < 2^24
    return bool((np.abs(H) == 1).all() and (signs @ (signs.T @ x) == len(H) * x).all())


class TestByHand:
    def test_sylvester(self):
        assert hadamard_plan(1).matrix().tolist() == [[1]]
        assert hadamard_plan(2).matrix().tolist() == [[1, 1], [1, -1]]
        assert hadamard_plan(4).matrix().tolist() == [[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]]

    def test_paley_one_of_order_12(self):
        """+ on the diagonal and where j - i is none of the squares 1, 3, 4, 5, 9 modulo 11."""
        H = hadamard_plan(12).matrix()
        assert H[0].tolist() == [1] + [-1] * 11
        assert H[:, 0].tolist() == [1] * 12
        first = [1, -1, 1, -1, -1, -1, 1, 1, 1, -1, 1]
        assert H[1, 1:].tolist() == first
        assert H[2, 1:].tolist() == [first[-1], *first[:-1]]

    def test_paley_two_of_order_28(self):
        H = hadamard_plan(28).matrix()
        assert H[0].tolist() == [1] + [1] * 13 + [-1] + [1] * 13
        assert H[14].tolist() == [-1] + [1] * 13 + [-1] + [-1] * 13

    def test_two_matrices_that_share_a_factor(self):
        """Sylvester's matrices of order 4 share a 2 and make one of order 8: row 0 of A R / 2 is (1, 1; 0, 0)."""
        pair = SharedPair(Sylvester(4), Sylvester(4))
        assert pair.order == 8
        H = pair.matrix()
        assert H[0].tolist() == [1] * 8
        assert H[1].tolist() == [1, -1, 1, -1, 1, -1, 1, -1]
        assert is_hadamard(H)

    def test_fourier_on_two_complex_numbers(self):
        """(a + ib, c + id) -> sqrt(2) (sum, difference)."""
        plan = hadamard_plan(6)
        root = 2**0.5
        assert np.allclose(plan.matrix()[:2], root * np.array([[1, 0, 1, 0, 1, 0], [0, 1, 0, 1, 0, 1]]))
        cosine, sine = -root / 2, root * 3**0.5 / 2
        assert np.allclose(plan.matrix()[2], [root, 0, cosine, sine, cosine, -sine])

    def test_blocks(self):
        root = 3**0.5
        expected = [[root / 2**0.5, root / 2**0.5, 0], [root / 2**0.5, -root / 2**0.5, 0], [0, 0, root]]
        assert np.allclose(hadamard_plan(3).matrix(), expected)


class TestExactness:
    def test_every_exact_order_up_to_400(self):
        plans = [hadamard_plan(n) for n in range(1, 401)]
        exact = [plan for plan in plans if plan.exact]
        assert len(exact) == 2 + sum(plan.n % 4 == 0 for plan in exact) > 90
        for plan in exact:
            assert is_hadamard(plan.matrix()), plan.explain()

    def test_every_base_matrix_up_to_2000(self):
        rng = np.random.default_rng(0)
        bases = [found for n in MULTIPLES if n > 8 and (found := base(n))]
        assert {found.name.split(" over")[0].split(" of")[0] for found in bases} == {
            *("Paley I", "Paley II", "Williamson", "Miyamoto"),
        }
        for found in bases:
            assert is_hadamard_on_vectors(found.matrix(), rng), found.name

    def test_one_wrong_sign_is_seen(self):
        H = hadamard_plan(108).matrix()
        H[50, 60] *= -1
        assert not is_hadamard(H)
        assert not is_hadamard_on_vectors(H, np.random.default_rng(0))
        H[50, 60] = 0
        assert not is_hadamard_on_vectors(H, np.random.default_rng(0))

    def test_three_matrices_that_share_factors(self):
        plan = hadamard_plan(1680)
        assert plan.explain().startswith("1680 = 12 * 20 * 28 / 4: ")
        assert is_hadamard(plan.matrix())

    @pytest.mark.parametrize("n", MODELS)
    def test_model_widths_are_exact(self, n):
        """H^T H x = n x on integers, exactly, since every sum on the way is an integer below 2^53."""
        plan = hadamard_plan(n)
        assert plan.exact
        x = np.random.default_rng(n).integers(-1000, 1001, n).astype(np.float64)
        if size(True, n < 1000):
            there = plan.unnormalised(x.copy())
            assert (there == np.rint(there)).all()
            assert (plan.unnormalised(there, transpose=True) == n * x).all()

    def test_how_many_orders_up_to_2000_are_exact(self):
        count = sum(hadamard_plan(n).exact for n in MULTIPLES)
        assert count >= 370
        assert f"Exact for {count} of the {len(MULTIPLES)} multiples of 4 up to 2000" in hadamard_plan.__doc__

    def test_no_other_orders_are(self):
        assert not any(hadamard_plan(n).exact for n in range(3, 1000) if n % 4)

    def test_13696_has_none(self):
        assert not hadamard_plan(13696).exact

    @pytest.mark.parametrize("j", [0, 1, 2])
    @pytest.mark.parametrize("n", MULTIPLES[1::31])
    def test_a_multiple_of_an_exact_order_by_a_power_of_two_is_exact(self, n, j):
        assert hadamard_plan(n << j).exact >= hadamard_plan(n).exact


class TestChoice:
    def test_the_order_of_the_factors(self):
        assert [factor.order for factor in hadamard_plan(1536).factors] == [12, 128]
        assert [factor.order for factor in hadamard_plan(29568).factors] == [12, 28, 44, 2]

    @pytest.mark.parametrize("n", [1, 12, 336, 1536, 3584, 1680, 13696, 4097, 10920])
    def test_the_orders_multiply_to_n(self, n):
        assert np.prod([factor.order for factor in hadamard_plan(n).factors]) == n

    def test_small_factors_are_taken_before_one_large_one(self):
        """336 = 12 x 28 takes 40 operations an entry, and 84 x 4 (Paley I over GF(83)) would take 86."""
        assert base(84)
        assert [factor.order for factor in hadamard_plan(336).factors] == [12, 28]
        assert [factor.order for factor in hadamard_plan(168).factors] == [168]  # 12 * 28 / 2
        assert [factor.order for factor in hadamard_plan(84).factors] == [84]

    def test_a_dense_factor_is_never_larger_than_its_limit(self):
        assert hadamard_plan(8188).factors == (Dense("Paley II over GF(4093)", 8188, None),)
        assert not hadamard_plan(4 * 2053).exact  # 8212 = 8211 + 1 with 8211 = 3 * 7 * 17 * 23
        assert not hadamard_plan(8220).exact  # 8219 is a prime 3 modulo 4
        assert base(8220) is None

    @pytest.mark.parametrize("n", [10**9 + 7, 3**20, 4 * 3**12 * 10007, 2**61 - 1])
    def test_huge_orders_have_a_plan(self, n):
        plan = hadamard_plan(n)
        assert plan.n == n
        assert sum(block_orders(n)) == n

    def test_blocks_are_the_largest_first(self):
        for n in range(1, 200):
            first, *rest = block_orders(n)
            assert first == max(m for m in range(1, n + 1) if hadamard_plan(m).exact)
            assert rest == (block_orders(n - first) if n > first else [])
