"""The Viterbi algorithm on the bit-shift trellis, LANES sequences in lockstep: what vector instructions are made for.

The numbers of LANES sequences stand side by side, in one cache line, so nothing is ever shuffled. Only the least
cost of each group is kept: of the predecessors c 2^(L - kV) + u that share their low bits u. With u = (c, r), c the
top kV bits, a step

    least'[r, b] = min over c of error[c, r, b] + least[c, r]

turns 2^(kV) numbers into 2^(kV) others for every r, like a butterfly of a Fourier transform, in place if least'[r, b]
is written where least[b, r] was. What stands at the place p is then rotated by kV bits more after each step, and the
steps come in as many phases as it takes to bring u back to p = u. That is done for kV = 1 and 2, where memory is
scarce; for more bits there are fewer groups, and a second array does.
"""

import numpy as np

from quipref.kernels.compare import less, minimum, select, store_mask, store_whole
from quipref.kernels.jit import jit_in_order
from quipref.kernels.vector import load, look_up, spread, store

LANES = 16
LINE = 64  # bytes
TOGETHER = 4  # groups whose predecessors are the same


@jit_in_order
def lockstep_walks(X, table, values, which, ordered, memory, shift, overlaps, first_kept, first_row, last_row, states):
    """Walks from step first_kept on. X (B, T), table (2^L, V), memory (bytes,), overlaps (B,) or -1, states (B, T / V).

    Twin of `quipref.trellis.viterbi.lockstep_walks`.
    """
    n_states, V = table.shape
    n_steps, n_groups = X.shape[1] // V, n_states >> shift
    few, branches = len(values) > 0, 1 << shift
    in_place = shift <= 2 and (few or V == 1)
    size = n_groups * LINE
    least, other = memory[:size].view(np.float32), memory[size : size if in_place else 2 * size].view(np.float32)
    E = _aligned((len(values) if few else TOGETHER * branches) * LANES)
    flat, names = values.reshape(len(values) * V), memory[size if in_place else 2 * size :]
    masks = names.view(np.uint16)
    x, number = _aligned(X.shape[1] * LANES), np.arange(branches).astype(np.float32)
    for row in range(first_row, last_row, LANES):
        lanes = min(LANES, last_row - row)
        _begin(X, overlaps, row, lanes, x, least)
        for i in range(n_steps):
            if few:
                _errors(E, flat, 0, len(values), V, x, i * V * LANES)
            phase, keep, kept = i % len(which), i >= first_kept, max(i - first_kept, 0)
            if not in_place:
                _any_way(least, other, E, which[0], ordered[0], few, x, i * V * LANES, V, number, names, kept, keep)
                least, other = other, least
            elif shift == 1:
                _two_ways(least, E, which[phase], ordered[phase], few, x, i * LANES, phase, masks, kept, keep)
            else:
                _four_ways(least, E, which[phase], ordered[phase], few, x, i * LANES, phase, masks, kept, keep)
        _trace_back(least, in_place, masks, names, shift, len(which), overlaps, first_kept, row, lanes, n_steps, states)


