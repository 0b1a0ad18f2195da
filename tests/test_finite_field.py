"""Finite fields: arithmetic by hand, squares against Euler, the matrix that Paley needs."""

import numpy as np
import pytest

from quipref.incoherence import finite_field as field

ODD_PRIME_POWERS = [q for q in range(3, 200, 2) if field.prime_power(q)]


class TestPrimePowers:
    @pytest.mark.parametrize(
        ("q", "expected"),
        [(2, (2, 1)), (3, (3, 1)), (9, (3, 2)), (32, (2, 5)), (343, (7, 3)), (1681, (41, 2)), (8191, (8191, 1))],
    )
    def test_they_are_taken_apart(self, q, expected):
        assert field.prime_power(q) == expected

    @pytest.mark.parametrize("q", [-3, 0, 1, 6, 12, 15, 45, 91, 667, 1024 * 3])
    def test_others_are_none(self, q):
        assert field.prime_power(q) is None

    def test_there_are_25_primes_and_10_further_powers_below_100(self):
        found = [field.prime_power(q) for q in range(100)]
        assert sum(f is not None and f[1] == 1 for f in found) == 25
        assert [q for q, f in enumerate(found) if f and f[1] > 1] == [4, 8, 9, 16, 25, 27, 32, 49, 64, 81]


class TestArithmetic:
    def test_numbers_are_written_with_the_lowest_coefficient_first(self):
        assert field.elements(3, 2).tolist() == [[0, 0], [1, 0], [2, 0], [0, 1], [1, 1], [2, 1], [0, 2], [1, 2], [2, 2]]

    def test_a_product_modulo_x2_plus_1(self):
        """(1 + x)(2 + x) = 2 + 3 x + x^2 = 2 - 1 = 1 over GF(3); x^2 = -1 = 2."""
        A, B = np.array([[1, 1], [0, 1]]), np.array([[2, 1], [0, 1]])
        assert field.multiply(A, B, np.array([1, 0]), 3).tolist() == [[1, 0], [2, 0]]

    def test_a_product_whose_reduction_carries_on(self):
        """x^4 = x (x^3) = x (1 + 2 x^2) = x + 2 x^3 = 2 + x + 4 x^2 modulo x^3 - 2 x^2 - 1 over GF(5)."""
        x2 = np.array([0, 0, 1])
        assert field.multiply(x2, x2, np.array([4, 0, 3]), 5).tolist() == [2, 1, 4]

    @pytest.mark.parametrize(("p", "k"), [(3, 2), (3, 3), (5, 2), (7, 2)])
    def test_a_modulus_with_zero_divisors_leaves_fewer_squares(self, p, k):
        """So the count of the squares tells a field: compared with a search for zero divisors."""
        A = field.elements(p, k)
        left, right = np.broadcast_arrays(A[:, None], A)
        fields = 0
        for modulus in A:
            products = field.multiply(left, right, modulus, p) @ p ** np.arange(k)
            is_field = (products[1:, 1:] != 0).all()
            n_squares = len(np.unique(products.diagonal()))
            assert (n_squares == (p**k + 1) // 2) == is_field
            assert n_squares <= (p**k + 1) // 2
            fields += is_field
        assert fields == (p**k - p) // k  # as many as there are monic irreducible polynomials, k a prime


class TestSquares:
    def test_modulo_11(self):
        assert field.squares(11, 1).tolist() == [0, 1, 3, 4, 5, 9]

    def test_in_the_field_of_nine(self):
        """The modulus is x^2 + 1, the first that is irreducible: the squares are 0, 1, 2 and (1 + x)^2 = 2 x, x."""
        assert field.squares(3, 2).tolist() == [0, 1, 2, 3, 6]

    @pytest.mark.parametrize("p", [3, 7, 13, 101])
    def test_euler(self, p):
        """chi(a) = a^((p - 1)/2) modulo p."""
        euler = [pow(a, (p - 1) // 2, p) for a in range(p)]
        assert (field.quadratic_character(p) % p == euler).all()


class TestDifferences:
    def test_modulo_5(self):
        expected = [[0, 1, -1, -1, 1], [1, 0, 1, -1, -1], [-1, 1, 0, 1, -1], [-1, -1, 1, 0, 1], [1, -1, -1, 1, 0]]
        assert field.character_of_differences(5).tolist() == expected

    @pytest.mark.parametrize("q", [9, 25, 27])
    def test_numbers_are_subtracted_digit_by_digit(self, q):
        p, k = field.prime_power(q)
        digits = field.elements(p, k)
        difference = (digits[None] - digits[:, None]) % p @ p ** np.arange(k)
        assert (field.character_of_differences(q) == field.quadratic_character(q)[difference]).all()

    @pytest.mark.parametrize("q", ODD_PRIME_POWERS)
    def test_rows_have_product_minus_one(self, q):
        """Q Q^T = q I - J, which holds for the squares of a field and not for just any half of its elements."""
        Q = field.character_of_differences(q)
        assert Q.dtype == np.int8
        assert (Q.astype(int) @ Q.T == q * np.eye(q) - 1).all()
        assert ((1 if q % 4 == 1 else -1) * Q == Q.T).all()
