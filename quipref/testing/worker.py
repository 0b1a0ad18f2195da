"""A rounder in an interpreter of its own, which is killed when it hangs; nothing but npy bytes passes between the two.

A message is its length in eight bytes, a line of JSON, and the arrays one after the other, read without pickle.
"""

import contextlib
import io
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import traceback
from dataclasses import asdict, replace
from importlib import import_module
from typing import Any

import numpy as np

from quipref.testing.calling import Answer, Caller, Layout, described, hanging, time_limit
from quipref.testing.protocol import Rounder

START_SECONDS = 60.0  # for the imports of a fresh interpreter
PATIENCE = 2.0  # seconds for an interpreter to end when there are no more questions
PROGRAM = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from quipref.testing.worker import serve; serve(sys.argv[2])"
)


def located(name: str) -> Rounder:
    """The function that MODULE:FUNCTION names.

    Parameters
    ----------
    name : str
        For example "my_idea:my_rounder"; the function may be an attribute of a class, "my_idea:Idea.rounder".

    Returns
    -------
    callable

    Raises
    ------
    ValueError
        There is no such module or function in it, or its import fails.

    Examples
    --------
    >>> located("quipref.rounding.ldlq:ldlq").__name__
    'ldlq'
    """
    module, colon, path = name.partition(":")
    if module.endswith(".py"):
        raise ValueError(f"rounder must name a module, without .py, but {name!r} came. Write {module[:-3]}:{path}.")
    if not (module and colon and path):
        raise ValueError(f"rounder must read MODULE:FUNCTION, but {name!r} came. For example my_idea:my_rounder.")
    try:
        found = import_module(module)
        for part in path.split("."):
            found = getattr(found, part)
    except (Exception, SystemExit) as error:  # an import runs a stranger's code
        raise ValueError(
            f"rounder must name a function that can be imported, but for {name!r} {described(error)}. "
            f"{_cause(error, module)}"
        ) from error
    if not callable(found):
        raise ValueError(f"rounder must name a function, but {name!r} is {type(found).__name__}.")
    return found


def _cause(error, module):
    """Where to look for what stopped an import: in the file that raised it, or for the file."""
    if isinstance(error, ModuleNotFoundError) and module.split(".")[0] == error.name:
        return "Is its folder the current one, or on PYTHONPATH?"
    if isinstance(error, AttributeError) and module in sys.modules:
        return f"Is it spelt as in {getattr(sys.modules[module], '__file__', None) or module}?"
    if isinstance(error, SyntaxError) and error.filename:
        return f"See {error.filename}:{error.lineno}."
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"See {last.filename}:{last.lineno}."


def address(rounder: Rounder | str) -> str:
    """MODULE:FUNCTION of a rounder, which another interpreter can import; ValueError for a lambda and the like."""
    if isinstance(rounder, str):
        return rounder
    module, path = getattr(rounder, "__module__", None), getattr(rounder, "__qualname__", "")
    if module in (None, "__main__") or "<" in path or not path:
        raise ValueError(
            f"rounder must be importable for isolate=True, but {rounder!r} is not. Put it into a module and name it "
            "as MODULE:FUNCTION."
        )
    return f"{module}:{path}"


