"""From stored bits to weights, a thread a weight: what a decoder does, before any of it is made fast.

Every kernel is made for its code and its sizes, which are constants in it, and walks over its work with strides, so
that a few hundred threads, as the simulator has, do what a device does with a million.

Two habits halve the instructions that Numba makes of a loop: `while` where the step is no constant, since `range` would
divide, and unsigned indices, which are not asked whether they count from the end.
"""

from functools import lru_cache

import numpy as np
from numba import cuda

from quipref.cuda.codes import value_function
from quipref.cuda.points import POINTS, ROWS, packed, packed_pattern
from quipref.cuda.vocabulary import SIMULATED
from quipref.cuda.windows import WORD, window

THREADS = 8 if SIMULATED else 256  # more would fight for the one lock of Python
MOST_BLOCKS = 1 if SIMULATED else 2**15  # in each direction
MOST_SHARED = 2**13  # numbers of a table that a block copies to its shared memory: 32 KB; a larger one stays outside


def decode_walks(streams, table, out, scale, *, code, state_bits, bits, values_per_step=1, table_bits=0, tile=(16, 16)):
    """Write scale times the values of all states to out (m, n), float32.

    Arrays are on the device: streams (tiles, k R C / 32) uint32, tiles from left to right and then from top to bottom;
    table (2^L V,) or (2^Q V,), float32, one number where the code needs none. `code` and the rest as in
    `quipref.quantize`. Twin of `quipref.trellis.tiles.TrellisQuantizer.decode`, to the bit of float32.
    """
    kernel = walks_decoder(code, state_bits, bits, values_per_step, table_bits, tile, table.size)
    blocks = min(out.shape[1] // tile[1], MOST_BLOCKS), min(out.shape[0] // tile[0], MOST_BLOCKS)
    kernel[blocks, THREADS](streams, table, out, np.float32(scale))


@lru_cache
def walks_decoder(code, L, k, V, table_bits, tile, entries):
    """The kernel of `decode_walks`: a thread finds its place in a tile once, and takes that weight of many tiles."""
    R, C = tile
    value = value_function(code, V, table_bits)
    where, state_at = window(L, k * V, R * C * k // WORD)
    near = entries <= MOST_SHARED
    room_for = entries if near else 1

    @cuda.jit
    def kernel(streams, table, out, scale):
        room = cuda.shared.array(room_for, np.float32)
        for i in range(cuda.threadIdx.x, room_for, THREADS):
            room[i] = table[i]
        cuda.syncthreads()
        values = room if near else table
        across = out.shape[1] // C
        for weight in range(cuda.threadIdx.x, R * C, THREADS):
            word, after, shift = where(weight // V)
            row, column = weight // C, weight % C
            down = cuda.blockIdx.y
            while down < out.shape[0] // R:
                line, left = out[down * R + row], cuda.blockIdx.x
                while left < across:
                    state = state_at(streams, np.uint64(down * across + left), word, after, shift)
                    line[np.uint64(left * C + column)] = scale * value(state, weight % V, values)
                    left += cuda.gridDim.x
                down += cuda.gridDim.y

    return kernel


def decode_points(codes, patterns, second, out, scale, residual_scale=1.0, *, bits):
    """Write scale times the points that codes name to out (m, n), float32.

    Parameters are arrays on the device: codes (m, n / 8), uint16 for 2 bits and uint32 for 3 and 4; patterns (256, 8),
    those of E8P; second (256, 8), the points of what 3 bits leave over, else patterns once more.
    Twin of `decode` of `quipref.lattice.e8p` and `quipref.lattice.residual`.
    """
    blocks = min(-(-codes.shape[1] // THREADS), MOST_BLOCKS), min(codes.shape[0], MOST_BLOCKS)
    points_decoder(bits)[blocks, THREADS](codes, patterns, second, out, np.float32(scale), np.float32(residual_scale))


@lru_cache
def points_decoder(bits):
    """The kernel of `decode_points`: a thread takes a code, eight weights of a row."""
    weight = POINTS[bits]

    @cuda.jit
    def kernel(codes, patterns, second, out, scale, residual_scale):
        rows = cuda.shared.array(ROWS, np.uint32)
        more = cuda.shared.array(ROWS, np.uint32)  # the simulator takes two arrays asked for on one line for one
        for row in range(cuda.threadIdx.x, ROWS, THREADS):
            rows[row], more[row] = packed_pattern(patterns, row), packed(second, row)
        cuda.syncthreads()
        down = cuda.blockIdx.y
        while down < codes.shape[0]:
            line, q = out[down], cuda.grid(1)
            while q < codes.shape[1]:
                code = np.uint32(codes[down, q])
                for j in range(8):
                    line[np.uint64(8 * q + j)] = scale * weight(code, j, rows, more, residual_scale)
                q += cuda.gridsize(1)
            down += cuda.gridDim.y

    return kernel
