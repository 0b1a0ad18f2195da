"""QTIP's program (commit e90c6688) and EXL3's: values of all states, and the words of whole sequences, to the bit."""

import numpy as np
import pytest

from quipref import BitshiftTrellis, pack, unpack
from quipref.trellis import codes

SEQUENCES = {
    "L12K1V1_lut": BitshiftTrellis(12, 1),
    "L12K2V1_1mad": BitshiftTrellis(12, 2),
    "L12K2V1_3inst": BitshiftTrellis(12, 2),
    "L16K2V2_quantlut_sym": BitshiftTrellis(16, 2, 2),
}


@pytest.fixture(scope="module")
def stored(golden):
    def read(name):
        with np.load(golden / f"{name}.npz", allow_pickle=False) as archive:
            return dict(archive)

    return read


def same_bits(found, expected):
    """Equal as patterns of bits, so that -0.0 is not 0.0."""
    assert found.dtype == expected.dtype == np.float32
    assert found.shape == expected.shape
    return (found.view(np.uint32) == expected.view(np.uint32)).all()


class TestValues:
    @pytest.mark.parametrize(
        ("code", "name"), [(codes.one_mad, "mad1"), (codes.two_mad, "mad2"), (codes.three_inst, "inst3")]
    )
    def test_computed_codes(self, stored, code, name):
        assert same_bits(code(16)[:, 0], stored("qtip_decode_tables")[name])

    @pytest.mark.parametrize(("name", "signed"), [("quantlut_sym_table", True), ("quantlut_table", False)])
    @pytest.mark.parametrize("table", ["tlut", "tlut_fp16"])
    def test_hybrid_code(self, stored, name, signed, table):
        archive = stored("qtip_hyb_tables")
        assert same_bits(codes.hyb(archive[table], 16, signed=signed), archive[name])

    @pytest.mark.parametrize(("code", "name"), [(codes.three_inst, "inst3"), (codes.mcg, "mcg"), (codes.mul1, "mul1")])
    def test_exl3(self, stored, code, name):
        expected = stored("exl3_codebooks")[name]
        assert expected.dtype == np.float16
        assert same_bits(code(16)[:, 0], expected.astype(np.float32))

    def test_a_sequence_is_the_values_of_its_states(self, stored):
        archive = stored("qtip_quantize_L12K2V1_1mad_f32")
        assert same_bits(codes.one_mad(12)[archive["states"]].reshape(16, 256), archive["recons"])

    def test_our_hybrid_table_has_the_normalisation_of_theirs(self, stored):
        """Rounding to half precision moves the deviation by 2^-11 of the root mean square at most."""
        for table in (stored("qtip_hyb_tables")["tlut"], codes.hyb_table(4, 0)):
            noise = 2.0**-11 * np.sqrt(np.square(table).mean())
            assert abs(table.astype(np.float64).std() - 0.9682458365518543) <= noise


class TestWords:
    @pytest.mark.parametrize("name", SEQUENCES)
    def test_qtip(self, stored, name):
        archive, trellis = stored(f"qtip_quantize_{name}_f32"), SEQUENCES[name]
        assert trellis.is_tail_biting(archive["states"]).all()
        words = pack(archive["states"], trellis)
        assert words.dtype == archive["packed_u16"].dtype
        assert (words == archive["packed_u16"]).all()
        found = unpack(archive["packed_u16"], trellis, 256)
        assert (found == archive["states"]).all()
        assert (found == archive["unpacked"]).all()

    @pytest.mark.parametrize("pipeline", ["hyb2bit_kernel_f32cb", "1mad2bit_nokernel"])
    def test_the_tiles_of_a_layer(self, stored, pipeline):
        archive = stored(f"qtip_pipeline_{pipeline}")
        trellis = BitshiftTrellis(16, 2, 2 if pipeline.startswith("hyb") else 1)
        words = pack(archive["states_per_tile"], trellis)
        assert (words == archive["packed_std_u16"]).all()
        assert (unpack(words, trellis, 256) == archive["states_per_tile"]).all()

    @pytest.mark.parametrize("k", [2, 4])
    def test_exl3(self, stored, k):
        archive, trellis = stored("exl3_decode_K2_K4"), BitshiftTrellis(16, k)
        words, states = archive[f"K{k}_trellis"].reshape(-1, 16 * k), archive[f"K{k}_states"].reshape(-1, 256)
        assert words.dtype == np.int16
        assert (unpack(words, trellis, 256, layout="exl3") == states).all()
        assert (pack(states, trellis, layout="exl3").view(np.int16) == words).all()
        assert (pack(states, trellis).view(np.int16) != words).any()

    @pytest.mark.parametrize(("code", "stored_as"), [(codes.three_inst, 0), (codes.mcg, 1), (codes.mul1, 2)])
    @pytest.mark.parametrize("k", [2, 4])
    def test_exl3_weights(self, stored, k, code, stored_as):
        """The values of the states, in the order that a tile of 16 x 16 has, are its decoder's weights."""
        archive = stored("exl3_decode_K2_K4")
        states = unpack(archive[f"K{k}_trellis"].reshape(-1, 16 * k), BitshiftTrellis(16, k), 256, layout="exl3")
        lane, q = np.divmod(np.arange(256), 8)
        row, column = 2 * (lane % 4) + (q & 1) + 8 * (q >> 1 & 1), lane // 4 + 8 * (q >> 2)
        tiles = np.empty((len(states), 16, 16), np.float32)
        tiles[:, row, column] = code(16)[:, 0][states]
        W_hat = tiles.reshape(8, 16, 16, 16).swapaxes(1, 2).reshape(128, 256)
        assert same_bits(W_hat, archive[f"K{k}_cb{stored_as}_What"].astype(np.float32))
