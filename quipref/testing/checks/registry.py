"""What a check is, how it ends, what it may spend, and the list of all of them.

A check is a function `check_<name>(rounder, tags, budget)` whose docstring is the statement and its source. It is
handed the rounder behind a guard, so that `rounder(W, H)` returns a new, finite, real array of W's shape or ends the
check by itself. It returns None, or a `Finding` with what it measured; it raises `CheckFailed`, or lets `Refused` pass.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Literal

from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky

from quipref.testing.calling import TimeUp
from quipref.testing.checks.conditions import always
from quipref.testing.hermetic import without_local_constants

ROUNDER_TIERS = ("interface", "algebra", "theory", "statistics")
QUANTIZER_TIERS = ("codebook",)


class CheckFailed(Exception):  # noqa: N818 - it is a verdict
    """The statement does not hold; `layer` (or another object) shows it, `figures` say by how much."""

    def __init__(self, message: str, layer: Any = None, figures: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message, self.layer, self.figures = message, layer, figures or {}


class NoAnswer(CheckFailed):
    """The rounder raised an error or returned no finite array of W's shape: the statement was not even reached."""


class Refused(Exception):  # noqa: N818 - it is a verdict
    """The rounder refused a singular H, clearly, as it may."""

    def __init__(self, message: str, layer: Any = None) -> None:
        super().__init__(message)
        self.message, self.layer = message, layer


class OutOfTime(BaseException):
    """No time is left. Not an Exception: it passes through a rounder's own `except` and through Hypothesis."""


class Hung(BaseException):
    """The rounder did not return within the time limit; not an Exception, so that no example is shrunk by waiting."""

    def __init__(self, message: str, layer: Any = None) -> None:
        super().__init__(message)
        self.message, self.layer = message, layer


@dataclass(frozen=True)
class Finding:
    """What a check measured, and whether that was enough to tell.

    Attributes
    ----------
    figures : mapping of str to number or str
        Of JSON types.
    verdict : "passed", "measured" or "not_told_apart"
    message : str
        For the table.
    """

    figures: Mapping[str, Any] = field(default_factory=dict)
    verdict: Literal["passed", "measured", "not_told_apart"] = "passed"
    message: str = ""


@dataclass
class Budget:
    """What one check may spend, and the seed of all that it draws.

    Attributes
    ----------
    max_examples : int
        Layers that one statement is tried on.
    seconds : float
        From now on.
    seed : int
    cut_short : bool
        Something was left out because no time was left.
    """

    max_examples: int = 25
    seconds: float = 20.0
    seed: int = 0
    cut_short: bool = False

    def __post_init__(self) -> None:
        self.deadline = time.monotonic() + self.seconds

    def left(self) -> float:
        """Seconds that are left, at least 0; whoever is told 0 leaves something out."""
        left = self.deadline - time.monotonic()
        self.cut_short |= left <= 0
        return max(0.0, left)

    def for_all(self, strategy: st.SearchStrategy[Any], holds: Callable[[Any], None]) -> int:
        """Try `holds` on drawn examples; raise the `CheckFailed` of the smallest that fails, or return their number.

        Repeats with the seed, writes nothing, and stops where the time ends with what was found until then; if it
        ends before the first example, the check says nothing.
        """
        tried, found = 0, None

        def once(drawn):
            nonlocal tried, found
            if not self.left():
                raise OutOfTime
            tried += 1
            try:
                holds(drawn)
            except (CheckFailed, Refused) as verdict:
                found = verdict
                raise

        quiet = settings(
            max_examples=self.max_examples, database=None, deadline=None, derandomize=False, print_blob=False,
            verbosity=Verbosity.quiet, report_multiple_bugs=False, suppress_health_check=list(HealthCheck),
            phases=(Phase.explicit, Phase.generate, Phase.target, Phase.shrink),
        )  # fmt: skip
        try:
            with without_local_constants():
                seed(self.seed)(quiet(given(strategy)(once)))()
        except (OutOfTime, TimeUp):
            if found is None and tried:
                return tried
            raise found or OutOfTime from None
        except Flaky:  # the rounder answers the same question in two ways
            raise CheckFailed(f"{found.message} (not every time)", found.layer) from None
        return tried


@dataclass(frozen=True)
class Check:
    """A check with its name, its tier, the condition on tags under which it applies, and what it compares with."""

    name: str
    tier: str
    run: Callable[[Any, Any, Budget], Finding | None]
    applies: Callable[[Any], bool]
    against: Callable[[Any, Any], float] | None = None

    @property
    def needs(self) -> str:
        """What it needs of the tags."""
        return self.applies.__doc__ or ""

    @property
    def statement(self) -> str:
        """The statement and its source."""
        return " ".join((self.run.__doc__ or "").split())


def check(
    tier: str, when: Callable[[Any], bool] = always, against: Callable[[Any, Any], float] | None = None
) -> Callable[[Callable], Callable]:
    """Decorator that lists `check_<name>` in its tier; `when(tags)` says whether it applies.

    `against(layer, tags)`, a known method, is called once before the time of the checks begins, as it may compile.
    `tags.uses_hessian` is True or False wherever a check or its `when` looks: it has been found out by then.
    """

    def register(function):
        function.quipref_check = Check(function.__name__.removeprefix("check_"), tier, function, when, against)
        return function

    return register


def checks_of(tiers: tuple[str, ...] = ROUNDER_TIERS) -> list[Check]:
    """All checks of these tiers, in the order in which they stand in their files."""
    modules = [import_module(f"quipref.testing.checks.{tier}") for tier in tiers]
    functions = [
        thing for module in modules for thing in vars(module).values()
        if hasattr(thing, "quipref_check") and thing.__module__ == module.__name__
    ]  # fmt: skip
    return [function.quipref_check for function in functions]
