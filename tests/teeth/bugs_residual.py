"""Mistakes that somebody could make in the codebook of one bit a weight and in residual codes."""

import numpy as np

ONE_BIT, RESIDUAL, SCALES = "quipref.lattice.one_bit", "quipref.lattice.residual", "quipref.lattice.scales"
QUANTIZER = f"{RESIDUAL}:ResidualQuantizer"


def with_row(row, change):
    """Patches after which one row of the table is another vector."""

    def faulty(points):
        table = points().copy()
        table[row] = change(table[row])
        return lambda: table

    return {f"{ONE_BIT}:points": faulty}


def search(change):
    """Patches after which the search is told something else."""
    return {f"{ONE_BIT}:nearest_roots": lambda before: lambda X, *rest: before(np.ascontiguousarray(change(X)), *rest)}


def weights(change):
    """Patches after which two points make other weights."""
    return {f"{QUANTIZER}._weights": lambda before: lambda self, q_1, q_2: before(self, *change(self, q_1, q_2))}


def quantized(change):
    """Patches after which what `quantize` returns is changed: (codes, T_hat, T) to (codes, T_hat)."""
    return {f"{QUANTIZER}.quantize": lambda before: lambda self, T, rng=None: change(*before(self, T), T)}


def scaled_patterns(first, last, factor):
    """Patches after which the search takes some patterns for others, of another norm."""

    def faulty(patterns):
        table = patterns().copy()
        table[first:last] *= factor
        return lambda: table

    return {f"{ONE_BIT}:patterns": faulty}


BUGS = {
    "one bit: -2 e_8 instead of 2 e_8": with_row(248, lambda v: 0 - v),
    "one bit: a root twice": with_row(0, np.flip),
    "one bit: the origin is a root": with_row(56, lambda v: v + np.eye(8)[0]),
    "one bit: halves with any signs": {f"{ONE_BIT}:HALVES": lambda _: 0},
    "one bit: -2 e_8 is found": {f"{ONE_BIT}:FIRST_TWO": lambda _: 29},
    "one bit: signs are lost": search(np.abs),
    "one bit: coordinates the wrong way round": search(lambda X: X[:, ::-1]),
    "one bit: twos are never the best": scaled_patterns(30, 38, 10),
    "one bit: pairs of another size": scaled_patterns(1, 29, 1.1),
    "residual: the second point is not divided": weights(lambda self, q_1, q_2: (q_1, self.residual_scale * q_2)),
    "residual: the second point is taken off": weights(lambda self, q_1, q_2: (q_1, -q_2)),
    "residual: the second point is forgotten": weights(lambda self, q_1, q_2: (q_1, 0 * q_2)),
    "residual: the second code comes first": quantized(lambda codes, T_hat, T: (codes << 16 | codes >> 16, T_hat)),
    "residual: nothing is lost": quantized(lambda codes, T_hat, T: (codes, T)),
    "residual: the remainder is not magnified": {
        f"{RESIDUAL}:FAR": lambda _: np.float32(0.1),
    },
    "residual: the scales of four bits for three": {
        f"{RESIDUAL}:RESIDUAL_SCALES": lambda scales: scales | {3: scales[4]},
    },
    "residual: the best scales for the authors'": {
        f"{SCALES}:SOURCE_SCALES": lambda scales: scales | {4: 0.9},
        f"{RESIDUAL}:RESIDUAL_SCALES": lambda scales: scales | {4: 3.8},
    },
}
