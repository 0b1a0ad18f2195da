"""Rotations: what every one of them does, against its own matrix; what is drawn, stored and refused.

The definition of each kind is in test_rotation_kinds.py.
"""

import numpy as np
import pytest
from voice import says

from quipref import (
    BlockDiagonal,
    KroneckerHaar,
    RandomizedFourier,
    RandomizedHadamard,
    hadamard_plan,
    proxy_loss,
    random_layer,
)
from quipref.incoherence import orthogonal
from quipref.incoherence.rotations import Rotation

FLOATS = [np.float32, np.float64]
SEEDED = [KroneckerHaar, RandomizedHadamard, RandomizedFourier]


def explicit():
    """A KroneckerHaar of 2 x 3 by hand: a quarter turn, the cycle of the axes with a reflection, a swap of two."""
    turn, cycle = np.array([[0.0, -1.0], [1.0, 0.0]]), np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [-1.0, 0.0, 0.0]])
    return KroneckerHaar.from_parts(turn, cycle, None, np.array([1, 0, 2, 3, 4, 5]))


EVERY = {
    "kronecker": lambda: KroneckerHaar(12, seed=1),
    "kronecker blocks": lambda: KroneckerHaar(12, seed=2, shared=False),
    "kronecker in order": lambda: KroneckerHaar(12, seed=3, permute=False),
    "kronecker prime": lambda: KroneckerHaar(7, seed=4, shared=False),
    "kronecker one": lambda: KroneckerHaar(1, seed=5),
    "kronecker explicit": explicit,
    "hadamard": lambda: RandomizedHadamard(8, seed=6),
    "hadamard 12": lambda: RandomizedHadamard(12, seed=7, exact=True),
    "hadamard by Fourier": lambda: RandomizedHadamard(6, seed=8),
    "hadamard by blocks": lambda: RandomizedHadamard(7, seed=9),
    "hadamard one": lambda: RandomizedHadamard(1, seed=10),
    "hadamard explicit": lambda: RandomizedHadamard.from_signs([1, -1, -1, 1]),
    "fourier": lambda: RandomizedFourier(10, seed=11),
    "fourier two": lambda: RandomizedFourier(2, seed=12),
    "blocks": lambda: BlockDiagonal([RandomizedHadamard(4, seed=13), KroneckerHaar(5, seed=14)]),
    "blocks in blocks": lambda: BlockDiagonal([explicit(), BlockDiagonal([RandomizedFourier(2, seed=15)])]),
}


@pytest.fixture(params=EVERY)
def V(request):
    return EVERY[request.param]()


def slack(X, axis, n):
    """Of V x: each V here is made of at most four orthogonal steps, of at most n roundings each, of parts of |x|."""
    return 4 * n * np.finfo(X.dtype).eps * np.sqrt(np.square(X, dtype=np.float64).sum(axis=axis, keepdims=True))


def tensor(n, axis, dtype=np.float64):
    """Three axes, the one to be rotated of length n."""
    shape = [3, 4, 2]
    shape[axis] = n
    return np.random.default_rng(n).standard_normal(shape).astype(dtype)


