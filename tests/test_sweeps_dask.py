"""A sweep on a cluster of the user's own: the example of the docstring, with two worker processes on this machine."""

import os

import joblib
import pytest

import quipref as q
from quipref.sweeps import records


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    distributed = pytest.importorskip(
        "distributed", reason="distributed (dask) is not installed: pip install quipref[test]"
    )
    folder = tmp_path_factory.mktemp("dask")
    cluster = distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, local_directory=str(folder)
    )
    with cluster, distributed.Client(cluster) as client:
        yield client


@pytest.mark.filterwarnings("default")  # the cluster's own
def test_the_work_is_done_on_the_cluster(client, tmp_path):
    def where(W, H):  # it fails anywhere but on one of the cluster's workers, of which it tells
        from distributed import get_worker

        assert get_worker().name in (0, 1)
        W_hat = W.copy()
        W_hat[0, 0] += os.getpid()
        return W_hat

    asked = {"sizes": [1], "spectra": ["flat"], "seeds": 8, "rows": 1}  # H = 1, so the loss is the square of the pid
    with joblib.parallel_config(backend="dask"):
        found = q.sweep({"where": where, "ldlq": "ldlq"}, folder=tmp_path, **asked)
    assert [record["error"] for record in found] == [None] * 16
    workers = {info["pid"] for info in client.run(lambda: {"pid": os.getpid()}).values()}
    pids = {round(record["measured"] ** 0.5) for record in found if record["method"] == "where"}
    assert pids <= workers
    assert os.getpid() not in pids
    assert len(records.files(tmp_path)) == 16  # this process alone writes
    assert found[8:] == q.sweep("ldlq", jobs=1, **asked)
