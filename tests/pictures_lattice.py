"""An example of every picture of lattices and of E8P, as in pictures.py."""

import itertools

import numpy as np

from quipref.figures import e8p, lattice
from quipref.lattice import e8

SQUARE = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]]) / 2
SIZES = np.array([0.7, 1.0, 1.3])


def cells():
    points = np.array(list(itertools.product(range(-3, 4), repeat=2)))
    X = 5 * np.random.default_rng(0).random((300, 2)) - 2.5
    square = (points, SQUARE, X, np.floor(X + 0.5))
    return lattice.cells({"Squares": square, "Small squares": (points / 2, SQUARE / 2, X, np.floor(2 * X + 0.5) / 2)})


def gains():
    return lattice.gains({"Z": (1, 1 / 12, 1e-4), "D4": (4, 0.0766, 1e-4), "E8": (8, e8.SECOND_MOMENT, 1e-4)})


def roots():
    turn = 2 * np.pi * np.arange(12) / 12
    projected = np.column_stack([np.sin(turn), np.cos(turn)])
    steps = np.array([(i, (i + step) % 12) for i in range(12) for step in (1, 4)])
    return lattice.roots(projected, steps)


def lengths():
    rng = np.random.default_rng(0)
    errors = {"Z in each coordinate": rng.random((2000, 8)) - 0.5, "E8": 0.5 * rng.random((2000, 8)) - 0.25}
    return lattice.lengths(errors, {"packing": e8.PACKING_RADIUS, "covering": 1.0, "cube's corner": 2**0.5})


def patterns():
    weight = np.exp(-np.arange(256) / 100)
    return e8p.patterns(weight / weight.sum())


def taken_apart():
    return e8p.taken_apart(0x20D5)


def plane():
    x, y = np.meshgrid(np.linspace(-5, 5, 21), np.linspace(-5, 5, 21))
    return e8p.plane({"All": np.abs(np.sin(x) * np.sin(y)), "E8P": np.hypot(x, y) / 3}, 5, {"near": 2.9, "far": 4.06})


def overload():
    parts = {"E8P": 0.05 + 0.05 * SIZES**2, "inside": 0.05 / SIZES, "outside": 0.04 * SIZES}
    return e8p.overload(SIZES, parts, {"Lloyd-Max": (0.1175, 0.4), "limit": (0.0625, 0.1)})


TOPICS = lattice, e8p
EXAMPLES = {
    lattice.cells: cells,
    lattice.gains: gains,
    lattice.roots: roots,
    lattice.lengths: lengths,
    e8p.patterns: patterns,
    e8p.taken_apart: taken_apart,
    e8p.plane: plane,
    e8p.overload: overload,
}
