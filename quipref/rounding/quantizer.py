"""What `round_to` takes: the Quantizer, a protocol that a class meets by having its four members.

Nothing is inherited or registered. A quantizer may have four members more, which are looked for: `affine(m, dtype)`,
a grid's form for the compiled twins; `rounding`, "nearest" or "stochastic"; where rows differ,
`of_rows(rows, m)`, the quantizer of some of the m rows; and, where a code spans rows, `tile`, (rows, columns).
"""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Quantizer(Protocol):
    """Rounds `block` weights of each row together, to values that integer codes name."""

    @property
    def block(self) -> int:
        """Weights that are rounded together: 1 for a scalar grid, else a divisor of the columns."""

    @property
    def bits(self) -> float | None:
        """Bits a weight, None for an unbounded grid."""

    def quantize(
        self, T: NDArray[np.floating], rng: int | np.random.Generator | None = None
    ) -> tuple[NDArray[np.integer], NDArray[np.floating]]:
        """(codes, T_hat) for the targets T (rows, block): T_hat has T's shape, codes one row for each of T's."""

    def decode(self, codes: NDArray[np.integer]) -> NDArray[np.floating]:
        """The values T_hat that the codes stand for."""


class StoredQuantizer(Quantizer, Protocol):
    """A Quantizer whose codes have one fixed width, as the codes of a stored layer must."""

    @property
    def code_bits(self) -> int:
        """Bits that one code is stored with."""
