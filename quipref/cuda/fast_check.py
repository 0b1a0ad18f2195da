"""Whether the fast kernel can be trusted here: once a process, each kind of it multiplies a small matrix.

The fast kernel leans on instructions that not every device, driver and compiler has, and on where these put numbers in
registers. The kernel to read does not. So their results are compared before the first product of a kind is handed out.
"""

import warnings
from functools import cache

import numpy as np
from numba import cuda

from quipref.cuda.fast_matvec import fast_walks_matvec
from quipref.cuda.matvec import walks_matvec
from quipref.cuda.vocabulary import SIMULATED

SHAPE = (16, 32) if SIMULATED else (272, 592)  # on a device more than one block each way, and the last ones not full
TURNS = 1 if SIMULATED else 16  # every TURNS-th column at a time: of few products a wrong one stands out
ROUNDING = 2.0**-23  # of a sum or product in single precision; tensor cores may cut off where others round
LARGEST = 5.0  # above every value of a computed code, and above 510 / 147.8 more than most of 1MAD's and 2MAD's


def fast_fails(device, B, entries, **how):
    """Why the fast kernel is not to be used for B vectors on the device of that number; None where it is right.

    `entries` are the numbers of the code's table, `how` what describes the walks, as in `fast_walks_matvec`. The first
    time that a kind fails, a warning says so.
    """
    return _compared(device, B, entries, **how)


@cache
def _compared(device, B, entries, **how):
    kind = f"code {how['code']!r}, {how['bits']} bits, {B} vector{'s' * (B > 1)}"
    try:
        off = largest_difference(B, entries, how)
        if off <= tolerance(SHAPE[1] // TURNS):
            return None
        why = f"results are off by {off:.3g}"
    except Exception as error:  # whatever a compiler or a driver may say: the other kernel asks less of both
        why = f"{type(error).__name__}: {' '.join(str(error).split())}"
    warnings.warn(
        f"The fast CUDA kernel ({kind}) must agree with the one to read, but on device {device} it does not: {why}. "
        "The one to read takes its place, slower and right. Please report this, with what `quipref doctor` says.",
        RuntimeWarning,
        stacklevel=2,
    )
    return f"the fast kernel failed its check on this device ({kind}): {why}"


def largest_difference(B, entries, how):
    """Between the two kernels' results, of random walks with a random table."""
    (m, n), rng = SHAPE, np.random.default_rng(0)
    words = rng.integers(0, 2**32, (m * n // 256, 8 * how["bits"]), dtype=np.uint32)
    table = rng.uniform(-LARGEST, LARGEST, entries).astype(np.float16).astype(np.float32)  # what a half holds
    X = (rng.uniform(0.5, 1, (B, n)) * rng.choice([-1, 1], (B, n))).astype(np.float32)
    words, table = cuda.to_device(words), cuda.to_device(table)
    off = []
    for turn in range(TURNS):
        x = cuda.to_device(np.where(np.arange(n) % TURNS == turn, X, np.float32(0)))
        found = [cuda.to_device(np.full((B, m), np.nan, np.float32)) for _ in range(2)]
        for multiply, Y in zip((walks_matvec, fast_walks_matvec), found, strict=True):
            multiply(words, table, x, Y, 1.0, **how)
        first, second = (Y.copy_to_host() for Y in found)
        off.append(np.abs(first - second).max())
    return np.max(off)  # NaN if there is one


def tolerance(n):
    """How far two right results of n products, with |x| <= 1 and |w| <= LARGEST, can be apart; zeros add nothing.

    Each kernel rounds each of n products, n sums and 3 scales by ROUNDING |x| |w| at most; the fast one cuts |x| off
    after 2^-29, and joins digits whose last are as large as 1/32 where |w| may be larger by its mean: another 1/32.
    """
    return n * LARGEST * (2 * (2 * n + 3) * ROUNDING * (1 + 1 / 32) + 2.0**-29)
