"""Start-up: what `import quipref` loads, and that a second start compiles nothing."""

import json
import os
import subprocess
import sys

import pytest

QUANTIZE = """
import json, numpy as np, quipref as q
from quipref import backend
from quipref.methods import registry
W, H = q.random_layer(80, 32, seed=0)
for method, options in registry.tour_rows():
    q.quantize(W.astype(np.float32), H, method=method, bits=3, **options)
q.greedy(W, H)
q.fwht(W[:64].copy(), axis=0)
stats = [backend.twin(name).stats for name in backend.KERNELS]
print(json.dumps([sum(sum(s.cache_hits.values()) for s in stats), sum(sum(s.cache_misses.values()) for s in stats)]))
"""


@pytest.mark.jit
def test_a_second_start_compiles_nothing(tmp_path):
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}

    def start():
        done = subprocess.run(
            [sys.executable, "-c", QUANTIZE], env=environment, capture_output=True, text=True, check=True
        )
        return json.loads(done.stdout)

    hits, misses = start()
    assert misses > 0
    assert start() == [hits + misses, 0]
