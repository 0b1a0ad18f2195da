"""Collect the English text that the small language model reads, and cut the two slices that ship.

A document is one help topic of `pydoc_data.topics`, or all docstrings of one source file of the
standard library, NumPy or SciPy (read with `ast`, nothing is imported). Vendored third-party
packages are left out, so the licences are PSF-2.0 and BSD-3-Clause alone. The training text has the
comments of the same source files too.

Evaluation documents share less than 10 % of their 13-word runs with all other documents together;
calibration documents are held out of the training text as well. The comments of held-out files, and
comments that share a 13-word run with a held-out document, are left out. Run: `python data/make_text.py`
(it needs numpy and scipy installed; it only reads their files). The training text goes to
`data/build/`, which git ignores.
"""

import ast
import hashlib
import platform
import re
import sysconfig
import tokenize
from importlib import metadata
from pathlib import Path

from manifest import FOLDER, record, write_atomically

EVALUATION_BYTES = 64 * 1024
CALIBRATION_BYTES = 256 * 1024
HELD_OUT_SIZES = (1_200, 8_000)  # bytes a held-out document may have: no single one dominates
COMMENT = 40  # bytes: shorter ones are labels
NGRAM = 13
MAX_SHARED = 0.10

# Folders whose content was written by others and is only carried along.
VENDORED = {
    "site-packages", "test", "tests", "lib2to3", "ensurepip", "idlelib", "pydoc_data", "__pycache__",
    "_vendored", "_lib", "_external", "_highspy", "_pocketfft", "array_api_compat",
    "array_api_extra", "_pyprima", "pyprima", "_trlib", "_isolve", "_dop", "_build_utils", "tempita",
}  # fmt: skip

# Lines that link to a package's page on an index: addresses, not English. The slices that ship have none.
PACKAGE_PAGE = re.compile(rb"^.*https?://[\w.]+/project/.*\n?", re.MULTILINE)


def docstrings(path):
    """All docstrings of a Python file, and the texts given to NumPy's `add_newdoc`."""
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (SyntaxError, UnicodeDecodeError):
        return ""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            found.append(ast.get_docstring(node, clean=True))
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("add_newdoc", "add_docstring"):
            texts = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
            if texts and len(texts[-1]) > 80:
                found.append(texts[-1].strip())
    return "\n\n".join(text for text in found if text)


def comments(path):
    """The comments of a Python file that have at least `COMMENT` bytes, consecutive lines as one."""
    found, block, last = [], [], -2
    try:
        with tokenize.open(path) as file:
            for token in tokenize.generate_tokens(file.readline):
                if token.type != tokenize.COMMENT:
                    continue
                if token.start[0] != last + 1:
                    found.append("\n".join(block))
                    block = []
                block.append(token.string.lstrip("#!: ").rstrip())
                last = token.start[0]
    except (SyntaxError, UnicodeDecodeError, tokenize.TokenError):
        return []
    return [text for text in (*found, "\n".join(block)) if len(text) >= COMMENT and " " in text]


def collect():
    """{document name: text} and {file name: comments} from everything that is installed, in a fixed order."""
    from pydoc_data import topics

    import numpy
    import scipy

    documents = {f"topics/{key}": text for key, text in topics.topics.items()}
    remarks = {}
    roots = {
        "stdlib": Path(sysconfig.get_paths()["stdlib"]),
        "numpy": Path(numpy.__file__).parent,
        "scipy": Path(scipy.__file__).parent,
    }
    for source, root in roots.items():
        for path in sorted(root.rglob("*.py")):
            parts = path.relative_to(root).parts
            if VENDORED.intersection(parts):
                continue
            text = docstrings(path)
            name = "/".join((source, *parts))
            if len(text) >= 200:
                documents[name] = text
            remarks[name] = comments(path)
    return documents, remarks


def runs_of_words(text):
    """The set of all runs of NGRAM consecutive words."""
    words = re.findall(r"\w+", text.lower())
    return {hash(tuple(words[i : i + NGRAM])) for i in range(len(words) - NGRAM + 1)}


def split(documents):
    """Choose the held-out documents in the order of a hash of their names."""
    runs = {name: runs_of_words(text) for name, text in documents.items()}
    seen_in = {}
    for one in runs.values():
        for run in one:
            seen_in[run] = seen_in.get(run, 0) + 1

    def shared(name):
        return sum(seen_in[run] > 1 for run in runs[name]) / max(1, len(runs[name]))

    low, high = HELD_OUT_SIZES
    order = sorted(documents, key=lambda name: hashlib.sha256(name.encode()).digest())
    order = [name for name in order if low <= len(documents[name].encode()) <= high and runs[name]]
    evaluation = take(documents, (n for n in order if shared(n) < MAX_SHARED), EVALUATION_BYTES)
    rest = (n for n in order if n not in set(evaluation))
    calibration = take(documents, rest, CALIBRATION_BYTES)
    worst = max(shared(name) for name in evaluation)
    return evaluation, calibration, worst


def take(documents, names, n_bytes):
    """The first names whose joined text has at least `n_bytes`."""
    chosen, size = [], 0
    for name in names:
        chosen.append(name)
        size += len(documents[name].encode()) + 2
        if size >= n_bytes:
            return chosen
    raise SystemExit(f"Only {size} bytes could be held out; {n_bytes} are needed.")


def joined(documents, names):
    return "\n\n".join(documents[name] for name in names).encode()


def with_comments(documents, remarks, held_out):
    """{name: its text and its comments} of what is not held out; no comment repeats a held-out text."""
    hidden = set().union(*(runs_of_words(documents[name]) for name in held_out))
    together = {}
    for name in {**documents, **remarks}:
        if name not in held_out:
            own = [text for text in remarks.get(name, []) if hidden.isdisjoint(runs_of_words(text))]
            together[name] = "\n\n".join((*([documents[name]] if name in documents else []), *own))
    return together


def main():
    documents, remarks = collect()
    evaluation, calibration, worst = split(documents)
    sources = with_comments(documents, remarks, {*evaluation, *calibration})
    training = joined(sources, [name for name in sources if sources[name]])
    (FOLDER / "build").mkdir(exist_ok=True)
    write_atomically(FOLDER / "build" / "training.txt", training)
    versions = {
        "python": platform.python_version(),
        "numpy": metadata.version("numpy"),
        "scipy": metadata.version("scipy"),
    }
    for name, chosen, size in (
        ("evaluation.txt", evaluation, EVALUATION_BYTES),
        ("calibration.txt", calibration, CALIBRATION_BYTES),
    ):
        write_atomically(FOLDER / name, PACKAGE_PAGE.sub(b"", joined(documents, chosen))[:size])
        record(
            name,
            license="PSF-2.0 AND BSD-3-Clause",
            source="docstrings and help topics of CPython, NumPy and SciPy, see `documents`",
            versions=versions,
            documents=chosen,
        )
    print(f"training {len(training):,} bytes from {len(sources)} files and topics")
    print(f"evaluation {len(evaluation)} documents, at most {worst:.1%} shared {NGRAM}-word runs")
    print(f"calibration {len(calibration)} documents")


if __name__ == "__main__":
    main()
