"""The Viterbi algorithm on the bit-shift trellis, and the walk whose end meets its start."""

from contextlib import contextmanager
from functools import partial
from threading import Lock
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from quipref import backend as backends
from quipref import checks
from quipref.threads import in_pieces
from quipref.trellis import coarse, lockstep
from quipref.trellis.bitshift import BitshiftTrellis, checked_trellis
from quipref.trellis.scaling import in_range

Precision = Literal["exact", "fast"]
PRECISIONS = get_args(Precision)
FREE = -1  # in place of an overlap: the walk may start and end where it likes
COSTS_AT_ONCE = 2**20  # the reference keeps so many running costs, over all its sequences
WORK_A_TASK = 2**24  # states times weights: a fifth of a second in NumPy


def viterbi(
    X: ArrayLike, table: ArrayLike, trellis: BitshiftTrellis, *, tail_biting: bool = True,
    precision: Precision = "exact", backend: backends.Backend = "numba", threads: int | None = None,
    progress: bool = False,
) -> NDArray[np.int32]:  # fmt: skip
    """The walk through the trellis whose values are nearest to each sequence; its first state follows its last one.

    argmin over walks s_0, s_1, ... of sum_i |table[s_i] - x_i|^2

    Parameters
    ----------
    X : array (B, T), real float
        One sequence a row, T a multiple of V; float64 is rounded to float32.
    table : array (2^L, V), float32
        The values of each state; see `quipref.trellis.codes`.
    trellis : BitshiftTrellis
    tail_biting : bool
        Whether the walk must close to a circle (kT >= L). That takes two passes and is not always optimal.
    precision : str
        ``"exact"``: costs in float32. ``"fast"``: costs of 16 bits where kV <= 2, which take 0.6 of the time. The mean
        squared error is up to 0.2 % larger in the mean over many sequences of the table's own scale, up to 0.5 % at
        half that scale, and some per cent for a single short one. What 16 bits do not suffice for is searched exactly.
    backend : str
        ``"numba"`` or ``"numpy"``.
    threads : int, optional
        Default all cores of this process.
    progress : bool
        Show a bar on standard error.

    Returns
    -------
    states : array (B, T / V), int32

    Raises
    ------
    ValueError, TypeError
        X or table of another shape, not finite or not real; T no multiple of V; kT < L on a circle; or a misspelt
        option.

    Notes
    -----
    Every sum and product is rounded to float32, in this order: (d_0^2 + d_1^2 + ...) + the best cost before.
    Among equal costs the smallest predecessor wins, at the end the smallest state. The authors' program, given
    sequences in half precision and a table in float32, finds the same states. Sequences whose costs would leave the
    range of float32 are computed at another scale, with the table, by a power of two.

    A circle is found in two passes. The first runs, both ends free, through the sequence rotated by half its length;
    the bits shared by its two middle states become those shared by the last and the first state of the second one.
    `viterbi_exact_tail_biting` tries all such bits. Time grows as 2^L T / V, and memory as 2^(L - kV) T / V, kV bits
    each for 16 sequences a thread (a byte each for kV > 2; in NumPy, four for every sequence).

    The 16 bits take values within 1.4 % of the table's root mean square for one, count squared errors in 512ths of its
    mean square, and every 16 steps forget the least cost, which must have stayed below 64 mean squares. A table whose
    root mean square is more than twice a Gaussian's of the same median deviation from the median (outliers, an offset,
    mostly one value) is searched exactly, and so is one of many rows of V > 1 values.

    In float32, costs are sums over the whole sequence, so differences below 2^-24 max_i |x_i|^2 are lost: a weight of
    3000 standard deviations about doubles the error of 255 others.

    The kernel for most trellises searches 16 sequences together (32 for 16 bits); one costs as much time and memory.
    Such a group cannot be stopped by control-C, however long its sequences are.

    References
    ----------
    QTIP, arXiv:2406.11235, section 3.1 and algorithm 4. Viterbi, IEEE Trans. Inf. Theory 13(2), 1967.

    Examples
    --------
    >>> import numpy as np
    >>> from quipref import BitshiftTrellis, viterbi
    >>> table = np.float32([[-2.0], [0.5], [-0.5], [2.0]])
    >>> trellis = BitshiftTrellis(state_bits=2, bits_per_weight=1)
    >>> viterbi([[0.4, 1.9, -0.6, -1.8]], table, trellis)
    array([[1, 3, 2, 0]], dtype=int32)
    """
    X, table = arguments(X, table, trellis)
    if checks.boolean(tail_biting, "tail_biting"):
        trellis.check_tail_biting(X.shape[1], "X.shape[1]", or_free=True)
    checks.choice(precision, "precision", PRECISIONS)
    states = np.zeros((len(X), X.shape[1] // trellis.values_per_step), np.int32)
    with _bar(X.size, checks.boolean(progress, "progress")) as done:
        for rows, X_scaled, table_scaled in in_range(X, table):
            find = finder(table_scaled, trellis, backend, precision)
            walk = partial(_circle if tail_biting else _free_walk, find, trellis)

            def task(first, last, X=X_scaled, rows=rows, walk=walk):
                states[rows[first:last]] = walk(X[first:last])
                done(X[first:last].size)

            in_pieces(len(rows), rows_a_task(X, trellis, backend, precision), task, backends.thread_count(threads))
    return states


def finder(table, trellis, backend, precision="exact"):
    """The function find(X, overlaps, first_kept) -> states (B, T / V) of one pass."""
    compiled = backends.compiled(backend)
    if compiled and lockstep.suits(trellis):
        exact = lockstep.finder(table, trellis)
    else:
        exact = partial(_plain, backends.twin("best_walks") if compiled else best_walks, table, trellis)
    return exact if precision == "exact" else coarse.finder(table, trellis, compiled, exact)


def _plain(walks, table, trellis, X, overlaps, first_kept=0):
    states = np.zeros((len(X), X.shape[1] // trellis.values_per_step), np.int32)
    walks(X, table, trellis.shift, overlaps, first_kept, 0, len(X), states)
    return states


def _free_walk(find, trellis, X):
    return find(X, np.full(len(X), FREE, np.int32))


def _circle(find, trellis, X):
    """Algorithm 4: what the middle of a walk through the rotated sequence shares, the ends of the circle share."""
    V, n_steps = trellis.values_per_step, X.shape[1] // trellis.values_per_step
    rolled = np.roll(X, n_steps // 2 * V, axis=1)
    middle = find(rolled, np.full(len(X), FREE, np.int32), n_steps // 2)[:, n_steps // 2]
    return find(X, middle >> trellis.shift)


def rows_a_task(X, trellis, backend, precision="exact"):
    """So many sequences that a task is worth a thread's while, and is over before anybody waits for it."""
    together = 1
    if backends.compiled(backend) and lockstep.suits(trellis):
        together = coarse.LANES if precision == "fast" and coarse.suits(trellis) else lockstep.LANES
    return together * max(1, WORK_A_TASK // (trellis.n_states * max(X.shape[1], 1) * together))


@contextmanager
def _bar(n_weights, shown):
    """A progress bar that comes up after two seconds; yields the function that is told of finished weights."""
    if not shown:
        yield lambda weights: None
        return
    from tqdm import tqdm

    one_at_a_time = Lock()
    with tqdm(total=n_weights, unit=" weights", unit_scale=True, delay=2, leave=False) as bar:

        def done(weights):
            with one_at_a_time:
                bar.update(weights)

        yield done


def best_walks(X, table, shift, overlaps, first_kept, first_row, last_row, states):
    """Write into `states` the best walk of each of the rows, from step `first_kept` on.

    cost_i(s) = |table[s] - x_i|^2 + min over c of cost_(i-1)(c 2^(L - kV) + floor(s / 2^(kV)))

    X (B, T), table (2^L, V), overlaps (B,), states (B, T / V). A walk with the overlap o >= 0 starts at a state with
    the high bits o and ends at one with the low bits o.
    """
    rows = max(1, COSTS_AT_ONCE // len(table))
    for first in range(first_row, last_row, rows):
        some = slice(first, min(first + rows, last_row))
        states[some, first_kept:] = _best_walks(X[some], table, shift, overlaps[some], first_kept)


def lockstep_walks(X, table, values, which, ordered, memory, shift, overlaps, first_kept, first_row, last_row, states):
    """The same; the kernel of this name also takes what `lockstep.plan` makes of the table."""
    best_walks(X, table, shift, overlaps, first_kept, first_row, last_row, states)


def _best_walks(X, table, shift, overlaps, first_kept):
    """The states (B, T / V - first_kept) of some rows, all of whose costs are in memory."""
    B, (n_states, V) = len(X), table.shape
    n_groups, tied = n_states >> shift, overlaps != FREE  # states with the same low bits lead to the same states
    state = np.arange(n_states)
    least = np.zeros((B, n_groups), X.dtype)  # of each group, the least cost
    least[tied] = np.inf
    least[tied, overlaps[tied]] = 0
    before = []  # and the state that has it
    for i in range(X.shape[1] // V):
        cost = squared_distances(X[:, i * V : (i + 1) * V], table) + least[:, state >> shift]
        groups = cost.reshape(B, -1, n_groups)
        c = groups.argmin(axis=1)[:, None]  # the first among equals
        least = np.take_along_axis(groups, c, axis=1)[:, 0]
        before.append((c[:, 0] * n_groups + state[:n_groups]).astype(np.int32))
    walk = [np.where(tied, before[-1][np.arange(B), overlaps], cost.argmin(axis=1))]
    for i in reversed(range(first_kept, len(before) - 1)):
        walk.append(before[i][np.arange(B), walk[-1] >> shift])
    return np.stack(walk[::-1], axis=1)


def squared_distances(x, table):
    """|table[s] - x|^2 for each row x (B, V) and each state: (B, 2^L), added up from the first of the V on."""
    total = np.square(table[:, 0] - x[:, :1])
    for j in range(1, table.shape[1]):
        total += np.square(table[:, j] - x[:, j : j + 1])
    return total


def decode(states: ArrayLike, table: ArrayLike) -> NDArray[np.float32]:
    """The values of the states that the sequences passed through.

    X_hat_i = table[s_i]

    Parameters
    ----------
    states : array (B, T / V), integer
        From 0 to 2^L - 1.
    table : array (2^L, V), float32

    Returns
    -------
    X_hat : array (B, T), float32

    Raises
    ------
    ValueError, TypeError
        Something that is no state, or no table.

    References
    ----------
    QTIP, arXiv:2406.11235, section 3.1.

    Examples
    --------
    >>> import numpy as np
    >>> from quipref import decode
    >>> decode([[1, 3, 2]], np.float32([[-2.0], [0.5], [-0.5], [2.0]]))
    array([[ 0.5,  2. , -0.5]], dtype=float32)
    """
    table = checked_table(table)
    s = np.asarray(states)
    if s.dtype.kind not in "ui":
        raise TypeError(f"states must be integers, but their dtype is {s.dtype}. Walks come from quipref.viterbi.")
    if s.ndim != 2:
        raise ValueError(f"states must have 2 axes, sequences and steps, but their shape is {s.shape}.")
    if s.size and not (s.min() >= 0 and s.max() < len(table)):
        raise ValueError(
            f"states must lie from 0 to {len(table) - 1}, the rows of the table, but they lie from {s.min()} to "
            f"{s.max()}. Pass the table that the walk was made with."
        )
    return table[s].reshape(len(s), s.shape[1] * table.shape[1])


def arguments(X, table, trellis):
    """X and table as C-contiguous float32, of shapes that fit the trellis."""
    checked_trellis(trellis)
    X, table = _float32(X, "X"), checked_table(table)
    L, V = trellis.state_bits, trellis.values_per_step
    if table.shape != (2**L, V):
        raise ValueError(
            f"table must have the shape {(2**L, V)}, a row for each state of the trellis, but its shape is "
            f"{table.shape}. Make it with the same state_bits, and one column for each value of a step."
        )
    if len(X):
        trellis.n_steps(X.shape[1], "X.shape[1]")
    return X, table


def checked_table(table):
    """The table as a C-contiguous float32 array of two axes; as it is, where it is that already."""
    table = np.asarray(table)
    if table.ndim == 1:
        raise ValueError(
            f"table must have 2 axes, states and values of a step, but its shape is {table.shape}. "
            "Make it a column: table[:, None], or quipref.trellis.codes.lookup(table)."
        )
    return _float32(table, "table")


def _float32(A, name):
    A = checks.real_array(A, name, ndim=2)
    largest = 0.0 if A.dtype == np.float32 else max(float(A.max(initial=0.0)), -float(A.min(initial=0.0)))
    if largest > float(np.finfo(np.float32).max):
        raise ValueError(
            f"{name} must fit into float32, but its largest entry has the size {largest:.1e}. "
            "Divide it, and what it is compared with, by a power of two."
        )
    return np.ascontiguousarray(A, np.float32)
