"""LDL and block LDL: by hand, by definition, singular, indefinite, and at the limits of refusal."""

import re

import numpy as np
import pytest
from sizes import size
from voice import says

import quipref
from quipref import block_ldl, ldl
from quipref.factor import PANEL

EPS = np.finfo(np.float64).eps
SIZES = [1, 2, PANEL - 1, PANEL, PANEL + 1, size(300, 130)]

# (U + I) diag(D) (U + I)^T multiplied out on paper; every step of a factorisation of it is exact.
U_BY_HAND = np.array([[0.0, 0.5, -1.0], [0.0, 0.0, 2.0], [0.0, 0.0, 0.0]])
D_BY_HAND = np.array([9.0, 4.0, 1.0])
H_BY_HAND = np.array([[11.0, 0.0, -1.0], [0.0, 8.0, 2.0], [-1.0, 2.0, 1.0]])


def gram(n, rank, seed):
    """A random semidefinite matrix of that rank, its eigenvalues of comparable size."""
    X = np.random.default_rng(seed).standard_normal((rank, n))
    H = X.T @ X / max(rank, 1)
    return (H + H.T) / 2


def rebuilt(U, D):
    B = U + np.eye(len(U))
    return (B * D) @ B.T


def growth(H, alive):
    """How elimination without pivoting amplifies rounding in the part that it leaves over: 1 + |H_aa^-1 H_ad|^2.

    Higham, Accuracy and Stability of Numerical Algorithms, section 10.3.1; 1 for a definite H.
    """
    if alive.all() or not alive.any():
        return 1.0
    return 1 + np.linalg.norm(np.linalg.solve(H[np.ix_(alive, alive)], H[np.ix_(alive, ~alive)]), 2) ** 2


def assert_factors(H, U, D, eps=EPS):
    """What `ldl` promises; backward stable, so the rebuilt H is off by a few n eps max |H|."""
    assert (U[np.tril_indices(len(H))] == 0).all()
    assert (D >= 0).all()
    assert (U[:, D == 0] == 0).all()
    tolerance = 8 * len(H) * eps * np.abs(H).max(initial=0.0) * growth(np.float64(H), D > 0)
    np.testing.assert_allclose(rebuilt(U, D), H, rtol=0, atol=tolerance)


class TestLdl:
    def test_by_hand(self):
        U, D = ldl(H_BY_HAND)
        assert (U == U_BY_HAND).all()
        assert (D == D_BY_HAND).all()

    @pytest.mark.parametrize("n", SIZES)
    def test_definition(self, n):
        H = gram(n, 2 * n, seed=n)
        U, D = ldl(H)
        assert_factors(H, U, D)
        assert D[-1] == pytest.approx(H[-1, -1], rel=1e-14)  # nothing follows the last column
        assert np.log(D).sum() == pytest.approx(np.linalg.slogdet(H)[1], rel=1e-9, abs=1e-9)

    def test_reversing_h_gives_the_lower_cholesky_factor(self):
        H = gram(40, 80, seed=0)
        U, D = ldl(H[::-1, ::-1])
        R = np.linalg.cholesky(H)
        np.testing.assert_allclose(D[::-1], np.diag(R) ** 2, rtol=1e-10)
        np.testing.assert_allclose(U[::-1, ::-1] + np.eye(40), R / np.diag(R), atol=1e-10)
        assert abs(D.sum() - ldl(H)[1].sum()) > 0.01 * D.sum()  # not the same factorisation

    def test_a_scaled_h_has_the_same_u(self):
        H = gram(20, 40, seed=1)
        U, D = ldl(H)
        for scale in [2.0**-600, 2.0**40]:
            U_scaled, D_scaled = ldl(H * scale)
            np.testing.assert_allclose(U_scaled, U, rtol=1e-12)
            np.testing.assert_allclose(D_scaled, D * scale, rtol=1e-12)

    def test_nothing_and_one(self):
        U, D = ldl(np.zeros((0, 0)))
        assert U.shape == (0, 0)
        assert D.shape == (0,)
        U, D = ldl(np.array([[3.0]]))
        assert U.tolist() == [[0.0]]
        assert D.tolist() == pytest.approx([3.0], rel=1e-15)

    @pytest.mark.parametrize(("given", "asked"), [(np.float32, np.float64), (np.float64, np.float32)])
    def test_dtypes(self, given, asked):
        H = gram(50, 100, seed=2).astype(given)
        U, D = ldl(H, dtype=asked)
        assert U.dtype == D.dtype == asked
        assert_factors(H, U, D, eps=np.finfo(np.float32).eps if asked == np.float32 else EPS)
        assert ldl(H)[0].dtype == np.float64

    @pytest.mark.parametrize("dtype", [np.float16, np.int64, np.complex128])
    def test_other_precisions_are_refused(self, dtype):
        with says(TypeError, f"dtype must be float32 or float64, but {np.dtype(dtype)} came."):
            ldl(np.eye(2), dtype=dtype)

    def test_layouts_do_not_matter_and_nothing_is_written(self):
        H = gram(70, 140, seed=3)
        U, D = ldl(H)
        wide = np.zeros((140, 140))
        wide[::2, ::2] = H
        for layout in [np.asfortranarray(H), wide[::2, ::2], H[::-1, ::-1].copy()[::-1, ::-1]]:
            before = layout.copy()
            layout.flags.writeable = False
            U_found, D_found = ldl(layout)
            assert (U_found == U).all()
            assert (D_found == D).all()
            assert (layout == before).all()
            assert U_found.flags.writeable


