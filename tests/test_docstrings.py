"""Public docstrings describe their signatures, in numpydoc form and in its order of sections."""

import dataclasses
import inspect
import re

import pytest

import quipref
from quipref import testing

SECTIONS = ["Parameters", "Attributes", "Returns", "Yields", "Raises", "Notes", "References", "Examples"]


def sections(docstring):
    """{title: lines} of a numpydoc docstring, in its order; what comes before the first title is under None."""
    lines = inspect.cleandoc(docstring).splitlines()
    found, title = {None: []}, None
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        if following and set(following) == {"-"} and len(following) == len(line):
            title = line
            found[title] = []
        elif not (line and set(line) == {"-"}):
            found[title].append(line)
    return found


def described(lines):
    """The names that a Parameters or Attributes section describes: `a, b : type` or `a, b` at the margin."""
    heads = [line.split(" : ")[0] for line in lines if line and not line.startswith(" ")]
    return [name.strip(" *") for head in heads for name in head.split(",")]


def wanted_names(thing):
    """(section, names) that the docstring of a public function, method or class must have."""
    if dataclasses.is_dataclass(thing):
        return "Attributes", [field.name for field in dataclasses.fields(thing)]
    if inspect.isclass(thing) and issubclass(thing, tuple):
        return None, list(thing._fields)
    parameters = inspect.signature(thing).parameters
    return "Parameters", [name for name in parameters if name not in ("self", "cls")]


def docstring_faults(thing):
    """What is wrong with a public docstring, as sentences."""
    found = sections(thing.__doc__ or "")
    section, names = wanted_names(thing)
    faults = []
    first = found[None][0] if found[None] else ""
    if not first.endswith(".") or (len(found[None]) > 1 and found[None][1]):
        faults.append("it does not begin with one line and a full stop")
    titles = [title for title in found if title]
    if titles != [title for title in SECTIONS if title in titles]:
        faults.append(f"its sections are {titles}, not in the order {SECTIONS}")
    if section is None:  # a named tuple: its one paragraph names the fields
        missing = [name for name in names if not re.search(rf"\b{name}\b", " ".join(found[None]))]
        faults += [f"it does not name {missing}"] if missing else []
    elif described(found.get(section, [])) != names:
        faults.append(f"{section} describe {described(found.get(section, []))}, the signature has {names}")
    return faults


def public_things():
    """Every public function and class, and those methods of the classes that have a Parameters section."""
    for name, package in [
        *((name, quipref) for name in quipref.__all__),
        *((name, testing) for name in testing.__all__),
    ]:
        thing = getattr(package, name)
        yield name, thing
        if inspect.isclass(thing):
            for method, member in inspect.getmembers(thing, callable):
                if (
                    not method.startswith("_")
                    and "Parameters\n" in (member.__doc__ or "")
                    and member.__qualname__.startswith(name)
                ):
                    yield f"{name}.{method}", member


@pytest.mark.parametrize("name", [*quipref.__all__, *testing.__all__])
def test_docstrings_describe_the_signature(name):
    for full_name, thing in public_things():
        if full_name.split(".")[0] == name:
            assert docstring_faults(thing) == [], full_name


def test_docstring_faults_are_seen():
    def good(a, b, *, c=None):
        """One line.

        Parameters
        ----------
        a, b : int
            Two of them.
        c : int, optional

        Returns
        -------
        int
        """

    assert docstring_faults(good) == []
    text = good.__doc__
    for old, new, said in [
        ("a, b : int", "b, a : int", "signature"),
        ("c : int", "d : int", "signature"),
        ("One line.", "One line", "one line"),
        ("Returns", "Example", "order"),
    ]:
        good.__doc__ = text.replace(old, new)
        assert any(said in fault for fault in docstring_faults(good)), (old, new)
