"""What ships: found in the package before the checkout, and never read when it was changed."""

import hashlib
import json

import pytest
from voice import says

from quipref import data


def make_folder(path, **contents):
    path.mkdir()
    files = {}
    for name, content in contents.items():
        (path / name).write_bytes(content)
        files[name] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    (path / "manifest.json").write_text(json.dumps({"files": files}))
    return path


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A folder of shipped data in the package's place, and no checkout."""
    monkeypatch.setattr(data, "_PACKAGE", tmp_path / "package")
    monkeypatch.setattr(data, "_CHECKOUT", tmp_path / "checkout")
    return make_folder(tmp_path / "package", text=b"in the package")


def test_package_data_comes_first(package, tmp_path):
    make_folder(tmp_path / "checkout", text=b"in the checkout")
    assert data.folder() == package
    assert data.path("text") == package / "text"
    assert data.read("text") == b"in the package"
    assert set(data.manifest()["files"]) == {"text"}


def test_the_checkout_comes_second(tmp_path, monkeypatch):
    monkeypatch.setattr(data, "_PACKAGE", tmp_path / "package")
    monkeypatch.setattr(data, "_CHECKOUT", make_folder(tmp_path / "checkout", text=b"in the checkout"))
    (tmp_path / "package").mkdir()  # without a manifest it is no folder of shipped data
    assert data.read("text") == b"in the checkout"


def test_neither_folder_is_an_error_that_names_both(tmp_path, monkeypatch):
    monkeypatch.setattr(data, "_PACKAGE", tmp_path / "package")
    monkeypatch.setattr(data, "_CHECKOUT", tmp_path / "checkout")
    with says(FileNotFoundError, str(tmp_path / "package"), str(tmp_path / "checkout"), "neither has a manifest.json"):
        data.folder()


@pytest.mark.parametrize("content", [b"in the package!", b"in the packag", b"in the Package", b""])
def test_a_changed_file_is_refused(package, content):
    (package / "text").write_bytes(content)
    words = "must have the SHA-256 ", f"({len(content)} bytes of 14): it was cut short or changed."
    with says(ValueError, str(package / "text"), *words):
        data.read("text")


def test_a_missing_file_is_named(package):
    (package / "text").unlink()
    with says(FileNotFoundError, f"{package / 'text'} must be an existing file"):
        data.path("text")


def test_a_name_outside_the_manifest_is_refused(package):
    (package / "stray").write_bytes(b"")
    for name in ["stray", "manifest.json", "../package/text"]:
        with says(FileNotFoundError, f"{name} must be a file that ships with quipref"):
            data.path(name)


def test_every_file_that_ships_here_is_whole():
    names = data.manifest()["files"]
    assert {"calibration.txt", "evaluation.txt"} <= set(names)
    for name in names:
        assert data.path(name).is_file()


class TestCacheFolder:
    def test_it_is_made_where_the_variable_says(self, tmp_path, monkeypatch):
        monkeypatch.setenv("QUIPREF_CACHE_DIR", str(tmp_path / "a" / "b"))
        assert data.cache_folder() == tmp_path / "a" / "b"
        assert (tmp_path / "a" / "b").is_dir()

    def test_otherwise_it_is_the_users_cache_folder(self, tmp_path, monkeypatch):
        monkeypatch.delenv("QUIPREF_CACHE_DIR", raising=False)
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        assert data.cache_folder() == tmp_path / "cache" / "quipref"
        monkeypatch.delenv("XDG_CACHE_HOME")
        monkeypatch.setenv("HOME", str(tmp_path / "home"))
        assert data.cache_folder() == tmp_path / "home" / ".cache" / "quipref"

    def test_an_unusable_folder_is_a_warning_and_none(self, tmp_path, monkeypatch):
        (tmp_path / "file").write_text("in the way")
        monkeypatch.setenv("QUIPREF_CACHE_DIR", str(tmp_path / "file" / "below"))
        with pytest.warns(RuntimeWarning, match="cannot be used .*Point QUIPREF_CACHE_DIR at a writable folder"):
            assert data.cache_folder() is None

    def test_a_folder_that_cannot_be_written_is_a_warning_and_none(self, tmp_path, monkeypatch):
        monkeypatch.setenv("QUIPREF_CACHE_DIR", str(tmp_path))
        monkeypatch.setattr(data.os, "access", lambda path, mode: False)  # root may write anywhere
        with pytest.warns(RuntimeWarning, match="it is not writable"):
            assert data.cache_folder() is None

    def test_no_home_folder_is_a_warning_and_none(self, monkeypatch):
        def no_home(path):
            raise RuntimeError("Could not determine home directory.")

        monkeypatch.setattr(data.Path, "expanduser", no_home)
        with pytest.warns(RuntimeWarning, match="Could not determine home directory"):
            assert data.cache_folder() is None
