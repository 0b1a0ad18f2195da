"""What a rounder is, and what may be said of one so that it is checked for what it claims.

A rounder is a callable (W (m, n), H (n, n)) -> W_hat (m, n) that returns any real float dtype. Nothing is inherited or
registered. Untagged, it is taken to round to the integers, deterministically, row by row, one column at a time.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, Literal

import numpy as np

from quipref import checks
from quipref.rounding.grid import IntegerGrid
from quipref.rounding.quantizer import Quantizer

Rounder = Callable[..., Any]  # a stranger's: what comes back is checked, not believed
PROMISES = (
    "worst_case",
    "worst_case_backward",
    "trace",
    "plain_worst_case",
    "no_worse_than_nearest",
    "average_case",
)  # fmt: skip - the checks of the tier "theory"


@dataclass(frozen=True)
class Tags:
    """What is said of a rounder.

    Attributes
    ----------
    grid : Quantizer, "fitted" or None
        What it rounds to, the same for all rows; None for all integers, to nearest. "fitted": a grid of its own
        that it finds from W, so that nothing is asked of its values.
    random : bool
        It takes a keyword `rng`, an int or a Generator, and the same int gives the same result.
    block : int
        Columns that it rounds together; it is only given layers whose columns are a multiple.
    row_separable : bool
        Each row's result depends on that row and on H alone.
    uses_hessian : bool or None
        Whether its result changes with H; None: found out by trying.
    handles_singular : bool
        It rounds with a singular H. Untagged, it may refuse one by a LinAlgError or a ValueError.
    promises : tuple of str
        Names of the bounds that it keeps on every layer, such as "worst_case".

    Examples
    --------
    >>> Tags(handles_singular=True, promises=("worst_case",)).block
    1
    """

    grid: Quantizer | Literal["fitted"] | None = None
    random: bool = False
    block: int = 1
    row_separable: bool = True
    uses_hessian: bool | None = None
    handles_singular: bool = False
    promises: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("random", "row_separable", "handles_singular"):
            checks.boolean(getattr(self, name), name)
        checks.integer(self.block, "block", low=1)
        if self.uses_hessian is not None:
            checks.boolean(self.uses_hessian, "uses_hessian")
        _refuse_grid(self.grid, self.block)
        if isinstance(self.promises, str) or not all(isinstance(name, str) for name in self.promises):
            raise TypeError(f"promises must be a tuple of names of bounds, but {self.promises!r} came.")
        for name in self.promises:
            checks.choice(name, "promises", PROMISES)
        object.__setattr__(self, "promises", tuple(self.promises))

    @property
    def quantizer(self) -> Quantizer | None:
        """What the values of a result are on: the grid, by default all integers; None for a fitted one."""
        if isinstance(self.grid, str):
            return None
        return IntegerGrid() if self.grid is None else self.grid

    @property
    def unit(self) -> float:
        """The step of the grid where it has one: layers are drawn in this unit."""
        return float(np.max(getattr(self.grid, "step", 1.0))) or 1.0


@dataclass(frozen=True)
class QuantizerTags:
    """What is said of a block quantizer, an object with the members of `quipref.rounding.quantizer.Quantizer`.

    Attributes
    ----------
    nearest : bool
        No point of its codebook is nearer to a target than the one it returns.
    random : bool
        `quantize` needs its second argument, `rng`.

    Examples
    --------
    >>> QuantizerTags(nearest=False).random
    False
    """

    nearest: bool = True
    random: bool = False

    def __post_init__(self) -> None:
        for name in ("nearest", "random"):
            checks.boolean(getattr(self, name), name)


def tags(**facts: Any) -> Callable[[Rounder], Rounder]:
    """Decorator that says of a rounder what `Tags` lists.

    rounder.quipref_tags = Tags(**facts)

    Parameters
    ----------
    **facts
        Any of the attributes of `Tags`.

    Returns
    -------
    callable
        Makes of a function one that does the same and carries the tags; the function itself is left as it is.

    Raises
    ------
    TypeError, ValueError
        No attribute of that name, or no value that it may have.

    Examples
    --------
    >>> @tags(handles_singular=True, uses_hessian=False)
    ... def nearest(W, H):
    ...     return np.floor(W + 0.5)
    >>> tags_of(nearest).uses_hessian
    False
    """
    known = [each.name for each in fields(Tags)]
    for name in facts:
        if name not in known:
            raise TypeError(f"tags must be among {', '.join(known)}, but {name!r} came.")
    said = Tags(**facts)

    def mark(rounder: Rounder) -> Rounder:
        @functools.wraps(rounder, updated=())
        def tagged(*arguments: Any, **named: Any) -> Any:
            return rounder(*arguments, **named)

        tagged.quipref_tags = said
        return tagged

    return mark


def tags_of(rounder: Rounder, tags: Tags | None = None) -> Tags:
    """`tags` if they are given, else those that the rounder carries, else the default ones.

    Parameters
    ----------
    rounder : callable
    tags : Tags, optional

    Returns
    -------
    Tags

    Raises
    ------
    TypeError
        What is given or carried is no `Tags`.

    Examples
    --------
    >>> tags_of(lambda W, H: np.floor(W + 0.5)) == Tags()
    True
    """
    found = getattr(rounder, "quipref_tags", Tags()) if tags is None else tags
    if not isinstance(found, Tags):
        raise TypeError(f"tags must be quipref.testing.Tags, but {found!r} came.")
    return found


def name_of(rounder: Any) -> str:
    """A short name for tables: the function's, that of the function in a partial, or the class's."""
    while isinstance(rounder, functools.partial) or hasattr(rounder, "__wrapped__"):
        rounder = rounder.func if isinstance(rounder, functools.partial) else rounder.__wrapped__
    return rounder if isinstance(rounder, str) else getattr(rounder, "__name__", type(rounder).__name__)


def _refuse_grid(grid, block):
    if grid is None or grid == "fitted":
        return
    if isinstance(grid, type) or not hasattr(grid, "quantize") or not hasattr(grid, "block"):
        raise TypeError(f"grid must be a Quantizer, 'fitted' or None, but {grid!r} came.")
    if block % grid.block:
        raise ValueError(
            f"block must be a multiple of grid.block, {grid.block}, but {block} came. Tag the rounder with both."
        )
    if np.size(getattr(grid, "step", 1.0)) != 1:
        raise ValueError(
            f"grid must have one step for all rows, but it has {np.size(grid.step)}. "
            "A rounder that fits a step to each row has grid='fitted'."
        )
