"""The twins of E8P: equal codes where sums are exact, equal scores where they are not, and equal points anyway."""

import numpy as np
from twin import LEFT, Twin

from quipref.lattice import e8p

KEPT = 0x4D4D  # what stands in `codes` before the call, and afterwards in other rows
UNIT = 2.0**-24  # relative error of one operation in single precision


class NearestPoints(Twin):
    """Multiples of 1/4 or 1/16, on which every score is exact and ties are frequent; then Gaussian vectors.

    Some of the multiples are so small that they vanish in every sum, in whatever order it is formed.
    """

    name = "nearest_points"
    reference_name = "quipref.lattice.e8p.nearest_points"

    def exact(self, m, n, dtype, rng):
        step = rng.choice([4, 16])
        size = rng.choice([1, 1, 1, 2.0**-40], (m, 8)) * rng.choice([1, 1, 2.0**-40], (m, 1))
        return {"X": (size * rng.integers(-3 * step, 3 * step + 1, (m, 8)) / step).astype(np.float32)}

    def general(self, m, n, rng):
        return {"X": (rng.choice([0.3, 1.0, 2.0, 1e37], (m, 1)) * rng.standard_normal((m, 8))).astype(np.float32)}

    def reference(self, case, rows):
        return self._run(self.reference_function(), case, rows)

    def kernel(self, case, rows):
        return self._run(self.kernel_function(), case, rows)

    def _run(self, function, case, rows):
        codes = np.full(len(case["X"]), KEPT, np.uint16)
        function(case["X"], e8p.patterns(), *rows, codes)
        return (codes,)

    def assert_close(self, case, reference, kernel):
        """A score adds up eight products, what the turned sign costs, the shift's eight and a norm: 20 operations.

        No summand exceeds 5/2 (|x| + 1/4), the costs are at most twice that, and the shift's at most |x| / 4.
        """
        X = case["X"].astype(np.float64)
        q, q_found = (e8p.points()[codes].astype(np.float64) for (codes,) in (reference, kernel))
        scores = [(X * p).sum(axis=1) - np.square(p).sum(axis=1) / 2 for p in (q, q_found)]
        sizes = (np.abs(X) + 0.25).sum(axis=1) * (2.5 * 3 + 0.25) + 6
        assert (np.abs(scores[0] - scores[1]) <= 2 * 20 * UNIT * sizes).all()


class PointValues(Twin):
    """Any codes, any scale: the point is exact, and its product with the scale is rounded once."""

    name = "point_values"
    reference_name = "quipref.lattice.e8p.point_values"

    def exact(self, m, n, dtype, rng):
        codes = rng.integers(0, 2**16, m).astype(np.uint16)
        return {"codes": codes, "scale": dtype(np.float32(rng.uniform(0.1, 10))), "dtype": dtype}

    def general(self, m, n, rng):
        return self.exact(m, n, np.float64, rng)

    def reference(self, case, rows):
        return self._run(self.reference_function(), case, rows)

    def kernel(self, case, rows):
        return self._run(self.kernel_function(), case, rows)

    def _run(self, function, case, rows):
        X_hat = np.full((len(case["codes"]), 8), LEFT, case["dtype"])
        function(case["codes"], e8p.patterns(), case["scale"], *rows, X_hat)
        return (X_hat,)

    def assert_close(self, case, reference, kernel):
        self.assert_equal(case, reference, kernel)


def plant(monkeypatch):
    """Put into the reference: among equals -1/4 wins, and the first and the last coordinate exchange their signs."""
    best, values = e8p.best_with_shift, e8p.values

    def ties_go_down(d, X, patterns):
        score, code = best(d, X, patterns)
        return (np.nextafter(score, np.float32(np.inf)) if d < 0 else score), code

    def other_signs(codes):
        X_hat, sizes = values(codes), np.abs(values(codes))
        X_hat[:, 0], X_hat[:, 7] = np.copysign(sizes[:, 0], X_hat[:, 7]), np.copysign(sizes[:, 7], X_hat[:, 0])
        return X_hat

    monkeypatch.setattr(e8p, "best_with_shift", ties_go_down)
    monkeypatch.setattr(e8p, "values", other_signs)
