"""Arrays as code that rebuilds them to the bit, so that a counterexample can be pasted into a test."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

FLOATS = (np.float64, np.float32, np.float16)
WIDTH = 100


def pasteable(layer: Any) -> str:
    """Code that rebuilds arrays exactly.

    Parameters
    ----------
    layer : Layer, array, or mapping of str to array
        Arrays of float64, float32, float16 or integers; a Layer becomes W and H, an array alone becomes X.

    Returns
    -------
    str
        Lines that begin with ``import numpy as np``; each array is contiguous, of its dtype.

    Raises
    ------
    TypeError
        Something else, or another dtype.

    Notes
    -----
    Python writes a float with as many digits as bring it back, so that no bit is lost.

    Examples
    --------
    >>> from quipref import Layer
    >>> print(pasteable(Layer(np.array([[0.1, 0.5]]), np.eye(2))))
    import numpy as np
    <BLANKLINE>
    W = np.array([[0.1, 0.5]])
    H = np.array([[1.0, 0.0], [0.0, 1.0]])
    """
    if hasattr(layer, "_asdict"):
        layer = layer._asdict()
    arrays = layer if isinstance(layer, Mapping) else {"X": layer}
    lines = [f"{name} = {_array(array, name)}" for name, array in arrays.items()]
    return "import numpy as np\n\n" + "\n".join(lines)


def _array(array: NDArray[Any], name: str) -> str:
    if not isinstance(array, np.ndarray):
        raise TypeError(f"{name} must be an array to be written as code, but {type(array).__name__} came.")
    if array.dtype not in FLOATS and array.dtype.kind not in "iu":
        raise TypeError(f"{name} must hold real floats up to float64 or integers, but its dtype is {array.dtype}.")
    dtype = "" if array.dtype == np.float64 else f", dtype=np.{array.dtype.name}"
    if not array.size:
        return f"np.zeros({array.shape}{dtype})"
    return f"np.array({_rows(array.tolist(), 4)}{dtype})"


def _rows(values: Any, indent: int) -> str:
    """The nested list, on one line if it fits, else an item a line."""
    text = repr(values).replace("nan", "np.nan").replace("inf", "np.inf")
    if len(text) <= WIDTH - indent or not isinstance(values, list):
        return text
    space = " " * indent
    if isinstance(values[0], list):
        return "[\n" + "".join(f"{space}{_rows(row, indent + 4)},\n" for row in values) + " " * (indent - 4) + "]"
    lines, line = [], space
    for item in values:
        word = _rows(item, indent) + ","
        if len(line) + len(word) > WIDTH and line.strip():
            lines.append(line.rstrip())
            line = space
        line += word + " "
    return "[\n" + "\n".join([*lines, line.rstrip()]) + "\n" + " " * (indent - 4) + "]"
