"""Mistakes that somebody could make in the codebook E8P, in its search and in the formats of its codes."""

import numpy as np

from quipref.lattice import e8p_codes

E8P, CODES = "quipref.lattice.e8p", "quipref.lattice.e8p_codes"


def table(change):
    """Patches after which the patterns are others, for whoever asks for them."""

    def faulty(patterns):
        changed = change(patterns().copy())
        return lambda: changed

    return {f"{E8P}:patterns": faulty, f"{CODES}:patterns": faulty}


def with_row(row, pattern):
    """Patches after which one pattern is another."""

    def change(patterns):
        patterns[row] = pattern
        return patterns

    return table(change)


def search(change):
    """Patches after which (score, code) of the best point of a shift is changed."""
    return {f"{E8P}:best_with_shift": lambda best: lambda d, X, patterns: change(*best(d, X, patterns), X, d)}


def points(change):
    """Patches after which codes stand for other points."""
    return {f"{E8P}:values": lambda values: lambda codes: change(values(codes), codes)}


def fields(change):
    """Patches after which the row, the signs and the shift of a code are read wrongly."""
    return {f"{CODES}:fields": lambda fields: lambda codes: change(*fields(codes), codes)}


def read(change):
    """Patches after which a word of the paper is taken for another."""
    return {f"{E8P}:from_paper_format": lambda before: lambda words: before(change(np.asarray(words)))}


def told(change):
    """Patches after which another word is told for a code."""
    return {f"{E8P}:to_paper_format": lambda before: lambda codes: change(before(codes), np.asarray(codes))}


def signs_reversed(words):
    """The seven signs the other way round."""
    signs = sum((words >> 1 + k & 1) << 7 - k for k in range(7))
    return words & 0xFF01 | signs


def last_turned(best):
    """The search with the coordinates the other way round: the last one of equals is turned round."""

    def faulty(d, X, patterns):
        score, code = best(d, X[:, ::-1], patterns[:, ::-1])
        row, negative, parity = e8p_codes.fields(code)
        return score, e8p_codes.code(row, negative[:, ::-1], parity)

    return faulty


def printed(q, codes):
    """The vector that is printed in place of the point beside it."""
    point = [-0.25, -0.25, 0.75, 1.75, -0.25, 0.75, -0.25, -0.25]
    q[(q == point).all(axis=1), 1] = -0.75
    return q


BUGS = {
    "e8p: patterns in order of their norm": table(lambda p: p[np.argsort(np.square(p).sum(axis=1), kind="stable")]),
    "e8p: a pad with a 5/2": with_row(255, [0.5, 0.5, 0.5, 0.5, 0.5, 1.5, 1.5, 2.5]),
    "e8p: a pad twice": with_row(255, [1.5, 0.5, 0.5, 0.5, 1.5, 1.5, 1.5, 1.5]),
    "e8p: a pad with 7/2": with_row(255, [0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 3.5]),
    "e8p: only one shift": points(lambda q, codes: q + 0.5 * (np.bitwise_count(codes & 255) % 2)[:, None]),
    "e8p: no shift": points(lambda q, codes: q - 0.25 + 0.5 * (np.bitwise_count(codes & 255) % 2)[:, None]),
    "e8p: shifts exchanged": points(lambda q, codes: q - 0.5 + np.bitwise_count(codes & 255)[:, None] % 2),
    "e8p: coordinates the wrong way round": points(lambda q, codes: q[:, ::-1]),
    "e8p: the printed vector is a point": {
        f"{E8P}:values": lambda values: lambda codes: printed(values(np.ravel(codes)), codes).reshape(*codes.shape, 8)
    },
    "e8p: every sum counts as even": {f"{CODES}:is_odd": lambda _: lambda p: np.zeros(p.shape[:-1], bool)},
    "e8p: coordinates in the order of their bits": {f"{CODES}:SIGN_BIT": lambda _: np.arange(8)},
    "e8p: the parity stays on its bit": fields(
        lambda row, negative, parity, codes: (row, negative ^ np.outer(parity, np.arange(8) == 0), parity)
    ),
    "e8p: no sign is turned round": {f"{E8P}:is_odd": lambda _: lambda p: np.zeros(p.shape[:-1], bool)},
    "e8p: the shift's share of the score is forgotten": search(
        lambda score, code, X, d: (score - X @ np.full(8, d / 16, X.dtype), code)
    ),
    "e8p: the shift's share of the score counts twice": search(
        lambda score, code, X, d: (score + X @ np.full(8, d / 16, X.dtype), code)
    ),
    "e8p: only 1/4 is tried": search(lambda score, code, X, d: (score - 1e9 * (d < 0), code)),
    "e8p: -1/4 wins among equals": search(
        lambda score, code, X, d: (np.nextafter(score, np.float32(np.inf)) if d < 0 else score, code)
    ),
    "e8p: the first row wins, whatever its norm": {f"{E8P}:_by_rank": lambda _: lambda p: np.arange(256)},
    "e8p: the last coordinate is turned round": {f"{E8P}:best_with_shift": last_turned},
    "e8p: patterns of another size": {
        f"{E8P}:best_with_shift": lambda best: lambda d, X, patterns: best(d, X, np.float32(1.1) * patterns)
    },
    "e8p: signs are lost": {f"{E8P}:best_with_shift": lambda best: lambda d, X, patterns: best(d, np.abs(X), patterns)},
    "paper: the shift bit is 1 for -1/4": read(lambda words: words ^ 1),
    "paper: the first coordinate's sign comes last": read(signs_reversed),
    "paper: words are the program's codes": read(lambda words: e8p_codes.to_paper_format(words)),
    "paper: codes are told as they are": told(lambda words, codes: codes),
    "paper: told with the other shift": told(lambda words, codes: words ^ 1),
    "paper: told with the signs the wrong way round": told(lambda words, codes: signs_reversed(words)),
    "paper: told without the pattern": told(lambda words, codes: words & 255),
}
