"""QuIP#'s packed codes: what its checkpoints hold as `Qidxs`, at 2, 3 and 4 bits a weight.

A code names 8 weights of a row. Its 16 bits of E8P are a byte for the absolute values and a byte of signs, and a word
of 64 bits holds four codes, those of two rows and two neighbouring groups of 8 columns:

    slot i = 2c + r of row 2R + r and group 2C + c:  byte i is the absolute values, bit 32 + 4j + i is sign bit j

The words of 16 rows and 64 columns stand together, 8 x 4 of them row by row, and so do those of the next 64 columns.
At 4 bits the words of the second codes stand to the right of those of the first. At 3 bits the second codes are
bytes, to the right too, eight of a row in a word, the first one lowest.
"""

from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from quipref import checks
from quipref.lattice import e8p
from quipref.lattice.residual import ResidualQuantizer

Codebook = Literal["E8P12", "E8P12RVQ3B", "E8P12RVQ4B"]
CODEBOOKS = get_args(Codebook)
BITS = {"E8P12": 2, "E8P12RVQ3B": 3, "E8P12RVQ4B": 4}
ROWS, COLUMNS = 16, 64  # of weights that must come together


def unpack_weights(
    qidxs: ArrayLike, shape: tuple[int, int], *, codebook: Codebook = "E8P12", residual_scale: float | None = None
) -> NDArray[np.float32]:
    """The weights, in units of the codebook, that packed codes stand for.

    2 bits: q_1;  3 and 4 bits: q_1 + q_2 / r

    Parameters
    ----------
    qidxs : array (m, k n / 64), int64
        At k bits a weight.
    shape : (int, int)
        (m, n): m a multiple of 16, n of 64.
    codebook : "E8P12", "E8P12RVQ3B" or "E8P12RVQ4B"
        The program's name for 2, 3 or 4 bits a weight.
    residual_scale : float, optional
        r; by default 2.04 at 3 bits and 3.45 at 4. A checkpoint's `resid_scale_override`, where it is positive.

    Returns
    -------
    array (m, n), float32

    Raises
    ------
    ValueError, TypeError
        Another shape or dtype; a residual scale that is not positive, or for E8P12, which has none.

    Notes
    -----
    The scales, sign vectors and Hadamard transforms of a checkpoint are not undone here.

    References
    ----------
    QuIP#, arXiv:2402.04396, section 4 and appendix C; its program.

    Examples
    --------
    >>> unpack_weights(np.zeros((16, 2), np.int64), (16, 64)).shape
    (16, 64)
    """
    codes = unpack_codes(qidxs, shape, codebook=codebook)
    if codebook != "E8P12":
        return ResidualQuantizer(BITS[codebook], residual_scale=residual_scale).decode(codes).astype(np.float32)
    if residual_scale is not None:
        raise ValueError(
            f"residual_scale must be None for codebook='E8P12', which has no residual, but {residual_scale!r} came. "
            "Leave it out."
        )
    return e8p.decode(codes).reshape(shape)


