"""QuIP#'s codebook E8P: the nearest point by sorted classes, 64 vectors at a time, and the points of codes.

The 227 patterns of squared norm 10 or less hold every arrangement of their entries, so on sorted |x - d| only one of
each of their seven kinds can win; and where a sign must be turned round, it is that of the smallest |x - d|, which
meets a 1/2. The 29 patterns beside them are tried one by one, for the few vectors where one of them may win.
"""

import numpy as np

from quipref.kernels.jit import jit

LANES = 64  # vectors that are searched together: each loop below over v becomes vector instructions
UNIT = np.float32(1 / 16)  # everything is counted in 16, so that no score leaves the range of float32
ZERO, HALF, LARGEST = np.float32(0), np.float32(1 / 2), np.float32(np.inf)
HALF_NORM = np.arange(7, dtype=np.float32) * UNIT  # of patterns
SHIFTS = np.float32([1 / 4, -1 / 4])  # d; `below`, 0 or 1, counts them
SORTED_BY = (  # exchanges that sort any eight numbers
    *((0, 2), (1, 3), (4, 6), (5, 7), (0, 4), (1, 5), (2, 6), (3, 7), (0, 1), (2, 3)),
    *((4, 5), (6, 7), (2, 4), (3, 5), (1, 4), (3, 6), (1, 2), (3, 4), (5, 6)),
)
NONE, PLACE = np.int32(0), np.int32([1 << i for i in range(8)])  # one bit for each coordinate, in order
SIGN_BIT = np.int32([1 << i for i in (0, 4, 1, 5, 2, 6, 3, 7)])  # and as in the low byte of a code
# The seven kinds, in the order of their rank among equals, and the pads: how many entries above 1/2; one of them 5/2?
LARGE, WITH_FIVE = np.array([0, 1, 2, 3, 1, 4, 2, 5], np.int32), np.array([0, 0, 0, 0, 1, 0, 1, 0], np.int32)
PAD, PADS = 7, 227  # the last kind, and the first row of its patterns


@jit
def nearest_points(X, patterns, first_row, last_row, codes):
    """codes[row] = the code of the point nearest to X[row], for X (B, 8) and patterns (256, 8), both float32.

    Twin of `quipref.lattice.e8p.nearest_points`.
    """
    rows, pads = _rows(patterns), np.ascontiguousarray(patterns[PADS:].T)
    x, a = np.zeros((8, LANES), np.float32), np.empty((8, LANES), np.float32)
    score, limit = np.empty((2, LANES), np.float32), np.empty((2, LANES), np.float32)
    kind, pad = np.empty((2, LANES), np.int32), np.zeros((2, LANES), np.int32)
    for start in range(first_row, last_row, LANES):
        n = min(LANES, last_row - start)
        for v in range(n):
            for i in range(8):
                x[i, v] = X[start + v, i] * UNIT
        for below in range(2):
            _best_kinds(x, a, SHIFTS[below], score[below], limit[below], kind[below])
        for v in range(n):
            for below in range(2):
                if limit[below, v] > score[below, v] and limit[below, v] >= score[1 - below, v]:
                    _best_pad(x, pads, below, v, score, kind, pad)
        _write_codes(x, a, score, kind, pad, rows, pads, codes[start : start + n])


@jit
def _rows(patterns):
    """rows[top, mask] = the pattern with entries above 1/2 where the mask has ones, and 5/2 where top has its one."""
    rows = np.zeros((129, 256), np.uint8)
    for row in range(256):
        top, mask = 0, 0
        for i in range(8):
            mask |= PLACE[i] * (patterns[row, i] > 1)
            top |= PLACE[i] * (patterns[row, i] > 2)
        rows[top, mask] = row
    return rows


@jit
def _best_kinds(x, a, shift, score, limit, kind):
    """The best of the seven kinds for each vector, its score, and a limit that no other pattern's score exceeds."""
    odd, total, toward = np.zeros(LANES, np.int32), np.zeros(LANES, np.float32), np.zeros(LANES, np.float32)
    d = shift * UNIT
    for i in range(8):
        for v in range(LANES):
            y = x[i, v] - d
            odd[v] ^= y < 0
            a[i, v] = abs(y)
            total[v] += a[i, v]
            toward[v] += x[i, v]
    for i, j in SORTED_BY:
        for v in range(LANES):
            p, q = a[i, v], a[j, v]
            a[i, v] = p if p > q else q
            a[j, v] = q if p > q else p
    for v in range(LANES):
        # score = sum of the pattern times |x - d|, less |pattern|^2 / 2, plus d times the sum of x
        half = total[v] * HALF + shift * toward[v]
        even_sum = half - (a[7, v] if odd[v] else ZERO)  # a sign turned round at 1/2 costs |x - d|
        odd_sum = half - (ZERO if odd[v] else a[7, v])
        one, two = a[0, v], a[0, v] + a[1, v]
        three = two + a[2, v]
        four = three + a[3, v]
        best, k = even_sum - HALF_NORM[1], 0
        best, k = _better(odd_sum + one - HALF_NORM[2], 1, best, k)
        best, k = _better(even_sum + two - HALF_NORM[3], 2, best, k)
        best, k = _better(odd_sum + three - HALF_NORM[4], 3, best, k)
        best, k = _better(even_sum + (one + one) - HALF_NORM[4], 4, best, k)
        best, k = _better(even_sum + four - HALF_NORM[5], 5, best, k)
        best, k = _better(odd_sum + (one + two) - HALF_NORM[5], 6, best, k)
        score[v], kind[v], limit[v] = best, k, odd_sum + (four + a[4, v]) - HALF_NORM[6]


