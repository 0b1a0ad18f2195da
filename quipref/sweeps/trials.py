"""One trial of a sweep: a random layer, a method, what it loses there and what its theorem allows.

A method is one of
- a published method by its name, at some bits a weight (`quipref.quantize`);
- one of `ROUNDERS` by its name, or a callable (W, H) -> W_hat, on all integers (bits None);
- one of `LEMMAS`, an inequality about H alone.
"""

import sys
import threading
from contextlib import nullcontext, redirect_stdout

import numpy as np

from quipref import bounds
from quipref.factor import ldl
from quipref.incoherence.measure import mu_hessian
from quipref.methods import registry
from quipref.problems import Layer, random_layer
from quipref.proxy import proxy_loss
from quipref.rounding.greedy import greedy
from quipref.rounding.ldlq import ldlq
from quipref.rounding.optq import optq
from quipref.testing import calling
from quipref.testing.checks.conditions import without_end
from quipref.testing.loss_bounds import BOUNDS, cell_radius
from quipref.testing.protocol import tags_of


def _nearest(W, H, **_):
    return np.floor(W + 0.5)


# name: (rounder on the integers, the bound in `LIMITS` that it keeps)
ROUNDERS = {
    "nearest": (_nearest, "plain_worst_case"),
    "ldlq": (ldlq, "worst_case"),
    "optq": (optq, "worst_case"),
    "greedy": (greedy, "plain_worst_case"),  # it starts from nearest, and no step of it loses
}
LIMITS = {
    "worst_case": lambda m, H: bounds.worst_case(m, ldl(H)[1].sum()),
    "plain_worst_case": lambda m, H: bounds.plain_worst_case(m, len(H), np.linalg.eigvalsh(H)[-1]),
}


def _root(H):
    """H^1/2; eigenvalues below zero are rounding noise."""
    values, Q = np.linalg.eigh(H)
    return (Q * np.sqrt(values.clip(0))) @ Q.T


# name: H -> (the smaller side, the larger side)
LEMMAS = {
    "root_trace": lambda H: (ldl(H)[1].sum(), bounds.root_trace(np.trace(R := _root(H)), R.diagonal().max())),
    "incoherent_trace": lambda H: (
        ldl(H)[1].sum(),
        bounds.incoherent_trace(mu_hessian(H), len(H), np.trace(_root(H))),
    ),
}


def answer(question, rounder=None, time_limit=None):
    """What is measured, as a dict of JSON types: measured, limit, ratio, bound (its name), error and time_limit.

    Parameters
    ----------
    question : dict
        method, options, bits, m, n, spectrum, basis, seed.
    rounder : callable, optional
        The method itself where it is no name.
    time_limit : float, optional
        Seconds that it may take.

    Returns
    -------
    dict
        `measured` is the proxy loss (of a lemma its smaller side), `limit` what the theorem `bound` allows, None
        where none applies, `ratio` their quotient. Where the method refused or failed, `error` says how; where it
        hung, `time_limit` has the seconds after which it was given up.
    """
    missing = dict.fromkeys(("measured", "limit", "ratio", "bound", "error", "time_limit"))
    size = question["m"], question["n"]
    W, H = random_layer(*size, spectrum=question["spectrum"], basis=question["basis"], seed=question["seed"])
    try:
        measured, limit, bound = _measure(question, rounder, W, H, time_limit)
        if not np.isfinite(measured):
            raise OverflowError(f"the loss is {measured}")
    except (MemoryError, KeyboardInterrupt):  # of this machine or its user, not of the method
        raise
    except calling.TimeUp:
        return missing | {"error": f"hung: no result within {time_limit:g} s", "time_limit": float(time_limit)}
    except BaseException as error:  # a stranger's rounder may raise anything; the other trials go on
        return missing | {"error": calling.described(error).removeprefix("it raised ")}
    measured, limit = float(measured), None if limit is None else float(limit)
    ratio = measured / limit if limit else None
    return missing | {"measured": measured, "limit": limit, "ratio": ratio, "bound": bound}


def _measure(question, rounder, W, H, time_limit):
    """(measured, limit, name of the bound) of one layer."""
    method, bits, seed = question["method"], question["bits"], question["seed"]
    if rounder is not None:
        return _stranger(rounder, seed, W, H, time_limit)
    if bits is not None:
        layer = registry.quantize(W, H, method=method, bits=bits, seed=seed, threads=1, **question["options"])
        limit = registry.module(method).bound(layer, H)
        name = None if limit is None else ROUNDERS.get(method, ROUNDERS["ldlq"])[1]
        return proxy_loss(W, layer.dequantize(np.float64), H), limit, name
    if method in LEMMAS:
        return *LEMMAS[method](H), method
    run, bound = ROUNDERS[method]
    return proxy_loss(W, run(W, H, threads=1, **question["options"]), H), LIMITS[bound](len(W), H), bound


def _stranger(rounder, seed, W, H, time_limit):
    """A callable's loss, W drawn in units of its grid, beside the bound that its tags promise, by default m/4 tr D.

    Of a random rounder the limit is four times that: its errors reach a whole step.
    """
    tags = tags_of(rounder)
    W = W * tags.unit
    with _without_prints(), np.errstate(), calling.time_limit(time_limit):
        W_hat = rounder(W.copy(), H.copy(), **({"rng": seed} if tags.random else {}))
    loss = proxy_loss(W, W_hat, H)
    if not without_end(tags) or tags.quantizer.block > 1:
        return loss, None, None
    bound = next((name for name in tags.promises if name in LIMITS), "worst_case")
    whole_step = cell_radius(tags) == tags.unit
    return loss, BOUNDS[bound](Layer(W, H), tags), f"stochastic_{bound}" if whole_step else bound


def _without_prints():
    """What a stranger prints goes to standard error; among threads, which share one standard output, it stays."""
    alone = threading.current_thread() is threading.main_thread()
    return redirect_stdout(sys.stderr) if alone else nullcontext()
