"""Mistakes that somebody could make in the first rounders, their factor, their grids and their bounds."""

import numpy as np
from teeth.patches import GRID, LDL, LDLQ, moved_targets, scaled

from quipref import bounds


def clamping_after_the_pass(_):
    """Greedy descent over all integers with one clamp at the end of a pass."""

    def greedy(W, H, *, round_to, start=None, passes=10, order="forward", backend="numba"):
        W_hat = (round_to.quantize(W)[1] if start is None else start).copy()
        for _ in range(min(passes, 10)):
            for j in np.flatnonzero(H.diagonal())[:: 1 if order == "forward" else -1]:
                W_hat[:, j] = np.floor(W_hat[:, j] + (W - W_hat) @ H[:, j] / H[j, j] + 0.5)
            W_hat = np.clip(W_hat, *round_to.limits)
        return W_hat

    return greedy


def losing_a_column(greedy):
    """Greedy descent that never comes to the last column."""

    def faulty(W, H, *, round_to, start=None, **options):
        start = round_to.quantize(W)[1] if start is None else start
        return np.hstack([greedy(W, H, round_to=round_to, start=start, **options)[:, :-1], start[:, -1:]])

    return faulty


BUGS = {
    "ldl: columns in the other order": {LDL: lambda ldl: lambda H: ldl(H[::-1, ::-1])},
    "ldl: the diagonal of H for pivots": {LDL: lambda ldl: lambda H: (ldl(H)[0], H.diagonal().copy())},
    "ldl: square roots of the pivots": {LDL: lambda ldl: lambda H: (ldl(H)[0], np.sqrt(ldl(H)[1]))},
    "ldlq: sign of the feedback": {f"{LDLQ}:feedback_factor": lambda factor: lambda *args: -factor(*args)},
    "ldlq: U of the reversed H": {f"{LDLQ}:feedback_factor": lambda f: lambda H, *args: f(H[::-1, ::-1], *args)},
    "ldlq: order ignored": {f"{LDLQ}:column_order": lambda order: lambda n, block, name: np.arange(n)},
    "linear_feedback: sign": {f"{LDLQ}:linear_feedback": lambda f: lambda W, X, **options: f(W, -X, **options)},
    "linear_feedback: none": {f"{LDLQ}:linear_feedback": lambda f: lambda W, X, **options: f(W, 0 * X, **options)},
    "grid: truncates": moved_targets("nearest", 0.5),
    "grid: rounds from 0.6 up": moved_targets("nearest", 0.1),
    "grid: u on [-1/4, 3/4)": moved_targets("stochastic", 0.25),
    "grid: no clamp": {f"{GRID}.limits": lambda _: property(lambda self: (-np.inf, np.inf))},
    "proxy: diagonal of H alone": {
        "quipref.proxy:quadratic": lambda _: lambda E, H: float((E**2 @ H.diagonal()).sum())
    },
    "proxy: H forgotten": {"quipref.proxy:quadratic": lambda _: lambda E, H: float(np.square(E).sum())},
    "optq: C transposed": {"quipref.rounding.optq:inverse_factor": lambda factor: lambda H: factor(H).T},
    "optq: factor of H, not of its inverse": {
        "quipref.rounding.optq:inverse_factor": lambda _: lambda H: np.linalg.cholesky(H).T
    },
    "babai: front to back": {"quipref.rounding.babai:ldlq": lambda ldlq: lambda *a, order, **k: ldlq(*a, **k)},
    "greedy: clamp after the pass": {"quipref.rounding.greedy:greedy": clamping_after_the_pass},
    "greedy: last column left out": {"quipref.rounding.greedy:greedy": losing_a_column},
    "bounds: m/5 in the worst case": scaled("worst_case", 4 / 5),
    "bounds: m/3 in the worst case": scaled("worst_case", 4 / 3),
    "bounds: the mean without its rounding": {
        "quipref.bounds:average_case": lambda mean: lambda m, trace_D, rounding=bounds.NEAREST: mean(m, trace_D, 9)
    },
    "bounds: mu, not its square": {"quipref.bounds:incoherent_trace": lambda f: lambda mu, n, t: f(mu**0.5, n, t)},
    "bounds: tr H^1/2 not squared": {"quipref.bounds:incoherent_trace": lambda f: lambda mu, n, t: f(mu, n, t**0.5)},
    "bounds: half of tr H^1/2 max": scaled("root_trace", 1 / 2),
    "bounds: rank ratio without mu": {"quipref.bounds:low_rank_ratio": lambda f: lambda mu, k, n: f(1, k, n)},
    "bounds: twice the rank ratio": scaled("low_rank_ratio", 2),
    "bounds: m/5 tr H": scaled("plain_stochastic_worst_case", 4 / 5),
    "bounds: lambda_max without n": {
        "quipref.bounds:plain_worst_case": lambda f: lambda m, n, largest: f(m, 1, largest)
    },
    "bounds: det H without its root": {"quipref.bounds:determinant_floor": lambda f: lambda n, log: f(n, n * log)},
    "bounds: half the determinant": scaled("determinant_floor", 1 / 2),
}
