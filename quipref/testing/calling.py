"""Calling a stranger's rounder so that nothing it does can hurt: with copies, a time limit, and every error caught.

What came is described in an `Answer`, which a second interpreter can send as well: see `quipref.testing.worker`.
"""

import signal
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from quipref.testing.protocol import Rounder

Layout = Literal["plain", "fortran", "strided", "read_only"]
LONGEST = 300  # characters of a stranger's error message


@dataclass(frozen=True)
class Answer:
    """What a call came to.

    Attributes
    ----------
    value : array (m, n) or None
        A copy of the result, if it is a real float array of W's shape.
    said : str
        What came instead, or the error that was raised.
    kind : "value", "object", "error", "refusal" or "hung"
        "refusal" is a LinAlgError or another ValueError.
    changed, shares : tuple of str
        The inputs that it wrote to, and those whose memory it returned.
    overwrote : bool
        The call changed the result of the call before.
    """

    value: NDArray[np.floating] | None = None
    said: str = ""
    kind: Literal["value", "object", "error", "refusal", "hung"] = "value"
    changed: tuple[str, ...] = ()
    shares: tuple[str, ...] = ()
    overwrote: bool = False


class Caller:
    """Asks a rounder of this interpreter."""

    def __init__(self, rounder: Rounder) -> None:
        self.rounder = rounder
        self.previous = None  # the last result as it came, and a copy of it

    def ask(self, W, H, *, layout: Layout = "plain", rng=None, seconds=None) -> Answer:
        """What the rounder makes of copies of W and H; `rng` is handed on unless it is None."""
        given = {"W": laid_out(W, layout), "H": laid_out(H, layout)}
        try:
            with np.errstate(), time_limit(seconds):  # what it does to numpy.seterr ends with the call
                came = self.rounder(given["W"], given["H"], **({} if rng is None else {"rng": rng}))
        except TimeUp:
            return hanging(seconds)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # SystemExit too: the harness survives
            return Answer(said=described(error), kind="refusal" if isinstance(error, ValueError) else "error")
        return self._answer(came, given, {"W": W, "H": H})

    def close(self) -> None:
        """Nothing is held."""

    def _answer(self, came, given, wanted):
        changed = tuple(name for name in given if not np.array_equal(given[name], wanted[name]))
        if not isinstance(came, np.ndarray):
            return Answer(said=f"it returned {_a(type(came).__name__)}", kind="object", changed=changed)
        shares = tuple(name for name in given if np.may_share_memory(came, given[name]))
        overwrote = self.previous is not None and not np.array_equal(*self.previous, equal_nan=True)
        self.previous = None
        if came.dtype.kind != "f" or came.shape != wanted["W"].shape:
            said = f"it returned {came.dtype}" + ("" if came.shape == wanted["W"].shape else f" of shape {came.shape}")
            said += "; add .astype(float)" if came.dtype.kind in "iub" else ""
            return Answer(said=said, kind="object", changed=changed, shares=shares, overwrote=overwrote)
        value = np.array(came)
        self.previous = came, value
        return Answer(value, changed=changed, shares=shares, overwrote=overwrote)


def hanging(seconds: float) -> Answer:
    """What a call came to that did not return in time."""
    return Answer(said=f"it did not return within {seconds:g} s", kind="hung")


def laid_out(X: NDArray[np.floating], layout: Layout) -> NDArray[np.floating]:
    """A copy of X with the layout in memory that a rounder may meet."""
    if layout == "strided":
        wide = np.zeros((2 * X.shape[0], 2 * X.shape[1]), X.dtype)
        wide[::2, ::2] = X
        return wide[::2, ::2]
    copy = np.array(X, order="F" if layout == "fortran" else "C")
    copy.flags.writeable = layout != "read_only"
    return copy


class TimeUp(BaseException):
    """The time limit; not an Exception, so that a rounder's own `except Exception` does not swallow it."""


@contextmanager
def time_limit(seconds: float | None):
    """Raise `TimeUp` in the body after `seconds`: by a signal, so in the main thread of systems that have SIGALRM.

    Elsewhere, and while compiled code runs, nothing can be interrupted. The signal is repeated, as a bare `except`
    may catch the first; an alarm that was set before is set again.
    """
    if seconds is None or not hasattr(signal, "SIGALRM") or threading.current_thread() is not threading.main_thread():
        yield
        return
    armed = [True]

    def ring(signum, frame):
        if armed:
            raise TimeUp

    start, handler = time.monotonic(), signal.signal(signal.SIGALRM, ring)
    delay, interval = signal.setitimer(signal.ITIMER_REAL, seconds, 0.2)
    try:
        try:
            yield
        finally:
            armed.clear()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        if delay:
            signal.setitimer(signal.ITIMER_REAL, max(1e-3, delay - (time.monotonic() - start)), interval)


def described(error: BaseException) -> str:
    """The type of an error and the first line of its message, whatever its `__str__` does."""
    try:
        text = str(error)
    except Exception:  # the stranger's __str__ may do anything
        text = ""
    first = (text.strip().splitlines() or [""])[0][:LONGEST]
    return f"it raised {type(error).__name__}" + (f": {first}" if first else "")


def _a(name):
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"
