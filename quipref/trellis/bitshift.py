"""The bit-shift trellis of QTIP: states are windows of a bit stream, and a walk through it needs no table."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from quipref import checks

LARGEST_STATE_BITS = 20


@dataclass(frozen=True)
class BitshiftTrellis:
    """The trellis whose states are the L-bit windows of a bit stream that moves on by kV bits a step.

    s -> (s 2^(kV) mod 2^L) + c for 0 <= c < 2^(kV): the oldest kV bits leave at the top, kV new ones enter below.

    Attributes
    ----------
    state_bits : int
        L, from 1 to 20: there are 2^L states.
    bits_per_weight : int
        k, at least 1, with kV <= L.
    values_per_step : int
        V, at least 1: the weights that a state stands for, so that T weights are T / V steps.

    Raises
    ------
    ValueError, TypeError
        From the constructor, for numbers that are no integers or outside these ranges.

    Notes
    -----
    In arrays of states the last axis is time. With kV = L every state may follow every other: no memory is left.

    References
    ----------
    QTIP, arXiv:2406.11235, section 3.1 and figure 2.

    Examples
    --------
    >>> trellis = BitshiftTrellis(state_bits=2, bits_per_weight=1)
    >>> trellis.successors([0b01, 0b11])
    array([[2, 3],
           [2, 3]], dtype=int32)
    >>> walk = [0b00, 0b01, 0b10, 0b01, 0b11, 0b10]  # the stream 0010110, two bits at a time
    >>> bool(trellis.is_walk(walk)), bool(trellis.is_tail_biting(walk))
    (True, True)
    >>> trellis.storage_bits(6, tail_biting=False), trellis.storage_bits(6)
    (7, 6)
    """

    state_bits: int
    bits_per_weight: int
    values_per_step: int = 1

    def __post_init__(self) -> None:
        L = checks.integer(self.state_bits, "state_bits", low=1, high=LARGEST_STATE_BITS)
        k = checks.integer(self.bits_per_weight, "bits_per_weight", low=1)
        V = checks.integer(self.values_per_step, "values_per_step", low=1)
        if k * V > L:
            raise ValueError(
                f"bits_per_weight * values_per_step must not exceed state_bits, but {k} * {V} > {L}. "
                "A step replaces so many bits of the state; take more state bits, or fewer bits or values."
            )
        for name, value in (("state_bits", L), ("bits_per_weight", k), ("values_per_step", V)):
            object.__setattr__(self, name, value)  # plain ints, whatever kind of integer came

    @property
    def n_states(self) -> int:
        """2^L."""
        return 1 << self.state_bits

    @property
    def shift(self) -> int:
        """The bits of a step: kV."""
        return self.bits_per_weight * self.values_per_step

    @property
    def n_branches(self) -> int:
        """Edges out of a state, and into it: 2^(kV)."""
        return 1 << self.shift

    @property
    def overlap_bits(self) -> int:
        """Bits that consecutive states share: L - kV."""
        return self.state_bits - self.shift

    def n_steps(self, n_weights: int, name: str = "n_weights") -> int:
        """The steps of T weights, T / V.

        Parameters
        ----------
        n_weights : int
            T, a positive multiple of V.
        name : str
            What an error calls T.

        Returns
        -------
        int

        Raises
        ------
        ValueError, TypeError
            T is no positive multiple of V.
        """
        T, V = checks.integer(n_weights, name, low=1), self.values_per_step
        if T % V:
            raise ValueError(
                f"{name} must be a multiple of values_per_step, but {T} weights came for {V} values a step. "
                "Cut the weights into sequences of another length, or take another trellis."
            )
        return T // V

    def successors(self, states: ArrayLike) -> NDArray[np.int32]:
        """Where the edges out of each state lead, in the order of their new bits: (s 2^(kV) mod 2^L) + c.

        Parameters
        ----------
        states : array (...), integer

        Returns
        -------
        array (..., 2^(kV)), int32

        Raises
        ------
        ValueError, TypeError
            Something that is no state.
        """
        kept = (self.check_states(states) & ((1 << self.overlap_bits) - 1)) << self.shift
        return kept[..., None] | np.arange(self.n_branches, dtype=np.int32)

    def predecessors(self, states: ArrayLike) -> NDArray[np.int32]:
        """Where the edges into each state come from, the smallest first: c 2^(L - kV) + floor(s / 2^(kV)).

        Parameters
        ----------
        states : array (...), integer

        Returns
        -------
        array (..., 2^(kV)), int32

        Raises
        ------
        ValueError, TypeError
            Something that is no state.
        """
        kept = self.check_states(states) >> self.shift
        return kept[..., None] | np.arange(self.n_branches, dtype=np.int32) << self.overlap_bits

    def is_walk(self, states: ArrayLike) -> NDArray[np.bool_]:
        """Whether each state follows the one before it: the high L - kV bits of one are the low ones of the other.

        Parameters
        ----------
        states : array (..., steps), integer

        Returns
        -------
        array (...), bool

        Raises
        ------
        ValueError, TypeError
            Something that is no state, or no axis.
        """
        s = self._sequences(states)
        return self._follows(s[..., :-1], s[..., 1:]).all(axis=-1)

    def is_tail_biting(self, states: ArrayLike) -> NDArray[np.bool_]:
        """Whether the states are a walk whose first state follows the last one, so that the stream is a circle.

        Parameters
        ----------
        states : array (..., steps), integer

        Returns
        -------
        array (...), bool

        Raises
        ------
        ValueError, TypeError
            Something that is no state, or no axis.
        """
        s = self._sequences(states)
        return self._follows(np.roll(s, 1, axis=-1), s).all(axis=-1)

    def check_tail_biting(self, n_weights: int, name: str = "n_weights", *, or_free: bool = False) -> None:
        """Refuse lengths at which a circular stream is shorter than a state: kT < L.

        Parameters
        ----------
        n_weights : int
            T, a positive multiple of V.
        name : str
            What an error calls T.
        or_free : bool
            Whether the caller has an option tail_biting, so that an error may advise it.

        Raises
        ------
        ValueError, TypeError
            T is no positive multiple of V, or kT < L.

        Notes
        -----
        On such a circle a state would meet its own bits again, and most states could not occur at all.
        """
        L, bits = self.state_bits, self.n_steps(n_weights, name) * self.shift
        if bits < L:
            advice = (
                "Take longer sequences, fewer state bits, or tail_biting=False."
                if or_free
                else "Take longer sequences, or fewer state bits."
            )
            raise ValueError(
                f"{name} must give a tail-biting stream at least {L} bits, as many as a state has, "
                f"but {n_weights} weights give {bits}. {advice}"
            )

    def storage_bits(self, n_weights: int, *, tail_biting: bool = True) -> int:
        """Bits that a walk over T weights takes: kT on a circle, kT + L - kV with a free start.

        Parameters
        ----------
        n_weights : int
            T, a positive multiple of V.
        tail_biting : bool

        Returns
        -------
        int

        Raises
        ------
        ValueError, TypeError
            T is no positive multiple of V, or kT < L on a circle.
        """
        bits = self.n_steps(n_weights) * self.shift
        if not checks.boolean(tail_biting, "tail_biting"):
            return bits + self.overlap_bits
        self.check_tail_biting(n_weights, or_free=True)
        return bits

    def check_states(self, states: ArrayLike, name: str = "states") -> NDArray[np.int32]:
        """The states as an array of int32, all from 0 to 2^L - 1.

        Parameters
        ----------
        states : array (...), integer
        name : str
            What an error calls them.

        Returns
        -------
        array (...), int32

        Raises
        ------
        ValueError, TypeError
            Something that is no state.
        """
        s = np.asarray(states)
        if s.dtype.kind not in "ui":
            raise TypeError(f"{name} must be integers, but their dtype is {s.dtype}. Walks come from quipref.viterbi.")
        if s.size and not (s.min() >= 0 and s.max() < self.n_states):
            raise ValueError(
                f"{name} must lie from 0 to {self.n_states - 1}, but they lie from {s.min()} to {s.max()}. "
                f"This trellis has {self.state_bits} state bits; were they made for another?"
            )
        return s.astype(np.int32, copy=False)

    def _sequences(self, states):
        s = self.check_states(states)
        if s.ndim == 0 or s.shape[-1] == 0:
            raise ValueError(f"states must have a last axis with at least one step, but their shape is {s.shape}.")
        return s

    def _follows(self, before, after):
        return before & ((1 << self.overlap_bits) - 1) == after >> self.shift


def checked_trellis(trellis):
    """`trellis`, which must be a BitshiftTrellis."""
    if not isinstance(trellis, BitshiftTrellis):
        raise TypeError(
            f"trellis must be a BitshiftTrellis, but {trellis!r} came. "
            "Make one: quipref.BitshiftTrellis(state_bits, bits_per_weight)."
        )
    return trellis