class TestEvery:
    def test_it_meets_the_protocol(self, V):
        assert isinstance(V, Rotation)
        members = {name for name in vars(Rotation) if not name.startswith("_")} | set(Rotation.__annotations__)
        assert members == {"n", "seed", "apply", "undo", "matrix", "storage_bits"}

    def test_its_matrix_is_orthogonal(self, V):
        Q = V.matrix()
        assert Q.dtype == np.float64
        assert Q.shape == (V.n, V.n)
        assert np.abs(Q @ Q.T - np.eye(V.n)).max() <= 8 * V.n * np.finfo(float).eps

    @pytest.mark.parametrize("dtype", FLOATS)
    @pytest.mark.parametrize("axis", [-1, 0, 1])
    def test_apply_and_undo_are_products_with_the_matrix(self, V, axis, dtype):
        X = tensor(V.n, axis, dtype)
        for method, Q in [(V.apply, V.matrix()), (V.undo, V.matrix().T)]:
            found = method(X, axis=axis)
            expected = np.moveaxis(np.tensordot(Q, X.astype(float), (1, axis)), 0, axis)
            assert found.dtype == dtype
            assert found.shape == X.shape
            assert (np.abs(found - expected) <= 2 * slack(X, axis, V.n)).all()

    def test_the_axes_of_a_matrix(self, V):
        X = np.random.default_rng(0).standard_normal((V.n, V.n))
        Q = V.matrix()
        assert (np.abs(V.apply(X) - X @ Q.T) <= 2 * slack(X, 1, V.n)).all()
        assert (np.abs(V.apply(X, axis=0) - Q @ X) <= 2 * slack(X, 0, V.n)).all()

    @pytest.mark.parametrize("dtype", FLOATS)
    def test_undo_undoes_apply(self, V, dtype):
        X = tensor(V.n, 1, dtype)
        assert (np.abs(V.undo(V.apply(X, axis=1), axis=1) - X) <= 2 * slack(X, 1, V.n)).all()
        assert (np.abs(V.apply(V.undo(X, axis=1), axis=1) - X) <= 2 * slack(X, 1, V.n)).all()

    def test_a_vector(self, V):
        x = np.arange(1.0, V.n + 1)
        assert (np.abs(V.apply(x) - V.matrix() @ x) <= 2 * slack(x, 0, V.n)).all()

    def test_the_input_stays_as_it_is(self, V):
        X = tensor(V.n, 1)
        X.flags.writeable = False
        before = X.copy()
        for method in (V.apply, V.undo):
            found = method(X, axis=1)
            assert found.flags.c_contiguous
            assert found.flags.writeable
            assert not np.shares_memory(found, X)
        assert (before == X).all()

    def test_strided_input(self, V):
        wide = np.random.default_rng(1).standard_normal((2 * V.n, 6))
        for X, axis in [(wide[::2, ::3], 0), (wide[::-2, 1:].T, 1), (np.asfortranarray(wide[: V.n]), 0)]:
            assert (np.abs(V.apply(X, axis) - V.apply(X.copy(), axis)) <= 2 * slack(X, axis, V.n)).all()

    def test_whatever_is_real_becomes_float64(self, V):
        x = np.arange(V.n) % 3
        expected = V.apply(x.astype(float))
        for dtype in (np.int64, np.uint8, np.float16, np.longdouble):
            found = V.apply(x.astype(dtype))
            assert found.dtype == np.float64
            assert (found == expected).all()
        assert (V.apply(x.tolist()) == expected).all()

    def test_no_vector_at_all(self, V):
        assert V.apply(np.empty((0, V.n), np.float32)).shape == (0, V.n)
        assert V.undo(np.empty((V.n, 2, 0)), axis=0).shape == (V.n, 2, 0)

    def test_the_proxy_loss_does_not_change(self, V):
        """Q12: tr(E H E^T) = tr(E' H' E'^T) for E' = U E V^T and H' = V H V^T; and for U alone."""
        U, n = KroneckerHaar(5, seed=20), V.n
        W, H = random_layer(5, n, seed=21)
        rounded = np.floor(W + 0.5)
        expected = proxy_loss(W, rounded, H)
        W_turned, rounded_turned = (U.apply(V.apply(X, axis=1), axis=0) for X in (W, rounded))
        H_turned = V.apply(V.apply(H, axis=1), axis=0)
        E = np.linalg.norm(W) + np.linalg.norm(rounded)  # each is rotated on its own, with errors of its own size
        allowed = 20 * max(n, 5) * np.finfo(float).eps * E**2 * np.linalg.norm(H)
        assert abs(proxy_loss(W_turned, rounded_turned, H_turned) - expected) <= allowed
        assert abs(proxy_loss(U.apply(W, axis=0), U.apply(rounded, axis=0), H) - expected) <= allowed

    def test_it_equals_what_was_made_the_same_way(self, V, request):
        twin = EVERY[request.node.callspec.params["V"]]()
        assert twin == V
        assert (twin.matrix() == V.matrix()).all()
        assert V != 1
        others = [make() for name, make in EVERY.items() if name != request.node.callspec.params["V"]]
        assert all(other != V for other in others)
        with pytest.raises(TypeError, match="unhashable"):
            hash(V)

    def test_parts_cannot_be_written(self, V):
        for part in [] if isinstance(V, BlockDiagonal) else V._parts():
            assert part is None or not part.flags.writeable

    def test_arrays_of_the_wrong_size(self, V):
        n = V.n
        words = f"X must have n = {n} entries along axis 0, but its shape is ({n + 1}, {n}). "
        for method in (V.apply, V.undo):
            with says(ValueError, words, "Name the axis to be rotated"):
                method(np.ones((n + 1, n)), axis=0)
            with says(ValueError, f"X must have n = {n} entries along axis 1, but its shape is (2, {n + 1})."):
                method(np.ones((2, n + 1)))
            with says(ValueError, "entries along axis 0, but its shape is (0,)."):
                method(np.ones(0))
            with says(ValueError, "X must have at least one axis, but a single number came."):
                method(1.0)

    def test_arrays_that_are_no_real_vectors(self, V):
        with says(ValueError, "axis must be from -2 to 1, but 2 came."):
            V.apply(np.ones((V.n, V.n)), axis=2)
        with says(TypeError, "axis must be an integer, but 0.0 (float) came."):
            V.apply(np.ones(V.n), axis=0.0)
        with says(TypeError, "X must hold real floating-point numbers, but its dtype is complex128."):
            V.apply(np.ones(V.n) + 0j)
        with says(ValueError, "X must be finite, but 1 of its "):
            V.undo(np.where(np.arange(V.n) == 0, np.nan, 1.0))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("kronecker", "KroneckerHaar(12, seed=1)"),
        ("kronecker prime", "KroneckerHaar(7, seed=4, shared=False)"),
        ("kronecker in order", "KroneckerHaar(12, seed=3, permute=False)"),
        ("kronecker explicit", "KroneckerHaar.from_parts(<(2, 2)>, <(3, 3)>, ...)"),
        ("hadamard", "RandomizedHadamard(8, seed=6)"),
        ("hadamard explicit", "RandomizedHadamard.from_signs(<4>)"),
        ("fourier", "RandomizedFourier(10, seed=11)"),
        ("blocks", "BlockDiagonal([RandomizedHadamard(4, seed=13), KroneckerHaar(5, seed=14)])"),
    ],
)
def test_its_repr_is_how_it_was_made(name, text):
    assert repr(EVERY[name]()) == text


