"""The small language model: against PyTorch's logits, and against its own definition."""

import numpy as np
import pytest
import tiny_world

from quipref import data, lm, storage


@pytest.fixture(scope="module")
def shipped():
    return lm.load_lm()


@pytest.fixture
def tiny(world):
    return lm.load_lm()


def test_logits_equal_those_of_pytorch(shipped):
    reference, _ = storage.read_tensors(data.path("lm_reference.safetensors"))
    logits = shipped.logits(reference["tokens"][None])[0]
    assert logits.dtype == np.float32
    assert np.abs(logits - reference["logits"]).max() < 1e-4


@pytest.mark.jit
def test_the_shipped_model_has_learned_english(shipped):
    """In windows that do not overlap, the measure of the tour, on all of the held-out text; as the manifest says."""
    found = shipped.bits_per_byte(data.read("evaluation.txt"))
    assert found < 1.7
    assert abs(found - data.manifest()["files"]["lm.safetensors"]["bits_per_byte"]) < 1e-3


def test_the_shipped_model_has_the_promised_shape(shipped):
    s = shipped.shape
    assert (s.n_layers, s.d_model, s.d_ff, s.context) == (4, 256, 768, 256)
    assert len(shipped.linear_names()) == 28
    assert sum(W.size for W in shipped.weights.values()) == pytest.approx(3.5e6, rel=0.02)
    assert data.path("lm.safetensors").stat().st_size <= 8_000_000


def test_no_position_sees_a_later_byte(tiny):
    tokens = np.arange(16, dtype=np.uint8)[None]
    changed = tokens.copy()
    changed[0, 9] = 200
    before, after = tiny.logits(tokens)[0], tiny.logits(changed)[0]
    np.testing.assert_array_equal(before[:9], after[:9])
    assert np.abs(before[9:] - after[9:]).max() > 1e-3


def test_positions_matter(tiny):
    """Without rotary positions, attention over equal bytes would not know their order."""
    a, b = np.array([[1, 2, 3]], np.uint8), np.array([[2, 1, 3]], np.uint8)
    assert np.abs(tiny.logits(a)[0, -1] - tiny.logits(b)[0, -1]).max() > 1e-4


def test_a_model_that_knows_nothing_pays_eight_bits(tiny):
    silent = lm.LanguageModel(tiny.shape, {k: np.zeros_like(W) for k, W in tiny.weights.items()})
    assert silent.bits_per_byte(bytes(range(200))) == pytest.approx(8.0, abs=1e-12)


def test_bits_per_byte_is_the_mean_surprise(tiny):
    text = bytes(range(40))  # two windows of 16; the last 7 bytes fill none
    expected = []
    for start in (0, 16):
        tokens = np.frombuffer(text[start : start + 17], np.uint8)
        scores = tiny.logits(tokens[None, :16])[0].astype(np.float64)
        p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        expected += [-np.log2(p[i, tokens[i + 1]]) for i in range(16)]
    assert tiny.bits_per_byte(text) == pytest.approx(np.mean(expected), rel=1e-12)


@pytest.mark.parametrize("overlap", [0, 4, 15])
def test_every_byte_is_scored_once(tiny, overlap):
    """All bytes but the first and those that fill no window, each from at least `overlap` earlier ones."""
    text = bytes(np.random.default_rng(0).integers(0, 256, 60).astype(np.uint8))
    tokens = np.frombuffer(text, np.uint8)
    surprises = []
    for start in range(0, 60 - 16, 16 - overlap):
        scores = tiny.logits(tokens[None, start : start + 16])[0].astype(np.float64)
        log_p = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
        first = 0 if start == 0 else overlap
        surprises += [-log_p[i, tokens[start + i + 1]] / np.log(2) for i in range(first, 16)]
    assert tiny.bits_per_byte(text, overlap=overlap) == pytest.approx(np.mean(surprises), rel=1e-12)


