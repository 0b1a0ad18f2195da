"""Each kind of rotation against its definition, and the randomness it draws."""

from itertools import permutations

import numpy as np
import pytest
from scipy.linalg import block_diag
from voice import says

from quipref import BlockDiagonal, KroneckerHaar, RandomizedFourier, RandomizedHadamard, hadamard_plan
from quipref.incoherence import seeds
from quipref.incoherence.kronecker import alternate_factors, haar

EPS = np.finfo(float).eps
WORDS = [17573789839564935451, 3162808723663508594]  # the first two for the signs of seed 0


def close(found, expected, roundings=8):
    return np.abs(found - expected).max() <= roundings * EPS


class TestFactors:
    @pytest.mark.parametrize(
        ("n", "factors"),
        [
            (1, (1, 1)), (2, (2, 1)), (7, (7, 1)), (6, (2, 3)), (30, (10, 3)), (60, (6, 10)), (64, (8, 8)),
            (96, (8, 12)), (128, (16, 8)), (49, (7, 7)), (4096, (64, 64)), (11008, (688, 16)), (4093, (4093, 1)),
        ],
    )  # fmt: skip
    def test_ascending_primes_are_dealt_out_in_turn(self, n, factors):
        assert alternate_factors(n) == factors


class TestKronecker:
    def test_by_hand(self):
        """x = (1 2 3 / 4 5 6): a quarter turn of the rows; then the columns 2, 3 and -1; at last a swap of two."""
        B0, B1 = np.array([[0.0, -1.0], [1.0, 0.0]]), np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [-1.0, 0.0, 0.0]])
        x = np.arange(1.0, 7)
        assert KroneckerHaar.from_parts(B0, B1).apply(x).tolist() == [-5, -6, 4, 2, 3, -1]
        swap = [1, 0, 2, 3, 4, 5]
        assert KroneckerHaar.from_parts(B0, B1, p_out=swap).apply(x).tolist() == [-6, -5, 4, 2, 3, -1]
        assert KroneckerHaar.from_parts(B0, B1, p_in=swap).apply(x).tolist() == [-5, -6, 4, 1, 3, -2]

    def test_without_permutations_it_is_the_kronecker_product(self):
        V = KroneckerHaar(12, seed=0, permute=False)
        assert V.factors == (6, 2)
        assert V.p_in is V.p_out is None
        assert close(V.matrix(), np.kron(V.B0, V.B1))

    def test_permutations_come_first_and_last(self):
        V = KroneckerHaar(12, seed=1)
        eye = np.eye(12)
        assert close(V.matrix(), eye[V.p_out] @ np.kron(V.B0, V.B1) @ eye[V.p_in])
        assert (np.sort([V.p_in, V.p_out]) == np.arange(12)).all()
        assert (V.p_in != V.p_out).any()

    def test_blocks_have_a_factor_for_each_place(self):
        """First B0[j] on column j of the table, then B1[i] on its row i."""
        V = KroneckerHaar(12, seed=2, shared=False, permute=False)
        assert V.B0.shape == (2, 6, 6)
        assert V.B1.shape == (6, 2, 2)
        table = np.random.default_rng(0).standard_normal((6, 2))
        columns = np.stack([V.B0[j] @ table[:, j] for j in range(2)], axis=1)
        rows = np.stack([V.B1[i] @ columns[i] for i in range(6)])
        assert close(V.apply(table.reshape(-1)), rows.reshape(-1), 8 * 12)
        assert np.abs(V.B0[0] - V.B0[1]).max() > 0.01

    def test_a_prime_is_one_dense_factor(self):
        V = KroneckerHaar(7, seed=3, permute=False)
        assert close(V.matrix(), V.B1[0, 0] * V.B0)

    def test_parts_are_those_of_a_seed_again(self):
        V = KroneckerHaar(12, seed=4, shared=False)
        again = KroneckerHaar.from_parts(V.B0, V.B1, V.p_in, V.p_out)
        assert again == V
        assert again.seed is None

    def test_parts_are_copied(self):
        B0 = np.eye(2)
        V = KroneckerHaar.from_parts(B0, np.eye(3))
        B0[0, 0] = 5
        assert (V.matrix() == np.eye(6)).all()

    def test_factors_in_single_precision(self):
        V = KroneckerHaar(4096, seed=5)
        again = KroneckerHaar.from_parts(V.B0.astype(np.float32).astype(float), V.B1.astype(np.float32))
        assert again.B1.dtype == np.float32
        with says(ValueError, "B0 must have orthonormal columns, but max |Q^T Q - I| is 2.0e-03. Orthonormalise it"):
            KroneckerHaar.from_parts(V.B0 * 1.001, V.B1)

    def test_bad_parts(self):
        make, B0, B1 = KroneckerHaar.from_parts, np.eye(2), np.eye(3)
        for B in (np.ones((2, 3)), np.ones(4), np.ones((1, 1, 2, 2)), np.ones((0, 0))):
            words = f"must be a square matrix or a stack of them, but its shape is {B.shape}."
            with says(ValueError, "B0 " + words):
                make(B, B1)
        with says(ValueError, "B1 must be one matrix or 2 of them for factors of order 2 and 3", "(3, 3, 3)"):
            make(B0, np.array([B1] * 3))
        with says(TypeError, "B0 must hold real floating-point numbers"):
            make(np.eye(2, dtype=int), B1)
        for p in (np.arange(5), np.arange(1, 7), np.zeros(6, int), np.arange(6).reshape(2, 3)):
            with says(ValueError, f"p_in must hold each of 0 ... 5 once, but its shape is {p.shape}"):
                make(B0, B1, p)
        with says(TypeError, "p_out must hold integers, but its dtype is float64."):
            make(B0, B1, None, np.arange(6.0))


