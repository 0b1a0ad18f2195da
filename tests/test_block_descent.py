"""Coordinate passes over blocks: by hand, both forms, codes, starts, refusals. (S9 is in theorems/.)"""

import numpy as np
import pytest
from quantizers import Doubled, Plain
from sizes import size
from voice import says

import quipref as q
from quipref.rounding.block_descent import block_inverses, rounded
from quipref.trellis.codes import one_mad

BACKENDS = ["numba", "numpy"]
ORDERS = ["forward", "backward"]


class Pairs(q.IntegerGrid):
    block = 2


@pytest.mark.parametrize("backend", BACKENDS)
class TestByHand:
    def test_one_column_a_block(self, backend):
        """From (0, 0): column 0 wants .375 + .75 * .375 = .656, so 1; column 1 then wants .375 - .75 * .625 < 0."""
        W, H = np.array([[0.375, 0.375]]), np.array([[1.0, 0.75], [0.75, 1.0]])
        options = {"round_to": q.IntegerGrid(), "start": np.zeros((1, 2)), "passes": 1, "backend": backend}
        assert q.block_descent(W, H, order="forward", **options).tolist() == [[1, 0]]
        assert q.block_descent(W, H, **options).tolist() == [[0, 1]]

    def test_two_pairs(self, backend):
        """The second pair's error (1, 0) pulls on the first: H_12 H_11^-1 = (1, 0) / 2, so 0.25 becomes 0.75."""
        H = np.array([[2.0, 0, 1, 0], [0, 2, 0, 0], [1, 0, 2, 0], [0, 0, 0, 2]])
        W, start = np.array([[0.25, 0.25, 0.0, 0.0]]), np.array([[0.0, 0.0, -1.0, 0.0]])
        found = q.block_descent(W, H, round_to=Pairs(), start=start, passes=1, order="forward", backend=backend)
        assert found.tolist() == [[1, 0, 0, 0]]

    def test_dead_columns_are_rounded_to_nearest(self, backend):
        W, start = np.array([[0.4, 0.6]]), np.array([[3.0, 3.0]])
        found = q.block_descent(W, np.diag([1.0, 0.0]), round_to=Pairs(), start=start, backend=backend)
        assert found.tolist() == [[0, 1]]

    def test_no_pass_is_the_start(self, backend):
        W, H = q.random_layer(3, 16, seed=0)
        start = np.array([[4, -7] * 8] * 3)
        found = q.block_descent(W, H, round_to=Pairs(), start=start, passes=0, return_codes=True, backend=backend)
        assert [X.tolist() for X in found] == [start.tolist()] * 2
        expected = q.ldlq(W, H, round_to=Pairs(), order="backward", return_codes=True, backend=backend)
        found = q.block_descent(W, H, round_to=Pairs(), passes=0, return_codes=True, backend=backend)
        assert all((a == b).all() for a, b in zip(found, expected, strict=True))


def test_block_inverses():
    H = np.array([[2.0, 1, 5, 5], [1, 2, 5, 5], [5, 5, 0, 0], [5, 5, 0, 4]])
    assert np.allclose(block_inverses(H, 2), [[[2 / 3, -1 / 3], [-1 / 3, 2 / 3]], [[0, 0], [0, 1 / 4]]], rtol=1e-14)


ONE_CODE_A_BLOCK = q.E8PQuantizer(0.7, backend=size("numba", "numpy"))
QUANTIZERS = [q.IntegerGrid(-3, 3), Pairs(), Doubled(), ONE_CODE_A_BLOCK, q.E8Lattice(0.7), Plain(q.IntegerGrid())]


