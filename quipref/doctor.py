"""What a bug report needs: versions, threads, BLAS, cache folders, the shipped data, the GPU and its packages."""

import platform
import shutil
import subprocess
import warnings
from importlib import metadata

import numpy as np

from quipref import backend, data

PACKAGES = (
    "quipref",
    "numpy",
    "scipy",
    "numba",
    "llvmlite",
    "matplotlib",
    "hypothesis",
    "joblib",
    "tqdm",
    "safetensors",
    "numba-cuda",
    "torch",
)
MISSING = "not installed"
CUPY = ("cupy-cuda13x", "cupy-cuda12x", "cupy")  # the names under which there is a CuPy


def facts():
    """{name: text} of the facts, in the order in which they are printed."""
    return {
        "python": f"{platform.python_version()} ({platform.python_implementation()})",
        "platform": platform.platform(),
        "processor": platform.processor() or platform.machine(),
        **{package: _version(package) for package in PACKAGES},
        "cupy": next((found for found in map(_version, CUPY) if found != MISSING), MISSING),
        "threads": str(backend.thread_count(None)),
        "BLAS": _blas(),
        "compiled code": _compile_cache(),
        "cache folder": _reported(data.cache_folder),
        "data": _data(),
        "GPU": _gpu(),
        "CUDA kernels": _cuda(),
    }


def _version(package):
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return MISSING


def _blas():
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return f"{blas.get('name')} {blas.get('version')}"


def _compile_cache():
    """Where the kernels keep their compiled code; importing one shows whether they can."""
    kernel, said = _listen(lambda: backend.twin("best_steps"))
    if not hasattr(kernel, "stats"):
        return "the compiler is off (NUMBA_DISABLE_JIT)"
    return said or str(kernel.stats.cache_path)


def _reported(find):
    found, said = _listen(find)
    return said or str(found)


def _listen(task):
    """(the result of task(), what it warned of)."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = task()
    return result, " ".join(str(w.message) for w in caught)


def _data():
    """The folder of the shipped files, each checked."""
    try:
        names = list(data.manifest()["files"])
        for name in names:
            data.path(name)
    except (OSError, ValueError) as error:
        return str(error)
    return f"{data.folder()} ({len(names)} files, every SHA-256 as it should be)"


def _gpu():
    program = shutil.which("nvidia-smi")
    if not program:
        return "none found (no nvidia-smi)"
    query = [program, "--query-gpu=name,driver_version", "--format=csv,noheader"]
    try:
        answer = subprocess.run(query, capture_output=True, text=True, timeout=20, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError) as error:
        return f"nvidia-smi fails: {error}"
    return answer.replace("\n", "; ") or "none found"


def _cuda():
    """Where the kernels for a GPU run, or why they do not."""
    try:
        backend.cuda_twin("require_cuda")()
        facts = backend.cuda_twin("device_facts")()
    except Exception as error:  # whatever a driver may say: it belongs into the report
        return f"none can run: {' '.join(str(error).split())}"
    if facts["simulated"]:
        return "on Numba's simulator (NUMBA_ENABLE_CUDASIM)"
    return f"on {facts['device']}, compute capability {facts['capability']}"
