"""The methods nearest, optq and ldlq, and the registry that finds them."""

import numpy as np
import pytest

import quipref as q
from quipref.methods import registry

BASELINES = ("nearest", "optq", "ldlq")


@pytest.fixture(scope="module")
def problem():
    W, H = q.random_layer(6, 12, spectrum="outlier", seed=5)
    return W.astype(np.float32), H


@pytest.mark.parametrize("method", BASELINES)
@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_weights_are_levels_and_bits_are_counted(problem, method, bits):
    W, H = problem
    layer = q.quantize(W, H, method=method, bits=bits)
    levels = layer.dequantize(np.float64) / layer.round_to.step - 0.5
    np.testing.assert_array_equal(levels, np.round(levels))
    assert np.abs(levels + 0.5).max() <= 2 ** (bits - 1) - 0.5
    size = layer.size_in_bits()
    assert (size["codes"], size["scales"]) == (72 * bits, 6 * 16)
    assert layer.bits_per_weight == sum(size.values()) / 72
    assert dict(layer.options)["bits"] == bits
    assert layer.method == method


def test_nearest_is_nearest(problem):
    W, H = problem
    layer = q.quantize(W, H, method="nearest", bits=3)
    step = layer.round_to.step.astype(np.float64)
    levels = step[:, :, None] * (np.arange(-4, 4) + 0.5)
    best = np.take_along_axis(levels.repeat(12, 1), np.abs(W[:, :, None] - levels).argmin(2)[..., None], 2)[..., 0]
    np.testing.assert_array_equal(layer.dequantize(np.float64), best)


@pytest.mark.parametrize("clamp", [True, False])
def test_optq_and_ldlq_agree(problem, clamp):
    W, H = problem
    a, b = (q.quantize(W.astype(np.float64), H, method=m, bits=2, clamp=clamp) for m in ("optq", "ldlq"))
    np.testing.assert_array_equal(a.codes, b.codes)


def test_feedback_pays_on_average():
    ratios = []
    for seed in range(20):
        W, H = q.random_layer(8, 32, seed=seed)
        losses = [q.proxy_loss(W, q.quantize(W, H, method=m, bits=3).dequantize(), H) for m in ("ldlq", "nearest")]
        ratios.append(losses[0] / losses[1])
    assert np.mean(ratios) + 5 * np.std(ratios) / np.sqrt(len(ratios)) < 1


@pytest.mark.parametrize("method", BASELINES)
@pytest.mark.parametrize("order", ["forward", "backward"])
def test_without_the_clamp_the_loss_keeps_its_bound(method, order):
    bound = registry.module(method).bound
    options = {} if method == "nearest" else {"order": order}
    for seed in range(8):
        W, H = q.random_layer(5, 16, spectrum=("power", "outlier", "flat", "dead")[seed % 4], seed=seed)
        layer = q.quantize(W, H, method=method, bits=2, clamp=False, **options)
        assert q.proxy_loss(W, layer.dequantize(np.float64), H) <= bound(layer, H) * (1 + 1e-9)


@pytest.mark.parametrize("method", BASELINES)
def test_with_the_clamp_there_is_no_bound(problem, method):
    assert registry.module(method).bound(q.quantize(*problem, method=method, bits=4), problem[1]) is None


def test_codes_without_the_clamp_are_stored_at_the_width_of_the_widest(problem):
    layer = q.quantize(*problem, method="ldlq", bits=2, clamp=False)
    low, high = layer.options["low"], layer.options["high"]
    assert layer.codes.min() == 0
    assert layer.codes.max() == high - low
    assert layer.size_in_bits()["codes"] == 72 * int(high - low).bit_length()


@pytest.mark.parametrize("method", BASELINES)
def test_the_reference_gives_the_same_layer(problem, method):
    W, H = problem
    a, b = (q.quantize(W.astype(np.float64), H, method=method, bits=3, backend=x) for x in ("numba", "numpy"))
    np.testing.assert_array_equal(a.codes, b.codes)
    np.testing.assert_array_equal(a.round_to.step, b.round_to.step)


@pytest.mark.parametrize("method", BASELINES)
def test_inputs_may_be_read_only_strided_and_stay_as_they_are(problem, method):
    W, H = (np.repeat(np.repeat(X, 2, 0), 2, 1)[::2, ::2] for X in problem)
    before = W.copy(), H.copy()
    W.setflags(write=False)
    H.setflags(write=False)
    layer = q.quantize(W, H, method=method, bits=2)
    np.testing.assert_array_equal(W, before[0])
    np.testing.assert_array_equal(H, before[1])
    np.testing.assert_array_equal(layer.codes, q.quantize(*problem, method=method, bits=2).codes)


