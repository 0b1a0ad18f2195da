"""The hybrid code: half a hash, half a table that is small enough for a processor's fastest memory."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from quipref import checks
from quipref.trellis.bitshift import LARGEST_STATE_BITS
from quipref.trellis.table_codes import checked, states

HASH_BITS = 16  # of s (s + 1) that the hybrid code looks at: the sign, and below it the index


def hyb(table: ArrayLike, state_bits: int, *, signed: bool = True) -> NDArray[np.float32]:
    """HYB, the hybrid code: a hash picks the row of a small table, and one more of its bits a sign.

    h = s (s + 1) mod 2^16;  value = table[the Q bits of h below its highest], column 0 negated if the highest is set

    Parameters
    ----------
    table : array (2^Q, V), real, Q from 1 to 15
        The released models have Q = 9, V = 2 and half-precision entries, a table a layer.
    state_bits : int
        L, from 1 to 20. No more than 16 bits of s count.
    signed : bool
        False is the older form: no sign, and the index is the highest Q bits of h.

    Returns
    -------
    array (2^L, V), float32
        The table's numbers; a negated zero is -0.0.

    Raises
    ------
    ValueError, TypeError
        L is no integer from 1 to 20, or the table has another shape or numbers that are not finite.

    Notes
    -----
    The paper's text negates the second entry of a pair, the authors' program and its models the first: so does this.

    References
    ----------
    QTIP, arXiv:2406.11235, section 3.1.2; `quantlut_sym` (and `quantlut`) of QTIP's program, commit e90c6688.

    Examples
    --------
    >>> import numpy as np
    >>> hyb(np.array([[1.0, 2.0], [3.0, 4.0]]), 16)[[1, 128, 181]]
    array([[ 1.,  2.],
           [ 3.,  4.],
           [-1.,  2.]], dtype=float32)
    """
    entries = checked(table, most_bits=HASH_BITS - 1)
    index, negative = _hash(state_bits, len(entries).bit_length() - 1, checks.boolean(signed, "signed"))
    return _turned(entries[index], negative)


def hyb_entries(values: ArrayLike, table_bits: int, *, signed: bool = True) -> NDArray[np.float32]:
    """The small table of a hybrid code from its values, the inverse of `hyb`: what a decoder keeps at hand.

    hyb(hyb_entries(values, Q), L) = values

    Parameters
    ----------
    values : array (2^L, V), real
        As from `hyb`.
    table_bits : int
        Q, from 1 to 15.
    signed : bool
        As in `hyb`.

    Returns
    -------
    array (2^Q, V), float32
        Rows that no state reaches, of which small trellises have many, are zeros.

    Raises
    ------
    ValueError, TypeError
        The values are no hybrid code of such a table, or not of a power of two of states; or Q is no integer from 1
        to 15.

    Examples
    --------
    >>> import numpy as np
    >>> table = np.array([[1.0, 2.0], [3.0, 4.0]])
    >>> hyb_entries(hyb(table, 16), 1)
    array([[1., 2.],
           [3., 4.]], dtype=float32)
    """
    values = checked(values, "values", most_bits=LARGEST_STATE_BITS)
    Q = checks.integer(table_bits, "table_bits", low=1, high=HASH_BITS - 1)
    index, negative = _hash(len(values).bit_length() - 1, Q, checks.boolean(signed, "signed"))
    entries = np.zeros((1 << Q, values.shape[1]), np.float32)
    entries[index] = _turned(values, negative)
    if (_turned(entries[index], negative).view(np.uint32) != values.view(np.uint32)).any():
        raise ValueError(
            f"values must be those of a hybrid code with a table of {len(entries)} rows, but states that share a row "
            "of it differ. Pass what quipref.trellis.codes.hyb made, and its table_bits."
        )
    return entries


def _hash(state_bits, Q, signed):
    """(row of the table, whether the first value is negated) for every state."""
    s = states(state_bits)
    h = s * (s + np.uint64(1))
    index = h >> np.uint64(HASH_BITS - signed - Q) & np.uint64((1 << Q) - 1)
    return index, signed & (h >> np.uint64(HASH_BITS - 1) & np.uint64(1)).astype(bool)


def _turned(values, negative):
    """The values, the first of each row negated where it is to be: its own inverse, for zeros too."""
    values = values.copy()
    values[:, 0] *= np.where(negative, np.float32(-1), np.float32(1))
    return values
