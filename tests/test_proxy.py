"""The proxy loss and what it is divided by."""

import tracemalloc

import numpy as np
import pytest
from voice import says

from quipref import proxy_loss
from quipref.proxy import quadratic

# E = W_hat - W = [[1, -1], [0, 2]]; E H E^T has the diagonal (1 - 2 + 3, 12)
W = np.array([[1.0, 2.0], [3.0, -1.0]])
W_HAT = np.array([[2.0, 1.0], [3.0, 1.0]])
H = np.array([[1.0, 1.0], [1.0, 3.0]])
H_OUT = np.array([[2.0, 1.0], [1.0, 1.0]])


def test_by_hand():
    assert proxy_loss(W, W_HAT, H) == 2.0 + 12.0
    assert proxy_loss(W, W_HAT, H, normalize="trace") == 14.0 / 4.0
    # W H W^T has the diagonal (1 + 2*1*2 + 3*4, 9 - 6 + 3)
    assert proxy_loss(W, W_HAT, H, normalize="weights") == 14.0 / (17.0 + 6.0)
    # nearest given: E = [[0, -1], [0, 0]]
    assert proxy_loss(W, W_HAT, H, normalize="nearest", nearest=W - [[0, 1], [0, 0]]) == 14.0 / 3.0


def test_with_a_price_on_the_outputs_by_hand():
    """H_out E H = [[2, 2], [2, 4]], and (8, 14; 5, 7) with W in place of E, (-2, -6; -1, -3) with nearest's error."""
    assert proxy_loss(W, W_HAT, H, H_out=H_OUT) == 2.0 - 2.0 + 8.0
    assert proxy_loss(W, W_HAT, H, H_out=H_OUT, normalize="weights") == 8.0 / (8.0 + 28.0 + 15.0 - 7.0)
    assert proxy_loss(W, W_HAT, H, H_out=H_OUT, normalize="nearest", nearest=W - [[0, 1], [0, 0]]) == 8.0 / 6.0
    assert proxy_loss(W, W_HAT, H, H_out=H_OUT, normalize="trace") == 8.0 / (4.0 * 3.0 / 2.0)


@pytest.mark.parametrize("normalize", [None, "weights", "nearest", "trace"])
def test_the_identity_on_the_outputs_changes_nothing(normalize):
    x = W + 0.25
    assert proxy_loss(x, W_HAT, H, H_out=np.eye(2), normalize=normalize) == proxy_loss(x, W_HAT, H, normalize=normalize)


def test_nearest_defaults_to_the_integers_with_halves_upwards():
    x = np.array([[0.5, -0.5]])  # rounds to (1, 0): E = (1/2, 1/2), E H E^T = (1 + 2 + 3) / 4
    assert proxy_loss(x, x + 1, H, normalize="nearest") == 6.0 / 1.5


def test_the_trace_by_its_definition():
    rng = np.random.default_rng(0)
    A, B, X = rng.standard_normal((7, 5)), rng.standard_normal((7, 5)), rng.standard_normal((9, 5))
    G = X.T @ X
    assert proxy_loss(A, B, G) == pytest.approx(np.trace((B - A) @ G @ (B - A).T), rel=1e-13)
    assert proxy_loss(A, B, G) == pytest.approx(np.square(X @ (B - A).T).sum(), rel=1e-13)  # the outputs' error
    Y = rng.standard_normal((8, 7))
    price = Y.T @ Y
    assert proxy_loss(A, B, G, H_out=price) == pytest.approx(np.trace((B - A).T @ price @ (B - A) @ G), rel=1e-13)
    assert proxy_loss(A, B, G, H_out=price) == pytest.approx(np.square(Y @ (B - A) @ X.T).sum(), rel=1e-13)
    assert quadratic(A, G) == pytest.approx(np.trace(A @ G @ A.T), rel=1e-13)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.longdouble])