def unpack_codes(
    qidxs: ArrayLike, shape: tuple[int, int], *, codebook: Codebook = "E8P12"
) -> NDArray[np.unsignedinteger]:
    """The codes of packed weights, as `E8PQuantizer` (2 bits) and `ResidualQuantizer` (3 and 4 bits) have them.

    Parameters
    ----------
    qidxs, shape, codebook
        As in `unpack_weights`.

    Returns
    -------
    array (m, n / 8), uint16 or uint32

    Raises
    ------
    ValueError, TypeError
        Another shape or dtype.

    References
    ----------
    As in `unpack_weights`.

    Examples
    --------
    >>> codes = np.arange(32, dtype=np.uint16).reshape(16, 2).repeat(4, axis=1)
    >>> (unpack_codes(pack_weights(codes), (16, 64)) == codes).all()
    np.True_
    """
    k = BITS[checks.choice(codebook, "codebook", CODEBOOKS)]
    m, n = _checked_shape(shape)
    words = np.asarray(qidxs)
    if words.dtype != np.int64:
        raise TypeError(f"qidxs must be int64, but their dtype is {words.dtype}. Pass Qidxs as the checkpoint has it.")
    if words.shape != (m, k * n // 64):
        raise ValueError(
            f"qidxs must have the shape {(m, k * n // 64)} for {m} x {n} weights in {codebook}, but it is "
            f"{words.shape}. Is this the layer's own shape (rows first), and its codebook?"
        )
    first = _codes(words[:, : n // 32], n)
    if k == 2:
        return first
    rest = words[:, n // 32 :]
    second = _codes(rest, n) if k == 4 else np.ascontiguousarray(rest, "<i8").view(np.uint8)
    return first.astype(np.uint32) << 16 | second


def pack_weights(codes: ArrayLike, *, codebook: Codebook = "E8P12") -> NDArray[np.int64]:
    """Store codes as QuIP#'s checkpoints do, the inverse of `unpack_codes`.

    Parameters
    ----------
    codes : array (m, n / 8), uint16 for E8P12, else uint32
        As the quantizers give them; m a multiple of 16, n of 64.
    codebook : "E8P12", "E8P12RVQ3B" or "E8P12RVQ4B"

    Returns
    -------
    qidxs : array (m, k n / 64), int64

    Raises
    ------
    ValueError, TypeError
        Another shape or dtype; at 3 bits, second codes of more than 8 bits.

    References
    ----------
    As in `unpack_weights`.

    Examples
    --------
    >>> codes = np.full((16, 8), 0x0102, np.uint16)
    >>> [hex(word) for word in pack_weights(codes)[0]]  # absolute values 1 four times, and sign bit 1 of each
    ['0xf001010101', '0xf001010101']
    """
    k, codes = BITS[checks.choice(codebook, "codebook", CODEBOOKS)], np.asarray(codes)
    dtype = np.dtype(np.uint16 if k == 2 else np.uint32)
    if codes.dtype != dtype or codes.ndim != 2:
        raise (TypeError if codes.dtype != dtype else ValueError)(
            f"codes must be a matrix of {dtype} for {codebook}, but they are {codes.dtype} of shape {codes.shape}. "
            f"The quantizer of {k} bits makes them."
        )
    m, n = codes.shape[0], 8 * codes.shape[1]
    if m % ROWS or n % COLUMNS:
        raise ValueError(
            f"codes must stand for a multiple of {ROWS} rows and of {COLUMNS} columns of weights, but they are "
            f"{m} x {n}. The format has no other layers; pad the weights (and H) with zeros before they are quantized."
        )
    if k == 2:
        return _words(codes)
    first, second = codes >> 16, codes & 0xFFFF
    if k == 4:
        return np.concatenate([_words(first), _words(second)], axis=1)
    if second.max(initial=0) > 255:
        raise ValueError(
            f"codes must have second codes of at most 255 for {codebook}, but {second.max()} came. "
            "Codes of 4 bits a weight are packed with codebook='E8P12RVQ4B'."
        )
    return np.concatenate([_words(first), second.astype(np.uint8, order="C").view("<i8").astype(np.int64)], axis=1)


def _words(codes):
    """Four codes (m, n / 8) a word: (m, n / 32)."""
    slots = _slots(codes).astype(np.uint64)
    absolute, signs = slots >> 8, slots & 0xFF
    words = np.zeros(slots.shape[:2], np.uint64)
    for i in range(4):
        words |= absolute[:, :, i] << np.uint64(8 * i)
        for j in range(8):
            words |= (signs[:, :, i] >> np.uint64(j) & np.uint64(1)) << np.uint64(32 + 4 * j + i)
    return words.view(np.int64)


def _codes(words, n):
    """The codes (m, n / 8), uint16, of words (m, n / 32)."""
    words = np.ascontiguousarray(words).view(np.uint64)
    slots = np.zeros((*words.shape, 4), np.uint16)
    for i in range(4):
        slots[:, :, i] = (words >> np.uint64(8 * i) & np.uint64(0xFF)) << np.uint64(8)
        for j in range(8):
            slots[:, :, i] |= (words >> np.uint64(32 + 4 * j + i) & np.uint64(1)).astype(np.uint16) << np.uint16(j)
    return _from_slots(slots, n)


# A code of row 16 a + 2 R + r and group 8 b + 2 C + c is slot 2 c + r of its word, which (a, b, R, C) counts.


def _slots(codes):
    """Codes (m, n / 8) as the slots of words, (m, n / 32, 4)."""
    m, groups = codes.shape
    a_R_r_b_C_c = codes.reshape(m // 16, 8, 2, groups // 8, 4, 2)
    a_b_R_C_c_r = a_R_r_b_C_c.transpose(0, 3, 1, 4, 5, 2)
    return a_b_R_C_c_r.reshape(m, groups // 4, 4)


def _from_slots(slots, n):
    """The codes (m, n / 8) of slots: the way back."""
    m = len(slots)
    a_b_R_C_c_r = slots.reshape(m // 16, n // 64, 8, 4, 2, 2)
    a_R_r_b_C_c = a_b_R_C_c_r.transpose(0, 2, 5, 1, 3, 4)
    return a_R_r_b_C_c.reshape(m, n // 8)


def _checked_shape(shape):
    """(m, n), refused where words would be left half empty."""
    if not isinstance(shape, tuple | list) or len(shape) != 2:
        raise (ValueError if isinstance(shape, tuple | list) else TypeError)(
            f"shape must be a pair (rows, columns), but {shape!r} came. Pass that of the layer: W.shape."
        )
    m, n = (checks.integer(side, "each side of shape", low=0) for side in shape)
    if m % ROWS or n % COLUMNS:
        raise ValueError(
            f"shape must be a multiple of {ROWS} rows and of {COLUMNS} columns, but {m} x {n} came. "
            "The format has no other layers; is this the checkpoint's, rows (outputs) first?"
        )
    return m, n
