"""Rounders with a bug in LDLQ's arithmetic, each tagged with what its author believes of it.

All are the same few lines with one of them wrong. What is written beside a bug is what a reader of the code might
overlook.
"""

import numpy as np

import quipref
from quipref.testing import tags

LDLQ = {"handles_singular": True, "promises": ("worst_case", "average_case")}
GRID = quipref.E8Lattice()
BLOCK = 4  # columns that `drops_the_boundary` keeps in its cache


def nearest(t):
    return np.floor(t + 0.5)


def feedback(H):
    return quipref.ldl(H)[0]


def by(U, W, Q=nearest):
    """LDLQ's loop with the feedback U and the rounding Q."""
    W_hat = np.zeros(W.shape)
    for k in range(W.shape[1]):
        W_hat[:, k] = Q(W[:, k] + (W - W_hat)[:, :k] @ U[:k, k])
    return W_hat


@tags(**LDLQ)
def takes_the_column_before(W, H):
    """U[:, k - 1] where U[:, k] belongs; its last entry, on the diagonal, is zero."""
    return by(np.triu(np.roll(feedback(H), 1, axis=1), 1), W)


@tags(**LDLQ)
def factors_in_the_other_order(W, H):
    """The columns go from left to right, the factor is that from right to left."""
    return by(feedback(H[::-1, ::-1]), W)


@tags(**LDLQ)
def transposes_the_factor(W, H):
    """H = R^T R, as Cholesky has it, is taken for H = R R^T: the unit rows of R instead of U."""
    R = np.linalg.cholesky(H + 1e-12 * np.trace(H) * np.eye(len(H)) + 1e-300 * np.eye(len(H))).T
    return by(np.triu(R / R.diagonal()[:, None], 1), W)


@tags(**LDLQ)
def reads_one_triangle(W, H):
    """Entries that differ from those across the diagonal, if only in the last bit, are dropped."""
    return by(feedback(np.where(H == H.T, H, 0)), W)


@tags(**LDLQ)
def damps_by_a_constant(W, H):
    """H + 0.01 I, whatever the size of H."""
    return by(feedback(H + 0.01 * np.eye(len(H))), W)


@tags(**LDLQ)
def damps_by_a_percent(W, H):
    """H + 0.01 tr H / n I, as OPTQ's program has it; that costs a little of the bound."""
    return by(feedback(H + 0.01 * np.trace(H) / len(H) * np.eye(len(H))), W)


@tags(**LDLQ)
def weakens_the_feedback(W, H):
    """0.9 U."""
    return by(0.9 * feedback(H), W)


@tags(**LDLQ)
def turns_the_sign(W, H):
    """-U: W_hat - W where W - W_hat belongs."""
    return by(-feedback(H), W)


@tags(**LDLQ)
def feeds_the_error_of_targets(W, H):
    """T - W_hat instead of W - W_hat: the same in the first two columns."""
    U, T, W_hat = feedback(H), W.astype(np.float64), np.zeros(W.shape)
    for k in range(W.shape[1]):
        T[:, k] += (T - W_hat)[:, :k] @ U[:k, k]
        W_hat[:, k] = nearest(T[:, k])
    return W_hat


@tags(**LDLQ)
def forgets_the_last_column(W, H):
    """The last column is rounded as it is, without feedback."""
    U = feedback(H).copy()
    U[:, -1] = 0
    return by(U, W)


@tags(**LDLQ)
def drops_the_boundary(W, H):
    """Works in blocks of four columns, and what a block owes to the next ones is not handed on."""
    same = np.arange(len(H)) // BLOCK
    return by(np.where(same[:, None] == same, feedback(H), 0), W)


@tags(**LDLQ)
def drops_a_far_boundary(W, H):
    """The same with blocks of 128 columns, so that no narrow layer shows it."""
    same = np.arange(len(H)) // 128
    return by(np.where(same[:, None] == same, feedback(H), 0), W)


@tags(promises=("worst_case", "average_case"))
def forgets_the_pivot(W, H):
    """OPTQ's update of the later columns without the division by C_jj."""
    C = np.linalg.cholesky(np.linalg.inv(H)).T
    T, W_hat = W.astype(np.float64), np.zeros(W.shape)
    for j in range(W.shape[1]):
        W_hat[:, j] = nearest(T[:, j])
        T[:, j + 1 :] -= np.outer(T[:, j] - W_hat[:, j], C[j, j + 1 :])
    return W_hat


@tags(**LDLQ)
def sorts_the_columns(W, H):
    """The largest diagonal entry of H first: a bound of its own, on most layers the better one, but another."""
    order = np.argsort(-H.diagonal(), kind="stable")
    W_hat = np.zeros(W.shape)
    W_hat[:, order] = by(feedback(H[order][:, order]), W[:, order])
    return W_hat


@tags(grid=GRID, block=8, handles_singular=True, promises=("worst_case",))
def takes_a_block_the_wrong_way_round(W, H):
    """Blocks of eight columns; each block of the feedback is transposed, which is nothing on its diagonal."""
    U = quipref.block_ldl(H, 8)[0]
    U = U.reshape(len(H) // 8, 8, -1, 8).swapaxes(1, 3).reshape(U.shape)
    return quipref.linear_feedback(W, U, round_to=GRID)


@tags(promises=("no_worse_than_nearest",), handles_singular=True)
def moves_all_columns_at_once(W, H):
    """Greedy descent in which all columns of a sweep answer the same error."""
    W_hat = nearest(W)
    d = np.where(H.diagonal() > 0, H.diagonal(), 1)
    for _ in range(5):
        W_hat = nearest(W_hat + (W - W_hat) @ H / d)
    return W_hat
