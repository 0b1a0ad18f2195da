"""What is measured on a device and how it is told, played without one: turns, medians, tables, JSON and refusals."""

import json
import sys
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
from voice import says

from quipref import cli, device_bench
from quipref.cuda import presence


class TestTimes:
    def test_tasks_take_turns_and_the_median_counts(self):
        asked, spans = [], iter([0.01, 0.5, 0.2, 0.9, 0.1, 0.3])

        def seconds_each(launches):
            asked.append([launch() for launch in launches])
            return next(spans), 1e-6 * len(asked)

        found = device_bench.timed([lambda: "a", lambda: "b"], seconds_each)
        turns = int(device_bench.SPAN_SECONDS / (2 * 0.01))
        assert asked == [["a", "b"], *[["a", "b"] * turns] * device_bench.SPANS]
        assert found == (0.3, pytest.approx(4e-6))

    @pytest.mark.parametrize(
        ("first", "tasks", "launches"), [(1e-9, 3, 399), (0.0, 64, 384), (5.0, 3, 3), (1e-6, 500, 500)]
    )
    def test_a_span_is_one_turn_at_least_and_never_more_than_can_wait(self, first, tasks, launches):
        asked = []

        def seconds_each(some):
            asked.append(len(some))
            return first, 0.0

        device_bench.timed([int] * tasks, seconds_each)
        assert asked == [tasks, *[launches] * device_bench.SPANS]

    def test_matrices_in_rotation_are_more_than_a_cache_holds(self):
        for nbytes in (2**24, 2**26 // 4 * 3, 2**28, 2**32):
            count = device_bench.in_rotation(nbytes)
            assert count >= 2
            assert count * nbytes >= device_bench.ROTATED
        assert device_bench.in_rotation(1) == device_bench.MOST_MATRICES


class FakeDevice:
    """A device whose arrays are NumPy's, with so many bytes of memory."""

    def __init__(self, number=None, free=2**40):
        self.free = free

    def current(self):
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def check_room(self, nbytes, name, advice):
        if nbytes > self.free:
            raise MemoryError(f"{name} must fit. {advice}")

    put = staticmethod(np.array)

    def empty(self, shape):
        return np.empty(shape, np.float32)


class FakeMatrix:
    """A quarter of a byte a weight; what is asked of it is written down."""

    def __init__(self, shape, asked, seed):
        self.nbytes, self.asked, self.seed = shape[0] * shape[1] // 4, asked, seed

    def decode(self, out):
        self.asked.append(("decode", self.seed))

    def multiply_with(self, kernel, X, Y):
        self.asked.append((kernel, self.seed))


@pytest.fixture
def played(monkeypatch):
    """A device on which every launch takes 2 us, 1 us to ask for; what was asked of it."""
    asked = []

    def matrix(device, code, bits, shape, seed):
        return None, None, FakeMatrix(shape, asked, seed)

    def check(device, code, bits, shape, batch):
        about = {"code": code, "bits": bits, "shape": list(shape), "batch": batch}
        about["not_fast"] = "3 bits: the fast kernel takes 1, 2 or 4" if bits == 3 else ""
        record = about | {"passed": True, "off": 0.0, "allowed": 1e-5, "error": None}
        fast = {"kernel": "fast", "passed": code != "hyb", "error": None if code != "hyb" else "LookupError: mma"}
        fast["off"] = 0.0 if code != "hyb" else None
        return [record | {"kernel": "decode"}, record | {"kernel": "teaching"}, record | fast]

    def seconds_each(launches):
        for launch in launches:
            launch()
        return 2e-6, 1e-6

    twins = {
        "Device": FakeDevice,
        "device_facts": lambda: {"device": "H0", "simulated": False},
        "seconds_each": seconds_each,
        "copy_to": lambda there, here: asked.append(("copy", here.nbytes)),
        "require_cuda": lambda: None,
    }
    for module in (device_bench, sys.modules["quipref.backend"]):
        monkeypatch.setattr(module, "cuda_twin", twins.__getitem__)
    monkeypatch.setattr(device_bench, "matrix", matrix)
    monkeypatch.setattr(device_bench, "check", check)
    monkeypatch.setattr(device_bench, "ROTATED", 2**12)
    monkeypatch.setattr(device_bench, "LIBRARIES", {})
    return asked


def library(*, available=True, **names):
    product = names.pop("matmul", np.matmul)
    return SimpleNamespace(cuda=SimpleNamespace(is_available=lambda: available), matmul=product, **names)


class TestRun:
    def test_rows_and_rates(self, played, monkeypatch):
        asked, launched = [], []

        def matmul(W, x, out):
            launched.append(W.shape)
            np.matmul(W, x, out=out)

        monkeypatch.setitem(sys.modules, "some_arrays", library(as_tensor=lambda a, device: a, matmul=matmul))
        monkeypatch.setattr(device_bench, "LIBRARIES", {"no_such_arrays": "None", "some_arrays": "Some"})
        shape = (32, 64)
        found = device_bench.run([shape], ["1mad", "hyb"], step=lambda *told: asked.append(told))
        assert asked == [
            ("1mad 512x1040", 0, 4), ("hyb 512x1040", 1, 4), ("1mad 32x64", 2, 4), ("hyb 32x64", 3, 4), ("done", 4, 4),
        ]  # fmt: skip
        assert [(row["code"], row["kernel"]) for row in found["rows"]] == [
            ("float16", "cuBLAS"), ("1mad", "decode"), ("1mad", "teaching"), ("1mad", "fast"),
            ("hyb", "decode"), ("hyb", "teaching"),
        ]  # fmt: skip
        half, decode, teaching, *_ = found["rows"]
        assert (half["bytes"], half["matrices"]) == (2 * (32 * 64 + 32 + 64), 2)
        assert set(launched) == {shape}
        assert decode["bytes"] == 32 * 64 // 4 + 4 * 32 * 64
        assert (teaching["bytes"], teaching["matrices"]) == (32 * 64 // 4 + 4 * (32 + 64), 8)
        assert teaching["bytes_per_second"] == teaching["bytes"] / 2e-6
        assert found["copy_bytes_per_second"] == 2 * 2**12 / 2e-6
        assert teaching["copy_share"] == pytest.approx(teaching["bytes"] / 2**13)
        assert [row["times_fp16"] for row in found["rows"]] == [1.0, None, 1.0, 1.0, None, 1.0]
        assert found["half_precision_by"] == "Some"
        assert found["notes"] == []
        in_turn = [seed for kernel, seed in played if kernel == "fast"]
        assert in_turn == [0, *list(range(8)) * (len(in_turn) // 8)]

    def test_what_it_says(self, played):
        text = device_bench.show(device_bench.run([(32, 64)], ["1mad", "hyb"]))
        lines = text.splitlines()
        assert lines[:2] == [
            "H0; 2 bits a weight; vectors: 1",
            "a copy in its memory: 4 GB/s, read and written",
        ]
        assert "fast of hyb: LookupError: mma" in lines
        cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if line.startswith("| ")]
        assert ["1mad", "32x64", "fast", "right", "0.0e+00", "1.0e-05"] in cells
        assert ["hyb", "32x64", "fast", "WRONG", "-", "1.0e-05"] in cells
        assert ["1mad", "32x64", "teaching", "0.0", "2.0", "0", "11%", "1"] in cells  # the empty column is left out
        assert lines[-1] == "no cuBLAS: neither CuPy nor torch is there with a device"

    def test_it_says_why_there_is_no_fast_row(self, played):
        text = device_bench.show(device_bench.run([(32, 64)], ["1mad"], 3))
        assert text.count("1mad has no fast row (3 bits: the fast kernel takes 1, 2 or 4)\n") == 1

    def test_too_little_memory_is_a_note(self, played, monkeypatch):
        monkeypatch.setattr(device_bench, "half_library", lambda: SimpleNamespace(name="Some", put=np.array))
        monkeypatch.setattr(FakeDevice, "__init__", lambda self, number: setattr(self, "free", 5000))
        found = device_bench.run([(32, 64)], ["1mad"])
        assert found["notes"] == [
            "a copy must fit. Without it no share of its speed is told.",
            "2 matrices 32x64 in half precision must fit. Pass smaller --shapes.",
            "decoded 32x64 must fit. Pass smaller --shapes.",
        ]
        assert found["rows"] == []
        assert "GB/s" not in device_bench.show(found)

    def test_cupy_before_torch_and_only_with_a_device(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "cupy", library(asarray="put"))
        monkeypatch.setitem(sys.modules, "torch", library(as_tensor=partial(dict, by="torch")))
        assert (device_bench.half_library().name, device_bench.half_library().put) == ("CuPy", "put")
        monkeypatch.setitem(sys.modules, "cupy", library(available=False))
        assert device_bench.half_library().name == "torch"
        assert device_bench.half_library().put() == {"by": "torch", "device": "cuda"}
        monkeypatch.setitem(sys.modules, "torch", None)
        assert device_bench.half_library() is None

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (([(16, 24)], ["1mad"], 2, 1, False), "--shapes must be whole tiles, multiples of 16, but 16x24 came."),
            (([(0, 16)], ["1mad"], 2, 1, False), "but 0x16 came."),
            (([(64, 80)], ["1mad"], 2, 1, True), "--shapes must have at most 4096 weights on the simulator"),
            ((None, ["2mat"], 2, 1, True), "--codes must be one of '1mad', "),
            ((None, ["1mad"], 9, 1, True), "--bits must be from 1 to 8, but 9 came."),
            (
                (None, ["1mad", "quip#"], 1, 1, True),
                "--bits must be from 2 to 4 for quip#, but 1 came. Leave quip# out.",
            ),
            ((None, ["quip#"], 5, 1, True), "--bits must be from 2 to 4 for quip#, but 5 came."),
            ((None, ["1mad"], 2, 9, True), "--batch must be from 1 to 8, but 9 came."),
        ],
    )
    def test_refusals(self, arguments, words):
        with says(ValueError, words):
            device_bench.arguments(*arguments)

    def test_usual_shapes(self):
        small = device_bench.SMALL
        assert device_bench.arguments(None, ["1mad"], 8, 1, False)[:2] == (small, ((8192, 8192), (16384, 53248)))
        assert device_bench.arguments(None, ["1mad"], 2, 1, True) == (device_bench.SMALL_SIMULATED, (), ["1mad"], [])

    def test_usual_codes_are_those_that_have_so_many_bits(self):
        all_codes = list(device_bench.CODES)
        assert device_bench.arguments(None, None, 2, 1, True)[2:] == (all_codes, [])
        for bits in (1, 5, 8):
            *others, notes = device_bench.arguments(None, None, bits, 1, True)[2:]
            assert others == [[code for code in all_codes if code != "quip#"]]
            assert notes == [f"quip# is left out: it has no {bits} bits"]


class TestCommand:
    @pytest.fixture
    def call(self, capsys):
        def call(*arguments):
            status = cli.main(["bench", *arguments])
            return status, *capsys.readouterr()

        return call

    def test_json(self, played, call):
        status, out, err = call("--cuda", "--json", "--shapes", "32x64,16x32", "64x16", "--codes", "1mad,mul1")
        content = json.loads(out)
        assert status == 0
        assert {tuple(row["shape"]) for row in content["rows"]} == {(32, 64), (16, 32), (64, 16)}
        assert (content["device"], content["bits"], content["batch"]) == ("H0", 2, 1)
        assert "mul1 64x16" in err

    def test_a_wrong_kernel_is_an_error(self, played, call):
        assert call("--cuda", "--shapes", "16x16", "--codes", "1mad")[0] == 0
        status, out, _ = call("--cuda", "--shapes", "16x16", "--codes", "hyb")
        assert status == 1
        assert "WRONG" in out

    def test_without_cuda_it_says_what_there_is(self, call):
        status, out, err = call()
        assert (status, out) == (1, "")
        assert err.startswith("quipref: bench must be told what to time: --cuda")
        assert "`make bench`" in err

    def test_without_a_device_it_says_what_is_missing(self, call, monkeypatch):
        monkeypatch.setattr(presence, "config", SimpleNamespace(ENABLE_CUDASIM=0))
        monkeypatch.setattr(presence, "find_spec", lambda name: None)
        status, out, err = call("--cuda")
        assert (status, out) == (1, "")
        assert err.startswith(
            'quipref: numba-cuda must be installed for a GPU, but it is not. Install it: pip install "q'
        )
        assert "NUMBA_ENABLE_CUDASIM=1" in err

    @pytest.mark.parametrize("shape", ["8192", "ax3", "16x16x16", "-16x16"])
    def test_shapes_that_are_none(self, call, shape):
        status, out, err = call("--cuda", f"--shapes={shape}")
        assert (status, out, err) == (1, "", f"quipref: --shapes must read like 8192x8192, but {shape!r} came.\n")

    def test_an_interruption(self, played, call, monkeypatch):
        def interrupted(*arguments):
            raise KeyboardInterrupt

        monkeypatch.setattr(device_bench, "check", interrupted)
        status, out, err = call("--cuda")
        assert (status, out) == (130, "")
        assert "interrupted" in err
