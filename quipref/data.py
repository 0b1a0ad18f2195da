"""What ships with quipref: the small language model, its text, the small golden set.

An installed wheel carries the files inside the package; an editable install finds them in the
checkout's `data/`. Each file is checked against the SHA-256 in the manifest before it is read.
"""

import os
import warnings
from functools import cache
from pathlib import Path

from quipref import storage

_PACKAGE = Path(__file__).parent / "_data"
_CHECKOUT = Path(__file__).parent.parent / "data"


def folder():
    """The folder that holds the shipped files: package data first, then the checkout."""
    for candidate in (_PACKAGE, _CHECKOUT):
        if (candidate / "manifest.json").is_file():
            return candidate
    raise FileNotFoundError(
        f"The shipped data must be in {_PACKAGE} or {_CHECKOUT}, but neither has a manifest.json. "
        "Install quipref again."
    )


def manifest():
    """The manifest: {"files": {name: {"bytes", "sha256", "license", "source", ...}}}."""
    return storage.read_json(folder() / "manifest.json")


def path(name):
    """The path of a shipped file, after its length and SHA-256 were found right."""
    return _checked(folder(), name)


@cache
def _checked(home, name):
    entry = storage.read_json(home / "manifest.json")["files"].get(name)
    if entry is None:
        raise FileNotFoundError(f"{name} must be a file that ships with quipref, but the manifest has no such entry.")
    file = storage.existing(home / name)
    found = storage.sha256(file)
    if found != entry["sha256"]:
        raise ValueError(
            f"{file} must have the SHA-256 {entry['sha256'][:16]}..., but it has {found[:16]}... "
            f"({file.stat().st_size} bytes of {entry['bytes']}): it was cut short or changed. "
            "Restore it from the repository."
        )
    return file


def read(name):
    """The bytes of a shipped file."""
    return path(name).read_bytes()


def cache_folder():
    """A writable folder for what can be made again, or None, with a warning, where there is none.

    It is the folder that QUIPREF_CACHE_DIR names, else `quipref` in the user's cache folder.
    """
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    wanted = Path(os.environ.get("QUIPREF_CACHE_DIR") or Path(base) / "quipref")
    try:
        wanted = wanted.expanduser()
        wanted.mkdir(parents=True, exist_ok=True)
        if os.access(wanted, os.W_OK):
            return wanted
        reason = "it is not writable"
    except (OSError, RuntimeError) as error:  # RuntimeError: there is no home folder
        reason = str(error)
    warnings.warn(
        f"The cache folder {wanted} cannot be used ({reason}), so Hessians are gathered at each start. "
        "Point QUIPREF_CACHE_DIR at a writable folder.",
        RuntimeWarning,
        stacklevel=2,
    )
    return None
