"""`check_rounder`, `check_quantizer` and `parametrize_with_checks`: the doors to the checks."""

import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, Literal

from quipref import checks
from quipref.testing import running
from quipref.testing.calling import Caller
from quipref.testing.checks.registry import QUANTIZER_TIERS, ROUNDER_TIERS, Budget
from quipref.testing.guard import Guarded, GuardedQuantizer
from quipref.testing.protocol import QuantizerTags, Rounder, Tags, name_of, tags_of
from quipref.testing.report import Report, RounderCheckError
from quipref.testing.worker import IsolatedCaller, address, located

OnFail = Literal["raise", "warn"] | None


def check_rounder(
    rounder: Rounder | str, *, tags: Tags | None = None, only: Iterable[str] | None = None, max_examples: int = 25,
    seconds: float = 20.0, on_fail: OnFail = "raise", expected_failures: Mapping[str, str] | None = None,
    isolate: bool = False, time_limit: float = 5.0, seed: int = 0, progress: bool = False,
) -> Report:  # fmt: skip
    """Put a rounder through every check that its tags let apply.

    rounder(W (m, n), H (n, n)) -> W_hat (m, n), a small tr((W_hat - W) H (W_hat - W)^T) wanted

    Parameters
    ----------
    rounder : callable or str
        The function, or MODULE:FUNCTION.
    tags : Tags, optional
        What is said of it; default: what its decorator `tags` says, or that it rounds to the integers,
        deterministically, row by row, one column at a time.
    only : iterable of str, optional
        Names of checks, or of tiers: "interface", "algebra", "theory", "statistics".
    max_examples : int
        Layers that each statement is tried on.
    seconds : float
        For all checks together, see the notes.
    on_fail : "raise", "warn" or None
        What happens when a check has failed. Unless None, a promised bound that was not tried is a warning.
    expected_failures : mapping of str to str, optional
        Check to reason. Strict: such a check must fail, else it counts as failed.
    isolate : bool
        Run the rounder, which must be importable, in an interpreter of its own, which is killed when it hangs.
    time_limit : float
        Seconds that a call may take, four times as long for the first one of each layout and dtype, which may compile.
    seed : int
        Of all that is drawn: the same seed asks the same questions.
    progress : bool
        Show a bar.

    Returns
    -------
    Report
        A table when printed or shown in a notebook; `report.failed` lists the names of the failed checks.

    Raises
    ------
    RounderCheckError
        A check failed and `on_fail` is "raise"; its text is the report.
    ValueError, TypeError
        A check that is unknown or does not apply under the tags, a bad option, a rounder that cannot be imported.

    Notes
    -----
    Each check may take all the time that is left, but for a reserve for those that follow: half of an equal share
    each. What a fast rounder's checks find thus depends on `seed` and `max_examples` alone; those of a slow one are cut
    short, or skipped, and the report's first line says so. Time is counted from when known methods that checks compare
    with have been compiled, and the rounder has been called.

    The rounder gets copies. Without `isolate` the time limit is a signal: it works in the main thread, on systems that
    have SIGALRM, and not while compiled code runs. Nothing is written to disk.

    Examples
    --------
    >>> import numpy as np
    >>> def ceiling(W, H):
    ...     return np.ceil(W)
    >>> check_rounder(ceiling, only=["algebra"], on_fail=None).failed
    ['one_block', 'diagonal_is_nearest']
    """
    __tracebackhide__ = True  # in pytest: what failed is the rounder, and the report says where
    _refuse_options(max_examples, seconds, on_fail, time_limit, seed)
    caller = _caller(rounder, checks.boolean(isolate, "isolate"))
    try:
        said = tags_of(located(rounder) if isinstance(rounder, str) and tags is None else rounder, tags)
        chosen = running.chosen_checks(ROUNDER_TIERS, only, expected_failures, said)
        guarded = Guarded(caller, said, time_limit=time_limit, seed=seed)
        said = guarded.tags = replace(said, uses_hessian=running.uses_hessian(guarded, said))
        running.warm(chosen, said)
        outcomes = running.run_checks(
            chosen, guarded, said, Budget(max_examples, seconds, seed), expected_failures, progress
        )
    finally:
        caller.close()
    bounds = tuple(outcome for outcome in outcomes if outcome.tier == "theory")
    kept = tuple(each for each in outcomes if each.tier != "theory" or each.name in said.promises or each.hung)
    return _judged(Report(name_of(rounder), said, kept, bounds), on_fail)


