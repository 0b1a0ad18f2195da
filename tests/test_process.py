"""Incoherence processing against its formula; what it takes, what it refuses, what it leaves alone."""

import numpy as np
import pytest
from voice import says

import quipref as q
from quipref.incoherence.process import SCALE_RANGE, TRANSFORMS, ProcessedLayer, Transform, channel_scales

M, N = 6, 8


@pytest.fixture(params=[np.float32, np.float64], ids=["float32", "float64"])
def layer(request):
    W, H = q.random_layer(M, N, spectrum="outlier", seed=3)
    return W.astype(request.param), H.astype(request.param)


def tolerance(*arrays):
    """A dozen products of length n or m, in the precision of the coarsest array."""
    return 12 * (M + N) * max(np.finfo(X.dtype).eps for X in arrays) * max(1, *(np.abs(X).max() for X in arrays))


def pair(processed):
    """(W', H') of a processed layer."""
    return processed.measure(lambda W, H: (W, H))


def same(first, second):
    for X, Y in zip(first, second, strict=True):
        np.testing.assert_array_equal(X, Y)


def identity(W, H):
    return W


class TestFormula:
    @pytest.mark.parametrize("name", TRANSFORMS)
    @pytest.mark.parametrize("rescale", [False, True])
    def test_both_are_rotated_and_rescaled(self, layer, name, rescale):
        W, H = layer
        processed = q.incoherence_process(W, H, transform=name, seed=4, rescale=rescale, damping=0.5)
        way = processed.transform
        A, B = way.rotate_out.matrix(), way.rotate_in.matrix()
        s = channel_scales(W, H).astype(np.float64) if rescale else np.ones(N)
        scaled_H = H.astype(np.float64) / np.outer(s, s)
        expected = B @ scaled_H @ B.T + 0.5 * np.trace(scaled_H) / N * np.eye(N)
        W_turned, H_turned = pair(processed)
        assert W_turned.dtype == H_turned.dtype == W.dtype
        np.testing.assert_allclose(W_turned, A @ (W * s) @ B.T, rtol=0, atol=tolerance(W, W_turned))
        np.testing.assert_allclose(H_turned, expected, rtol=0, atol=tolerance(H, expected, H_turned))

    def test_without_any_part_nothing_changes(self, layer):
        W, H = layer
        W_same, H_same = pair(q.incoherence_process(W, H, transform=None, rescale=False, damping=0.0))
        assert (W_same == W).all()
        assert (H_same == H).all()

    def test_the_published_form_is_the_default(self, layer):
        given = {"transform": "kronecker", "rescale": True, "damping": 0.01}
        same(*(pair(q.incoherence_process(*layer, seed=1, **options)) for options in ({}, given)))

    @pytest.mark.parametrize("name", TRANSFORMS)
    def test_undo_leads_back(self, layer, name):
        W, H = layer
        processed = q.incoherence_process(W, H, transform=name, seed=4)
        back = processed.round(identity)
        assert back.dtype == W.dtype
        np.testing.assert_allclose(back, W, rtol=0, atol=tolerance(W, pair(processed)[0]) * 4)  # 4: of the scales

    def test_what_is_rounded_comes_back_in_the_units_of_w(self, layer):
        processed = q.incoherence_process(*layer, transform="hadamard", seed=4)
        grid = q.IntegerGrid(-2, 1)
        W_turned, H_turned = pair(processed)
        expected = processed.transform.undo(q.ldlq(W_turned, H_turned, round_to=grid, order="backward"))
        assert (processed.round(q.ldlq, round_to=grid, order="backward") == expected).all()

    def test_a_pair_of_rotations(self, layer):
        W, H = layer
        rotate_in = q.RandomizedHadamard(N, seed=5)
        W_turned, H_turned = pair(q.incoherence_process(W, H, transform=(None, rotate_in), rescale=False, damping=0.0))
        assert (W_turned == rotate_in.apply(W, axis=1)).all()
        both = rotate_in.apply(rotate_in.apply(H, axis=1), axis=0)
        np.testing.assert_allclose(H_turned, both, rtol=0, atol=tolerance(H))  # another order of products
        rotate_out = q.RandomizedHadamard(M, seed=5)
        processed = q.incoherence_process(W, H, transform=(rotate_out, None), rescale=False, damping=0.0)
        assert (pair(processed)[0] == rotate_out.apply(W, axis=0)).all()
        assert (pair(processed)[1] == H).all()
        np.testing.assert_allclose(processed.round(identity), W, rtol=0, atol=tolerance(W))


