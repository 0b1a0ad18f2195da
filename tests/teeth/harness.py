"""Running theorem tests in this process, quietly, with a bug planted.

The theorem modules are imported once more, under a Hypothesis profile without a database, shrinking or
printed failures: here a failure is what is hoped for.
"""

import importlib
import importlib.util
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings


def plant(bug, monkeypatch):
    """Put faulty replacements in place until the test ends.

    `bug` maps "module:attribute" (or "module:Class.attribute") to a function that takes what stands there and
    returns what shall stand there.
    """
    for place, replacement in bug.items():
        module, _, path = place.partition(":")
        *owners, attribute = path.split(".")
        owner = importlib.import_module(module)
        for name in owners:
            owner = getattr(owner, name)
        monkeypatch.setattr(owner, attribute, replacement(getattr(owner, attribute)))


def theorem_tests(examples):
    """All theorem tests, {("TestClass", "test_method"): callable}, with that many examples where they draw any."""
    return {
        (c.__name__, method): getattr(c(), method)
        for module in _theorem_modules(examples)
        for c in vars(module).values()
        if isinstance(c, type) and c.__name__.startswith("Test")
        for method in vars(c)
        if method.startswith("test_")
    }


def _theorem_modules(examples):
    """Fresh copies of the modules of tests/theorems, decorated under a quiet profile."""
    settings.register_profile("before the teeth", settings.default)
    settings.register_profile(
        "teeth",
        deadline=None,
        database=None,
        derandomize=True,
        max_examples=examples,
        phases=[Phase.explicit, Phase.generate],
        print_blob=False,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    settings.load_profile("teeth")
    try:
        for path in sorted(Path(__file__).parents[1].joinpath("theorems").glob("test_*.py")):
            spec = importlib.util.spec_from_file_location(f"teeth_{path.stem}_{examples}", path)
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            yield module
    finally:
        settings.load_profile("before the teeth")
