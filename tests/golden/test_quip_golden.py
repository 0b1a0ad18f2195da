"""quipref's methods against what QuIP's program (commit ac92cfc7) put out, to the last entry.

`quip_rounding.npz`: a layer of 32 x 96 on the integers 0 ... 2^b - 1, in float32 and float64; test_quip_layers.py
goes through every array of it, here are those that a method of quipref gives, or gives but for the clamp.
`quip_gptq_equiv.npz`: OPTQ's program and QuIP's forward LDLQ on one layer of 64 x 96, a grid a row.
`quip_optq_counter.json`: the losses of QuIP's finite-grid counterexample.
"""

import json

import numpy as np
import pytest
from golden.quip_program import PRECISIONS, Shifted, Stored, descent
from sizes import size

from quipref import IntegerGrid, greedy, ldlq, ldlq_rg, optq, proxy_loss
from quipref.rounding.grid import AffineGrid

BACKENDS = size(["numba", "numpy"], ["numpy"])


@pytest.fixture(scope="module")
def archive(golden):
    with np.load(golden / "quip_rounding.npz", allow_pickle=False) as archive:
        return dict(archive)


@pytest.fixture(params=PRECISIONS)
def layer(request, archive):
    """Both precisions."""
    return Stored(archive, request.param)


@pytest.fixture(params=[precision for precision in PRECISIONS if precision.endswith("f32")])
def layer32(request, archive):
    """The precision in which all results are stored."""
    return Stored(archive, request.param)


def float32_noise(W, W_hat, H):
    """How far a loss is off that was summed in float32, as the stored losses were.

    Two products of length n, each rounding n times by up to 2^-24 of the summands' sizes; roundings add
    like a random walk, of which five standard deviations are allowed.
    """
    E = np.abs(W_hat - W)
    return 5 * np.sqrt(2 * len(H)) * 2**-24 * ((E @ np.abs(H)) * E).sum()


class TestRounding:
    def test_nearest(self, layer):
        assert (layer.grid.quantize(layer["w"])[1] == layer["near"]).all()

    @pytest.mark.parametrize("backend", BACKENDS)
    def test_ldlq_backward(self, layer, backend):
        found = ldlq(layer["w"], layer["H"], round_to=layer.grid, order="backward", backend=backend)
        assert found.dtype == layer["w"].dtype
        assert (found == layer["ldl_p0"]).all()

    @pytest.mark.parametrize("backend", BACKENDS)
    @pytest.mark.parametrize("method", [ldlq, optq])
    def test_ldlq_and_optq_forward(self, layer, method, backend):
        found = method(layer["w"], layer["H"], round_to=layer.grid, backend=backend)
        assert (found == layer["gptqequiv"]).all()

    def test_the_stored_results_tell_the_methods_apart(self, layer):
        names = ["near", "ldl_p0", "gptqequiv", "ldl_p9"]
        for i, name in enumerate(names):
            assert all((layer[name] != layer[other]).any() for other in names[:i])

    @pytest.mark.parametrize("backend", BACKENDS)
    def test_unbiased_ldlq_with_the_stored_draws(self, layer32, backend):
        draws = Shifted(layer32["eta_seed11"].T[::-1], layer32.grid)
        found = ldlq(layer32["w"], layer32["H"], round_to=draws, order="backward", backend=backend)
        assert (found == layer32["ldl_unbiased_seed11"]).all()

    @pytest.mark.parametrize("backend", BACKENDS)
    def test_ldlq_rg_without_its_passes(self, layer32, backend):
        """Which the program's lazy version never makes."""
        found = ldlq_rg(layer32["w"], layer32["H"], round_to=layer32.grid, passes=0, backend=backend)
        assert found.dtype == np.float32
        assert (found == layer32["ldlqRG_p0"]).all()
        assert (found == layer32["ldlqRG_lazy_p9"]).all()


