"""The Viterbi algorithm on the bit-shift trellis, one sequence at a time, in plain loops.

Only the least cost of each group is kept, of the predecessors c 2^(L - kV) + u that share their low bits u, and no
branch at all: the few that the walk took are found again on the way back, by the same sums.
"""

import numpy as np

from quipref.kernels.jit import jit_in_order

BLOCK = 1024  # states at a time, at most: their costs stay in the nearest cache


@jit_in_order
def best_walks(X, table, shift, overlaps, first_kept, first_row, last_row, states):
    """Walks from step first_kept on. X (B, T), table (2^L, V), overlaps (B,) or -1, states (B, T / V).

    Twin of `quipref.trellis.viterbi.best_walks`.
    """
    n_states, V = table.shape
    n_steps, n_groups, branches = X.shape[1] // V, n_states >> shift, 1 << shift
    short = branches <= n_groups >> shift  # the longer runs are quicker
    values = np.ascontiguousarray(table.T)
    ordered = _by_branch(values, shift) if short else values
    error = np.empty(n_groups >> shift if short else min(branches, BLOCK), X.dtype)
    best, least = np.empty(max(len(error), n_groups), X.dtype), np.empty((n_steps + 1, n_groups), X.dtype)
    for row in range(first_row, last_row):
        x = X[row].copy()
        least[0] = 0 if overlaps[row] < 0 else np.inf
        least[0, overlaps[row]] = 0  # without an overlap it is 0 already
        for i in range(n_steps):
            if short:
                _short_step(x[i * V : (i + 1) * V], ordered, shift, error, best, least[i], least[i + 1])
            else:
                _long_step(x[i * V : (i + 1) * V], ordered, shift, error, best, least[i], least[i + 1])
        state = _end(x, values, shift, least, overlaps[row])
        states[row, n_steps - 1] = state
        for i in range(n_steps - 2, first_kept - 1, -1):
            state = _before(x, values, shift, least, i, state >> shift)
            states[row, i] = state


@jit_in_order
def _by_branch(values, shift):
    """The values of the states s = (c, r, b), ordered by b, then c, then r: c and b are kV bits each."""
    branches, n = 1 << shift, values.shape[1] >> 2 * shift
    ordered = np.empty_like(values)
    for b in range(branches):
        for c in range(branches):
            for r in range(n):
                ordered[:, (b * branches + c) * n + r] = values[:, (c * n + r) * branches + b]
    return ordered


@jit_in_order
def _squares(x, values, first, error):
    """The squared distances of the states from `first` on, as many as fit into `error`."""
    error[:] = 0
    for j in range(len(values)):
        v, x_j = values[j, first:], x[j]
        for s in range(len(error)):
            d = v[s] - x_j
            error[s] += d * d


@jit_in_order
def _short_step(x, ordered, shift, error, best, least, new):
    """From the least costs of the groups to those one step later, for kV <= L / 3: run after run of groups (c, r)."""
    branches, n = 1 << shift, len(error)
    for b in range(branches):
        best[:n] = np.inf
        for c in range(branches):
            _squares(x, ordered, (b * branches + c) * n, error)
            # new[r, b] = min over c of error[c, r, b] + least[c, r]
            before = least[c * n :]
            for r in range(n):
                cost = error[r] + before[r]
                best[r] = cost if cost < best[r] else best[r]
        for r in range(n):
            new[r * branches + b] = best[r]


@jit_in_order
def _long_step(x, values, shift, error, best, least, new):
    """The same for kV > L / 3: block after block of states s with the same s >> kV.

    The places of a block stand in `best` as those of states modulo its length, a multiple of the number of groups.
    """
    block, n, n_groups = len(error), len(best), len(least)
    best[:] = np.inf
    for first in range(0, values.shape[1], block):
        _squares(x, values, first, error)
        here, before = best[first % n :], least[first >> shift]
        for s in range(block):
            cost = error[s] + before
            here[s] = cost if cost < here[s] else here[s]
    while n > n_groups:
        n >>= 1
        upper = best[n:]
        for u in range(n):
            best[u] = upper[u] if upper[u] < best[u] else best[u]
    new[:] = best[:n_groups]


@jit_in_order
def _before(x, values, shift, least, i, u):
    """The best state with the low bits u in step i, the smallest of equals: it has the cost that _step found."""
    V, before, lowest, zero = len(values), least[i], least[i + 1, u], x[0] - x[0]
    for s in range(u, values.shape[1], len(before)):
        error = zero  # of the type of x, so every sum is rounded as in _step
        for j in range(V):
            d = values[j, s] - x[i * V + j]
            error += d * d
        if error + before[s >> shift] == lowest:
            break
    return s


@jit_in_order
def _end(x, values, shift, least, overlap):
    """The best last state, or the best with the low bits that the overlap prescribes; the smallest of equals."""
    last = least.shape[0] - 2
    if overlap >= 0:
        return _before(x, values, shift, least, last, np.int64(overlap))
    best, lowest = values.shape[1], least[last + 1].min()
    for u in range(least.shape[1]):
        if least[last + 1, u] == lowest:
            best = min(best, _before(x, values, shift, least, last, u))
    return best
