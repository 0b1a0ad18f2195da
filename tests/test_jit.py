"""The kernels' decorator: where no compiled code can be kept, a warning and the right answer."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numba
import pytest

import quipref
from quipref.kernels.jit import jit

PACKAGE = Path(quipref.__file__).parent

PROGRAM = """
import sys
import numpy as np, quipref
W, H = quipref.random_layer(5, 9, seed=0)
assert quipref.__file__.startswith(sys.argv[1])
assert (quipref.ldlq(W, H) == quipref.ldlq(W, H, backend="numpy")).all()
print("right")
"""


@pytest.mark.jit
def test_without_a_writable_cache_it_warns_and_works(tmp_path):
    """All three folders that Numba would use lie under a regular file, which stops even root."""
    obstacle = tmp_path / "file"
    obstacle.write_text("in the way")
    ignore = shutil.ignore_patterns("__pycache__", "_data")
    shutil.copytree(PACKAGE, tmp_path / "copy" / "quipref", ignore=ignore)
    for folder in [path for path in (tmp_path / "copy").rglob("*") if path.is_dir()]:
        (folder / "__pycache__").write_text("in the way")
    unusable = ["NUMBA_CACHE_DIR", "HOME", "XDG_CACHE_HOME", "IPYTHONDIR", "LOCALAPPDATA"]
    environment = os.environ | {name: str(obstacle / name) for name in unusable}
    environment["PYTHONPATH"] = str(tmp_path / "copy")
    command = [sys.executable, "-W", "always", "-c", PROGRAM, str(tmp_path / "copy")]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "right\n"
    assert (
        "RuntimeWarning: No folder for compiled code is writable (cannot cache function 'round_columns" in done.stderr
    )
    assert "Point NUMBA_CACHE_DIR at a writable folder." in done.stderr


def test_the_fallback_keeps_the_house_options(monkeypatch):
    asked = []

    def njit(**options):
        asked.append(options)
        if options["cache"]:
            raise RuntimeError("cannot cache function 'f': no locator available")
        return lambda function: function

    monkeypatch.setattr(numba, "njit", njit)
    with pytest.warns(
        RuntimeWarning, match=r"no locator available\), so quipref compiles f anew\. Point NUMBA_CACHE_DIR"
    ):

        @jit
        def f(x):
            return x

    assert f(3) == 3
    first, second = asked
    assert first.pop("cache") is True
    assert second.pop("cache") is False
    assert first == second == {"nogil": True, "error_model": "numpy", "fastmath": {"contract"}}
