"""Write the tour's table and picture into the README: `make readme`.

The table stands between two marks in README.md; `tests/test_readme.py` holds its columns against a
tour of its own.
"""

import sys
from pathlib import Path

from quipref import cli, storage, tour
from quipref.figures import tour as figure

ROOT = Path(__file__).parents[1]
START, STOP = "<!-- tour: written by make readme -->", "<!-- end of tour -->"


def with_table(text, table):
    """`text` with everything between the two marks replaced by `table`."""
    before, mark, rest = text.partition(START)
    _, stop, after = rest.partition(STOP)
    if not (mark and stop):
        raise SystemExit(f"README.md must have the marks {START} and {STOP}; put them back where the table belongs.")
    return f"{before}{START}\n\n{table}\n\n{STOP}{after}"


def main():
    """Run the tour and write both files."""
    with cli.progress_bar("tour") as step:
        rows = tour.run(step=step)
    with storage.atomic(ROOT / "docs" / "tour.png") as scratch:
        figure.save(rows, scratch)
    readme = ROOT / "README.md"
    storage.write_text(readme, with_table(readme.read_text(encoding="utf-8"), tour.table(rows)))
    sys.stdout.write("README.md and docs/tour.png are written.\n")


if __name__ == "__main__":
    main()
