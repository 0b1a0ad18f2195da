"""Mistakes that somebody could make in QuIP's algorithm 5: what is limited, how far, and what is claimed of it."""

import math

import numpy as np
from teeth.patches import scaled

LIMITS, CLAMPED = "quipref.rounding.column_limits", "quipref.rounding.clamped"


def claiming_no_gap(certified):
    """A gap that is never computed."""
    return lambda here, H, c: certified(here, H, c)._replace(gap=0.0)


def returning_v(least_trace):
    """V - I where its inverse should stand: what errors become, for what is fed back."""

    def faulty(H, c, tolerance):
        found = least_trace(H, c, tolerance)
        return found._replace(X=np.linalg.inv(found.X + np.eye(len(H))) - np.eye(len(H)))

    return faulty


def feeding_nothing(least_trace):
    """Plain rounding, whatever the room."""
    return lambda H, c, tolerance: least_trace(H, 0.0, tolerance)._replace(multipliers=np.zeros(len(H)))


def limiting_rows(least_trace):
    """LDLQ's V with its rows shortened where its columns should be."""

    def faulty(H, c, tolerance):
        found = least_trace(H, math.inf, tolerance)
        N = np.linalg.inv(found.X + np.eye(len(H))) - np.eye(len(H))
        longest = np.sqrt(np.maximum(np.square(N).sum(axis=1, keepdims=True), c))
        return found._replace(X=np.linalg.inv(N * np.sqrt(c) / longest + np.eye(len(H))) - np.eye(len(H)))

    return faulty


def damping_nothing(certified):
    """Multipliers that are lost."""
    return lambda here, H, c: certified(here, H, c)._replace(multipliers=0 * here.multipliers)


BUGS = {
    "clamped: no limits": {f"{CLAMPED}:least_trace": lambda f: lambda H, c, tolerance: f(H, math.inf, tolerance)},
    "clamped: no feedback": {f"{CLAMPED}:least_trace": feeding_nothing},
    "clamped: rows limited": {f"{CLAMPED}:least_trace": limiting_rows},
    "clamped: the length limited by c, not its square": {
        f"{CLAMPED}:least_trace": lambda f: lambda H, c, tolerance: f(H, c**2, tolerance)
    },
    "clamped: 1 + c for c": {f"{CLAMPED}:least_trace": lambda f: lambda H, c, tolerance: f(H, 1 + c, tolerance)},
    "clamped: 1/c for c": {f"{CLAMPED}:least_trace": lambda f: lambda H, c, t: f(H, 1 / c if c else math.inf, t)},
    "clamped: V fed back": {f"{CLAMPED}:least_trace": returning_v},
    "clamped: LDLQ's columns shortened, and no step": {
        f"{LIMITS}:steps": lambda _: lambda here, c, floor: [0 * here.multipliers]
    },
    "clamped: gap not computed": {f"{LIMITS}:certified": claiming_no_gap},
    "clamped: multipliers lost": {f"{LIMITS}:certified": damping_nothing},
    "bounds: twice the exponent of the straying tail": {
        "quipref.bounds:straying_tail": lambda tail: lambda t, c: tail(math.sqrt(2) * t, c)
    },
    "bounds: a quarter of the margin": scaled("clamping_margin", 1 / 4),
    "bounds: room below one for nothing": {
        "quipref.bounds:clamped_trace": lambda bound: lambda mu, n, root, c: bound(mu, n, root, max(1.0, c))
    },
    "bounds: half the clamped trace": scaled("clamped_trace", 1 / 2),
}
