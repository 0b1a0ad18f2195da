"""Files: read with distrust, written atomically. The only module that touches a disk format."""

import hashlib
import json
import os
import tempfile
from contextlib import contextmanager
from pathlib import Path

import numpy as np

FilePath = str | os.PathLike[str]


def sha256(path):
    """The SHA-256 of a file as 64 hexadecimal digits, read in pieces."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def atomic(path):
    """Yield a scratch path beside `path`; it takes the place of `path` only if the block succeeds.

    An interruption leaves the old file, or none, and removes the scratch file.
    """
    path = in_folder(path)
    handle, scratch = tempfile.mkstemp(prefix=f".{path.name}.", suffix=f".part{path.suffix}", dir=path.parent)
    os.close(handle)
    try:
        yield Path(scratch)
        os.chmod(scratch, 0o666 & ~_umask())  # mkstemp gives 0600; a result is an ordinary file
        os.replace(scratch, path)
    except BaseException:
        Path(scratch).unlink(missing_ok=True)
        raise


def in_folder(path, name="path"):
    """`path` as a Path, where a file can be made: its folder must exist."""
    path = Path(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{name} must be in an existing folder, but {path.parent} is none. Create it first.")
    return path


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


def write_text(path, text):
    """Write a text file atomically, in UTF-8."""
    with atomic(path) as scratch:
        scratch.write_text(text, encoding="utf-8")


def write_tensors(path, tensors, metadata=None):
    """Write arrays and string metadata as safetensors, atomically."""
    from safetensors.numpy import save_file

    contiguous = {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
    with atomic(path) as scratch:
        save_file(contiguous, scratch, metadata=metadata)


def read_tensors(path):
    """(arrays, metadata) of a safetensors file; a damaged file is a ValueError that names it."""
    from safetensors import SafetensorError, safe_open

    path = existing(path)
    try:
        with safe_open(path, framework="numpy") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, dict(file.metadata() or {})  # noqa: SIM118
    except (SafetensorError, OSError, TypeError) as error:
        raise ValueError(
            f"{path} must be a whole safetensors file, but reading it failed: {error}. Make it again."
        ) from error


def read_arrays(path):
    """The arrays of an .npz file as a dict; pickled objects are refused."""
    path = existing(path)
    try:
        # opened here: np.load itself leaves a damaged file open
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except Exception as error:  # NumPy lets zipfile, zlib, struct and its own errors through
        raise ValueError(
            f"{path} must be a whole .npz file of plain arrays, but reading it failed: {error}."
        ) from error


def read_json(path):
    """The content of a JSON file; a damaged one is a ValueError that names it."""
    try:
        return json.loads(existing(path).read_text(encoding="utf-8"))
    except ValueError as error:  # not JSON, or not UTF-8
        raise ValueError(f"{path} must be a whole JSON file, but reading it failed: {error}. Restore it.") from error


def existing(path):
    """`path` as a Path, which must be a file."""
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"{path} must be an existing file, but there is none. Check the spelling and the folder."
        )
    return path
