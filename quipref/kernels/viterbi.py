"""The Viterbi algorithm on the bit-shift trellis, one sequence at a time."""

import numpy as np

from quipref.kernels.jit import jit_in_order


@jit_in_order
def best_walks(X, table, shift, overlaps, first_kept, first_row, last_row, states):
    """Walks from step first_kept on. X (B, T), table (2^L, V), overlaps (B,) or -1, states (B, T / V).

    Twin of `quipref.trellis.viterbi.best_walks`.
    """
    n_states, V = table.shape
    n_steps, n_groups = X.shape[1] // V, n_states >> shift
    values = table.T.copy()
    error, cost = np.empty(n_states, X.dtype), np.empty(n_states, X.dtype)
    least = np.empty(n_groups, X.dtype)
    before = np.empty((n_steps, n_groups), np.int32)
    for row in range(first_row, last_row):
        o = overlaps[row]
        least[:] = 0 if o < 0 else np.inf
        least[o] = 0  # without an overlap this is 0 already
        for i in range(n_steps):
            error[:] = 0
            for j in range(V):
                x = X[row, i * V + j]
                for s in range(n_states):
                    d = values[j, s] - x
                    error[s] += d * d
            # cost(s) = error(s) + the least cost among the predecessors of s
            for s in range(n_states):
                cost[s] = error[s] + least[s >> shift]
            choice = before[i]
            for u in range(n_groups):
                least[u] = cost[u]
                choice[u] = u
            for s in range(n_groups, n_states, n_groups):
                for u in range(n_groups):
                    better = cost[s + u] < least[u]
                    least[u] = cost[s + u] if better else least[u]
                    choice[u] = s + u if better else choice[u]
        state = before[n_steps - 1, o]
        if o < 0:
            state = 0
            for s in range(n_states):
                state = s if cost[s] < cost[state] else state
        states[row, n_steps - 1] = state
        for i in range(n_steps - 2, first_kept - 1, -1):
            state = before[i, state >> shift]
            states[row, i] = state
