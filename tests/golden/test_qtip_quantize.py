"""QTIP's program (commit e90c6688): the walks of whole sequences with tables in float32, state by state.

It rounds the sequences to half precision first; the archives hold what it rounded them to. Its sums are ours, in the
same order and with the same ties, so everything is equal.
"""

import numpy as np
import pytest
from sizes import size

from quipref import BitshiftTrellis, decode, viterbi
from quipref.trellis import codes
from quipref.trellis.viterbi import FREE, finder

SEQUENCES = {"numba": slice(None), "numpy": slice(2)}  # all of them, and a few for the slower reference
KINDS = ["L12K1V1_lut", "L12K2V1_1mad", "L12K2V1_3inst", *size(["L16K2V2_quantlut_sym"], [])]
BACKENDS = size(["numba", "numpy"], ["numpy"])  # without the JIT a kernel takes minutes for 2^12 states


@pytest.fixture(params=KINDS)
def stored(golden, request):
    with np.load(golden / f"qtip_quantize_{request.param}_f32.npz", allow_pickle=False) as archive:
        found = dict(archive)
    with np.load(golden / "qtip_hyb_tables.npz", allow_pickle=False) as archive:
        pairs = archive["tlut"]
    tables = {
        "lut": lambda: found["lut"].reshape(1, -1).T,
        "1mad": lambda: codes.one_mad(12),
        "3inst": lambda: codes.three_inst(12),
        "quantlut_sym": lambda: codes.hyb(pairs, 16),
    }
    return found | {"table": tables[str(found["mode"])](), "rounded": found["X_f16"].astype(np.float32)}


@pytest.fixture
def trellis(stored):
    return BitshiftTrellis(*(int(stored[letter]) for letter in "LKV"))


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_states_and_their_values(stored, trellis, backend):
    X, table = stored["rounded"][SEQUENCES[backend]], stored["table"]
    found = viterbi(X, table, trellis, backend=backend)
    assert (found == stored["states"][SEQUENCES[backend]]).all()
    assert (decode(found, table) == stored["recons"][SEQUENCES[backend]]).all()


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_first_pass(stored, trellis, backend):
    """From the middle on, where states are remembered, and all of them when they are asked for."""
    X, V = stored["rounded"][SEQUENCES[backend]], trellis.values_per_step
    find, middle = finder(np.ascontiguousarray(stored["table"], np.float32), trellis, backend), X.shape[1] // V // 2
    rolled, free = np.roll(X, middle * V, axis=1), np.full(len(X), FREE, np.int32)
    expected = stored["pass1_states"][SEQUENCES[backend]]
    assert (find(rolled, free) == expected).all()
    assert (find(rolled, free, middle)[:, middle:] == expected[:, middle:]).all()
    assert (expected[:, middle] >> trellis.shift == stored["overlap"][SEQUENCES[backend]]).all()


def test_their_errors(stored):
    """In float64, of the sequences before they were rounded; a mean of 256 numbers strays by 256 roundings at most."""
    mse = np.square(stored["recons"].astype(np.float64) - stored["X"]).mean(axis=1)
    assert np.allclose(mse, stored["mse"], rtol=256 * np.finfo(np.float64).eps, atol=0)


@pytest.mark.jit
def test_the_fast_precision_is_as_good(stored, trellis):
    X, table = stored["rounded"], stored["table"]
    found = viterbi(X, table, trellis, precision="fast")
    assert trellis.is_tail_biting(found).all()
    assert np.square(decode(found, table) - X).mean() <= 1.005 * stored["mse"].mean()
