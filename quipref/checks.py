"""Argument checks: the one voice in which quipref refuses an input.

Every message says *name - requirement - what came - what to do*. ValueError is for values and
shapes, TypeError for types. The checks return the argument, as an array where it should be one;
they never copy more than they must and never change what they were given.
"""

import numbers
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from quipref.threads import in_pieces

# Largest |H - H^T| that still counts as rounding noise, as a share of max |H|.
ASYMMETRY = {np.dtype(np.float16): 1e-4, np.dtype(np.float32): 1e-4, np.dtype(np.float64): 1e-6}


def real_array(X: ArrayLike, name: str, *, ndim: int) -> NDArray[np.floating]:
    """`X` as a finite float32 or float64 array with `ndim` axes (other real floats are widened)."""
    X = _real(X, name, ndim)
    if not _surely_finite(X) and not np.isfinite((X.min(initial=0), X.max(initial=0))).all():
        first = tuple(int(i) for i in np.argwhere(~np.isfinite(X))[0])
        n_bad = int((~np.isfinite(X)).sum())
        raise ValueError(
            f"{name} must be finite, but {n_bad} of its {X.size} entries are NaN or infinite, the first at {first}. "
            "Find the step that made them; no rounding can repair them."
        )
    return X


def array(X: ArrayLike, name: str) -> NDArray[Any]:
    """`X` as a NumPy array of whatever it holds; lists whose rows differ in length are refused."""
    try:
        return np.asarray(X)
    except ValueError as error:
        raise ValueError(f"{name} must be an array, its rows of one length, but NumPy says: {error}") from None


def vectors(x: ArrayLike, n: int) -> NDArray[Any]:
    """`x` as an array (n,), or (B, n), one vector a row."""
    x = array(x, "x")
    vector_shape(x.shape, n)
    return x


def vector_shape(shape: tuple[int, ...], n: int) -> None:
    """Refuse the shape of x where it is neither (n,) nor (B, n)."""
    if len(shape) not in (1, 2) or shape[-1] != n:
        raise ValueError(f"x must be ({n},) or (B, {n}), so many inputs, but its shape is {shape}.")


def _real(X, name, ndim):
    """`X` as a float32 or float64 array with `ndim` axes."""
    X = array(X, name)
    if X.dtype.kind != "f":
        raise TypeError(
            f"{name} must hold real floating-point numbers, but its dtype is {X.dtype}. "
            f"Convert it first, for example {name}.astype(np.float64)."
        )
    if X.ndim != ndim:
        raise ValueError(f"{name} must have {ndim} axes, but its shape is {X.shape}. Reshape or flatten it first.")
    if X.dtype not in (np.float32, np.float64):
        X = X.astype(np.float32 if X.dtype == np.float16 else np.float64)
    return X


def _surely_finite(X):
    """True if the sum of squares is finite, which costs one pass; False if a closer look must tell.

    NaN passes through it, and through min and max too, so that no array of booleans is formed.
    """
    if not X.flags.forc:
        return False
    flat = X.ravel(order="K")
    with np.errstate(over="ignore", invalid="ignore"):
        # not a BLAS product, whose threads stay awake for a while and slow down what comes next
        squares = in_pieces(len(flat), 2**19, lambda first, last: np.einsum("i,i", flat[first:last], flat[first:last]))
        return bool(np.isfinite(sum(squares)))


def weights(W: ArrayLike, name: str = "W") -> NDArray[np.floating]:
    """`W` as a finite real matrix (m, n)."""
    return real_array(W, name, ndim=2)


def same_shape(X, name, Y, other):
    """Refuse two arrays whose shapes differ."""
    if X.shape != Y.shape:
        raise ValueError(f"{name} must have the shape of {other}, {Y.shape}, but its shape is {X.shape}.")
    return X


