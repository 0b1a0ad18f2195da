"""Plain records in a folder: one JSON file for each question, named by the SHA-256 of the question.

A file holds its question, the answer and a SHA-256 of both, so that a damaged or foreign one is known for what it is.
"""

import hashlib
import json
import re
import tempfile
import warnings
from pathlib import Path
from typing import Any

from quipref import storage

BROKEN = 1 + 1e-9  # a ratio above it breaks its bound: below 1 + 1e-9 the arithmetic of float64 may be to blame
NAME = re.compile(r"[0-9a-f]{64}\.json")


def file_name(question):
    """The name of the file that answers a question, a dict of JSON types."""
    return f"{_digest(question)}.json"


def write(folder, question, answer):
    """Write a question and its answer, both dicts of JSON types, atomically."""
    content = {"question": question, "answer": answer, "sha256": _digest([question, answer])}
    storage.write_text(Path(folder) / file_name(question), json.dumps(content, indent=1, allow_nan=False) + "\n")


def read(path):
    """The record question | answer of a file; ValueError if it is not, to the letter, what `write` wrote."""
    if Path(path).is_dir():
        raise ValueError(f"{path} must be a whole record, but it is a folder.")
    try:
        content = storage.read_json(path)
        question, answer = content["question"], content["answer"]
        whole = _digest([question, answer]) == content["sha256"] and file_name(question) == Path(path).name
        record = question | answer
    except (TypeError, KeyError, RecursionError, ValueError) as error:
        raise ValueError(f"{path} must be a whole record, but it is damaged or something else.") from error
    if not whole:
        raise ValueError(f"{path} must be a whole record, but its SHA-256 does not fit what it holds.")
    return record


def files(folder):
    """The files in a folder that have the name of a record, in order; all others are none of our business."""
    return sorted(path for path in Path(folder).iterdir() if NAME.fullmatch(path.name))


def load_sweep(folder: storage.FilePath) -> list[dict[str, Any]]:
    """The records that sweeps have written to a folder, of whatever version, sorted by their questions.

    Parameters
    ----------
    folder : path
        Files in it that do not have the name of a record are none of our business.

    Returns
    -------
    list of dict
        As `quipref.sweep` returns them. A damaged file is reported by a warning and left out.

    Raises
    ------
    OSError
        There is no such folder.
    """
    loaded = []
    for path in files(folder):
        try:
            loaded.append(read(path))
        except ValueError as error:
            warnings.warn(f"{error} It is left out.", stacklevel=2)
    order = "method", "code", "options", "bits", "spectrum", "basis", "m", "n", "seed"
    return sorted(loaded, key=lambda record: [_sortable(record.get(key)) for key in order])


def _sortable(value):
    return (isinstance(value, int), value if isinstance(value, int) else str(value))


def label(record):
    """A record's method as tables and pictures name it: with its options and bits."""
    options = [f"{key}={value}" for key, value in record["options"].items()]
    bits = [] if record["bits"] is None else [f"{record['bits']} bit{'s' * (record['bits'] > 1)}"]
    return ", ".join((record["method"], *bits, *options))


def existing_folder(folder):
    """`folder` as an absolute Path, made if its parent is there; files can be written to it."""
    folder = Path(folder).absolute()
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"folder must be a folder, but {folder} is a file. Name another one.")
    if not folder.parent.is_dir():
        raise FileNotFoundError(f"folder must be in an existing folder, but {folder.parent} is none. Create it first.")
    try:
        folder.mkdir(exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError as error:
        why = error.strerror
        raise OSError(f"folder must be one to write to, but {folder} is none ({why}). Name another one.") from error


def _digest(content):
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()
