"""quipref: a readable CPU reference for quantizing language-model weights with QuIP, QuIP# and QTIP.

Every public name is imported on first use, so `import quipref` costs little more than
`import numpy`; scipy, numba and matplotlib are loaded by the function that needs them.
"""

from importlib import import_module
from importlib.metadata import version as _version

_HOME = {
    "HessianAccumulator": "hessian",
    "HessianReport": "hessian",
    "IntegerGrid": "rounding.grid",
    "LanguageModel": "lm",
    "Layer": "problems",
    "QuantizedLayer": "layer",
    "UniformGrid": "rounding.grid",
    "babai": "rounding.babai",
    "block_ldl": "factor",
    "damp": "hessian",
    "greedy": "rounding.greedy",
    "hessian_report": "hessian",
    "ldl": "factor",
    "ldlq": "rounding.ldlq",
    "linear_feedback": "rounding.ldlq",
    "load_hessian": "hessian",
    "load_lm": "lm",
    "optq": "rounding.optq",
    "proxy_loss": "proxy",
    "quantize": "methods.registry",
    "random_layer": "problems",
    "save_hessian": "hessian",
}

__all__ = sorted(_HOME)
__version__ = _version("quipref")


def __getattr__(name):
    if name not in _HOME:
        raise AttributeError(f"module 'quipref' has no attribute {name!r}; the public names are in quipref.__all__.")
    return getattr(import_module(f"quipref.{_HOME[name]}"), name)


def __dir__():
    return sorted([*globals(), *__all__])
