"""The tests of the CUDA kernels, on the simulator (NUMBA_ENABLE_CUDASIM=1) or, without the variable, on a device."""

import sys

import pytest

sys.setswitchinterval(1e-4)  # seconds: the simulator's threads wait for each other far more often than they work


def pytest_configure(config):
    # Small shapes leave most of a device idle, of which Numba warns.
    config.addinivalue_line("filterwarnings", "ignore:Grid size:Warning")


def pytest_ignore_collect(collection_path, config):
    """Leave this folder alone unless its tests are asked for: already their imports need the simulator or a device."""
    asked_for = config.getoption("-m")
    if "cuda" not in asked_for or "not cuda" in asked_for:
        return True
    from quipref.cuda.presence import require_cuda

    try:
        require_cuda()
    except (ModuleNotFoundError, RuntimeError) as error:
        raise pytest.UsageError(f"tests/cuda cannot run: {error}") from None
    return None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Every test of this folder is marked, before the marks decide what runs."""
    for item in items:
        if "cuda" in item.path.parent.name:
            item.add_marker(pytest.mark.cuda)
