"""Hypothesis as a seeded generator and nothing else."""

from contextlib import contextmanager

from hypothesis.internal.conjecture import providers


@contextmanager
def without_local_constants():
    """Draw no numbers from the sources of the modules that happen to be loaded.

    Hypothesis parses those sources (seconds, whenever a module was loaded) and keeps them in a folder `.hypothesis`
    where the user stands, and what a seed draws then depends on them. There is no setting for it, so the function
    that finds them is exchanged; a version of Hypothesis without it is left as it is.
    """
    name = "_get_local_constants"
    if not hasattr(providers, name):  # pragma: no cover - versions before 6.130 or so
        yield
        return
    finds = getattr(providers, name)
    setattr(providers, name, providers.Constants)
    providers.CONSTANTS_CACHE.cache.clear()
    try:
        yield
    finally:
        setattr(providers, name, finds)
        providers.CONSTANTS_CACHE.cache.clear()
