"""A seed and what is drawn from it: a stored rotation is its seed, so the draw must be the same next year.

NumPy promises that of the bits of `PCG64`, not of the methods of `Generator`, whose way from bits to numbers
may change with a version. So all that is drawn here is made from raw 64-bit words. Signs and permutations
are then the same to the bit everywhere; phases and Gaussians up to the last digits in which one machine's
logarithm or cosine differs from another's.

Each purpose has a stream of its own, named in SeedSequence's spawn key: none depends on what else was
drawn, and none is the stream of `default_rng(seed)`, which may have drawn the layer itself.
"""

import numpy as np

from quipref import checks

SEED_BITS = 64


def chosen(seed):
    """The seed as an int of 64 bits; from a Generator one of 63 bits is drawn. There is no default."""
    if seed is None:
        raise ValueError(
            "seed must be given, since what must be undone later is never drawn silently, but None came. "
            "Pass an int, such as seed=0, or a numpy Generator."
        )
    if isinstance(seed, np.random.Generator):
        return int(seed.integers(2**63))
    return checks.integer(seed, "seed", low=0, high=2**SEED_BITS - 1)


def words(seed, purpose, count):
    """`count` raw words (uint64) of the stream that belongs to a purpose, such as "signs"."""
    entropy = np.random.SeedSequence(seed, spawn_key=tuple(purpose.encode()))
    return np.random.PCG64(entropy).random_raw(count)


def signs(seed, purpose, n):
    """n independent signs (int8), -1 for each bit that is set; the lowest bit of a word comes first."""
    bits = words(seed, purpose, -(-n // 64))[:, None] >> np.arange(64, dtype=np.uint64) & np.uint64(1)
    return 1 - 2 * bits.reshape(-1)[:n].astype(np.int8)


def permutation(seed, purpose, n):
    """A uniform permutation: the order of n random words (two are equal with probability below n^2 2^-65)."""
    return np.argsort(words(seed, purpose, n), kind="stable")


def uniform(seed, purpose, n):
    """n independent numbers, uniform on the multiples of 2^-53 in [0, 1)."""
    return (words(seed, purpose, n) >> np.uint64(11)) * 2.0**-53


def gaussian(seed, purpose, shape):
    """Independent standard normal numbers by Box and Muller: sqrt(-2 log(1 - u)) cos(2 pi v)."""
    u, v = uniform(seed, purpose, 2 * int(np.prod(shape))).reshape(2, *shape)
    return np.sqrt(-2 * np.log1p(-u)) * np.cos(2 * np.pi * v)
