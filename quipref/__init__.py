"""quipref: a readable CPU reference for quantizing language-model weights with QuIP, QuIP# and QTIP.

Every public name is imported on first use, so `import quipref` costs little more than
`import numpy`; scipy, numba and matplotlib are loaded by the function that needs them.
"""

from importlib import import_module
from importlib.metadata import version as _version
from pkgutil import iter_modules
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # pragma: no cover - for type checkers only, which cannot follow a lazy import
    from quipref.device_layer import CudaLayer as CudaLayer
    from quipref.factor import block_ldl as block_ldl
    from quipref.factor import ldl as ldl
    from quipref.gaussian import MeasuredError as MeasuredError
    from quipref.gaussian import ScalarQuantizer as ScalarQuantizer
    from quipref.gaussian import distortion_rate as distortion_rate
    from quipref.gaussian import lloyd_max as lloyd_max
    from quipref.gaussian import mean_squared_error as mean_squared_error
    from quipref.gaussian import optimum_uniform as optimum_uniform
    from quipref.hessian import HessianAccumulator as HessianAccumulator
    from quipref.hessian import HessianReport as HessianReport
    from quipref.hessian import damp as damp
    from quipref.hessian import hessian_report as hessian_report
    from quipref.hessian import load_hessian as load_hessian
    from quipref.hessian import save_hessian as save_hessian
    from quipref.incoherence.hadamard import HadamardPlan as HadamardPlan
    from quipref.incoherence.hadamard import hadamard_plan as hadamard_plan
    from quipref.incoherence.kronecker import KroneckerHaar as KroneckerHaar
    from quipref.incoherence.measure import mu_hessian as mu_hessian
    from quipref.incoherence.measure import mu_weights as mu_weights
    from quipref.incoherence.process import incoherence_process as incoherence_process
    from quipref.incoherence.randomized import RandomizedFourier as RandomizedFourier
    from quipref.incoherence.randomized import RandomizedHadamard as RandomizedHadamard
    from quipref.incoherence.rotations import BlockDiagonal as BlockDiagonal
    from quipref.incoherence.walsh import fwht as fwht
    from quipref.lattice.dither import E8Lattice as E8Lattice
    from quipref.lattice.e8p import E8PQuantizer as E8PQuantizer
    from quipref.lattice.residual import ResidualQuantizer as ResidualQuantizer
    from quipref.layer import QuantizedLayer as QuantizedLayer
    from quipref.lm import LanguageModel as LanguageModel
    from quipref.lm import load_lm as load_lm
    from quipref.methods.registry import quantize as quantize
    from quipref.problems import Layer as Layer
    from quipref.problems import random_layer as random_layer
    from quipref.proxy import proxy_loss as proxy_loss
    from quipref.rounding.babai import babai as babai
    from quipref.rounding.block_descent import block_descent as block_descent
    from quipref.rounding.clamped import clamped_feedback as clamped_feedback
    from quipref.rounding.clamped import clamped_ldlq as clamped_ldlq
    from quipref.rounding.column_limits import ClampedFeedback as ClampedFeedback
    from quipref.rounding.greedy import greedy as greedy
    from quipref.rounding.grid import IntegerGrid as IntegerGrid
    from quipref.rounding.grid import UniformGrid as UniformGrid
    from quipref.rounding.ldlq import ldlq as ldlq
    from quipref.rounding.ldlq import linear_feedback as linear_feedback
    from quipref.rounding.ldlq_rg import ldlq_rg as ldlq_rg
    from quipref.rounding.optq import optq as optq
    from quipref.rounding.two_sided import two_sided_ldlq as two_sided_ldlq
    from quipref.sweeps.records import load_sweep as load_sweep
    from quipref.sweeps.run import sweep as sweep
    from quipref.trellis.bitshift import BitshiftTrellis as BitshiftTrellis
    from quipref.trellis.exhaustive import viterbi_exact_tail_biting as viterbi_exact_tail_biting
    from quipref.trellis.packing import pack as pack
    from quipref.trellis.packing import unpack as unpack
    from quipref.trellis.quality import CodeQuality as CodeQuality
    from quipref.trellis.quality import code_quality as code_quality
    from quipref.trellis.tcq import TrellisCodedQuantizer as TrellisCodedQuantizer
    from quipref.trellis.tcq import marcellin_fischer as marcellin_fischer
    from quipref.trellis.tiles import TrellisQuantizer as TrellisQuantizer
    from quipref.trellis.viterbi import decode as decode
    from quipref.trellis.viterbi import viterbi as viterbi