def test_narrow_floats_are_summed_in_float64(dtype):
    """The error of 1 on weights of 2048 and its square summed a million times: float32 loses neither."""
    big = np.full((1000, 1000), 2048, dtype)
    off = big + dtype(2)
    assert proxy_loss(big, off, np.eye(1000, dtype=dtype)) == 4e6
    difference = proxy_loss(np.array([[1 / 3]], np.float32), np.array([[0.0]]), np.eye(1))
    assert difference == float(np.float32(1 / 3)) ** 2


def test_the_square_of_the_rows_is_never_formed():
    m = 3000
    tall = np.zeros((m, 2))
    tracemalloc.start()
    proxy_loss(tall, tall + 1, H)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < m * m  # a byte an entry would already be more


def test_nothing_loses_nothing():
    assert proxy_loss(np.zeros((0, 2)), np.zeros((0, 2)), H) == 0.0
    assert proxy_loss(np.zeros((2, 0)), np.zeros((2, 0)), np.zeros((0, 0))) == 0.0
    assert proxy_loss(np.zeros((0, 2)), np.zeros((0, 2)), H, H_out=np.zeros((0, 0))) == 0.0
    assert isinstance(proxy_loss(W, W_HAT, H), float)


def test_inputs_are_not_written_to():
    arrays = W.copy(), W_HAT.copy(), H.copy()
    for array in arrays:
        array.flags.writeable = False
    for normalize in [None, "weights", "nearest", "trace"]:
        if normalize != "nearest":
            proxy_loss(*arrays, normalize=normalize)
    proxy_loss(arrays[0] + 0.25, arrays[1], arrays[2], normalize="nearest", nearest=arrays[0])
    assert (arrays[0] == W).all()
    assert (arrays[1] == W_HAT).all()
    assert (arrays[2] == H).all()


@pytest.mark.parametrize(
    ("normalize", "arguments"),
    [
        ("weights", (np.zeros((1, 2)), np.ones((1, 2)), H)),
        ("nearest", (W, W_HAT, H)),  # W is on the integers: nearest loses nothing
        ("trace", (W, W_HAT, np.zeros((2, 2)))),
        ("trace", (np.zeros((0, 2)), np.zeros((0, 2)), H, np.zeros((0, 0)))),
    ],
)
def test_a_zero_divisor_is_refused(normalize, arguments):
    W, W_hat, H, *H_out = arguments
    with says(ValueError, f"for {normalize!r} the divisor is 0.0. Use normalize=None."):
        proxy_loss(W, W_hat, H, H_out=H_out[0] if H_out else None, normalize=normalize)


def test_refusals():
    with says(ValueError, "W_hat must have the shape of W, (2, 2), but its shape is (2, 1)."):
        proxy_loss(W, W_HAT[:, :1], H)
    with says(ValueError, "nearest must have the shape of W, (2, 2), but its shape is (1, 2)."):
        proxy_loss(W, W_HAT, H, normalize="nearest", nearest=W[:1])
    with says(ValueError, "H must be 2 x 2 to match the 2 columns of W, but its shape is (3, 3)."):
        proxy_loss(W, W_HAT, np.eye(3))
    with says(ValueError, "normalize must be one of None, 'weights', 'nearest', 'trace', but 'mean' came."):
        proxy_loss(W, W_HAT, H, normalize="mean")
    with says(ValueError, "W_hat must be finite, but 1 of its 4 entries"):
        proxy_loss(W, np.where(W == 1, np.nan, W), H)
    with says(TypeError, "W must hold real floating-point numbers, but its dtype is int64."):
        proxy_loss(W.astype(np.int64), W_HAT, H)
    with says(ValueError, "H must be symmetric"):
        proxy_loss(W, W_HAT, np.triu(H))
    with says(ValueError, "H_out must be symmetric"):
        proxy_loss(W, W_HAT, H, H_out=np.triu(H))
    with says(ValueError, "H_out must be 1 x 1 to match the 1 rows of W, but its shape is (2, 2)."):
        proxy_loss(W[:1], W_HAT[:1], H, H_out=H_OUT)