class TestSeeds:
    @pytest.mark.parametrize("name", TRANSFORMS)
    def test_a_seed_gives_the_same_layer_again_and_another_one_another(self, layer, name):
        first, again, other = (pair(q.incoherence_process(*layer, transform=name, seed=s)) for s in (7, 7, 8))
        same(first, again)
        assert not (first[0] == other[0]).all()
        assert not (first[1] == other[1]).all()

    def test_the_two_sides_are_drawn_apart(self):
        W, H = q.random_layer(N, N, seed=0)
        way = q.incoherence_process(W, H, transform="hadamard", seed=7).transform
        assert way.rotate_out.seed != way.rotate_in.seed
        assert not (way.rotate_out.matrix() == way.rotate_in.matrix()).all()

    def test_a_generator_goes_on(self, layer):
        rng = np.random.default_rng(7)
        first, second = (pair(q.incoherence_process(*layer, transform="hadamard", seed=rng))[0] for _ in range(2))
        assert (first == pair(q.incoherence_process(*layer, transform="hadamard", seed=7))[0]).all()
        assert not (first == second).all()


class TestScales:
    def test_by_hand(self):
        """(H_ii / w_ii)^(1/4) is 2 and 1/2; their mean logarithm is zero."""
        W, H = np.array([[1.0, 4.0]]), np.diag([16.0, 1.0])
        assert (channel_scales(W, H) == [2.0, 0.5]).all()
        assert (channel_scales(8 * W, 100 * H) == [2.0, 0.5]).all()
        assert channel_scales(W, H).dtype == np.float16

    def test_a_dead_channel_keeps_one_and_leaves_the_mean_to_the_others(self):
        W, H = np.array([[1.0, 5.0, 4.0, 0.0]]), np.diag([16.0, 0.0, 1.0, 3.0])
        assert (channel_scales(W, H) == [2.0, 1.0, 0.5, 1.0]).all()
        assert (channel_scales(0 * W, H) == 1).all()

    def test_scales_stay_in_the_range_of_half_precision(self):
        W, H = np.array([[1e-30, 1.0, 1.0]]), np.diag([1.0, 1.0, 1e-100])
        found = channel_scales(W, H)
        assert (found.max(), found.min()) == SCALE_RANGE[::-1]

    def test_squares_of_float32_weights_do_not_overflow(self):
        W, H = np.full((2, 2), 1e25, np.float32), np.eye(2)
        assert (channel_scales(W, H) == 1).all()

    def test_dead_channels_come_back(self):
        W, H = q.random_layer(M, N, spectrum="dead", seed=0)
        W[:, 3] = 0.0
        back = q.incoherence_process(W, H, transform="hadamard", seed=0).round(identity)
        np.testing.assert_allclose(back, W, rtol=0, atol=tolerance(W) * 4)


class TestStorage:
    def test_every_part_is_counted(self, layer):
        bits = {
            name: q.incoherence_process(*layer, transform=name, seed=0).transform.storage_bits for name in TRANSFORMS
        }
        assert bits == dict.fromkeys(TRANSFORMS, 2 * 64 + 16 * N)
        assert q.incoherence_process(*layer, transform=None).transform.storage_bits == 16 * N
        assert q.incoherence_process(*layer, transform=None, rescale=False).transform.storage_bits == 0

    def test_signs_that_were_given_are_counted_one_by_one(self, layer):
        rotate_in = q.RandomizedHadamard.from_signs(np.ones(N))
        way = q.incoherence_process(*layer, transform=(None, rotate_in), rescale=False).transform
        assert way.storage_bits == rotate_in.storage_bits == N


class TestSingularHessians:
    W, H = q.random_layer(M, N, spectrum="low_rank", seed=0)

    def test_undamped_it_stays_singular(self):
        processed = q.incoherence_process(self.W, self.H, transform="hadamard", seed=0, damping=0.0)
        assert np.isfinite(processed.round(q.ldlq)).all()
        with says(np.linalg.LinAlgError, "H must be positive definite"):
            processed.round(q.optq)

    def test_damped_it_is_regular(self):
        processed = q.incoherence_process(self.W, self.H, transform="hadamard", seed=0)
        assert np.isfinite(processed.round(q.optq)).all()

    def test_a_zero_hessian(self):
        processed = q.incoherence_process(self.W, 0 * self.H, transform="hadamard", seed=0)
        assert (processed.transform.scale == 1).all()
        assert not pair(processed)[1].any()


class TestTheTwoSpacesCannotBeMixed:
    @pytest.fixture
    def processed(self, layer):
        return q.incoherence_process(*layer, transform="hadamard", seed=4)

    @pytest.mark.parametrize("use", [np.asarray, np.sum, lambda layer: q.ldlq(layer, np.eye(N))])
    def test_it_is_no_array(self, processed, use):
        with says(TypeError, "A processed layer must not be used as an array", "Use .round(rounder)"):
            use(processed)

    def test_it_has_neither_w_nor_h(self, processed):
        assert {name for name in vars(processed) if not name.startswith("_")} == {"transform", "shape"}
        assert processed.shape == (M, N)
        assert repr(processed).startswith(f"ProcessedLayer({M} x {N}, Transform(")

    def test_what_is_measured_cannot_be_changed(self, processed):
        for i in range(2):
            with pytest.raises(ValueError, match="read-only"):
                pair(processed)[i][0, 0] = 1.0

    def test_what_was_given_is_not_changed(self, layer):
        """Nor made read-only, where nothing had to be computed."""
        W, H = layer
        before = W.copy(), H.copy()
        for options in ({"transform": None, "rescale": False, "damping": 0.0}, {"transform": "fourier", "seed": 0}):
            q.incoherence_process(W, H, **options).round(identity)
            np.testing.assert_array_equal(W, before[0])
            np.testing.assert_array_equal(H, before[1])
        W[0, 0] = H[0, 0] = 1.0

    def test_read_only_and_strided_arrays_are_taken(self, layer):
        W, H = (np.repeat(np.repeat(X, 2, 0), 2, 1)[::2, ::2] for X in layer)
        W.setflags(write=False)
        H.setflags(write=False)
        same(*(pair(q.incoherence_process(*given, transform="hadamard", seed=4)) for given in ((W, H), layer)))


