"""QuIP (arXiv:2307.13304, version 2): OPTQ is LDLQ, what clamping does to both, and greedy descent.

Everywhere H = (U + I) diag(D) (U + I)^T, and H^-1 = C^T C with C upper triangular, as in OPTQ (arXiv:2210.17323).
"""

import numpy as np
from hypothesis import assume, example
from hypothesis import strategies as st
from oracles import optq_errors
from theorems.claims import for_all
from theorems.slack import EPS, magnitudes, pivot_rtol

import quipref
from quipref import bounds
from quipref.rounding import optq as optq_module
from quipref.testing.counterexamples import LATE_CLAMP, clamp_after_the_pass, clamped_counterexample
from quipref.testing.strategies import hessians, layers, seeded_layers

ORDERS = st.sampled_from(["forward", "backward"])
LIMITS = st.sampled_from([(None, None), (0, None), (0, 3), (-2, 1), (-8, 7)])
SIZES = st.sampled_from([1, 2, 3, 5, 8, 16])
# OPTQ inverts H, so its targets carry the condition number: spectra of 10^4 keep the excluded ties rare.
REGULAR_LAYER = layers(n=SIZES, low=1e-2) | seeded_layers(n=SIZES, spectra=("power", "flat", "outlier"))


def in_order(order, W, W_hat, H):
    """The three with columns reversed for order="backward", so that the rest of a test reads left to right."""
    return (W, W_hat, H) if order == "forward" else (W[:, ::-1], W_hat[:, ::-1], H[::-1, ::-1])


class TestQ8OptqIsLdlq:
    """Q8, QuIP theorem 6. True, and beyond the theorem on any grid.

    OPTQ and LDLQ round every column to the same values, in either order, with all integers or a
    clamped range; D_k = 1 / C_kk^2; and the squares of OPTQ's errors e = (T_k - Q(T_k)) / C_kk add up to the
    proxy loss. Two computations of a target differ in the last bits, so near a tie they may part:
    those layers are left out.
    """

    @for_all(REGULAR_LAYER, ORDERS, LIMITS, st.sampled_from(["numba", "numpy"]))
    def test_optq_and_ldlq_round_alike(self, layer, order, limits, backend):
        W, H = layer
        grid = quipref.IntegerGrid(*limits)
        W_hat = quipref.ldlq(W, H, round_to=grid, order=order, backend=backend)
        W_ordered, W_hat_ordered, H_ordered = in_order(order, W, W_hat, H)
        U = quipref.ldl(H_ordered)[0]
        targets = W_ordered + (W_ordered - W_hat_ordered) @ U
        # The inverse, its factor and the feedback are each as far off as the pivots; the sums are of `magnitudes`.
        margin = 4 * pivot_rtol(H) * magnitudes(W_ordered, W_hat_ordered, U).max()
        assume((np.abs(targets - np.floor(targets) - 0.5) > margin).all())
        assert (quipref.optq(W, H, round_to=grid, order=order, backend=backend) == W_hat).all()

    @for_all(hessians(SIZES))
    def test_the_pivots_are_those_of_the_inverse(self, H):
        C = optq_module.inverse_factor(H)
        assert np.allclose(quipref.ldl(H)[1], C.diagonal() ** -2.0, rtol=pivot_rtol(H), atol=0)
        inverse = np.linalg.inv(H)
        assert np.abs(C.T @ C - inverse).max() <= pivot_rtol(H) * np.abs(inverse).max()

    @for_all(REGULAR_LAYER, ORDERS, LIMITS)
    def test_the_squared_errors_add_up_to_the_loss(self, layer, order, limits):
        W, H = layer
        W_hat = quipref.optq(W, H, round_to=quipref.IntegerGrid(*limits), order=order)
        loss = quipref.proxy_loss(W, W_hat, H)
        W, W_hat, H = in_order(order, W, W_hat, H)
        errors = optq_errors(W, W_hat, optq_module.inverse_factor(H))
        U, D = quipref.ldl(H)
        scale = (D * magnitudes(W, W_hat, U) ** 2).sum()
        assert abs(np.square(errors).sum() - loss) <= 4 * pivot_rtol(H) * scale  # as in the test above


