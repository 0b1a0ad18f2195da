"""The Viterbi algorithm on the bit-shift trellis, one sequence at a time, in plain loops.

Only the least cost of each group is kept, of the predecessors c 2^(L - kV) + u that share their low bits u, and no
branch at all: the few that the walk took are found again on the way back, by the same sums.
"""

import numpy as np

from quipref.kernels.jit import jit_in_order


@jit_in_order
def best_walks(X, table, shift, overlaps, first_kept, first_row, last_row, states):
    """Walks from step first_kept on. X (B, T), table (2^L, V), overlaps (B,) or -1, states (B, T / V).

    Twin of `quipref.trellis.viterbi.best_walks`.
    """
    n_states, V = table.shape
    n_steps, n_groups, branches = X.shape[1] // V, n_states >> shift, 1 << shift
    same = min(branches, n_groups)  # u = (r, b): groups u with the same r have the same predecessors
    values = np.empty((V, same, branches, n_groups // same), X.dtype)
    for s in range(n_states):
        u = s % n_groups
        values[:, u % same, s // n_groups, u // same] = table[s]
    least = np.empty((n_steps + 1, n_groups), X.dtype)
    for row in range(first_row, last_row):
        x = X[row].copy()
        least[0] = 0 if overlaps[row] < 0 else np.inf
        least[0, overlaps[row]] = 0  # without an overlap it is 0 already
        for i in range(n_steps):
            _step(x[i * V : (i + 1) * V], values, shift, least[i], least[i + 1])
        state = _end(x, table, shift, least, overlaps[row])
        states[row, n_steps - 1] = state
        for i in range(n_steps - 2, first_kept - 1, -1):
            state = _before(x, table, shift, least, i, state >> shift)
            states[row, i] = state


@jit_in_order
def _step(x, values, shift, least, new):
    """From the least costs of the groups to those one step later."""
    V, same, branches, n = values.shape
    n_groups, error, best = len(least), np.empty(n, least.dtype), np.empty(n, least.dtype)
    for b in range(same):
        for r in range(n):
            best[r] = np.inf
        for c in range(branches):
            before = least[c * n_groups >> shift :]
            for r in range(n):
                error[r] = 0
            for j in range(V):
                v, x_j = values[j, b, c], x[j]
                for r in range(n):
                    d = v[r] - x_j
                    error[r] += d * d
            # new[r, b] = min over c of error[c, r, b] + least[c, r]
            for r in range(n):
                cost = error[r] + before[r]
                best[r] = cost if cost < best[r] else best[r]
        for r in range(n):
            new[r * same + b] = best[r]


@jit_in_order
def _cost(x, table, shift, least, i, s):
    """The least cost of a walk that is at the state s in step i."""
    error = x[0] * 0
    for j in range(table.shape[1]):
        d = table[s, j] - x[i * table.shape[1] + j]
        error += d * d
    return error + least[i, s >> shift]


@jit_in_order
def _before(x, table, shift, least, i, u):
    """The best state with the low bits u in step i, the smallest of equals."""
    n_groups, best = least.shape[1], u
    for s in range(u, len(table), n_groups):
        if _cost(x, table, shift, least, i, s) < _cost(x, table, shift, least, i, best):
            best = s
    return best


@jit_in_order
def _end(x, table, shift, least, overlap):
    """The best last state, or the best with the low bits that the overlap prescribes; the smallest of equals."""
    last = least.shape[0] - 2
    if overlap >= 0:
        return _before(x, table, shift, least, last, np.int64(overlap))
    best = 0
    for s in range(len(table)):
        if _cost(x, table, shift, least, last, s) < _cost(x, table, shift, least, last, best):
            best = s
    return best
