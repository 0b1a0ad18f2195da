"""Whether there is anything to run the kernels on, and in words what is missing if not."""

from importlib.util import find_spec

from numba import config

INSTALL = 'pip install "quipref[cuda]", or in a clone .venv/bin/python -m pip install -e ".[cuda]"'
DRIVER = (
    'That is for CUDA 13 and its drivers, 580 or newer; for an older one, of CUDA 12: pip install "numba-cuda[cu12]".'
)
SIMULATOR = (
    "Without a GPU set NUMBA_ENABLE_CUDASIM=1 before Python starts: the same kernels then run slowly on the CPU."
)


def require_cuda():
    """Nothing where kernels can run, on a device or on the simulator; else an error that says what is missing."""
    if config.ENABLE_CUDASIM:
        return
    if find_spec("numba_cuda") is None:
        raise ModuleNotFoundError(
            f"numba-cuda must be installed for a GPU, but it is not. Install it: {INSTALL}. {DRIVER} {SIMULATOR}"
        )
    from numba import cuda

    available, error = cuda.is_available(), cuda.cuda_error()  # the second knows nothing before the first has looked
    if error is not None and "NO_DEVICE" not in error:
        raise RuntimeError(
            f"A driver for NVIDIA's GPUs must be there, but numba-cuda says: {' '.join(error.split())} "
            "Install the driver, 580 or newer for the CUDA 13 of quipref[cuda] (for an older one, of CUDA 12: "
            f'pip install "numba-cuda[cu12]"), or make the GPU visible to this process. {SIMULATOR}'
        )
    if error is not None or not len(cuda.gpus):
        raise RuntimeError(
            "A CUDA device must be there, but the driver knows of none. "
            f"Is CUDA_VISIBLE_DEVICES set, and does it hide the GPU? {SIMULATOR}"
        )
    if not available:
        raise RuntimeError(
            "CUDA's compiler NVVM must be there, but numba-cuda finds none. "
            f"Install it with the rest: {INSTALL}. {DRIVER} {SIMULATOR}"
        )
