"""Pieces of work on several threads: all of them, in order, and none after an error."""

import signal
import threading

import pytest

from quipref.threads import in_pieces


@pytest.mark.parametrize("threads", [1, 2, 3, None])
@pytest.mark.parametrize(("total", "piece"), [(0, 3), (1, 3), (7, 3), (1000, 1)])
def test_results_come_in_order(total, piece, threads):
    found = in_pieces(total, piece, lambda first, last: (first, last), threads)
    assert found == [(first, min(first + piece, total)) for first in range(0, total, piece)]


@pytest.mark.parametrize("failing", [0, 5])
@pytest.mark.parametrize("threads", [1, 2])
def test_an_error_comes_through_and_leaves_what_is_not_begun(failing, threads):
    begun = []

    def task(first, last):
        begun.append(first)
        if first == failing:
            raise IndexError(f"piece {first}")
        threading.Event().wait(0.01)

    with pytest.raises(IndexError, match=f"piece {failing}"):
        in_pieces(10_000, 1, task, threads)
    assert len(begun) < 100


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="no signals for threads here")
def test_control_c_leaves_what_is_not_begun(request):
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background inherits 'ignore'
    request.addfinalizer(lambda: signal.signal(signal.SIGINT, before))
    begun, main = [], threading.main_thread().ident

    def task(first, last):
        begun.append(first)
        if first == 10:
            signal.pthread_kill(main, signal.SIGINT)
        threading.Event().wait(0.01)

    with pytest.raises(KeyboardInterrupt):
        in_pieces(10_000, 1, task, 2)
    assert len(begun) < 1000
