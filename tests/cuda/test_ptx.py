"""That ptx.py compiles to the instructions which vocabulary.py promises, wherever there is a compiler for devices."""

import os
import subprocess
import sys
from importlib.util import find_spec

import pytest

# Compiled for a device of compute capability 9.0, which need not be there. Numba asks one when it compiles a function
# that another calls, and is told so.
PROGRAM = """
from types import SimpleNamespace
import numpy as np
from numba import cuda
from numba.cuda import dispatcher, types
from quipref.cuda import vocabulary as words

dispatcher.get_current_device = lambda: SimpleNamespace(compute_capability=(9, 0))
names = "bits_as_float count_bits funnel_left load4 multiply_add multiply_add_halves multiply_high sum_of_bytes"
globals().update({name: getattr(words, name) for name in (names + " sum_of_halves warp_sum").split()})

def kernel(x, out, i):
    a, b, c, d = load4(x, i)
    out[0] = sum_of_halves(multiply_add(a, b, c))
    out[1] = multiply_add_halves(funnel_left(a, b, c), a, b)
    out[2] = bits_as_float(sum_of_bytes(multiply_high(a, d), count_bits(a)))
    out[3] = warp_sum(out[4], 4)

print(cuda.compile_ptx(kernel, (types.uint32[::1], types.float32[::1], types.int64), cc=(9, 0))[0])
"""
INSTRUCTIONS = {  # as the table in vocabulary.py has them, but for what the compiler writes instead
    "ld.global.nc.v4.u32": 1,
    "mad.lo": 1,
    "mul.hi.u32": 1,
    "shf.l.wrap.b32": 1,
    "dp4a.u32.u32": 1,
    "popc.b32": 1,
    "add.rn.f16": 1,
    "fma.rn.f16": 1,
    "shfl.sync.bfly.b32": 3,  # over lanes 4, 8 and 16 apart
    ".f64": 0,
}


@pytest.mark.skipif(find_spec("numba_cuda") is None, reason="needs numba-cuda: pip install 'quipref[cuda]'")
def test_the_words_become_these_instructions():
    variables = {name: value for name, value in os.environ.items() if name != "NUMBA_ENABLE_CUDASIM"}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert {text: done.stdout.count(text) for text in INSTRUCTIONS} == INSTRUCTIONS
