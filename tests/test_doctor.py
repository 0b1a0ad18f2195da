"""What the doctor says where something is wrong."""

import subprocess

from quipref import backend, data, doctor


def test_missing_package():
    assert doctor._version("no-such-package-here") == "not installed"


def test_damaged_data(world):
    assert "3 files, every SHA-256 as it should be" in doctor.facts()["data"]
    (world / "evaluation.txt").write_bytes(b"changed")
    data._checked.cache_clear()
    assert "it was cut short or changed" in doctor.facts()["data"]


def test_a_compile_cache_that_cannot_be_used(monkeypatch):
    import warnings

    def twin(name):
        warnings.warn("No folder for compiled code is writable", RuntimeWarning, stacklevel=1)
        return type("Kernel", (), {"stats": None})

    monkeypatch.setattr(backend, "twin", twin)
    assert doctor._compile_cache() == "No folder for compiled code is writable"


def test_the_compiler_switched_off(monkeypatch):
    monkeypatch.setattr(backend, "twin", lambda name: len)
    assert "NUMBA_DISABLE_JIT" in doctor._compile_cache()


def test_where_the_compiled_code_is(monkeypatch):
    stats = type("Stats", (), {"cache_path": "folder"})
    monkeypatch.setattr(backend, "twin", lambda name: type("Kernel", (), {"stats": stats}))
    assert doctor._compile_cache() == "folder"


def test_gpu(monkeypatch):
    monkeypatch.setattr(doctor.shutil, "which", lambda name: None)
    assert doctor._gpu() == "none found (no nvidia-smi)"
    monkeypatch.setattr(doctor.shutil, "which", lambda name: name)

    def answer(*arguments, **options):
        return subprocess.CompletedProcess(arguments, 0, stdout="Card A, 1.0\nCard B, 1.0\n")

    monkeypatch.setattr(doctor.subprocess, "run", answer)
    assert doctor._gpu() == "Card A, 1.0; Card B, 1.0"

    def failure(*arguments, **options):
        raise subprocess.TimeoutExpired("nvidia-smi", 20)

    monkeypatch.setattr(doctor.subprocess, "run", failure)
    assert doctor._gpu().startswith("nvidia-smi fails: ")


def test_where_kernels_for_a_gpu_run(monkeypatch):
    facts = {"device": "H0", "simulated": False, "capability": "9.0"}
    monkeypatch.setattr(backend, "cuda_twin", {"require_cuda": lambda: None, "device_facts": lambda: facts}.__getitem__)
    assert doctor._cuda() == "on H0, compute capability 9.0"
    facts["simulated"] = True
    assert doctor._cuda() == "on Numba's simulator (NUMBA_ENABLE_CUDASIM)"

    def nothing():
        raise RuntimeError("A CUDA device must be there,\n but the driver knows of none.")

    monkeypatch.setattr(backend, "cuda_twin", lambda name: nothing)
    assert doctor._cuda() == "none can run: A CUDA device must be there, but the driver knows of none."


def test_packages_for_a_gpu(monkeypatch):
    there = {"cupy-cuda12x": "13.4", "numba-cuda": "0.30"}
    monkeypatch.setattr(doctor, "_version", lambda name: there.get(name, doctor.MISSING))
    facts = doctor.facts()
    assert [facts[name] for name in ("numba-cuda", "cupy", "torch")] == ["0.30", "13.4", "not installed"]
