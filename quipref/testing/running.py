"""Running checks in order within a budget, and what each came to."""

import time
from contextlib import suppress
from dataclasses import fields, replace

import numpy as np

from quipref.problems import random_layer
from quipref.testing.calling import TimeUp, time_limit
from quipref.testing.checks import registry
from quipref.testing.checks.codebook import sample
from quipref.testing.checks.registry import Budget, Check, CheckFailed, Finding, Hung, OutOfTime, Refused, checks_of
from quipref.testing.paste import pasteable
from quipref.testing.report import Outcome
from quipref.testing.tagged import sampled_layer

LONGEST = 10000  # numbers of an example that are written as code
COMPILING = 60.0  # seconds for all that quipref imports and compiles itself: cut off in the middle, it stays half done
GRACE = 1.0  # seconds beyond its share after which a check is interrupted wherever it is


def chosen_checks(tiers, only, expected, said) -> list[Check]:
    """The checks that are asked for, in order; every name that is given must exist, and apply under the tags."""
    known = {check.name: check for check in checks_of(tiers)}
    bounds = {name: check for name, check in known.items() if check.tier == "theory"}
    wanted = tiers if only is None else {only} if isinstance(only, str) else set(only)
    for what, names, allowed in (
        ("only", set(wanted) - set(tiers), known),
        ("expected_failures", set(expected or {}), known),
        ("promises", set(getattr(said, "promises", ())), bounds),
    ):
        for name in sorted(names):
            _refuse(what, name, allowed, said, tiers if what == "only" else ())
    return [check for check in known.values() if check.name in wanted or check.tier in wanted]


def _refuse(what, name, allowed, said, tiers):
    """Refuse the name of no check, and that of one that is never made under the tags: it would be passed over."""
    if name not in allowed:
        there_are = ", ".join(sorted({*allowed, *tiers}))
        raise ValueError(f"{what} must name checks, but {name!r} came. There are {there_are}.")
    if not may_apply(allowed[name], said):
        raise ValueError(
            f"{what} must name checks that apply under the tags, but {name!r} does not with {facts(said)}. "
            f"{allowed[name].needs} Leave it out or change the tags."
        )


def facts(said) -> str:
    """The tags that are not the default ones."""
    plain, found = type(said)(), {each.name: getattr(said, each.name) for each in fields(said)}
    told = [f"{name}={value!r}" for name, value in found.items() if value != getattr(plain, name)]
    return ", ".join(each for each in told if not each.startswith("promises=")) or "the default tags"


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


def warm(chosen, said) -> None:
    """Let the methods that checks compare with compile before the time of the checks begins."""
    layer = sampled_layer(said, 0)
    with suppress(TimeUp), time_limit(COMPILING):  # a stranger's grid may hang
        for method in dict.fromkeys(check.against for check in chosen if check.against and check.applies(said)):
            with suppress(Exception):  # it fails in its check, not here
                method(layer, said)


def call_once(quantizer) -> None:
    """Let a block quantizer compile before the time of its checks begins; what is wrong with it they will say."""
    with suppress(Exception, Hung):
        quantizer.decode(quantizer.quantize(sample(quantizer, 0))[0])


def run_checks(chosen, subject, said, budget, expected, progress) -> list[Outcome]:
    """Every check that applies, each within what `allowance` gives it."""
    from tqdm import tqdm

    chosen, outcomes = [check for check in chosen if check.applies(said)], []
    with tqdm(desc="checks", total=len(chosen), disable=not progress, leave=False) as bar:
        for position, check in enumerate(chosen):
            seconds = allowance(budget.left(), budget.seconds, len(chosen) - position - 1, len(chosen))
            own = Budget(budget.max_examples, seconds, budget.seed)
            outcome = outcome_of(check, subject, said, own)
            outcomes.append(against(outcome, (expected or {}).get(check.name)))
            bar.update()
    return outcomes


def allowance(left, seconds, following, count) -> float:
    """What the next of `count` checks may spend: all that is left but half an equal share for each that follows.

    So a check takes what it needs, and only a slow rounder's is cut off.
    """
    return max(left / (following + 1), left - following * seconds / (2 * count))


def outcome_of(check: Check, subject, said, budget) -> Outcome:
    """Run one check and say how it ended. A rounder that has hung in one is not asked again in another."""
    start = time.monotonic()
    named = check.name, check.tier, check.statement
    if getattr(subject, "told", False):
        return Outcome(*named, "skipped", "not asked again: it hung")
    found, example, kind = Finding(), None, None
    try:
        found, status, message = _ended(check, subject, said, budget)
    except (CheckFailed, Hung) as failure:
        status, message, example, kind = "failed", failure.message, failure.layer, type(failure)
        found = Finding(failure.figures) if isinstance(failure, CheckFailed) else found
    hung = getattr(subject, "hung", None)
    if hung and (status != "failed" or kind is Hung):  # whatever the check made of it, it is not to be believed
        status, message, example, kind, subject.told = "failed", hung.message, hung.layer, Hung, True
    code = written(example) if status == "failed" and example is not None else ""
    seconds = time.monotonic() - start
    cut_short = budget.cut_short and status in ("passed", "measured", "not_told_apart")
    return Outcome(
        *named, status, message, example, code, seconds, found.figures, cut_short,
        kind not in (registry.NoAnswer, Hung), kind is Hung,
    )  # fmt: skip


def _ended(check, subject, said, budget):
    """(finding, status, message) of a check that did not fail."""
    try:
        if getattr(subject, "hung", None):
            raise subject.hung
        if not budget.left():
            raise OutOfTime
        with time_limit(budget.left() + GRACE):
            found = check.run(subject, said, budget) or Finding()
        return found, found.verdict, found.message
    except CheckFailed:
        raise
    except Refused as refusal:
        return Finding(), "refused", refusal.message
    except (OutOfTime, TimeUp):
        return Finding(), "skipped", "no time was left; give it more seconds"
    except Exception as error:  # a quantizer among the tags is a stranger's too
        return Finding(), "failed", f"the check itself stopped: {type(error).__name__}: {error}"


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


def that_apply(expected, said) -> dict[str, str]:
    """Failures declared for many rounders, without those of checks that do not apply to this one."""
    never = {check.name for check in checks_of() if not may_apply(check, said)}
    return {name: reason for name, reason in expected.items() if name not in never}


def may_apply(check: Check, said) -> bool:
    """The check applies, or would once it is found out whether the rounder uses H."""
    if getattr(said, "uses_hessian", True) is not None:
        return check.applies(said)
    return any(check.applies(replace(said, uses_hessian=uses)) for uses in (True, False))