class TestAgreement:
    @pytest.mark.parametrize("order", ORDERS)
    @pytest.mark.parametrize("round_to", QUANTIZERS, ids=lambda one: type(one).__name__)
    def test_both_forms_and_the_codes(self, round_to, order):
        """More than 128 columns, so that there is a second group."""
        W, H = q.random_layer(7, 264, seed=0)
        start = W + np.random.default_rng(1).normal(0, 20, W.shape)
        options = {"round_to": round_to, "order": order, "return_codes": True, "passes": 3, "start": start}
        (a, a_codes), (b, b_codes) = (q.block_descent(W, H, backend=backend, **options) for backend in BACKENDS)
        assert (a == b).all()
        assert (a_codes == b_codes).all()
        assert (np.asarray(round_to.decode(a_codes)) == a).all()
        assert q.proxy_loss(W, a, H) < q.proxy_loss(W, rounded(start, W, round_to)[0], H)

    @pytest.mark.parametrize("order", ORDERS)
    @pytest.mark.parametrize("round_to", [Pairs(), Doubled(), q.E8Lattice()], ids=lambda one: type(one).__name__)
    def test_it_improves_block_ldlq(self, round_to, order):
        W, H = q.random_layer(30, 64, seed=0)
        start = q.ldlq(W, H, round_to=round_to, order=order)
        assert q.proxy_loss(W, q.block_descent(W, H, round_to=round_to, order=order), H) < q.proxy_loss(W, start, H)

    @pytest.mark.parametrize("order", ORDERS)
    def test_on_a_scalar_grid_it_is_greedy_descent(self, order):
        W, H = q.random_layer(20, 40, seed=1)
        options = {"round_to": q.IntegerGrid(-2, 2), "order": order, "passes": 50}
        start = q.ldlq(2 * W, H, round_to=options["round_to"], order=order)
        assert (q.block_descent(2 * W, H, **options) == q.greedy(2 * W, H, start=start, **options)).all()

    def test_common_factors_of_h_change_nothing(self):
        W, H = q.random_layer(5, 32, seed=2)
        found = [
            q.block_descent(W.astype(np.float32), H * f, round_to=q.E8Lattice()) for f in (1.0, 2.0**-180, 2.0**180)
        ]
        assert (found[0] == found[1]).all()
        assert (found[0] == found[2]).all()

    def test_squares_may_leave_single_precision(self):
        W, H = q.random_layer(5, 32, seed=2)
        W = W.astype(np.float32)
        small, large = (q.block_descent(W * f, H, round_to=q.E8Lattice(f)) for f in (1, 2.0**100))
        assert (small * 2.0**100 == large).all()
        assert (small != q.ldlq(W, H, round_to=q.E8Lattice(), order="backward")).any()


class TestStart:
    def test_passes_from_the_codes_go_on(self):
        """No row is worse after more passes, and a start of codes is what they decode to."""
        W, H = q.random_layer(30, 64, seed=3)
        before = q.ldlq(W, H, round_to=q.E8Lattice(), return_codes=True)
        once, codes = q.block_descent(W, H, round_to=q.E8Lattice(), start=before[1], passes=1, return_codes=True)
        again = q.block_descent(W, H, round_to=q.E8Lattice(), start=codes, passes=1)
        assert (again == q.block_descent(W, H, round_to=q.E8Lattice(), start=once, passes=1)).all()
        losses = [q.proxy_loss(W, X, H) for X in (before[0], once, again)]
        assert losses[0] > losses[1] > losses[2]

    def test_a_start_between_the_points_is_rounded(self):
        W, H = q.random_layer(2, 8, seed=4)
        found = q.block_descent(W, H, round_to=q.E8Lattice(), start=W, passes=0, return_codes=True)
        assert all((a == b).all() for a, b in zip(found, q.E8Lattice().quantize(W)[::-1], strict=True))

    def test_codes_of_a_residual_codebook(self):
        """Its points are not always found again, so that codes are the way to begin from one."""
        W, H = q.random_layer(8, 32, seed=5)
        round_to = q.ResidualQuantizer(4, backend="numpy")
        codes = np.random.default_rng(0).integers(0, 2**32, (8, 4), np.uint32)
        W_hat, kept = q.block_descent(W, H, round_to=round_to, start=codes, passes=0, return_codes=True)
        assert (kept == codes).all()
        assert (W_hat == round_to.decode(codes)).all()
        assert (rounded(W_hat, W, round_to)[0] != W_hat).any()

    def test_tiles_are_kept_whole(self):
        L = 6
        tiles = q.TrellisQuantizer(one_mad(L), q.BitshiftTrellis(L, 2), tile=(4, 8), backend=size("numba", "numpy"))
        W, H = q.random_layer(16, 32, seed=1)
        start = q.ldlq(W, H, round_to=tiles, order="backward")
        W_hat, codes = q.block_descent(W, H, round_to=tiles, return_codes=True)
        assert (tiles.decode(codes) == W_hat).all()
        E, F = W - start, W - W_hat
        gain = (((E @ H) * E).sum(axis=1) - ((F @ H) * F).sum(axis=1)).reshape(-1, 4).sum(axis=1)
        assert (gain >= 0).all()
        assert (gain > 0).any()