class TestGreedyPasses:
    """Ours clamp inside each update, the program's after each pass: the same rows wherever it never had to clamp."""

    @pytest.mark.parametrize("backend", BACKENDS)
    @pytest.mark.parametrize("name", ["ldl_p1", "ldl_p9", "ldlblock_p9"])
    def test_after_ldlq(self, layer, name, backend):
        w, H, grid, passes = layer["w"], layer["H"], layer.grid, int(name[-1])
        start = ldlq(w, H, round_to=grid, order="backward", backend=backend)
        found = greedy(w, H, round_to=grid, start=start, passes=passes, order="backward", backend=backend)
        clamped = descent(w, start, H, range(len(H))[::-1], passes, grid.high)[1]
        assert clamped.any()
        self.same_where_it_did_not_clamp(w, H, found, layer[name], clamped)

    @pytest.mark.parametrize("backend", BACKENDS)
    def test_ldlq_rg(self, layer32, backend):
        w, H, grid = layer32["w"], layer32["H"], layer32.grid
        found = ldlq_rg(w, H, round_to=grid, backend=backend)
        order = np.argsort(H.diagonal(), kind="stable")
        sorted_w, sorted_H = w[:, order], H[np.ix_(order, order)]
        start = ldlq(sorted_w, sorted_H, round_to=grid, order="backward", backend=backend)
        clamped = descent(sorted_w, start, sorted_H, range(len(H))[::-1], 9, grid.high)[1]
        self.same_where_it_did_not_clamp(w, H, found, layer32["ldlqRG_p9"], clamped)

    def same_where_it_did_not_clamp(self, w, H, ours, theirs, clamped):
        assert (ours == theirs)[~clamped].all()
        assert (~clamped).sum() >= 3
        assert proxy_loss(w, ours, H) <= proxy_loss(w, theirs, H)


class TestOptqEquivalence:
    """OPTQ's program and QuIP's forward LDLQ gave the same matrix; ours are that matrix."""

    @pytest.fixture
    def stored(self, golden):
        with np.load(golden / "quip_gptq_equiv.npz", allow_pickle=False) as archive:
            return dict(archive)

    @pytest.fixture
    def grid(self, stored):
        assert not stored["zero"].any()  # levels scale * (0 ... 7)
        return AffineGrid(stored["scale"], 0.0, 0, int(stored["maxq"]))

    def test_the_two_programs_agree(self, stored):
        assert (stored["gptq"] == stored["ldl"]).all()

    @pytest.mark.parametrize("backend", BACKENDS)
    @pytest.mark.parametrize("method", [ldlq, optq])
    def test_ours_agree_with_both(self, stored, grid, method, backend):
        found, codes = method(stored["W"], stored["H"], round_to=grid, backend=backend, return_codes=True)
        assert (found == stored["gptq"]).all()
        assert codes.max() == stored["maxq"]

    def test_nearest(self, stored, grid):
        assert (grid.quantize(stored["W"])[1] == stored["near"]).all()

    @pytest.mark.parametrize(("name", "result"), [("err_gptq", "gptq"), ("err_ldl", "ldl"), ("err_near", "near")])
    def test_losses(self, stored, name, result):
        loss = proxy_loss(stored["W"], stored[result], stored["H"])
        assert abs(loss - stored[name]) <= float32_noise(stored["W"], stored[result], stored["H"])


def counterexample(n, rows, c=0.01):
    """QuIP's supplement: LDLQ on a finite grid that loses to nearest rounding; all rows of W are equal."""
    H = np.ones((n, n)) + np.eye(n)
    H[-1, -1] = 1
    H[0, 1 : n - 1] += 2 * c
    H[1 : n - 1, 0] += 2 * c
    H[0, -1] += c
    H[-1, 0] += c
    H[0, 0] += 4 * c + n * c * c
    return np.tile(0.499 + 0.002 * (np.arange(n) % 2), (rows, 1)), H


class TestCounterexample:
    # The program run in float64, as it printed them: (LDLQ, nearest).
    FLOAT64 = {256: ("4079932", "16257.69"), 512: ("33095008", "65155.71"), 1024: ("266593885", "260872.70")}

    @pytest.fixture
    def stored(self, golden):
        return json.loads((golden / "quip_optq_counter.json").read_text())

    @pytest.mark.parametrize("n", size([128, 256, 512, 1024, 2048], [128, 256]))
    @pytest.mark.parametrize("method", ["ldl_loss", "near_loss"])
    def test_losses(self, stored, n, method):
        """The program ran n equal rows (4 at n = 128), which do not meet: one is rounded here and counted n times."""
        W, H = counterexample(n, rows=1)
        rows = 4 if n == 128 else n
        grid = IntegerGrid(0, 3)
        found = ldlq(W, H, round_to=grid, backend=BACKENDS[0]) if method == "ldl_loss" else grid.quantize(W)[1]
        loss = rows * proxy_loss(W, found, H)
        if n in self.FLOAT64:
            printed = self.FLOAT64[n][method == "near_loss"]
            assert f"{loss:.{2 if '.' in printed else 0}f}" == printed
        assert abs(loss - stored[str(n)][method]) <= rows * float32_noise(W, found, H)

    @pytest.mark.parametrize("n", [128, 256])
    def test_float32_rounds_the_same(self, n):
        W, H = counterexample(n, rows=3)
        options = {"round_to": IntegerGrid(0, 3), "backend": BACKENDS[0]}
        expected = ldlq(W, H, **options)
        found = ldlq(W.astype(np.float32), H.astype(np.float32), **options)
        assert (found == expected).all()
        assert (expected[1:] == expected[0]).all()