class TestHadamard:
    @pytest.mark.parametrize("n", [1, 2, 6, 7, 8, 12, 20])
    def test_it_is_the_plan_after_the_signs(self, n):
        V = RandomizedHadamard(n, seed=0)
        assert close(V.matrix(), hadamard_plan(n).matrix() * V.signs / np.sqrt(n), 4 * n)

    def test_by_hand(self):
        V = RandomizedHadamard.from_signs(np.array([1, -1, -1, 1], np.float16))
        assert V.apply(np.array([1.0, 2.0, 3.0, 4.0])).tolist() == [0, -2, -1, 5]
        assert V.undo(np.array([0.0, -2.0, -1.0, 5.0])).tolist() == [1, 2, 3, 4]
        assert V.seed is None

    def test_an_exact_plan_on_request(self):
        for n in (1, 2, 12, 64):
            assert RandomizedHadamard(n, seed=0, exact=True) == RandomizedHadamard(n, seed=0)
        words = "n must have an exact Hadamard plan for exact=True, but 6 came: ", "Fourier", "blocks would be 4 + 2"
        with says(ValueError, *words, "Take that with exact=False, or KroneckerHaar(6, seed=0)."):
            RandomizedHadamard(6, seed=0, exact=True)
        with says(ValueError, "but 7 came: ", "blocks of 4 + 2 + 1", "exact=False"):
            RandomizedHadamard(7, seed=0, exact=True)

    def test_bad_signs(self):
        for signs, shape in [([], "(0,)"), ([[1, -1]], "(1, 2)"), ([1, 0], "(2,)"), ([1.0, np.nan], "(2,)")]:
            with says(ValueError, f"signs must be a vector of +1 and -1, but one of shape {shape}"):
                RandomizedHadamard.from_signs(np.array(signs, float))
        with says(TypeError, "signs must hold signed numbers, but its dtype is bool."):
            RandomizedHadamard.from_signs(np.array([True, False]))


class TestFourier:
    def test_one_complex_number_is_turned(self):
        V = RandomizedFourier(2, seed=0)
        c, s = np.cos(V.phases[0]), np.sin(V.phases[0])
        assert close(V.matrix(), np.array([[c, -s], [s, c]]))

    def test_it_is_the_unitary_transform_after_the_phases(self):
        """a + ib acts on (x, y) as [[a, -b], [b, a]]."""
        V, N = RandomizedFourier(10, seed=1), 5
        F = np.exp(-2j * np.pi * np.outer(np.arange(N), np.arange(N)) / N) / np.sqrt(N) * np.exp(1j * V.phases)
        expected = np.kron(F.real, np.eye(2)) + np.kron(F.imag, np.array([[0, -1], [1, 0]]))
        assert close(V.matrix(), expected, 64)

    def test_an_odd_size(self):
        words = "n must be even for RandomizedFourier, which takes R^n as C^(n/2), but 7 came."
        with says(ValueError, words, "Use KroneckerHaar(7, seed=0) or RandomizedHadamard(7, seed=0)."):
            RandomizedFourier(7, seed=0)


class TestBlocks:
    def test_it_is_block_diagonal(self):
        parts = [RandomizedHadamard(4, seed=0), KroneckerHaar(3, seed=1), RandomizedFourier(2, seed=2)]
        V = BlockDiagonal(iter(parts))
        assert V.n == 9
        assert V.seed is None
        assert close(V.matrix(), block_diag(*(part.matrix() for part in parts)))

    def test_bad_blocks(self):
        with says(ValueError, "rotations must hold at least one rotation, but none came."):
            BlockDiagonal([])
        with says(TypeError, "rotations must hold rotations only, but number 1 is 3 (int)."):
            BlockDiagonal([KroneckerHaar(2, seed=0), 3])


TRIALS, F = 4000, 4  # orthogonal matrices of order 4, each moment within five standard errors


def errors_off(samples, mean, variance):
    """How many standard errors the worst sample mean is off."""
    return np.abs(samples.mean(axis=0) - mean).max() / np.sqrt(variance / TRIALS)


