"""Decoding and multiplying in one go on a device's tensor cores: QTIP's tiles of 16 x 16, L = 16, k = 1, 2 or 4.

What makes it fast: a lane reads 16 bytes of a tile at a time, 8 / k of its rows, and a funnel shift for every three of
their states finds these. A state becomes a register of the matrix A and nothing more, see registers.py. And X, the
matrix B, is cut into digits once for all the rows of a block.

A number of X is an integer below 2^30 times a power of two, by the largest of its vector in a block's columns. Its four
digits, bytes with a sign, take four columns of B, so that one product serves two vectors. All sums of 1MAD and 2MAD
are exact integers until a block is done. A second kernel adds up what the blocks found.
"""

from functools import lru_cache

import numpy as np
from numba import cuda

from quipref.cuda.registers import TABLE_ROOM, kind
from quipref.cuda.tensor import LANES, ROOM, float_bits, from_lane, half_bits, load4_shared
from quipref.cuda.vocabulary import SIMULATED, bits_as_float, device_function, load4

CODES, BITS = ("1mad", "2mad", "3inst", "mcg", "mul1", "hyb"), (1, 2, 4)
SIDE, STATE_BITS, VALUES, TABLE_BITS = 16, 16, 2, 9
WARPS = 1 if SIMULATED else 8  # of a block, one below the other
THREADS = WARPS * LANES
STEP = 4 * SIDE  # columns of a warp at a time: four tiles side by side
DIGITS, VECTORS = 4, 2  # of a number, of a product

FINITE, MAGNITUDE = np.uint32(0x7F800000), np.uint32(0x7FFFFFFF)  # the bits of infinity; all bits but the sign
NOT_A_NUMBER = np.uint32(0x7FC00000)
FRACTION_BITS, BIAS = 23, 127  # of a number in single precision
TOP = 29  # the largest number of a block becomes an integer from 2^29 on
SIXTEEN = np.uint32(16)


def fast_refuses(code, state_bits, bits, values_per_step, table_bits, tile):
    """Why the kernel does not take such walks; None where it does."""
    if code not in CODES:
        return f"code {code!r}: the fast kernel takes {', '.join(CODES)}"
    if bits not in BITS:
        return f"{bits} bits: the fast kernel takes 1, 2 or 4"
    if state_bits != STATE_BITS:
        return f"state_bits is {state_bits}: the fast kernel takes 16"
    if tuple(tile) != (SIDE, SIDE):
        return f"tiles of {tile[0]} x {tile[1]}: the fast kernel takes 16 x 16"
    if code == "hyb" and (values_per_step != VALUES or table_bits > TABLE_BITS):
        return (
            f"values_per_step is {values_per_step}, table_bits {table_bits}: the fast kernel takes 2, and 9 at the most"
        )
    return None


