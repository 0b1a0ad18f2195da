"""The Viterbi algorithm on the bit-shift trellis with costs of 16 bits, LANES sequences in lockstep.

As in lockstep.py, for kV = 1 and 2, but a vector holds twice as many costs, and the branch needs no comparison: it
stands in the two lowest bits of the cost, so that the least cost carries its branch, and of equal ones the first.
"""

import numpy as np

from quipref.kernels.compare import add_up, less, minimum, select, store_mask, store_whole
from quipref.kernels.jit import jit_in_order
from quipref.kernels.vector import load, look_up, spread, store

LANES = 32
HALF = 16  # float32 in a vector
LINE = 64  # bytes
MOST = 0xFFFF
INFINITE = 0xFFFC  # costs are multiples of four


@jit_in_order
def coarse_walks(
    X, values, which, memory, scales, shift, renewal, overlaps, first_kept, first_row, last_row, states, highest
):  # fmt: skip
    """Walks from step first_kept on. X (B, T), values (d, V), which (phases, 2^L), memory (bytes,), scales (B,).

    Twin of `quipref.trellis.coarse.coarse_walks`.
    """
    V, n_groups = values.shape[1], which.shape[1] >> shift
    n_steps = X.shape[1] // V
    size, kept = n_groups * LINE, (n_steps - first_kept) * n_groups
    least, E = memory[:size].view(np.uint16), _aligned(len(values) * LANES, np.uint16(0))
    masks = memory[size:].view(np.uint32)
    high_masks = masks[kept:]
    x, scale = _aligned(X.shape[1] * LANES, np.float32(0)), _aligned(LANES, np.float32(0))
    least_error, reached = _aligned(LANES, np.float32(0)), _aligned(LANES, np.uint16(0))
    clear = np.full(1, INFINITE, np.uint16)
    for row in range(first_row, last_row, LANES):
        lanes = min(LANES, last_row - row)
        _begin(X, overlaps, scales, row, lanes, x, scale, least, clear[0])
        reached[:] = 0
        for i in range(n_steps):
            _least_error(least_error, values, x, i * V * LANES)
            _errors(E, values, x, i * V * LANES, scale, least_error, np.float32(clear[0]))
            phase, keep, mark = i % len(which), i >= first_kept, (i - first_kept) * n_groups
            if shift == 1:
                _two_ways(least, E, which[phase], phase, clear, masks, mark, keep)
            else:
                _four_ways(least, E, which[phase], phase, clear, masks, high_masks, mark, keep)
            if i % renewal == renewal - 1:
                _renew(least, reached, clear)
        _trace_back(
            least, reached, masks, high_masks, shift, len(which), overlaps, first_kept, row, lanes, states, highest
        )


@jit_in_order
def _aligned(n, zero):
    """An array of n numbers of the type of zero that begins with a cache line."""
    x = np.full(n + LINE, zero)
    skipped = (-x.ctypes.data) % LINE // x.itemsize
    return x[skipped : skipped + n]


@jit_in_order
def _begin(X, overlaps, scales, row, lanes, x, scale, least, infinite):
    """The sequences side by side; no cost at the overlap, the most elsewhere. Idle lanes get zeros."""
    x[:] = 0
    scale[:] = 1
    least[:] = 0
    for lane in range(lanes):
        scale[lane] = scales[row + lane]
        for i in range(X.shape[1]):
            x[i * LANES + lane] = X[row + lane, i]
        if overlaps[row + lane] >= 0:
            least[lane::LANES] = infinite
            least[overlaps[row + lane] * LANES + lane] = 0


@jit_in_order
def _least_error(least_error, values, x, at):
    """Of each sequence, the squared distance of the nearest row of the table from what stands at x[at]."""
    n, V = values.shape
    flat, infinite = values.reshape(n * V), np.full(1, np.float32(np.inf))
    for half in range(0, LANES, HALF):
        x0, least = load(x, at + half), spread(infinite, 0)
        for e in range(n):
            d = x0 - spread(flat, e * V)
            total = d * d
            for j in range(1, V):
                d = load(x, at + j * LANES + half) - spread(flat, e * V + j)
                total = total + d * d
            least = minimum(least, total)
        store(least_error, half, least)


@jit_in_order
def _errors(E, values, x, at, scale, least_error, most):
    """E = 4 round(scale (error - the least one) / 4), and no more than the most."""
    n, V = values.shape
    flat, cap = values.reshape(n * V), spread(np.full(1, most), 0)
    by_rounding = spread(np.full(1, np.float32(2**25)), 0)  # among numbers as large, floats are multiples of four
    for half in range(0, LANES, HALF):
        x0, least, factor = load(x, at + half), load(least_error, half), load(scale, half)
        for e in range(n):
            d = x0 - spread(flat, e * V)
            total = d * d
            for j in range(1, V):
                d = load(x, at + j * LANES + half) - spread(flat, e * V + j)
                total = total + d * d
            total = minimum((total - least) * factor, cap)
            store_whole(E, e * LANES + half, (total + by_rounding) - by_rounding)


@jit_in_order
def _rotated(u, n_groups, by):
    """The L - kV bits of u, rotated to the left (by > 0) or to the right."""
    W = 0
    while n_groups > 1 << W:
        W += 1
    by %= W
    return (u << by | u >> (W - by)) & (n_groups - 1)


