"""E8P and its Quantizer: by hand, shapes and dtypes, both backends, what `ldlq` makes of it, and what is refused."""

import pydoc

import numpy as np
import pytest
from sizes import size
from voice import says

import quipref as q
from quipref.lattice import e8p

BACKENDS = size(["numba", "numpy"], ["numpy"])
MOST = np.finfo(np.float32).max


def targets(m, n, seed=0):
    return np.random.default_rng(seed).standard_normal((m, n))


@pytest.mark.parametrize("backend", BACKENDS)
class TestNearest:
    @pytest.mark.parametrize(
        ("x", "point"),
        [
            (np.full(8, 0.75), np.full(8, 0.75)),
            (np.full(8, 0.5), np.full(8, 0.75)),  # as near as 1/4 in all coordinates
            (np.zeros(8), np.full(8, -0.25)),  # eight halves, all negative, and 1/4
            (np.full(8, -1e-9), np.full(8, -0.25)),
            (np.full(8, 1e-9), np.full(8, -0.25)),  # vanishes beside 1/4 and counts as zero
            (
                np.r_[-0.3, np.full(7, 0.8)],
                np.r_[-0.25, np.full(6, 0.75), 1.75],
            ),  # one 3/2 makes the sum even, the last one
            (np.r_[np.full(7, 0.8), 4], np.r_[np.full(7, 0.75), 2.75]),  # 5/2 is the largest
            (np.r_[-1.3, 0.8, 0.8, 0.8, 1.7, 1.7, 1.7, 1.7], np.r_[-1.25, 0.75, 0.75, 0.75, 1.75, 1.75, 1.75, 1.75]),
        ],
    )
    def test_by_hand(self, backend, x, point):
        codes, X_hat = e8p.quantize(x, backend=backend)
        assert X_hat.tolist() == point.tolist()
        assert e8p.points()[codes].tolist() == point.tolist()

    def test_shapes_and_types(self, backend):
        X = targets(6, 8).astype(np.float16).reshape(2, 3, 8)[:, ::-1]
        X.setflags(write=False)
        codes, X_hat = e8p.quantize(X, backend=backend)
        assert (codes.shape, codes.dtype) == ((2, 3), np.uint16)
        assert (X_hat.shape, X_hat.dtype) == ((2, 3, 8), np.float32)
        assert (e8p.decode(codes.astype(np.int64), backend=backend) == X_hat).all()
        assert (e8p.decode(codes[:, ::2], backend=backend) == X_hat[:, ::2]).all()
        codes, X_hat = e8p.quantize(np.zeros((0, 8)), backend=backend)
        assert (codes.shape, X_hat.shape, e8p.decode(codes).shape) == ((0,), (0, 8), (0, 8))

    def test_the_largest_and_the_smallest_numbers(self, backend):
        X = np.float32([MOST * np.eye(8)[3], np.full(8, -MOST), np.full(8, 1e-45)])
        codes, X_hat = e8p.quantize(X, backend=backend)
        assert X_hat[0, 3] == 2.75
        # five 3/2 and three 1/2 have the largest sum; it takes one sign that is turned round, or half a shift
        assert X_hat[1].sum() == e8p.points().sum(axis=1).min()
        assert X_hat[2].tolist() == [-0.25] * 8

    def test_so_many_that_threads_share_them(self, backend):
        X = targets(size(3 * e8p.ROWS_A_THREAD, 100) if backend == "numba" else 100, 8)
        one, more = (e8p.quantize(X, backend=backend, threads=threads) for threads in (1, 3))
        assert (one[0] == more[0]).all()
        assert (one[1] == more[1]).all()


def test_tables_are_read_only():
    for table in (e8p.points(), e8p.patterns()):
        assert not table.flags.writeable


def test_help_shows_what_is_public_and_no_more():
    text = pydoc.plain(pydoc.render_doc(e8p))
    assert [name for name in e8p.__all__ if f"\n    {name}(" not in text.replace("class ", "")] == []
    assert "nearest_points" not in text


def test_the_reference_is_interrupted_between_small_pieces(monkeypatch):
    X, seen = targets(2 * e8p.ROWS_AT_ONCE + 1, 8), []

    def interrupted(X, patterns, first, last, codes):
        seen.append(last - first)
        raise KeyboardInterrupt

    monkeypatch.setattr(e8p, "nearest_points", interrupted)
    with pytest.raises(KeyboardInterrupt):
        e8p.quantize(X, backend="numpy", threads=1)
    assert seen == [e8p.ROWS_AT_ONCE]


def test_few_rows_are_not_worth_a_thread():
    assert [e8p.busy(4, rows, 100) for rows in (0, 199, 200, 350, 10**6)] == [1, 1, 2, 3, 4]