def rotation(n):
    return q.RandomizedHadamard(n, seed=0)


REFUSALS = [
    ({"seed": None}, ValueError, ("seed must be given for transform='kronecker'", "None came", "Pass seed=0")),
    (
        {"transform": "hadamrad"},
        ValueError,
        ("transform must be one of 'kronecker', 'hadamard', 'fourier'", "hadamrad"),
    ),
    ({"transform": 3}, ValueError, ("transform must be one of", "but 3 came")),
    ({"transform": ()}, ValueError, ("transform must be a pair (rotate_out, rotate_in), but 0 came",)),
    ({"transform": (None,) * 3}, ValueError, ("transform must be a pair (rotate_out, rotate_in), but 3 came",)),
    ({"transform": (rotation(N), None)}, ValueError, (f"rotate_out must have n = {M}", f"({M}, {N})", f"its n is {N}")),
    ({"transform": (None, rotation(M))}, ValueError, (f"rotate_in must have n = {N}", f"its n is {M}")),
    ({"transform": (np.eye(M), None)}, TypeError, ("rotate_out must be a rotation", "but ndarray came")),
    ({"W": np.ones((2, 3)), "H": np.eye(3), "transform": "fourier"}, ValueError, ("odd size", "(2, 3)")),
    ({"damping": -0.01}, ValueError, ("must be finite and not negative, but -0.01 came",)),
    ({"W": np.ones((M, N + 1))}, ValueError, (f"H must be {N + 1} x {N + 1} to match",)),
    ({"W": np.ones((M, N), int)}, TypeError, ("W must hold real floating-point numbers",)),
    ({"W": np.full((M, N), np.nan)}, ValueError, ("W must be finite",)),
    ({"H": np.triu(np.ones((N, N)))}, ValueError, ("H must be symmetric",)),
]


@pytest.mark.parametrize(("change", "error", "words"), REFUSALS)
def test_refusals(change, error, words):
    options = {"W": np.ones((M, N)), "H": np.eye(N), "seed": 0} | change
    with says(error, *words):
        q.incoherence_process(options.pop("W"), options.pop("H"), **options)


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (
            np.zeros((M, N - 1)),
            ValueError,
            ("what rounder returns must have the shape of the layer", f"({M}, {N - 1})"),
        ),
        (np.zeros((M, N), int), TypeError, ("what rounder returns must hold real floating-point numbers",)),
        (np.full((M, N), np.inf), ValueError, ("what rounder returns must be finite",)),
    ],
)
def test_a_rounder_must_return_a_layer(answer, error, words):
    processed = q.incoherence_process(np.ones((M, N)), np.eye(N), seed=0)
    with says(error, *words):
        processed.round(lambda W, H: answer)


def test_a_processed_layer_may_be_made_by_hand():
    W, H = q.random_layer(2, 4, seed=0)
    processed = ProcessedLayer(W, H, Transform(None, None, None))
    assert (processed.round(identity) == W).all()


def test_what_rounds_must_be_a_function():
    W, H = q.random_layer(2, 4, seed=0)
    with pytest.raises(TypeError, match=r"rounder must be a function such as quipref.ldlq, but 'ldlq' came"):
        q.incoherence_process(W, H, seed=0).round("ldlq")


def test_fourier_needs_even_sizes_on_both_sides():
    W, H = q.random_layer(3, 4, seed=0)
    with pytest.raises(ValueError, match=r"'kronecker' or 'hadamard' where W has an odd size, .* \(3, 4\)"):
        q.incoherence_process(W, H, transform="fourier", seed=0)


@pytest.mark.parametrize("factor", [1e-170, 1e170])
def test_the_scales_do_not_depend_on_the_size_of_w(factor):
    W, H = q.random_layer(3, 4, seed=0)
    np.testing.assert_array_equal(channel_scales(W * factor, H), channel_scales(W, H))


def test_a_transform_prints_in_a_line():
    W, H = q.random_layer(2, 4, seed=0)
    assert "scale=<4 float16>" in repr(q.incoherence_process(W, H, seed=0))
    assert "scale=None" in repr(q.incoherence_process(W, H, seed=0, rescale=False).transform)
