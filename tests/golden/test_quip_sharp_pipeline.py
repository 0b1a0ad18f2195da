"""QuIP#'s program from the layer to the stored codes and back, every array that it left.

`quipsharp_pipeline_e8p.npz`: a layer of 64 x 128 at 2 bits. Codes and points are reproduced to the bit, with and
without the coordinate passes; what the program computed in float32, to its noise.
"""

import numpy as np
import pytest

import quipref as q
from quipref.formats.quip_sharp import unpack_codes, unpack_weights
from quipref.lattice.scales import SOURCE_SCALES
from quipref.methods import quip_sharp
from quipref.rounding.block_descent import iterates
from quipref.rounding.ldlq import column_order

M, N = 64, 128
UNIT = 2.0**-24  # relative error of one float32 operation
HALF = 2.0**-11  # and of one in half precision
RUNS = ("buf", "unbuf")  # the program rounds in groups of columns or not, with the same result


@pytest.fixture(scope="module")
def case(golden):
    with np.load(golden / "quipsharp_pipeline_e8p.npz", allow_pickle=False) as archive:
        return dict(archive)


@pytest.fixture(scope="module")
def rounded(case):
    """(W_hat, codes) by quipref's LDLQ from the processed layer that the program left."""
    return q.ldlq(case["Wr_scaled"], case["Hr"], round_to=q.E8PQuantizer(), order="backward", return_codes=True)


def processed(case):
    """The program damps before it rotates, which comes to the same, and divides W by its root mean square."""
    signs = tuple(q.RandomizedHadamard.from_signs(case[name]) for name in ("SV", "SU"))
    W, H = case["W"].astype(np.float64) / float(case["weight_rms"]), case["Hreg"].astype(np.float64)
    return q.incoherence_process(W, H, transform=signs, rescale=False, damping=0.0)


def noise_of(W):
    """Both sides are rotated: sums of n terms are rounded not more than n + 2 times; |A| is m^-1/2, |B| n^-1/2."""
    return (M + N + 4) * UNIT * np.abs(W).sum() / np.sqrt(M * N)


class TestBefore:
    def test_damping(self, case):
        """The program divides H by its mean diagonal, a sum of N terms, before it adds 0.01."""
        H = case["H"].astype(np.float64)
        found = q.damp(H, 0.01) / H.diagonal().mean()
        assert (np.abs(found - case["Hreg"]) <= (N + 3) * UNIT * np.abs(found)).all()

    def test_both_sides_are_rotated(self, case):
        W, H = processed(case).measure(lambda W, H: (W, H))
        noise = noise_of(case["W"] / case["weight_rms"])
        assert np.abs(W - case["Wr"]).max() <= noise
        assert np.abs(H - case["Hr"]).max() <= (2 * N + 7) * UNIT * np.abs(case["Hreg"]).sum() / N
        assert noise < 0.01 * np.abs(W).mean()  # a wrong sign would be seen

    def test_scales(self, case):
        """Root mean squares in float32: for the worst order of summing, one rounding a term."""
        assert np.sqrt(np.square(case["W"].astype(np.float64)).mean()) == pytest.approx(
            float(case["weight_rms"]), rel=M * N * UNIT
        )
        scale = processed(case).measure(lambda W, H: quip_sharp.codebook(W, 2, SOURCE_SCALES[2]).scale)
        assert scale == pytest.approx(float(case["Wscale"]), rel=M * N * UNIT)
        assert scale != pytest.approx(float(case["Wscale"]) * 1.03, rel=M * N * UNIT)
        assert (case["Wr"] / case["Wscale"] == case["Wr_scaled"]).all()

    @pytest.mark.parametrize(("hessian", "factor", "pivots"), [("Hreg", "L8", "D8"), ("Hr", "Lr", "Dr")])
    def test_block_ldl_from_the_last_column_to_the_first(self, case, hessian, factor, pivots):
        """To first order a factor moves by cond(H) times H's own relative error, here that of a sum of n products."""
        order = column_order(N, 8, "backward")
        H = case[hessian].astype(np.float64)
        U, D = q.block_ldl(H[order][:, order], 8)
        noise = N * UNIT * np.linalg.cond(H)
        assert np.abs(U[order][:, order] + np.eye(N) - case[factor]).max() <= noise * np.abs(U).max()
        assert np.abs(D[::-1] - case[pivots]).max() <= noise * np.abs(D).max()
        assert noise < 0.01