def check_quantizer(
    quantizer: Any, *, tags: QuantizerTags | None = None, only: Iterable[str] | None = None, max_examples: int = 25,
    seconds: float = 20.0, on_fail: OnFail = "raise", expected_failures: Mapping[str, str] | None = None,
    time_limit: float = 5.0, seed: int = 0, progress: bool = False,
) -> Report:  # fmt: skip
    """Put a block quantizer - a lattice, a trellis, a codebook of your own - through the checks for quantizers.

    quantize(T (rows, block), rng=None) -> (codes, T_hat), decode(codes) -> T_hat

    Parameters
    ----------
    quantizer : Quantizer
        Any object with `quantize`, `decode`, `block` and `bits`.
    tags : QuantizerTags, optional
        Default: what its attribute `quipref_tags` says, or that it is deterministic and finds the nearest point.
    only, max_examples, seconds, on_fail, expected_failures, time_limit, seed, progress
        As in `check_rounder`; the one tier is "codebook".

    Returns
    -------
    Report

    Raises
    ------
    RounderCheckError
        As in `check_rounder`.
    ValueError, TypeError
        A check that is unknown or does not apply under the tags, a bad option, or no Quantizer.

    Examples
    --------
    >>> from quipref import IntegerGrid
    >>> check_quantizer(IntegerGrid(0, 3)).failed
    []
    """
    __tracebackhide__ = True
    _refuse_options(max_examples, seconds, on_fail, time_limit, seed)
    missing = [name for name in ("quantize", "decode", "block", "bits") if not hasattr(quantizer, name)]
    if missing or isinstance(quantizer, type):
        raise TypeError(
            f"quantizer must be an object with quantize, decode, block and bits, but {quantizer!r} "
            f"{'is a class' if not missing else 'has no ' + ' and no '.join(missing)}."
        )
    said = getattr(quantizer, "quipref_tags", QuantizerTags()) if tags is None else tags
    if not isinstance(said, QuantizerTags):
        raise TypeError(f"tags must be quipref.testing.QuantizerTags, but {said!r} came.")
    chosen = running.chosen_checks(QUANTIZER_TIERS, only, expected_failures, said)
    guarded = GuardedQuantizer(quantizer, said, time_limit=time_limit, seed=seed)
    running.call_once(guarded)
    outcomes = running.run_checks(
        chosen, guarded, said, Budget(max_examples, seconds, seed), expected_failures, progress
    )
    return _judged(Report(name_of(quantizer), said, tuple(outcomes)), on_fail)


def _refuse_options(max_examples, seconds, on_fail, time_limit, seed):
    checks.integer(max_examples, "max_examples", low=1)
    checks.integer(seed, "seed", low=0)
    checks.choice(on_fail, "on_fail", ("raise", "warn", None))
    for name, value in (("seconds", seconds), ("time_limit", time_limit)):
        if not checks.fraction(value, name):
            raise ValueError(f"{name} must be above zero, but {value!r} came.")


def _caller(rounder, isolate):
    if not (callable(rounder) or isinstance(rounder, str)):
        raise TypeError(f"rounder must be a function (W, H) -> W_hat or MODULE:FUNCTION, but {rounder!r} came.")
    if not isolate:
        return Caller(located(rounder) if isinstance(rounder, str) else rounder)
    caller = IsolatedCaller(address(rounder))
    caller.start()  # before this interpreter imports a stranger's module to read its tags
    return caller


