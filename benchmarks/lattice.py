"""QuIP#'s codebooks, and a whole layer quantized with them."""

import subprocess
import sys
from functools import partial

import numpy as np
from timing import least

import quipref as q
from quipref.lattice import e8p

VECTORS = 2**16  # half a million weights at a time: two megabytes, as much as the processor keeps close
AT_A_TIME = 50  # decodings: one takes a fifth of a millisecond, too little after a rest


def vectors():
    """Gaussian vectors of eight, of the size at which QuIP# rounds them."""
    return 1.03 * np.random.default_rng(0).standard_normal((VECTORS, 8), dtype=np.float32)


def search_rate(_, repeats):
    """Millions of weights a second of `e8p.quantize` on one thread: the nearest points, and their values."""
    X = vectors()
    (seconds,) = least([lambda: e8p.quantize(X, threads=1)], 4 * repeats)
    return X.size / seconds / 1e6


def residual_rate(_, repeats, bits):
    """The same of `ResidualQuantizer`."""
    T, rounder = vectors(), q.ResidualQuantizer(bits, threads=1)
    (seconds,) = least([lambda: rounder.quantize(T)], 4 * repeats)
    return T.size / seconds / 1e6


def search_in_plain_numpy(_, repeats):
    """The reference, which tries all patterns, divided by the kernel; on one thread."""
    X = vectors()[: VECTORS // 16]
    every, sorted_kinds = least(
        [partial(e8p.quantize, X, backend=name, threads=1) for name in ("numpy", "numba")], repeats
    )
    return every / sorted_kinds


def decode_rate(_, repeats):
    """Billions of weights a second of `e8p.decode` on one thread."""
    codes = np.random.default_rng(0).integers(0, 2**16, VECTORS).astype(np.uint16)

    def decodings():
        for _ in range(AT_A_TIME):  # none is kept, so that all write to the same memory
            e8p.decode(codes, threads=1)

    (seconds,) = least([decodings], 4 * repeats)
    return 8 * AT_A_TIME * VECTORS / seconds / 1e9


LAYER = """
import sys, time
import numpy as np, quipref as q

n, bits = int(sys.argv[1]), int(sys.argv[2])
rng = np.random.default_rng(0)
W = rng.standard_normal((n, n), dtype=np.float32)
X = rng.standard_normal((n // 4, n), dtype=np.float32)
H = X.T @ X / len(X)
q.quantize(W[:512, :512], H[:512, :512], method="quip#", bits=bits)  # compiled code and libraries are loaded now
started = time.perf_counter()
q.quantize(W, H, method="quip#", bits=bits)
print(time.perf_counter() - started)
"""


def layer_seconds(n, repeats, bits):
    """Seconds of an n x n layer, without coordinate passes; once, in a fresh process."""
    done = subprocess.run([sys.executable, "-c", LAYER, str(n), str(bits)], capture_output=True, check=True, text=True)
    return float(done.stdout)


CASES = (
    ("E8P, millions of weights a second and core", search_rate, 0, "at least 100"),
    ("E8P, all patterns in NumPy / the kernel", search_in_plain_numpy, 0, "-"),
    ("residual codes of 3 bits, the same", partial(residual_rate, bits=3), 0, "-"),
    ("residual codes of 4 bits, the same", partial(residual_rate, bits=4), 0, "-"),
    ("E8P decoded, billions of weights a second and core", decode_rate, 0, "at least 1.5"),
    ("quip# at 2 bits, seconds a layer", partial(layer_seconds, bits=2), 4096, "at most 5"),
    ("quip# at 4 bits, seconds a layer", partial(layer_seconds, bits=4), 4096, "-"),
)