def fast_walks_matvec(
    streams, table, X, Y, scale, *, code, state_bits, bits, values_per_step=1, table_bits=0, tile=(16, 16)
):
    """As `quipref.cuda.matvec.walks_matvec`, where `fast_refuses` says None; a table holds half-precision numbers."""
    (B, n), m = X.shape, Y.shape[1]
    found = cuda.device_array((-(-n // block_columns(B)), B, m), np.float32)
    grid = -(-m * bits // (WARPS * STEP)), found.shape[0]
    scale = np.float32(scale * kind(code, bits, table_bits).scale)
    walks_kernel(code, bits, table_bits, B)[grid, THREADS](streams.reshape(streams.size), table, X, found, scale)
    sum_blocks[-(-Y.size // THREADS), THREADS](found, Y)


def fast_scratch(B, m, n):
    """The bytes that it takes beside X and Y: what each block finds."""
    return -(-n // block_columns(B)) * B * m * np.dtype(np.float32).itemsize


def block_columns(B):
    """The columns of a block: their digits stand in shared memory."""
    return 2 * STEP if SIMULATED else 512 if B <= 2 else 256 if B <= 4 else 128


@cuda.jit
def sum_blocks(found, Y):
    """Y (B, m) = the sum of found (blocks, B, m) over the blocks, always in the same order."""
    i = cuda.grid(1)
    if i < Y.size:
        b, row = i // Y.shape[1], i % Y.shape[1]
        total = np.float32(0)
        for block in range(found.shape[0]):
            total = np.float32(total + found[block, b, row])
        Y[b, row] = total


@lru_cache
def walks_kernel(code, k, table_bits, B):
    """The kernel of `fast_walks_matvec` for B vectors and k bits a weight."""
    V, register, digit, multiply, number, joined, _ = kind(code, k, table_bits)
    has_table, copies = code == "hyb", TABLE_ROOM >> table_bits
    columns, pieces, sets, sums_of, row_bits, quads, N = sizes(k, V, B)
    near_size, room_size, digits_size = TABLE_ROOM if has_table else 1, ROOM * WARPS, columns // V * N
    cut = cutter(V, N, B, digit)
    multiply_step = in_turn([quad_of(i, k, V, N, sets, register, multiply) for i in range(quads)])

    @cuda.jit
    def kernel(words, table, X, found, scale):
        if SIMULATED:
            digits = cuda.shared.array(digits_size, np.uint32)
        else:  # pragma: no cover - from an address on that 16 divides; the simulator has none
            digits = cuda.shared.array(digits_size, np.uint32, 16)
        near = cuda.shared.array(near_size, np.uint32)
        room = cuda.shared.array(room_size, np.uint32)
        largest = cuda.shared.array(B, np.uint32)
        x_sums = cuda.shared.array((2, B), np.int32)
        held = cuda.local.array(5, np.uint32)
        sums = cuda.local.array((sums_of, 4), number)
        if has_table:
            spread(table, near, copies)
        left = cuda.blockIdx.y * columns
        cut(X, left, min(columns, X.shape[1] - left), digits, largest, x_sums)
        lane = np.int32(cuda.threadIdx.x % LANES)
        g, t = lane // 4, lane % 4
        piece = g % pieces
        below = lane + 4 * ((piece + 1) % pieces - piece)  # holds the next 16 bytes of the circle
        top = (cuda.blockIdx.x * WARPS + cuda.threadIdx.x // LANES) * (STEP // k)
        across = X.shape[1] // SIDE
        row = min(top // SIDE + g // pieces, found.shape[2] // SIDE - 1)
        place = np.int32(((row * across + left // SIDE + t) * pieces + piece) * 4)
        last = np.int32(words.size - 4)
        clear(sums)
        coming = load4(words, min(place, last))
        for step in range(np.int32((min(columns, X.shape[1] - left) + STEP - 1) // STEP)):
            held[0], held[1], held[2], held[3] = coming
            held[4] = from_lane(coming[0], below, room)
            # What lies to the right of W_hat is read but not counted: there the digits of X are zero.
            place = np.int32(place + 16 * pieces)
            coming = load4(words, min(place, last))
            multiply_step(held, near, lane, digits, np.int32(step * quads * N * 16 + g % N * 16 + 4 * t), sums, room)
        write(sums, sets, joined, top + g * (8 // k), lane, largest, x_sums, room, found, scale)

    return kernel


def in_turn(functions):
    """One function that calls these one after the other: a loop of whose turns a compiler knows all the numbers."""
    first, *rest = functions
    if not rest:
        return first
    others = in_turn(rest)

    @device_function
    def all_in_turn(held, table, lane, digits, at, sums, room):
        first(held, table, lane, digits, at, sums, room)
        others(held, table, lane, digits, at, sums, room)

    return all_in_turn


def quad_of(quad, k, V, N, sets, register, multiply):
    """The function that decodes four neighbouring registers of all of a lane's rows, and multiplies them."""
    pairs, row_bits, step_bits = 4 // k, SIDE * k, k * V

    @device_function
    def multiply_quad(held, table, lane, digits, at, sums, room):
        for i in range(sets):
            b = load4_shared(digits, at + (quad * N + DIGITS * VECTORS * i) * 16)
            for half in range(2):
                for pair in range(pairs):  # innermost: a product need not wait for the one before it
                    # registers 4 quad + 2 half, and the next, of rows 2 pair and 2 pair + 1
                    bit = 2 * pair * row_bits + (4 * quad + 2 * half) * step_bits
                    a0 = register(held, bit, table, lane)
                    a1 = register(held, bit + row_bits, table, lane)
                    a2 = register(held, bit + step_bits, table, lane)
                    a3 = register(held, bit + row_bits + step_bits, table, lane)
                    c = sums[pair * sets + i]
                    c[0], c[1], c[2], c[3] = multiply(
                        a0, a1, a2, a3, b[2 * half], b[2 * half + 1], c[0], c[1], c[2], c[3], room
                    )

    return multiply_quad


def sizes(k, V, B):
    """What a kernel's loops run over."""
    columns, pieces, row_bits = block_columns(B), 2 * k, SIDE * k  # a tile is so many times 16 bytes
    sets = -(-B // VECTORS)  # of two vectors
    N = DIGITS if B == 1 else DIGITS * VECTORS * sets  # columns of B; those of a single vector stand for two
    return columns, pieces, sets, 4 // k * sets, row_bits, SIDE // V // 4, N


def cutter(V, N, B, digit):
    """The function that cuts a block's columns of X into digits: for each V columns the registers of all lanes."""
    registers = SIDE // V  # of a row of a tile

    @device_function
    def cut(X, left, columns, digits, largest, x_sums):
        thread = cuda.threadIdx.x
        if thread < B:
            largest[thread], x_sums[0, thread], x_sums[1, thread] = 0, 0, 0
        cuda.syncthreads()
        for column in range(thread, columns, THREADS):
            for b in range(B):
                cuda.atomic.max(largest, b, np.uint32(float_bits(X[b, left + column]) & MAGNITUDE))
        cuda.syncthreads()
        for r in range(thread, digits.size // N, THREADS):
            tile, i = r // registers, r % registers
            for b in range(N // DIGITS):
                at = ((tile // 4 * registers + i) // 4 * N + DIGITS * b) * 16 + tile % 4 * 4 + i % 4
                for d in range(DIGITS):
                    digits[at + d * 16] = 0
                for v in range(V):
                    if b < B and r * V + v < columns:
                        x = fixed_point(X[b, left + r * V + v], largest[b])
                        cuda.atomic.add(x_sums, (0, b), x >> 16)
                        cuda.atomic.add(x_sums, (1, b), x & 0xFFFF)
                        for d in range(DIGITS):
                            low = np.int32(((x + 128) & 255) - 128)
                            word = np.uint32(digit(low) << np.uint32(16 * v))
                            digits[at + (DIGITS - 1 - d) * 16] |= word
                            x = np.int32((x - low) >> 8)
        cuda.syncthreads()

    return cut


@device_function
def fixed_point(x, largest):
    """The integer below 2^30 in magnitude that x is, where `largest`, bits of a number, counts 2^29 or more."""
    if largest >= FINITE:
        return np.int32(0)
    first, second = two_powers(TOP - exponent_of(largest))
    return np.int32(np.float32(np.float32(x * first) * second))


@device_function
def in_units(share, largest):
    """So many times what 1 of `fixed_point` stands for; NaN if there was infinity or NaN among the numbers."""
    if largest >= FINITE:
        return bits_as_float(NOT_A_NUMBER)
    first, second = two_powers(exponent_of(largest) - TOP)
    return np.float32(np.float32(share * first) * second)


@device_function
def exponent_of(largest):
    """The power of two in a number above 0, from its bits; the least there is for those too small to have one."""
    return max(np.int32(largest >> np.uint32(FRACTION_BITS)), 1) - BIAS


@device_function
def two_powers(exponent):
    """Two powers of two whose product is 2^exponent, from -155 to 155: more than single precision has for one."""
    half = np.int32(exponent) >> 1
    first = bits_as_float(np.uint32(np.uint32(half + BIAS) << np.uint32(FRACTION_BITS)))
    return first, bits_as_float(np.uint32(np.uint32(exponent - half + BIAS) << np.uint32(FRACTION_BITS)))


@device_function
def spread(table, near, copies):
    """The pairs of a table as words, each so many times."""
    for i in range(cuda.threadIdx.x, near.size, THREADS):
        row = i // copies
        low, high = half_bits(table[2 * row]), half_bits(table[2 * row + 1])
        near[i] = np.uint32(low | np.uint32(high << SIXTEEN))


@device_function
def clear(sums):
    """Nothing has been added up yet."""
    for i in range(sums.shape[0]):
        for j in range(4):
            sums[i, j] = 0


@device_function
def write(sums, sets, joined, row, lane, largest, x_sums, room, found, scale):
    """Join the four digits of each sum, which two neighbouring lanes hold, and write what the block found."""
    B = found.shape[1]
    for i in range(sums.shape[0]):
        for half in range(2):
            b = min(i % sets * VECTORS + lane % 4 // 2, B - 1)
            first = lane % 2 == 0
            share = joined(sums[i, 2 * half], sums[i, 2 * half + 1], first, x_sums[0, b], x_sums[1, b])
            other = bits_as_float(from_lane(float_bits(share), lane ^ 1, room))
            place = row + 2 * (i // sets) + half
            if first and i % sets * VECTORS + lane % 4 // 2 < B and place < found.shape[2]:
                found[cuda.blockIdx.y, b, place] = in_units(np.float32(scale * np.float32(share + other)), largest[b])
