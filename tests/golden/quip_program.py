"""What QuIP's program (commit ac92cfc7) does otherwise than quipref, and how each of its stored results comes about.

`quip_rounding.npz` holds a layer of 32 x 96 at 2, 3 and 4 bits, in float32 and float64, and what the program made of
it. Its roundings work on the levels 0 ... 2^b - 1. Whole layers were run in float32 alone, in two ways:
"b", one scale of 2.4 rms(W) for all, and "a", a scale and a zero for each row from its smallest and largest weight.
"""

import numpy as np
from sizes import size

import quipref
from quipref import IntegerGrid

PRECISIONS = ["b2_f32", "b2_f64", "b3_f32", "b3_f64", "b4_f32", "b4_f64"]
INPUTS = ["W", "H", "eta_seed11"]


class Stored:
    """The arrays of one number of bits and one precision, such as b2_f32, with their grid; `read` keeps the names."""

    def __init__(self, archive, precision):
        self.archive, self.precision, self.read = archive, precision, set()
        self.high = 2 ** int(precision[1]) - 1
        self.grid = IntegerGrid(0, self.high)

    def __getitem__(self, name):
        self.read.add(f"{self.precision}_{name}")
        return self.archive[f"{self.precision}_{name}"]


class Shifted:
    """floor(t + eta) with stored draws, column after column, clamped: unbiased rounding without its generator."""

    block = 1

    def __init__(self, eta, grid):
        self.draws, self.limits = iter(eta), grid.limits

    def quantize(self, T, rng=None):
        k = np.clip(np.floor(T[:, 0] + next(self.draws)), *self.limits)[:, None]
        return k.astype(np.int64), k


def descent(w, r, H, columns, passes, high):
    """QuIP's greedy passes: halves to even, the clamp after each whole pass, and an error `s` that does not see it.

    Each column moves by e = r - rint(r - s H_i / H_ii); s follows the moves alone, so it drifts away from r - w
    once the clamp has bitten. It ends early when a pass changes nothing. Returns r, and the rows that were clamped.
    """
    H = H / H.diagonal().max()
    r, s, clamped = r.copy(), r - w, np.zeros(len(w), bool)
    for _ in range(passes):
        before = r.copy()
        for i in columns:
            e = r[:, i] - np.rint(r[:, i] - (s @ H[:, i]) / H[i, i])
            r[:, i] -= e
            s[:, i] -= e
            clamped |= (r[:, i] < 0) | (r[:, i] > high)
        r = np.clip(r, 0, high)
        if (r == before).all():
            break
    return r, clamped


# --- the program's rounders: (w, H, grid) -> levels ---


def ldlq(w, H, grid, order="forward"):
    return quipref.ldlq(w, H, round_to=grid, order=order, backend=size("numba", "numpy"))


def backward(w, H, grid, passes=9):
    """`round_ldl`: LDLQ and the passes, from the last column to the first."""
    return descent(w, ldlq(w, H, grid, "backward"), H, range(len(H))[::-1], passes, grid.high)[0]


def forward(w, H, grid):
    """`round_ldl_gptqequiv`: LDLQ from the first column to the last, no passes."""
    return ldlq(w, H, grid)


def all_balance(w, H, grid, passes=9):
    """`round_allbal`: the passes alone, from the first column to the last, beginning with w itself."""
    return descent(w, w, H, range(len(H)), passes, grid.high)[0]


def on_sorted_columns(rounder, sign):
    """The rounder on columns sorted by sign * H_jj, the result put back into their order."""

    def rounded(w, H, grid, **options):
        order = np.argsort(sign * H.diagonal(), kind="stable")
        found = np.empty_like(w)
        found[:, order] = rounder(w[:, order], H[np.ix_(order, order)], grid, **options)
        return found

    return rounded


ldlq_rg = on_sorted_columns(backward, 1)
all_balance_sorted = on_sorted_columns(all_balance, -1)

# --- the program's two grids: W to units of the grid and back, in the precision of W ---


