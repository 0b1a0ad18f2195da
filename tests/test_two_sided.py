"""Two-sided rounding: by hand, by its definition, what it is when the rows do not meet. (Y1 is in theorems/.)"""

import numpy as np
import pytest
from dyadic import feedback
from dyadic import weights as dyadic_weights
from quantizers import Doubled, Plain
from sizes import size
from voice import says

from quipref import (
    IntegerGrid,
    UniformGrid,
    block_ldl,
    ldl,
    ldlq,
    linear_feedback,
    proxy_loss,
    random_layer,
    two_sided_ldlq,
)
from quipref.rounding import two_sided
from quipref.rounding.two_sided import TILE

BACKENDS = ["numba", "numpy"]
ORDERS = ["forward", "backward"]
SHAPES = size([(1, 1), (3, 5), (TILE - 1, TILE + 1), (TILE, 2 * TILE), (2 * TILE + 3, 17)], [(1, 1), (3, 5), (9, 4)])


def problem(m, n, seed, spectrum="power"):
    """(W, H_in, H_out), with weights of several grid units."""
    W, H_in = random_layer(m, n, spectrum=spectrum, seed=seed)
    return 3 * W, H_in, random_layer(1, m, spectrum=spectrum, seed=seed + 1).H


def exact_problem(m, n, rng, dtype=np.float64):
    """The same where all arithmetic is exact: small binary fractions, H = (U + I)(U + I)^T."""
    R_in, R_out = (feedback(k, rng) + np.eye(k) for k in (n, m))
    H_in, H_out = R_in @ R_in.T, R_out @ R_out.T
    assert (ldl(H_in)[0] == R_in - np.eye(n)).all()
    return dyadic_weights(m, n, rng, dtype), H_in.astype(dtype), H_out.astype(dtype)


def flipped(order, *arrays):
    """The arrays themselves, or with both axes reversed: backward is forward on these."""
    return arrays if order == "forward" else [array[::-1, ::-1] for array in arrays]


@pytest.mark.parametrize("backend", BACKENDS)
class TestByHand:
    H = np.array([[1.0, 0.5], [0.5, 1.0]])  # U_01 = 1/2 on both sides, in both orders

    def test_every_term_of_a_target(self, backend):
        """.25 -> 0, .375 + .25/2 = .5 -> 1; .375 + .25/2 = .5 -> 1; then the errors (.25, -.625, -.625) are in place:

        1.0625 - .625/2 - .625/2 + .25/4 is one half, and 1.0 in its place falls short of it.
        """
        W = np.array([[0.25, 0.375], [0.375, 1.0625]])
        assert two_sided_ldlq(W, self.H, self.H, backend=backend).tolist() == [[0, 1], [1, 1]]
        W[1, 1] = 1.0
        assert two_sided_ldlq(W, self.H, self.H, backend=backend).tolist() == [[0, 1], [1, 0]]

    def test_backward_begins_with_the_last_entry(self, backend):
        W = np.array([[1.0625, 0.375], [0.375, 0.25]])
        found = two_sided_ldlq(W, self.H, self.H, order="backward", backend=backend)
        assert found.tolist() == [[1, 1], [1, 0]]

    def test_a_clamped_error_is_fed_back_on_both_sides(self, backend):
        """5 becomes 3: the error 2 adds 1 to each neighbour, the cross term 2/4, and their own errors nothing."""
        W = np.array([[5.0, 0.0], [0.0, 0.0]])
        found = two_sided_ldlq(W, self.H, self.H, round_to=IntegerGrid(0, 3), backend=backend)
        # E = (2, -1; -1, .): 0 - 1/2 - 1/2 + 2/4 = -1/2, and halves go up
        assert found.tolist() == [[3, 1], [1, 0]]
        assert two_sided_ldlq(W, self.H, self.H, backend=backend).tolist() == [[5, 0], [0, 0]]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("order", ORDERS)
