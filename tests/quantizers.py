"""Quantizers that tests hand to `round_to`: one without a compiled form, and two that round blocks."""

import numpy as np


class Plain:
    """A grid without `affine`: the blocked loop must go through `quantize`, and the kernel is not used."""

    block = 1

    def __init__(self, grid):
        self.grid = grid

    def quantize(self, T, rng=None):
        return self.grid.quantize(T, rng)

    def decode(self, codes):
        return self.grid.decode(codes)


class Doubled:
    """Eight weights together: integers of even sum; where the sum is odd, the worst coordinate moves. One code each."""

    block = 8
    bits = None

    def quantize(self, T, rng=None):
        z = np.floor(T + 0.5)
        worst = np.argmax(np.abs(T - z), axis=1)
        odd = np.flatnonzero(z.sum(axis=1) % 2)
        up = T[odd, worst[odd]] >= z[odd, worst[odd]]
        z[odd, worst[odd]] += np.where(up, 1, -1)
        return z.astype(np.int64), z

    def decode(self, codes):
        return codes.astype(np.float64)


class OneCodeABlock(Doubled):
    """The first weight of each four, for all four: its one code covers the block."""

    block = 4

    def quantize(self, T, rng=None):
        z = np.floor(T[:, :1] + 0.5)
        return z.astype(np.int64), np.repeat(z, 4, axis=1)

    def decode(self, codes):
        return np.repeat(codes.astype(np.float64), 4, axis=1)
