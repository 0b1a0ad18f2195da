"""All planted bugs and all rows: what every bugs_*.py and rows_*.py beside this file contributes.

A bugs_*.py holds BUGS = {name: bug}, a bug as in patches.py. A rows_*.py holds TEETH = {class: {test: names of the
bugs that it must notice}}; a row may name the bugs of any file.
"""

from importlib import import_module
from pathlib import Path


def merged(pattern, attribute):
    """The dictionaries of that name in the files that match, as one; a name that comes twice is refused."""
    found = {}
    for path in sorted(Path(__file__).parent.glob(pattern)):
        part = getattr(import_module(f"teeth.{path.stem}"), attribute)
        twice = found.keys() & part.keys()
        if twice:
            raise ValueError(f"{attribute} must name each thing once, but {path.name} repeats {sorted(twice)}.")
        found |= part
    return found


BUGS = merged("bugs_*.py", "BUGS")
TEETH = merged("rows_*.py", "TEETH")
ROWS = {(cls, test): bugs for cls, tests in TEETH.items() for test, bugs in tests.items()}
