"""What QuIP's program (commit ac92cfc7) put out for fixed inputs, reproduced to the last entry.

`quip_rounding.npz`: a layer of 32 x 96 on the integers 0 ... 2^b - 1, in float32 and float64.
`quip_gptq_equiv.npz`: OPTQ's program and QuIP's forward LDLQ on one layer of 64 x 96, a grid a row.
`quip_optq_counter.json`: the losses of QuIP's finite-grid counterexample.

Left out: the `full_qfn*` results (a whole method with its ranges and half precision, not a rounding) and
`qfna_*` (its grid). All the others are reproduced here.
"""

import json

import numpy as np
import pytest
from sizes import size

from quipref import IntegerGrid, greedy, ldlq, optq, proxy_loss
from quipref.rounding.grid import AffineGrid

BACKENDS = size(["numba", "numpy"], ["numpy"])


@pytest.fixture(scope="module")
def rounding(golden):
    with np.load(golden / "quip_rounding.npz", allow_pickle=False) as archive:
        return dict(archive)


def take(rounding, name):
    """{name: array} of one number of bits and one precision, such as b2_f32, with its grid."""
    prefix = name + "_"
    arrays = {name.removeprefix(prefix): value for name, value in rounding.items() if name.startswith(prefix)}
    return arrays | {"grid": IntegerGrid(0, 2 ** int(prefix[1]) - 1)}


@pytest.fixture(params=["b2_f32", "b2_f64", "b3_f32", "b3_f64", "b4_f32", "b4_f64"])
def layer(request, rounding):
    """Both precisions."""
    return take(rounding, request.param)


@pytest.fixture(params=["b2_f32", "b3_f32", "b4_f32"])
def layer32(request, rounding):
    """The precision in which all results are stored."""
    return take(rounding, request.param)


class Shifted:
    """floor(t + eta) with stored draws, column after column, clamped: unbiased rounding without its generator."""

    block = 1

    def __init__(self, eta, grid):
        self.draws, self.limits = iter(eta), grid.limits

    def quantize(self, T, rng=None):
        k = np.clip(np.floor(T[:, 0] + next(self.draws)), *self.limits)[:, None]
        return k.astype(np.int64), k


def program_descent(w, r, H, columns, passes, high):
    """QuIP's greedy passes: halves to even, the clamp after each whole pass, and an error `s` that does not see it.

    Each column moves by e = r - rint(r - s H_i / H_ii); s follows the moves alone, so it drifts away from r - w
    once the clamp has bitten. It ends early when a pass changes nothing. Returns r, and the rows that were clamped.
    """
    H = H / H.diagonal().max()
    r, s, clamped = r.copy(), r - w, np.zeros(len(w), bool)
    for _ in range(passes):
        before = r.copy()
        for i in columns:
            e = r[:, i] - np.rint(r[:, i] - (s @ H[:, i]) / H[i, i])
            r[:, i] -= e
            s[:, i] -= e
            clamped |= (r[:, i] < 0) | (r[:, i] > high)
        r = np.clip(r, 0, high)
        if (r == before).all():
            break
    return r, clamped


def float32_noise(W, W_hat, H):
    """How far a loss is off that was summed in float32, as the stored losses were.

    Two products of length n, each rounding n times by up to 2^-24 of the summands' sizes; roundings add
    like a random walk, of which five standard deviations are allowed.
    """
    E = np.abs(W_hat - W)
    return 5 * np.sqrt(2 * len(H)) * 2**-24 * ((E @ np.abs(H)) * E).sum()


