"""Mistakes that somebody could make in E8, its dither, block LDLQ and the bounds on what it loses."""

import numpy as np
from teeth.patches import scaled

from quipref import E8Lattice, bounds
from quipref.lattice import e8

E8, DITHER, FACTOR = "quipref.lattice.e8", "quipref.lattice.dither", "quipref.factor:block_ldl"
ROUNDERS_FACTOR = "quipref.rounding.ldlq:block_ldl"


def every_nearest(faulty):
    """A faulty search for the nearest point of E8, wherever one is searched for."""
    return dict.fromkeys((f"{E8}:_nearest", f"{E8}:nearest", f"{DITHER}:nearest"), lambda _: faulty)


def first_moves(X):
    """D8 that moves the first coordinate, not the worst."""
    z = np.floor(X + 0.5)
    odd = z.sum(axis=-1) % 2 == 1
    z[..., 0] += odd * np.where(X[..., 0] >= z[..., 0], 1, -1)
    return z


def cube(shape, rng):
    """A dither from the cube [0, 1)^8: of the right volume, but no set of representatives."""
    x = np.random.default_rng(rng).random((*shape, 8))
    return x - e8.nearest(x)


def kept(quantize):
    """A dither that is put on and not taken off."""

    def faulty(self, T, rng=None):
        codes, T_hat = quantize(self, T, rng)
        return codes, self.scale * codes / 2 if self.dithered else T_hat

    return faulty


def scalar_feedback(block_ldl):
    """The scalar factor's U, cut to blocks and not divided by its triangles."""

    def faulty(H, block):
        U, D = block_ldl(H, block)
        blocks = np.arange(len(H)) // block
        return block_ldl(H, 1)[0] * (blocks[:, None] < blocks), D

    return faulty


def blocks_of_h(block_ldl):
    """The diagonal blocks of H in the place of D."""

    def faulty(H, block):
        blocks = range(0, len(H), block)
        return block_ldl(H, block)[0], np.stack([H[i : i + block, i : i + block] for i in blocks])

    return faulty


BUGS = {
    "e8: sums of either parity": {
        f"{E8}:contains": lambda _: lambda X: (X % 1 == 0).all(-1) | (X % 1 == 0.5).all(-1),
    },
    "e8: no halves inside": {f"{E8}:contains": lambda inside: lambda X: inside(X) & (X % 1 == 0).all(-1)},
    "e8: integers and halves mixed": {
        f"{E8}:contains": lambda _: lambda X: (2 * X % 1 == 0).all(-1) & (X.sum(-1) % 2 == 0)
    },
    "e8: twice the volume": {f"{E8}:VOLUME": lambda volume: 2 * volume},
    "e8: a packing radius of 1/2": {f"{E8}:PACKING_RADIUS": lambda _: 0.5},
    "e8: shells without halves": {f"{E8}:shell": lambda shell: lambda N: shell(N)[(shell(N) % 1 == 0).all(-1)]},
    "e8: squares of the divisors": {
        f"{E8}:shell_size": lambda _: lambda N: 240 * sum(d**2 for d in range(1, N // 2 + 1) if N // 2 % d == 0) or 1,
    },
    "e8: nearest in D8 alone": every_nearest(e8.nearest_d8),
    "e8: nearest in D8 + 1/2 alone": every_nearest(lambda X: e8.nearest_d8(X - 0.5) + 0.5),
    "e8: odd sums let pass": {f"{E8}:_nearest_d8": lambda _: lambda X: np.floor(X + 0.5)},
    "e8: the first coordinate moves": {f"{E8}:_nearest_d8": lambda _: first_moves},
    "e8: the second moment of the integers": {f"{E8}:SECOND_MOMENT": lambda _: 1 / 12},
    "e8: the second moment of D4": {f"{E8}:SECOND_MOMENT": lambda _: 0.0766032},
    "e8: decibels of amplitudes": {f"{E8}:granular_gain": lambda gain: lambda G: 2 * gain(G)},
    "dither: over the cube of side 1": {f"{DITHER}:voronoi_points": lambda _: cube},
    "dither: none": {f"{DITHER}:voronoi_points": lambda _: lambda shape, rng: np.zeros((*shape, 8))},
    "dither: left on": {f"{DITHER}:E8Lattice.quantize": kept},
    "e8p: all of the lattice": {
        "quipref.lattice.e8p:E8PQuantizer.quantize": lambda _: lambda self, T, rng=None: E8Lattice().quantize(T),
    },
    "block_ldl: blocks of H for D": {FACTOR: blocks_of_h},
    "block_ldl: triangles not divided out": {ROUNDERS_FACTOR: scalar_feedback},
    "bounds: columns counted for blocks": {
        "quipref.bounds:block_incoherent_trace": lambda _: lambda mu, n, g, t: bounds.incoherent_trace(mu, n, t),
    },
    "bounds: half of the blocks' norm": scaled("block_root_trace", 1 / 2),
    "bounds: sigma, not its square": {"quipref.bounds:block_loss": lambda loss: lambda m, s, t: loss(m, s**0.5, t)},
    "bounds: an eighth of m sigma^2 tr D": scaled("block_loss", 1 / 8),
    "bounds: twice m sigma^2 tr D": scaled("block_loss", 2),
    "bounds: half without feedback": scaled("aligned_block_loss", 1 / 2),
    "bounds: g for the number of blocks": {
        "quipref.bounds:aligned_block_loss": lambda _: lambda m, n, g, s, t: g * bounds.independent_block_loss(m, s, t),
    },
    "bounds: g also where blocks are independent": scaled("independent_block_loss", 8),
}