class TestSingular:
    @pytest.mark.parametrize("n", SIZES)
    @pytest.mark.parametrize("share", [0.0, 0.25, 0.9])
    def test_low_rank(self, n, share):
        rank = int(n * share)
        H = gram(n, rank, seed=n)
        U, D = ldl(H)
        assert_factors(H, U, D)
        assert (D > 0).sum() == rank
        assert (D[n - rank :] > 0).all()  # in general position the last columns carry the rank

    def test_dead_channels(self):
        H = gram(2 * PANEL + 3, 300, seed=4)
        dead = [0, 5, PANEL, 2 * PANEL + 2]
        H[dead], H[:, dead] = 0, 0
        U, D = ldl(H)
        assert_factors(H, U, D)
        assert np.flatnonzero(D == 0).tolist() == dead
        alive = np.setdiff1d(np.arange(len(H)), dead)
        np.testing.assert_allclose(D[alive], ldl(H[np.ix_(alive, alive)])[1], rtol=1e-9)

    def test_zero(self):
        U, D = ldl(np.zeros((3, 3)))
        assert not U.any()
        assert not D.any()

    def test_float32_factors_of_singular_h(self):
        H = gram(100, 30, seed=5)
        U, D = ldl(H, dtype=np.float32)
        assert U.dtype == D.dtype == np.float32
        assert_factors(H, U, D, eps=np.finfo(np.float32).eps)
        assert (D > 0).sum() == 30


class TestRefusal:
    """Architecture: pivots within 1e-12 tr H of zero are zero; below -1e-10 tr H, H is indefinite."""

    def test_a_pivot_counts_as_zero_up_to_its_limit(self):
        t = 1e-12 / (1 - 1e-12)  # diag(1, t): t is 1e-12 of the trace
        for pivot, kept in [(t * (1 - 1e-6), False), (t * (1 + 1e-6), True), (-t, False)]:
            U, D = ldl(np.diag([pivot, 1.0]))
            assert (D[0] > 0) == kept
            assert D[0] == pytest.approx(pivot if kept else 0.0, rel=1e-12)
            assert D[1] == 1.0
            assert not U.any()

    def test_a_negative_pivot_is_refused_below_its_limit(self):
        t = 1e-10 / (1 + 1e-10)  # diag(1, -t): -1e-10 of the trace
        _, D = ldl(np.diag([-t * (1 - 1e-6), 1.0]))
        assert D.tolist() == [0.0, 1.0]
        words = "H must be symmetric positive semidefinite; its smallest eigenvalue is -1.0e-10 (n = 2). ", "damp"
        with says(np.linalg.LinAlgError, *words):
            ldl(np.diag([-t * (1 + 1e-6), 1.0]))

    def test_a_zero_pivot_under_a_large_column_is_refused(self):
        # [[1, a], [a, 0]] has the eigenvalue -a^2 (to first order): refused where a^2 > 1e-10
        _, D = ldl(np.array([[1.0, 0.99e-5], [0.99e-5, 0.0]]))
        assert D.tolist() == [1.0, 0.0]
        with says(np.linalg.LinAlgError, "its smallest eigenvalue is -1.0e-10 (n = 2)"):
            ldl(np.array([[1.0, 1.01e-5], [1.01e-5, 0.0]]))

    def test_the_damping_that_the_refusal_names_is_enough(self):
        H = gram(6, 12, seed=6)
        H -= (np.linalg.eigvalsh(H)[0] + 0.03) * np.eye(6)
        with pytest.raises(np.linalg.LinAlgError) as refusal:
            ldl(H)
        fraction = float(re.search(r"quipref\.damp\(H, ([\d.e-]+)\)", str(refusal.value)).group(1))
        assert (ldl(quipref.damp(H, fraction))[1] > 0).all()
        with pytest.raises(np.linalg.LinAlgError):
            ldl(quipref.damp(H, 0.9 * fraction))

    def test_where_no_damping_helps_the_refusal_says_so(self):
        with says(np.linalg.LinAlgError, "Damping cannot help, since its trace is not positive"):
            ldl(np.diag([1.0, -2.0]))

    @pytest.mark.parametrize("n", [2, PANEL + 5])
    @pytest.mark.parametrize("call", [ldl, lambda H: block_ldl(H, 1)])
    def test_indefinite(self, n, call):
        H = gram(n, 2 * n, seed=6)
        smallest = np.linalg.eigvalsh(H)[0]
        H -= (smallest + 0.03) * np.eye(n)
        with says(np.linalg.LinAlgError, f"its smallest eigenvalue is -3.0e-02 (n = {n})", "quipref.damp(H, "):
            call(H)

    def test_negative_definite(self):
        with says(np.linalg.LinAlgError, "its smallest eigenvalue is -1.0e+00"):
            ldl(-np.eye(3))

    def test_that_it_is_a_value_error(self):
        assert issubclass(np.linalg.LinAlgError, ValueError)

    def test_bad_matrices(self):
        with says(ValueError, "H must be finite"):
            ldl(np.array([[1.0, np.nan], [np.nan, 1.0]]))
        with says(ValueError, "H must be symmetric, but max |H - H^T| is 1.0e+00"):
            ldl(np.array([[1.0, 1.0], [0.0, 1.0]]))
        with says(ValueError, "H must be square"):
            ldl(np.ones((2, 3)))
        with says(TypeError, "H must hold real floating-point numbers"):
            ldl(np.eye(2, dtype=int))


