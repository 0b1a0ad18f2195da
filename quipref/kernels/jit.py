"""The one decorator of the kernels: compiled once, kept in the cache folder, without the GIL."""

import warnings

import numba


def jit(function):
    """`numba.njit` with the house options; where no cache folder is writable, compile at each start.

    `error_model="numpy"` makes 1/0 infinite, as in NumPy. The only fast-math licence is the
    contraction of a * b + c, which changes the last bit of a sum and never reorders one.
    """
    options = {"nogil": True, "error_model": "numpy", "fastmath": {"contract"}}
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