@pytest.mark.parametrize("method", BASELINES)
def test_one_weight_and_a_zero_row(method):
    layer = q.quantize(np.array([[0.3]]), np.array([[2.0]]), method=method, bits=2)
    assert abs(layer.dequantize(np.float64)[0, 0] - 0.3) < 0.01
    W = np.array([[0.0, 0.0], [1.0, -1.0]])
    np.testing.assert_array_equal(q.quantize(W, np.eye(2), method=method, bits=2).dequantize()[0], 0)


REFUSALS = [
    (
        {"method": "quic"},
        ValueError,
        "method must be one of 'nearest', 'optq', 'ldlq', 'quip', 'quip#', 'qtip', 'quip_sharp', but 'quic' came.",
    ),
    ({"method": "QuIP#"}, ValueError, "but 'QuIP#' came. Did you mean 'quip#'?"),
    ({"method": "e8"}, ValueError, r"but 'e8' came. help\(quipref.quantize\) tells of each"),
    ({"method": None}, ValueError, "but None came"),
    ({"progress": "yes"}, TypeError, "progress must be True or False, but 'yes' came"),
    ({"bits": 0}, ValueError, "bits must be from 1 to 8, but 0 came"),
    ({"bits": 9}, ValueError, "bits must be from 1 to 8, but 9 came"),
    ({"bits": 2.0}, TypeError, "bits must be an integer"),
    ({"seed": -1}, ValueError, "seed must be at least 0"),
    ({"backend": "cuda"}, ValueError, "backend must be one of 'numba', 'numpy'"),
    ({"threads": 0}, ValueError, "threads must be at least 1"),
    ({"dampign": 0.1}, ValueError, "option of ldlq must be one of 'damping', 'order', 'clamp', but 'dampign' came"),
    ({"damping": -0.1}, ValueError, "must be finite and not negative"),
    ({"W": np.ones((0, 4))}, ValueError, "W must have at least one row and one column"),
    ({"W": np.ones((2, 3))}, ValueError, "H must be 3 x 3 to match the 3 columns of W"),
    ({"W": np.ones((2, 4), int)}, TypeError, "W must hold real floating-point numbers, but its dtype is int64"),
    ({"W": np.full((2, 4), np.nan)}, ValueError, "W must be finite, but 8 of its 8 entries"),
    ({"W": np.full((2, 4), 1e9)}, ValueError, "step fits half precision"),
    ({"H": -np.eye(4), "damping": 0.0}, np.linalg.LinAlgError, "its smallest eigenvalue is -1.0e"),
]


@pytest.mark.parametrize(
    ("change", "error", "message"), REFUSALS, ids=lambda v: next(iter(v)) if isinstance(v, dict) else None
)
def test_refusals(change, error, message):
    arguments = {"W": np.ones((2, 4)), "H": np.eye(4), "method": "ldlq", "bits": 2} | change
    with pytest.raises(error, match=message):
        q.quantize(arguments.pop("W"), arguments.pop("H"), **arguments)


def test_singular_hessians():
    W, H = q.random_layer(3, 8, spectrum="low_rank", seed=0)
    q.quantize(W, H, method="ldlq", bits=2, damping=0.0)
    with pytest.raises(np.linalg.LinAlgError, match=r"Damp it: quipref.damp\(H, 0.01\), or use ldlq"):
        q.quantize(W, H, method="optq", bits=2, damping=0.0)


def test_every_method_has_a_module_with_a_bound():
    for name in registry.METHODS:
        module = registry.module(name)
        assert callable(module.quantize)
        assert callable(module.bound)
    assert registry.tour_rows()[0] == ("nearest", {})  # the tour divides by the row that comes first


def test_options_are_kept_as_json_types(problem):
    W, H = problem
    layer = q.quantize(W, H, method="ldlq", bits=np.int64(3), damping=np.float32(0.5), clamp=np.bool_(True))
    assert dict(layer.options) == {"bits": 3, "seed": 0, "damping": 0.5, "order": "forward", "clamp": True}
    assert layer.bits_per_weight > 3


@pytest.mark.parametrize("value", ["no", None, 1])
def test_a_switch_is_true_or_false(problem, value):
    W, H = problem
    with pytest.raises(TypeError, match="clamp must be True or False"):
        q.quantize(W, H, method="nearest", bits=3, clamp=value)
