"""The door to the compiled twins, and the rows that it hands to threads."""

import os
import threading

import pytest
from voice import says

from quipref import backend


def test_a_twin_has_the_name_that_was_asked_for():
    assert backend.twin("round_columns").__name__ == "round_columns"
    assert backend.twin("round_columns") is backend.twin("round_columns")


def test_an_unknown_twin_is_refused():
    with says(ValueError, "name must be one of 'best_steps', ", "but 'viterby' came."):
        backend.twin("viterby")


def test_a_cuda_twin_has_the_name_that_was_asked_for():
    assert backend.cuda_twin("require_cuda").__name__ == "require_cuda"
    with says(ValueError, "name must be one of 'Device', ", "but 'butterflies' came."):
        backend.cuda_twin("butterflies")


def test_compiled():
    assert backend.compiled("numba") is True
    assert backend.compiled("numpy") is False
    with says(ValueError, "backend must be one of 'numba', 'numpy', but 'cuda' came."):
        backend.compiled("cuda")


def test_threads_default_to_the_cores_of_this_process(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 4, 5}, raising=False)
    assert backend.thread_count(None) == 3
    assert backend.thread_count(7) == 7


@pytest.mark.parametrize(("threads", "error", "said"), [(0, ValueError, "at least 1"), (1.5, TypeError, "an integer")])
def test_bad_thread_counts_are_refused(threads, error, said):
    with says(error, f"threads must be {said}, but {threads}"):
        backend.thread_count(threads)


@pytest.mark.parametrize("threads", [1, 2, 3, 16])
@pytest.mark.parametrize("m", [0, 1, 63, 64, 65, 128, 130, 1000])
def test_rows_are_handed_out_once_in_whole_vectors(m, threads):
    pieces = []
    backend.over_rows(m, threads, lambda first, last: pieces.append((first, last)))
    pieces.sort()
    assert [row for first, last in pieces for row in range(first, last)] == list(range(m))
    assert len(pieces) <= threads
    assert all(first % backend.ROWS_A_TASK == 0 and first < last for first, last in pieces)
    assert len(pieces) < 2 or max(last - first for first, last in pieces) < m


def test_pieces_may_be_small():
    pieces = []
    backend.over_rows(10, 1, lambda first, last: pieces.append((first, last)), 4)
    assert pieces == [(0, 4), (4, 8), (8, 10)]


def test_one_piece_runs_in_this_thread_and_several_run_at_once():
    seen = []
    backend.over_rows(64, 4, lambda first, last: seen.append(threading.current_thread()))
    assert seen == [threading.current_thread()]
    meeting = threading.Barrier(2, timeout=30)  # breaks unless two tasks stand here together
    backend.over_rows(128, 2, lambda first, last: meeting.wait())
    assert not meeting.broken


def test_an_error_in_a_thread_reaches_the_caller():
    def task(first, last):
        if first:
            raise ZeroDivisionError("row 64")

    with says(ZeroDivisionError, "row 64"):
        backend.over_rows(128, 2, task)
