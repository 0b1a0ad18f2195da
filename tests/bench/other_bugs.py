"""Rounders with a bug in what they round to, in what they keep, and in what they do to their arguments."""

import numpy as np
from bench.feedback_bugs import LDLQ, by, feedback, nearest

import quipref
from quipref.testing import tags

# --- the grid ---


@tags(**LDLQ)
def rounds_down(W, H):
    """Floor where the nearest integer belongs: half a step too low on average."""
    return by(feedback(H), W, np.floor)


@tags(**LDLQ)
def rounds_to_zero(W, H):
    """As a cast to integers does: half a step off, to the other side below zero."""
    return by(feedback(H), W, lambda t: np.trunc(t + 0.5))


@tags(**LDLQ)
def is_half_a_step_off(W, H):
    """Rounds to the midpoints between the integers."""
    return by(feedback(H), W, lambda t: np.floor(t) + 0.5)


@tags(**LDLQ)
def clamps_without_a_word(W, H):
    """Four bits, and its tags speak of all integers."""
    return by(feedback(H), W, lambda t: np.clip(nearest(t), -8, 7))


@tags(**LDLQ)
def sums_in_single_precision(W, H):
    """Harmless until a weight needs more than 24 bits."""
    E, U, W_hat = np.zeros(W.shape, np.float32), feedback(H).astype(np.float32), np.zeros(W.shape)
    for k in range(W.shape[1]):
        W_hat[:, k] = nearest(W[:, k].astype(np.float32) + E @ U[:, k])
        E[:, k] = W[:, k].astype(np.float32) - W_hat[:, k].astype(np.float32)
    return W_hat


@tags(**LDLQ)
def factors_in_single_precision(W, H):
    """Cholesky of a float32 H with a ridge that is enough for float64."""
    H = (H + 1e-12 * np.trace(H) * np.eye(len(H))).astype(np.float32)
    L = np.linalg.cholesky(H[::-1, ::-1])[::-1, ::-1]
    return by(np.triu(L / L.diagonal(), 1).astype(np.float64), W)


# --- rows ---


@tags(**LDLQ)
def repeats_a_row(W, H):
    """Rows are rounded in pairs; of an odd number, the last gets what the one before it has."""
    W_hat = by(feedback(H), W)
    if len(W) % 2 and len(W) > 1:
        W_hat[-1] = W_hat[-2]
    return W_hat


@tags(**LDLQ)
def hands_errors_down_the_rows(W, H):
    """Error diffusion: a tenth of a row's error goes to the next one, so the order of rows matters."""
    U, W_hat, carried = feedback(H), np.zeros(W.shape), np.zeros(W.shape[1])
    for i in range(len(W)):
        W_hat[i] = by(U, (W[i] + 0.1 * carried)[None])[0]
        carried = W[i] - W_hat[i]
    return W_hat


@tags(**LDLQ)
def centres_all_rows(W, H):
    """Takes off the mean weight first and rounds it to an integer on its own: rows depend on each other."""
    mean = W.mean()
    return by(feedback(H), W - mean) + nearest(mean)


# --- memory ---

GENERATOR = np.random.default_rng(0)
RESULTS, FACTORS, BUFFERS = {}, {}, {}


@tags(random=True, handles_singular=True, promises=("worst_case", "average_case"))
def shares_its_random_numbers(W, H, rng):
    """One Generator for all calls; `rng` is taken and not looked at."""
    return by(feedback(H), W, lambda t: np.floor(t + GENERATOR.random(t.shape)))


@tags(random=True, handles_singular=True, promises=("worst_case", "average_case"))
def draws_too_widely(W, H, rng):
    """u is uniform on [-1/2, 3/2): right on average, and an integer may move."""
    rng = np.random.default_rng(rng)
    return by(feedback(H), W, lambda t: np.floor(t + 2 * rng.random(t.shape) - 0.5))


@tags(**LDLQ)
def remembers_the_result_for_w(W, H):
    """A cache of results whose key is W alone."""
    key = W.tobytes(), W.shape
    if key not in RESULTS:
        RESULTS[key] = by(feedback(H), W)
    return RESULTS[key].copy()


@tags(**LDLQ)
def remembers_the_factor(W, H):
    """A cache of factors whose key is n: that of the first layer of each width."""
    return by(FACTORS.setdefault(len(H), feedback(H)), W)


@tags(**LDLQ)
def returns_one_buffer(W, H):
    """One array for all results of a shape: each call overwrites the one before."""
    W_hat = BUFFERS.setdefault(W.shape, np.empty(W.shape))
    W_hat[:] = by(feedback(H), W)
    return W_hat


# --- arguments ---


@tags(**LDLQ)
def writes_its_targets_into_w(W, H):
    """Each target is put where its weight was."""
    U, W_hat, E = feedback(H), np.zeros(W.shape), np.zeros(W.shape)
    original = W.copy()
    for k in range(W.shape[1]):
        W[:, k] += E @ U[:, k]
        W_hat[:, k] = nearest(W[:, k])
        E[:, k] = original[:, k] - W_hat[:, k]
    return W_hat


@tags(**LDLQ)
def damps_h_in_place(W, H):
    """So little that nothing is lost, but the caller's H is not what it was."""
    H[np.diag_indices(len(H))] += 1e-13 * np.trace(H)
    return by(feedback(H), W)


@tags(**LDLQ)
def returns_w(W, H):
    """Rounds in place on purpose, and returns the array that it was given."""
    W[:] = quipref.ldlq(W, H, backend="numpy")
    return W


@tags(**LDLQ)
def reads_memory_by_rows(W, H):
    """Takes a layer for contiguous: wrong for a slice or a transposed view."""
    flat = np.lib.stride_tricks.as_strided(W, (W.size,), (W.itemsize,)) if W.flags.forc else W.ravel()
    return by(feedback(H), flat.reshape(W.shape))