class TestRounding:
    def test_the_inputs_are_the_grid_units_of_the_layer(self, layer):
        """w = (W / scale + 1) / 2 (2^b - 1) with the scale 2.4 rms(W), clamped."""
        high = layer["grid"].high
        scale = 2.4 * np.sqrt(np.square(layer["W"]).mean()) + 1e-16
        assert scale == layer["scale"]
        assert (layer["w"] == np.clip((layer["W"] / layer["scale"] + 1) / 2 * high, 0, high)).all()

    def test_nearest(self, layer):
        assert (layer["grid"].quantize(layer["w"])[1] == layer["near"]).all()

    @pytest.mark.parametrize("backend", BACKENDS)
    def test_ldlq_backward(self, layer, backend):
        found = ldlq(layer["w"], layer["H"], round_to=layer["grid"], order="backward", backend=backend)
        assert found.dtype == layer["w"].dtype
        assert (found == layer["ldl_p0"]).all()

    @pytest.mark.parametrize("backend", BACKENDS)
    @pytest.mark.parametrize("method", [ldlq, optq])
    def test_ldlq_and_optq_forward(self, layer, method, backend):
        found = method(layer["w"], layer["H"], round_to=layer["grid"], backend=backend)
        assert (found == layer["gptqequiv"]).all()

    def test_the_stored_results_tell_the_methods_apart(self, layer):
        names = ["near", "ldl_p0", "gptqequiv", "ldl_p9"]
        for i, name in enumerate(names):
            assert all((layer[name] != layer[other]).any() for other in names[:i])

    @pytest.mark.parametrize("backend", BACKENDS)
    def test_unbiased_ldlq_with_the_stored_draws(self, layer32, backend):
        layer = layer32
        draws = Shifted(layer["eta_seed11"].T[::-1], layer["grid"])
        found = ldlq(layer["w"], layer["H"], round_to=draws, order="backward", backend=backend)
        assert (found == layer["ldl_unbiased_seed11"]).all()

    def test_ldlq_in_ascending_order_of_the_diagonal(self, layer32):
        """QuIP's LDLQ-RG without greedy passes, which its lazy version never makes."""
        layer = layer32
        order = np.argsort(layer["H"].diagonal(), kind="stable")
        found = np.empty_like(layer["w"])
        H = layer["H"][np.ix_(order, order)]
        found[:, order] = ldlq(layer["w"][:, order], H, round_to=layer["grid"], order="backward")
        assert (found == layer["ldlqRG_p0"]).all()
        assert (found == layer["ldlqRG_lazy_p9"]).all()

    @pytest.mark.parametrize("name", ["ldl_p1", "ldl_p9", "ldlblock_p9"])
    def test_their_greedy_passes_after_ldlq(self, layer, name):
        w, H, grid = layer["w"], layer["H"], layer["grid"]
        start = ldlq(w, H, round_to=grid, order="backward")
        passes = int(name[-1])
        found, clamped = program_descent(w, start, H, range(len(H))[::-1], passes, grid.high)
        assert (found == layer[name]).all()
        # ours clamps inside each update: the same wherever theirs never had to clamp
        ours = greedy(w, H, round_to=grid, start=start, passes=passes, order="backward")
        assert (ours == found)[~clamped].all()
        assert 3 <= (~clamped).sum() < len(w)
        assert proxy_loss(w, ours, H) <= proxy_loss(w, found, H)

    @pytest.mark.parametrize("name", ["allbal_p1", "allbal_p9", "allbal_block_p9"])
    def test_their_greedy_passes_from_the_weights(self, layer32, name):
        w, H = layer32["w"], layer32["H"]
        found, _ = program_descent(w, w, H, range(len(H)), int(name[-1]), layer32["grid"].high)
        assert (found == layer32[name]).all()

    @pytest.mark.parametrize(("name", "sign"), [("allbal_sorted_p9", -1), ("ldlqRG_p9", 1)])
    def test_their_greedy_passes_on_sorted_columns(self, layer32, name, sign):
        layer, grid = layer32, layer32["grid"]
        order = np.argsort(sign * layer["H"].diagonal(), kind="stable")
        w, H = layer["w"][:, order], layer["H"][np.ix_(order, order)]
        start, columns = w, range(len(H))
        if sign > 0:
            start, columns = ldlq(w, H, round_to=grid, order="backward"), columns[::-1]
        found = np.empty_like(w)
        found[:, order] = program_descent(w, start, H, columns, 9, grid.high)[0]
        assert (found == layer[name]).all()


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
