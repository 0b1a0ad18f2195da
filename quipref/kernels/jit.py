"""The one decorator of the kernels: compiled once, kept in the cache folder, without the GIL."""

import warnings
import zlib
from pathlib import Path

import numba

# What becomes a part of every kernel's code, though Numba sees only whether the kernel's own file has changed.
SHARED = [Path(__file__), Path(__file__).with_name("compare.py"), Path(__file__).with_name("vector.py")]
STAMP = zlib.crc32(b"".join(path.read_bytes() for path in SHARED))


def jit(function):
    """`numba.njit` with the house options; where no cache folder is writable, compile at each start.

    `error_model="numpy"` makes 1/0 infinite, as in NumPy. The only fast-math licence is the
    contraction of a * b + c, which changes the last bit of a sum and never reorders one.
    """
    return _compiled(function, {"contract"})


def jit_in_order(function):
    """The same without that licence, for kernels whose every bit must be NumPy's: a * b + c is rounded twice."""
    return _compiled(function, False)


def _compiled(function, fastmath):
    options = {"nogil": True, "error_model": "numpy", "fastmath": fastmath}
    name = function.__qualname__
    function.__qualname__ = f"{name}-{STAMP:08x}"  # Numba names the file in its cache folder after it
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError as error:  # Numba's "cannot cache function: no locator available"
        warnings.warn(
            f"No folder for compiled code is writable ({error}), so quipref compiles {function.__name__} anew. "
            "Point NUMBA_CACHE_DIR at a writable folder.",
            RuntimeWarning,
            stacklevel=2,
        )
        return numba.njit(cache=False, **options)(function)
    finally:
        function.__qualname__ = name
