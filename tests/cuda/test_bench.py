"""`quipref bench --cuda` on what there is: every code is right, a wrong one is found; no times of the simulator."""

import json

import numpy as np
import pytest

from quipref import cli, device_bench, device_checks, device_codes
from quipref.cuda.vocabulary import SIMULATED


@pytest.mark.parametrize(("bits", "codes"), [(2, "1mad,lut,quip#"), (3, "quip#,hyb"), (4, "quip#,hyb")])
def test_every_code_is_right(bits, codes, capsys):
    shape = "16x64" if SIMULATED else "1024x2048"
    status = cli.main(["bench", "--cuda", "--codes", codes, "--bits", str(bits), "--json", "--shapes", shape])
    found = json.loads(capsys.readouterr().out)
    assert status == 0
    assert {check["code"] for check in found["checks"]} == set(codes.split(","))
    assert all(check["passed"] for check in found["checks"])
    assert (found["rows"] == []) == SIMULATED
    assert ("simulated: no speed is claimed" in found["notes"]) == SIMULATED


@pytest.mark.parametrize("bits", [1, 8])
def test_all_bits_that_a_layer_can_have(bits, capsys):
    assert cli.main(["bench", "--cuda", "--codes", "3inst,hyb", "--bits", str(bits)]) == 0
    assert ("8 bits: the fast kernel takes 1, 2 or 4" in capsys.readouterr().out) == (bits == 8)


def test_a_wrong_weight_and_an_error_are_found(monkeypatch):
    def wrong(self, kernel, X, Y):
        if kernel == "fast":
            raise LookupError("no such\n instruction")
        right(self, kernel, X, Y)
        y = Y.copy_to_host()
        y[-1, -1] += np.float32(0.001)
        Y.copy_to_device(y)

    right = device_codes.Walks.multiply_with
    monkeypatch.setattr(device_codes.Walks, "multiply_with", wrong)
    monkeypatch.setattr(device_codes.Walks, "decode", lambda self, out: out.copy_to_device(np.full(out.shape, np.nan)))
    found = device_bench.run((), ["mcg"])
    assert [(check["kernel"], check["passed"]) for check in found["checks"]] == [
        ("decode", False), ("teaching", False), ("fast", False),
    ]  # fmt: skip
    decode, teaching, fast = found["checks"]
    assert decode["off"] is None
    assert teaching["off"] == pytest.approx(0.001, rel=1e-2)
    assert fast["error"] == "LookupError: no such instruction"


def test_too_little_memory_is_no_wrong_result():
    def task():
        raise MemoryError("W must fit")

    with pytest.raises(MemoryError, match="must fit"):
        device_checks.compared("decode", task, np.zeros(1), 0.0)