class TestByDefinition:
    @pytest.mark.parametrize("shape", SHAPES)
    def test_every_entry_is_its_target_rounded(self, shape, order, backend):
        W, H_in, H_out = problem(*shape, seed=0)
        for grid in [IntegerGrid(), IntegerGrid(-2, 2)]:
            W_hat = two_sided_ldlq(W, H_in, H_out, round_to=grid, order=order, backend=backend)
            w, w_hat, h_in, h_out = flipped(order, W, W_hat, H_in, H_out)
            U_in, U_out, E = ldl(h_in)[0], ldl(h_out)[0], w - w_hat
            targets = w + U_out.T @ E + E @ U_in + U_out.T @ E @ U_in
            assert (grid.quantize(targets)[1] == w_hat).all()

    def test_backward_is_forward_on_reversed_rows_and_columns(self, order, backend):
        W, H_in, H_out = problem(20, 30, seed=1)
        other = ORDERS[1 - ORDERS.index(order)]
        found = two_sided_ldlq(W, H_in, H_out, order=order, backend=backend)
        reversed_problem = W[::-1, ::-1], H_in[::-1, ::-1], H_out[::-1, ::-1]
        assert (found == two_sided_ldlq(*reversed_problem, order=other, backend=backend)[::-1, ::-1]).all()

    def test_the_two_sides_are_alike(self, order, backend):
        W, H_in, H_out = problem(20, 30, seed=2)
        found = two_sided_ldlq(W, H_in, H_out, order=order, backend=backend)
        assert (found == two_sided_ldlq(W.T, H_out, H_in, order=order, backend=backend).T).all()

    def test_blocks_are_fed_back_along_the_rows_and_entries_down_the_columns(self, order, backend):
        W, H_in, H_out = problem(5, 24, seed=3)
        W_hat = two_sided_ldlq(W, H_in, H_out, round_to=Doubled(), order=order, backend=backend)
        columns = np.arange(24) if order == "forward" else np.arange(24).reshape(3, 8)[::-1].ravel()
        rows = np.arange(5) if order == "forward" else np.arange(5)[::-1]
        w, E = W[rows][:, columns], (W - W_hat)[rows][:, columns]
        U_in, U_out = block_ldl(H_in[columns][:, columns], 8)[0], ldl(H_out[rows][:, rows])[0]
        targets = w + U_out.T @ E + E @ U_in + U_out.T @ E @ U_in
        rounded = np.hstack([Doubled().quantize(targets[:, a : a + 8])[1] for a in range(0, 24, 8)])
        assert (rounded == w - E).all()

    @pytest.mark.parametrize("spectrum", ["low_rank", "dead"])
    def test_singular_hessians_are_taken_as_they_are(self, spectrum, order, backend):
        W, H_in, H_out = problem(size(40, 8), size(64, 12), seed=4, spectrum=spectrum)
        W_hat = two_sided_ldlq(W, H_in, H_out, order=order, backend=backend)
        D_in, D_out = (ldl(H)[1] for H in flipped(order, H_in, H_out))
        assert (D_in == 0).any()
        assert (D_out == 0).any()
        assert proxy_loss(W, W_hat, H_in, H_out=H_out) <= D_out.sum() * D_in.sum() / 4 * (1 + 1e-9)


class TestRowsThatDoNotMeet:
    """With a diagonal H_out the method is LDLQ, to the bit: in float32 too, where a changed sum would show."""

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @pytest.mark.parametrize("order", ORDERS)
    @pytest.mark.parametrize("backend", BACKENDS)
    def test_it_is_ldlq(self, backend, order, dtype):
        m, n = size((150, 300), (9, 12))
        W, H_in, _ = problem(m, n, seed=5)
        W = W.astype(dtype)
        for grid in [IntegerGrid(), UniformGrid.fit(W, 2), IntegerGrid(rounding="stochastic")]:
            options = {"round_to": grid, "order": order, "rng": 7, "backend": backend}
            expected = ldlq(W, H_in, **options)
            for H_out in [np.eye(m), np.diag(np.arange(float(m)))]:
                found = two_sided_ldlq(W, H_in, H_out, **options)
                assert found.dtype == dtype
                assert (found == expected).all()

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @pytest.mark.parametrize("shape", SHAPES)
    def test_both_ways_of_rounding_come_to_it_by_themselves(self, shape, dtype):
        """Not because the public function hands such a layer over: the row feedback just adds nothing."""
        m, n = shape
        rng = np.random.default_rng(shape)
        W, U_in, nothing = dyadic_weights(m, n, rng, dtype), feedback(n, rng, dtype), np.zeros((m, m), dtype)
        expected = linear_feedback(W, U_in)
        W_hat = np.empty_like(W)
        two_sided.round_tile(W, W.copy(), 0 * W, U_in, nothing, 0, m, 0, n, IntegerGrid(), None, W_hat)
        assert (W_hat == expected).all()
        two_sided.tiled(W, U_in, nothing, IntegerGrid().affine(m, W.dtype), W_hat)
        assert (W_hat == expected).all()

    def test_rows_that_do_meet_round_otherwise_and_lose_less(self):
        W, H_in, H_out = problem(30, 40, seed=6)
        alone, both = ldlq(W, H_in), two_sided_ldlq(W, H_in, H_out)
        assert (alone[0] == both[0]).all()  # nothing feeds the first row
        assert (alone[1:] != both[1:]).any(axis=1).mean() > 0.5
        assert proxy_loss(W, both, H_in, H_out=H_out) < 0.8 * proxy_loss(W, alone, H_in, H_out=H_out)


