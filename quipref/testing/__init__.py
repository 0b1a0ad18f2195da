"""For users' own tests: checks of a new rounding idea, the layer that it is worst on, and Hypothesis strategies.

A rounder is a function of W (m, n) and H (n, n) that returns W_hat (m, n)::

    from quipref.testing import check_rounder, parametrize_with_checks

    report = check_rounder(my_rounder, on_fail=None)  # a table; report.failed names the checks

    @parametrize_with_checks([my_rounder])
    def test_rounder(rounder, check):
        check(rounder)

A test of your own; the first call of a compiled function takes seconds, hence no deadline::

    from hypothesis import given, settings
    from quipref.testing.strategies import layers, seeded_layers

    @settings(deadline=None)
    @given(layers() | seeded_layers())
    def test_my_rounder_keeps_the_bound(layer):
        U, D = quipref.ldl(layer.H)
        loss = quipref.proxy_loss(layer.W, my_rounder(layer.W, layer.H), layer.H)
        assert loss <= len(layer.W) / 4 * D.sum() * (1 + 1e-9)
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # pragma: no cover - for type checkers only, which cannot follow a lazy import
    from quipref.testing.adversary import WorstLayer as WorstLayer
    from quipref.testing.adversary import worst_layer as worst_layer
    from quipref.testing.paste import pasteable as pasteable
    from quipref.testing.protocol import QuantizerTags as QuantizerTags
    from quipref.testing.protocol import Tags as Tags
    from quipref.testing.protocol import tags as tags
    from quipref.testing.report import Outcome as Outcome
    from quipref.testing.report import Report as Report
    from quipref.testing.report import RounderCheckError as RounderCheckError
    from quipref.testing.rounder import check_quantizer as check_quantizer
    from quipref.testing.rounder import check_rounder as check_rounder
    from quipref.testing.rounder import parametrize_with_checks as parametrize_with_checks

_HOME = {
    "Outcome": "report",
    "QuantizerTags": "protocol",
    "Report": "report",
    "RounderCheckError": "report",
    "Tags": "protocol",
    "WorstLayer": "adversary",
    "check_quantizer": "rounder",
    "check_rounder": "rounder",
    "parametrize_with_checks": "rounder",
    "pasteable": "paste",
    "tags": "protocol",
    "worst_layer": "adversary",
}
__all__ = sorted(_HOME)

if not TYPE_CHECKING:  # else a type checker would believe that every name exists

    def __getattr__(name):
        if name not in _HOME:
            raise AttributeError(
                f"module 'quipref.testing' has no attribute {name!r}; its names are in quipref.testing.__all__."
            )
        return getattr(import_module(f"quipref.testing.{_HOME[name]}"), name)


def __dir__():
    return sorted([*globals(), *__all__])
