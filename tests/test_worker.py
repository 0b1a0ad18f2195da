"""A rounder in an interpreter of its own."""

import functools
import signal
import textwrap

import numpy as np
import pytest

import quipref
from quipref.testing import check_rounder
from quipref.testing.worker import IsolatedCaller, address, ending, located

W, H = quipref.random_layer(2, 4, seed=0)


STRANGER = """
import os, time
import numpy as np

def nearest(W, H):
    print("noise")
    return np.floor(W + 0.5)

def writes(W, H):
    W[:] = 0
    return W

def hangs(W, H):
    while True:
        try:
            time.sleep(1)
        except BaseException:
            pass

def dies(W, H):
    os._exit(7)

def draws(W, H, rng):
    return np.floor(W + np.random.default_rng(rng).random(W.shape))

def refuses(W, H):
    raise np.linalg.LinAlgError("no")

def lingers(W, H):
    import atexit
    atexit.register(time.sleep, 60)
    return W + 1

def listed(W, H):
    return [1]

class Idea:
    rounder = staticmethod(nearest)

number = 3
"""


@pytest.fixture
def stranger(tmp_path, monkeypatch):
    """The name of a module on the path."""
    name = f"stranger_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(textwrap.dedent(STRANGER))
    (tmp_path / f"{name}_ends.py").write_text("import os; os._exit(5)")
    (tmp_path / f"{name}_stops.py").write_text("\n1 / 0")
    (tmp_path / f"{name}_typo.py").write_text("\n\nf(")
    monkeypatch.syspath_prepend(tmp_path)
    return name


def test_an_isolated_rounder(stranger):
    def ask(function, **options):
        caller = IsolatedCaller(f"{stranger}:{function}")
        try:
            return caller.ask(W, H, **options)
        finally:
            caller.close()

    assert np.array_equal(ask("nearest", seconds=30, layout="strided").value, np.floor(W + 0.5))
    written = ask("writes")
    assert (written.changed, written.shares) == (("W",), ("W",))
    assert ask("draws", rng=3).value.shape == W.shape
    first, second = (ask("draws", rng=np.random.default_rng(0)).value for _ in range(2))
    assert np.array_equal(first, second)
    assert (ask("refuses").kind, ask("listed").said) == ("refusal", "it returned a list")
    assert ask("dies").said == "its interpreter ended with exit status 7"
    assert ask("hangs", seconds=0.1).said == "it did not return within 0.1 s"


def test_an_interpreter_is_started_again_after_it_was_killed(stranger):
    caller = IsolatedCaller(f"{stranger}:hangs")
    try:
        assert [caller.ask(W, H, seconds=0.1).kind for _ in range(2)] == ["hung", "hung"]
        assert caller.close() is None
    finally:
        caller.close()


def test_an_interpreter_that_does_not_end_is_ended(stranger, monkeypatch):
    monkeypatch.setattr("quipref.testing.worker.PATIENCE", 0.1)
    caller = IsolatedCaller(f"{stranger}:lingers")
    assert caller.ask(W, H).value is not None
    assert caller.close() == -signal.SIGKILL


def test_checks_of_an_isolated_rounder(stranger):
    report = check_rounder(f"{stranger}:nearest", isolate=True, only=["interface"], max_examples=3)
    assert report.failed == []
    assert report.rounder == f"{stranger}:nearest"
    report = check_rounder(f"{stranger}:Idea.rounder", only=["singular"])
    assert report.passed == ["singular"]


def test_what_cannot_be_imported(stranger, monkeypatch):
    for name, message in [
        ("nothing", "rounder must read MODULE:FUNCTION"),
        ("my_idea.py:f", "without .py, but .* Write my_idea:f"),
        ("no_such_module:f", "it raised ModuleNotFoundError.* Is its folder the current one"),
        (f"{stranger}:nothing", rf"it raised AttributeError.* Is it spelt as in .*{stranger}.py\?"),
        (f"{stranger}_stops:f", rf"it raised ZeroDivisionError.* See .*{stranger}_stops.py:2\."),
        (f"{stranger}_typo:f", rf"it raised SyntaxError.* See .*{stranger}_typo.py:3\."),
        (f"{stranger}:number", "is int"),
    ]:
        for isolate in (False, True):
            with pytest.raises(ValueError, match=message):
                check_rounder(name, isolate=isolate)
    with pytest.raises(ValueError, match="ended the interpreter"):
        check_rounder(f"{stranger}_ends:f", isolate=True)
    monkeypatch.setattr("quipref.testing.worker.START_SECONDS", 0.001)
    with pytest.raises(ValueError, match="rounder must be imported within 0.001 s"):
        check_rounder(f"{stranger}:nearest", isolate=True)


def test_the_signal_that_ended_an_interpreter_is_named():
    assert ending(-signal.SIGSEGV) == "by signal 11, segmentation fault"
    assert ending(0) == "with exit status 0"


def test_addresses():
    assert address(quipref.ldlq) == "quipref.rounding.ldlq:ldlq"
    assert located("quipref.rounding.ldlq:ldlq") is quipref.ldlq
    for rounder in (lambda W, H: W, functools.partial(quipref.ldlq)):
        with pytest.raises(ValueError, match="rounder must be importable for isolate=True"):
            address(rounder)
