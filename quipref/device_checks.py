"""Right or wrong: what the CUDA kernels make of random bits, against the CPU. For `quipref bench --cuda`."""

from functools import partial

import numpy as np

from quipref import device_codes
from quipref.lattice.e8p import E8PQuantizer
from quipref.lattice.residual import ResidualQuantizer
from quipref.trellis import codes as trellis_codes
from quipref.trellis.bitshift import BitshiftTrellis
from quipref.trellis.tiles import TrellisQuantizer

CODES = (*device_codes.COMPUTED, "hyb", "lut", "quip#")
BITS, LATTICE_BITS = (1, 8), (2, 4)  # a weight, at least and at most: of walks, of quip#
STATE_BITS, TABLE_BITS, SCALE = 16, 9, 0.37
ENDS = 256  # rows at the top and at the bottom that are compared
TERMS = 64  # numbers of x that are not 0 when results are compared: of few products a wrong one stands out
ROUNDING = 2.0**-23  # of a sum or product in single precision; tensor cores may cut off where others round
BEYOND = {"1mad": 510 / 147.8, "2mad": 510 / 147.8, "quip#": 2 * 2.75}  # the mean of the bytes; two points of E8P
FLOAT = 4  # bytes
SMALLER = "Pass smaller --shapes."


def bits_of(code):
    """The least and the most bits a weight of a code."""
    return LATTICE_BITS if code == "quip#" else BITS


def quantizer_of(code, bits):
    """(the CPU's quantizer, the options that name its code)."""
    if code == "quip#":
        return (E8PQuantizer(SCALE) if bits == 2 else ResidualQuantizer(bits, scale=SCALE)), {}
    if code == "hyb":
        pairs = np.random.default_rng(0).standard_normal((2**TABLE_BITS, 2)).astype(np.float16)
        table = trellis_codes.hyb(pairs.astype(np.float32), STATE_BITS)
    elif code == "lut":
        table = trellis_codes.gaussian(STATE_BITS, seed=0)
    else:
        table = device_codes.COMPUTED[code](STATE_BITS)
    trellis = BitshiftTrellis(STATE_BITS, bits, table.shape[1])
    return TrellisQuantizer(table, trellis, scale=SCALE), {"code": code, "table_bits": TABLE_BITS}


def matrix(device, code, bits, shape, seed):
    """(quantizer, codes of random bits, the same on the device)."""
    round_to, options = quantizer_of(code, bits)
    (m, n), rng = shape, np.random.default_rng(seed)
    if code == "quip#" and bits > 2:  # two for eight weights, 16 bits high and 16 or 8 low
        words = rng.integers(0, 2**32, (m, n // 8), np.uint32) & np.uint32(0xFFFFFFFF if bits == 4 else 0xFFFF00FF)
    else:
        words = rng.integers(0, 2**16, (m, n * bits // 16), np.uint16)
    device.check_room(words.nbytes, f"{code} {m} x {n}", SMALLER)
    return round_to, words, device_codes.on_device(device, round_to, words, options)


def check(device, code, bits, shape, batch):
    """Records of what decodes and what multiplies, against the CPU."""
    round_to, words, there = matrix(device, code, bits, shape, seed=0)
    (m, n), about = shape, {"code": code, "bits": bits, "shape": list(shape), "batch": batch, "not_fast": there.why}
    ends = [slice(0, m)] if m <= 2 * ENDS else [slice(0, ENDS), slice(m - ENDS, m)]
    W, X = np.concatenate([round_to.decode(words[rows]) for rows in ends]), sparse_vectors(batch, n)
    exact, allowed = X.astype(np.float64) @ W.T, tolerance(X, W, code)
    x = device.put(X)

    def decoded():
        device.check_room(FLOAT * m * n, f"decoded {m}x{n}", SMALLER)
        out = device.empty(shape)
        there.decode(out)
        return np.concatenate([out[rows].copy_to_host() for rows in ends])

    def product(kernel):
        Y = device.put(np.full((batch, m), np.nan, np.float32))
        there.multiply_with(kernel, x, Y)
        return np.concatenate([Y.copy_to_host()[:, rows] for rows in ends], axis=1)

    found = [compared("decode", decoded, W.astype(np.float32), 0.0)]
    found += [compared(kernel, partial(product, kernel), exact, allowed) for kernel in kernels_of(there)]
    return [about | each for each in found]


def kernels_of(there):
    """The kernels that take these codes."""
    return ("teaching", "fast") if there.kernel == "fast" else ("teaching",)


def sparse_vectors(batch, n):
    """X (batch, n) with at most TERMS numbers in a row that are not 0, from 1/2 to 1 in size."""
    rng = np.random.default_rng(1)
    X = np.zeros((batch, n), np.float32)
    for x in X:
        there = rng.choice(n, min(n, TERMS), replace=False)
        x[there] = rng.uniform(0.5, 1, len(there)) * rng.choice([-1, 1], len(there))
    return X


def tolerance(X, W, code):
    """How far a right result can be from the exact one.

    Every product and every sum rounds by ROUNDING |x| |w| at most, and so do 3 scales and a sum of two points. The fast
    kernel cuts x off at 2^-29, and joins digits of up to 1/32, where |w| is larger by a mean.
    """
    terms, size, some = min(X.shape[1], TERMS), np.abs(W).T, (X != 0).astype(np.float64)
    larger = size + SCALE * BEYOND.get(code, 0.0)
    return (2 * terms + 6) * ROUNDING * (np.abs(X) @ size + some @ larger / 32) + 2.0**-29 * some @ size


def compared(kernel, task, expected, allowed):
    """What is said of the array that task() returns, where NaN passes nothing, or of the error that it raises."""
    said = {"kernel": kernel, "passed": False, "off": None, "allowed": float(np.max(allowed)), "error": None}
    try:
        off = np.abs(task() - expected)
    except MemoryError:
        raise
    except Exception as error:  # of a compiler or a driver: to be told, like a wrong number
        return said | {"error": f"{type(error).__name__}: {' '.join(str(error).split())}"}
    finite = np.isfinite(off).all()
    return said | {"passed": bool((off <= allowed).all()), "off": float(off.max()) if finite else None}
