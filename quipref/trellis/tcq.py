"""Trellis-coded quantization as Marcellin and Fischer invented it: a doubled alphabet, its four subsets, a trellis.

The 2^(R+1) levels are dealt out in turn to the subsets D0, D1, D2, D3. Each step of a walk through Ungerboeck's
trellis names a subset with one bit, and R - 1 bits name a level in it: R bits a weight, and a choice among twice as
many levels.

Ungerboeck gives his codes as parity checks, h1(D) z1 + h0(D) z0 = 0 for the bits (z1, z0) of the subset's number.
The sequences that pass are z1 = h0(D) u, z0 = h1(D) u for a free bit stream u (h0 and h1 have no common
factor), so the trellis is a bit-shift trellis after all: its states are the windows of nu + 1 bits of u.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from quipref import checks
from quipref.gaussian import lloyd_max
from quipref.incoherence import seeds
from quipref.trellis.bitshift import LARGEST_STATE_BITS, BitshiftTrellis

# (h1, h0) of the codes for amplitude modulation, in octal, by states 2^nu; bit i is the coefficient of D^i.
# G. Ungerboeck, Channel coding with multilevel/phase signals, IEEE Trans. Inf. Theory 28, 1982, table I.
PARITY_CHECKS = {
    4: (0o2, 0o5),
    8: (0o04, 0o13),
    16: (0o04, 0o23),
    32: (0o10, 0o45),
    64: (0o024, 0o103),
    128: (0o126, 0o235),
    256: (0o362, 0o515),
}
TRAINING_ROUNDS = 30
ENOUGH = 1e-4  # training ends when a round improves the error by less than this share


@dataclass(frozen=True, eq=False)
class TrellisCodedQuantizer:
    """R bits a weight through a trellis of 2^nu states, over an alphabet of 2^(R+1) levels.

    Attributes
    ----------
    bits : int
        R, from 1 to 8.
    n_states : int
        4, 8, 16, 32, 64, 128 or 256.
    levels : array (2^(R+1),), float64
        Ascending; level i belongs to subset D(i mod 4).
    """

    bits: int
    n_states: int
    levels: NDArray[np.float64]

    @property
    def memory(self) -> int:
        """Nu, the bits of the stream that the trellis remembers."""
        return self.n_states.bit_length() - 1

    @property
    def trellis(self) -> BitshiftTrellis:
        """The windows of nu + 1 bits of the stream u, the newest bit lowest: 2^nu states with both their edges."""
        return BitshiftTrellis(self.memory + 1, 1)

    @property
    def subsets(self) -> NDArray[np.intp]:
        """The number 2 z1 + z0 of the subset at each window, (2^(nu+1),)."""
        h1, h0 = PARITY_CHECKS[self.n_states]
        windows = np.arange(2 * self.n_states)
        return (2 * (np.bitwise_count(windows & h0) & 1) + (np.bitwise_count(windows & h1) & 1)).astype(np.intp)

    def storage_bits(self, n_weights: int) -> int:
        """R T + nu: a walk starts anywhere, and the decoder must be told where."""
        return self.bits * checks.integer(n_weights, "n_weights", low=1) + self.memory

    def quantize(self, X: ArrayLike) -> tuple[NDArray[np.int32], NDArray[np.intp], NDArray[np.float64]]:
        """The best walk for each sequence, the levels on it and their values.

        Parameters
        ----------
        X : array (B, T), real float

        Returns
        -------
        windows : array (B, T), int32
            A walk of `trellis`.
        indices : array (B, T)
            Of the levels, each in the subset of its window.
        X_hat : array (B, T), float64

        Raises
        ------
        ValueError, TypeError
            Another shape, or not finite.

        Notes
        -----
        Levels of one subset share an edge, so the nearest of each subset is found first, and the walk decides among
        four errors a weight.
        """
        X = checks.real_array(X, "X", ndim=2).astype(np.float64)
        nearest = np.empty((4, *X.shape), np.intp)
        for j in range(4):
            members = self.levels[j::4]
            nearest[j] = 4 * np.searchsorted((members[1:] + members[:-1]) / 2, X) + j
        windows = best_walks(np.square(X - self.levels[nearest]), self.subsets)
        indices = np.take_along_axis(nearest, self.subsets[windows][None], axis=0)[0]
        return windows, indices, self.levels[indices]

    def as_table(self) -> tuple[NDArray[np.float32], BitshiftTrellis]:
        """The same code as a value table on a bit-shift trellis of R bits a weight, as QTIP has it.

        Returns
        -------
        table : array (2^L, 1), float32
            L = R nu + 1.
        trellis : BitshiftTrellis

        Raises
        ------
        ValueError
            R nu + 1 > 20: too many states for the table.

        Notes
        -----
        The R new bits of a step are R - 1 for the level in its subset, above one for the stream u. So u_(t-i) is bit
        R i of the state, and the oldest step is remembered by that bit alone. A search over this table does more than
        it must, since it keeps levels that no later step looks at.
        """
        R, nu = self.bits, self.memory
        if R * nu + 1 > LARGEST_STATE_BITS:
            raise ValueError(
                f"bits * log2(n_states) must be below {LARGEST_STATE_BITS} for a table, but it is {R} * {nu}. "
                "Use quantize, which needs no table, or take fewer states."
            )
        trellis = BitshiftTrellis(R * nu + 1, R)
        states = np.arange(trellis.n_states)
        windows = sum((states >> R * i & 1) << i for i in range(nu + 1))
        members = states >> 1 & (1 << R - 1) - 1
        return self.levels[4 * members + self.subsets[windows]].astype(np.float32)[:, None], trellis


def marcellin_fischer(
    bits: int, n_states: int, *, seed: int | np.random.Generator, n_sequences: int = 64, n_weights: int = 1024
) -> TrellisCodedQuantizer:
    """Train the levels of a trellis-coded quantizer on N(0, 1).

    Walks are the best for the levels, levels the means of what is rounded to them; in turn.

    Parameters
    ----------
    bits : int
        R, from 1 to 8.
    n_states : int
        4, 8, 16, 32, 64, 128 or 256.
    seed : int or numpy.random.Generator
        Of the training sequences.
    n_sequences, n_weights : int
        Training sequences, and the weights of each.

    Returns
    -------
    TrellisCodedQuantizer

    Raises
    ------
    ValueError, TypeError
        A number out of range, or no seed.

    Notes
    -----
    It starts from the Lloyd-Max levels of R + 1 bits, and ends when a round improves the error by less than 0.01 %,
    after 30 rounds at the latest. The error on the training sequences never grows; their own is not the source's, so
    measure on others.

    References
    ----------
    M. W. Marcellin and T. R. Fischer, Trellis coded quantization of memoryless and Gauss-Markov sources, IEEE Trans.
    Comm. 38, 1990.

    Examples
    --------
    >>> code = marcellin_fischer(2, 8, seed=0, n_sequences=16, n_weights=256)
    >>> X = np.random.default_rng(1).standard_normal((16, 256))
    >>> bool(np.square(X - code.quantize(X)[2]).mean() < lloyd_max(4).mse)
    True
    """
    R = checks.integer(bits, "bits", low=1, high=8)
    if checks.integer(n_states, "n_states") not in PARITY_CHECKS:
        raise ValueError(f"n_states must be one of {sorted(PARITY_CHECKS)}, but {n_states} came.")
    shape = (checks.integer(n_sequences, "n_sequences", low=1), checks.integer(n_weights, "n_weights", low=1))
    X = np.random.default_rng(seeds.chosen(seed)).standard_normal(shape)
    code, error = TrellisCodedQuantizer(R, int(n_states), lloyd_max(2 ** (R + 1)).levels), np.inf
    for _ in range(TRAINING_ROUNDS):
        _, indices, X_hat = code.quantize(X)
        error, before = np.square(X - X_hat).mean(), error
        if error > (1 - ENOUGH) * before:
            break
        code = replace(code, levels=centroids(X, indices, code.levels))
    return code


def centroids(X, indices, levels):
    """The mean of what is rounded to each level; a level that nothing is rounded to stays where it is."""
    count, total = (np.bincount(indices.ravel(), weights, len(levels)) for weights in (None, X.ravel()))
    return np.where(count > 0, total / np.maximum(count, 1), levels)


def best_walks(errors, subsets):
    """The walk (B, T) of least total error for each sequence, where window s costs errors[subsets[s], b, t].

    cost_t(s) = errors_t(subset of s) + min_c cost_(t-1)(c 2^nu + floor(s / 2)), ties to c = 0
    """
    _, n_sequences, n_steps = errors.shape
    if not n_steps:
        return np.empty((n_sequences, 0), np.int32)
    half = len(subsets) // 2
    cost = errors[subsets, :, 0]
    came_from = np.empty((n_steps, half, n_sequences), bool)  # the oldest bit of the better predecessor, by s // 2
    for t in range(1, n_steps):
        came_from[t] = cost[half:] < cost[:half]
        best = np.where(came_from[t], cost[half:], cost[:half])
        cost = np.repeat(best, 2, axis=0) + errors[subsets, :, t]
    windows = np.empty((n_sequences, n_steps), np.int32)
    windows[:, -1] = cost.argmin(axis=0)
    for t in range(n_steps - 1, 0, -1):
        kept = windows[:, t] >> 1
        windows[:, t - 1] = kept + half * came_from[t, kept, np.arange(n_sequences)]
    return windows
