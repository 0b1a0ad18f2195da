"""The tests of the CUDA kernels, run on Numba's simulator of a device in a process of their own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.jit
def test_the_kernels_on_the_simulator(capfd):
    """Numba decides when it is imported whether there is a device or the simulator, so one process has only one."""
    command = [sys.executable, "-m", "pytest", "-m", "cuda", "tests/cuda", "-p", "no:cacheprovider"]
    variables = os.environ | {"NUMBA_ENABLE_CUDASIM": "1", "HYPOTHESIS_PROFILE": "small"}
    done = subprocess.run(command, cwd=ROOT, env=variables, check=False)
    told, complaints = capfd.readouterr()
    assert done.returncode == 0, told + complaints
