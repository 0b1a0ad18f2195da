"""The fast Walsh-Hadamard transform on a CUDA device, and what stands around it: scales, and small dense factors.

A stage reads and writes every number, so what bounds it is the way to memory. A block takes a tile of numbers into
shared memory, does there all stages that pair numbers of the tile, and writes it back: a line of up to `TILE` numbers
goes there and back once. The rest of a longer line pairs numbers that are `TILE` or more apart. For these stages a
tile has fewer numbers of each line, and of `COLUMNS` neighbouring lines, so that 32 threads read 128 bytes in a row.
"""

from functools import lru_cache

import numpy as np
from numba import cuda, float32

from quipref.cuda.vocabulary import SIMULATED

TILE = 4096  # numbers, 16 KB: a multiprocessor holds several such blocks
COLUMNS = 32
THREADS = 16 if SIMULATED else 256  # of a block; a thread of the simulator is one of the machine's own
BLOCKS = 4 if SIMULATED else 4096  # at most: kernels stride over what is left


def butterfly(x, stride, stop, tile=TILE):
    """Stages stride, 2 stride, ... below stop of x, a contiguous float32 array with one axis on the device.

    Twin of `quipref.incoherence.walsh.butterfly`, equal to the bit. `tile` is the numbers of a tile, a power of two.
    """
    while stride < stop and x.size:
        columns = 1 if stride == 1 else min(COLUMNS, tile // 2)
        n = min(stop // stride, tile // columns)  # of a line
        rows = n * min(tile // n, x.size // n) if stride == 1 else n  # short lines that lie end to end share a tile
        tiles = -(-x.size // (rows * stride)) * -(-stride // columns)
        _stages(tile)[min(tiles, BLOCKS), THREADS](x, stride, n, rows, columns.bit_length() - 1)
        stride *= n


@lru_cache(maxsize=4)
def _stages(size):
    """The kernel of some stages whose tile has that many numbers."""

    @cuda.jit
    def stages(x, stride, n, rows, shift):
        """Stages from `stride` to below n stride; a tile is `rows` numbers, `stride` apart, of 2^shift lines each."""
        tile = cuda.shared.array(size, float32)
        columns = 1 << shift
        across = (stride + columns - 1) // columns
        tiles = (x.size + rows * stride - 1) // (rows * stride) * across
        for t in range(cuda.blockIdx.x, tiles, cuda.gridDim.x):
            left = t % across * columns
            start = t // across * rows * stride + left
            for i in range(cuda.threadIdx.x, rows * columns, THREADS):
                row, column = i >> shift, i & (columns - 1)
                inside = left + column < stride and start + row * stride + column < x.size
                tile[i] = x[start + row * stride + column] if inside else np.float32(0)
            cuda.syncthreads()
            h = columns
            while h < n * columns:
                # a, b <- a + b, a - b, where b stands h behind a: pair p has p % h numbers of its piece before it
                for p in range(cuda.threadIdx.x, rows * columns // 2, THREADS):
                    i = 2 * p - (p & (h - 1))
                    a, b = tile[i], tile[i + h]
                    tile[i], tile[i + h] = a + b, a - b
                cuda.syncthreads()
                h *= 2
            for i in range(cuda.threadIdx.x, rows * columns, THREADS):
                row, column = i >> shift, i & (columns - 1)
                if left + column < stride and start + row * stride + column < x.size:
                    x[start + row * stride + column] = tile[i]
            cuda.syncthreads()

    return stages


def scaled_rows(X, rows, columns, out, stop):
    """out = diag(rows) X diag(columns), and the stages below `stop` in each row; all on the device, float32.

    X and out (m, n), which may be the same; rows (m,); columns (n,).
    Twin of `quipref.incoherence.walsh.scaled_rows`, equal to the bit.
    """
    if X.size:
        _scaled[_over_matrix(*X.shape), THREADS](X, rows, columns, out)
        butterfly(out.reshape(out.size), 1, stop)


@cuda.jit
def _scaled(X, rows, columns, out):
    """Out = diag(rows) X diag(columns)."""
    m, n = X.shape
    for i in range(cuda.blockIdx.y, m, cuda.gridDim.y):
        for j in range(cuda.grid(1), n, cuda.gridsize(1)):
            # out_ij = X_ij columns_j rows_i
            out[i, j] = X[i, j] * columns[j] * rows[i]


def dense_factor(H, Y, out, transpose):
    """H Y, or H^T Y, along the middle axis of Y (L, K, r) float32, written to out; H (K, K), as a rule of +-1.

    Twin of `quipref.incoherence.factors.Dense.transform`: a sum of K numbers in their order, which BLAS has in another.
    """
    L, K, r = Y.shape
    if Y.size:
        _dense[_over_matrix(L * K, r), THREADS](H, Y, out, transpose)


@cuda.jit
def _dense(H, Y, out, transpose):
    """One thread a number of out at a time."""
    L, K, r = Y.shape
    for row in range(cuda.blockIdx.y, L * K, cuda.gridDim.y):
        line, i = row // K, row % K
        for j in range(cuda.grid(1), r, cuda.gridsize(1)):
            # out_lij = sum_k H_ik Y_lkj
            total = np.float32(0)
            for k in range(K):
                total += np.float32(H[k, i] if transpose else H[i, k]) * Y[line, k, j]
            out[line, i, j] = total


def _over_matrix(m, n):
    """A grid for a matrix: blocks side by side along a row, and rows below each other."""
    return min(-(-n // THREADS), BLOCKS), min(m, BLOCKS)


def unnormalised(Y, factors, axis, transpose):
    """H Y or H^T Y along an axis of Y (m, n) float32, which is overwritten; the result may be another array.

    `factors` are those of H from the slowest axis to the fastest: an order for Sylvester's matrix, or a matrix on the
    device. Twin of `quipref.HadamardPlan.unnormalised`.
    """
    (m, n), faster = Y.shape, 1 if axis else Y.shape[1]
    for factor in reversed(factors):
        if isinstance(factor, int):
            butterfly(Y.reshape(m * n), faster, faster * factor)
            faster *= factor
        else:
            K = factor.shape[0]
            shape, out = (m * n // (K * faster), K, faster), cuda.device_array((m, n), np.float32)
            dense_factor(factor, Y.reshape(shape), out.reshape(shape), transpose)
            Y, faster = out, K * faster
    return Y