class IsolatedCaller:
    """Asks a rounder in a fresh interpreter, which is started on the first question and again after it was killed."""

    def __init__(self, name: str) -> None:
        self.name, self.process, self.replies = name, None, None

    def ask(self, W, H, *, layout: Layout = "plain", rng=None, seconds=None) -> Answer:
        """What the rounder makes of W and H; a Generator is sent as a seed drawn from it."""
        generator = isinstance(rng, np.random.Generator)
        seed = int(rng.integers(2**63)) if generator else rng
        question = {"layout": layout, "rng": seed, "generator": generator}
        longest = None if seconds is None else START_SECONDS + seconds + PATIENCE
        with time_limit(longest):  # no other alarm may ring between a question and its answer
            try:
                self.start()
                write(self.process.stdin, {"W": W, "H": H}, question)
                arrays, answer = self._reply(seconds)
            except queue.Empty:
                self.process.kill()
                self.close()
                return hanging(seconds)
            except (EOFError, OSError):
                return Answer(said=f"its interpreter ended {ending(self.close())}", kind="error")
        shares, changed = tuple(answer.pop("shares")), tuple(answer.pop("changed"))
        return Answer(arrays.get("value"), shares=shares, changed=changed, **answer)

    def start(self) -> None:
        """Start the interpreter if none runs; ValueError if the rounder cannot be imported there."""
        if self.process is not None:
            return
        command = [sys.executable, "-c", PROGRAM, json.dumps(sys.path), self.name]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.replies = queue.Queue()
        threading.Thread(target=_collect, args=(self.process.stdout, self.replies), daemon=True).start()
        try:
            trouble = self._reply(START_SECONDS)[1]["trouble"]
        except queue.Empty:
            self.process.kill()
            trouble = f"rounder must be imported within {START_SECONDS:g} s, but {self.name!r} was not."
        except EOFError:
            trouble = f"rounder must be importable, but the import of {self.name!r} ended the interpreter."
        if trouble:
            self.close()
            raise ValueError(trouble)

    def close(self) -> int | None:
        """End the interpreter, by force if it does not end by itself; its exit status."""
        process, self.process = self.process, None
        if process is None:
            return None
        with contextlib.suppress(OSError):  # what was to be flushed may have no reader any more
            process.stdin.close()
        try:
            return process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()

    def _reply(self, seconds):
        reply = self.replies.get(timeout=seconds)
        if reply is None:
            raise EOFError
        return reply


def ending(status: int | None) -> str:
    """An exit status in words: which signal ended it, if one did."""
    if status is None or status >= 0:
        return f"with exit status {status}"
    words = signal.strsignal(-status) or "a signal"
    return f"by signal {-status}, {words[:1].lower()}{words[1:]}"


def serve(name: str) -> None:
    """Answer questions on standard input until it ends. What the rounder prints goes nowhere."""
    questions, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    os.dup2(nowhere, 1)
    try:
        caller = Caller(located(name))
    except ValueError as error:
        write(answers, {}, {"trouble": str(error)})
        return
    write(answers, {}, {"trouble": ""})
    while (asked := read(questions)) is not None:
        arrays, question = asked
        rng = np.random.default_rng(question["rng"]) if question["generator"] else question["rng"]
        answer = caller.ask(arrays["W"], arrays["H"], layout=question["layout"], rng=rng)
        values = {} if answer.value is None else {"value": answer.value}
        rest = asdict(replace(answer, value=None))
        rest.pop("value")
        write(answers, values, rest)


def write(stream, arrays: dict[str, np.ndarray], rest: dict[str, Any]) -> None:
    """Send a message."""
    content = io.BytesIO()
    content.write(json.dumps({"names": list(arrays), "rest": rest}).encode() + b"\n")
    for array in arrays.values():
        np.save(content, array, allow_pickle=False)
    stream.write(len(content.getvalue()).to_bytes(8, "little") + content.getvalue())
    stream.flush()


def read(stream) -> tuple[dict[str, np.ndarray], dict[str, Any]] | None:
    """The next message, as (arrays, rest); None at the end of the stream."""
    length = stream.read(8)
    content = stream.read(int.from_bytes(length, "little")) if len(length) == 8 else b""
    if not content or len(content) != int.from_bytes(length, "little"):
        return None
    parts = io.BytesIO(content)
    head = json.loads(parts.readline())
    return {name: np.load(parts, allow_pickle=False) for name in head["names"]}, head["rest"]


def _collect(stream, replies):
    """Put every message of the stream into the queue, and None at its end; a thread of its own can wait for ever."""
    with stream:
        reply = read(stream)
        while reply is not None:
            replies.put(reply)
            reply = read(stream)
    replies.put(None)