def symmetric(H: ArrayLike, name: str = "H", *, n: int | None = None) -> NDArray[np.floating]:
    """`H` as a finite symmetric matrix (n, n); definiteness is left to the factorisation.

    Asymmetry above 1e-6 max|H| (1e-4 for float32) is refused.
    """
    H = _real(H, name, ndim=2)
    if H.shape[0] != H.shape[1]:
        raise ValueError(f"{name} must be square, but its shape is {H.shape}. Pass the second moment X^T X / tokens.")
    if n is not None and len(H) != n:
        raise ValueError(
            f"{name} must be {n} x {n} to match the {n} columns of W, but its shape is {H.shape}. "
            "W is (outputs, inputs) and H belongs to the inputs; did you pass W transposed?"
        )
    gap, scale = asymmetry(H)
    if not np.isfinite(gap + scale):  # else every entry is finite, and has been looked at but once
        real_array(H, name, ndim=2)
    if gap > ASYMMETRY[H.dtype] * scale:
        raise ValueError(
            f"{name} must be symmetric, but max |H - H^T| is {gap:.1e} where max |H| is {scale:.1e}. "
            "Symmetrise it first: H = (H + H.T) / 2."
        )
    return H


def output_moment(H_out: ArrayLike, m: int) -> NDArray[np.floating]:
    """`H_out` as a finite symmetric matrix (m, m), the second moment that belongs to the rows of W."""
    H_out = symmetric(H_out, "H_out")
    if len(H_out) != m:
        raise ValueError(
            f"H_out must be {m} x {m} to match the {m} rows of W, but its shape is {H_out.shape}. "
            "W is (outputs, inputs) and H_out belongs to the outputs; did you exchange the two Hessians?"
        )
    return H_out


def asymmetry(H):
    """(max |H - H^T|, max |H|), square by square: both triangles stay in cache and no second matrix is formed.

    NaN, and the difference of two infinities, come out as NaN.
    """
    n, side, odd = len(H), 256, 4  # a row of the copy is no power of two: else a column would share its cache lines

    def strip(first, last):
        gaps, sizes = [0.0], [0.0]
        copies, differences = np.empty((side, side + odd), H.dtype), np.empty((side, side), H.dtype)
        for start in range(first, n, side):
            upper, lower = H[first:last, start : start + side], H[start : start + side, first:last]
            copy, difference = copies[: len(lower), : last - first], differences[: last - first, : len(lower)]
            np.copyto(copy, lower)
            np.subtract(upper, copy.T, out=difference)
            sizes += [copy.max(), -copy.min()]
            if difference.any():  # else the other triangle holds the same numbers
                gaps += [difference.max(), -difference.min()]
                sizes += [upper.max(), -upper.min()]
        return np.max(gaps), np.max(sizes)

    with np.errstate(invalid="ignore", over="ignore"):
        strips = in_pieces(n, side, strip)
    gaps, sizes = zip((0.0, 0.0), *strips, strict=True)
    return float(np.max(gaps)), float(np.max(sizes))


def choice(value, name, choices):
    """`value`, which must be one of `choices`."""
    if not isinstance(value, (str, type(None))) or value not in choices:
        listed = ", ".join(repr(c) for c in choices)
        raise ValueError(f"{name} must be one of {listed}, but {value!r} came.")
    return value


def boolean(value, name):
    """`value`, which must be True or False: a word such as "no" would count as True."""
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be True or False, but {value!r} came.")
    return value


def integer(value, name, *, low=None, high=None):
    """`value` as an int between `low` and `high`, both included."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{name} must be an integer, but {value!r} ({type(value).__name__}) came.")
    if (low is not None and value < low) or (high is not None and value > high):
        bounds = f"at least {low}" if high is None else f"at most {high}" if low is None else f"from {low} to {high}"
        raise ValueError(f"{name} must be {bounds}, but {value} came.")
    return int(value)


def fraction(value, name):
    """`value` as a finite float that is not negative."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name} must be a real number, but {value!r} ({type(value).__name__}) came.")
    if not 0 <= value < float("inf"):
        raise ValueError(f"{name} must be finite and not negative, but {value!r} came.")
    return float(value)