def scale_b(W):
    return 2.4 * np.sqrt(np.square(W).mean()) + 1e-16


def units_b(W, high):
    return np.clip((W / scale_b(W) + 1) / 2 * high, 0, high)


def scale_a(W, high):
    """From the smallest to the largest weight of a row, zero included, in 2^b - 1 steps."""
    lowest, highest = (reach(axis=1, keepdims=True, initial=0) for reach in (W.min, W.max))
    return (highest - lowest) / W.dtype.type(high)


def zero_a(W, high):
    """The level that stands for zero."""
    return np.rint(-W.min(axis=1, keepdims=True, initial=0) / scale_a(W, high))


def whole_b(rounder):
    """The layer that the program stores, in half precision."""

    def layer(stored):
        W = stored["W"]
        levels = rounder(units_b(W, stored.high), stored["H"], stored.grid)
        return ((levels / W.dtype.type(stored.high) * 2 - 1) * scale_b(W)).astype(np.float16)

    return layer


def whole_a(rounder, *, clamped=True, dtype=np.float16):
    """The same on rows of their own; the forward rounder alone gets its weights unclamped and keeps float32."""

    def layer(stored):
        W = stored["W"]
        scale, zero = scale_a(W, stored.high), zero_a(W, stored.high)
        units = W / scale + zero
        levels = rounder(np.clip(units, 0, stored.high) if clamped else units, stored["H"], stored.grid)
        return (scale * (levels - zero)).astype(dtype)

    return layer


# --- every stored result, from the stored inputs ---


def rounding(rounder, **options):
    return lambda stored: rounder(units_b(stored["W"], stored.high), stored["H"], stored.grid, **options)


def unbiased(stored):
    """LDLQ with floor(t + eta) for stored eta and no passes."""
    draws = Shifted(stored["eta_seed11"].T[::-1], stored.grid)
    return ldlq(units_b(stored["W"], stored.high), stored["H"], draws, "backward")


IN_BOTH_PRECISIONS = {
    "scale": lambda stored: scale_b(stored["W"]),
    "w": lambda stored: units_b(stored["W"], stored.high),
    "near": rounding(lambda w, H, grid: grid.quantize(w)[1]),
    "ldl_p0": rounding(backward, passes=0),
    "ldl_p1": rounding(backward, passes=1),
    "ldl_p9": rounding(backward),
    "ldlblock_p9": rounding(backward),
    "gptqequiv": rounding(forward),
}
IN_FLOAT32 = IN_BOTH_PRECISIONS | {
    "ldl_unbiased_seed11": unbiased,
    "allbal_p1": rounding(all_balance, passes=1),
    "allbal_p9": rounding(all_balance),
    "allbal_block_p9": rounding(all_balance),
    "allbal_sorted_p9": rounding(all_balance_sorted),
    "ldlqRG_p0": rounding(ldlq_rg, passes=0),
    "ldlqRG_p9": rounding(ldlq_rg),
    "ldlqRG_lazy_p9": rounding(ldlq_rg, passes=0),  # the lazy program takes its 9 passes for a block size
    "full_qfnb_ldlq": whole_b(backward),
    "full_qfnb_ldlqRG": whole_b(ldlq_rg),
    "full_qfnb_allbal": whole_b(all_balance_sorted),
    "full_qfnb_ldl_gptqequiv": whole_b(forward),
    "qfna_scale": lambda stored: scale_a(stored["W"], stored.high),
    "qfna_zero": lambda stored: zero_a(stored["W"], stored.high),
    "full_qfna_ldlq": whole_a(backward),
    "full_qfna_ldlqRG": whole_a(ldlq_rg),
    "full_qfna_allbal": whole_a(all_balance_sorted),
    "full_qfna_ldl_gptqequiv": whole_a(forward, clamped=False, dtype=np.float32),
}


def results(precision):
    """{name: how it comes about} of one precision."""
    return IN_FLOAT32 if precision.endswith("f32") else IN_BOTH_PRECISIONS
