"""What a Hadamard plan does: apply and undo against its matrix, its words, that nothing changes it, its refusals."""

import dataclasses

import numpy as np
import pytest
from voice import says

from quipref import hadamard_plan
from quipref.incoherence import factors

# One order for each kind of plan, small enough for kernels that run as plain Python.
EXACT = [1, 2, 4, 12, 24, 28, 100, 104, 168, 200, 292, 336]
FALLBACKS = [3, 6, 7, 15, 188, 214]


def noise(x, axis=-1):
    """How far H x / sqrt(n) is off: n products and sums and two more roundings, on entries up to 1 / sqrt(n)."""
    n = x.shape[axis]
    epsilon = np.finfo(x.dtype).eps / 2
    return (n + 3) * epsilon * np.abs(x.astype(np.float64)).sum(axis=axis, keepdims=True) / n**0.5


class TestTransforms:
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @pytest.mark.parametrize("n", EXACT + FALLBACKS)
    def test_apply_and_undo_are_the_matrix(self, n, dtype):
        plan = hadamard_plan(n)
        H = plan.matrix() / n**0.5
        X = np.random.default_rng(n).standard_normal((3, n, 2)).astype(dtype)
        for axis, shape in [(1, (0, 1, 2)), (-1, (0, 2, 1)), (0, (1, 0, 2))]:
            x = np.ascontiguousarray(X.transpose(shape))
            before = x.copy()
            for found, matrix in [(plan.apply(x, axis), H), (plan.undo(x, axis), H.T)]:
                assert found.dtype == dtype
                assert found.flags.c_contiguous
                expected = np.moveaxis(np.tensordot(matrix, x.astype(np.float64), axes=(1, axis)), 0, axis)
                assert (np.abs(found - expected) <= noise(x, axis)).all()
            assert (x == before).all()

    @pytest.mark.parametrize("n", EXACT + FALLBACKS)
    def test_undo_brings_back_and_lengths_stay(self, n):
        plan = hadamard_plan(n)
        x = np.random.default_rng(n).standard_normal((4, n))
        y = plan.apply(x)
        # the error of y is mapped on with at most sqrt(n) times its largest entry
        allowed = n**0.5 * noise(x) + noise(y)
        assert (np.abs(plan.undo(y) - x) <= allowed).all()
        assert np.allclose(np.linalg.norm(y, axis=1), np.linalg.norm(x, axis=1), rtol=1e-12, atol=0)

    @pytest.mark.parametrize("n", FALLBACKS)
    def test_fallbacks_are_orthogonal(self, n):
        plan = hadamard_plan(n)
        H = plan.matrix()
        assert H.dtype == np.float64
        # n products of entries up to sqrt(n); an angle is off by a few times 2^-53 of up to 2 pi
        assert np.abs(H @ H.T - n * np.eye(n)).max() <= 20 * n * n * 2.0**-53
        assert not plan.exact

    @pytest.mark.parametrize(
        ("given", "wanted"),
        [(np.float16, np.float64), (np.int8, np.float64), (np.uint64, np.float64), (np.longdouble, np.float64)]
        + [(">f4", np.float64), ("<f8", np.float64), (np.float32, np.float32)],
    )
    def test_dtypes(self, given, wanted):
        x = np.arange(12).astype(given)
        found = hadamard_plan(12).apply(x)
        assert found.dtype == wanted
        assert np.allclose(found, hadamard_plan(12).matrix() @ np.arange(12.0) / 12**0.5, rtol=1e-6)

    @pytest.mark.parametrize("n", [16, 24, 200, 6, 7])
    def test_strided_and_read_only_input(self, n):
        X = np.random.default_rng(0).standard_normal((2 * n, 6))[::2, ::3]
        X.setflags(write=False)
        plan = hadamard_plan(n)
        assert (plan.apply(X, 0) == plan.apply(np.ascontiguousarray(X), 0)).all()
        assert np.allclose(plan.apply(X.T, -1), plan.apply(X, 0).T, rtol=0, atol=1e-13)
        assert np.allclose(plan.apply(X.tolist(), 0), plan.apply(X, 0), rtol=0, atol=0)

    @pytest.mark.parametrize("n", [1, 8, 24, 200, 6, 7])
    def test_no_vectors(self, n):
        assert hadamard_plan(n).apply(np.ones((0, n), np.float32)).shape == (0, n)
        assert hadamard_plan(n).undo(np.ones((n, 0)), axis=0).shape == (n, 0)

    @pytest.mark.parametrize("transpose", [False, True])
    def test_large_products_are_joined_in_pieces(self, transpose, monkeypatch):
        """Three lines a piece and seven lines: the pieces are 3, 3 and 1; sums of integers below 2^24 are exact."""
        X = np.random.default_rng(0).integers(-8, 9, (7, 12, 4)).astype(np.float32)
        H = hadamard_plan(12).matrix()
        monkeypatch.setattr(factors, "SMALL", 0)
        monkeypatch.setattr(factors, "JOINED", 3 * 12 * 4)
        found = hadamard_plan(12).unnormalised(X.copy(), axis=1, transpose=transpose)
        assert (found == (H.T if transpose else H) @ X).all()

    def test_threads_change_nothing(self):
        x = np.random.default_rng(0).standard_normal((40, 96))
        plan = hadamard_plan(96)
        assert (plan.apply(x, threads=1) == plan.apply(x, threads=2)).all()