@jit_in_order
def _aligned(n):
    """An array of n float32 that begins with a cache line."""
    x = np.empty(n + LINE // 4, np.float32)
    skipped = (-x.ctypes.data) % LINE // 4
    return x[skipped : skipped + n]


@jit_in_order
def _begin(X, overlaps, row, lanes, x, least):
    """The sequences side by side; no cost at the overlap, infinite ones elsewhere. Idle lanes get zeros."""
    x[:] = 0
    least[:] = 0
    for lane in range(lanes):
        for i in range(X.shape[1]):
            x[i * LANES + lane] = X[row + lane, i]
        if overlaps[row + lane] >= 0:
            least[lane::LANES] = np.inf
            least[overlaps[row + lane] * LANES + lane] = 0


@jit_in_order
def _errors(E, flat, first, n, V, x, at):
    """E = the squared distance of rows first .. first + n of V values each from what stands at x[at]."""
    x0 = load(x, at)
    if V == 1:
        for e in range(n):
            d = x0 - spread(flat, first + e)
            store(E, e * LANES, d * d)
        return
    for e in range(n):
        d = x0 - spread(flat, (first + e) * V)
        total = d * d
        for j in range(1, V):
            d = load(x, at + j * LANES) - spread(flat, (first + e) * V + j)
            total = total + d * d
        store(E, e * LANES, total)


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
    """How the places with c = 0 are visited: (n_high, high, n_low, low); place = i high + j low, r = (j, i).

    c's bits stand, cyclically, at `one` and above; where they wrap around, the others are in one piece.
    """
    one, branches = _rotated(1, n_groups, -(phase + 1) * shift), 1 << shift
    if one * branches <= n_groups:
        return n_groups // branches // one, one * branches, one, 1
    return 1, 0, n_groups // branches, one * branches // n_groups


@jit_in_order
def _two_ways(least, E, which, values, few, x, at, phase, masks, kept, keep):
    """One step for kV = 1."""
    n_groups = len(least) // LANES
    n_high, high, n_low, low = _walk(n_groups, 1, phase)
    one, w, mark, here = _rotated(1, n_groups, -phase - 1) * LANES, 0, kept * n_groups, load(x, at)
    for i in range(n_high):
        for j in range(n_low):
            p = (i * high + j * low) * LANES
            m0, m1 = load(least, p), load(least, p + one)
            for b in range(2):
                if few:
                    a0, a1 = m0 + look_up(E, which, w), m1 + look_up(E, which, w + 1)
                else:
                    d0, d1 = here - spread(values, w), here - spread(values, w + 1)
                    a0, a1 = m0 + d0 * d0, m1 + d1 * d1
                store(least, p + b * one, minimum(a0, a1))
                if keep:
                    store_mask(masks, mark, less(a1, a0))
                    mark += 1
                w += 2


@jit_in_order
def _four_ways(least, E, which, values, few, x, at, phase, masks, kept, keep):
    """One step for kV = 2: the branches 0 and 1 against each other, then 2 and 3, then the winners."""
    n_groups = len(least) // LANES
    n_high, high, n_low, low = _walk(n_groups, 2, phase)
    one = _rotated(1, n_groups, -2 * phase - 2) * LANES
    two = _rotated(2, n_groups, -2 * phase - 2) * LANES
    w, mark, here = 0, 2 * kept * n_groups, load(x, at)
    for i in range(n_high):
        for j in range(n_low):
            p = (i * high + j * low) * LANES
            m0, m1, m2, m3 = load(least, p), load(least, p + one), load(least, p + two), load(least, p + one + two)
            for b in range(4):
                if few:
                    a0, a1 = m0 + look_up(E, which, w), m1 + look_up(E, which, w + 1)
                    a2, a3 = m2 + look_up(E, which, w + 2), m3 + look_up(E, which, w + 3)
                else:
                    d0, d1 = here - spread(values, w), here - spread(values, w + 1)
                    d2, d3 = here - spread(values, w + 2), here - spread(values, w + 3)
                    a0, a1, a2, a3 = m0 + d0 * d0, m1 + d1 * d1, m2 + d2 * d2, m3 + d3 * d3
                lower, upper = minimum(a0, a1), minimum(a2, a3)
                store(least, p + (b & 1) * one + (b >> 1) * two, minimum(lower, upper))
                if keep:
                    high_bit = less(upper, lower)
                    low_bit = less(select(high_bit, a3, a1), select(high_bit, a2, a0))
                    store_mask(masks, mark, high_bit)
                    store_mask(masks, mark + 1, low_bit)
                    mark += 2
                w += 4


@jit_in_order
def _any_way(least, new, E, which, values, few, x, at, V, number, names, kept, keep):
    """One step for kV = 3 and more: branch after branch, for TOGETHER groups that have the same predecessors."""
    n_groups, branches = len(least) // LANES, len(number)
    some = TOGETHER * branches
    for u in range(0, n_groups, TOGETHER):
        w = u * branches
        if not few:
            _errors(E, values, w, some, V, x, at)
            w = 0
        m = load(least, u // branches * LANES)
        best0, best1 = m + look_up(E, which, w), m + look_up(E, which, w + 1)
        best2, best3 = m + look_up(E, which, w + 2), m + look_up(E, which, w + 3)
        name0 = name1 = name2 = name3 = spread(number, 0)
        for c in range(1, branches):
            m, name = load(least, (c * n_groups + u) // branches * LANES), spread(number, c)
            w += TOGETHER
            a0, a1 = m + look_up(E, which, w), m + look_up(E, which, w + 1)
            a2, a3 = m + look_up(E, which, w + 2), m + look_up(E, which, w + 3)
            name0, name1 = select(less(a0, best0), name, name0), select(less(a1, best1), name, name1)
            name2, name3 = select(less(a2, best2), name, name2), select(less(a3, best3), name, name3)
            best0, best1 = minimum(best0, a0), minimum(best1, a1)
            best2, best3 = minimum(best2, a2), minimum(best3, a3)
        p = u * LANES
        store(new, p, best0)
        store(new, p + LANES, best1)
        store(new, p + 2 * LANES, best2)
        store(new, p + 3 * LANES, best3)
        if keep:
            p += kept * len(least)
            store_whole(names, p, name0)
            store_whole(names, p + LANES, name1)
            store_whole(names, p + 2 * LANES, name2)
            store_whole(names, p + 3 * LANES, name3)


@jit_in_order
def _branch(in_place, masks, names, shift, phases, n_groups, i, kept, u, lane):
    """The branch c that won when the cost of group u was taken at step i, the kept-th one that is remembered."""
    if not in_place:
        return np.int64(names[(kept * n_groups + u) * LANES + lane])
    n_high, _, n_low, _ = _walk(n_groups, shift, i % phases)
    r, b = u >> shift, u & ((1 << shift) - 1)
    at = (kept * n_groups + ((r % n_high * n_low + r // n_high) << shift) + b) * shift
    c = 0
    for bit in range(shift):
        c = 2 * c + ((np.int64(masks[at + bit]) >> lane) & 1)
    return c


@jit_in_order
def _trace_back(least, in_place, masks, names, shift, phases, overlaps, first_kept, row, lanes, n_steps, states):
    """From the best end, or the one that the overlap prescribes, back to step first_kept."""
    n_groups, last, infinite = len(least) // LANES, n_steps - 1, 2**62
    ends, flag, best, start = np.full(LANES, infinite), np.zeros(1, np.uint16), _aligned(LANES), load(least, 0)
    for u in range(1, n_groups):
        start = minimum(start, load(least, u * LANES))
    store(best, 0, start)
    for place in range(n_groups):
        store_mask(flag, 0, less(start, load(least, place * LANES)))
        if flag[0] == 0xFFFF:
            continue
        u = _rotated(place, n_groups, n_steps * shift) if in_place else place
        for lane in range(lanes):
            if least[place * LANES + lane] == best[lane]:
                c = _branch(in_place, masks, names, shift, phases, n_groups, last, last - first_kept, u, lane)
                ends[lane] = min(ends[lane], c * n_groups + u)
    for lane in range(lanes):
        u = np.int64(overlaps[row + lane])
        if u >= 0:
            c = _branch(in_place, masks, names, shift, phases, n_groups, last, last - first_kept, u, lane)
            ends[lane] = c * n_groups + u
        states[row + lane, last] = ends[lane]
    for i in range(last - 1, first_kept - 1, -1):
        for lane in range(lanes):
            u = np.int64(states[row + lane, i + 1]) >> shift
            c = _branch(in_place, masks, names, shift, phases, n_groups, i, i - first_kept, u, lane)
            states[row + lane, i] = c * n_groups + u
