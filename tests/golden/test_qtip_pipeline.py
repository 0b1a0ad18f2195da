"""QTIP's program (commit e90c6688) from the layer to the stored words and back, every array that it left.

`qtip_pipeline_*.npz`: a layer of 64 x 128 at 2 bits with L = 16, once with the hybrid code and the layout that the
kernels read, once with 1MAD in half precision and plain tiles. `qtip_kernel_randombits_K2.npz`: random words in the
kernels' layout, decoded. States and words are reproduced to the bit; what the program computed in float32, to its
noise.
"""

import numpy as np
import pytest
from golden import qtip_program as program

import quipref as q
from quipref.methods import qtip
from quipref.rounding.ldlq import column_order
from quipref.trellis import codes

M, N = 64, 128
UNIT = 2.0**-24  # relative error of one float32 operation
HALF = 2.0**-11  # and of one in half precision

CASES = {
    "hyb2bit_kernel_f32cb": (program.HalfTargets, "mma"),
    "1mad2bit_nokernel": (program.HalfEverything, "row"),
}
FACTS = {"m", "n", "L", "K", "V", "mode", "tlut_bits", "for_kernel", "cb_dtype", "lut"}


def read(path):
    with np.load(path, allow_pickle=False) as archive:
        return dict(archive)


class Case:
    """A pipeline's arrays, and quipref's own objects for it."""

    def __init__(self, folder, name):
        self.stored = read(folder / f"qtip_pipeline_{name}.npz")
        self.quantizer, self.order = CASES[name]
        self.hybrid = self.order == "mma"
        self.table = codes.hyb(self["tlut"], 16) if self.hybrid else codes.one_mad(16)
        self.trellis = q.BitshiftTrellis(16, 2, 2 if self.hybrid else 1)

    def __getitem__(self, name):
        return self.stored[name]

    def in_its_precision(self):
        return self.table if self.hybrid else self.table.astype(np.float16).astype(np.float32)

    def tiles(self, quantizer=q.TrellisQuantizer, table=None):
        return quantizer(self.table if table is None else table, self.trellis, order_in_tile=self.order)

    def processed(self):
        signs = tuple(q.RandomizedHadamard.from_signs(self[name]) for name in ("SV", "SU"))
        W, H = (self[name].astype(np.float64) for name in "WH")
        return q.incoherence_process(W, H, transform=signs, rescale=False, damping=0.01)

    def words_in_our_order(self):
        return program.codes_of_tiles(self["packed_std_u16"], M)


@pytest.fixture(scope="module", params=CASES)
def case(request, golden):
    return Case(golden, request.param)


@pytest.fixture(scope="module")
def rounded(case):
    """(W_hat, words) by quipref's LDLQ from the processed layer that the program left, and which rows they are."""
    rows = M if case.hybrid else 16  # half precision is slow in NumPy, and one row of tiles does not feel the others
    tiles = case.tiles(case.quantizer, case.in_its_precision())
    found = q.ldlq(case["Wr_scaled"][:rows], case["HRr"], round_to=tiles, order="backward", return_codes=True)
    return *found, slice(rows)


class TestBefore:
    def test_damping(self, case):
        """Three operations of float32 for each number."""
        assert (np.abs(q.damp(case["H"].astype(float), 0.01) - case["H_reg"]) <= 3 * UNIT * np.abs(case["H_reg"])).all()

    def test_both_sides_are_rotated(self, case):
        """A sum of n terms is rounded not more than n + 2 times; all entries of |A| are m^-1/2, of |B| n^-1/2."""
        W, H = case.processed().measure(lambda W, H: (W, H))
        noise = (M + N + 4) * UNIT * np.abs(case["W"]).sum() / np.sqrt(M * N)
        assert np.abs(W - case["Wr_scaled"] * float(case["Wscale"])).max() <= noise
        assert np.abs(H - case["HRr"]).max() <= (2 * N + 7) * UNIT * np.abs(case["H_reg"]).sum() / N
        assert noise < 0.01 * np.abs(W).mean()  # a wrong sign would be seen

    def test_scale(self, case):
        """Root mean squares in float32: for the worst order of summing, one rounding a term."""
        scale = case.processed().measure(lambda W, H: qtip.filling_scale(W, case.in_its_precision(), 0.9))
        assert scale == pytest.approx(float(case["Wscale"]), rel=M * N * UNIT)
        assert scale != pytest.approx(float(case["Wscale"]) * 0.9, rel=M * N * UNIT)

    def test_block_ldl_from_the_last_column_to_the_first(self, case):
        """To first order a factor moves by cond(H) times H's own relative error, here that of a sum of n products."""
        order = column_order(N, 16, "backward")
        H = case["HRr"].astype(np.float64)
        U, D = q.block_ldl(H[order][:, order], 16)
        noise = N * UNIT * np.linalg.cond(H)
        theirs = case["L_blockldl"] - np.eye(N) * case["L_blockldl"].diagonal()
        assert np.abs(U[order][:, order] - theirs).max() <= noise * np.abs(U).max()
        assert np.abs(D[::-1] - case["D_blockldl"]).max() <= noise * np.abs(D).max()
        assert set(case["L_blockldl"].diagonal()) <= {0.0, 1.0}


