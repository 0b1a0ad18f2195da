"""Decode and multiply: the version to read and the fast one, against the weights from the CPU and NumPy's product."""

import numpy as np
import pytest
from numba import cuda

from quipref import BitshiftTrellis, E8PQuantizer, ResidualQuantizer, TrellisQuantizer
from quipref.cuda import fast_matvec, layout, matvec, registers
from quipref.cuda.vocabulary import SIMULATED, load4
from quipref.device_codes import joined
from quipref.lattice import e8p, one_bit
from quipref.trellis import codes

ROUNDING = 2.0**-23  # of a sum or product in single precision; tensor cores may cut off where others round
rng = np.random.default_rng(0)
PAIRS = (rng.standard_normal((512, 2)) * 2).astype(np.float16).astype(np.float32)
INTEGERS = rng.integers(-9, 10, (256, 1)).astype(np.float32)
CODES = {
    "1mad": (codes.one_mad, None, 0),
    "2mad": (codes.two_mad, None, 0),
    "3inst": (codes.three_inst, None, 0),
    "mcg": (codes.mcg, None, 0),
    "mul1": (codes.mul1, None, 0),
    "hyb": (lambda L: codes.hyb(PAIRS, L), PAIRS, 9),
    "lut": (lambda L: INTEGERS, INTEGERS, 0),
}


