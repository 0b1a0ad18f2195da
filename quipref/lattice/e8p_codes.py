"""The codebook E8P: what its 65536 codes of 16 bits mean, in the authors' program and in their paper."""

from functools import cache
from itertools import product

import numpy as np
from numpy.typing import ArrayLike, NDArray

SIGN_BIT = np.array([0, 4, 1, 5, 2, 6, 3, 7])  # of the low byte of a code, for each coordinate
# Where the 29 patterns of squared norm 12 have their three 1/2, beside five 3/2: the authors' choice of 56, and order.
PADS = (
    "123 023 013 012 367 357 347 356 346 345 267 257 247 256 246 245 "
    "167 157 147 156 146 045 067 057 047 056 046 014 237"
)


@cache
def patterns() -> NDArray[np.float32]:
    """The 256 absolute patterns, each the high byte of its code: (256, 8), read-only.

    all v in {1/2, 3/2, 5/2}^8 with |v|^2 <= 10, in lexicographic order, and then 29 of |v|^2 = 12

    Returns
    -------
    array (256, 8), float32

    References
    ----------
    QuIP#, arXiv:2402.04396v2, section 4.2 and appendix C.

    Examples
    --------
    >>> patterns()[[0, 1, 255]]
    array([[0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5],
           [0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 1.5],
           [1.5, 1.5, 0.5, 0.5, 1.5, 1.5, 1.5, 0.5]], dtype=float32)
    """
    halves = np.array(list(product((0.5, 1.5, 2.5), repeat=8)), np.float32)
    pads = np.full((len(PADS.split()), 8), 1.5, np.float32)
    for pad, places in zip(pads, PADS.split(), strict=True):
        pad[[int(i) for i in places]] = 0.5
    return _read_only(np.concatenate([halves[np.square(halves).sum(axis=1) <= 10], pads]))


@cache
def points() -> NDArray[np.float32]:
    """The 65536 points, in the order of their codes: (65536, 8), read-only.

    q_i = +-v_i + d,    v the pattern of the high byte; d = 1/4, or -1/4 where the low byte has odd parity

    Returns
    -------
    array (65536, 8), float32

    Notes
    -----
    The lowest bit is turned round where the parity is odd, so that an even number of bits is set. Then bit 0, 4, 1, 5,
    2, 6, 3, 7 says whether coordinate 0, 1, ... is negative; for the last coordinate of a pattern of odd sum, whether
    it is not.

    References
    ----------
    QuIP#, arXiv:2402.04396v2, appendix C; the order of the bits is that of the authors' program.

    Examples
    --------
    >>> points()[[0x0000, 0x0003, 0x0001], :4]
    array([[ 0.75,  0.75,  0.75,  0.75],
           [-0.25,  0.75, -0.25,  0.75],
           [ 0.25,  0.25,  0.25,  0.25]], dtype=float32)
    """
    return _read_only(values(np.arange(2**16)).astype(np.float32))


def _read_only(table):
    table.setflags(write=False)
    return table


def is_odd(patterns):
    """Whether each sum is odd; a pattern of odd sum needs an odd number of signs to have an even one."""
    return patterns.sum(axis=-1) % 2 == 1


def fields(codes):
    """(row of the pattern, 1 where a coordinate is negative, parity) of codes; parity is 1 where the shift is -1/4."""
    row, low = np.divmod(codes.astype(np.int64), 256)
    parity = np.bitwise_count(low) & 1
    negative = (low ^ parity)[..., None] >> SIGN_BIT & 1
    negative[..., 7] ^= is_odd(patterns())[row]
    return row, negative, parity


def code(row, negative, parity):
    """The codes that have these fields; the signs must make the sum of the pattern even."""
    bits = np.array(negative, np.int64)
    bits[..., 7] ^= is_odd(patterns())[row]
    low = (bits << SIGN_BIT).sum(axis=-1) ^ parity
    return (256 * row + low).astype(np.uint16)


def values(codes):
    """The points of codes, see `points`: (..., 8), float64."""
    row, negative, parity = fields(codes)
    shift = np.where(parity, -0.25, 0.25)
    return np.where(negative, -1, 1) * patterns()[row] + shift[..., None]


def checked_codes(codes, name="codes"):
    """Codes as uint16."""
    codes = np.asarray(codes)
    if codes.dtype.kind not in "ui":
        maker = {"codes": "quantize", "words": "to_paper_format"}[name]
        raise TypeError(
            f"{name} must be integers, but their dtype is {codes.dtype}. quipref.lattice.e8p.{maker} makes them."
        )
    if codes.dtype != np.uint16 and codes.size and not (codes.min() >= 0 and codes.max() < 2**16):
        raise ValueError(
            f"{name} must lie from 0 to 65535, but they lie from {codes.min()} to {codes.max()}. "
            "Codes of 3 and 4 bits hold two: quipref.ResidualQuantizer decodes them."
        )
    return codes.astype(np.uint16, copy=False)


def to_paper_format(codes: ArrayLike) -> NDArray[np.uint16]:
    """Codes of the authors' program as words of the paper: 8 bits of pattern, 7 of signs, 1 of shift.

    Parameters
    ----------
    codes : array (...), integer
        From 0 to 65535, as `quantize` gives them.

    Returns
    -------
    words : array (...), uint16

    Raises
    ------
    ValueError, TypeError
        Something that is no code.

    Notes
    -----
    The signs are those of coordinates 1 to 7 of 0 to 7, the last one lowest; that of coordinate 0 follows from the
    parity. The shift is 1 for 1/4 and 0 for -1/4. The order of the patterns is not printed; it is the program's.

    References
    ----------
    QuIP#, arXiv:2402.04396v2, appendix C.2.

    Examples
    --------
    >>> hex(to_paper_format(0x0003))
    '0x41'
    """
    row, negative, parity = fields(checked_codes(codes))
    signs = (negative[..., 1:] << np.arange(7, 0, -1)).sum(axis=-1)
    return (256 * row + signs + (1 - parity)).astype(np.uint16)


def from_paper_format(words: ArrayLike) -> NDArray[np.uint16]:
    """Codes of the authors' program that name the same points as words of the paper.

    Parameters
    ----------
    words : array (...), integer
        From 0 to 65535: 8 bits of pattern, 7 of signs, 1 of shift; see `to_paper_format`.

    Returns
    -------
    codes : array (...), uint16

    Raises
    ------
    ValueError, TypeError
        Something that is no word.

    References
    ----------
    QuIP#, arXiv:2402.04396v2, appendix C.2.

    Examples
    --------
    >>> hex(from_paper_format(0x0041))
    '0x3'
    """
    words = checked_codes(words, "words").astype(np.int64)
    row, negative = words >> 8, words[..., None] >> np.arange(8, 0, -1) & 1
    negative[..., 0] = (negative[..., 1:].sum(axis=-1) + is_odd(patterns())[row]) % 2
    return code(row, negative, parity=1 - (words & 1))
