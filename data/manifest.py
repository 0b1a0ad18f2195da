"""The manifest of `data/`: one JSON entry a file, written by the scripts beside it.

Each entry has the SHA-256 that `quipref.data` checks before it reads the file, the licence
(an SPDX expression) and where the content came from.
"""

import hashlib
import json
import os
from pathlib import Path

FOLDER = Path(__file__).parent
PATH = FOLDER / "manifest.json"


def record(name, *, license, source, **facts):
    """Add or replace the entry of `FOLDER/name`."""
    content = (FOLDER / name).read_bytes()
    manifest = json.loads(PATH.read_text()) if PATH.exists() else {"files": {}}
    manifest["files"][name] = {
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "license": license,
        "source": source,
        **facts,
    }
    manifest["files"] = dict(sorted(manifest["files"].items()))
    write_atomically(PATH, (json.dumps(manifest, indent=2) + "\n").encode())


def write_atomically(path, content):
    """Write bytes so that a reader finds the old file or the new one, never half of either."""
    path = Path(path)
    scratch = path.with_name(path.name + ".part")
    with open(scratch, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(scratch, path)