@pytest.mark.jit
class TestRounding:
    def test_weights_to_the_bit(self, case, rounded):
        W_hat, _, rows = rounded
        assert (W_hat == case["hatWr"][rows]).all()

    def test_words_to_the_bit(self, case, rounded):
        _, words, rows = rounded
        assert (words == case.words_in_our_order()[rows]).all()

    def test_words_as_they_are_stored(self, case):
        words = case["packed_std_u16"]
        stored = program.kernel_layout(words, M, N) if case.hybrid else words.view(np.int16)
        assert (stored == case["trellis_i16"]).all()


class TestAfter:
    def test_states(self, case):
        states = q.unpack(case["packed_std_u16"], case.trellis, 256)
        assert (states == case["states_per_tile"]).all()
        assert (q.pack(states, case.trellis) == case["packed_std_u16"]).all()
        listed = case["Qidxs"].reshape(M // 16, 16, N // 16, -1).swapaxes(1, 2)
        assert (listed.reshape(states.shape) == states).all()

    def test_order_in_the_tile(self, case):
        assert (np.argsort(case["PERMUTE"]) == case["INV_PERMUTE"]).all()
        W_hat = q.decode(case["states_per_tile"], case.table)[:, case["INV_PERMUTE"] if case.hybrid else slice(None)]
        whole = W_hat.reshape(M // 16, N // 16, 16, 16).swapaxes(1, 2).reshape(M, N)
        assert (case.tiles().decode(case.words_in_our_order()) == whole).all()

    def test_decoded_to_the_bit(self, case):
        W_hat = case.tiles().decode(case.words_in_our_order())
        assert (W_hat == case["hatW_decoded"]).all()
        assert np.abs(W_hat - case["hatWr"]).max() <= HALF * np.abs(W_hat).max()  # 1MAD was searched in half precision

    def test_undone(self, case):
        undo = case.processed().transform.undo
        W_hat = undo(case["hatWr"].astype(np.float64) * float(case["Wscale"]))
        noise = (M + N + 4) * UNIT * np.abs(case["hatWr"]).sum() / np.sqrt(M * N) * float(case["Wscale"])
        assert np.abs(W_hat - case["hatW_orig"]).max() <= noise
        # Kept for inference: divided by 32, without the scale and the signs, in half precision.
        bare = undo(case["hatW_decoded"].astype(np.float64) / 32) * case["SV"][:, None] * case["SU"]
        assert (np.abs(bare - case["hatW_cache_fixW"]) <= 2 * HALF * np.abs(bare) + noise).all()

    def test_signs_and_scale_are_stored_together(self, case):
        assert (case["SU_stored"] == case["SU"]).all()
        assert (case["SV_stored"] == case["SV"] * case["Wscale"]).all()

    def test_outputs(self, case):
        """The hybrid code multiplies in half precision: inputs, outputs. All else is isometries, and float32."""
        W_hat = case.processed().transform.undo(case["hatW_decoded"].astype(np.float64) * float(case["Wscale"]))
        x = case["x"].astype(np.float64)
        y = x @ W_hat.T
        unit = HALF if case.hybrid else (M + N) * UNIT
        noise = unit * (np.linalg.norm(W_hat, 2) * np.linalg.norm(x, axis=1) + np.linalg.norm(y, axis=1))
        assert (np.linalg.norm(y - case["y"], axis=1) <= noise).all()

    def test_loss(self, case):
        W, H = case["Wr_scaled"].astype(np.float64), case["HRr"]
        found = q.proxy_loss(W, case["hatWr"], H) / q.proxy_loss(W, 0 * W, H)
        assert found == pytest.approx(float(case["proxy_err"]), rel=2 * N * UNIT)

    def test_every_array_is_used(self, case):
        before = {"W", "H", "H_reg", "SU", "SV", "Wr_scaled", "HRr", "Wscale", "L_blockldl", "D_blockldl"}
        words = {"hatWr", "Qidxs", "states_per_tile", "packed_std_u16", "trellis_i16", "PERMUTE", "INV_PERMUTE", "tlut"}
        after = {"SU_stored", "SV_stored", "hatW_decoded", "hatW_cache_fixW", "hatW_orig", "x", "y", "proxy_err"}
        assert set(case.stored) == FACTS | before | words | after
        facts = [16, 2, 2 if case.hybrid else 1, M, N, case.hybrid]
        assert [case[name] for name in ("L", "K", "V", "m", "n", "for_kernel")] == facts


def test_random_words_in_the_kernels_layout(golden):
    stored = read(golden / "qtip_kernel_randombits_K2.npz")
    m, n = int(stored["m"]), int(stored["n"])
    words = program.from_kernel_layout(stored["trellis_i16"], m, n)
    assert (program.kernel_layout(words, m, n) == stored["trellis_i16"]).all()
    trellis = q.BitshiftTrellis(16, int(stored["K"]), 2)
    tiles = q.TrellisQuantizer(codes.hyb(stored["tlut"], 16), trellis, order_in_tile="mma")
    assert (tiles.decode(program.codes_of_tiles(words, m)) == stored["decoded"]).all()
