"""The Hessian file: safetensors with one tensor and its metadata."""

import numpy as np
import pytest
from voice import says

from quipref import load_hessian, random_layer, save_hessian, storage


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_round_trip(tmp_path, dtype):
    H = random_layer(1, 16, seed=0).H.astype(dtype)
    save_hessian(tmp_path / "h.safetensors", H[::-1, ::-1], tokens=1234)
    found, tokens = load_hessian(tmp_path / "h.safetensors")
    assert tokens == 1234
    assert found.dtype == dtype
    assert (found == H[::-1, ::-1]).all()


def test_what_the_contract_says_is_in_it(tmp_path):
    save_hessian(tmp_path / "h", np.eye(2))
    tensors, metadata = storage.read_tensors(tmp_path / "h")
    assert set(tensors) == {"H"}
    assert metadata == {"format": "quipref.hessian", "version": "1", "tokens": "0"}


def test_a_bad_matrix_can_be_loaded_but_not_saved(tmp_path):
    for bad in [np.full((2, 2), np.nan), np.triu(np.ones((2, 2)))]:
        with says(ValueError, "H must be "):
            save_hessian(tmp_path / "h", bad)
        metadata = {"format": "quipref.hessian", "version": "1"}
        storage.write_tensors(tmp_path / "bad", {"H": bad}, metadata)
        H, tokens = load_hessian(tmp_path / "bad")
        assert np.array_equal(H, bad, equal_nan=True)
        assert tokens == 0
    assert not (tmp_path / "h").exists()


@pytest.mark.parametrize(
    ("tensors", "metadata", "came"),
    [
        ({"H": np.eye(2)}, None, "it is None version None with ['H']"),
        ({"H": np.eye(2)}, {"format": "quipref.hessian", "version": "2"}, "version 2 with ['H']"),
        ({"H": np.eye(2)}, {"format": "pt", "version": "1"}, "it is pt version 1"),
        ({"H": np.eye(2), "G": np.eye(2)}, {"format": "quipref.hessian", "version": "1"}, "with ['G', 'H']"),
        ({"h": np.eye(2)}, {"format": "quipref.hessian", "version": "1"}, "with ['h']"),
    ],
)
def test_another_file_is_refused(tmp_path, tensors, metadata, came):
    storage.write_tensors(tmp_path / "f", tensors, metadata)
    with says(ValueError, f"{tmp_path / 'f'} must be a Hessian file (quipref.hessian version 1", came):
        load_hessian(tmp_path / "f")


@pytest.mark.parametrize("tokens", ["-1", "1.5", "many", ""])
def test_bad_token_counts(tmp_path, tokens):
    metadata = {"format": "quipref.hessian", "version": "1", "tokens": tokens}
    storage.write_tensors(tmp_path / "f", {"H": np.eye(2)}, metadata)
    with says(ValueError, f"must say its tokens as a whole number, but it says {tokens!r}."):
        load_hessian(tmp_path / "f")
    with says(ValueError, "tokens must be at least 0, but -1 came."):
        save_hessian(tmp_path / "g", np.eye(2), tokens=-1)


def test_a_cut_file_is_refused(tmp_path):
    save_hessian(tmp_path / "h", np.eye(20))
    whole = (tmp_path / "h").read_bytes()
    (tmp_path / "h").write_bytes(whole[:-8])
    with says(ValueError, "must be a whole safetensors file"):
        load_hessian(tmp_path / "h")
