"""Decoding on a device: every state of every code, every number of bits, every point, equal to the CPU to the bit."""

import numpy as np
import pytest
from numba import cuda

from quipref import BitshiftTrellis, E8PQuantizer, ResidualQuantizer, TrellisQuantizer, pack
from quipref.cuda import codes as device_codes
from quipref.cuda import decode
from quipref.cuda.vocabulary import SIMULATED
from quipref.device_codes import joined
from quipref.lattice import e8p, one_bit
from quipref.trellis import codes

rng = np.random.default_rng(0)
SMALL = rng.standard_normal((512, 2)).astype(np.float32)
SMALL[3] = 0.0  # of which the sign of half the zeros is turned
# name: (values of all states (2^L, V), the table that a kernel reads, Q)
CODES = {
    "1mad": (codes.one_mad, None, 0),
    "2mad": (codes.two_mad, None, 0),
    "3inst": (codes.three_inst, None, 0),
    "mcg": (codes.mcg, None, 0),
    "mul1": (codes.mul1, None, 0),
    "hyb": (lambda L: codes.hyb(SMALL, L), SMALL, 9),
    "lut": (lambda L: codes.gaussian(L, 2, seed=0), "all", 0),
}
THREADS = 8 if SIMULATED else 256


def case(code, L):
    """(values, table on the device, Q) of a code."""
    values, table, Q = CODES[code]
    values = values(L)
    table = np.zeros(1, np.float32) if table is None else values if isinstance(table, str) else table
    return values, cuda.to_device(table.ravel()), Q


def same_bits(found, expected):
    assert found.dtype == expected.dtype == np.float32
    assert found.shape == expected.shape
    return (found.view(np.uint32) == expected.view(np.uint32)).all()


def all_values(code, states=65536):
    """The values of the first states, from a kernel."""
    values, table, Q = case(code, 16)
    V = values.shape[1]
    value = device_codes.value_function(code, V, Q)

    @cuda.jit
    def every_state(table, out):
        for s in range(cuda.grid(1), out.shape[0], cuda.gridsize(1)):
            for j in range(V):
                out[s, j] = value(np.uint32(s), j, table)

    out = cuda.device_array((states, V), np.float32)
    every_state[1 if SIMULATED else 256, THREADS](table, out)
    return out.copy_to_host(), values[:states]


@pytest.mark.parametrize("code", CODES)
def test_every_state_of_every_code(code):
    assert same_bits(*all_values(code))


@pytest.mark.skipif(not SIMULATED, reason="a compiled function keeps the word that it was compiled with")
@pytest.mark.parametrize("code", device_codes.COMPUTED)
def test_a_wrong_word_would_be_seen(code, monkeypatch):
    """Words that widen where a device wraps: the mistake that Python's integers, and Numba's, make easy."""
    monkeypatch.setattr(device_codes, "multiply_add", lambda x, a, b: np.uint32(int(x) * int(a) + int(b) & 0x7FFFFFFF))
    assert not same_bits(*all_values(code, 256))


def test_the_constants_are_those_of_the_cpu():
    for name in ("ONE_MAD", "TWO_MAD", "TWO_MAD_SECOND", "THREE_INST", "MCG", "MUL1", "HALVES_MASK", "HALVES_FLIP"):
        assert np.array_equal(getattr(device_codes, name), getattr(codes, name)), name
    assert device_codes.BYTES_STD == codes.BYTES_STD
    assert device_codes.MEAN_BEYOND_2_23 == 2**23 + codes.BYTES_MEAN
    scales = np.array([device_codes.MUL1_SCALE, device_codes.MUL1_SHIFT], np.uint16).view(np.float16)
    assert scales.tolist() == [codes.MUL1_SCALE, codes.MUL1_SHIFT]


def every_state_once(k):
    """A circle of 65536 steps of k bits through all states of 16 bits, by Hierholzer's way to find such circles."""
    circle, path, tried = [], [0], [0] * (1 << 16 - k)  # nodes are the 16 - k bits that two states share
    while path:
        node = path[-1]
        if tried[node] < 1 << k:
            path.append((node << k | tried[node]) & len(tried) - 1)
            tried[node] += 1
        else:
            circle.append(path.pop())
    nodes = np.array(circle[::-1], np.int32)
    return (nodes[:-1] << k) | (nodes[1:] & (1 << k) - 1)


