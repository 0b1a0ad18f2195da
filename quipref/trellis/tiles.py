"""Tiles of a layer as walks through a trellis: QTIP's Quantizer, which `ldlq` rounds 16 columns at a time with.

A tile of 16 x 16 weights is one sequence of 256. The rows of a tile belong to different outputs, so the walk goes
through weights that no feedback joins, and the feedback from one column of tiles to the next is LDLQ's as ever.
"""

from collections.abc import Sequence
from math import gcd
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from quipref import backend as backends
from quipref import checks
from quipref.rounding.scale import in_units, stored_scale
from quipref.trellis.bitshift import BitshiftTrellis, checked_trellis
from quipref.trellis.packing import WORD, pack, unpack
from quipref.trellis.viterbi import PRECISIONS, Precision, arguments, decode, viterbi

SCALE_BITS = 32  # the scale is a float32
TileOrder = Literal["row", "mma"]
ORDERS = get_args(TileOrder)


class TrellisQuantizer:
    """The Quantizer of tiles of weights, each a tail-biting walk through the trellis, with one scale for all.

    t_hat = scale * table[state],    the walk with the least squared error of t / scale that Viterbi's search finds

    Parameters
    ----------
    table : array (2^L, V), float32
        The values of each state, from `quipref.trellis.codes`.
    trellis : BitshiftTrellis
    scale : float
        At least 0 and kept in single precision; 0 makes every weight 0.
    tile : (int, int)
        Rows and columns of a tile. A row of it must fill whole words of 16 bits, and the tile at least one state.
    order_in_tile : "row" or "mma"
        Row after row, or as a GPU's tensor cores hold a tile of 16 x 16, which is what the authors' kernels read.
    precision, backend, threads
        As in `quipref.viterbi`.

    Raises
    ------
    ValueError, TypeError
        A scale that is negative or beyond single precision, a tile that fills no whole words or not one state, or a
        table of the wrong shape.

    Notes
    -----
    A code is a word of 16 bits; each row of targets gets its share of its tile's words, so that codes are an array
    like the layer itself, with k / 16 words a weight. They take exactly k bits a weight.

    References
    ----------
    QTIP, arXiv:2406.11235, algorithm 5.

    Examples
    --------
    >>> import numpy as np
    >>> from quipref.trellis.codes import one_mad
    >>> tiles = TrellisQuantizer(one_mad(8), BitshiftTrellis(state_bits=8, bits_per_weight=2), tile=(4, 8))
    >>> T = np.random.default_rng(0).standard_normal((4, 8))
    >>> codes, T_hat = tiles.quantize(T)
    >>> codes.shape, bool((tiles.decode(codes) == T_hat).all()), bool(((T - T_hat) ** 2).mean() < 0.2)
    ((4, 1), True, True)
    """

    code_bits = WORD

    def __init__(
        self, table: ArrayLike, trellis: BitshiftTrellis, *, scale: float = 1.0, tile: tuple[int, int] = (16, 16),
        order_in_tile: TileOrder = "row", precision: Precision = "exact", backend: backends.Backend = "numba",
        threads: int | None = None,
    ) -> None:  # fmt: skip
        self.tile = checked_tile(tile, trellis)
        _, self.table = arguments(np.zeros((1, self.tile[0] * self.tile[1]), np.float32), table, trellis)
        self.trellis, self.scale = trellis, stored_scale(scale)
        self.order_in_tile = checks.choice(order_in_tile, "order_in_tile", ORDERS)
        if order_in_tile == "mma" and self.tile != (16, 16):
            raise ValueError(f"tile must be (16, 16) for order_in_tile='mma', but {self.tile} came. Use 'row'.")
        checks.choice(precision, "precision", PRECISIONS)
        backends.compiled(backend)
        backends.thread_count(threads)
        self._search = {"precision": precision, "backend": backend, "threads": threads}

    @property
    def block(self) -> int:
        """The columns of a tile: so many are rounded together."""
        return self.tile[1]

    @property
    def bits(self) -> int:
        """Bits a weight: k."""
        return self.trellis.bits_per_weight

    def quantize(
        self, T: ArrayLike, rng: int | np.random.Generator | None = None
    ) -> tuple[NDArray[np.uint16], NDArray[np.floating]]:
        """Round targets T (rows, columns), any number of tiles of them; return (codes, T_hat), T_hat as T.

        `rng` is not used: nothing here is drawn.
        """
        T = checks.real_array(T, "T", ndim=2)
        check_tiles(T.shape, self.tile, "T")
        states = self.walks(self._sequences(in_units(T, self.scale)))
        words = T.shape[1] // self.block * self._words
        codes = _from_tiles(pack(states, self.trellis), (T.shape[0], words), self.tile[0], self._words)
        return codes, self._weights(states, T.shape).astype(T.dtype, copy=False)

    def walks(self, X: NDArray[np.float32]) -> NDArray[np.int32]:
        """The states of the best walk found for each sequence of X (tiles, weights of a tile), in units of the code."""
        return viterbi(X, self.table, self.trellis, **self._search)

    def decode(self, codes: ArrayLike) -> NDArray[np.float64]:
        """The weights (m, n) of codes (m, k n / 16), as float64, which holds scale times value exactly."""
        codes = self._checked_codes(codes)
        m, words = codes.shape
        n = words // self._words * self.block
        W_hat = np.empty((m, n))
        for top in range(0, m, self.tile[0]):  # a row of tiles at a time: their states take more room than their words
            here = slice(top, top + self.tile[0])
            streams = _to_tiles(codes[here], self.tile[0], self._words)
            states = unpack(streams, self.trellis, self.tile[0] * self.tile[1])
            W_hat[here] = self._weights(states, (self.tile[0], n))
        return W_hat

    def streams(self, codes: ArrayLike) -> NDArray[np.uint16]:
        """The walk of each tile, R C k / 16 words: codes (m, k n / 16) by tiles from left to right, then downwards."""
        return _to_tiles(self._checked_codes(codes), self.tile[0], self._words)

    def _checked_codes(self, codes):
        codes = np.asarray(codes)
        if codes.dtype != np.uint16 or codes.ndim != 2:
            raise TypeError(
                f"codes must be a matrix of uint16, but they are {codes.dtype} of shape {codes.shape}. "
                "TrellisQuantizer.quantize makes them."
            )
        if codes.shape[0] % self.tile[0] or codes.shape[1] % self._words:
            raise ValueError(
                f"codes must have {self.tile[0]} rows and {self._words} columns for each tile of {self.tile[0]} x "
                f"{self.block} weights, or multiples of them, but their shape is {codes.shape}. "
                "Pass all that TrellisQuantizer.quantize made, to one of the same tile and trellis."
            )
        return codes

    @property
    def _words(self):
        """Words that a row of a tile takes."""
        return self.block * self.bits // WORD

    @property
    def _places(self):
        """The place in the tile, counted row by row, of each weight of its sequence."""
        places = np.arange(self.tile[0] * self.tile[1])
        if self.order_in_tile == "row":
            return places
        # row = 8 a + b, column = 8 d + 2 e + f; the sequence counts b, e, d, a, f, the last the fastest
        return places.reshape(2, 8, 2, 4, 2).transpose(1, 3, 2, 0, 4).ravel()

    def _sequences(self, T):
        return _to_tiles(T, *self.tile)[:, self._places]

    def _weights(self, states, shape):
        tiles = np.empty((len(states), self.tile[0] * self.tile[1]))
        tiles[:, self._places] = decode(states, self.table)
        return self.scale * _from_tiles(tiles, shape, *self.tile)

    def __repr__(self) -> str:
        return f"TrellisQuantizer({self.trellis}, scale={self.scale:g}, tile={self.tile})"


