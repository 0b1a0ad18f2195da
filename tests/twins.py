"""Every compiled kernel beside the reference function that it is the twin of, and how exactly they must agree.

Each entry makes two kinds of cases. On *exact* ones (see dyadic.py) every operation is exact in
floating point, targets fall on ties often, and the two answers are equal to the bit. On *general*
ones, Gaussian and in float64, what is on the grid is equal too (with a fixed seed, no target is as near to a tie as
the rounding of its sum), floating-point sums agree as far as their own rounding allows, and where an
argmin decides, the costs of the two answers are compared.
"""

import dyadic
import numpy as np
from twin import LEFT, Twin
from twins_lattice import NearestPoints, PointValues
from twins_roots import NearestRoots
from twins_viterbi import BestWalks, CoarseWalks, LockstepWalks
from twins_walsh import Butterfly, ScaledRows

from quipref import IntegerGrid, UniformGrid, random_layer

EPS = np.finfo(np.float64).eps


class BestSteps(Twin):
    """argmin over steps: equal on exact cases, the first among equals; otherwise of equal cost up to rounding."""

    name = "best_steps"
    reference_name = "quipref.rounding.grid.best_steps"

    def exact(self, m, n, dtype, rng):
        W = dyadic.weights(m, n, rng)
        even = np.flatnonzero(rng.random(m) < 0.3)
        W[even] = rng.choice([-0.375, 0.375], (len(even), n))  # steps 1/4 and 3/4 both reach these rows exactly
        candidates = rng.permuted(np.tile([0.0, 0.25, 0.5, 0.75, 1.0, 1.5], (m, 1)), axis=1)
        return {"W": W, "candidates": candidates, "bits": 2}

    def general(self, m, n, rng):
        W = rng.standard_normal((m, n))
        return {"W": W, "candidates": np.abs(W).max(axis=1, initial=0)[:, None] * np.linspace(0.1, 1, 12), "bits": 3}

    def reference(self, case, rows):
        return self._run(self.reference_function(), case, rows)

    def kernel(self, case, rows):
        return self._run(self.kernel_function(), case, rows)

    def _run(self, function, case, rows):
        best, half = np.full(len(case["W"]), LEFT), 2 ** case["bits"] // 2
        function(case["W"], case["candidates"], 0.5, -half, half - 1, *rows, best)
        return (best,)

    def assert_close(self, case, reference, kernel):
        """A cost is a sum of n squares: each of the two computed costs is off by n eps of itself at most."""
        W, half = case["W"], 2 ** case["bits"] // 2
        for row, steps in enumerate(zip(reference[0], kernel[0], strict=True)):
            levels = np.array(steps)[:, None, None] * (np.arange(-half, half) + 0.5)
            cost, other = np.square(np.abs(W[row, :, None] - levels).min(axis=2)).sum(axis=1)
            assert abs(cost - other) <= 2 * (W.shape[1] + 4) * EPS * cost


class RoundColumns(Twin):
    """Linear feedback: levels equal; the errors E are sums of up to `stop - start` products."""

    name = "round_columns"
    reference_name = "quipref.rounding.blocked.round_columns"

    def exact(self, m, n, dtype, rng):
        T = (rng.integers(-64, 65, (n, m)) / 128).astype(dtype)
        X = dyadic.feedback(n, rng, dtype)
        return self._case(dyadic.weights(m, n, rng, dtype), T, X, rng)

    def general(self, m, n, rng):
        X = np.triu(rng.standard_normal((n, n)), 1) / (4 * np.sqrt(n))
        return self._case(3 * rng.standard_normal((m, n)), rng.standard_normal((n, m)), X, rng)

    def _case(self, W, T, X, rng):
        m, n = W.shape
        start, stop = sorted(rng.integers(0, n + 1, 2))
        grids = [
            IntegerGrid(),
            IntegerGrid(-2, 1),
            IntegerGrid(None, 0),
            UniformGrid(rng.choice([0.0, 0.5, 1.0], (m, 1)).astype(np.float16), 2),
        ]
        columns = [(0, n), (int(start), int(stop))]
        choose = rng.integers
        return {
            "W": W,
            "T": T,
            "X": X,
            "columns": columns[choose(2)],
            "grid": grids[choose(len(grids))],
            "residual": bool(choose(2)),
        }

    def reference(self, case, rows):
        """The reference rounds all rows; outside `rows` its outputs are put back."""
        W_hat, E = self._outputs(case)
        self.reference_function()(
            case["W"], W_hat, case["T"], E, case["X"], *case["columns"], case["grid"], None, case["residual"]
        )
        outside = np.setdiff1d(np.arange(len(W_hat)), np.arange(*rows))
        W_hat[outside], E[:, outside] = LEFT, LEFT
        return W_hat, E

    def kernel(self, case, rows):
        W_hat, E = self._outputs(case)
        affine = case["grid"].affine(len(W_hat), W_hat.dtype)
        self.kernel_function()(
            case["W"], W_hat, case["T"], E, case["X"], *case["columns"], *rows, *affine, case["residual"]
        )
        return W_hat, E

    def _outputs(self, case):
        return np.full_like(case["W"], LEFT), np.full_like(case["T"], LEFT)

    def assert_close(self, case, reference, kernel):
        (W_hat, E), (W_hat_found, E_found) = reference, kernel
        assert np.array_equal(W_hat, W_hat_found)
        width = case["columns"][1] - case["columns"][0]
        largest = np.abs(case["W"]).max(initial=0) + np.abs(case["T"]).max(initial=0) + 0.5
        sizes = largest + np.abs(case["X"]).T @ np.abs(np.where(E == LEFT, 0, E))  # of a target's summands
        assert (np.abs(E - E_found) <= 2 * (width + 4) * EPS * sizes).all()


