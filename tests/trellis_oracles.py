"""The bit-shift trellis and its codes by their definitions: strings of bits, Python's integers, the struct module."""

import struct
from itertools import product

import numpy as np


def bits_of(number, count):
    """The binary digits of a number, the highest first, as a string."""
    return format(int(number), f"0{count}b") if count else ""


def windows(stream, L, step):
    """The L-bit windows of a string of bits, every `step` bits, as a list of states."""
    return [int(stream[i : i + L], 2) for i in range(0, len(stream) - L + 1, step)]


def circle(stream, L, step):
    """The windows of a circle of bits: one begins every `step` bits, and the last run on into the beginning."""
    doubled = stream * (1 + -(-L // len(stream)))
    return [int(doubled[i : i + L], 2) for i in range(0, len(stream), step)]


def random_stream(rng, count):
    """A string of so many random bits."""
    return "".join(rng.choice(["0", "1"], count))


def random_circles(rng, trellis, n_sequences, n_weights):
    """Tail-biting walks (B, steps) that are the windows of random circles of bits."""
    L, kV = trellis.state_bits, trellis.shift
    n_bits = trellis.n_steps(n_weights) * kV
    return np.array([circle(random_stream(rng, n_bits), L, kV) for _ in range(n_sequences)], np.int32)


def edges(L, step):
    """All pairs (i, j) with j = (i 2^step mod 2^L) + c, 0 <= c < 2^step."""
    return {(i, (i << step) % (1 << L) + c) for i in range(1 << L) for c in range(1 << step)}


def streams(count):
    """All strings of so many bits."""
    return ("".join(bits) for bits in product("01", repeat=count))


def qtip_words(stream):
    """16-bit words of a string of bits, the first bit highest, zeros at the end."""
    padded = stream + "0" * (-len(stream) % 16)
    return [int(padded[i : i + 16], 2) for i in range(0, len(padded), 16)]


def exl3_words(states, k):
    """EXL3's words: the low k bits of each state, in words of 32 bits, whose lower half comes first in memory."""
    stream = "".join(bits_of(s % (1 << k), k) for s in states)
    whole = [int(stream[i : i + 32], 2) for i in range(0, len(stream), 32)]
    return [half for word in whole for half in (word % 65536, word // 65536)]


def half(pattern):
    """The half-precision number with these 16 bits, as a Python float."""
    return struct.unpack("<e", struct.pack("<H", pattern))[0]


def as_half(x):
    """A float rounded to half precision, ties to even."""
    return struct.unpack("<e", struct.pack("<e", x))[0]


def as_single(x):
    """A float rounded to single precision; for a quotient of two single ones the second rounding is harmless."""
    return struct.unpack("<f", struct.pack("<f", x))[0]


SCALE = as_single((4 * (256**2 - 1) / 12) ** 0.5)


def mad_value(x):
    """From the bytes of a word to the value of 1MAD and 2MAD."""
    return as_single((sum(x.to_bytes(4, "little")) - 510) / SCALE)


def one_mad_word(s):
    return (34038481 * s + 76625530) % 2**32


def two_mad_word(s):
    x = (264435761 * s + 1013904223) % 2**32
    return (x + (x * 1664525 >> 32)) % 2**32


def three_inst_word(s):
    return (89226354 * s + 64248484) % 2**32 & 0x8FFF8FFF ^ 0x3B603B60


def halves_value(word):
    return as_half(half(word >> 16) + half(word & 0xFFFF))


def mcg_word(s):
    return 0xCBAC1FED * s % 2**32 & 0x8FFF8FFF ^ 0x3B603B60


def mul1_value(s):
    total = sum((0x83DCD12D * s % 2**32).to_bytes(4, "little"))
    return as_half(half(0x1EEE) * half(0x6400 + total) + half(0xC931))


CODES = {
    "one_mad": lambda s: mad_value(one_mad_word(s)),
    "two_mad": lambda s: mad_value(two_mad_word(s)),
    "three_inst": lambda s: halves_value(three_inst_word(s)),
    "mcg": lambda s: halves_value(mcg_word(s)),
    "mul1": mul1_value,
}
