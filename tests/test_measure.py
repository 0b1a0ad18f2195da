"""mu of the weights and of the Hessian: by hand, their ranges, and which eigenbasis is meant."""

import numpy as np
import pytest
from scipy.linalg import hadamard
from voice import says

from quipref import KroneckerHaar, mu_hessian, mu_weights, random_layer

EPS = np.finfo(float).eps


def basis_of(kind, n=16):
    """Orthonormal columns: the axes, Sylvester's, or Haar."""
    return {"axes": np.eye(n), "hadamard": hadamard(n) / np.sqrt(n), "haar": KroneckerHaar(n, seed=0).matrix()}[kind]


def hessian_of(Q, eigenvalues):
    H = (Q * eigenvalues) @ Q.T
    return (H + H.T) / 2


class TestWeights:
    def test_by_hand(self):
        """Largest 3, squares 9 + 4 + 4 + 1 + 0 + 0 = 18 of six: mu = 3 sqrt(6 / 18)."""
        W = np.array([[-3.0, 2.0, 0.0], [2.0, 1.0, 0.0]])
        assert mu_weights(W) == pytest.approx(np.sqrt(3), rel=4 * EPS)

    @pytest.mark.parametrize("shape", [(1, 1), (1, 5), (4, 3), (7, 11)])
    def test_its_range(self, shape):
        spike = np.zeros(shape)
        spike[-1, 0] = -0.3
        signs = np.where(np.arange(spike.size).reshape(shape) % 3, 0.1, -0.1)
        assert mu_weights(signs) == 1.0
        assert mu_weights(spike) == np.sqrt(spike.size)
        for seed in range(20):
            W = np.random.default_rng(seed).standard_t(2, shape)
            assert 1 <= mu_weights(W) <= np.sqrt(W.size)

    def test_zeros_are_within_every_bound(self):
        assert mu_weights(np.zeros((3, 4))) == 1.0

    @pytest.mark.parametrize("scale", [1e-300, 1e-160, 1e160, 1e300])
    def test_no_scale_changes_it(self, scale):
        W = np.random.default_rng(0).standard_normal((4, 6))
        assert mu_weights(W * scale) == pytest.approx(mu_weights(W), rel=64 * EPS)

    @pytest.mark.parametrize("dtype", [np.float16, np.float32])
    def test_sums_in_double_precision(self, dtype):
        W = np.random.default_rng(1).standard_normal((300, 200)).astype(dtype)
        assert mu_weights(W) == mu_weights(W.astype(float))

    def test_strided_and_read_only_input(self):
        wide = np.random.default_rng(2).standard_normal((8, 12))
        W = wide[::-2, 1::3]
        W.flags.writeable = False
        before = W.copy()
        assert mu_weights(W) == pytest.approx(mu_weights(before), rel=64 * EPS)
        assert (before == W).all()

    def test_refusals(self):
        with says(ValueError, "W must hold at least one weight, but its shape is (0, 4)."):
            mu_weights(np.empty((0, 4)))
        with says(ValueError, "W must have 2 axes"):
            mu_weights(np.ones(3))
        with says(ValueError, "W must be finite"):
            mu_weights(np.array([[1.0, np.nan]]))
        with says(TypeError, "W must hold real floating-point numbers"):
            mu_weights(np.ones((2, 2), dtype=int))


