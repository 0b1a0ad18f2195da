"""Files: the round trip, the interruption, the damage."""

import hashlib
import json
import os
import pickle
import signal
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from voice import says

from quipref import storage


def test_sha256_of_the_standards_example(tmp_path):
    path = tmp_path / "abc"
    path.write_bytes(b"abc")
    assert storage.sha256(path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-4
    path.write_bytes(bytes(3_000_001))
    assert storage.sha256(path) == hashlib.sha256(bytes(3_000_001)).hexdigest()


class TestAtomic:
    def test_the_new_file_takes_the_place_of_the_old(self, tmp_path):
        path = tmp_path / "result.txt"
        path.write_text("old")
        with storage.atomic(path) as scratch:
            scratch.write_text("new")
            assert path.read_text() == "old"
            assert scratch.parent == tmp_path
            assert scratch.suffix == ".txt"  # numpy.savez appends .npz to any other name
        assert path.read_text() == "new"
        assert list(tmp_path.iterdir()) == [path]

    @pytest.mark.parametrize("interruption", [RuntimeError, KeyboardInterrupt, SystemExit])
    @pytest.mark.parametrize("old", [None, "old"])
    def test_an_interruption_leaves_the_old_file_and_nothing_else(self, tmp_path, interruption, old):
        path = tmp_path / "result.txt"
        if old:
            path.write_text(old)
        with pytest.raises(interruption), storage.atomic(path) as scratch:
            scratch.write_text("half")
            raise interruption
        assert [p.read_text() for p in tmp_path.iterdir()] == ([old] if old else [])

    def test_an_interrupted_process_leaves_nothing(self, tmp_path):
        program = (
            "import signal, sys\nfrom quipref import storage\n"
            "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a job in the background inherits 'ignore'
            "with storage.atomic(sys.argv[1]) as scratch:\n"
            "    scratch.write_text('half'); print('here', flush=True); sys.stdin.read()\n"
        )
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        with subprocess.Popen([sys.executable, "-c", program, tmp_path / "result"], text=True, **pipes) as process:
            assert process.stdout.readline() == "here\n"
            assert len(list(tmp_path.iterdir())) == 1
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=60)
        assert "KeyboardInterrupt" in errors
        assert process.returncode != 0
        assert list(tmp_path.iterdir()) == []

    def test_a_vanished_scratch_file_is_an_error_and_no_second_one(self, tmp_path):
        with pytest.raises(FileNotFoundError), storage.atomic(tmp_path / "result") as scratch:
            scratch.unlink()
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.skipif(os.name != "posix", reason="permission bits are POSIX")
    def test_the_result_has_the_permissions_of_an_ordinary_file(self, tmp_path):
        before = os.umask(0o027)
        try:
            storage.write_text(tmp_path / "result.txt", "x")
            assert os.umask(0o027) == 0o027  # as we set it
        finally:
            os.umask(before)
        assert (tmp_path / "result.txt").stat().st_mode & 0o777 == 0o640

    def test_a_missing_folder_is_named(self, tmp_path):
        missing = tmp_path / "nowhere"
        with says(FileNotFoundError, f"path must be in an existing folder, but {missing} is none."):
            storage.write_text(missing / "file", "x")


def test_text_is_utf8(tmp_path):
    storage.write_text(tmp_path / "t", "\u00b5\n")
    assert (tmp_path / "t").read_bytes() == b"\xc2\xb5\n"


