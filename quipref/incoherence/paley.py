"""Hadamard matrices from finite fields: Paley's two constructions, and Miyamoto's from a smaller one.

J is the matrix of ones; chi and Q are those of `finite_field`.
"""

import numpy as np

from quipref.incoherence.finite_field import character_of_differences

ALTERNATING = np.array([[1, -1], [-1, 1]], np.int8)
SYLVESTER_4 = np.array([[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]], np.int8)


def paley_one(q):
    """Order q + 1 for a prime power q = 3 mod 4: [[1, -e], [e^T, I - Q]], e = (1, ..., 1).

    Paley, On orthogonal matrices, J. Math. Phys. 12 (1933), 311-320; the signs are those of QuIP#.
    """
    H = np.ones((q + 1, q + 1), np.int8)
    H[0, 1:] = -1
    H[1:, 1:] = np.eye(q, dtype=np.int8) - character_of_differences(q)
    return H


def conference(q):
    """C = [[0, e], [e^T, Q]], symmetric of order q + 1 for a prime power q = 1 mod 4: C C^T = q I."""
    C = np.ones((q + 1, q + 1), np.int8)
    C[0, 0] = 0
    C[1:, 1:] = character_of_differences(q)
    return C


def paley_two(q):
    """Order 2 (q + 1) for a prime power q = 1 mod 4: [[C + I, C - I], [C - I, -C - I]]."""
    C, I = conference(q), np.eye(q + 1, dtype=np.int8)
    return np.block([[C + I, C - I], [C - I, -C - I]])


def miyamoto(q, K):
    """Order 4 q for a prime power q = 1 mod 4, from a Hadamard matrix K of order q - 1.

    Miyamoto, A construction for Hadamard matrices, J. Comb. Theory A 57 (1991), 86-108; derived here anew:

    1. C without its first two rows and columns is U, of order q - 1. Sorted by the row (1, 0, e, -e) of C that
       was taken away, U has a zero diagonal, U U^T = q I - 2 diag(J, J), and rows that sum to -1 and, in
       the second half, to +1.
    2. V = [[I, K], [-K^T, I]] has V V^T = q I, and its entries are zero just where those of diag(U, U) are not.
    3. So T = diag(U, U) (x) [[1, 1], [1, 1]] + V (x) [[1, -1], [-1, 1]] has entries +-1, and
       T T^T = 4 q I - 4 diag(J, J, J, J): four rows and columns complete it.
    4. These are the 4 x 4 Hadamard matrices M (the corner), c (each entry a column of signs) and b (a row of
       signs). Border and T are orthogonal for b = -M c^T diag(-1, 1, -1, 1) / 2, and that is a matrix of
       signs since every row of M has the product +-2 with every row of c.
    """
    C = conference(q)
    order = 2 + np.argsort(-C[1, 2:], kind="stable")
    U = C[np.ix_(order, order)]
    I = np.eye(q - 1, dtype=np.int8)
    V = np.block([[I, K], [-K.T, I]])
    T = np.kron(np.kron(np.eye(2, dtype=np.int8), U), np.ones((2, 2), np.int8)) + np.kron(V, ALTERNATING)
    M, side = SYLVESTER_4, np.ones((1, q - 1), np.int8)
    c = M * np.array([-1, 1, 1, 1], np.int8)
    b = -(M @ c.T) // 2 * np.array([-1, 1, -1, 1], np.int8)
    return np.block([[M, np.kron(b, side)], [np.kron(c, side.T), T]])