class Descend(Twin):
    """Coordinate descent: levels equal; G has been updated by at most passes * n products."""

    name = "descend"
    reference_name = "quipref.rounding.greedy.descend"

    def exact(self, m, n, dtype, rng):
        W, H = dyadic.weights(m, n, rng, dtype), dyadic.hessian(n, rng, dtype, dead=int(rng.integers(2)))
        grids = [IntegerGrid(), IntegerGrid(-1, 2), UniformGrid(np.full((m, 1), 0.5, np.float16), 2)]
        return self._case(W, H, grids[rng.integers(len(grids))], rng)

    def general(self, m, n, rng):
        W, H = random_layer(max(m, 1), max(n, 1), seed=rng)
        return self._case(2 * W[:m, :n], H[:n, :n], IntegerGrid(-2, 1), rng)

    def _case(self, W, H, grid, rng):
        columns = np.arange(W.shape[1])[:: rng.choice([-1, 1])]
        return {"W": W, "H": H, "grid": grid, "columns": columns, "passes": int(rng.integers(1, 5))}

    def reference(self, case, rows):
        W_hat, G = self._start(case)
        before = W_hat.copy(), G.copy()
        self.reference_function()(W_hat, G, case["W"], case["H"], case["columns"], case["passes"], case["grid"])
        outside = np.setdiff1d(np.arange(len(W_hat)), np.arange(*rows))
        W_hat[outside], G[outside] = before[0][outside], before[1][outside]
        return W_hat, G

    def kernel(self, case, rows):
        W_hat, G = self._start(case)
        affine = case["grid"].affine(len(W_hat), W_hat.dtype)
        self.kernel_function()(W_hat, G, case["W"], case["H"], case["columns"], case["passes"], *affine, *rows)
        return W_hat, G

    def _start(self, case):
        W_hat = case["grid"].quantize(case["W"])[1]
        return W_hat, (case["W"] - W_hat) @ case["H"]

    def assert_close(self, case, reference, kernel):
        (W_hat, G), (W_hat_found, G_found) = reference, kernel
        assert np.array_equal(W_hat, W_hat_found)
        updates = case["passes"] * len(case["columns"])
        moved = 4 * np.abs(case["H"]).sum(axis=0)  # no level of this grid is further than 4 from another
        assert (np.abs(G - G_found) <= 2 * (updates + 4) * EPS * (moved + np.abs(G))).all()


class RoundTile(Twin):
    """Feedback from both sides: levels equal; V has received up to `last_row - first_row` products."""

    name = "round_tile"
    reference_name = "quipref.rounding.two_sided.round_tile"

    def exact(self, m, n, dtype, rng):
        V, T = ((rng.integers(-256, 257, (m, n)) / 128).astype(dtype) for _ in range(2))
        feedback = dyadic.feedback(n, rng, dtype), dyadic.feedback(m, rng, dtype)
        return self._case(dyadic.weights(m, n, rng, dtype), V, T, *feedback, rng)

    def general(self, m, n, rng):
        U_in, U_out = (np.triu(rng.standard_normal((k, k)), 1) / (4 * np.sqrt(k)) for k in (n, m))
        W = 3 * rng.standard_normal((m, n))
        return self._case(W, W + rng.standard_normal((m, n)), rng.standard_normal((m, n)), U_in, U_out, rng)

    def _case(self, W, V, T, U_in, U_out, rng):
        m, n = W.shape
        some = sorted(int(j) for j in rng.integers(0, n + 1, 2))
        steps = rng.choice([0.0, 0.5, 1.0], (m, 1)).astype(np.float16)
        grids = [IntegerGrid(), IntegerGrid(-2, 1), UniformGrid(steps, 2)]
        arrays = {"W": W, "V": V, "T": T, "U_in": U_in, "U_out": U_out}
        return arrays | {"columns": [(0, n), some][rng.integers(2)], "grid": grids[rng.integers(len(grids))]}

    def reference(self, case, rows):
        return self._run(self.reference_function(), case, rows, case["grid"], None)

    def kernel(self, case, rows):
        return self._run(self.kernel_function(), case, rows, *case["grid"].affine(len(case["W"]), case["W"].dtype))

    def _run(self, function, case, rows, *grid):
        W_hat, V = np.full_like(case["W"], LEFT), case["V"].copy()
        function(case["W"], V, case["T"], case["U_in"], case["U_out"], *rows, *case["columns"], *grid, W_hat)
        return W_hat, V

    def assert_close(self, case, reference, kernel):
        (W_hat, V), (W_hat_found, V_found) = reference, kernel
        assert np.array_equal(W_hat, W_hat_found)
        sizes = np.abs(case["V"]) + np.abs(case["U_out"]).T @ np.abs(np.where(W_hat == LEFT, 0, case["W"] - W_hat))
        assert (np.abs(V - V_found) <= 2 * (len(V) + 4) * EPS * sizes).all()


TWINS = [
    BestSteps(),
    BestWalks(),
    Butterfly(),
    CoarseWalks(),
    Descend(),
    LockstepWalks(),
    NearestPoints(),
    NearestRoots(),
    PointValues(),
    RoundColumns(),
    RoundTile(),
    ScaledRows(),
]
