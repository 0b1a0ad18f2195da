"""The twin of the search of one bit a weight: equal codes where sums are exact, equal scores where they are not."""

import numpy as np
from twin import Twin

from quipref.lattice import one_bit


class NearestRoots(Twin):
    """Small multiples of 1/16 or 1/2, on which every score is exact and ties are frequent; then Gaussian vectors."""

    name = "nearest_roots"
    reference_name = "quipref.lattice.one_bit.nearest_roots"

    def exact(self, m, n, dtype, rng):
        step = rng.choice([2, 16])
        return {"X": (rng.integers(-2 * step, 2 * step + 1, (m, 8)) / step).astype(dtype)}

    def general(self, m, n, rng):
        return {"X": 1.5 * rng.standard_normal((m, 8))}

    def reference(self, case, rows):
        return self._run(self.reference_function(), case, rows)

    def kernel(self, case, rows):
        return self._run(self.kernel_function(), case, rows)

    def _run(self, function, case, rows):
        codes = np.full(len(case["X"]), 77, np.uint8)
        function(case["X"], one_bit.codes_of_signs(), *rows, codes)
        return (codes,)

    def assert_close(self, case, reference, kernel):
        """A score adds up eight products and a norm, so each of the two is off by 10 eps of its summands at most."""
        q, q_found = (one_bit.points()[codes].astype(np.float64) for (codes,) in (reference, kernel))
        scores = [(case["X"] * p).sum(axis=1) - np.square(p).sum(axis=1) / 2 for p in (q, q_found)]
        sizes = np.abs(case["X"]).sum(axis=1) * 2 + 2
        assert (np.abs(scores[0] - scores[1]) <= 2 * 10 * np.finfo(np.float64).eps * sizes).all()


def plant(monkeypatch):
    """Put into the reference: zeros count as negative."""
    original = one_bit.nearest_roots

    def zeros_negative(X, *rest):
        original(np.where(X == 0, X.dtype.type(-(2.0**-60)), X), *rest)

    monkeypatch.setattr(one_bit, "nearest_roots", zeros_negative)
