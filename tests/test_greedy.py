"""Greedy coordinate descent: by hand, its fixed points, the clamp inside the update. (Q13 is in theorems/.)"""

import numpy as np
import pytest
from dyadic import hessian as dyadic_hessian
from dyadic import weights as dyadic_weights
from sizes import size
from voice import says

from quipref import IntegerGrid, UniformGrid, greedy, ldlq, proxy_loss, random_layer

BACKENDS = ["numba", "numpy"]
ORDERS = ["forward", "backward"]


@pytest.mark.parametrize("backend", BACKENDS)
class TestByHand:
    H = np.array([[1.0, 0.75], [0.75, 1.0]])
    W = np.array([[0.375, 0.375]])

    def test_one_sweep(self, backend):
        """From (0, 0): column 0 wants .375 + .75 * .375 = .656, so 1; column 1 then wants .375 - .75 * .625 < 0."""
        assert greedy(self.W, self.H, passes=1, backend=backend).tolist() == [[1, 0]]
        assert greedy(self.W, self.H, passes=1, order="backward", backend=backend).tolist() == [[0, 1]]

    def test_no_sweep_is_the_start(self, backend):
        start = np.array([[4.0, -7.0]])
        assert greedy(self.W, self.H, passes=0, backend=backend).tolist() == [[0, 0]]
        assert greedy(self.W, self.H, start=start, passes=0, backend=backend).tolist() == start.tolist()

    def test_ties_go_up(self, backend):
        """Columns that do not meet: each target is w itself, and halves go up."""
        W = np.array([[0.5, -0.5, -1.5]])
        start = np.array([[0.0, -1.0, 5.0]])
        assert greedy(W, np.eye(3), start=start, backend=backend).tolist() == [[1, 0, -1]]

    def test_a_dead_column_is_rounded_to_nearest(self, backend):
        H = np.diag([1.0, 0.0])
        start = np.array([[3.0, 3.0]])
        assert greedy(np.array([[0.4, 0.6]]), H, start=start, backend=backend).tolist() == [[0, 1]]

    def test_the_clamp_is_inside_the_update(self, backend):
        """Column 0 wants 5 but gets 1; column 1 must see the error of the 1: it wants 0 + .75 (5 - 1) = 3, gets 1."""
        W = np.array([[5.0, 0.0]])
        found = greedy(W, self.H, round_to=IntegerGrid(0, 1), passes=1, backend=backend)
        assert found.tolist() == [[1, 1]]

    def test_a_start_off_the_grid_comes_onto_it(self, backend):
        start = np.array([[0.3, 9.7]])
        found = greedy(self.W, self.H, round_to=IntegerGrid(0, 3), start=start, passes=1, backend=backend)
        assert np.isin(found, [0, 1, 2, 3]).all()


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("order", ORDERS)
class TestDescent:
    def test_the_loss_never_grows_and_ends_in_a_coordinatewise_minimum(self, backend, order):
        W, H = random_layer(12, 20, spectrum="outlier", seed=0)
        W = W * 2
        grid = IntegerGrid(-2, 2)
        found, loss = grid.quantize(W)[1], np.inf
        for _ in range(50):
            new = proxy_loss(W, found, H)
            assert new <= loss * (1 + 1e-12)
            if new == loss:
                break
            loss = new
            found = greedy(W, H, round_to=grid, start=found, passes=1, order=order, backend=backend)
        for j in range(20):
            for level in range(-2, 3):
                changed = found.copy()
                changed[:, j] = level
                E, E_new = found - W, changed - W
                losses, new_losses = ((E @ H) * E).sum(axis=1), ((E_new @ H) * E_new).sum(axis=1)
                assert (new_losses >= losses * (1 - 1e-12)).all()

    def test_passes_add_up(self, backend, order):
        W, H = random_layer(10, 30, seed=1)
        two = greedy(W, H, passes=2, order=order, backend=backend)
        one = greedy(W, H, passes=1, order=order, backend=backend)
        assert (two == greedy(W, H, start=one, passes=1, order=order, backend=backend)).all()
        assert (one != two).any()
        many = greedy(W, H, passes=100, order=order, backend=backend)
        assert (many == greedy(W, H, start=many, passes=1, order=order, backend=backend)).all()

    def test_it_improves_ldlq(self, backend, order):
        W, H = random_layer(30, 40, seed=2)
        start = ldlq(W, H, order=order)
        found = greedy(W, H, start=start, order=order, backend=backend)
        assert proxy_loss(W, found, H) < proxy_loss(W, start, H)

    def test_backward_is_forward_on_reversed_columns(self, backend, order):
        W, H = random_layer(9, 17, seed=3)
        other = ORDERS[1 - ORDERS.index(order)]
        found = greedy(W, H, order=order, backend=backend)
        assert (found == greedy(W[:, ::-1], H[::-1, ::-1], order=other, backend=backend)[:, ::-1]).all()


