"""An example of every picture of block LDLQ, as in pictures.py."""

import numpy as np

import quipref as q
from quipref.figures import block_ldlq, block_limits

H = q.random_layer(1, 16, seed=0).H
FOUND = {g: q.block_ldl(H, g) for g in (1, 2, 8, 16)}
RATIOS = {1: np.array([8.0, 16.0, 32.0]), 2: np.array([2.0, 4.0, 8.0]), 8: np.array([np.nan, 0.25, 0.5])}


def factors():
    return block_ldlq.factors(H, FOUND)


def promise():
    found = {kind: {"dithered": (0.07, 0.001), "nearest": (0.1 * i, 0.0)} for i, kind in enumerate(("zero", "wide"))}
    return block_ldlq.promise(found, 929 / 12960, 1)


def price():
    sizes = 2 ** np.arange(5)
    traces = {"power law": sizes / 16, "flat": np.ones(5)}
    return block_ldlq.price(sizes, traces, {"tr $D$": sizes / 16, "first": sizes / 8, "second": sizes / 2})


def worth():
    sizes = [1, 2, 8]
    predicted = {"flat": np.array([1, 0.95, 0.86]), "low rank": np.array([1, 1.1, 1.3])}
    measured = {name: (values + 0.01, np.full(3, 0.02)) for name, values in predicted.items()}
    return block_ldlq.worth(sizes, predicted, measured, {g: np.linspace(0.8, 1.1, 9) + 0.01 * g for g in (2, 8)})


def remark():
    helps = {name: 10.0**-i * np.array([1.0, 2.0]) for i, name in enumerate(("nearest", "dithered", "LDLQ"))}
    return block_limits.remark(np.array([4, 16, 64]), RATIOS, np.array([0.25, 0.5]), helps)


def overload():
    lengths, fills = np.linspace(0, 6, 20), np.array([0.5, 1.0, 2.0])
    errors = {"E8P": np.maximum(0.9, lengths - 2), "E8": np.full(20, 0.9)}
    return block_limits.overload(lengths, errors, fills, {"E8P": 0.07 * fills**4, "E8": 0.07 + 0 * fills}, 1)


def passes():
    plain = np.array([1.0, 1.2, 0.9, 1.1])
    histories = {"E8, low rank": (plain, np.minimum.accumulate(plain)), "integers": (1 / plain**2, 1 / plain**2)}
    part = np.linspace(0, 1, 9)
    return block_limits.passes(histories, {"E8P": (part, 1 - part / 2), "E8": (0 * part, 0.95 + part / 50)})


TOPICS = block_ldlq, block_limits
EXAMPLES = {
    block_ldlq.factors: factors,
    block_ldlq.promise: promise,
    block_ldlq.price: price,
    block_ldlq.worth: worth,
    block_limits.remark: remark,
    block_limits.overload: overload,
    block_limits.passes: passes,
}