class TestInputs:
    @pytest.mark.parametrize("backend", BACKENDS)
    @pytest.mark.parametrize("shape", [(0, 8), (3, 0), (0, 0), (1, 8)])
    def test_small_layers(self, shape, backend):
        for start in (None, np.zeros(shape)):
            options = {"round_to": q.E8Lattice(), "start": start, "backend": backend}
            found = q.block_descent(np.full(shape, 0.5), np.eye(shape[1]), **options)
            assert found.shape == shape
            assert (found == 0.5).all()

    def test_nothing_is_written_and_layouts_do_not_matter(self):
        W, H = q.random_layer(9, 24, seed=6)
        start = np.round(W)
        expected = q.block_descent(W, H, round_to=q.IntegerGrid(), start=start)
        arrays = [np.asfortranarray(X) for X in (W, H, start)]
        for array in arrays:
            array.flags.writeable = False
        found = q.block_descent(*arrays[:2], round_to=q.IntegerGrid(), start=arrays[2])
        assert (found == expected).all()
        assert found.flags.writeable
        assert all((a == b).all() for a, b in zip(arrays, [W, H, np.round(W)], strict=True))

    @pytest.mark.parametrize(
        ("given", "returned"), [(np.float16, np.float32), (np.float32, np.float32), (np.longdouble, np.float64)]
    )
    def test_dtypes(self, given, returned):
        W = (np.arange(16).reshape(2, 8) / 16).astype(given)
        for start in (None, np.zeros((2, 8), np.float16), np.zeros((2, 8), np.int8)):
            found = q.block_descent(W, np.eye(8), round_to=q.E8Lattice(), start=start)
            assert found.dtype == returned
            assert (found == q.E8Lattice().quantize(np.asarray(W, np.float64))[1]).all()

    @pytest.mark.parametrize("spectrum", ["low_rank", "dead"])
    def test_singular_h_is_fine(self, spectrum):
        W, H = q.random_layer(6, 32, spectrum=spectrum, seed=8)
        start = q.ldlq(W, H, round_to=q.E8Lattice(), order="backward")
        assert q.proxy_loss(W, q.block_descent(W, H, round_to=q.E8Lattice()), H) < q.proxy_loss(W, start, H)

    @pytest.mark.parametrize(
        ("change", "error", "words"),
        [
            ({"passes": -1}, ValueError, "passes must be at least 0, but -1 came."),
            ({"passes": 2.0}, TypeError, "passes must be an integer, but 2.0 (float) came."),
            ({"order": "zigzag"}, ValueError, "order must be one of 'forward', 'backward', but 'zigzag' came."),
            ({"backend": "cuda"}, ValueError, "backend must be one of 'numba', 'numpy', but 'cuda' came."),
            ({"start": np.ones((3, 2))}, ValueError, "start must have the shape of W, (2, 8), but its shape is (3, 2)"),
            ({"start": np.full((2, 8), np.nan)}, ValueError, "start must be finite"),
            ({"start": np.ones((2, 8), bool)}, TypeError, "start must hold real floating-point numbers"),
            ({"start": np.ones((2, 4), int)}, ValueError, "start must be codes of the 2 x 8 weights of W"),
            (
                {"start": np.ones((2, 8), int), "round_to": q.ResidualQuantizer(3)},
                TypeError,
                "start must hold floats, or codes that decode, but: codes must be a matrix of uint32",
            ),
            (
                {"start": np.full((2, 8), -1), "round_to": q.E8PQuantizer()},
                ValueError,
                "start must hold floats, or codes that decode, but: codes must lie from 0",
            ),
            (
                {"start": np.ones((2, 8), int), "round_to": q.E8PQuantizer()},
                ValueError,
                "but those that came, of shape (2, 8), stand for 2 x 64. Integers are taken for codes of E8PQuantizer",
            ),
            ({"H": -np.eye(8), "start": np.ones((2, 8))}, np.linalg.LinAlgError, "positive semidefinite"),
            ({"H": -np.eye(8)}, np.linalg.LinAlgError, "positive semidefinite"),
            ({"H": np.eye(4)}, ValueError, "H must be 8 x 8"),
            ({"round_to": Doubled}, TypeError, "round_to must be a Quantizer"),
            (
                {"round_to": q.IntegerGrid(rounding="stochastic")},
                ValueError,
                "round_to must round to nearest for block_",
            ),
            ({"round_to": q.E8Lattice(dithered=True)}, ValueError, "Take it without chance or dither."),
            ({"W": np.ones((2, 12)), "H": np.eye(12)}, ValueError, "round_to.block must divide the 12 columns of W"),
        ],
        ids=str,
    )
    def test_refusals(self, change, error, words):
        arguments = {"W": np.ones((2, 8)), "H": np.eye(8), "round_to": Doubled()} | change
        with says(error, words):
            q.block_descent(arguments.pop("W"), arguments.pop("H"), **arguments)