class TestHessian:
    def test_by_hand(self):
        """Eigenvectors (3, 4) / 5 and (4, -3) / 5 of eigenvalues 2 and 1: mu = 4/5 sqrt 2."""
        Q = np.array([[0.6, 0.8], [0.8, -0.6]])
        H = np.array([[1.36, 0.48], [0.48, 1.64]])
        assert mu_hessian(H) == pytest.approx(0.8 * np.sqrt(2), rel=32 * EPS)
        assert mu_hessian(H, basis=Q) == pytest.approx(0.8 * np.sqrt(2), rel=4 * EPS)

    @pytest.mark.parametrize("kind", ["axes", "hadamard", "haar"])
    def test_distinct_eigenvalues_have_one_basis(self, kind):
        """Eigenvectors move by n EPS |H| / gap at most, here 16^2 EPS, and mu by sqrt(n) times that; twice for H."""
        Q = basis_of(kind)
        H = hessian_of(Q, np.arange(1.0, 17))
        expected = np.abs(Q).max() * 4
        assert abs(mu_hessian(H) - expected) <= 2 * 16**2 * EPS * 4
        assert mu_hessian(H, basis=Q) == pytest.approx(expected, rel=8 * EPS)

    def test_its_range(self):
        n = 16
        assert mu_hessian(np.diag(np.arange(1.0, n + 1))) == np.sqrt(n)
        assert mu_hessian(hessian_of(basis_of("hadamard"), np.arange(n) + 1.0)) == pytest.approx(1, abs=1e-11)
        for spectrum in ("power", "flat", "low_rank", "outlier", "dead"):
            for seed in range(5):
                assert 1 <= mu_hessian(random_layer(1, n, spectrum=spectrum, seed=seed).H) <= np.sqrt(n)
        assert mu_hessian(np.ones((1, 1))) == mu_hessian(np.zeros((1, 1))) == 1.0

    def test_columns_in_any_order_and_of_any_sign(self):
        Q = basis_of("haar")
        H = hessian_of(Q, np.arange(16.0))
        order = np.random.default_rng(0).permutation(16)
        assert mu_hessian(H, basis=-Q[:, order]) == mu_hessian(H, basis=Q)

    def test_single_precision_and_a_negative_eigenvalue(self):
        Q = basis_of("haar")
        H = hessian_of(Q, np.arange(16.0) - 3)
        single = mu_hessian(H.astype(np.float32), basis=Q.astype(np.float32))
        assert single == pytest.approx(mu_hessian(H), rel=1e-6)

    def test_read_only_input(self):
        H, Q = hessian_of(basis_of("haar"), np.arange(16.0)), basis_of("haar")
        H.flags.writeable = Q.flags.writeable = False
        assert mu_hessian(H) == pytest.approx(mu_hessian(H, basis=Q), rel=1e-11)

    def test_refusals(self):
        H, Q = hessian_of(basis_of("haar"), np.arange(16.0)), basis_of("haar")
        with says(ValueError, "H must have at least one column, but its shape is (0, 0)."):
            mu_hessian(np.empty((0, 0)))
        with says(ValueError, "H must be symmetric"):
            mu_hessian(H + np.triu(H, 1))
        with says(ValueError, "basis must have the shape of H, (16, 16), but its shape is (16, 15)."):
            mu_hessian(H, basis=Q[:, :15])
        with says(ValueError, "basis must have orthonormal columns, but max |Q^T Q - I| is 3.0e+00."):
            mu_hessian(H, basis=2 * Q)
        with says(ValueError, "basis must diagonalise H, but ", "Pass eigenvectors of this H as columns"):
            mu_hessian(H, basis=Q.T)
        turned = Q.copy()
        c, s = np.cos(1e-3), np.sin(1e-3)  # eigenvalues 0 and 1 mixed by so little: 1e-3 sqrt(2) of the norm of H, 35
        turned[:, :2] = Q[:, :2] @ np.array([[c, -s], [s, c]])
        with says(ValueError, "basis must diagonalise H, but 4.0e-05 of the norm"):
            mu_hessian(H, basis=turned)


class TestQ3Prime:
    """H is mu-incoherent when SOME eigenbasis is; among equal eigenvalues `eigh` returns one basis of many.

    So its mu is an upper bound on the least mu, and no statement may use it as a lower bound.
    """

    @pytest.mark.parametrize("n", [2, 4, 16])
    def test_the_identity_is_1_incoherent(self, n):
        assert mu_hessian(np.eye(n)) == np.sqrt(n)  # the axes
        assert mu_hessian(np.eye(n), basis=basis_of("hadamard", n)) == 1.0

    def test_the_same_spectrum_in_two_eigenbases(self):
        """Two eigenvalues, eight times each: H has an eigenbasis of mu 1, which eigh does not find."""
        Q = basis_of("hadamard")
        H = hessian_of(Q, np.repeat([1.0, 2.0], 8))
        assert mu_hessian(H, basis=Q) == 1.0
        assert mu_hessian(H) > 1.5

    def test_it_is_never_below_the_least_mu(self):
        """In the plane: eigenvalue 1 twice beside an eigenvector q; whatever basis, mu >= that of q alone."""
        for seed in range(20):
            Q = KroneckerHaar(3, seed=seed).matrix()
            least = np.abs(Q[:, 0]).max() * np.sqrt(3)
            assert mu_hessian(hessian_of(Q, np.array([5.0, 1.0, 1.0]))) >= least * (1 - 64 * EPS)

    def test_nearly_equal_eigenvalues_are_told_apart_by_the_last_digits(self):
        """A change of the identity by 1e-8 turns mu from 4 to 1: the gaps of 1e-9 are 4e6 EPS, and mu moves little."""
        H, nudged = np.eye(16), hessian_of(basis_of("hadamard"), 1 + 1e-9 * np.arange(16))
        assert np.abs(nudged - H).max() < 1e-8
        assert mu_hessian(H) == 4
        assert mu_hessian(nudged) < 1 + 2 * 16 * 4 / 4e6
        assert mu_hessian(nudged, basis=H) == 4  # the axes are an eigenbasis of it too, to single precision
