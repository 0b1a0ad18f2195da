"""What became of a rounder's checks: a table to read, a picture for notebooks, plain records for programs."""

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal

Status = Literal[
    "passed", "failed", "measured", "refused", "not_told_apart", "expected_failure", "unexpected_pass", "skipped"
]  # fmt: skip

HEADINGS = ("check", "tier", "result", "seconds", "what was found")
OTHERS = {"refused": "refused", "not_told_apart": "not told apart", "expected_failure": "expected to fail"}
WIDEST = 100  # characters of what was found, in the table


@dataclass(frozen=True)
class Outcome:
    """How one check ended.

    Attributes
    ----------
    name, tier, statement : str
        Of the check.
    status : str
        "passed", "failed", "refused", "not_told_apart", "expected_failure", "unexpected_pass", "skipped", or
        "measured" where the check says by how much and cannot fail.
    message : str
    example : object or None
        The layer, as small as it was made, that shows a failure.
    code : str
        The same as code that can be pasted.
    seconds : float
    figures : mapping
        What was measured.
    cut_short : bool
        Less was tried than `max_examples` asks for, because the time was over.
    answered : bool
        False where the rounder raised an error, hung, or returned no finite array of W's shape.
    hung : bool
        It failed because the rounder did not return in time. It is not asked again then.
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
    cut_short: bool = False
    answered: bool = True
    hung: bool = False


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
    def not_tried(self) -> list[str]:
        """Names of the checks that no time was left for; of those that are promised, nothing is known."""
        return self.named("skipped")

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

    def to_dict(self) -> dict[str, Any]:
        """Everything but the examples, which stand in `code`, as JSON types."""
        tags = asdict_of(self.tags)
        outcomes, bounds = ([record(outcome) for outcome in group] for group in (self.outcomes, self.bounds))
        return {"rounder": self.rounder, "tags": tags, "failed": self.failed, "outcomes": outcomes, "bounds": bounds}

    def __str__(self) -> str:
        parts = [self.headline(), table([HEADINGS, *(cells(outcome) for outcome in self.outcomes)])]
        parts += [line for line in ("\n".join(filter(None, (self.bounds_line(), self.hint()))),) if line]
        for outcome, others in self.shown():
            likewise = f"\n\nlikewise: {', '.join(others)}" if others else ""
            details = f"{outcome.name}: {outcome.message}\n{outcome.statement}\n\n{outcome.code}{likewise}"
            parts.append(details.rstrip())
        return "\n\n".join(parts)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        def row(tag, words):
            return "<tr>" + "".join(f"<{tag}>{html.escape(word)}</{tag}>" for word in words) + "</tr>"

        body = "".join(row("td", cells(outcome)) for outcome in self.outcomes)
        parts = [f"<p><b>{html.escape(self.headline())}</b></p>", f"<table>{row('th', HEADINGS)}{body}</table>"]
        parts += [f"<p>{html.escape(line)}</p>" for line in (self.bounds_line(), self.hint()) if line]
        for outcome, others in self.shown():
            words = [html.escape(word) for word in (outcome.name, outcome.message, outcome.statement, outcome.code)]
            parts.append("<p><b>{}</b>: {}<br><i>{}</i></p><pre>{}</pre>".format(*words))
            parts += [f"<p>likewise: {html.escape(', '.join(others))}</p>"] if others else []
        return "".join(parts)

    def headline(self) -> str:
        """How many checks failed, and which of them were not tried."""
        if not self.outcomes:
            return f"{self.rounder}: no check to pass, as it promises no bound"
        ended = [f"{self.rounder}: {len(self.failed)} of {len(self.outcomes)} checks failed"]
        counts = {word: len(self.named(status)) for status, word in OTHERS.items()}
        counts["cut short"] = sum(outcome.cut_short for outcome in self.outcomes)
        told = ", ".join(ended + [f"{count} {word}" for word, count in counts.items() if count])
        promises = getattr(self.tags, "promises", ())
        missing = [name + " (promised)" * (name in promises) for name in self.not_tried]
        if any(outcome.hung for outcome in self.outcomes):
            return f"{told}; it hung, so {len(missing)} were not tried"
        return told + (f"; not tried: {', '.join(missing)}" if missing else "")

    @property
    def bounds_broken(self) -> list[Outcome]:
        """The bounds that a layer broke, promised or not."""
        return [each for each in self.bounds if each.status in ("failed", "expected_failure") and each.answered]

    def bounds_line(self) -> str:
        """The bounds that no layer broke, those that one did and by how much, and those that were not tried."""
        broken = [bound.name + times(bound) for bound in self.bounds_broken]
        missing = [bound.name for bound in self.bounds if bound.status == "skipped" or not bound.answered]
        named = {"bounds kept": self.bounds_kept or ["none"], "broken": broken, "not tried": missing}
        return "; ".join(f"{what}: {', '.join(names)}" for what, names in named.items() if names and self.bounds)

    def hint(self) -> str:
        """How to see the layer that broke a bound of which no check has failed, "" if there is none."""
        shown = [outcome.name for outcome in self.outcomes]
        for bound in self.bounds_broken:
            if bound.example is not None and bound.name not in shown:
                return f"the layer that breaks {bound.name}: report.example({bound.name!r}), or --promise {bound.name}"
        return ""

    def shown(self) -> list[tuple[Outcome, list[str]]]:
        """The failures whose details are written below the table, each with the names of others that are no news.

        Where the rounder gave no answer, the checks that ended with the same words but for the numbers are shown once,
        by the shortest example.
        """
        alike: dict[str, list[Outcome]] = {}
        for outcome in self.outcomes:
            if outcome.name in self.failed:
                words = outcome.name if outcome.answered else re.sub(r"[\d., ]+", " ", outcome.message)
                alike.setdefault(words, []).append(outcome)
        firsts = [min(group, key=lambda outcome: len(outcome.code)) for group in alike.values()]
        return [
            (first, [outcome.name for outcome in group if outcome is not first])
            for first, group in zip(firsts, alike.values(), strict=True)
        ]


class RounderCheckError(AssertionError):
    """A rounder failed a check.

    Parameters
    ----------
    report : Report
        With all that is known; the error keeps it as an attribute, and its text is the report's.
    """

    def __init__(self, report: Report) -> None:
        super().__init__(str(report))
        self.report = report


def cells(outcome: Outcome) -> list[str]:
    """A line of the table."""
    said = outcome.message or ", ".join(f"{name} {short(value)}" for name, value in outcome.figures.items())
    said = f"{said} (cut short)".lstrip() if outcome.cut_short else said
    words = (outcome.name, outcome.tier, outcome.status.replace("_", " "), f"{outcome.seconds:.2f}")
    return [*words, said if len(said) <= WIDEST else said[: WIDEST - 3] + "..."]


def times(bound: Outcome) -> str:
    """How many times the bound the loss came to, in brackets, where that is known."""
    ratio = bound.figures.get("times")
    return f" ({ratio:.2f} times)" if ratio else ""


def table(lines: Sequence[Sequence[str]]) -> str:
    """Columns under their headings, numbers to the right, and a rule below the headings."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    sides = [">" if heading == "seconds" else "<" for heading in lines[0]]
    form = "  ".join(f"{{:{side}{width}}}" for side, width in zip(sides, widths, strict=True))
    heading, *rest = [form.format(*line).rstrip() for line in lines]
    return "\n".join([heading, "-" * max(map(len, [heading, *rest])), *rest])


def short(value: Any) -> str:
    """A figure with four digits."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def record(outcome: Outcome) -> dict[str, Any]:
    """An outcome without its example."""
    values = {each.name: getattr(outcome, each.name) for each in fields(outcome) if each.name != "example"}
    return values | {"figures": dict(outcome.figures)}


def asdict_of(tags: Any) -> dict[str, Any]:
    """Tags as JSON types; a grid by its repr."""
    simple = (bool, int, float, str, type(None))
    found = {each.name: getattr(tags, each.name) for each in fields(tags)}
    return {
        name: list(value) if isinstance(value, tuple) else value if isinstance(value, simple) else repr(value)
        for name, value in found.items()
    }
