"""What is said where no kernel can run on a GPU: which of all that is needed is missing, and what to do."""

from types import SimpleNamespace

import numba
import pytest
from voice import says

import quipref as q
from quipref.cuda import presence

SIMULATOR = "NUMBA_ENABLE_CUDASIM=1"


@pytest.fixture
def cuda(monkeypatch):
    """A function that plays a machine with numba-cuda, whose driver says this."""
    monkeypatch.setattr(presence, "config", SimpleNamespace(ENABLE_CUDASIM=0))

    def play(*, installed=True, error=None, gpus=1, available=None):
        module = SimpleNamespace(
            is_available=lambda: (error is None) if available is None else available,
            cuda_error=lambda: error,
            gpus=[None] * gpus,
        )
        monkeypatch.setattr(presence, "find_spec", lambda name: name if installed else None)
        monkeypatch.setattr(numba, "cuda", module, raising=False)

    return play


def test_a_machine_that_has_everything(cuda):
    cuda()
    assert presence.require_cuda() is None


def test_the_simulator_needs_nothing(cuda):
    cuda(installed=False)
    presence.config.ENABLE_CUDASIM = 1
    assert presence.require_cuda() is None


def test_a_layer_says_that_numba_cuda_is_missing(cuda):
    cuda(installed=False)
    layer = q.quantize(*q.random_layer(8, 8, seed=0), method="quip#", bits=2)
    with says(ModuleNotFoundError, "numba-cuda must be installed", 'pip install "quipref[cuda]"', SIMULATOR):
        layer.to_cuda()
    with says(ModuleNotFoundError, 'in a clone .venv/bin/python -m pip install -e ".[cuda]"', "580 or newer", "[cu12]"):
        presence.require_cuda()


def test_no_driver(cuda):
    cuda(error="\nCUDA driver library cannot be found.\nEnsure that it is.\n")
    with says(RuntimeError, "A driver", "CUDA driver library cannot be found. Ensure that it is.", "[cu12]", SIMULATOR):
        presence.require_cuda()


@pytest.mark.parametrize("how", [{"error": "CUDA_ERROR_NO_DEVICE (100)"}, {"gpus": 0}])
def test_no_device(cuda, how):
    cuda(**how)
    with says(RuntimeError, "A CUDA device must be there", "CUDA_VISIBLE_DEVICES", SIMULATOR):
        presence.require_cuda()


def test_no_compiler(cuda):
    cuda(available=False)
    with says(RuntimeError, "CUDA's compiler NVVM must be there", 'pip install "quipref[cuda]"', SIMULATOR):
        presence.require_cuda()
