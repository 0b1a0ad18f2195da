"""The one scale of a layer's weights: a float32, and the targets in its units."""

import numpy as np

from quipref import checks


def stored_scale(scale):
    """The scale as the float32 that is stored."""
    with np.errstate(over="ignore"):
        stored = float(np.float32(checks.fraction(scale, "scale")))
    if not np.isfinite(stored) or (scale and stored < np.finfo(np.float32).tiny):
        raise ValueError(
            f"scale must be zero or fit single precision (1.18e-38 to 3.4e38), but {scale:.3g} came. It grows with "
            "the weights: multiply these by a power of two first, and undo it afterwards."
        )
    return stored


def in_units(T, scale, name="T"):
    """T in units of the scale, as float32; T itself where the scale is 0, as every weight will be 0."""
    with np.errstate(over="ignore"):
        X = (T / T.dtype.type(scale or 1)).astype(np.float32, copy=False)
    if not np.isfinite((X.min(initial=0), X.max(initial=0))).all():
        raise ValueError(
            f"{name} / scale must fit single precision, but {name} reaches {np.abs(T).max():.1e} and scale is "
            f"{scale:.1e}. Take a scale near the root mean square of {name} over that of the table, "
            f"and divide {name} by a power of two if that is too large."
        )
    return X
