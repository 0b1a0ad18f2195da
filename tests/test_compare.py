"""The words for comparisons: compiled, each means what its plain function says."""

import numpy as np
import pytest
from test_vector import printed

from quipref.kernels import compare, vector

WORDS = """
import numba, numpy as np
from quipref.kernels.compare import add_up, less, minimum, select, store_mask, store_whole
from quipref.kernels.vector import load, look_up, spread, store

def speak(x, y, masks, n):
    a, b = load(x, 0), load(x, n)
    store(y, 0, minimum(a, b))
    store(y, n, select(less(a, b), spread(x, 3), a))
    store(y, 2 * n, a + b)
    store(y, 3 * n, a - b)
    store(y, 4 * n, a * b)
    store_mask(masks, 0, less(a, b))
    store_mask(masks, 1, select(less(a, spread(x, 1)), less(b, a), less(a, b)))

def whole(x, y, n):
    a, b = load(x, 0), load(x, n)
    store(y, 0, add_up(a, b))
    store(y, n, a | b)
    store(y, 2 * n, a & b)

def look(x, which, y):
    store(y, 0, look_up(x, which, 1))

def bytes_of(x, y, i):
    store_whole(y, i, load(x, 0))

def refuses(function, *args):
    try:
        function(*args)
    except IndexError:
        return
    raise SystemExit(f"{args[-1]} was not found to be outside")

rng = np.random.default_rng(0)
words = numba.njit(speak)
for dtype, mask in [(np.float32, np.uint16), (np.uint16, np.uint32), (np.float64, np.uint8)]:
    n = 64 // np.dtype(dtype).itemsize
    for case in range(20):
        x = rng.integers(0, 6, 2 * n).astype(dtype)
        outputs = [(np.zeros(5 * n, dtype), np.zeros(2, mask)) for _ in range(2)]
        speak(x, *outputs[0], n)
        words(x, *outputs[1], n)
        for plain, found in zip(*outputs):
            assert plain.tobytes() == found.tobytes()
    which = np.array([7, 5], np.uint16)
    y = np.zeros((2, n), dtype)
    look(x, which, y[0]), numba.njit(look)(x, which, y[1])
    assert (y == x[5 : 5 + n]).all()
    refuses(numba.njit(look), x, np.array([0, n + 1], np.uint16), y[0])
    refuses(numba.njit(look), x, which[:1], y[0])
    refuses(numba.njit(lambda x, i: store(x, 0, spread(x, i))), x, len(x))
    refuses(numba.njit(lambda x, m, i: store_mask(m, i, less(load(x, 0), load(x, 0)))), x, np.zeros(2, mask), 2)

x = rng.integers(0, 2**16, 64).astype(np.uint16)
y = np.zeros((2, 96), np.uint16)
whole(x, y[0], 32), numba.njit(whole)(x, y[1], 32)
assert (y[0] == y[1]).all() and (y[0] == 65535).any()

x = np.arange(16, dtype=np.float32) * 4
for dtype in np.uint8, np.uint16:
    y = np.zeros((2, 20), dtype)
    bytes_of(x, y[0], 3), numba.njit(bytes_of)(x, y[1], 3)
    assert (y[0] == y[1]).all() and y[1][18] == 60 and not y[1][:3].any()
    refuses(numba.njit(bytes_of), x, y[0], 5)

def spoken(word):
    word = numba.njit(word)
    numba.njit(lambda x: store(x, 0, word(load(x, 0), x)))(np.ones(64, np.uint16))

spoken(lambda a, x: minimum(a, load(x, 0)) | a)
for wrong in [
    lambda a, x: minimum(a, x),
    lambda a, x: a | x,
    lambda a, x: select(less(a, x), a, a),
    lambda a, x: select(a, a, a),
    lambda a, x: select(less(a, a), a, x),
]:
    try:
        spoken(wrong)
    except numba.TypingError:
        continue
    raise SystemExit("two types were taken for one")
print("right")
"""


def test_compiled_words_mean_what_the_plain_ones_say(tmp_path):
    """In a process of its own, since they are to be compiled, with the bounds check, when nothing else is."""
    compile_them = {"NUMBA_DISABLE_JIT": "0", "NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": str(tmp_path)}
    assert printed(WORDS, **compile_them) == ["right"]


def test_the_plain_words_by_hand():
    a, b = np.float32([1, 2, 3, np.nan]), np.float32([2, 2, 1, 0])
    assert compare.less(a, b).tolist() == [True, False, False, False]
    assert compare.minimum(a, b)[:3].tolist() == [1, 2, 1]
    assert compare.select(compare.less(a, b), a, b).tolist() == [1, 2, 1, 0]
    masks = np.zeros(2, np.uint16)
    compare.store_mask(masks, 1, np.arange(16) % 15 == 0)
    assert masks.tolist() == [0, 0x8001]
    names = np.zeros(6, np.uint8)
    compare.store_whole(names, 1, b)
    assert names.tolist() == [0, 2, 2, 1, 0, 0]
    x = np.uint16([65535, 65534, 7])
    assert compare.add_up(x, np.uint16([1, 1, 1])).tolist() == [65535, 65535, 8]


@pytest.mark.parametrize("dtype", [np.float32, np.uint16])
def test_the_plain_words_for_places(dtype):
    x = np.arange(100, dtype=dtype)
    lanes = vector.WIDTH // x.itemsize
    assert vector.spread(x, 3).tolist() == [3] * lanes
    assert vector.look_up(x, np.uint16([9, 4]), 1).tolist() == list(range(4, 4 + lanes))
