"""What a rounder loses on random layers of many sizes, beside nearest rounding and LDLQ on the same grid.

All of it is divided by one number for each layer, the bound of the rounder's grid, so that what is lower has lost less.
"""

import time
from collections import Counter
from itertools import product

import numpy as np
from tqdm import tqdm

from quipref.problems import SPECTRA
from quipref.proxy import proxy_loss
from quipref.testing import loss_bounds
from quipref.testing.calling import described
from quipref.testing.checks.conditions import without_end
from quipref.testing.checks.theory import quarter
from quipref.testing.protocol import Tags
from quipref.testing.tagged import sampled_layer, shape_unit

SIZES, SEEDS = (8, 16, 32, 64), 5  # columns, up to the next whole block, and layers of each kind
SECONDS, IN_ALL = 5.0, 30.0  # for a call, and after which none begins
PATIENCE = 3  # failures with one spectrum, after which it is left alone
REFERENCES = {"nearest": loss_bounds.nearest, "ldlq": loss_bounds.of_ldlq}


def random_losses(caller, name, tags, progress=False):
    """Records of JSON types: method, spectrum, m, n, seed, ratio, error and said; those of the rounder come last.

    Parameters
    ----------
    caller : Caller or IsolatedCaller
        Through which the rounder is asked.
    name : str
        The rounder's, for its records.
    tags : Tags
    progress : bool
        Show a bar on standard error.

    Returns
    -------
    list of dict
        `error` is "", "refused", "failed" or "hung"; with an error `ratio` is None, and `said` has what came. If there
        is no ratio at all, nothing else is measured. A rounder that hangs is not asked again.
    """
    own, failures, start = [], Counter(), time.monotonic()
    unit = shape_unit(tags)[1]
    sizes = dict.fromkeys(unit * -(-size // unit) for size in SIZES)
    questions = list(product(sizes, SPECTRA, range(SEEDS)))
    for n, spectrum, seed in tqdm(questions, desc="picture", leave=False, disable=not progress):
        if failures[spectrum] == PATIENCE or time.monotonic() - start > IN_ALL:
            continue
        layer = sampled_layer(tags, seed, n, spectrum)
        answer = caller.ask(*layer, rng=seed if tags.random else None, seconds=SECONDS)
        own.append(_record(name, layer, spectrum, seed, _judged(answer, layer, tags)))
        failures[spectrum] += own[-1]["error"] == "failed"
        if answer.kind == "hung":
            break
    if all(record["error"] for record in own):
        return own
    return [_reference(method, record, tags) for method in REFERENCES for record in own] + own


def share(layer, tags):
    """What losses are divided by: m r^2 sum_b |D_b|, with r the radius of a cell; m/4 tr D where it has none."""
    if loss_bounds.cell_radius(tags) is None:
        return tags.unit**2 * loss_bounds.worst_case(layer, Tags())
    return loss_bounds.worst_case(layer, tags)


def formula(tags):
    """`share` in words."""
    square = loss_bounds.cell_radius(tags)
    if square is None or tags.quantizer.block == 1:
        power = "" if tags.unit == 1 else " s^2"
        return f"m{power} tr D" if square == tags.unit else f"m{power}/4 tr D"
    return f"{quarter(tags)} sum_b |D_b|".removeprefix("1 ")


def why_no_bound(tags):
    """Why the theorems do not hold for this grid, "" if they do."""
    if tags.quantizer is None:
        return "the grid is fitted"
    if without_end(tags):
        return ""
    return "no theorem on this codebook" if loss_bounds.cell_radius(tags) is None else "the grid ends"


def _record(method, layer, spectrum, seed, judged):
    (m, n), (ratio, error, said) = layer.W.shape, judged
    return {
        "method": method, "spectrum": spectrum, "m": m, "n": n, "seed": seed, "ratio": ratio, "error": error,
        "said": said,
    }  # fmt: skip


def _judged(answer, layer, tags):
    """(ratio, error, said) of an answer."""
    if answer.kind in ("refusal", "hung"):
        return None, {"refusal": "refused"}.get(answer.kind, answer.kind), answer.said
    if answer.value is None:
        return None, "failed", answer.said
    if not np.isfinite(answer.value).all():
        return None, "failed", "it returned an array with NaN or infinite entries"
    return float(proxy_loss(layer.W, answer.value, layer.H) / share(layer, tags)), "", ""


def _reference(method, record, tags):
    """The record of a known method on the layer of another record; on the integers if the rounder's grid is fitted."""
    layer = sampled_layer(tags, record["seed"], record["n"], record["spectrum"])
    beside = Tags() if tags.quantizer is None else tags
    try:
        judged = float(REFERENCES[method](layer, beside, record["seed"]) / share(layer, tags)), "", ""
    except Exception as error:  # a stranger's grid may raise anything
        judged = None, "failed", described(error)
    return _record(method, layer, record["spectrum"], record["seed"], judged)