def walks(code, k, shape, L=16, tile=(16, 16), scale=0.37, seed=1):
    """(what a kernel needs to know, its streams and table, the weights in double precision), of random bits."""
    values, table, Q = CODES[code]
    values = values(L)
    V = values.shape[1]
    cpu = TrellisQuantizer(values, BitshiftTrellis(L, k, V), scale=scale, tile=tile)
    words = np.random.default_rng(seed).integers(0, 2**16, (shape[0], shape[1] * k // 16), dtype=np.uint16)
    how = {"code": code, "state_bits": L, "bits": k, "values_per_step": V, "table_bits": Q, "tile": tile}
    table = np.zeros(1, np.float32) if table is None else table
    return how, (cuda.to_device(joined(cpu.streams(words))), cuda.to_device(table.ravel())), cpu.decode(words)


def product(multiply, how, arrays, W, X, scale=0.37):
    """What a kernel makes of W X^T, which it must write in full."""
    Y = cuda.to_device(np.full((len(X), len(W)), np.nan, np.float32))
    multiply(*arrays, cuda.to_device(X), Y, scale, **how)
    return Y.copy_to_host()


def vectors(B, n, seed=2):
    return np.random.default_rng(seed).standard_normal((B, n)).astype(np.float32)


def slack(W, X):
    """Of any order of summation: each of n products, n sums and 3 scales rounds |W| |X| at most."""
    return (2 * X.shape[1] + 3) * ROUNDING * np.abs(X).astype(np.float64) @ np.abs(W).T


def digits_slack(W, X, mean=0.0):
    """Of the fast kernel, beside `slack`.

    With M the largest of a vector in a block's columns, the last digit counts 2^-29 M or less, and what is cut off
    there as much. The last three digits are as large as M / 32 though x may be small, and for 1MAD and 2MAD they are
    multiplied by values whose mean has not been taken off yet, so that |w| grows by it; their sums round as others do.
    """
    n, sizes = X.shape[1], np.abs(X).astype(np.float64)
    columns = fast_matvec.block_columns(len(X))
    for left in range(0, n, columns):
        sizes[:, left : left + columns] = sizes[:, left : left + columns].max(axis=1, keepdims=True)
    return sizes @ (2.0**-29 * np.abs(W) + (2 * n + 3) * ROUNDING * (np.abs(W) + mean) / 32).T


@pytest.mark.parametrize(
    ("code", "B", "k", "shape", "L", "tile"),
    [
        ("1mad", 1, 2, (32, 64), 16, (16, 16)),
        ("hyb", 3, 2, (16, 32), 16, (16, 16)),
        ("mul1", 8, 4, (16, 32), 16, (16, 16)),
        ("3inst", 2, 3, (16, 32), 12, (8, 32)),
        ("lut", 3, 5, (4, 32), 8, (2, 32)),
    ],
)
def test_the_version_to_read(code, B, k, shape, L, tile):
    how, arrays, W = walks(code, k, shape, L, tile)
    X = vectors(B, shape[1])
    assert (np.abs(product(matvec.walks_matvec, how, arrays, W, X) - X @ W.T) <= slack(W, X)).all()


def test_integers_are_multiplied_exactly():
    how, arrays, W = walks("lut", 2, (16, 32), 8, scale=0.5)
    X = np.random.default_rng(4).integers(-9, 10, (3, 32)).astype(np.float32)
    assert (product(matvec.walks_matvec, how, arrays, W, X, 0.5) == X @ W.T).all()


@pytest.mark.parametrize("bits", [2, 3, 4])
def test_points(bits):
    quantizer = E8PQuantizer(scale=0.6) if bits == 2 else ResidualQuantizer(bits, scale=0.6)
    made = np.random.default_rng(bits).integers(0, {2: 2**16, 3: 2**8, 4: 2**16}[bits], (16, 12), dtype=np.uint32)
    made = made.astype(np.uint16) if bits == 2 else made | made[::-1] * 7 % 2**16 << 16
    second = one_bit.points() if bits == 3 else e8p.patterns()
    scales = quantizer.scale, getattr(quantizer, "residual_scale", 1.0)
    W, X = quantizer.decode(made), vectors(3, 96)
    Y = cuda.to_device(np.full((3, 16), np.nan, np.float32))
    arrays = (cuda.to_device(array.copy()) for array in (made, e8p.patterns(), second, X))
    matvec.points_matvec(*arrays, Y, *scales, bits=bits)
    # a weight is itself rounded twice: a quotient and a sum, neither larger than the two points' coordinates
    sizes = np.abs(W) + 2 * 2.75 * quantizer.scale
    assert (np.abs(Y.copy_to_host() - X @ W.T) <= slack(W, X) + 2 * ROUNDING * np.abs(X) @ sizes.T).all()


FAST = [
    ("1mad", 1, 2, (32, 64)),
    ("1mad", 3, 2, (16, 144)),  # half a warp's rows, and a quarter of a block's columns
    ("2mad", 2, 4, (16, 64)),
    ("1mad", 1, 1, (64, 64)),
    ("3inst", 1, 1, (16, 64)),
    ("mcg", 2, 4, (32, 48)),
    ("mul1", 8, 2, (32, 32)),
    ("hyb", 2, 2, (48, 80)),
    ("hyb", 1, 4, (16, 64)),
]


@pytest.mark.parametrize(("code", "B", "k", "shape"), FAST if SIMULATED else [*FAST, ("1mad", 5, 2, (512, 2048))])
def test_the_fast_version(code, B, k, shape):
    how, arrays, W = walks(code, k, shape)
    X = (vectors(B, shape[1]) * 10.0 ** np.linspace(-12, 20, B)[:, None]).astype(np.float32)  # each has its own unit
    mean = 0.37 * 510 / 147.8 if code in ("1mad", "2mad") else 0.0
    found = product(fast_matvec.fast_walks_matvec, how, arrays, W, X)
    assert (np.abs(found - X.astype(np.float64) @ W.T) <= slack(W, X) + digits_slack(W, X, mean)).all()


def test_the_bytes_of_1mad_are_summed_exactly():
    """Integers below 2^24, in any order: the scale takes the code's division back."""
    std = float(codes.BYTES_STD)
    how, arrays, W = walks("1mad", 2, (32, 64), scale=1.0)
    X = np.random.default_rng(6).integers(-100, 101, (1, 64)).astype(np.float32)
    integers = np.rint(W * std)
    assert np.abs(W * std - integers).max() < 1e-4
    assert (product(fast_matvec.fast_walks_matvec, how, arrays, W, X, std) == X @ integers.T).all()


def test_numbers_as_small_and_as_large_as_single_precision_has():
    """Exact again, each vector times a power of two: the first's numbers and results are subnormal."""
    std = float(codes.BYTES_STD)
    how, arrays, W = walks("1mad", 2, (32, 64), scale=1.0)
    X = np.random.default_rng(6).integers(-100, 101, (3, 64)).astype(np.float32)
    power = np.exp2(np.float32([[-129], [0], [120]]))
    found = product(fast_matvec.fast_walks_matvec, how, arrays, W, X * power, std * 2.0**-20)
    assert (found == X @ np.rint(W * std).T * 2.0**-20 * power).all()


def test_what_is_not_finite_leaves_other_vectors_alone():
    how, arrays, W = walks("1mad", 4, (16, 64))
    X = vectors(3, 64)
    X[0, 3], X[2, 5] = np.inf, np.nan
    found = product(fast_matvec.fast_walks_matvec, how, arrays, W, X)
    assert np.isnan(found[[0, 2]]).all()
    assert np.isfinite(found[1]).all()
    X[:] = 0
    assert (product(fast_matvec.fast_walks_matvec, how, arrays, W, X) == 0).all()


@pytest.mark.skipif(not SIMULATED, reason="a compiled function keeps the word that it was compiled with")
@pytest.mark.parametrize("word", ["from_lane", "half_word"])
def test_a_wrong_word_would_be_seen(word, monkeypatch):
    """A circle that does not run on in the next lane's bytes; windows that lie a byte too low."""
    wrong = {"from_lane": lambda word, lane, room: word, "half_word": lambda x, byte: np.uint32(int(x) >> 8 & 0xFFFF)}
    monkeypatch.setattr(fast_matvec if word == "from_lane" else registers, word, wrong[word])
    with pytest.raises(AssertionError):
        test_the_fast_version("1mad", 1, 2, (32, 64))


@pytest.mark.skipif(not SIMULATED, reason="a compiled kernel cannot be watched")
@pytest.mark.parametrize("k", [1, 2, 4])
def test_a_lane_reads_its_strip_of_every_step(k, monkeypatch):
    """Lane 4 g + t: rows from 8 g / k on, columns from 16 t and from 64 + 16 t on, which the layout says as well."""
    read = {lane: [] for lane in range(32)}

    def watched(words, i):
        read[fast_matvec.cuda.threadIdx.x].append(int(i))
        return load4(words, i)

    monkeypatch.setattr(fast_matvec, "load4", watched)
    how, arrays, W = walks("1mad", k, (64 // k, 128))
    product(fast_matvec.fast_walks_matvec, how, arrays, W, vectors(1, 128))
    for lane, places in read.items():
        top, t = lane // 4 * (8 // k), lane % 4
        tiles, bit = [top // 16 * 8 + 4 * step + t for step in range(2)], top % 16 * 16 * k
        assert places[:2] == [tile * 8 * k + bit // 32 for tile in tiles]
        down, across, strip = layout.strip_of_lane(lane, k)
        assert places[:2] == [layout.strip_place(8 * down + 4 * step + across, strip, k) for step in range(2)]


@pytest.mark.parametrize(
    ("walk", "said"),
    [
        (("1mad", 16, 2, 1, 0, (16, 16)), None),
        (("hyb", 16, 4, 2, 9, (16, 16)), None),
        (("lut", 16, 2, 1, 0, (16, 16)), "takes 1mad, 2mad"),
        (("1mad", 12, 2, 1, 0, (16, 16)), "state_bits is 12: the fast kernel takes 16"),
        (("1mad", 16, 3, 1, 0, (16, 16)), "3 bits: the fast kernel takes 1, 2 or 4"),
        (("1mad", 16, 2, 1, 0, (8, 16)), "8 x 16: the fast kernel takes 16 x 16"),
        (("hyb", 16, 2, 2, 10, (16, 16)), "table_bits 10: the"),
    ],
)
def test_what_the_fast_version_does_not_take(walk, said):
    why = fast_matvec.fast_refuses(*walk)
    assert why is None if said is None else said in why