class TestTensors:
    TENSORS = {
        "a": np.arange(12, dtype=np.float64).reshape(3, 4)[:, ::-2],
        "b": np.arange(6, dtype=np.float16).reshape(2, 3).T,
        "c": np.array([[1, 2]], dtype=np.uint8),
        "empty": np.zeros((0, 3), np.float32),
    }

    @pytest.fixture
    def path(self, tmp_path):
        storage.write_tensors(tmp_path / "t.safetensors", self.TENSORS, {"format": "x", "tokens": "3"})
        return tmp_path / "t.safetensors"

    def test_round_trip_with_strides_and_metadata(self, path):
        tensors, metadata = storage.read_tensors(path)
        assert metadata == {"format": "x", "tokens": "3"}
        assert set(tensors) == set(self.TENSORS)
        for name, tensor in self.TENSORS.items():
            assert tensors[name].dtype == tensor.dtype
            assert tensors[name].shape == tensor.shape
            assert (tensors[name] == tensor).all()

    def test_no_metadata_is_an_empty_dict(self, tmp_path):
        storage.write_tensors(tmp_path / "t", {"c": self.TENSORS["c"]})
        assert storage.read_tensors(tmp_path / "t")[1] == {}

    def test_any_truncation_is_refused(self, path):
        whole = path.read_bytes()
        for length in [0, 4, 8, 20, len(whole) // 2, len(whole) - 1]:
            path.write_bytes(whole[:length])
            with says(
                ValueError, f"{path} must be a whole safetensors file, but reading it failed: ", "Make it again."
            ):
                storage.read_tensors(path)

    def test_a_damaged_header_is_refused(self, path):
        whole = path.read_bytes()
        path.write_bytes(whole[:8] + b"!" + whole[9:])
        with says(ValueError, f"{path} must be a whole safetensors file"):
            storage.read_tensors(path)

    def test_a_dtype_that_numpy_has_not_is_refused(self, tmp_path):
        header = json.dumps({"x": {"dtype": "BF16", "shape": [1], "data_offsets": [0, 2]}}).encode()
        path = tmp_path / "bfloat16.safetensors"
        path.write_bytes(struct.pack("<Q", len(header)) + header + b"\x80\x3f")
        with says(ValueError, f"{path} must be a whole safetensors file"):
            storage.read_tensors(path)

    def test_a_missing_file_is_named(self, tmp_path):
        with says(FileNotFoundError, f"{tmp_path / 'x'} must be an existing file, but there is none."):
            storage.read_tensors(tmp_path / "x")

    def test_an_interrupted_write_leaves_nothing(self, tmp_path):
        with pytest.raises(Exception, match="complex"):
            storage.write_tensors(tmp_path / "t", {"a": np.ones(3, np.clongdouble)})
        assert list(tmp_path.iterdir()) == []


class _Trap:
    """Unpickling this would create the file it names."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


class TestArrays:
    def test_round_trip(self, tmp_path):
        W, H = np.ones((2, 3), np.float32), np.eye(3)
        np.savez(tmp_path / "layer.npz", W=W, H=H)
        arrays = storage.read_arrays(tmp_path / "layer.npz")
        assert set(arrays) == {"W", "H"}
        assert arrays["W"].dtype == np.float32
        assert (arrays["H"] == H).all()

    def test_pickled_objects_are_refused_and_never_loaded(self, tmp_path):
        canary = tmp_path / "loaded"
        np.savez(tmp_path / "layer.npz", W=np.array([_Trap(canary)], dtype=object))
        with says(ValueError, "must be a whole .npz file of plain arrays"):
            storage.read_arrays(tmp_path / "layer.npz")
        assert not canary.exists()
        pickle.loads(pickle.dumps(_Trap(canary)))  # noqa: S301 - the trap works
        assert canary.exists()

    def test_damage_is_refused(self, tmp_path):
        path = tmp_path / "layer.npz"
        np.savez(path, W=np.random.default_rng(0).random((20, 20)))
        whole = path.read_bytes()
        for length in [0, 10, len(whole) // 2, len(whole) - 1]:
            path.write_bytes(whole[:length])
            with says(ValueError, f"{path} must be a whole .npz file of plain arrays, but reading it failed: "):
                storage.read_arrays(path)
        changed = bytearray(whole)
        changed[len(whole) // 2] ^= 1
        path.write_bytes(changed)
        with says(ValueError, f"{path} must be a whole .npz file of plain arrays", "CRC"):
            storage.read_arrays(path)

    def test_another_file_type_is_refused(self, tmp_path):
        np.save(tmp_path / "one.npy", np.ones(3))
        (tmp_path / "text.npz").write_text("W = 3")
        for name in ["one.npy", "text.npz"]:
            with says(ValueError, f"{tmp_path / name} must be a whole .npz file"):
                storage.read_arrays(tmp_path / name)

    def test_a_missing_file_is_named(self, tmp_path):
        with says(FileNotFoundError, f"{tmp_path} must be an existing file"):
            storage.read_arrays(tmp_path)


def test_json(tmp_path):
    (tmp_path / "a.json").write_text('{"x": [1, null]}')
    assert storage.read_json(tmp_path / "a.json") == {"x": [1, None]}
    with says(FileNotFoundError, "must be an existing file"):
        storage.read_json(tmp_path / "b.json")
    (tmp_path / "a.json").write_text('{"x": [1, nu')
    with pytest.raises(ValueError, match="a.json must be a whole JSON file, but reading it failed: .*line 1"):
        storage.read_json(tmp_path / "a.json")
