"""The twins of the Viterbi algorithm: the same sums in the same order, so the same walks, whatever the numbers."""

import numpy as np
from sizes import size
from twin import Twin

from quipref import BitshiftTrellis
from quipref.trellis import coarse, lockstep

KEPT = 77  # what stands in `states` before the call, and afterwards in other rows and before step `first_kept`


class BestWalks(Twin):
    """Any trellis; walks that may end where they like and walks that may not, also where no such walk exists."""

    name = "best_walks"
    reference_name = "quipref.trellis.viterbi.best_walks"

    def exact(self, m, n, dtype, rng):
        """Small whole numbers: ties everywhere."""
        return self._case(m, n, rng, lambda *shape: rng.integers(-2, 3, shape).astype(self.dtype(dtype)))

    def general(self, m, n, rng):
        return self._case(m, n, rng, lambda *shape: rng.standard_normal(shape).astype(self.dtype(np.float64)))

    def dtype(self, dtype):
        return dtype

    def trellis(self, rng):
        L = int(rng.integers(1, size(8, 5)))
        k = int(rng.integers(1, L + 1))
        return BitshiftTrellis(L, k, int(rng.integers(1, min(4, L // k) + 1)))

    def _case(self, m, n, rng, numbers):
        trellis, n_steps = self.trellis(rng), int(rng.integers(1, max(n, 1) + 1))
        V = trellis.values_per_step
        return {
            "X": numbers(m, n_steps * V),
            "table": numbers(trellis.n_states, V),
            "shift": trellis.shift,
            "overlaps": rng.integers(-1, 1 << trellis.overlap_bits, m).astype(np.int32),
            "first_kept": int(rng.integers(n_steps)),
        }

    def reference(self, case, rows):
        return self._run(self.reference_function(), case, rows, compiled=False)

    def kernel(self, case, rows):
        return self._run(self.kernel_function(), case, rows, compiled=True)

    def _run(self, function, case, rows, *, compiled):
        states = np.full((len(case["X"]), case["X"].shape[1] // case["table"].shape[1]), KEPT, np.int32)
        known = self.known(case, states.shape[1], compiled)
        function(case["X"], *known, case["shift"], case["overlaps"], case["first_kept"], *rows, states)
        return (states,)

    def known(self, case, n_steps, compiled):
        """What the function is told of the table."""
        return (case["table"],)

    def assert_close(self, case, reference, kernel):
        self.assert_equal(case, reference, kernel)


class LockstepWalks(BestWalks):
    """Tables of few and of many values, each with steps of one, two and more bits; always float32."""

    name = "lockstep_walks"
    reference_name = "quipref.trellis.viterbi.lockstep_walks"

    def dtype(self, dtype):
        return np.float32

    def trellis(self, rng):
        while not lockstep.suits(found := super().trellis(rng)):
            pass
        return found

    def known(self, case, n_steps, compiled):
        table, shift = case["table"], case["shift"]
        memory = lockstep.memory([], lockstep.memory_bytes(False, len(table), shift, max(n_steps, 8 * shift)))
        return table, *lockstep.plan(table, shift), memory


class CoarseWalks(BestWalks):
    """Costs of 16 bits, also where they saturate; and the largest of them."""

    name = "coarse_walks"
    reference_name = "quipref.trellis.coarse.coarse_walks"

    def dtype(self, dtype):
        return np.float32

    def trellis(self, rng):
        while not coarse.suits(found := super().trellis(rng)):
            pass
        return found

    def _case(self, m, n, rng, numbers):
        scales = {"scales": rng.choice([16.0, 512.0, 5000.0], m).astype(np.float32)}
        return super()._case(m, n, rng, numbers) | scales | {"renewal": int(rng.integers(1, 9))}

    def _run(self, function, case, rows, *, compiled):
        states = np.full((len(case["X"]), case["X"].shape[1] // case["table"].shape[1]), KEPT, np.int32)
        highest, shift = np.full(len(states), KEPT, np.uint16), case["shift"]
        values, which = lockstep.distinct(case["table"])
        places = (coarse.LANES * which).astype(np.uint16)[lockstep.butterfly_orders(len(which), shift)]
        memory = lockstep.memory([], lockstep.memory_bytes(True, len(which), shift, 2 * states.shape[1]))
        function(
            *(case["X"], values, places if compiled else which[None], memory, case["scales"], shift, case["renewal"]),
            *(case["overlaps"], case["first_kept"], *rows, states, highest),
        )
        return states, highest


def plant(monkeypatch):
    """Put into the reference: the last among equals, or errors rounded down."""
    from quipref.trellis import viterbi

    original, rounded = viterbi._best_walks, coarse.errors

    def last_among_equals(X, table, shift, overlaps, first_kept):
        """Every bit of every state turned round: the smallest becomes the largest."""
        turned = np.where(overlaps >= 0, (len(table) >> shift) - 1 - overlaps, overlaps)
        return len(table) - 1 - original(X, table[::-1], shift, turned, first_kept)

    monkeypatch.setattr(viterbi, "_best_walks", last_among_equals)
    monkeypatch.setattr(coarse, "errors", lambda *args: np.maximum(rounded(*args), 4) - 4)
