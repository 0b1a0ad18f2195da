"""Decoding and multiplying in one go, the version to read: no matrix of weights is ever written.

A row of W_hat belongs to a group of LANES neighbouring threads, every LANES-th weight to each of them. A thread finds
its window in the stream, decodes it, multiplies it by the numbers of X at its column, and adds up in single precision.
What the threads of a group have added up then comes together in shared memory, as in a knock-out tournament.
"""

from functools import lru_cache

import numpy as np
from numba import cuda

from quipref.cuda.codes import value_function
from quipref.cuda.decode import MOST_SHARED
from quipref.cuda.points import POINTS, ROWS, packed, packed_pattern
from quipref.cuda.vocabulary import SIMULATED, device_function
from quipref.cuda.windows import WORD, window

LANES = 16  # threads that share a row, a power of two: the weights in a row of the usual tile
GROUPS = 1 if SIMULATED else 16  # rows of a block: those of the usual tile
THREADS = GROUPS * LANES
MOST_BLOCKS = 2 if SIMULATED else 2**15
HALF_LANES = LANES // 2


def walks_matvec(
    streams, table, X, Y, scale, *, code, state_bits, bits, values_per_step=1, table_bits=0, tile=(16, 16)
):
    """Y = scale X W_hat^T, where W_hat (m, n) are the values of all states.

    Arrays are on the device: X (B, n) and Y (B, m), float32, B from 1 to 8. The rest is as in
    `quipref.cuda.decode.decode_walks`; twin of that and of NumPy's product.
    """
    kernel = walks_multiplier(code, state_bits, bits, values_per_step, table_bits, tile, table.size, X.shape[0])
    kernel[min(-(-Y.shape[1] // GROUPS), MOST_BLOCKS), THREADS](streams, table, X, Y, np.float32(scale))


@lru_cache
def walks_multiplier(code, L, k, V, table_bits, tile, entries, B):
    """The kernel of `walks_matvec` for B vectors."""
    R, C = tile
    value = value_function(code, V, table_bits)
    where, state_at = window(L, k * V, R * C * k // WORD)
    near = entries <= MOST_SHARED
    room_for, sums_of = entries if near else 1, (THREADS, B)

    @cuda.jit
    def kernel(streams, table, X, Y, scale):
        room = cuda.shared.array(room_for, np.float32)
        sums = cuda.shared.array(sums_of, np.float32)
        total = cuda.local.array(B, np.float32)
        for i in range(cuda.threadIdx.x, room_for, cuda.blockDim.x):
            room[i] = table[i]
        cuda.syncthreads()
        values = room if near else table
        lane, across = cuda.threadIdx.x % LANES, X.shape[1] // C
        for top in range(cuda.blockIdx.x * GROUPS, Y.shape[1], cuda.gridDim.x * GROUPS):
            row = top + cuda.threadIdx.x // LANES
            clear(total)
            if row < Y.shape[1]:
                for column in range(lane, C, LANES):
                    weight = row % R * C + column
                    word, after, shift = where(weight // V)
                    for left in range(across):
                        # y_b <- y_b + w x_b,    w the value of the state whose bits stand there
                        state = state_at(streams, row // R * across + left, word, after, shift)
                        add_products(total, value(state, weight % V, values), X, left * C + column)
            add_up(sums, total)
            if lane == 0 and row < Y.shape[1]:
                for b in range(B):
                    Y[b, row] = scale * sums[cuda.threadIdx.x, b]
            cuda.syncthreads()

    return kernel


def points_matvec(codes, patterns, second, X, Y, scale, residual_scale=1.0, *, bits):
    """Y = scale X W_hat^T, where W_hat (m, n) are the points that codes name.

    Arrays are on the device: X (B, n) and Y (B, m), float32, B from 1 to 8. The rest is as in
    `quipref.cuda.decode.decode_points`; twin of that and of NumPy's product.
    """
    kernel = points_multiplier(bits, X.shape[0])
    scales = np.float32(scale), np.float32(residual_scale)
    kernel[min(-(-Y.shape[1] // GROUPS), MOST_BLOCKS), THREADS](codes, patterns, second, X, Y, *scales)


@lru_cache
def points_multiplier(bits, B):
    """The kernel of `points_matvec` for B vectors."""
    point, sums_of = POINTS[bits], (THREADS, B)

    @cuda.jit
    def kernel(codes, patterns, second, X, Y, scale, residual_scale):
        rows = cuda.shared.array(ROWS, np.uint32)
        more = cuda.shared.array(ROWS, np.uint32)  # the simulator takes two arrays asked for on one line for one
        sums = cuda.shared.array(sums_of, np.float32)
        total = cuda.local.array(B, np.float32)
        for i in range(cuda.threadIdx.x, ROWS, cuda.blockDim.x):
            rows[i], more[i] = packed_pattern(patterns, i), packed(second, i)
        cuda.syncthreads()
        lane = cuda.threadIdx.x % LANES
        for top in range(cuda.blockIdx.x * GROUPS, Y.shape[1], cuda.gridDim.x * GROUPS):
            row = top + cuda.threadIdx.x // LANES
            clear(total)
            if row < Y.shape[1]:
                for q in range(lane, codes.shape[1], LANES):
                    code = np.uint32(codes[row, q])
                    for j in range(8):
                        add_products(total, point(code, j, rows, more, residual_scale), X, 8 * q + j)
            add_up(sums, total)
            if lane == 0 and row < Y.shape[1]:
                for b in range(B):
                    Y[b, row] = scale * sums[cuda.threadIdx.x, b]
            cuda.syncthreads()

    return kernel


@device_function
def clear(total):
    """Nothing has been added up yet."""
    for b in range(total.shape[0]):
        total[b] = np.float32(0)


@device_function
def add_products(total, w, X, column):
    """Add w times a column of X."""
    for b in range(total.shape[0]):
        total[b] = np.float32(total[b] + np.float32(w * X[b, column]))


@device_function
def add_up(sums, total):
    """The sums of `total` over the threads of a group, left in the row of its first thread."""
    thread = cuda.threadIdx.x
    for b in range(total.shape[0]):
        sums[thread, b] = total[b]
    cuda.syncthreads()
    half = HALF_LANES
    while half:
        if thread % LANES < half:
            for b in range(total.shape[0]):
                sums[thread, b] += sums[thread + half, b]
        cuda.syncthreads()
        half //= 2