@jit_in_order
def _walk(n_groups, shift, phase):
    """How the places with c = 0 are visited, as in lockstep.py."""
    one, branches = _rotated(1, n_groups, -(phase + 1) * shift), 1 << shift
    if one * branches <= n_groups:
        return n_groups // branches // one, one * branches, one, 1
    return 1, 0, n_groups // branches, one * branches // n_groups


@jit_in_order
def _two_ways(least, E, which, phase, clear, masks, mark, keep):
    """One step for kV = 1."""
    n_groups = len(least) // LANES
    n_high, high, n_low, low = _walk(n_groups, 1, phase)
    one, w = _rotated(1, n_groups, -phase - 1) * LANES, 0
    names = np.arange(2).astype(np.uint16)
    zero, c1, cost = spread(names, 0), spread(names, 1), spread(clear, 0)
    for i in range(n_high):
        for j in range(n_low):
            p = (i * high + j * low) * LANES
            m0, m1 = load(least, p), load(least, p + one) | c1
            for b in range(2):
                best = minimum(add_up(m0, look_up(E, which, w)), add_up(m1, look_up(E, which, w + 1)))
                store(least, p + b * one, best & cost)
                if keep:
                    store_mask(masks, mark, less(zero, best & c1))
                    mark += 1
                w += 2


@jit_in_order
def _four_ways(least, E, which, phase, clear, masks, high_masks, mark, keep):
    """One step for kV = 2."""
    n_groups = len(least) // LANES
    n_high, high, n_low, low = _walk(n_groups, 2, phase)
    one = _rotated(1, n_groups, -2 * phase - 2) * LANES
    two, w = _rotated(2, n_groups, -2 * phase - 2) * LANES, 0
    names = np.arange(4).astype(np.uint16)
    zero, c1, c2, c3, cost = spread(names, 0), spread(names, 1), spread(names, 2), spread(names, 3), spread(clear, 0)
    for i in range(n_high):
        for j in range(n_low):
            p = (i * high + j * low) * LANES
            m0, m1 = load(least, p), load(least, p + one) | c1
            m2, m3 = load(least, p + two) | c2, load(least, p + one + two) | c3
            for b in range(4):
                lower = minimum(add_up(m0, look_up(E, which, w)), add_up(m1, look_up(E, which, w + 1)))
                upper = minimum(add_up(m2, look_up(E, which, w + 2)), add_up(m3, look_up(E, which, w + 3)))
                best = minimum(lower, upper)
                store(least, p + (b & 1) * one + (b >> 1) * two, best & cost)
                if keep:
                    store_mask(masks, mark, less(zero, best & c1))
                    store_mask(high_masks, mark, less(zero, best & c2))
                    mark += 1
                w += 4


@jit_in_order
def _lowest(least):
    """The least cost of each sequence."""
    lowest = load(least, 0)
    for p in range(LANES, len(least), LANES):
        lowest = minimum(lowest, load(least, p))
    return lowest


@jit_in_order
def _renew(least, reached, clear):
    """Take the least cost of each sequence off all its costs, but leave what has saturated as it is."""
    lowest, infinite = _lowest(least), spread(clear, 0)
    store(reached, 0, select(less(load(reached, 0), lowest), lowest, load(reached, 0)))
    for p in range(0, len(least), LANES):
        cost = load(least, p)
        store(least, p, select(less(cost, infinite), cost - lowest, cost))


@jit_in_order
def _branch(masks, high_masks, shift, phases, n_groups, i, first_kept, u, lane):
    """The branch c that won when the cost of group u was taken at step i."""
    n_high, _, n_low, _ = _walk(n_groups, shift, i % phases)
    r, b = u >> shift, u & ((1 << shift) - 1)
    at = (i - first_kept) * n_groups + ((r % n_high * n_low + r // n_high) << shift) + b
    c = (np.int64(masks[at]) >> lane) & 1
    return c if shift == 1 else c | ((np.int64(high_masks[at]) >> lane) & 1) << 1


@jit_in_order
def _trace_back(least, reached, masks, high_masks, shift, phases, overlaps, first_kept, row, lanes, states, highest):
    """From the best end, or the one that the overlap prescribes, back; `highest` are the largest of costs."""
    n_groups, last, flag = len(least) // LANES, states.shape[1] - 1, np.zeros(1, np.uint32)
    ends, lowest, best = np.full(LANES, 2**62), _lowest(least), np.zeros(LANES, np.uint16)
    store(best, 0, lowest)
    for place in range(n_groups):
        store_mask(flag, 0, less(lowest, load(least, place * LANES)))
        u = _rotated(place, n_groups, (last + 1) * shift)
        for lane in range(lanes if flag[0] != 0xFFFFFFFF else 0):
            if least[place * LANES + lane] == best[lane]:
                c = _branch(masks, high_masks, shift, phases, n_groups, last, first_kept, u, lane)
                ends[lane] = min(ends[lane], c * n_groups + u)
    for lane in range(lanes):
        u = np.int64(overlaps[row + lane])
        if u >= 0:
            ends[lane] = u + n_groups * _branch(masks, high_masks, shift, phases, n_groups, last, first_kept, u, lane)
            best[lane] = least[_rotated(u, n_groups, -(last + 1) * shift) * LANES + lane]
        states[row + lane, last] = ends[lane]
        highest[row + lane] = max(reached[lane], best[lane])
    for i in range(last - 1, first_kept - 1, -1):
        for lane in range(lanes):
            u = np.int64(states[row + lane, i + 1]) >> shift
            c = _branch(masks, high_masks, shift, phases, n_groups, i, first_kept, u, lane)
            states[row + lane, i] = c * n_groups + u
