"""The types of the public API: py.typed promises them, so every public signature is annotated completely."""

import ast
import inspect
import typing
from importlib.resources import files

import pytest

import quipref
from quipref import testing, tour
from quipref.rounding.quantizer import Quantizer
from quipref.testing import code_strategies, hessian_strategies, strategies


def written(member):
    """The function behind a method, property or class method; None for data."""
    if isinstance(member, property):
        return member.fget
    member = getattr(member, "__func__", member)
    return inspect.unwrap(member) if inspect.isfunction(inspect.unwrap(member)) else None


def is_public(name):
    return not name.startswith("_") or (name.startswith("__") and name.endswith("__"))


def functions_of(thing):
    """A function, or what a class and its bases in this project define in public; nothing that dataclasses generate."""
    if not inspect.isclass(thing):
        yield thing
        return
    for cls in (cls for cls in thing.__mro__ if cls.__module__.split(".")[0] == thing.__module__.split(".")[0]):
        for name, member in vars(cls).items():
            function = written(member)
            if is_public(name) and function and function.__code__.co_filename == inspect.getfile(cls):
                yield function


def unannotated(thing):
    """Every parameter and return value without an annotation, as function.parameter."""
    for function in functions_of(thing):
        signature = inspect.signature(function)
        for parameter in signature.parameters.values():
            if parameter.annotation is parameter.empty and parameter.name not in ("self", "cls"):
                yield f"{function.__qualname__}.{parameter.name}"
        if signature.return_annotation is signature.empty:
            yield f"{function.__qualname__}.return"


def typed_things():
    yield from (getattr(quipref, name) for name in quipref.__all__)
    yield from (getattr(testing, name) for name in testing.__all__)
    yield from (Quantizer, tour.Row, tour.run, tour.compare, tour.table)
    for module in (strategies, hessian_strategies, code_strategies):
        yield from (thing for thing in vars(module).values() if is_defined_in(thing, module))


def is_defined_in(thing, module):
    return getattr(thing, "__module__", None) == module.__name__ and not thing.__name__.startswith("_")


@pytest.mark.parametrize("thing", list(typed_things()), ids=lambda thing: thing.__name__)
def test_public_signatures_are_annotated(thing):
    assert list(unannotated(thing)) == []
    for function in functions_of(thing):
        typing.get_type_hints(function)  # every name in an annotation exists


def test_what_is_not_annotated_is_seen():
    class Base:
        def method(self, a: int, *, b=1) -> int: ...

        def _private(self, a): ...

    class Planted(Base):
        def __init__(self, x): ...

        @property
        def size(self): ...

        @classmethod
        def make(cls, *, y: int): ...

    def function(x, *rest: int, y: int = 0, **options) -> None: ...

    here = Planted.__qualname__
    assert list(unannotated(Planted)) == [
        f"{here}.__init__.x",
        f"{here}.__init__.return",
        f"{here}.size.return",
        f"{here}.make.return",
        f"{Base.__qualname__}.method.b",
    ]
    assert [fault.rpartition(".")[2] for fault in unannotated(function)] == ["x", "options"]


@pytest.mark.parametrize("package", [quipref, testing], ids=lambda package: package.__name__)
def test_type_checkers_see_the_names_that_are_lazy(package):
    """The block that only type checkers read imports each name of __all__, under its own name, from its home."""
    tree = ast.parse(files(package).joinpath("__init__.py").read_text(encoding="utf-8"))
    (block,) = (node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    seen = [(alias.asname, alias.name, node.module) for node in block.body for alias in node.names]
    assert sorted(seen) == [(name, name, f"{package.__name__}.{package._HOME[name]}") for name in package.__all__]


def test_the_package_is_marked_as_typed():
    assert files(quipref).joinpath("py.typed").is_file()


def test_the_protocol_is_what_the_grids_have():
    members = {name for name in vars(Quantizer) if not name.startswith("_")}
    assert members == {"block", "bits", "quantize", "decode"}
    assert members <= set(dir(quipref.IntegerGrid))
