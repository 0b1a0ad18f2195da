"""Running checks in order within a budget, and what each came to."""

import time
from dataclasses import replace

import numpy as np

from quipref.problems import random_layer
from quipref.testing.calling import TimeUp, time_limit
from quipref.testing.checks.registry import Budget, Check, CheckFailed, Finding, Hung, OutOfTime, Refused, checks_of
from quipref.testing.paste import pasteable
from quipref.testing.report import Outcome

LONGEST = 10000  # numbers of an example that are written as code
GRACE = 1.0  # seconds beyond its share after which a check is interrupted wherever it is


def chosen_checks(tiers, only, expected, promises=()) -> list[Check]:
    """The checks that are asked for, in order; every name that is given must exist."""
    known = checks_of(tiers)
    wanted = {check.name for check in known} | set(tiers) if only is None else {only} if isinstance(only, str) else only
    names = [check.name for check in known]
    for what, given, allowed in (
        ("only", wanted, {*names, *tiers}),
        ("expected_failures", expected or {}, set(names)),
        ("promises", promises, {check.name for check in known if check.tier == "theory"}),
    ):
        unknown = sorted(set(given) - allowed)
        if unknown:
            raise ValueError(
                f"{what} must name checks, but {unknown[0]!r} came. There are {', '.join(sorted(allowed))}."
            )
    return [check for check in known if check.name in wanted or check.tier in wanted]


def uses_hessian(guarded, said) -> bool:
    """As tagged; else whether W_hat changed with H on any of six layers that differ in H alone."""
    if said.uses_hessian is not None:
        return said.uses_hessian
    try:
        for seed in range(3):
            W, H = random_layer(8, 4 * said.block, seed=seed)
            W, other = 2 * said.unit * W, random_layer(1, 4 * said.block, seed=seed + 10).H
            first, second = guarded.ask(W, H).value, guarded.ask(W, other).value
            if first is None or second is None or not np.array_equal(first, second, equal_nan=True):
                return True
    except Hung:  # it will hang again, in a check
        return True
    return False


def run_checks(chosen, subject, said, budget, expected, progress) -> list[Outcome]:
    """Every check that applies; each may spend its share of the time that is left."""
    from tqdm import tqdm

    chosen, outcomes = [check for check in chosen if check.applies(said)], []
    with tqdm(desc="checks", total=len(chosen), disable=not progress, leave=False) as bar:
        for position, check in enumerate(chosen):
            share = Budget(budget.max_examples, budget.left() / (len(chosen) - position), budget.seed)
            outcome = outcome_of(check, subject, said, share)
            outcomes.append(against(outcome, (expected or {}).get(check.name)))
            bar.update()
    return outcomes


def outcome_of(check: Check, subject, said, budget) -> Outcome:
    """Run one check and say how it ended."""
    start = time.monotonic()
    found, example = Finding(), None
    try:
        if not budget.left():
            raise OutOfTime
        with time_limit(budget.left() + GRACE):
            found = check.run(subject, said, budget) or found
        status, message = found.verdict, found.message
    except (CheckFailed, Hung) as failure:
        status, message, example = "failed", failure.message, failure.layer
    except Refused as refusal:
        status, message, example = "refused", refusal.message, refusal.layer
    except (OutOfTime, TimeUp):
        status, message = "skipped", "no time was left; give it more seconds"
    except Exception as error:  # a quantizer among the tags is a stranger's too
        status, message = "failed", f"the check itself stopped: {type(error).__name__}: {error}"
    code = written(example) if status == "failed" and example is not None else ""
    seconds = time.monotonic() - start
    return Outcome(check.name, check.tier, check.statement, status, message, example, code, seconds, found.figures)


def written(example) -> str:
    """The example as code; what is no array as it calls itself; of what nobody would read, where it is."""
    if sum(np.size(array) for array in example if isinstance(array, np.ndarray)) > LONGEST:
        shapes = " and ".join(str(array.shape) for array in example)
        return f"# arrays of the shapes {shapes}: report.example(name)"
    try:
        return pasteable(example)
    except TypeError:
        return repr(example)


def against(outcome: Outcome, reason: str | None) -> Outcome:
    """The outcome where a failure was declared: strictly, so anything else but a skip is one."""
    if reason is None or outcome.status == "skipped":
        return outcome
    if outcome.status == "failed":
        return replace(outcome, status="expected_failure", message=f"{reason}: {outcome.message}")
    return replace(outcome, status="unexpected_pass", message=f"expected to fail ({reason}), but it {outcome.status}")


def may_apply(check: Check, said) -> bool:
    """The check applies, or would once it is found out whether the rounder uses H."""
    found = (True, False) if said.uses_hessian is None else (said.uses_hessian,)
    return any(check.applies(replace(said, uses_hessian=uses)) for uses in found)