def checked_tile(tile, trellis):
    """(rows, columns) of a tile whose rows fill whole words and whose walk may be a circle in that trellis."""
    k = checked_trellis(trellis).bits_per_weight
    sides = tile.tolist() if isinstance(tile, np.ndarray) else tile
    if not isinstance(sides, Sequence) or len(sides) != 2:
        raise TypeError(f"tile must be a pair (rows, columns), but {tile!r} came. The usual one is (16, 16).")
    rows, columns = (checks.integer(side, "each side of tile", low=1) for side in sides)
    if columns * k % WORD:
        raise ValueError(
            f"tile must have rows of whole 16-bit words, but {columns} columns of {k} bits came. "
            f"At {k} bits any multiple of {WORD // gcd(WORD, k)} columns will do."
        )
    trellis.check_tail_biting(rows * columns, "tile")
    return rows, columns


def check_tiles(shape, tile, name):
    """Refuse a matrix that tiles do not fill."""
    if shape[0] % tile[0] or shape[1] % tile[1]:
        raise ValueError(
            f"{name} must consist of whole tiles of {tile[0]} x {tile[1]}, but it is {shape[0]} x {shape[1]}. "
            "Pad the layer (and its H) with zeros, and cut the rows and columns off afterwards; or take another tile."
        )


def _to_tiles(M, rows, columns):
    """The tiles of a matrix, each as one row: from left to right, then from top to bottom."""
    m, n = M.shape
    return M.reshape(m // rows, rows, n // columns, columns).swapaxes(1, 2).reshape(-1, rows * columns)


def _from_tiles(tiles, shape, rows, columns):
    """The matrix of that shape whose tiles these are."""
    m, n = shape
    return tiles.reshape(m // rows, n // columns, rows, columns).swapaxes(1, 2).reshape(m, n)
