"""The questions of a sweep: every combination of what it is given, checked before any work is begun."""

import hashlib
import inspect
import itertools
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from typing import Any

import numpy as np

from quipref import checks
from quipref.methods import registry
from quipref.problems import BASES, SPECTRA
from quipref.sweeps import records, trials
from quipref.testing.protocol import Rounder

Method = str | tuple[str, dict[str, Any]] | Rounder


def ask(methods, sizes, spectra, bases, seeds, bits, rows, naming):
    """{file name: (question, callable or None)} of every combination, in order; there must be one."""
    sizes = [checks.integer(n, "sizes", low=1) for n in _several(sizes)]
    spectra = [checks.choice(name, "spectra", SPECTRA) for name in _several(spectra)]
    bases = [checks.choice(name, "bases", BASES) for name in _several(bases)]
    seeds = range(checks.integer(seeds, "seeds", low=1)) if np.ndim(seeds) == 0 else seeds
    seeds = [checks.integer(seed, "seeds", low=0) for seed in seeds]
    bits = [b if b is None else checks.integer(b, "bits", low=1, high=8) for b in _several(bits)]
    rows = checks.integer(rows, "rows", low=1)
    if "hadamard" in bases and any(n & (n - 1) for n in sizes):
        raise ValueError(f"sizes must be powers of two for the basis 'hadamard', but {sizes} came. Use 'haar'.")
    asked, release, named = {}, version("quipref"), _named(methods, naming)
    for (method, options, code, rounder), b in itertools.product(named, bits):
        _refuse_mismatch(method, options, rounder, b)
        for spectrum, basis, n, seed in itertools.product(spectra, bases, sizes, seeds):
            question = {"method": method, "options": options, "code": code, "bits": b, "m": rows, "n": n}
            question |= {"spectrum": spectrum, "basis": basis, "seed": seed, "quipref": release}
            asked[records.file_name(question)] = question, rounder
    _refuse_nothing(methods=named, sizes=sizes, spectra=spectra, bases=bases, seeds=seeds, bits=bits)
    return asked


def _refuse_nothing(**asked):
    """Refuse a sweep of which one dimension is empty."""
    for name, values in asked.items():
        if not values:
            raise ValueError(f"{name} must hold at least one, but none came. A sweep is over every combination.")


def _several(things):
    """What came, as a list, if it was one thing and no list."""
    return [things] if things is None or isinstance(things, str) or not isinstance(things, Iterable) else list(things)


def _named(methods, naming):
    """(name, options, SHA-256 of the text, callable or None) of each method."""
    if isinstance(methods, Mapping):
        return [_method(method, name, naming=False) for name, method in methods.items()]
    several = [methods] if callable(methods) or _is_pair(methods) else _several(methods)
    return [_method(method, None, naming) for method in several]


def _is_pair(method):
    return isinstance(method, tuple) and len(method) == 2 and isinstance(method[1], Mapping)


def _method(method, name, naming):
    """(name, options, SHA-256 of the text, callable or None); a name from outside is enough for the folder."""
    if callable(method):
        text = _text(method)
        if naming and text is None:
            raise ValueError(
                f"methods must be callables with a text that can be read and no variables around it, if results are "
                f"kept in a folder, but {method!r} came. Name it, and change the name with it: {{'name': callable}}."
            )
        own = f"{getattr(method, '__module__', '')}:{getattr(method, '__qualname__', type(method).__qualname__)}"
        return name or own, {}, text and hashlib.sha256(text.encode()).hexdigest(), method
    known, options = method if _is_pair(method) else (method, {})
    known = registry.ALIASES.get(known, known) if isinstance(known, str) else known
    checks.choice(known, "methods", tuple(dict.fromkeys((*registry.METHODS, *trials.ROUNDERS, *trials.LEMMAS))))
    return known, dict(options), None, None


def _text(rounder):
    """What a callable's author wrote, None if that is not all there is to it."""
    try:
        text = inspect.getsource(rounder)
        return None if any(inspect.getclosurevars(rounder).nonlocals) else text
    except (OSError, TypeError):  # a partial, an object, a function typed in where nobody keeps the text
        return None


def _refuse_mismatch(method, options, rounder, bits):
    """Refuse a method that there is not at these bits."""
    if rounder is not None:
        there, instead = bits is None, "A rounder has its own grid, of which its tags may tell: leave bits out"
    elif bits is None:
        there = method in (*trials.ROUNDERS, *trials.LEMMAS) and not options
        instead = "On all integers there are, without options, " + ", ".join((*trials.ROUNDERS, *trials.LEMMAS))
    else:
        there, instead = method in registry.METHODS, "With bits there are " + ", ".join(registry.METHODS)
    if not there:
        raise ValueError(f"methods must go with bits, but {method!r} came with bits={bits}. {instead}.")
