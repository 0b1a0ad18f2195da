"""The vocabulary of vectors: compiled, each word means what its plain function says; the kernels written in it are
the same on any processor, and are compiled anew when the vocabulary changes."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import quipref
from quipref.kernels import vector


def printed(program, cwd=None, **environment):
    """What a program prints in a process of its own."""
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=cwd, env=os.environ | environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


WORDS = """
import numba, numpy as np
from quipref.kernels import vector
from quipref.kernels.vector import load, stage, store

def speak(x, y):
    n = len(y) // 8
    a, b = load(x, 1), load(x, 1 + n)
    store(y, 0, a + b)
    store(y, n, a - b)
    store(y, 2 * n, stage(a, 1))
    store(y, 3 * n, stage(a, 2))
    store(y, 4 * n, stage(a, 4))
    store(y, 5 * n, stage(a, 8))
    store(y, 6 * n, stage(a, 16))
    store(y, 7 * n, b)

compiled = numba.njit(speak)
for dtype in [np.float32, np.float64]:
    lanes = vector.WIDTH // np.dtype(dtype).itemsize
    x = np.random.default_rng(0).standard_normal(2 * lanes + 2).astype(dtype)
    plain, found = np.zeros(8 * lanes, dtype), np.zeros(8 * lanes + 2, dtype)
    speak(x, plain)
    compiled(x, found[1:-1])
    assert found[1:-1].tobytes() == plain.tobytes()
    assert found[0] == found[-1] == 0

    first = numba.njit(lambda x, i: store(x, 0, load(x, i)))
    second = numba.njit(lambda x, i: store(x, i, load(x, 0)))
    for copy in first, second:
        copy(x, len(x) - lanes)
        for i in -1, len(x) - lanes + 1, len(x):
            try:
                copy(x, i)
            except IndexError:
                continue
            raise SystemExit(f"{i} was not found to be outside")

sums = numba.njit(lambda a, b: (a + b, a - b))
assert sums(2, 3) == (5, -1)
try:
    numba.njit(lambda x, h: store(x, 0, stage(load(x, 0), h)))(x, 1)
except numba.TypingError:
    print("right")
"""


def test_compiled_words_mean_what_the_plain_ones_say(tmp_path):
    """In a process of its own, since they are to be compiled, with the bounds check, when nothing else is."""
    compile_them = {"NUMBA_DISABLE_JIT": "0", "NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": str(tmp_path)}
    assert printed(WORDS, **compile_them) == ["right"]


def test_the_plain_words_by_hand():
    x = np.arange(20, dtype=np.float32)
    v = vector.load(x, 2)
    assert v.tolist() == list(range(2, 18))
    assert vector.stage(v, 8)[:3].tolist() == [2 + 10, 3 + 11, 4 + 12]
    assert vector.stage(v, 8)[8:11].tolist() == [2 - 10, 3 - 11, 4 - 12]
    assert vector.stage(v, 16) is v
    v[:] = 1  # a vector is no window onto the array
    assert x[2] == 2
    vector.store(x, 4, v)
    assert x.tolist() == [0, 1, 2, 3] + [1] * 16


TRANSFORM = """
import numpy as np, quipref
for shape, axis in [((3, 512), 1), ((3, 64), 1), ((3, 4), 1), ((512, 35), 0)]:
    X = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    assert np.array_equal(quipref.fwht(X.copy(), axis), quipref.fwht(X.copy(), axis, backend="numpy"))
print("equal")
"""


@pytest.mark.jit
def test_a_processor_without_long_vectors(tmp_path):
    """The plainest processor that Numba can compile for has no such vectors and no fused multiply-add."""
    plainest = {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""}
    assert printed(TRANSFORM, NUMBA_CACHE_DIR=str(tmp_path), **plainest) == ["equal"]


KERNEL = """
from quipref.kernels.jit import jit
from quipref.kernels.vector import load, store

@jit
def twice(x):
    store(x, 0, load(x, 0) + load(x, 0))
"""

TWICE = """
import numpy as np
from quipref.kernels import planted
x = np.full(8, 3.0)
planted.twice(x)
print(x[0], sum(planted.twice.stats.cache_hits.values()))
"""


@pytest.mark.jit
def test_a_changed_word_changes_the_kernels(tmp_path):
    """Numba's cache compares the kernel's own file alone; the rest is the stamp that the decorator adds."""
    ignore = shutil.ignore_patterns("__pycache__", "_data")
    shutil.copytree(Path(quipref.__file__).parent, tmp_path / "quipref", ignore=ignore)
    words = tmp_path / "quipref" / "kernels" / "vector.py"
    words.with_name("planted.py").write_text(KERNEL)
    environment = {"PYTHONPATH": str(tmp_path), "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    assert printed(TWICE, tmp_path, **environment) == ["6.0", "0"]
    assert printed(TWICE, tmp_path, **environment) == ["6.0", "1"]
    words.write_text(words.read_text().replace("builder.fadd(*args)", "builder.fsub(*args)"))
    assert printed(TWICE, tmp_path, **environment) == ["0.0", "0"]
