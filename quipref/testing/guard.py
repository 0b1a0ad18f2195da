"""Between the checks and a stranger's code: what comes back is a good array, or a verdict."""

import functools
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quipref.problems import Layer
from quipref.testing.calling import Answer, Caller, Layout, TimeUp, described, hanging, time_limit
from quipref.testing.checks.registry import CheckFailed, Hung, NoAnswer, Refused
from quipref.testing.protocol import QuantizerTags, Tags
from quipref.testing.worker import IsolatedCaller

FIRST_CALL = 4  # times the time limit: the first call may compile


class Watched:
    """Remembers that a stranger's code hung, as it is asked no more after that.

    Attributes
    ----------
    hung : Hung or None
    told : bool
        A check has failed by it. One alone does, and those that follow are skipped.
    """

    hung: Hung | None = None
    told = False

    def within(self, seconds: float, call: Callable[[], Answer], shown: Any) -> Answer:
        """What the call came to; `Hung` if that took `seconds`, and at once if one has hung before."""
        if self.hung:
            raise self.hung
        start = time.monotonic()
        try:
            answer = call()
        except TimeUp:  # the time of the whole check was over too, and its alarm rang first
            if time.monotonic() - start < seconds:
                raise
            answer = hanging(seconds)
        if answer.kind == "hung":
            self.hung = Hung(answer.said, shown)
            raise self.hung
        return answer


class Guarded(Watched):
    """A rounder as the checks see it.

    Parameters
    ----------
    caller : Caller or IsolatedCaller
    tags : Tags
    time_limit : float
        Seconds a call; four times as long for the first of each layout and dtype, which may compile.
    seed : int
        What a random rounder gets for `rng` where a check names none.
    """

    def __init__(self, caller: Caller | IsolatedCaller, tags: Tags, *, time_limit: float = 5.0, seed: int = 0) -> None:
        self.caller, self.tags, self.seconds, self.seed = caller, tags, time_limit, seed
        self.called: set[Any] = set()
        self.memory: dict[Any, Any] = {}  # what one check has found out by asking, for those that follow

    def __call__(
        self, W: NDArray[np.floating], H: NDArray[np.floating], *, layout: Layout = "plain",
        rng: int | np.random.Generator | None = None,
    ) -> NDArray[np.floating]:  # fmt: skip
        """W_hat, a new finite real array of W's shape; anything else is raised as the verdict that it is."""
        answer = self.ask(W, H, layout=layout, rng=rng)
        layer = Layer(W, H)
        if answer.kind == "refusal" and is_singular(H):
            if self.tags.handles_singular:
                raise CheckFailed(f"it is tagged as handling a singular H, but {answer.said}", layer)
            raise Refused(answer.said, layer)
        if answer.kind in ("refusal", "error"):
            hint = "; by random=True it takes rng" if self.tags.random and "'rng'" in answer.said else ""
            raise NoAnswer(answer.said + hint, layer)
        if answer.value is None:
            raise NoAnswer(f"W_hat must be a real float array of W's shape {W.shape}, but {answer.said}", layer)
        bad = int((~np.isfinite(answer.value)).sum())
        if bad:
            raise NoAnswer(f"W_hat must be finite, but {bad} of its {W.size} entries are NaN or infinite", layer)
        return answer.value

    def ask(
        self, W: NDArray[np.floating], H: NDArray[np.floating], *, layout: Layout = "plain",
        rng: int | np.random.Generator | None = None,
    ) -> Answer:  # fmt: skip
        """What the call came to, good or bad; only a rounder that hangs ends the check."""
        if self.tags.random and rng is None:
            rng = self.seed
        seconds = self.seconds * (1 if (layout, W.dtype) in self.called else FIRST_CALL)
        self.called.add((layout, W.dtype))
        ask = functools.partial(self.caller.ask, W, H, layout=layout, rng=rng, seconds=seconds)
        return self.within(seconds, ask, Layer(W, H))


class GuardedQuantizer(Watched):
    """A block quantizer as the checks see it: `quantize` and `decode` return what they should, or end the check."""

    def __init__(self, quantizer: Any, tags: QuantizerTags, *, time_limit: float = 5.0, seed: int = 0) -> None:
        self.quantizer, self.tags, self.seconds, self.seed = quantizer, tags, time_limit, seed
        self.block, self.bits = quantizer.block, quantizer.bits
        self.called = False

    def quantize(
        self, T: NDArray[np.floating], rng: int | np.random.Generator | None = None
    ) -> tuple[NDArray[np.integer], NDArray[np.floating]]:
        """(codes, T_hat) for a copy of T: T_hat finite, real and of T's shape, codes integers, one row for each."""
        rng = self.seed if self.tags.random and rng is None else rng
        came = self._call(self.quantizer.quantize, np.array(T), *(() if rng is None else (rng,)), shown=T)
        if not isinstance(came, tuple) or len(came) != 2:
            raise NoAnswer(f"quantize must return (codes, T_hat), but it returned {type(came).__name__}", T)
        codes = came[0]
        if not isinstance(codes, np.ndarray) or codes.dtype.kind not in "ui" or len(np.atleast_1d(codes)) != len(T):
            raise NoAnswer(f"codes must be integers, one row for each of T's {len(T)}, but {_form(codes)} came", T)
        return np.array(codes), self._values(came[1], T.shape, "T_hat", T)

    def decode(self, codes: NDArray[np.integer]) -> NDArray[np.floating]:
        """The values of a copy of the codes: finite, real, `block` a row unless a code spans rows."""
        came = self._call(self.quantizer.decode, np.array(codes), shown=codes)
        return self._values(came, None, "decode(codes)", codes)

    def _call(self, function, *arguments, shown):
        seconds, self.called = self.seconds * (1 if self.called else FIRST_CALL), True
        came = []

        def call():
            with np.errstate(), time_limit(seconds):
                came.append(function(*arguments))
            return Answer()

        try:
            self.within(seconds, call, shown)
        except (TimeUp, Hung, KeyboardInterrupt):
            raise
        except BaseException as error:
            raise NoAnswer(described(error), shown) from error
        return came[0]

    def _values(self, came, shape, name, shown):
        good = isinstance(came, np.ndarray) and came.dtype.kind == "f" and shape in (None, came.shape)
        if not good:
            wanted = "" if shape is None else f" of shape {shape}"
            raise NoAnswer(f"{name} must be a real float array{wanted}, but {_form(came)} came", shown)
        if not np.isfinite(came).all():
            raise NoAnswer(f"{name} must be finite, but it holds NaN or infinity", shown)
        return np.array(came)


def is_singular(H: NDArray[np.floating]) -> bool:
    """The smallest eigenvalue is at most 1e-12 tr H, or what the dtype of H can tell from zero."""
    values = np.linalg.eigvalsh(H.astype(np.float64))
    return bool(values[0] <= max(1e-12, 8 * np.finfo(H.dtype).eps) * values.sum())


def _form(thing):
    if isinstance(thing, np.ndarray):
        return f"an array of shape {thing.shape} and dtype {thing.dtype}"
    return type(thing).__name__