@pytest.mark.parametrize("kind", [KroneckerHaar, RandomizedFourier])
@pytest.mark.parametrize("axis", [0, 1])
def test_many_vectors_are_taken_piece_by_piece(monkeypatch, kind, axis):
    V, X = kind(6, seed=0), np.random.default_rng(2).standard_normal((6, 40) if axis == 0 else (40, 6))
    whole = V.apply(X, axis=axis)
    monkeypatch.setattr(orthogonal, "PIECE", 6 * 7)  # seven at a time, the last five alone
    assert (np.abs(V.apply(X, axis=axis) - whole) <= 2 * slack(X, axis, 6)).all()
    monkeypatch.setattr(orthogonal, "PIECE", 1)  # one vector is longer than a piece
    assert (np.abs(V.apply(X, axis=axis) - whole) <= 2 * slack(X, axis, 6)).all()


class TestSeeds:
    @pytest.mark.parametrize("kind", SEEDED)
    def test_the_seed_decides(self, kind):
        V = kind(20, seed=3)
        assert V.seed == 3
        assert kind(20, seed=np.int64(3)) == V
        assert kind(20, seed=4) != V
        assert np.abs(V.matrix() - kind(20, seed=4).matrix()).max() > 0.1

    @pytest.mark.parametrize("kind", SEEDED)
    def test_a_generator_gives_a_seed_that_is_kept(self, kind):
        rng = np.random.default_rng(5)
        first, second = kind(20, seed=rng), kind(20, seed=rng)
        assert [first.seed, second.seed] == np.random.default_rng(5).integers(2**63, size=2).tolist()
        assert first == kind(20, seed=first.seed)
        assert first != second
        drawn_twice = np.random.default_rng(5)
        drawn_twice.integers(2**63, size=2)
        assert rng.integers(2**63) == drawn_twice.integers(2**63)  # no more was taken from the generator

    @pytest.mark.parametrize("kind", SEEDED)
    def test_no_rotation_is_drawn_silently(self, kind):
        for options in ({}, {"seed": None}):
            with says(
                ValueError, "seed must be given, since what must be undone later is never drawn silently", "None"
            ):
                kind(8, **options)

    @pytest.mark.parametrize("kind", SEEDED)
    def test_bad_seeds_and_sizes(self, kind):
        for seed in (1.5, "1", True):
            with says(TypeError, f"seed must be an integer, but {seed!r} ("):
                kind(8, seed=seed)
        for seed in (-1, 2**64):
            with says(ValueError, f"seed must be from 0 to {2**64 - 1}, but {seed} came."):
                kind(8, seed=seed)
        low = 2 if kind is RandomizedFourier else 1
        with says(ValueError, f"n must be at least {low}, but 0 came."):
            kind(0, seed=0)
        with says(TypeError, "n must be an integer, but 8.0 (float) came."):
            kind(8.0, seed=0)

    def test_the_largest_seed_fits_its_64_bits(self):
        assert RandomizedHadamard(8, seed=2**64 - 1).storage_bits == 64


class TestStorage:
    @pytest.mark.parametrize("kind", SEEDED)
    def test_a_seed_costs_64_bits(self, kind):
        assert kind(50, seed=0).storage_bits == 64

    def test_explicit_parts_cost_what_they_are(self):
        V = explicit()
        assert V.storage_bits == 64 * (4 + 9) + 6 * 3  # one permutation of six, three bits an index
        p = np.arange(6)
        single = KroneckerHaar.from_parts(np.eye(2, dtype=np.float32), np.eye(3, dtype=np.float32), p, p)
        assert single.storage_bits == 32 * (4 + 9) + 2 * 6 * 3
        assert KroneckerHaar.from_parts(V.B0, np.array([V.B1, V.B1])).storage_bits == 64 * (4 + 18)
        assert RandomizedHadamard.from_signs(np.ones(12)).storage_bits == 12

    def test_blocks_cost_their_sum(self):
        parts = [KroneckerHaar(3, seed=0), explicit(), RandomizedHadamard.from_signs([1.0, -1.0])]
        assert BlockDiagonal(parts).storage_bits == 64 + (64 * 13 + 18) + 2


def test_hadamard_plans_and_rotations_agree_on_dtypes():
    """What a plan widens, a rotation widens too."""
    for dtype in (np.float16, np.float32, np.float64, np.int8):
        x = np.ones(4, dtype)
        assert RandomizedHadamard(4, seed=0).apply(x).dtype == hadamard_plan(4).apply(x).dtype