class TestBlockLdl:
    def test_by_hand(self):
        # U has one 2 x 2 block [[1, 0], [2, -1]], D_1 = [[2, 1], [1, 2]], D_2 = [[4, 2], [2, 5]]
        H = np.array([[6.0, 7.0, 4.0, 2.0], [7.0, 15.0, 6.0, -1.0], [4.0, 6.0, 4.0, 2.0], [2.0, -1.0, 2.0, 5.0]])
        U, D = block_ldl(H, 2)
        expected = np.zeros((4, 4))
        expected[:2, 2:] = [[1, 0], [2, -1]]
        np.testing.assert_allclose(U, expected, atol=1e-14)
        np.testing.assert_allclose(D, [[[2, 1], [1, 2]], [[4, 2], [2, 5]]], atol=1e-14)

    @pytest.mark.parametrize(("n", "block"), [(6, 1), (6, 2), (6, 3), (6, 6), (128, 8), (130, 65), (1, 1)])
    @pytest.mark.parametrize("share", [0.5, 2.0])
    def test_definition_also_for_singular_h(self, n, block, share):
        H = gram(n, max(1, int(share * n)), seed=n)
        U, D = block_ldl(H, block)
        assert D.shape == (n // block, block, block)
        block_of = np.arange(n) // block
        assert (U[block_of[:, None] >= block_of] == 0).all()
        middle = np.zeros((n, n))
        for i, d in enumerate(D):
            here = slice(i * block, (i + 1) * block)
            middle[here, here] = d
            np.testing.assert_allclose(d, d.T, atol=1e-14 * np.abs(H).max())
            assert np.linalg.eigvalsh(d)[0] > -1e-12 * np.trace(H)
        B = U + np.eye(n)
        largest = max(1.0, np.abs(B).max()) ** 2  # the inverted triangles may grow, and the products cancel
        tolerance = 8 * n * EPS * np.abs(H).max() * largest * growth(H, ldl(H)[1] > 0)
        np.testing.assert_allclose(B @ middle @ B.T, H, rtol=0, atol=tolerance)

    def test_blocks_of_one_are_the_scalar_factorisation(self):
        H = gram(30, 60, seed=7)
        (U, D), (U_1, D_1) = ldl(H), block_ldl(H, 1)
        np.testing.assert_allclose(U_1, U, atol=1e-15)
        np.testing.assert_allclose(D_1[:, 0, 0], D, rtol=1e-15)

    def test_one_block_is_h_itself(self):
        H = gram(20, 40, seed=8)
        U, D = block_ldl(H, 20)
        assert not U.any()
        np.testing.assert_allclose(D[0], H, atol=1e-14)

    def test_the_last_blocks_are_a_schur_complement(self):
        H = gram(12, 24, seed=9)
        _, D = block_ldl(H, 4)
        np.testing.assert_allclose(D[2], H[8:, 8:], atol=1e-13)
        schur = H[4:8, 4:8] - H[4:8, 8:] @ np.linalg.solve(H[8:, 8:], H[8:, 4:8])
        np.testing.assert_allclose(D[1], schur, atol=1e-13)

    def test_dtype_and_nothing(self):
        U, D = block_ldl(gram(8, 16, seed=10).astype(np.float32), 4, dtype=np.float32)
        assert U.dtype == D.dtype == np.float32
        assert block_ldl(np.zeros((0, 0)), 4)[1].shape == (0, 4, 4)

    def test_refusals(self):
        with says(ValueError, "block must divide the 6 columns of H, but 4 does not. Pad H or choose a divisor."):
            block_ldl(np.eye(6), 4)
        with says(ValueError, "block must be at least 1, but 0 came."):
            block_ldl(np.eye(6), 0)
        with says(TypeError, "block must be an integer, but 2.0 (float) came."):
            block_ldl(np.eye(6), 2.0)
        with says(TypeError, "dtype must be float32 or float64"):
            block_ldl(np.eye(6), 2, dtype=np.float16)


def test_the_public_names_are_these():
    assert quipref.ldl is ldl
    assert quipref.block_ldl is block_ldl
