"""QuIP#'s program (commit 1d8f873e): the points of all codes, and the codes of 4096 Gaussian vectors, to the bit."""

import zlib

import numpy as np
import pytest
from sizes import size

from quipref import E8PQuantizer
from quipref.lattice import e8p

BACKENDS = size(["numba", "numpy"], ["numpy"])


@pytest.fixture(scope="module")
def stored(golden):
    with np.load(golden / "quipsharp_quantize_e8p.npz", allow_pickle=False) as archive:
        return dict(archive)


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_nearest_points_and_their_codes(stored, backend):
    """The program searches the multiple of X by its scale."""
    codes, X_hat = e8p.quantize(stored["X"] * np.float32(stored["e8p_scale"]), backend=backend)
    assert (codes == stored["e8p_idx"]).all()
    assert X_hat.dtype == stored["e8p_vals"].dtype
    assert (X_hat == stored["e8p_vals"]).all()
    assert (e8p.decode(stored["e8p_idx"], backend=backend) == stored["e8p_vals"]).all()


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_scale_is_the_reciprocal_of_theirs(stored, backend):
    """No code differs, though x / (1 / s) is rounded otherwise than x s."""
    codes, _ = E8PQuantizer(1 / stored["e8p_scale"], backend=backend).quantize(stored["X"])
    assert (codes[:, 0] == stored["e8p_idx"]).all()


def test_one_codebook_has_no_second_scale(stored):
    assert stored["e8p_resid_scale"] == -1


def test_all_points_have_the_checksum_of_the_program():
    """Four times the coordinates as bytes, in the order of the codes."""
    assert zlib.crc32((4 * e8p.points()).astype(np.int8).tobytes()) == 0xD4E2F266


def test_the_packed_table_has_the_checksum_of_the_program():
    """A word a pattern, nibble k = 2 v + 8 for coordinate 0, 2, 4, 6, 1, 3, 5, 7; the last is negative for odd sums."""
    stored = e8p.patterns().copy()
    stored[stored.sum(axis=1) % 2 == 1, 7] *= -1
    nibbles = (2 * stored + 8).astype(np.uint32)[:, [0, 2, 4, 6, 1, 3, 5, 7]]
    words = (nibbles << (4 * np.arange(8, dtype=np.uint32))).sum(axis=1, dtype=np.uint32)
    assert [hex(words[row]) for row in (0, 1, 255)] == ["0x99999999", "0x59999999", "0x7b9bbb9b"]
    assert zlib.crc32(words.astype("<u4").tobytes()) == 0xB1A1A044
