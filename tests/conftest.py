"""What every test shares: Hypothesis profiles, a backend for pictures, and the folder of golden vectors."""

import os
from pathlib import Path

os.environ["MPLBACKEND"] = "Agg"  # before anything imports matplotlib: no window, no display

import pytest
from hypothesis import settings

# The first call of a compiled function takes seconds: no deadline anywhere. A failure prints the line that repeats it.
settings.register_profile("default", deadline=None, print_blob=True)
settings.register_profile("ci", deadline=None, print_blob=True, derandomize=True)
settings.register_profile("small", deadline=None, print_blob=True, derandomize=True, max_examples=8)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "default"))

GOLDEN_REQUIRED = bool(os.environ.get("QUIPREF_GOLDEN_REQUIRED"))


@pytest.fixture(scope="session")
def golden():
    """The folder of golden vectors that QUIPREF_GOLDEN names; without the variable the test skips."""
    named = os.environ.get("QUIPREF_GOLDEN")
    if named and Path(named).is_dir():
        return Path(named)
    if named:
        pytest.fail(f"QUIPREF_GOLDEN must name a folder, but {named!r} is none. Correct it or unset it.")
    if GOLDEN_REQUIRED:
        pytest.fail(
            "QUIPREF_GOLDEN_REQUIRED is set, but QUIPREF_GOLDEN is not. Set it to the folder of golden vectors."
        )
    pytest.skip("QUIPREF_GOLDEN names no folder of golden vectors")


def _is_golden(item):
    return "golden" in getattr(item, "fixturenames", ()) or "golden" in item.path.parts


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """With QUIPREF_GOLDEN_REQUIRED a golden test that skips, for whatever reason, has failed."""
    report = yield
    if GOLDEN_REQUIRED and report.skipped and not hasattr(report, "wasxfail") and _is_golden(item):
        report.outcome = "failed"
        report.longrepr = f"a golden test may not skip while QUIPREF_GOLDEN_REQUIRED is set: {report.longrepr}"
    return report


@pytest.fixture
def world(tmp_path, monkeypatch):
    """The folder of a tiny language model that stands in for the shipped one, with a cache folder of its own."""
    import tiny_world

    from quipref import data

    folder = tmp_path / "shipped"
    folder.mkdir()
    tiny_world.make(folder)
    monkeypatch.setattr(data, "_PACKAGE", folder)
    monkeypatch.setenv("QUIPREF_CACHE_DIR", str(tmp_path / "cache"))
    return folder