@pytest.mark.parametrize("k", range(1, 9))
def test_every_window_of_every_number_of_bits(k):
    """A code whose value is the state's own number shows the states that were found: every one, in its place."""
    states, trellis = every_state_once(k), BitshiftTrellis(16, k)
    assert (np.bincount(states, minlength=65536) == 1).all()
    streams, table = joined(pack(states[None], trellis)), cuda.to_device(np.arange(65536, dtype=np.float32))
    out = cuda.device_array((256, 256), np.float32)
    how = {"code": "lut", "state_bits": 16, "bits": k, "tile": (256, 256)}
    decode.decode_walks(cuda.to_device(streams), table, out, 1.0, **how)
    assert (out.copy_to_host().ravel() == states).all()


def walks(code, trellis, tile=(16, 16), tiles=(1, 2) if SIMULATED else (64, 64), scale=0.37):
    """(weights of random bits from a device, and from the CPU)."""
    values, table, Q = case(code, trellis.state_bits)
    cpu = TrellisQuantizer(values, trellis, scale=scale, tile=tile)
    m, n = tiles[0] * tile[0], tiles[1] * tile[1]
    words = np.random.default_rng(1).integers(0, 2**16, (m, n * trellis.bits_per_weight // 16), dtype=np.uint16)
    out = cuda.to_device(np.full((m, n), np.nan, np.float32))
    how = {"code": code, "state_bits": trellis.state_bits, "bits": trellis.bits_per_weight, "tile": tile}
    how |= {"values_per_step": trellis.values_per_step, "table_bits": Q}
    decode.decode_walks(cuda.to_device(joined(cpu.streams(words))), table, out, cpu.scale, **how)
    return out.copy_to_host(), cpu.decode(words).astype(np.float32)


@pytest.mark.parametrize("k", range(1, 9))
@pytest.mark.parametrize("code", CODES)
def test_every_number_of_bits(code, k):
    assert same_bits(*walks(code, BitshiftTrellis(16, k, CODES[code][0](4).shape[1])))


@pytest.mark.parametrize(
    ("code", "L", "k", "tile"),
    [
        ("1mad", 20, 3, (16, 32)),  # the longest state, words that are no power of two
        ("3inst", 12, 2, (8, 16)),
        ("mul1", 1, 1, (2, 16)),  # the shortest state, and one word, which runs on into itself
        ("hyb", 12, 5, (2, 32)),
        ("lut", 4, 2, (1, 16)),
        ("lut", 16, 8, (4, 2)),  # a table too large for shared memory
    ],
)
def test_other_trellises_and_tiles(code, L, k, tile):
    V = CODES[code][0](4).shape[1]
    assert same_bits(*walks(code, BitshiftTrellis(L, k, V), tile, (3, 2)))


@pytest.mark.skipif(not SIMULATED, reason="a compiled function keeps the word that it was compiled with")
def test_a_window_that_does_not_run_on_would_be_seen(monkeypatch):
    """The last windows of a circle must end in its beginning."""
    from quipref.cuda import windows

    decode.walks_decoder.cache_clear()
    monkeypatch.setattr(windows, "ZERO", np.uint32(1))
    assert not same_bits(*walks("1mad", BitshiftTrellis(16, 2), tiles=(1, 1)))
    decode.walks_decoder.cache_clear()


def points(bits, words, scale=0.37):
    """(weights of codes from a device, and from the CPU)."""
    cpu = E8PQuantizer(scale) if bits == 2 else ResidualQuantizer(bits, scale)
    expected = cpu.decode(words).astype(np.float32)
    out = cuda.to_device(np.full(expected.shape, np.nan, np.float32))
    tables = cuda.to_device(e8p.patterns()), cuda.to_device(one_bit.points() if bits == 3 else e8p.patterns())
    scales = cpu.scale, getattr(cpu, "residual_scale", 1.0)
    decode.decode_points(cuda.to_device(words), *tables, out, *scales, bits=bits)
    return out.copy_to_host(), expected


def test_every_point():
    assert same_bits(*points(2, np.arange(2**16, dtype=np.uint16).reshape(256, 256)))


@pytest.mark.parametrize("bits", [3, 4])
def test_two_points(bits):
    """Every second point of 3 bits, and random pairs of 4."""
    first = np.random.default_rng(2).integers(0, 2**16, 256, dtype=np.uint32)
    second = np.arange(256, dtype=np.uint32) * (1 if bits == 3 else 257) % 2**16
    assert same_bits(*points(bits, (first << 16 | second).reshape(2, 128)))


@pytest.mark.skipif(not SIMULATED, reason="a compiled function keeps the word that it was compiled with")
def test_a_wrong_shift_would_be_seen(monkeypatch):
    from quipref.cuda import points as module

    monkeypatch.setattr(module, "QUARTER", np.float32(-0.25))
    assert not same_bits(*points(2, np.arange(64, dtype=np.uint16).reshape(1, 64)))
