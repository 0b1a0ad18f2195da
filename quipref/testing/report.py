"""What became of a rounder's checks: a table to read, a picture for notebooks, plain records for programs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Status = Literal[
    "passed", "failed", "refused", "not_told_apart", "expected_failure", "unexpected_pass", "skipped"
]  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """How one check ended.

    Attributes
    ----------
    name, tier, statement : str
        Of the check.
    status : str
        "passed", "failed", "refused", "not_told_apart", "expected_failure", "unexpected_pass" or "skipped".
    message : str
    example : object or None
        The layer, as small as it was made, that shows a failure.
    code : str
        The same as code that can be pasted.
    seconds : float
    figures : mapping
        What was measured.
    """

    name: str
    tier: str
    statement: str
    status: Status
    message: str = ""
    example: Any = None
    code: str = ""
    seconds: float = 0.0
    figures: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Report:
    """All outcomes of one rounder or block quantizer.

    Attributes
    ----------
    rounder : str
        Its name.
    tags : object
        As they were used, what was found out by trying included.
    outcomes : tuple of Outcome
    bounds : tuple of Outcome
        The theory's bounds that were tried, promised or not: "passed" where no layer broke the bound.
    """

    rounder: str
    tags: Any
    outcomes: tuple[Outcome, ...]
    bounds: tuple[Outcome, ...] = ()

    @property
    def failed(self) -> list[str]:
        """Names of the checks that failed, and of those that passed although a failure was declared."""
        return self.named("failed", "unexpected_pass")

    @property
    def passed(self) -> list[str]:
        """Names of the checks that passed."""
        return self.named("passed")

    @property
    def refused(self) -> list[str]:
        """Names of the checks in which the rounder refused a singular H."""
        return self.named("refused")

    @property
    def bounds_kept(self) -> list[str]:
        """Names of the bounds that no layer broke."""
        return [bound.name for bound in self.bounds if bound.status == "passed"]

    def named(self, *statuses: Status) -> list[str]:
        """Names of the checks that ended so."""
        return [outcome.name for outcome in self.outcomes if outcome.status in statuses]

    def example(self, name: str) -> Any:
        """The layer that shows how the check of this name failed, None if there is none."""
        found = [outcome for outcome in (*self.outcomes, *self.bounds) if outcome.name == name]
        if not found:
            raise ValueError(f"name must be that of a check of this report, but {name!r} came. See report.outcomes.")
        return found[0].example