class TestQ9ClampedCounterexample:
    """Q9, QuIP's supplement: theorem 1 fails on a grid that ends. True, and a matter of the order.

    On the levels 0 to 3 there are W and H for which LDLQ, left to right, loses about n times as much
    as nearest rounding: the last column would have to become -(n/2 - 2). Right to left, on the same
    W and H, it loses no more than nearest. On all integers the bound m/4 tr D holds as ever.
    """

    CLAMPED = quipref.IntegerGrid(0, 3)
    SIZES = (32, 64, 128)

    @staticmethod
    def loss(W, W_hat, H):
        return quipref.proxy_loss(W, W_hat, H)

    def test_left_to_right_loses_about_n_times_as_much(self):
        printed = {32: (203, 26.3), 128: (3875, 122.5)}
        for n in self.SIZES:
            W, H = clamped_counterexample(n)
            loss = self.loss(W, quipref.ldlq(W, H, round_to=self.CLAMPED), H)
            ratio = loss / self.loss(W, self.CLAMPED.quantize(W)[1], H)
            assert n / 2 < ratio < n
            if n in printed:
                assert (round(loss), round(ratio, 1)) == printed[n]

    def test_right_to_left_loses_no_more_than_nearest(self):
        for n in self.SIZES:
            W, H = clamped_counterexample(n)
            nearest = self.loss(W, self.CLAMPED.quantize(W)[1], H)
            backward = self.loss(W, quipref.ldlq(W, H, round_to=self.CLAMPED, order="backward"), H)
            assert 0.99 * nearest < backward <= nearest

    def test_on_all_integers_the_bound_holds_and_the_last_column_goes_far(self):
        for n in self.SIZES:
            W, H = clamped_counterexample(n)
            W_hat, D = quipref.ldlq(W, H), quipref.ldl(H)[1]
            assert self.loss(W, W_hat, H) <= bounds.worst_case(1, D.sum())
            assert W_hat[0, -1] == -(n / 2 - 2)


@st.composite
def starts(draw):
    """(W, H, grid, start): a layer and any point of a clamped grid to begin from."""
    W, H = draw(layers(singular=True, dead=True, outliers=True) | seeded_layers())
    low, high = draw(st.sampled_from([(0, 1), (-2, 1), (-8, 7)]))
    start = np.random.default_rng(draw(st.integers(0, 2**32 - 1))).integers(low, high + 1, W.shape)
    return W, H, quipref.IntegerGrid(low, high), start.astype(np.float64)


def descent_slack(W, H, grid, passes=1):
    """Rounding of the running gradient: n terms a step, n steps a pass, of errors up to |W| + the largest level."""
    largest = np.abs(W).max(initial=0.0) + max(abs(grid.low), abs(grid.high))
    return 8 * passes * len(H) * EPS * W.shape[0] * largest**2 * np.abs(H).sum()


class TestQ13GreedyDescent:
    """Q13, the greedy updates of QuIP's supplement. True if the clamp is inside each update.

    Then every update is the exact minimiser over the levels of one entry: the loss never grows from
    pass to pass, whatever the start, and where it stops no single entry can be improved. With the
    clamp after a whole pass, as in the authors' program, the loss can grow.
    """

    @for_all(starts(), ORDERS, st.sampled_from(["numba", "numpy"]))
    @example((*LATE_CLAMP[0], *LATE_CLAMP[1:]), "forward", "numba")
    def test_no_pass_raises_the_loss(self, problem, order, backend):
        W, H, grid, W_hat = problem
        for _ in range(3):
            before = quipref.proxy_loss(W, W_hat, H)
            W_hat = quipref.greedy(W, H, round_to=grid, start=W_hat, passes=1, order=order, backend=backend)
            assert (grid.quantize(W_hat)[1] == W_hat).all()
            assert quipref.proxy_loss(W, W_hat, H) <= before + descent_slack(W, H, grid)

    @for_all(starts(), ORDERS)
    def test_where_it_stops_no_single_entry_can_be_improved(self, problem, order):
        W, H, grid, start = problem
        W_hat = quipref.greedy(W, H, round_to=grid, start=start, passes=200, order=order)
        loss = quipref.proxy_loss(W, W_hat, H)
        for i, j in np.ndindex(W.shape):
            for level in range(grid.low, grid.high + 1):
                other = W_hat.copy()
                other[i, j] = level
                assert loss <= quipref.proxy_loss(W, other, H) + descent_slack(W, H, grid, 200)

    def test_it_repairs_the_clamped_counterexample_in_one_pass(self):
        for n, printed in ((32, 7.74), (128, 31.75)):
            W, H = clamped_counterexample(n)
            grid = quipref.IntegerGrid(0, 3)
            start = quipref.ldlq(W, H, round_to=grid)
            once, twice = (quipref.greedy(W, H, round_to=grid, start=start, passes=passes) for passes in (1, 2))
            assert round(quipref.proxy_loss(W, once, H), 2) == printed
            assert (once == twice).all()

    def test_false_that_the_clamp_may_wait_for_the_end_of_the_pass(self):
        """In exact arithmetic; with the clamp inside each update, the same start is already the end."""
        (W, H), grid, start = LATE_CLAMP
        assert quipref.proxy_loss(W, start, H) == 0.75
        assert quipref.proxy_loss(W, clamp_after_the_pass(W, H, grid, start), H) == 2.75
        assert (quipref.greedy(W, H, round_to=grid, start=start) == start).all()
