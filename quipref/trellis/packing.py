"""Tail-biting walks as bits and back: the streams of QTIP and of EXL3, in 16-bit words.

A tail-biting walk over T weights is a circle of kT bits, of which every state is a window of L. So one symbol of kV
bits a step is stored, and a state is put together from the symbols around it. The layouts differ in which symbol:

    qtip  the top kV bits of each state: state i is bits ikV to ikV + L of the stream, and the last ones run on into
          its beginning. Bit 0 is the highest bit of word 0.
    exl3  the low k bits of each state, those that the step brought in: state t is the 16 bits that end with its own
          symbol, and the first ones begin in the stream's tail. So it is QTIP's circle, cut 16 - k bits later.
          Words stand in pairs that are swapped: read as little-endian 32-bit words, the highest bit comes first.
"""

from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from quipref import checks
from quipref.trellis.bitshift import BitshiftTrellis, checked_trellis

Layout = Literal["qtip", "exl3"]
LAYOUTS = get_args(Layout)
WORD = 16  # bits
PIECE = 1 << 22  # bits of stream that are taken apart at a time: a few dozen MB


def pack(states: ArrayLike, trellis: BitshiftTrellis, *, layout: Layout = "qtip") -> NDArray[np.uint16]:
    """Store tail-biting walks: kT bits for each, in 16-bit words.

    qtip: bits ikV to (i + 1)kV are floor(s_i / 2^(L - kV));  exl3: bits tk to (t + 1)k are s_t mod 2^k

    Parameters
    ----------
    states : array (B, T / V), integer
        Tail-biting walks, as from `quipref.viterbi`.
    trellis : BitshiftTrellis
        For "exl3" with L = 16, V = 1, k up to 8, and kT a multiple of 32.
    layout : "qtip" or "exl3"

    Returns
    -------
    array (B, ceil(kT / 16)), uint16
        With "qtip" the bits that kT leaves over in the last word are zero. The programs themselves have
        T = 256, where none are left, and call the words int16: `.view(np.int16)`.

    Raises
    ------
    ValueError, TypeError
        The states are no tail-biting walks of this trellis, whose other bits would be lost, or not in 2 axes; kT < L;
        or the layout does not know this trellis.

    References
    ----------
    QTIP, arXiv:2406.11235, section 3.1 and figure 2; its program, commit e90c6688; EXL3's format.

    Examples
    --------
    >>> trellis = BitshiftTrellis(state_bits=2, bits_per_weight=1)
    >>> words = pack([[0b00, 0b01, 0b10, 0b01, 0b11, 0b10]], trellis)
    >>> format(words[0, 0], "016b")  # 001011 and ten zeros
    '0010110000000000'
    """
    states = checked_trellis(trellis).check_states(states)
    if states.ndim != 2:
        raise ValueError(f"states must have 2 axes (sequences, steps), but their shape is {states.shape}.")
    n_bits = _stream_bits(trellis, states.shape[1] * trellis.values_per_step, layout, "states")
    words = np.zeros((len(states), -(-n_bits // WORD)), np.uint16)
    for some in _pieces(len(states), n_bits):
        _check_walks(states[some], trellis, some.start)
        stream = _digits(_symbols(states[some], trellis, layout), trellis.shift)
        words[some] = _ordered(_words(stream), layout)
    return words


def unpack(words: ArrayLike, trellis: BitshiftTrellis, n_weights: int, *, layout: Layout = "qtip") -> NDArray[np.int32]:
    """The states of stored walks, the inverse of `pack`.

    qtip: s_i = bits ikV to ikV + L of the circle;  exl3: s_t = bits (t + 1)k - 16 to (t + 1)k

    Parameters
    ----------
    words : array (B, ceil(kT / 16)), uint16 or int16
    trellis : BitshiftTrellis
        As in `pack`.
    n_weights : int
        T, the weights of a sequence.
    layout : "qtip" or "exl3"

    Returns
    -------
    array (B, T / V), int32
        Tail-biting walks, whatever the bits are.

    Raises
    ------
    ValueError, TypeError
        The words are not 16 bits wide, or too many or too few, or bits after the last weight are set; T is no multiple
        of V, or kT < L; or the layout does not know this trellis.

    References
    ----------
    As in `pack`.

    Examples
    --------
    >>> import numpy as np
    >>> unpack(np.array([[0b0010110000000000]], np.uint16), BitshiftTrellis(2, 1), 6)
    array([[0, 1, 2, 1, 3, 2]], dtype=int32)
    """
    n_bits = _stream_bits(checked_trellis(trellis), n_weights, layout, "n_weights")
    words = _checked_words(words, n_bits, n_weights)
    states = np.empty((len(words), trellis.n_steps(n_weights)), np.int32)
    for some in _pieces(len(words), n_bits):
        stream = _stream(_ordered(words[some], layout))
        if stream[:, n_bits:].any():
            raise ValueError(
                f"words must end in zeros after the {n_bits} bits of {n_weights} weights, but other bits are set. "
                "Are n_weights and the trellis those that the words were packed with?"
            )
        symbols = _number(stream[:, :n_bits].reshape(len(stream), -1, trellis.shift))
        states[some] = _windows(symbols, trellis, layout)
    return states


def _symbols(states, trellis, layout):
    """The kV bits of each state that are stored."""
    if layout == "qtip":
        return states >> trellis.overlap_bits
    return states & (trellis.n_branches - 1)


def _windows(symbols, trellis, layout):
    """The states around the circle: L bits that begin (qtip) or end (exl3) with each symbol."""
    L, kV = trellis.state_bits, trellis.shift
    states = np.zeros_like(symbols)
    for j in range(-(-L // kV)):
        if layout == "qtip":  # the symbol of j steps later, of which the last may stick out at the low end
            later, place = np.roll(symbols, -j, axis=1), L - (j + 1) * kV
            states |= later << place if place >= 0 else later >> -place
        else:  # the symbol of j steps before, of which the last may stick out at the high end
            states |= np.roll(symbols, j, axis=1) << j * kV
    return states & (trellis.n_states - 1)


def _digits(numbers, bits):
    """The binary digits of each row's numbers one after the other, the highest of each first: (B, n bits), uint8."""
    places = np.arange(bits - 1, -1, -1, dtype=np.int32)
    return (numbers[:, :, None] >> places & 1).astype(np.uint8).reshape(len(numbers), -1)


def _number(digits):
    """The numbers (int32) whose binary digits stand on the last axis, the highest first."""
    number = np.zeros(digits.shape[:-1], np.int32)
    for place in range(digits.shape[-1]):
        number <<= 1
        number |= digits[..., place]
    return number


def _words(stream):
    """Sixteen bits of the stream a word, the highest first, the last word filled up with zeros."""
    packed = np.packbits(stream, axis=1)
    odd = packed.shape[1] % 2
    return np.ascontiguousarray(np.pad(packed, ((0, 0), (0, odd)))).view(">u2")


def _stream(words):
    """The bits of the words, the highest of each first."""
    return np.unpackbits(np.ascontiguousarray(words, ">u2").view(np.uint8), axis=1)


def _ordered(words, layout):
    """The words as the layout has them; its own inverse."""
    return words if layout == "qtip" else words.reshape(len(words), -1, 2)[:, :, ::-1].reshape(words.shape)


def _pieces(count, n_bits):
    """Slices of the sequences that hold PIECE bits, so that what is held at a time does not grow with their number."""
    step = max(1, PIECE // n_bits)
    return (slice(start, min(start + step, count)) for start in range(0, count, step))


def _stream_bits(trellis, n_weights, layout, name):
    """The bits of a sequence, kT, where the layout has room for this trellis; errors speak of `name`."""
    checks.choice(layout, "layout", LAYOUTS)
    trellis.check_tail_biting(n_weights, name)
    n_bits, k = trellis.storage_bits(n_weights), trellis.bits_per_weight
    if layout == "exl3":
        if (trellis.state_bits, trellis.values_per_step) != (16, 1) or k > 8:
            raise ValueError(
                "trellis must have 16 state bits, 1 value a step and at most 8 bits a weight for layout='exl3', "
                f"but it is {trellis}. Use layout='qtip'."
            )
        if n_bits % 32:
            raise ValueError(
                f"{name} must make a stream of whole 32-bit words for layout='exl3', but "
                f"{n_weights} weights at {k} bits make {n_bits} bits. EXL3's own tiles have 256 weights."
            )
    return n_bits


def _check_walks(states, trellis, start):
    """Refuse what a circle of symbols cannot hold."""
    good = trellis.is_tail_biting(states)
    if not good.all():
        i = int(np.argmin(good))
        before, after = np.roll(states[i], 1), states[i]
        t = int(np.argmin([trellis.is_walk(pair) for pair in zip(before, after, strict=True)]))
        broken = f"state {after[t]} at step {t} does not follow state {before[t]}" + " at the end" * (t == 0)
        raise ValueError(
            f"states must be tail-biting walks, since only {trellis.shift} of the {trellis.state_bits} bits of a state "
            f"are stored, but in sequence {start + i} {broken}. Search with tail_biting=True."
        )


def _checked_words(words, n_bits, n_weights):
    words = np.asarray(words)
    if words.dtype.kind not in "ui" or words.dtype.itemsize != 2:
        raise TypeError(
            f"words must be uint16 (or int16, its view), but their dtype is {words.dtype}. "
            "View the bytes as they were stored: .view(np.uint16)."
        )
    n_words = -(-n_bits // WORD)
    if words.ndim != 2 or words.shape[1] != n_words:
        raise ValueError(
            f"words must have shape (sequences, {n_words}) for the {n_bits} bits of {n_weights} weights, but "
            f"their shape is {words.shape}. Reshape them, or correct n_weights or the trellis."
        )
    return words.astype(np.uint16, copy=False)