@jit
def _better(score, k, best, best_k):
    """The larger score, and what it belongs to; of equals the one that came before."""
    return (score, k) if score > best else (best, best_k)


@jit
def _best_pad(x, pads, below, v, score, kind, pad):
    """Let one of the other patterns win if it scores more: those of five 3/2 and three 1/2, whose sum is odd."""
    total, least = np.zeros(pads.shape[1], np.float32), np.full(pads.shape[1], LARGEST)
    odd, toward = 0, ZERO
    for i in range(8):
        y = x[i, v] - SHIFTS[below] * UNIT
        odd ^= y < 0
        toward += x[i, v]
        for p in range(pads.shape[1]):
            term = abs(y) * pads[i, p]
            total[p] += term
            least[p] = term if term < least[p] else least[p]
    for p in range(pads.shape[1]):
        turned = ZERO if odd else least[p] + least[p]
        found = total[p] - turned + SHIFTS[below] * toward - HALF_NORM[6]
        if found > score[below, v]:
            score[below, v], kind[below, v], pad[below, v] = found, PAD, p


@jit
def _write_codes(x, a, score, kind, pad, rows, pads, codes):
    """The codes of the best points, for whichever shift scores more."""
    below, signs, mask, top, least, large, five = np.zeros((7, LANES), np.int32)
    for v in range(LANES):
        below[v] = score[1, v] > score[0, v]
        k = kind[1, v] if below[v] else kind[0, v]
        large[v], five[v] = LARGE[k], WITH_FIVE[k]
    for i in range(8):
        bit = SIGN_BIT[i]
        for v in range(LANES):
            y = x[i, v] - (SHIFTS[1] if below[v] else SHIFTS[0]) * UNIT
            a[i, v] = abs(y)
            signs[v] |= bit if y < 0 else NONE
    rank = _ranks(a)
    for i in range(8):
        place, bit = PLACE[i], SIGN_BIT[i]
        for v in range(LANES):
            mask[v] |= place if rank[i, v] < large[v] else NONE
            top[v] = place if rank[i, v] == 0 else top[v]
            least[v] = bit if rank[i, v] == 7 else least[v]
    for v in range(len(codes)):
        if kind[below[v], v] == PAD:
            mask[v], least[v] = _mask_and_least(a, pads, v, pad[below[v], v])
    for v in range(LANES):
        signs[v] ^= ((large[v] + five[v]) & 1) << 7
        signs[v] ^= least[v] * _parity(signs[v]) ^ below[v]
        top[v] *= five[v]
    for v in range(len(codes)):
        codes[v] = np.int32(rows[top[v], mask[v]]) << 8 | signs[v]


@jit
def _ranks(a):
    """How many go before each |x - d|: those that are larger, and the later ones that are equal."""
    rank = np.empty((8, LANES), np.int32)
    for v in range(LANES):
        for i in range(8):
            before = NONE
            for j in range(i):
                before += np.int32(a[j, v] > a[i, v])
            for j in range(i + 1, 8):
                before += np.int32(a[j, v] >= a[i, v])
            rank[i, v] = before
    return rank


@jit
def _mask_and_least(a, pads, v, p):
    """Where a pattern is 3/2, and the sign bit of the least of its terms, the first of equals."""
    mask, least, bit = 0, LARGEST, 0
    for i in range(8):
        mask |= PLACE[i] * (pads[i, p] > 1)
        term = a[i, v] * pads[i, p]
        if term < least:
            least, bit = term, SIGN_BIT[i]
    return mask, bit


@jit
def _parity(byte):
    """Whether an odd number of eight bits is set."""
    byte ^= byte >> 4
    byte ^= byte >> 2
    return (byte ^ byte >> 1) & 1


@jit
def point_values(codes, patterns, scale, first_row, last_row, X_hat):
    """X_hat[row] = scale times the point of codes[row], for codes (B,), patterns (256, 8) and X_hat (B, 8).

    Twin of `quipref.lattice.e8p.point_values`.
    """
    stored, signs, shifts = np.empty((256, 8), X_hat.dtype), np.empty((256, 8), X_hat.dtype), np.empty(256, X_hat.dtype)
    for row in range(256):
        below = _parity(row)
        shifts[row] = SHIFTS[below]
        stored[row] = patterns[row]
        if patterns[row].sum() % 2 == 1:
            stored[row, 7] *= -1
        for i in range(8):
            signs[row, i] = -1 if (row ^ below) & SIGN_BIT[i] else 1
    for row in range(first_row, last_row):
        v, sign, shift, q = stored[codes[row] >> 8], signs[codes[row] & 255], shifts[codes[row] & 255], X_hat[row]
        for i in range(8):
            q[i] = scale * (v[i] * sign[i] + shift)