class TestHaar:
    @pytest.fixture
    def Q(self):
        return haar(0, "test", (TRIALS, F, F))

    def test_first_and_second_moments(self, Q):
        assert errors_off(Q, 0, 1 / F) < 5
        assert errors_off(np.square(Q), 1 / F, 3 / (F * (F + 2)) - 1 / F**2) < 5
        assert errors_off(Q[:, 0, 0] * Q[:, 0, 1], 0, 1 / (F * (F + 2))) < 5  # uncorrelated
        assert errors_off(Q[:, 0, 0] * Q[:, 1, 1], 0, (F + 1) / (F * (F - 1) * (F + 2))) < 5

    def test_both_determinants_are_as_frequent(self, Q):
        assert errors_off(np.linalg.det(Q).round(), 0, 1) < 5

    def test_it_turns_with_the_gaussian(self, Q):
        """G = Q R with R upper and its diagonal positive determines Q, so that U G has U Q: uniform, as U G is as G."""
        G = seeds.gaussian(0, "test", (TRIALS, F, F))
        R = np.swapaxes(Q, 1, 2) @ G
        assert (np.abs(np.tril(R, -1)).max(axis=(1, 2)) <= 8 * F * EPS * np.linalg.norm(G, axis=(1, 2))).all()
        assert np.einsum("tii->ti", R).min() > 0

    def test_without_the_signs_of_r_it_fails(self):
        plain = np.linalg.qr(seeds.gaussian(0, "test", (TRIALS, F, F)))[0]
        assert errors_off(plain, 0, 1 / F) > 50

    def test_factors_are_drawn_by_it(self):
        V = KroneckerHaar(16, seed=7)
        B0, B1 = haar(7, "B0", (4, 4)), haar(7, "B1", (4, 4))
        assert (B0 == V.B0).all()
        assert (B1 == V.B1).all()
        assert np.abs(B0 - B1).max() > 0.1


class TestDraws:
    """What a stored seed must give for ever, and that it is random."""

    def test_signs_and_permutations_to_the_bit(self):
        assert seeds.words(0, "signs", 2).tolist() == WORDS
        bits = [WORDS[0] >> j & 1 for j in range(64)] + [WORDS[1] >> j & 1 for j in range(6)]
        assert seeds.signs(0, "signs", 70).tolist() == [1 - 2 * bit for bit in bits]
        assert RandomizedHadamard(16, seed=0).signs.tolist() == [1 - 2 * bit for bit in bits[:16]]
        words = seeds.words(0, "p_in", 5).tolist()
        assert seeds.permutation(0, "p_in", 5).tolist() == sorted(range(5), key=words.__getitem__)

    def test_phases_and_gaussians_up_to_the_last_digits(self):
        u = [word / 2**64 for word in seeds.words(0, "u", 4).tolist()]
        assert seeds.uniform(0, "u", 4) == pytest.approx(u, abs=2**-53)
        expected = [np.sqrt(-2 * np.log(1 - u[i])) * np.cos(2 * np.pi * u[i + 2]) for i in (0, 1)]
        assert seeds.gaussian(0, "u", (2, 1))[:, 0] == pytest.approx(expected, abs=1e-13)
        assert RandomizedFourier(4, seed=0).phases == pytest.approx(2 * np.pi * seeds.uniform(0, "phases", 2))

    def test_streams_are_apart(self):
        """Of purposes and seeds from each other, and from the generator that may have drawn the layer."""
        draws = [seeds.words(0, "B0", 3), seeds.words(0, "B1", 3), seeds.words(1, "B0", 3)]
        draws += [np.random.PCG64(0).random_raw(3), np.random.PCG64(0).spawn(1)[0].random_raw(3)]
        assert len({word for draw in draws for word in draw.tolist()}) == 15

    def test_signs_are_fair_and_independent(self):
        count = 64_000
        signs = seeds.signs(1, "signs", count)
        assert set(signs.tolist()) == {-1, 1}
        for lag in (0, 1, 63, 64):
            products = signs[lag:] * (signs[: count - lag] if lag else 1)
            assert abs(products.mean()) < 5 / np.sqrt(len(products))

    def test_permutations_are_uniform(self):
        trials = 6000
        found = [tuple(seeds.permutation(seed, "p", 3).tolist()) for seed in range(trials)]
        spread = np.sqrt(trials * 1 / 6 * 5 / 6)
        assert all(abs(found.count(p) - trials / 6) < 5 * spread for p in permutations(range(3)))

    def test_gaussians_are_standard_normal(self):
        x = seeds.gaussian(2, "x", (40_000,))
        for power, mean, variance in [(1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)]:
            assert abs((x**power).mean() - mean) < 5 * np.sqrt(variance / len(x))
        halves = x[:20_000] * x[20_000:]
        assert abs(halves.mean()) < 5 / np.sqrt(len(halves))