def test_hessians_are_second_moments_and_are_shared(tiny):
    text = data.read("calibration.txt")
    seen = {}
    tiny.logits(
        np.frombuffer(text[:496], np.uint8).reshape(31, 16), lambda k, X: seen.setdefault(k, X.reshape(-1, X.shape[-1]))
    )
    shares = []
    hessians = tiny.hessians(text, shares.append)
    X = seen["layers.0.mlp.down"].astype(np.float64)
    # the inputs are float32 sums whose order depends on the batch: a relative 1e-5 of them
    np.testing.assert_allclose(
        hessians["layers.0.mlp.down"], X.T @ X / len(X), rtol=0, atol=1e-5 * np.abs(X).max() ** 2
    )
    assert hessians["layers.0.attn.q"] is hessians["layers.0.attn.v"]
    assert hessians["layers.0.mlp.gate"] is hessians["layers.0.mlp.up"]
    assert list(hessians) == tiny.linear_names()
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_each_hessian_belongs_to_the_layer_it_is_named_after(tiny):
    """H of `o` must be built from what `o` multiplies: the loss it predicts is the change of its output."""
    text = data.read("calibration.txt")
    for group, read in (("attn.o", "attn.o"), ("mlp.down", "mlp.down"), ("attn.q", "attn.k"), ("mlp.gate", "mlp.up")):
        seen = []
        tiny.logits(
            np.frombuffer(text[:16], np.uint8)[None],
            lambda k, X, g=group, s=seen: s.append(X) if k.endswith(g) else None,
        )
        assert seen[0].shape[-1] == tiny.linear(f"layers.0.{read}").shape[1]


def test_replacing_layers_leaves_the_model_alone(tiny):
    name = "layers.0.mlp.up"
    before = tiny.linear(name).copy()
    changed = tiny.with_linears({name: np.zeros_like(before)})
    np.testing.assert_array_equal(tiny.linear(name), before)
    assert not changed.linear(name).any()
    with pytest.raises(ValueError, match=r"layers.0.mlp.up must have the shape of the layer it replaces, \(12, 8\)"):
        tiny.with_linears({name: before.T})


def test_unknown_layer(tiny):
    with pytest.raises(ValueError, match=r"'head' must be a linear layer, .*layers.0 to layers.0, each with attn.q"):
        tiny.linear("head")


def test_text_too_short_for_a_window(tiny):
    with pytest.raises(ValueError, match="text must have more than 16 bytes to fill a window, but it has 16"):
        tiny.bits_per_byte(bytes(16))


def test_a_file_without_sizes_is_refused(tmp_path):
    storage.write_tensors(tmp_path / "x.safetensors", tiny_world.tensors(), {"n_layers": "1"})
    with pytest.raises(ValueError, match="must state its sizes in its header, but 'd_model' is missing or no number"):
        lm.load_lm(tmp_path / "x.safetensors")


@pytest.mark.parametrize("damage", [lambda t: t.pop("norm"), lambda t: t.update(norm=np.ones(3, np.float16))])
def test_a_file_with_other_tensors_is_refused(tmp_path, damage):
    tensors = tiny_world.tensors()
    damage(tensors)
    storage.write_tensors(tmp_path / "x.safetensors", tensors, tiny_world.SHAPE)
    with pytest.raises(ValueError, match=r"must have a tensor norm of shape \(8,\)"):
        lm.load_lm(tmp_path / "x.safetensors")


def test_hessians_are_cached_and_a_damaged_cache_is_made_again(tiny, tmp_path, monkeypatch):
    first = lm.calibrated_hessians(tiny, 400)
    (file,) = (tmp_path / "cache").iterdir()
    whole = file.read_bytes()
    monkeypatch.setattr(lm.LanguageModel, "hessians", lambda *a: pytest.fail("the cache was not used"))
    again = lm.calibrated_hessians(tiny, 400)
    for name in first:
        np.testing.assert_array_equal(first[name], again[name])
    monkeypatch.undo()
    monkeypatch.setattr(data, "_PACKAGE", tmp_path / "shipped")
    monkeypatch.setenv("QUIPREF_CACHE_DIR", str(tmp_path / "cache"))
    file.write_bytes(whole[:-100])
    repaired = lm.calibrated_hessians(tiny, 400)
    np.testing.assert_array_equal(repaired["layers.0.attn.q"], first["layers.0.attn.q"])
    assert file.read_bytes() == whole


def test_a_cache_of_another_model_is_not_used(tiny, tmp_path):
    lm.calibrated_hessians(tiny, 400)
    (file,) = (tmp_path / "cache").iterdir()
    names = [f"layers.0.{group}" for group in lm.SHARED]
    storage.write_tensors(file, {name: np.eye(1) for name in names}, {"made_of": "something else"})
    assert lm.calibrated_hessians(tiny, 400)["layers.0.attn.q"].shape == (8, 8)


def test_without_a_cache_folder_hessians_are_gathered_with_a_word(tiny, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("QUIPREF_CACHE_DIR", str(tmp_path / "file" / "cache"))
    with pytest.warns(RuntimeWarning, match="cannot be used .* Point QUIPREF_CACHE_DIR at a writable folder"):
        assert lm.calibrated_hessians(tiny, 400)["layers.0.attn.q"].shape == (8, 8)
