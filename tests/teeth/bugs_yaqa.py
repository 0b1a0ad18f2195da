"""Mistakes that somebody could make in two-sided rounding: in the feedback, its loss and its bounds."""

import numpy as np
from teeth.patches import scaled

from quipref import bounds, proxy

HERE = "quipref.rounding.two_sided"


def feeding(change):
    """Patches after which both ways of rounding feed back change(U_in, U_out)."""
    return {
        f"{HERE}:tiled": lambda tiled: lambda W, U_in, U_out, *rest: tiled(W, *change(U_in, U_out), *rest),
        f"{HERE}:round_tile": lambda tile: (
            lambda W, V, T, U_in, U_out, *rest: tile(W, V, T, *change(U_in, U_out), *rest)
        ),
    }


def without_the_cross_term(W, U_in, U_out, round_to, rng, W_hat):
    """Targets W + U_out^T E + E U_in: each side as if the other were not there."""
    for i, j in np.ndindex(W.shape):
        E = W - W_hat
        target = W[i, j] + U_out[:i, i] @ E[:i, j] + E[i, :j] @ U_in[:j, j]
        W_hat[i, j] = round_to.quantize(target[None, None], rng)[1][0, 0]


BUGS = {
    "two_sided: sign of the feedback between rows": feeding(lambda U_in, U_out: (U_in, -U_out)),
    "two_sided: sign of the feedback between columns": feeding(lambda U_in, U_out: (-U_in, U_out)),
    "two_sided: rows feed nothing": feeding(lambda U_in, U_out: (U_in, 0 * U_out)),
    "two_sided: the last row gets nothing": feeding(
        lambda U_in, U_out: (U_in, np.where(np.arange(len(U_out)) == len(U_out) - 1, 0, U_out))
    ),
    "two_sided: factors of the reversed Hessians": {
        f"{HERE}:feedback_factor": lambda factor: lambda H, *args: factor(H[::-1, ::-1], *args)
    },
    "two_sided: no cross term": {
        "quipref.rounding.grid:AffineGrid.affine": lambda _: lambda self, m, dtype: None,
        f"{HERE}:round_tile": lambda _: (
            lambda W, V, T, U_in, U_out, i, m, j, n, *rest: without_the_cross_term(W, U_in, U_out, *rest)
        ),
    },
    "two_sided: order ignored where rows do not meet": {
        f"{HERE}:ldlq": lambda ldlq: lambda W, H, *, order, **options: ldlq(W, H, **options)
    },
    "two_sided: nearest where rows do not meet": {
        f"{HERE}:ldlq": lambda _: lambda W, H, *, round_to, **options: round_to.quantize(W)[1]
    },
    "proxy: H_out forgotten": {
        "quipref.proxy:two_sided": lambda _: lambda E, H_in, H_out: proxy.quadratic(E, H_in),
    },
    "proxy: Hessians of the reversed rows and columns": {
        "quipref.proxy:two_sided": lambda loss: lambda E, H_in, H_out: loss(E, H_in[::-1, ::-1], H_out[::-1, ::-1]),
    },
    "bounds: a third in the two-sided worst case": scaled("two_sided_worst_case", 4 / 3),
    "bounds: a fifth in the two-sided worst case": scaled("two_sided_worst_case", 4 / 5),
    "bounds: the two-sided mean without its rounding": {
        "quipref.bounds:two_sided_average_case": lambda mean: (
            lambda out, in_, rounding=bounds.NEAREST: mean(out, in_, 9)
        )
    },
    "bounds: two-sided, mu of the inputs alone": {
        "quipref.bounds:two_sided_incoherent_trace": lambda f: lambda mu, *rest: f(1.0, *rest)
    },
    "bounds: half of the two-sided incoherent trace": scaled("two_sided_incoherent_trace", 1 / 2),
    "bounds: twice the two-sided incoherent trace": scaled("two_sided_incoherent_trace", 2),
}
