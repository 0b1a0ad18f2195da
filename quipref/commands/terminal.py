"""What all commands share: their parsers, the progress bar, JSON, and where a picture goes."""

import json
import os
import sys
from contextlib import contextmanager
from pathlib import Path

from tqdm import tqdm

from quipref import storage


def command(commands, name, run, purpose, example):
    """A new command of the parser, with --json; run(options) does its work."""
    added = commands.add_parser(
        name, help=purpose, description=purpose[0].upper() + purpose[1:] + ".", epilog=f"example: {example}"
    )
    added.add_argument("--json", action="store_true", help="print JSON instead of text")
    added.set_defaults(run=run)
    return added


def picture(options):
    """Where the picture goes, as an absolute path."""
    path = Path(options.picture).resolve()
    if path.suffix != ".png":
        raise ValueError(f"--picture must end in .png, but {options.picture!r} came. Name it {path.stem}.png.")
    return storage.in_folder(path, "--picture")


def look_in_current_folder():
    """Let MODULE:FUNCTION be a module of the current folder, as `python -m quipref` does and the command does not."""
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())


@contextmanager
def progress_bar(title):
    """A progress bar on standard error; yields the function that moves it: step(message, done, total)."""
    with tqdm(desc=title, total=1, bar_format="{desc} {percentage:3.0f}%|{bar}| {elapsed}", leave=False) as bar:

        def step(message, done, total):
            bar.total = total
            bar.n = done
            bar.set_description_str(message)

        yield step


def print_json(content):
    """Print what JSON can say; NaN it cannot."""
    print(json.dumps(content, indent=2, allow_nan=False))