class TestAgreement:
    """Tiles against entry by entry."""

    @pytest.mark.parametrize("order", ORDERS)
    @pytest.mark.parametrize("shape", SHAPES)
    def test_on_every_shape(self, shape, order):
        W, H_in, H_out = problem(*shape, seed=7)
        W[shape[0] // 2] = 0
        for grid in [IntegerGrid(), IntegerGrid(-4, 3), UniformGrid.fit(W, 2), UniformGrid.fit(W, 2, per="tensor")]:
            expected = two_sided_ldlq(W, H_in, H_out, round_to=grid, order=order, backend="numpy")
            assert (two_sided_ldlq(W, H_in, H_out, round_to=grid, order=order) == expected).all()
            assert (grid.quantize(expected)[1] == expected).all()  # each row on its own levels

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @pytest.mark.parametrize("shape", SHAPES)
    def test_to_the_bit_where_arithmetic_is_exact(self, shape, dtype):
        W, H_in, H_out = exact_problem(*shape, np.random.default_rng(shape), dtype)
        for grid in [IntegerGrid(), IntegerGrid(-2, 1), UniformGrid(np.full((shape[0], 1), 0.5, np.float16), 3)]:
            expected = two_sided_ldlq(W, H_in, H_out, round_to=grid, backend="numpy")
            found = two_sided_ldlq(W, H_in, H_out, round_to=grid)
            assert found.dtype == expected.dtype == dtype
            assert (found == expected).all()

    def test_the_exact_layers_do_have_ties_and_feedback_from_both_sides(self):
        W, H_in, H_out = exact_problem(20, 60, np.random.default_rng(0))
        U_in, U_out, E = ldl(H_in)[0], ldl(H_out)[0], W - two_sided_ldlq(W, H_in, H_out)
        targets = W + U_out.T @ E + E @ U_in + U_out.T @ E @ U_in
        assert (targets - np.floor(targets) == 0.5).sum() > 5
        assert all(X.any() for X in (U_out.T @ E, E @ U_in, U_out.T @ E @ U_in))

    def test_a_quantizer_without_a_compiled_form(self):
        W, H_in, H_out = problem(9, 12, seed=8)
        grid = IntegerGrid(-2, 2)
        expected = two_sided_ldlq(W, H_in, H_out, round_to=grid)
        assert (two_sided_ldlq(W, H_in, H_out, round_to=Plain(grid)) == expected).all()

    @pytest.mark.parametrize("order", ORDERS)
    def test_stochastic_rounding_draws_the_same_numbers(self, order):
        W, H_in, H_out = problem(7, 9, seed=9)
        options = {"round_to": IntegerGrid(rounding="stochastic"), "order": order}
        expected = two_sided_ldlq(W, H_in, H_out, rng=7, backend="numpy", **options)
        assert (two_sided_ldlq(W, H_in, H_out, rng=np.random.default_rng(7), **options) == expected).all()
        assert (two_sided_ldlq(W, H_in, H_out, rng=8, **options) != expected).any()
        with says(ValueError, "rng must be a seed or a Generator for stochastic rounding"):
            two_sided_ldlq(W, H_in, H_out, **options)


class TestInputs:
    @pytest.mark.parametrize("backend", BACKENDS)
    @pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0), (1, 1), (2, 2)])
    def test_small_layers(self, shape, backend):
        H_in, H_out = (np.eye(k) + 2.0**-4 for k in (shape[1], shape[0]))
        for order in ORDERS:
            found = two_sided_ldlq(np.full(shape, 0.75), H_in, H_out, order=order, backend=backend)
            assert found.shape == shape
            assert (found == 1).all()

    @pytest.mark.parametrize("backend", BACKENDS)
    @pytest.mark.parametrize("order", ORDERS)
    def test_layouts_do_not_matter_and_nothing_is_written(self, order, backend):
        originals = problem(9, 12, seed=10)
        expected = two_sided_ldlq(*originals, order=order, backend=backend)
        wide = [np.zeros((2 * len(X), 2 * X.shape[1])) for X in originals]
        for big, X in zip(wide, originals, strict=True):
            big[::2, ::2] = X
        for arrays in [[np.asfortranarray(X) for X in originals], [big[::2, ::2] for big in wide]]:
            for X in arrays:
                X.flags.writeable = False
            found = two_sided_ldlq(*arrays, order=order, backend=backend)
            assert (found == expected).all()
            assert found.flags.writeable
            assert all(np.array_equal(X, original) for X, original in zip(arrays, originals, strict=True))

    @pytest.mark.parametrize("backend", BACKENDS)
    @pytest.mark.parametrize(
        ("given", "returned"), [(np.float16, np.float32), (np.float32, np.float32), (np.longdouble, np.float64)]
    )
    def test_dtypes(self, backend, given, returned):
        W, H_in, H_out = (X.astype(given) for X in exact_problem(5, 12, np.random.default_rng(11)))
        found = two_sided_ldlq(W, H_in, H_out, backend=backend)
        assert found.dtype == returned
        assert (found == two_sided_ldlq(*(X.astype(np.float64) for X in (W, H_in, H_out)))).all()

    @pytest.mark.parametrize("backend", BACKENDS)
    def test_refusals(self, backend):
        W, H_in, H_out = np.ones((2, 3)), np.eye(3), np.array([[2.0, 1.0], [1.0, 2.0]])

        def refused(error, words, *arrays, **options):
            with says(error, *words):
                two_sided_ldlq(*arrays, backend=backend, **options)

        refused(TypeError, ["W must hold real floating-point numbers"], W.astype(int), H_in, H_out)
        refused(TypeError, ["H_in must hold real floating-point numbers"], W, H_in.astype(int), H_out)
        refused(TypeError, ["H_out must hold real floating-point numbers"], W, H_in, H_out.astype(complex))
        refused(ValueError, ["H_out must be finite"], W, H_in, H_out * np.nan)
        refused(ValueError, ["H_in must be 3 x 3 to match the 3 columns of W, but its shape is (2, 2)"], W, H_out, H_in)
        words = "H_out must be 2 x 2 to match the 2 rows of W, but its shape is (3, 3).", "exchange the two Hessians?"
        refused(ValueError, words, W, H_in, H_in)
        refused(ValueError, ["H_in must be symmetric"], W, np.triu(np.ones((3, 3))), H_out)
        refused(ValueError, ["H_out must be symmetric"], W, H_in, np.triu(H_out))
        indefinite = "must be symmetric positive semidefinite; its smallest eigenvalue is -1.0e+00"
        refused(np.linalg.LinAlgError, ["H_out: H", indefinite, "(n = 2)"], W, H_in, np.diag([-1.0, 1.0]))
        refused(np.linalg.LinAlgError, ["H_in: H", indefinite, "(n = 3)"], W, np.diag([1.0, -1.0, 1.0]), H_out)
        refused(np.linalg.LinAlgError, ["H_in: H", indefinite, "(n = 3)"], W, np.diag([1.0, -1.0, 1.0]), np.eye(2))
        refused(ValueError, ["order must be one of 'forward', 'backward', but 'up'"], W, H_in, H_out, order="up")
        refused(ValueError, ["threads must be at least 1, but 0 came."], W, H_in, H_out, threads=0)
        refused(ValueError, ["round_to.block must divide the 3 columns"], W, H_in, H_out, round_to=Doubled())
        refused(TypeError, ["round_to must be a Quantizer"], W, H_in, H_out, round_to=IntegerGrid)
        for grid in [UniformGrid(np.ones((3, 1), np.float16), 2), UniformGrid(np.ones((5, 1), np.float16), 2)]:
            grid.rounding = "stochastic"
            words = f"the grid has {len(grid.step)} and the layer 2 rows"
            refused(ValueError, [words], W, H_in, H_out, round_to=grid, rng=0)

    def test_refused_backends(self):
        for H_out in [np.eye(2), np.ones((2, 2))]:
            with says(ValueError, "backend must be one of 'numba', 'numpy', but 'cuda' came."):
                two_sided_ldlq(np.ones((2, 3)), np.eye(3), H_out, backend="cuda")
