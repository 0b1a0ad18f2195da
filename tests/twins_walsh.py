"""The twins of the fast Walsh-Hadamard transform."""

import numpy as np
from twin import LEFT, Twin


class Butterfly(Twin):
    """Sums and differences in the same order: equal to the bit, whatever the numbers."""

    name = "butterfly"
    reference_name = "quipref.incoherence.walsh.butterfly"

    def exact(self, m, n, dtype, rng):
        return self._case(m, n, rng, lambda size: rng.integers(-64, 65, size).astype(dtype))

    def general(self, m, n, rng):
        return self._case(m, n, rng, rng.standard_normal)

    def _case(self, m, n, rng, numbers):
        """m lines; a line has a power of two of numbers, up to sixteen times n, and stands in a row or in a column."""
        n = 2 ** int(rng.integers(n.bit_length() + 4))
        stride = int(rng.choice([d for d in range(1, m + 1) if m % d == 0] or [1]))
        return {"x": numbers(m * n), "stride": stride, "stop": stride * n}

    def reference(self, case, rows):
        """The reference does all lines; those outside `rows` are put back."""
        x, stride, n = case["x"].copy(), case["stride"], case["stop"] // case["stride"]
        self.reference_function()(x, stride, case["stop"])
        lines, before = (np.moveaxis(y.reshape(-1, n, stride), 1, 2) for y in (x, case["x"]))  # views
        outside = ~np.isin(np.arange(x.size // n), np.arange(*rows)).reshape(lines.shape[:2])
        lines[outside] = before[outside]
        return (x,)

    def kernel(self, case, rows):
        x = case["x"].copy()
        self.kernel_function()(x, case["stride"], case["stop"], *rows)
        return (x,)

    def assert_close(self, case, reference, kernel):
        self.assert_equal(case, reference, kernel)


class ScaledRows(Twin):
    """Two products an entry and the stages of a row, in the same order: equal to the bit."""

    name = "scaled_rows"
    reference_name = "quipref.incoherence.walsh.scaled_rows"

    def exact(self, m, n, dtype, rng):
        return self._case(m, n, rng, lambda shape: rng.integers(-64, 65, shape).astype(dtype))

    def general(self, m, n, rng):
        return self._case(m, n, rng, rng.standard_normal)

    def _case(self, m, n, rng, numbers):
        """Rows of a power of two of numbers, transformed or not."""
        n = 2 ** n.bit_length()
        arrays = {"X": numbers((m, n)), "rows": numbers(m), "columns": numbers(n)}
        return arrays | {"stop": int(rng.choice([1, n]))}

    def reference(self, case, rows):
        out, here = np.full_like(case["X"], LEFT), slice(*rows)
        self.reference_function()(case["X"][here], case["rows"][here], case["columns"], out[here], case["stop"])
        return (out,)

    def kernel(self, case, rows):
        out = np.full_like(case["X"], LEFT)
        self.kernel_function()(case["X"], case["rows"], case["columns"], out, case["stop"], *rows)
        return (out,)

    def assert_close(self, case, reference, kernel):
        self.assert_equal(case, reference, kernel)