class TestAgreement:
    @pytest.mark.parametrize("order", ORDERS)
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @pytest.mark.parametrize("shape", size([(1, 1), (65, 33), (130, 129)], [(1, 1), (3, 7)]))
    def test_to_the_bit_where_arithmetic_is_exact(self, shape, dtype, order):
        rng = np.random.default_rng(shape)
        W, H = dyadic_weights(*shape, rng, dtype), dyadic_hessian(shape[1], rng, dtype, dead=1)
        for grid in [IntegerGrid(), IntegerGrid(-1, 2), UniformGrid(np.full((shape[0], 1), 0.5, np.float16), 2)]:
            for passes in [1, 3]:
                expected = greedy(W, H, round_to=grid, passes=passes, order=order, backend="numpy")
                found = greedy(W, H, round_to=grid, passes=passes, order=order)
                assert found.dtype == dtype
                assert (found == expected).all()

    @pytest.mark.parametrize("threads", [1, 2, 3])
    def test_threads_change_nothing(self, threads):
        W, H = random_layer(size(200, 70), size(40, 4), seed=4)
        W[3] = 0
        grid = UniformGrid.fit(W, 2)
        expected = greedy(W, H, round_to=grid, backend="numpy")
        assert (greedy(W, H, round_to=grid, threads=threads) == expected).all()

    def test_a_quantizer_without_a_compiled_form(self):
        class Plain:
            block = 1

            def quantize(self, T, rng=None):
                return IntegerGrid(-2, 2).quantize(T, rng)

        W, H = random_layer(9, 12, seed=5)
        assert (greedy(W, H, round_to=Plain()) == greedy(W, H, round_to=IntegerGrid(-2, 2))).all()


class TestInputs:
    @pytest.mark.parametrize("backend", BACKENDS)
    @pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0), (1, 1)])
    def test_small_layers(self, shape, backend):
        for order in ORDERS:
            found = greedy(np.full(shape, 0.75), np.eye(shape[1]), order=order, backend=backend)
            assert found.shape == shape
            assert (found == 1).all()

    @pytest.mark.parametrize("backend", BACKENDS)
    def test_layouts_do_not_matter_and_nothing_is_written(self, backend):
        W, H = random_layer(9, 20, seed=6)
        start = np.round(W)
        expected = greedy(W, H, start=start, backend=backend)
        arrays = [np.asfortranarray(W), np.asfortranarray(H), np.asfortranarray(start)]
        for array in arrays:
            array.flags.writeable = False
        found = greedy(*arrays[:2], start=arrays[2], backend=backend)
        assert (found == expected).all()
        assert found.flags.writeable
        for array, original in zip(arrays, [W, H, np.round(W)], strict=True):
            assert np.array_equal(array, original)

    @pytest.mark.parametrize("backend", BACKENDS)
    @pytest.mark.parametrize(
        ("given", "returned"), [(np.float16, np.float32), (np.float32, np.float32), (np.longdouble, np.float64)]
    )
    def test_dtypes(self, backend, given, returned):
        W = dyadic_weights(4, 6, np.random.default_rng(7)).astype(given)
        found = greedy(W, np.eye(6), start=np.zeros((4, 6), np.float16), backend=backend)
        assert found.dtype == returned
        assert (found == np.floor(W.astype(np.float64) + 0.5)).all()

    @pytest.mark.parametrize("spectrum", ["low_rank", "dead"])
    def test_singular_h_is_fine(self, spectrum):
        W, H = random_layer(6, 32, spectrum=spectrum, seed=8)
        found = greedy(W, H, passes=50)
        assert (found == greedy(W, H, passes=50, backend="numpy")).all()
        assert proxy_loss(W, found, H) <= proxy_loss(W, np.floor(W + 0.5), H)

    @pytest.mark.parametrize("backend", BACKENDS)
    def test_refusals(self, backend):
        W, H = np.ones((2, 3)), np.eye(3)
        with says(ValueError, "passes must be at least 0, but -1 came."):
            greedy(W, H, passes=-1, backend=backend)
        with says(TypeError, "passes must be an integer, but 2.0 (float) came."):
            greedy(W, H, passes=2.0, backend=backend)
        stochastic = IntegerGrid(0, 3, rounding="stochastic")
        words = "round_to must be a scalar grid with nearest rounding for greedy, but IntegerGrid(0, 3, rounding="
        with says(ValueError, words):
            greedy(W, H, round_to=stochastic, backend=backend)

        class Triples(IntegerGrid):
            block = 3

        with says(ValueError, "round_to must be a scalar grid with nearest rounding"):
            greedy(W, H, round_to=Triples(), backend=backend)
        with says(ValueError, "start must have the shape of W, (2, 3), but its shape is (3, 2)."):
            greedy(W, H, start=np.ones((3, 2)), backend=backend)
        with says(ValueError, "start must be finite"):
            greedy(W, H, start=W * np.inf, backend=backend)
        with says(TypeError, "start must hold real floating-point numbers"):
            greedy(W, H, start=W.astype(int), backend=backend)
        with says(ValueError, "order must be one of 'forward', 'backward', but 'zigzag' came."):
            greedy(W, H, order="zigzag", backend=backend)
        with says(ValueError, "H must be 3 x 3"):
            greedy(W, np.eye(4), backend=backend)

    def test_refused_backends(self):
        with says(ValueError, "backend must be one of 'numba', 'numpy', but 'cuda' came."):
            greedy(np.ones((2, 3)), np.eye(3), backend="cuda")
