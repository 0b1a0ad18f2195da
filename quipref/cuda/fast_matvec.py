"""Decoding and multiplying in one go on a device's tensor cores: QTIP's tiles of 16 x 16, L = 16, k = 1, 2 or 4.

Three files to read before this one: tensor.py, what a product of the tensor cores is; layout.py, which lane has what of
it, with a drawing; registers.py, how a state becomes a register of the matrix A. digits.py cuts X, the matrix B, into
digits, once for all the rows of a block: bytes with a sign, four for a number, so that one product serves two vectors.

A warp goes through its block's columns in steps of four tiles. While it multiplies what it holds, the next 16 bytes of
each lane are on their way. All sums of 1MAD and 2MAD are exact integers until the block is done: then lanes join the
digits of a sum. A second kernel adds up what the blocks found.
"""

from functools import lru_cache

import numpy as np
from numba import cuda

from quipref.cuda import layout
from quipref.cuda.digits import DIGITS, MAGNITUDE, as_fixed_point, in_units, lowest
from quipref.cuda.layout import COLUMN, QUAD, SIDE, TILES
from quipref.cuda.registers import TABLE_ROOM, kind
from quipref.cuda.tensor import LANES, ROOM, float_bits, from_lane, half_bits, load4_shared
from quipref.cuda.vocabulary import SIMULATED, bits_as_float, device_function, load4

CODES, BITS = ("1mad", "2mad", "3inst", "mcg", "mul1", "hyb"), (1, 2, 4)
STATE_BITS, VALUES, TABLE_BITS = 16, 2, 9
WARPS = 1 if SIMULATED else 8  # of a block, one below the other
THREADS = WARPS * LANES
STEP = TILES * SIDE  # columns of a warp at a time
VECTORS = 2  # of a product
SIXTEEN = np.uint32(16)

