"""Sweeps of rounders that hang, or end the process that they run in."""

import os
import time

import pytest
from voice import says

import quipref as q

SMALL = {"sizes": [4, 8], "spectra": ["power", "dead"], "seeds": 2, "rows": 2, "jobs": 1}  # eight layers


def hangs_on_eight(W, H):
    while W.shape[1] == 8:
        time.sleep(0.01)
    return W


def ends(W, H):
    os._exit(3)


class TestTimeLimit:
    @pytest.mark.parametrize("jobs", [1, 2])
    def test_a_rounder_that_hangs_does_not_stop_the_sweep(self, jobs):
        found = q.sweep([hangs_on_eight, "ldlq"], time_limit=0.2, **SMALL | {"jobs": jobs})
        assert [(r["n"], r["error"], r["time_limit"]) for r in found[:8]] == 2 * (
            2 * [(4, None, None)] + 2 * [(8, "hung: no result within 0.2 s", 0.2)]
        )
        assert found[8:] == q.sweep("ldlq", **SMALL)

    def test_what_hung_is_asked_again_when_there_is_more_time(self, tmp_path):
        seconds = []

        def rounder(W, H):
            seconds.append(W.shape[1])
            time.sleep(0.3 if W.shape[1] == 8 else 0)
            return W

        for limit, hung, asked in ((0.1, 4, 8), (0.1, 4, 8), (0.05, 4, 8), (None, 0, 12), (0.1, 0, 12)):
            found = q.sweep({"mine": rounder}, folder=tmp_path, time_limit=limit, **SMALL)
            assert sum(record["error"] is not None for record in found) == hung
            assert len(seconds) == asked
            assert found == q.sweep({"mine": rounder}, folder=tmp_path, time_limit=limit, **SMALL)

    def test_a_process_that_ends_is_told(self, tmp_path):
        with says(ChildProcessError, "methods must return or raise, but one ended the process", "--isolate"):
            q.sweep({"mine": ends}, folder=tmp_path, **SMALL | {"jobs": 2})
