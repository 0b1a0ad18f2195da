"""What stands between the checks and a stranger's code: tags, calls, time limits."""

import functools
import signal
import threading
import time

import numpy as np
import pytest
import quantizers

import quipref
from quipref.testing import QuantizerTags, Tags, protocol, tags
from quipref.testing.calling import Answer, Caller, TimeUp, described, laid_out, time_limit
from quipref.testing.checks.registry import CheckFailed, Hung, NoAnswer, Refused, checks_of
from quipref.testing.guard import Guarded, GuardedQuantizer, Watched, is_singular
from quipref.testing.worker import address

W, H = quipref.random_layer(2, 4, seed=0)


def nearest(W, H):
    return np.floor(W + 0.5)


# --- tags ---


@pytest.mark.parametrize(
    ("facts", "error", "message"),
    [
        ({"random": 1}, TypeError, "random must be True or False"),
        ({"uses_hessian": "no"}, TypeError, "uses_hessian must be True or False"),
        ({"block": 0}, ValueError, "block must be at least 1"),
        ({"grid": 4}, TypeError, "grid must be a Quantizer, 'fitted' or None"),
        ({"grid": quantizers.Doubled()}, ValueError, "block must be a multiple of grid.block, 8, but 1 came"),
        ({"grid": quipref.UniformGrid.fit(np.eye(3), 2)}, ValueError, "grid must have one step for all rows"),
        ({"promises": "worst_case"}, TypeError, "promises must be a tuple of names"),
        ({"promises": ["fast"]}, ValueError, "promises must be one of 'worst_case', .* but 'fast' came"),
        ({"colour": "red"}, TypeError, "tags must be among grid, random, .*, but 'colour' came"),
    ],
)
def test_bad_tags(facts, error, message):
    with pytest.raises(error, match=message):
        tags(**facts)


def test_tags_are_carried_or_given():
    marked = tags(block=2)(nearest)
    assert protocol.tags_of(marked).block == 2
    assert protocol.tags_of(marked, Tags()).block == 1
    assert protocol.tags_of(nearest) == Tags()  # the function itself promises nothing
    assert protocol.name_of(marked) == "nearest" and address(marked) == address(nearest)
    assert protocol.name_of(tags(block=2)(functools.partial(marked, H=None))) == "nearest"
    assert np.array_equal(marked(W, H=H), nearest(W, H))
    assert Tags(grid=quipref.UniformGrid(np.array([[0.25]], np.float16), 2)).unit == 0.25
    assert Tags(grid="fitted").quantizer is None


def test_every_bound_can_be_promised():
    assert tuple(check.name for check in checks_of(("theory",))) == protocol.PROMISES


def test_names():
    assert protocol.name_of(functools.partial(nearest, H=None)) == "nearest"
    assert protocol.name_of("a:b") == "a:b"
    assert protocol.name_of(Caller(nearest)) == "Caller"


# --- calls ---


def test_a_rounder_gets_copies():
    given = []
    Caller(lambda W, H: given.extend([W, H]) or W + 1).ask(W, H)
    assert not any(np.shares_memory(mine, theirs) for mine in (W, H) for theirs in given)


@pytest.mark.parametrize("layout", ["plain", "fortran", "strided", "read_only"])
def test_layouts(layout):
    X = laid_out(W, layout)
    assert np.array_equal(X, W)
    flags = X.flags.c_contiguous, X.flags.f_contiguous, X.flags.writeable
    assert flags == {
        "plain": (True, False, True), "fortran": (False, True, True), "strided": (False, False, True),
        "read_only": (True, False, False),
    }[layout]  # fmt: skip


def test_what_is_raised_is_described_whatever_it_is():
    class NastyError(Exception):
        def __str__(self):
            raise RuntimeError

    assert described(NastyError()) == "it raised NastyError"
    assert len(described(ValueError("x" * 10_000))) < 400
    assert described(KeyError("a")) == "it raised KeyError: 'a'"

    def interrupted(W, H):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Caller(interrupted).ask(W, H)