_HOME = {
    "BitshiftTrellis": "trellis.bitshift",
    "BlockDiagonal": "incoherence.rotations",
    "ClampedFeedback": "rounding.column_limits",
    "CodeQuality": "trellis.quality",
    "CudaLayer": "device_layer",
    "E8Lattice": "lattice.dither",
    "E8PQuantizer": "lattice.e8p",
    "HadamardPlan": "incoherence.hadamard",
    "HessianAccumulator": "hessian",
    "HessianReport": "hessian",
    "IntegerGrid": "rounding.grid",
    "KroneckerHaar": "incoherence.kronecker",
    "LanguageModel": "lm",
    "Layer": "problems",
    "MeasuredError": "gaussian",
    "QuantizedLayer": "layer",
    "RandomizedFourier": "incoherence.randomized",
    "RandomizedHadamard": "incoherence.randomized",
    "ResidualQuantizer": "lattice.residual",
    "ScalarQuantizer": "gaussian",
    "TrellisCodedQuantizer": "trellis.tcq",
    "TrellisQuantizer": "trellis.tiles",
    "UniformGrid": "rounding.grid",
    "babai": "rounding.babai",
    "block_descent": "rounding.block_descent",
    "block_ldl": "factor",
    "clamped_feedback": "rounding.clamped",
    "clamped_ldlq": "rounding.clamped",
    "code_quality": "trellis.quality",
    "damp": "hessian",
    "decode": "trellis.viterbi",
    "distortion_rate": "gaussian",
    "fwht": "incoherence.walsh",
    "greedy": "rounding.greedy",
    "hadamard_plan": "incoherence.hadamard",
    "hessian_report": "hessian",
    "incoherence_process": "incoherence.process",
    "ldl": "factor",
    "ldlq": "rounding.ldlq",
    "ldlq_rg": "rounding.ldlq_rg",
    "linear_feedback": "rounding.ldlq",
    "lloyd_max": "gaussian",
    "load_hessian": "hessian",
    "load_lm": "lm",
    "load_sweep": "sweeps.records",
    "marcellin_fischer": "trellis.tcq",
    "mean_squared_error": "gaussian",
    "mu_hessian": "incoherence.measure",
    "mu_weights": "incoherence.measure",
    "optimum_uniform": "gaussian",
    "optq": "rounding.optq",
    "pack": "trellis.packing",
    "proxy_loss": "proxy",
    "quantize": "methods.registry",
    "random_layer": "problems",
    "save_hessian": "hessian",
    "sweep": "sweeps.run",
    "two_sided_ldlq": "rounding.two_sided",
    "unpack": "trellis.packing",
    "viterbi": "trellis.viterbi",
    "viterbi_exact_tail_biting": "trellis.exhaustive",
}

__all__ = sorted(_HOME)
__version__ = _version("quipref")


if not TYPE_CHECKING:  # a type checker that saw it would take every misspelt name for a public one

    def __getattr__(name):
        if name not in _HOME:
            parts = [part.name for part in iter_modules(__path__)]
            hint = "the public names are in quipref.__all__."
            if name in parts and not name.startswith("_"):
                hint = f"it is a part of quipref that is imported by name: {_how_to_import(name)}."
            raise AttributeError(f"module 'quipref' has no attribute {name!r}; {hint}")
        return getattr(import_module(f"quipref.{_HOME[name]}"), name)


def _how_to_import(part):
    """The line that imports a module, or all modules of a folder of them."""
    inside = sorted(module.name for module in iter_modules([f"{folder}/{part}" for folder in __path__]))
    return f"from quipref.{part} import {', '.join(inside)}" if inside else f"from quipref import {part}"


def __dir__():
    return sorted([*globals(), *__all__])
