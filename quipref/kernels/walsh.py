"""The stages of the fast Walsh-Hadamard transform, three at a time.

A stage reads and writes every number, so what bounds it is the way to memory: three stages are done on eight vectors
while they are in registers, and the next ones while the line, or a strip of up to 64 rows, is still in the cache.
Stages that pair close neighbours happen inside a vector. The order of the stages is the reference's, and with it
every bit of the result.
"""

import numpy as np

from quipref.kernels.jit import jit, jit_in_order
from quipref.kernels.vector import WIDTH, load, stage, store

STRIP = 2**13  # bytes of a row that are taken together, so that 64 rows of them stay near


@jit
def butterfly(x, stride, stop, first, last):
    """Stages stride, 2 stride, ... below stop of lines first..last of x, a contiguous array with one axis.

    A line is what these stages mix: stop / stride numbers, a stride apart.
    Twin of `quipref.incoherence.walsh.butterfly`, which does all lines.
    """
    # a, b <- a + b, a - b, where b stands a stride behind a
    if stride == 1:
        _rows(x, stop, first, last)
    else:
        _columns(x, stop // stride, stride, first, last)


@jit_in_order  # the product that is stored is the product that is added: the two are not fused
def scaled_rows(X, rows, columns, out, stop, first, last):
    """Rows first..last of out (m, n) = diag(rows) X diag(columns), then the stages below `stop` of each.

    Twin of `quipref.incoherence.walsh.scaled_rows`, which does all rows.
    """
    # out_ij = X_ij columns_j rows_i
    n = X.shape[1]
    x = out.reshape(-1)
    for i in range(first, last):
        for j in range(n):
            out[i, j] = X[i, j] * columns[j] * rows[i]
        if stop > 1:
            _rows(x, stop, i * (n // stop), (i + 1) * (n // stop))


@jit
def _rows(x, n, first, last):
    """All stages of rows first..last, of n numbers each."""
    lanes = WIDTH // x.itemsize
    if n >= 8 * lanes:
        for start in range(first * n, last * n, n):
            for i in range(start, start + n, 8 * lanes):
                a, b, c, d, e, f, g, h = _load8(x, i, lanes)
                a, b, c, d = _inside(a, lanes), _inside(b, lanes), _inside(c, lanes), _inside(d, lanes)
                e, f, g, h = _inside(e, lanes), _inside(f, lanes), _inside(g, lanes), _inside(h, lanes)
                _store8(x, i, lanes, *_across(a, b, c, d, e, f, g, h))
            _strips(x, start, n // (8 * lanes), 8 * lanes, 8 * lanes)
        return
    rest = (last - first) * n % lanes  # of rows shorter than a vector
    for i in range(first * n, last * n - rest, lanes):
        store(x, i, _inside(load(x, i), n))
    if n > lanes:
        for start in range(first * n, last * n, n):
            _strips(x, start, n // lanes, lanes, lanes)
    if rest:
        scratch = np.empty(lanes, x.dtype)
        start = last * n - rest
        for j in range(lanes):
            scratch[j] = x[start + j] if j < rest else 0
        store(scratch, 0, _inside(load(scratch, 0), n))
        for j in range(rest):
            x[start + j] = scratch[j]


@jit
def _columns(x, n, stride, first, last):
    """All stages of columns first..last, of n numbers each; `stride` columns stand side by side."""
    lanes = WIDTH // x.itemsize
    scratch = np.empty(64 * lanes, x.dtype)
    c = first
    while c < last:
        start = c // stride * n * stride + c % stride
        width = min(STRIP // x.itemsize, stride - c % stride, last - c)
        whole = width - width % lanes
        h = 1
        while h < n:
            m = min(64, n // h)
            for block in range(0, n, m * h):
                for row in range(block, block + h):
                    i = start + row * stride
                    _strips(x, i, m, h * stride, whole)
                    if whole < width:
                        _narrow_strips(x, i + whole, m, h * stride, width - whole, scratch)
            h *= m
        c += width


@jit
def _narrow_strips(x, start, n, s, width, scratch):
    """`_strips` for less than a vector."""
    lanes = WIDTH // x.itemsize
    for k in range(n):
        for j in range(lanes):
            scratch[k * lanes + j] = x[start + k * s + j] if j < width else 0
    _strips(scratch, 0, n, lanes, lanes)
    for k in range(n):
        for j in range(width):
            x[start + k * s + j] = scratch[k * lanes + j]


@jit
def _strips(x, start, n, s, width):
    """All stages across n strips of whole vectors: x[start : start + width], x[start + s : start + s + width], ..."""
    h = 1
    while h < n:
        radix = min(8, n // h)
        joined = h if width == s else 1  # strips that touch are one
        for block in range(0, n, radix * h):
            for k in range(block, block + h, joined):
                first, last = start + k * s, start + k * s + joined * width
                if radix == 8:
                    _eights(x, first, last, h * s)
                elif radix == 4:
                    _fours(x, first, last, h * s)
                else:
                    _twos(x, first, last, h * s)
        h *= radix


@jit
def _eights(x, first, last, s):
    """Stages s, 2 s and 4 s, from each vector between x[first] and x[last]."""
    for i in range(first, last, WIDTH // x.itemsize):
        a, b, c, d, e, f, g, h = _load8(x, i, s)
        _store8(x, i, s, *_across(a, b, c, d, e, f, g, h))


@jit
def _fours(x, first, last, s):
    """Stages s and 2 s."""
    for i in range(first, last, WIDTH // x.itemsize):
        a, b, c, d = load(x, i), load(x, i + s), load(x, i + 2 * s), load(x, i + 3 * s)
        a, b, c, d = a + b, a - b, c + d, c - d
        store(x, i, a + c)
        store(x, i + s, b + d)
        store(x, i + 2 * s, a - c)
        store(x, i + 3 * s, b - d)


@jit
def _twos(x, first, last, s):
    """Stage s."""
    for i in range(first, last, WIDTH // x.itemsize):
        a, b = load(x, i), load(x, i + s)
        store(x, i, a + b)
        store(x, i + s, a - b)


@jit
def _across(a, b, c, d, e, f, g, h):
    """Three stages across eight vectors."""
    a, b, c, d, e, f, g, h = a + b, a - b, c + d, c - d, e + f, e - f, g + h, g - h
    a, b, c, d, e, f, g, h = a + c, b + d, a - c, b - d, e + g, f + h, e - g, f - h
    return a + e, b + f, c + g, d + h, a - e, b - f, c - g, d - h


@jit
def _inside(v, n):
    """The stages below n inside a vector."""
    if n > 1:
        v = stage(v, 1)
    if n > 2:
        v = stage(v, 2)
    if n > 4:
        v = stage(v, 4)
    if n > 8:
        v = stage(v, 8)
    return v


@jit
def _load8(x, i, s):
    """Eight vectors, s numbers apart."""
    low = load(x, i), load(x, i + s), load(x, i + 2 * s), load(x, i + 3 * s)
    return *low, load(x, i + 4 * s), load(x, i + 5 * s), load(x, i + 6 * s), load(x, i + 7 * s)


@jit
def _store8(x, i, s, a, b, c, d, e, f, g, h):
    """Write them back."""
    store(x, i, a)
    store(x, i + s, b)
    store(x, i + 2 * s, c)
    store(x, i + 3 * s, d)
    store(x, i + 4 * s, e)
    store(x, i + 5 * s, f)
    store(x, i + 6 * s, g)
    store(x, i + 7 * s, h)
