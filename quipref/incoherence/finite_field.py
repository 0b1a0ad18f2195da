"""Finite fields of odd order, as far as Paley's matrices need them: which elements are squares.

An element of GF(q), q = p^k, is a polynomial over GF(p) modulo one that is irreducible of degree k. Its
number, from 0 to q - 1, is its value at p: the coefficients are the digits of the number to the base p,
the lowest first. For k = 1 the numbers are the residues modulo p.
"""

from functools import lru_cache
from math import isqrt

import numpy as np


@lru_cache(maxsize=4096)
def prime_power(q):
    """(p, k) with q = p^k and p prime, or None."""
    if q < 2:
        return None
    p = next((d for d in range(2, isqrt(q) + 1) if q % d == 0), q)
    k = 0
    while q % p == 0:
        q, k = q // p, k + 1
    return (p, k) if q == 1 else None


def elements(p, k):
    """(q, k): the coefficients of every element, in the order of their numbers."""
    return np.arange(p**k)[:, None] // p ** np.arange(k) % p


def multiply(A, B, modulus, p):
    """Products of the elements A and B (..., k), modulo x^k + modulus_{k-1} x^{k-1} + ... + modulus_0."""
    k = len(modulus)
    product = np.zeros((*A.shape[:-1], 2 * k - 1), np.int64)
    for i in range(k):
        for j in range(k):
            product[..., i + j] += A[..., i] * B[..., j]
    for top in range(2 * k - 2, k - 1, -1):  # x^top = -x^(top - k) (modulus_0 + modulus_1 x + ...)
        product[..., top - k : top] -= product[..., top, None] * modulus
        product %= p
    return product[..., :k] % p


def squares(p, k):
    """The numbers of the squares of GF(p^k), zero among them, in ascending order.

    The modulus is the first that leaves (q + 1) / 2 squares, which makes the ring a field: a nonzero a
    and -a differ and have one square, so there are at most (q + 1) / 2, and in a ring with zero divisors
    fewer, since there either a nonzero element squares to 0 or 1 has further roots besides 1 and -1.
    """
    A = elements(p, k)
    for modulus in A:
        found = np.unique(multiply(A, A, modulus, p) @ p ** np.arange(k))
        if len(found) == (p**k + 1) // 2:
            break
    return found


def quadratic_character(q):
    """chi (q,), int8: 0 for the element 0, 1 for the other squares, -1 for what is no square; q is odd."""
    chi = np.full(q, -1, np.int8)
    chi[squares(*prime_power(q))] = 1
    chi[0] = 0
    return chi


def character_of_differences(q):
    """Q (q, q), int8, with Q_ij = chi(j - i).

    Q Q^T = q I - J, and Q^T = chi(-1) Q, where chi(-1) = 1 for q = 1 mod 4 and -1 for q = 3 mod 4.
    """
    p, k = prime_power(q)
    return circulant(quadratic_character(q).reshape((p,) * k))  # numbers are added digit by digit


def circulant(table):
    """The matrix with entry table[j - i] in row i and column j; a table with k axes gives blocks nested k deep."""
    p = len(table)
    if table.ndim == 1:
        twice = np.concatenate([table, table])
        return np.stack([twice[p - i : 2 * p - i] for i in range(p)])
    blocks = [circulant(part) for part in table]
    return np.block([[blocks[j - i] for j in range(p)] for i in range(p)])  # a negative index counts from the end
