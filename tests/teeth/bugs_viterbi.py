"""Mistakes that somebody could make in Viterbi's algorithm and in how it closes a circle."""

import numpy as np

VITERBI, TAIL = "quipref.trellis.viterbi", "quipref.trellis.tail_biting"


def uncompiled(bugs):
    """With the bugs in the reference, and no kernel that escapes them."""
    reference = {
        f"{VITERBI}:finder": lambda finder: lambda table, trellis, backend, *rest: finder(table, trellis, "numpy")
    }
    exhaustive = {"quipref.trellis.exhaustive:finder": reference[f"{VITERBI}:finder"]}
    return reference | exhaustive | {f"{VITERBI}:{name}": bug for name, bug in bugs.items()}


def last_among_equals(best_walks):
    """Every bit of every state turned round, so that the largest of equals wins."""

    def faulty(X, table, shift, overlaps, first_kept):
        turned = np.where(overlaps >= 0, (len(table) >> shift) - 1 - overlaps, overlaps)
        return len(table) - 1 - best_walks(X, table[::-1], shift, turned, first_kept)

    return faulty


def greedy(best_walks):
    """The nearest state at the start, then the nearest successor of each."""

    def faulty(X, table, shift, overlaps, first_kept):
        V, n_states = table.shape[1], len(table)
        walk = []
        for i in range(X.shape[1] // V):
            error = np.square(X[:, None, i * V : (i + 1) * V] - table).sum(axis=2)
            if walk:
                allowed = np.arange(n_states) >> shift == (walk[-1] % (n_states >> shift))[:, None]
                error = np.where(allowed, error, np.inf)
            walk.append(error.argmin(axis=1))
        return np.stack(walk[first_kept:], axis=1)

    return faulty


def rolled_less(circle):
    """The overlap of the first two states of a walk that is not rotated at all."""

    def faulty(find, trellis, X):
        first = find(X, np.full(len(X), -1, np.int32))[:, 0]
        return find(X, first >> trellis.shift)

    return faulty


def half_tied(best_walks):
    """Where an overlap is prescribed, only the end keeps to it."""

    def faulty(X, table, shift, overlaps, first_kept):
        free = best_walks(X, table, shift, np.full_like(overlaps, -1), 0)
        states = best_walks(X, table, shift, overlaps, 0)
        states[:, 0] = free[:, 0]
        return states[:, first_kept:]

    return faulty


BUGS = {
    "viterbi: the last among equals": uncompiled({"_best_walks": last_among_equals}),
    "viterbi: a greedy walk": uncompiled({"_best_walks": greedy}),
    "viterbi: the first value of a step alone": uncompiled(
        {"squared_distances": lambda _: lambda x, table: np.square(table[:, 0] - x[:, :1])}
    ),
    "viterbi: distances, not squares": uncompiled(
        {"squared_distances": lambda distances: lambda x, table: np.sqrt(distances(x, table))}
    ),
    "viterbi: circles left open": uncompiled(
        {"_circle": lambda _: lambda find, trellis, X: find(X, np.full(len(X), -1))}
    ),
    "viterbi: the overlap of the wrong place": uncompiled({"_circle": rolled_less}),
    "viterbi: the high bits taken for the low": uncompiled(
        {
            "_circle": lambda _: (
                lambda find, trellis, X: find(X, find(X, np.full(len(X), -1))[:, -1] % (1 << trellis.overlap_bits))
            )
        }
    ),
    "viterbi: a start that is not tied": uncompiled({"_best_walks": half_tied}),
    "exhaustive: half of the overlaps": {
        "quipref.trellis.exhaustive:tied_walks": lambda tied: (
            lambda find, X, overlaps, *rest: tied(find, X, overlaps // 2, *rest)
        )
    },
    "exhaustive: one overlap": {
        "quipref.trellis.exhaustive:tied_walks": lambda _: (
            lambda find, X, overlaps, *rest: find(X, np.zeros(len(X), np.int32))
        )
    },
}