class TestQuantizer:
    @pytest.mark.parametrize("backend", BACKENDS)
    @pytest.mark.parametrize("scale", [1.0, 0.3, 0.0])
    def test_decode_is_what_quantize_gave(self, backend, scale):
        rounder, T = q.E8PQuantizer(scale, backend=backend), targets(3, 24)
        codes, T_hat = rounder.quantize(T)
        assert (codes.shape, codes.dtype, T_hat.dtype) == ((3, 3), np.uint16, np.float64)
        assert codes.size * rounder.code_bits == rounder.bits * T.size
        assert (rounder.decode(codes) == T_hat).all()
        assert (T_hat == rounder.scale * e8p.points()[codes].reshape(3, 24).astype(np.float64)).all()

    @pytest.mark.parametrize("backend", BACKENDS)
    def test_float32_stays_float32_and_targets_as_they_are(self, backend):
        T = targets(2, 32).astype(np.float32)[:, ::2]
        T.setflags(write=False)
        before, rounder = T.copy(), q.E8PQuantizer(0.7, backend=backend)
        codes, T_hat = rounder.quantize(T)
        assert T_hat.dtype == np.float32
        assert (before == T).all()
        assert (rounder.decode(codes).astype(np.float32) == T_hat).all()

    @pytest.mark.parametrize("shape", [(0, 16), (4, 0), (0, 0)])
    def test_an_empty_layer(self, shape):
        codes, T_hat = q.E8PQuantizer(backend=BACKENDS[0]).quantize(np.zeros(shape))
        assert (codes.shape, T_hat.shape) == ((shape[0], shape[1] // 8), shape)
        assert q.E8PQuantizer().decode(codes).shape == shape

    def test_members(self):
        rounder = q.E8PQuantizer(0.1)
        assert (rounder.block, rounder.bits, rounder.code_bits, rounder.scale) == (8, 2, 16, np.float32(0.1))
        assert repr(rounder) == "E8PQuantizer(scale=0.1)"

    @pytest.mark.parametrize("order", ["forward", "backward"])
    def test_in_ldlq(self, order):
        W, H = q.random_layer(4, 32, seed=1)
        rounder = q.E8PQuantizer(W.std() / 1.03, backend=BACKENDS[0])
        W_hat, codes = q.ldlq(W, H, round_to=rounder, order=order, return_codes=True)
        assert codes.shape == (4, 4)
        assert (rounder.decode(codes) == W_hat).all()

    def test_gaussian_weights(self):
        """At the program's scale the mean squared error is 0.0915 or so: within 5 standard errors of 0.091 to 0.092."""
        X = targets(size(4096, 256), 8)
        errors = np.square(X - q.E8PQuantizer(1 / 1.03, backend=BACKENDS[0]).quantize(X)[1]).mean(axis=1)
        slack = 5 * errors.std(ddof=1) / np.sqrt(len(errors))
        assert 0.091 - slack < errors.mean() < 0.092 + slack


class TestRefusals:
    @pytest.mark.parametrize("shape", [(3, 4), (0,), ()])
    def test_vectors_of_another_length(self, shape):
        with says(ValueError, "X must consist of vectors of 8 numbers along its last axis", str(shape)):
            e8p.quantize(np.zeros(shape))

    def test_vectors(self):
        with says(ValueError, "X must consist of vectors of 8 numbers", "(8, 3)"):
            e8p.quantize(np.zeros((8, 3)))
        with says(ValueError, "X must be finite"):
            e8p.quantize(np.full(8, np.inf))
        with says(ValueError, "X must fit single precision, but it reaches 1.0e+39", "Divide it by"):
            e8p.quantize(np.full(8, 1e39))
        with says(TypeError, "X must hold real floating-point numbers"):
            e8p.quantize(np.zeros(8, int))
        with says(ValueError, "backend must be one of"):
            e8p.quantize(np.zeros(8), backend="cuda")
        with says(ValueError, "threads must be at least 1"):
            e8p.quantize(np.zeros(8), threads=0)

    @pytest.mark.parametrize("function", [e8p.decode, e8p.to_paper_format, e8p.from_paper_format])
    def test_codes(self, function):
        name = "words" if function is e8p.from_paper_format else "codes"
        maker = "to_paper_format" if function is e8p.from_paper_format else "quantize"
        with says(TypeError, f"{name} must be integers", "float64", f"e8p.{maker} makes them"):
            function([0.5])
        with says(ValueError, f"{name} must lie from 0 to 65535", "from -1 to 65536"):
            function([-1, 65536])

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ({"scale": -1.0}, ["scale must be finite and not negative"]),
            ({"scale": 1e39}, ["scale must be zero or fit single precision"]),
            ({"backend": "cuda"}, ["backend must be one of"]),
            ({"threads": 0}, ["threads must be at least 1"]),
        ],
    )
    def test_options(self, options, words):
        with says(ValueError, *words):
            q.E8PQuantizer(**options)

    def test_layers(self):
        with says(ValueError, "T must have a multiple of 8 columns", "(3, 12)", "Pad the layer (and its H)"):
            q.E8PQuantizer().quantize(np.zeros((3, 12)))
        with says(ValueError, "T must be finite"):
            q.E8PQuantizer().quantize(np.full((1, 8), np.nan))
        with says(ValueError, "T / scale must fit single precision"):
            q.E8PQuantizer(1e-30).quantize(np.full((1, 8), 1e30))
        with says(ValueError, "codes must have 2 axes", "E8PQuantizer.quantize makes them"):
            q.E8PQuantizer().decode(np.zeros(3, np.uint16))