strip_of_lane, lane_below = device_function(layout.strip_of_lane), device_function(layout.lane_below)
strip_place, digit_place = device_function(layout.strip_place), device_function(layout.digit_place)


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
    grid = -(-m // (WARPS * warp_rows(bits))), found.shape[0]
    scale = np.float32(scale * kind(code, bits, table_bits).scale)
    fast_multiplier(code, bits, table_bits, B)[grid, THREADS](streams.reshape(streams.size), table, X, found, scale)
    sum_blocks[-(-Y.size // THREADS), THREADS](found, Y)


def fast_scratch(B, m, n):
    """The bytes that it takes beside X and Y: what each block finds."""
    return -(-n // block_columns(B)) * B * m * np.dtype(np.float32).itemsize


def block_columns(B):
    """The columns of a block: their digits stand in shared memory."""
    return 2 * STEP if SIMULATED else 512 if B <= 2 else 256 if B <= 4 else 128


def warp_rows(k):
    """The rows of a warp: with STEP columns they are 512 bytes, 16 for each lane."""
    return STEP // k


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
def fast_multiplier(code, k, table_bits, B):
    """The kernel of `fast_walks_matvec` for B vectors and k bits a weight."""
    V, register, digit, multiply, number, joined, _ = kind(code, k, table_bits)
    has_table, copies = code == "hyb", TABLE_ROOM >> table_bits
    columns, sets, sums_of, quads, N = sizes(k, V, B)
    near_size, room_size, digits_size = TABLE_ROOM if has_table else 1, ROOM * WARPS, columns // V * N
    cut = cutter(V, N, B, digit)
    multiply_step = in_turn([quad_of(quad, k, V, N, sets, register, multiply) for quad in range(quads)])
    rows, next_tiles, next_quads = warp_rows(k), layout.strip_place(TILES, 0, k), layout.digit_place(quads, 0, 0, 0, N)

    @cuda.jit
    def kernel(words, table, X, found, scale):
        if SIMULATED:
            digits = cuda.shared.array(digits_size, np.uint32)
        else:  # pragma: no cover - from an address on that 16 divides; the simulator has none
            digits = cuda.shared.array(digits_size, np.uint32, 16)
        near = cuda.shared.array(near_size, np.uint32)  # the table
        room = cuda.shared.array(room_size, np.uint32)  # where the simulator's lanes meet
        largest = cuda.shared.array(B, np.uint32)
        x_sums = cuda.shared.array((2, B), np.int32)
        held = cuda.local.array(5, np.uint32)  # a lane's 16 bytes, and the word after them on the tile's circle
        sums = cuda.local.array((sums_of, 4), number)  # a lane's words of C, for pairs of rows and sets of vectors
        if has_table:
            spread(table, near, copies)
        left = cuda.blockIdx.y * columns
        cut(X, left, min(columns, X.shape[1] - left), digits, largest, x_sums)
        lane = np.int32(cuda.threadIdx.x % LANES)
        g, t = lane // TILES, lane % TILES
        top = (cuda.blockIdx.x * WARPS + cuda.threadIdx.x // LANES) * rows  # the first row of the warp
        (down, right, strip), below = strip_of_lane(lane, k), lane_below(lane, k)
        # Lanes below the last row of W_hat read that of the tiles above, and what they find is not written. What lies
        # to the right of W_hat is read but not counted: there the digits of X are zero. Nothing is read after the end.
        tile = min(top // SIDE + down, found.shape[2] // SIDE - 1) * (X.shape[1] // SIDE) + left // SIDE + right
        place, at = np.int32(strip_place(tile, strip, k)), np.int32(digit_place(0, g % N, t, 0, N))
        last = np.int32(words.size - 4)
        clear(sums)
        coming = load4(words, min(place, last))
        for step in range(np.int32((min(columns, X.shape[1] - left) + STEP - 1) // STEP)):
            held[0], held[1], held[2], held[3] = coming
            held[4] = from_lane(coming[0], below, room)
            place = np.int32(place + next_tiles)
            coming = load4(words, min(place, last))
            multiply_step(held, near, lane, digits, np.int32(step * next_quads + at), sums, room)
        write(sums, sets, joined, top + g * (rows // 8), lane, largest, x_sums, room, found, scale)

    return kernel


def in_turn(functions):
    """One function that calls these one after the other.

    A loop would ask at run time which words of `held` a window lies in, and `held` had to lie in memory, not in
    registers. So each turn is a function of its own, in which all such numbers are constants.
    """
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
    """The function that decodes a quad, four neighbouring registers of all rows of a lane's strip, and multiplies it.

    The four words of B that a lane reads at once serve two products: registers 0 and 1 of the quad, then 2 and 3.
    """
    pairs, row_bits, step_bits = 4 // k, SIDE * k, k * V  # pairs of rows of a strip; bits of a row, of a register

    @device_function
    def multiply_quad(held, table, lane, digits, at, sums, room):
        for i in range(sets):
            b = load4_shared(digits, at + digit_place(quad, DIGITS * VECTORS * i, 0, 0, N))
            for half in range(2):
                for pair in range(pairs):  # innermost: a product need not wait for the one before it
                    bit = 2 * pair * row_bits + (QUAD * quad + 2 * half) * step_bits  # where the first state begins
                    a0 = register(held, bit, table, lane)  # A[g, t]: the first row's first register
                    a1 = register(held, bit + row_bits, table, lane)  # A[g + 8, t]: the second row's
                    a2 = register(held, bit + step_bits, table, lane)  # A[g, t + 4]: the first row's second register
                    a3 = register(held, bit + row_bits + step_bits, table, lane)  # A[g + 8, t + 4]
                    c = sums[pair * sets + i]
                    c[0], c[1], c[2], c[3] = multiply(
                        a0, a1, a2, a3, b[2 * half], b[2 * half + 1], c[0], c[1], c[2], c[3], room
                    )

    return multiply_quad


def sizes(k, V, B):
    """(columns of a block, sets of vectors that a product serves, sums of a lane, quads of a tile, columns of B)."""
    sets = -(-B // VECTORS)
    N = DIGITS if B == 1 else DIGITS * VECTORS * sets
    return block_columns(B), sets, 4 // k * sets, SIDE // V // QUAD, N


def cutter(V, N, B, digit):
    """The function that cuts a block's columns of X into digits: a thread writes the registers of B for V columns.

    It finds the largest number of each vector, too, and the sums of what the numbers became, in two parts so that
    neither passes 2^31: below 2^30, they are 2^16 times a number up to 2^14, and one up to 2^16.
    """
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
            quad = (tile // TILES * registers + i) // QUAD  # counted over all steps
            for b in range(N // DIGITS):
                at = digit_place(quad, DIGITS * b, tile % TILES, i % QUAD, N)
                for d in range(DIGITS):
                    digits[at + d * COLUMN] = 0
                for v in range(V):
                    if b < B and r * V + v < columns:
                        x = as_fixed_point(X[b, left + r * V + v], largest[b])
                        cuda.atomic.add(x_sums, (0, b), x >> 16)
                        cuda.atomic.add(x_sums, (1, b), x & 0xFFFF)
                        for d in range(DIGITS - 1, -1, -1):  # the highest digit stands first
                            low = lowest(x)
                            digits[at + d * COLUMN] |= np.uint32(digit(low) << np.uint32(16 * v))
                            x = np.int32((x - low) >> 8)
        cuda.syncthreads()

    return cut


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
    """Join the four digits of each sum, and write what the block found.

    Of C a lane holds columns 2 t and 2 t + 1, two neighbouring digits, which `joined` makes one number. The lanes with
    an even t have the two high digits of vector t // 2 of a set, the lanes after them the two low ones.
    """
    B = found.shape[1]
    for i in range(sums.shape[0]):
        for second in range(2):  # of a pair of rows
            vector = i % sets * VECTORS + lane % TILES // 2
            b = min(vector, B - 1)  # every lane must come along; those of no vector write nothing
            high = lane % 2 == 0
            share = joined(sums[i, 2 * second], sums[i, 2 * second + 1], high, x_sums[0, b], x_sums[1, b])
            other = bits_as_float(from_lane(float_bits(share), lane ^ 1, room))
            place = row + 2 * (i // sets) + second
            if high and vector < B and place < found.shape[2]:
                found[cuda.blockIdx.y, b, place] = in_units(np.float32(scale * np.float32(share + other)), largest[b])