class TestRounding:
    @pytest.mark.parametrize("run", RUNS)
    def test_block_ldlq_to_the_bit(self, case, rounded, run):
        assert (rounded[0] == case[f"hatWr_{run}_t0"]).all()
        assert (rounded[1] == case[f"Qidxs_{run}_t0"]).all()

    @pytest.mark.parametrize("run", RUNS)
    @pytest.mark.parametrize("width", [1, 16])
    def test_ten_passes_to_the_bit(self, case, rounded, run, width):
        """The plain iterates; with the fifth pass they have come to rest."""
        passes = iterates(case["Wr_scaled"], case["Hr"], *rounded, q.E8PQuantizer(), 10, "backward", width)
        *_, (W_hat, codes, _) = passes
        assert (W_hat == case[f"hatWr_{run}_t10"]).all()
        assert (codes == case[f"Qidxs_{run}_t10"]).all()

    def test_the_best_of_all_passes_is_better_than_the_last(self, case, rounded):
        """A pass can raise a row's loss: the program's last iterate is not its best."""
        W, H = case["Wr_scaled"], case["Hr"]
        start, last = (q.proxy_loss(W, case[f"hatWr_buf_t{passes}"], H) for passes in (0, 10))
        best = q.proxy_loss(W, q.block_descent(W, H, round_to=q.E8PQuantizer(), start=rounded[1]), H)
        assert best < last < start


class TestAfter:
    def test_codes_as_they_are_stored(self, case):
        packed, shape = case["Qidxs_packed"], (M, N)
        assert (unpack_codes(packed, shape, codebook="E8P12") == case["Qidxs_buf_t10"]).all()
        assert (unpack_weights(packed, shape, codebook="E8P12") == case["hatWr_buf_t10"]).all()

    def test_decoded_to_the_bit(self, case):
        for t in (0, 10):
            codes = case[f"Qidxs_buf_t{t}"].astype(np.uint16)
            assert (q.E8PQuantizer().decode(codes) == case[f"hatWr_buf_t{t}"]).all()

    def test_undone(self, case):
        W_hat = case["hatWr_buf_t10"].astype(np.float64) * float(case["Wscale"])
        assert np.abs(processed(case).transform.undo(W_hat) - case["hatW_normed"]).max() <= noise_of(W_hat)

    def test_signs_and_scales_are_stored_together(self, case):
        expected = case["SV"] * case["Wscale"] * case["weight_rms"]
        assert (np.abs(case["SV_stored"] - expected) <= (HALF + UNIT) * np.abs(expected)).all()

    def test_outputs(self, case):
        """Inputs, products and the stored scale are in half precision. All else is isometries, and float32."""
        scale = float(np.abs(case["SV_stored"][0]))
        W_hat = processed(case).transform.undo(case["hatWr_buf_t10"].astype(np.float64) * scale)
        x = case["x"].astype(np.float64)
        y = x @ W_hat.T
        noise = HALF * (np.linalg.norm(W_hat, 2) * np.linalg.norm(x, axis=1) + np.linalg.norm(y, axis=1))
        assert (np.linalg.norm(y - case["y"], axis=1) <= noise).all()

    def test_every_array_is_used(self, case):
        before = {"W", "H", "Hreg", "SU", "SV", "Wr", "Hr", "Wscale", "Wr_scaled", "weight_rms", "L8", "D8", "Lr", "Dr"}
        codes = {f"{name}_{run}_t{passes}" for name in ("hatWr", "Qidxs") for run in RUNS for passes in (0, 10)}
        after = {"hatW_normed", "Qidxs_packed", "SV_stored", "x", "y"}
        assert set(case) == before | codes | after
