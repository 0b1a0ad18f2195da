"""An example of every picture of QuIP# from end to end, as in pictures.py."""

import numpy as np

from quipref.figures import quip_sharp

CODES = np.array([[0x20D4, 0xFF01], [0x0003, 0xE380]], np.uint16)


def pack(codes):
    """The word of four codes, by the definition: slot 2c + r has byte i and every fourth bit from 32 + i on."""
    word = 0
    for r, c in np.ndindex(2, 2):
        i, (a, signs) = 2 * c + r, divmod(int(codes[r, c]), 256)
        word |= a << 8 * i | sum((signs >> j & 1) << (32 + 4 * j + i) for j in range(8))
    return word


def ball():
    rng = np.random.default_rng(0)
    parts = {name: rng.chisquare(8, 500) ** 0.5 for name in ("weights", "rotated weights", "targets")}
    overload = {s: s**4 * np.linspace(0.1, 0.6, 32) for s in (1.03, 0.9, 0.8, 0.7)}
    return quip_sharp.ball(parts, rng.uniform(0.7, 4.06, 200), overload)


def by_scale():
    scales = np.array([0.4, 0.6, 0.8, 1.03])
    gaussian = 0.07 / scales**2 + 0.01
    layers = {"usual": {"a": 1.1 * gaussian, "b": 1.2 * gaussian}, "exceptions": {"layers.0.attn.k": scales * gaussian}}
    return quip_sharp.by_scale(scales, gaussian, layers, 0.07, 1 / 16, 1.03)


def passes():
    falling = 0.05 + 0.06 / np.arange(1.0, 12.0)
    return quip_sharp.passes({s: (s * falling + 0.001, s * falling) for s in (1.03, 0.9, 0.8, 0.7, 0.6)})


def word():
    return quip_sharp.word(pack(CODES), CODES, (2, 1))


TOPICS = (quip_sharp,)
EXAMPLES = {
    quip_sharp.ball: ball,
    quip_sharp.by_scale: by_scale,
    quip_sharp.passes: passes,
    quip_sharp.word: word,
}