class TestPlans:
    @pytest.mark.parametrize(
        ("n", "words"),
        [
            (128, "128: Sylvester 2^7; exact"),
            (12, "12: Paley I over GF(11); exact"),
            (6400, "6400 = 20 x 20 x 16: Paley I over GF(19), then Paley I over GF(19), then Sylvester 2^4; exact"),
            (92, "92: Williamson of order 92; exact"),
            (292, "292: Miyamoto over GF(73) from order 72; exact"),
            (10920, "10920 = 140 * 156 / 2: "
                    "Paley I over GF(139) and Williamson of order 156, sharing a factor 2; exact"),
            (3360, "3360 = (12 * 20 / 2) x 28: "
                   "Paley I over GF(11) and Paley I over GF(19), sharing a factor 2, then Paley II over GF(13); exact"),
            (5, "no Hadamard matrix has order 5, since orders above 2 are multiples of 4: "
                "blocks of 4 + 1 instead; not exact"),
            (13696, "no Hadamard matrix of order 13696 = 107 x 2^7 is built here: "
                    "Fourier on 6848 complex numbers instead; not exact; blocks would be 13680 + 16"),
        ],
    )  # fmt: skip
    def test_they_explain_themselves(self, n, words):
        assert hadamard_plan(n).explain() == words

    def test_they_are_kept(self):
        assert hadamard_plan(24) is hadamard_plan(np.int64(24))

    def test_they_are_immutable(self):
        plan = hadamard_plan(24)
        with pytest.raises(dataclasses.FrozenInstanceError):
            plan.n = 12
        with pytest.raises(dataclasses.FrozenInstanceError):
            plan.factors[0].order = 4
        for n in [8, 12, 168, 6, 3]:
            assert not hadamard_plan(n).factors[0].matrix().flags.writeable

    @pytest.mark.parametrize("n", [8, 12, 24, 168, 6, 3])
    def test_a_matrix_is_the_callers_own(self, n):
        mine = hadamard_plan(n).matrix()
        expected = mine.copy()
        mine[:] = 0
        assert (hadamard_plan(n).matrix() == expected).all()


class TestRefusals:
    @pytest.mark.parametrize("n", [0, -4])
    def test_orders_begin_at_one(self, n):
        with says(ValueError, "n must be at least 1", str(n)):
            hadamard_plan(n)

    @pytest.mark.parametrize("n", [4.0, True, "12", None, np.float64(4)])
    def test_orders_are_integers(self, n):
        with says(TypeError, "n must be an integer", repr(n)):
            hadamard_plan(n)

    def test_a_wrong_length(self):
        with says(ValueError, "X must have 12 entries along axis 0", "(8, 12)", "hadamard_plan(8)"):
            hadamard_plan(12).apply(np.ones((8, 12)), axis=0)

    @pytest.mark.parametrize("X", [np.ones(4, complex), np.ones(4, bool), np.array(["a"] * 4), np.full(4, None)])
    def test_what_is_not_real(self, X):
        with says(TypeError, "X must hold real numbers", str(X.dtype)):
            hadamard_plan(4).undo(X)

    def test_a_number(self):
        with says(ValueError, "X must have at least one axis"):
            hadamard_plan(1).apply(1.0)

    def test_axes_and_threads(self):
        with says(ValueError, "axis must be from -2 to 1", "2"):
            hadamard_plan(4).apply(np.ones((4, 4)), axis=2)
        with says(TypeError, "axis must be an integer"):
            hadamard_plan(4).apply(np.ones((4, 4)), axis=0.0)
        with says(ValueError, "threads must be at least 1"):
            hadamard_plan(12).apply(np.ones(12), threads=0)