def test_verdicts_of_the_guard():
    def guarded(rounder, **facts):
        return Guarded(Caller(rounder), Tags(**facts))

    def refuses(W, H):
        raise np.linalg.LinAlgError("singular")

    with pytest.raises(Refused, match="it raised LinAlgError: singular"):
        guarded(refuses)(W, np.zeros((4, 4)))
    with pytest.raises(CheckFailed, match="it is tagged as handling"):
        guarded(refuses, handles_singular=True)(W, np.zeros((4, 4)))
    with pytest.raises(CheckFailed, match="it raised LinAlgError"):
        guarded(refuses)(W, H)
    with pytest.raises(CheckFailed, match="but it returned an object"):
        guarded(lambda W, H: object())(W, H)
    with pytest.raises(CheckFailed, match=r"it returned float64 of shape \(2, 3\)"):
        guarded(lambda W, H: W[:, 1:])(W, H)
    with pytest.raises(CheckFailed, match="8 of its 8 entries are NaN"):
        guarded(lambda W, H: W * np.nan)(W, H)
    assert guarded(lambda W, H, rng: W + rng, random=True)(W, H, rng=3)[0, 0] == W[0, 0] + 3
    assert guarded(lambda W, H, rng: W + rng, random=True)(W, H)[0, 0] == W[0, 0]


def test_singular_by_dtype():
    H = np.diag([1.0, 1e-9])
    assert not is_singular(H)
    assert is_singular(H.astype(np.float32))
    assert is_singular(np.ones((2, 2)))


def test_a_quantizer_behind_the_guard():
    class Quantizer(quantizers.Plain):
        bits = None

        def __init__(self, quantize=None, decode=None):
            self.quantize, self.decode = quantize, decode

    T, codes = np.zeros((2, 1)), np.zeros((2, 1), int)

    def quantized(came, **facts):
        return GuardedQuantizer(Quantizer(quantize=lambda T, *rng: came), QuantizerTags(**facts)).quantize(T)

    assert quantized((codes, T), random=True)[1].shape == (2, 1)
    for came, message in [
        (T, r"quantize must return \(codes, T_hat\), but it returned ndarray"),
        ((T, T), "codes must be integers, .* an array of shape"),
        ((codes, [0]), "T_hat must be a real float array of shape .*, but list came"),
        ((codes, T + np.nan), "T_hat must be finite"),
    ]:
        with pytest.raises(CheckFailed, match=message):
            quantized(came)

    def decoded(decode):
        return GuardedQuantizer(Quantizer(decode=decode), QuantizerTags(), time_limit=0.02).decode(codes)

    assert decoded(lambda codes: codes + 0.5)[0, 0] == 0.5
    with pytest.raises(CheckFailed, match="it raised ZeroDivisionError"):
        decoded(lambda codes: 1 // 0)
    with pytest.raises(Hung, match="did not return within 0.08 s"):
        decoded(lambda codes: time.sleep(5))
    with pytest.raises(KeyboardInterrupt):
        decoded(lambda codes: (_ for _ in ()).throw(KeyboardInterrupt))


# --- the time limit ---


def test_a_time_limit_ends_what_swallows_exceptions():
    with pytest.raises(TimeUp), time_limit(0.05):
        while True:
            try:
                time.sleep(1)
            except Exception:  # noqa: S112
                continue


def test_an_alarm_of_somebody_else_is_kept():
    rung = []
    before = signal.signal(signal.SIGALRM, lambda *_: rung.append(True))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        with time_limit(5):
            pass
        assert signal.getitimer(signal.ITIMER_REAL)[0] > 0
        time.sleep(0.3)
        assert rung
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_no_time_limit_in_other_threads():
    done = []

    def work():
        with time_limit(0.01):
            time.sleep(0.05)
        done.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done


def test_the_first_call_of_each_layout_and_dtype_may_compile():
    asked, answers = [], [Answer(W)] * 5 + [Answer(said="it did not return", kind="hung")]

    class Recorder:
        def ask(self, W, H, *, layout, rng, seconds):
            asked.append(seconds)
            return answers[len(asked) - 1]

    rounder = Guarded(Recorder(), Tags(), time_limit=1.0)
    for layout, dtype in 2 * [("plain", "f8")] + 2 * [("fortran", "f8")] + [("plain", "f4")]:
        rounder(W.astype(dtype), H, layout=layout)
    for layout in ("plain", "strided"):  # and is not asked again then
        with pytest.raises(Hung):
            rounder(W, H, layout=layout)
    assert asked == [4, 1, 4, 1, 4, 1]


def test_a_random_rounder_that_takes_no_rng_is_told_so():
    with pytest.raises(NoAnswer, match="by random=True it takes rng"):
        Guarded(Caller(lambda W, H: W), Tags(random=True))(W, H)


def test_an_alarm_of_the_whole_check_is_a_hang_only_where_the_call_too_is_late():
    def rings():
        raise TimeUp

    watched = Watched()
    with pytest.raises(TimeUp):
        watched.within(60.0, rings, "layer")
    assert watched.hung is None
    for _ in range(2):
        with pytest.raises(Hung, match="did not return within 0 s"):
            watched.within(0.0, rings, "layer")
    assert watched.hung.layer == "layer"