def _judged(report: Report, on_fail: OnFail) -> Report:
    __tracebackhide__ = True
    if report.failed and on_fail == "raise":
        raise RounderCheckError(report)
    if report.failed and on_fail == "warn":
        warnings.warn(f"{report.rounder} failed {', '.join(report.failed)}\n{report}", stacklevel=3)
    untried = [name for name in report.not_tried if name in getattr(report.tags, "promises", ())]
    if untried and on_fail:
        warnings.warn(f"{report.headline()}. Give it more seconds or fewer max_examples.", stacklevel=3)
    return report


def parametrize_with_checks(
    rounders: Iterable[Rounder | str], *,
    expected_failures: Mapping[str, str] | Callable[[Rounder], Mapping[str, str]] | None = None, **options: Any,
) -> Any:  # fmt: skip
    """Decorator for a pytest test of its own for each rounder and check.

    Parameters
    ----------
    rounders : iterable of callable or str
        As `check_rounder` takes them.
    expected_failures : mapping of str to str, or callable, optional
        Check to reason, for all rounders, or a function that returns the mapping for one. Strict, as in
        `check_rounder`.
    **options
        For `check_rounder`: tags, max_examples, seconds (of each check, here), time_limit, isolate, seed.

    Returns
    -------
    pytest.MarkDecorator
        Parametrizes `rounder` and `check`; the test calls `check(rounder)`.

    Raises
    ------
    ValueError, TypeError
        While the test is collected, as in `check_rounder`.
    ImportError
        pytest is not installed; quipref itself does not need it.

    Examples
    --------
    >>> @parametrize_with_checks([my_rounder])  # doctest: +SKIP
    ... def test_rounder(rounder, check):
    ...     check(rounder)
    """
    try:
        import pytest
    except ImportError as error:
        raise ImportError(
            "parametrize_with_checks needs pytest, but it cannot be imported. Install it: pip install pytest."
        ) from error

    cases = []
    for rounder in rounders:
        function = located(rounder) if isinstance(rounder, str) else rounder
        expected = (expected_failures(function) if callable(expected_failures) else expected_failures) or {}
        said, hung = tags_of(function, options.get("tags")), []
        for check in running.chosen_checks(ROUNDER_TIERS, None, running.that_apply(expected, said), said):
            promised = check.tier != "theory" or check.name in said.promises
            if promised and running.may_apply(check, said):
                strict = {"reason": expected.get(check.name), "raises": RounderCheckError, "strict": True}
                marks = [pytest.mark.xfail(**strict)] if check.name in expected else []
                one = OneCheck(check.name, options, hung)
                cases.append(pytest.param(rounder, one, marks=marks, id=f"{name_of(rounder)}-{check.name}"))
    return pytest.mark.parametrize(("rounder", "check"), cases)


class OneCheck:
    """One check of `parametrize_with_checks`, to be called with the rounder.

    Parameters
    ----------
    name : str
        Of the check.
    options : mapping
        For `check_rounder`.
    hung : list of str
        Shared by the checks of one rounder: the one in which it hung, after which it is not asked again.
    """

    def __init__(self, name: str, options: Mapping[str, Any], hung: list[str]) -> None:
        self.name, self.options, self.hung = name, options, hung

    def __call__(self, rounder: Rounder | str) -> Report:
        """Run the check; a failure is a `RounderCheckError`, and a check that says nothing skips the test."""
        import pytest

        __tracebackhide__ = True
        if self.hung:
            pytest.skip(f"not asked again: it hung in {self.hung[0]}")
        report = check_rounder(rounder, only=[self.name], on_fail=None, **self.options)
        self.hung += [outcome.name for outcome in report.outcomes if outcome.hung]
        if report.failed:
            raise RounderCheckError(report)
        silent = [each for each in report.outcomes if each.status in ("skipped", "refused", "not_told_apart")]
        if silent:
            pytest.skip(f"{silent[0].status.replace('_', ' ')}: {silent[0].message}")
        return report

    def __repr__(self) -> str:
        return f"OneCheck({self.name!r})"
