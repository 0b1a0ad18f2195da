"""QuIP#'s program: packed codes of E8P and the points of one bit a weight, to the bit."""

import zlib

import numpy as np
import pytest

from quipref.formats import quip_sharp
from quipref.lattice import e8p, one_bit


@pytest.fixture(scope="module")
def stored(golden):
    with np.load(golden / "quipsharp_pack_e8p.npz", allow_pickle=False) as archive:
        return dict(archive)


def test_codes_are_packed_as_the_program_packs_them(stored):
    codes = stored["e8p_idx"].astype(np.uint16)
    assert (codes == stored["e8p_idx"]).all()
    packed = quip_sharp.pack_weights(codes)
    assert packed.dtype == stored["e8p_packed"].dtype
    assert np.array_equal(packed, stored["e8p_packed"])


def test_packed_words_are_read(stored):
    codes = quip_sharp.unpack_codes(stored["e8p_packed"], (32, 128))
    assert codes.dtype == np.uint16
    assert np.array_equal(codes, stored["e8p_idx"])
    W_hat = quip_sharp.unpack_weights(stored["e8p_packed"], (32, 128))
    assert np.array_equal(W_hat, e8p.points()[stored["e8p_idx"]].reshape(32, 128))


def test_the_layer_of_the_pipeline(golden):
    """Its stored words are the codes of its last run, and stand for the weights that the program rounded to."""
    with np.load(golden / "quipsharp_pipeline_e8p.npz", allow_pickle=False) as archive:
        packed, codes, W_hat = (archive[name] for name in ("Qidxs_packed", "Qidxs_buf_t10", "hatWr_buf_t10"))
    assert np.array_equal(quip_sharp.unpack_codes(packed, W_hat.shape), codes)
    assert np.array_equal(quip_sharp.unpack_weights(packed, W_hat.shape), W_hat)
    assert np.array_equal(quip_sharp.pack_weights(codes.astype(np.uint16)), packed)


def test_one_bit_points_have_the_checksum_of_the_program():
    """Twice the coordinates as bytes, row by row."""
    assert zlib.crc32((2 * one_bit.points()).astype(np.int8).tobytes()) == 0xC3347388
