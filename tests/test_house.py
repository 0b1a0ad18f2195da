"""How the house is kept: short files, no asserts or prints, names, what an import loads, formatting.

Lint, the import contracts and ASCII are in test_contracts.py, docstrings in test_docstrings.py.
"""

import ast
import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import quipref

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "quipref"
SOURCES = sorted(path for path in PACKAGE.rglob("*.py") if "_data" not in path.parts)
WRITTEN = [*SOURCES, *(path for folder in ["tests", "benchmarks", "docs"] for path in (ROOT / folder).rglob("*.py"))]
WRITTEN += sorted((ROOT / "data").glob("*.py"))

FILE_LINES, FUNCTION_LINES, KERNEL_LINES = 300, 40, 60
MAY_PRINT = {"cli.py", "tour.py"}


def name_of(path):
    return str(path.relative_to(ROOT))


def tree(path):
    return ast.parse(path.read_text(encoding="utf-8"))


# --- sizes ---


def code_lines(function):
    """Lines of a function without its docstring."""
    body = function.body
    skip = 0
    if (
        isinstance(body[0], ast.Expr)
        and isinstance(body[0].value, ast.Constant)
        and isinstance(body[0].value.value, str)
    ):
        skip = body[0].end_lineno - body[0].lineno + 1
    return function.end_lineno - function.lineno + 1 - skip


def long_functions(path, limit):
    functions = (node for node in ast.walk(tree(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return [(node.name, code_lines(node)) for node in functions if code_lines(node) > limit]


@pytest.mark.parametrize("path", WRITTEN, ids=name_of)
def test_files_are_short(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= FILE_LINES


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_functions_are_short(path):
    limit = KERNEL_LINES if path.parent.name in ("kernels", "cuda") else FUNCTION_LINES
    assert long_functions(path, limit) == []


def test_a_long_function_is_seen(tmp_path):
    path = tmp_path / "long.py"
    path.write_text('def f():\n    """Two\n    lines."""\n' + "    x = 1\n" * 40)
    assert long_functions(path, 40) == [("f", 41)]
    assert long_functions(path, 41) == []


# --- what no file may hold ---


def forbidden(path, may_print):
    """Asserts, bare excepts, prints, evals and unpickling, each with its line."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Assert):
            yield "assert", node.lineno
        elif isinstance(node, ast.ExceptHandler) and node.type is None:
            yield "bare except", node.lineno
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id in ("eval", "exec") or (node.func.id == "print" and not may_print):
                yield node.func.id, node.lineno
        elif isinstance(node, ast.keyword) and node.arg == "allow_pickle" and node.value.value is not False:
            yield "allow_pickle", node.value.lineno


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_no_assert_print_eval_or_bare_except(path):
    may_print = path.parent == PACKAGE / "commands" or (path.parent == PACKAGE and path.name in MAY_PRINT)
    assert list(forbidden(path, may_print)) == []


def test_what_is_forbidden_is_seen(tmp_path):
    path = tmp_path / "bad.py"
    path.write_text(
        "try:\n    assert x\nexcept:\n    print(x)\neval('x')\nload(allow_pickle=True)\nload(allow_pickle=False)\n"
    )
    assert sorted(forbidden(path, may_print=False)) == [
        ("allow_pickle", 6),
        ("assert", 2),
        ("bare except", 3),
        ("eval", 5),
        ("print", 4),
    ]
    assert ("print", 4) not in forbidden(path, may_print=True)


# --- names ---


def test_there_is_no_room_for_what_belongs_to_nobody():
    assert not {"core", "utils", "helpers", "common"} & {path.stem for path in SOURCES}


def test_no_top_module_has_the_name_of_a_public_function():
    modules = {module.name for module in pkgutil.iter_modules([PACKAGE])}
    assert not modules & set(quipref.__all__)


FACES = [PACKAGE, PACKAGE / "testing"]  # what users import from


def test_subpackages_re_export_nothing():
    for path in (path for path in SOURCES if path.name == "__init__.py" and path.parent not in FACES):
        body = tree(path).body
        assert len(body) == 1, path  # the docstring
        assert isinstance(body[0], ast.Expr), path


def test_public_names_are_the_same_callables_twice():
    """A lazy name that is also a module's would be the function first and the module afterwards."""
    first = {name: getattr(quipref, name) for name in quipref.__all__}
    for module in pkgutil.walk_packages([PACKAGE], "quipref."):
        if not module.name.startswith(("quipref.cuda", "quipref.__main__")):
            importlib.import_module(module.name)
    again = {name: getattr(quipref, name) for name in quipref.__all__}
    assert all(callable(thing) for thing in first.values())
    assert all(first[name] is again[name] for name in first)
    assert sorted(first) == quipref.__all__
    assert set(quipref.__all__) <= set(dir(quipref))
    assert all(first[name].__module__ == f"quipref.{quipref._HOME[name]}" for name in first)


def test_names_for_users_tests_are_the_same_things_twice():
    from quipref import testing

    first = {name: getattr(testing, name) for name in testing.__all__}
    for module in pkgutil.walk_packages([PACKAGE / "testing"], "quipref.testing."):
        importlib.import_module(module.name)
    assert all(getattr(testing, name) is thing for name, thing in first.items())
    assert all(thing.__module__ == f"quipref.testing.{testing._HOME[name]}" for name, thing in first.items())
    assert set(testing.__all__) <= set(dir(testing))
    with pytest.raises(AttributeError, match=r"'quipref.testing' has no attribute 'check'"):
        testing.check  # noqa: B018


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match=r"module 'quipref' has no attribute 'ldql'; .* quipref\.__all__"):
        quipref.ldql  # noqa: B018


@pytest.mark.parametrize(
    ("part", "line"), [("formats", "from quipref.formats import quip_sharp"), ("bounds", "from quipref import bounds")]
)
def test_a_part_that_is_not_yet_imported_says_how(part, line, monkeypatch):
    monkeypatch.delattr(quipref, part, raising=False)
    with pytest.raises(AttributeError, match=f"no attribute '{part}'; it is .* imported by name: {line}"):
        getattr(quipref, part)


def test_the_version_is_that_of_the_project():
    assert f'version = "{quipref.__version__}"' in (ROOT / "pyproject.toml").read_text()


# --- what an import loads ---

HEAVY = ["numba", "scipy", "matplotlib", "hypothesis", "joblib", "tqdm", "safetensors", "torch"]

REFERENCE = """
import pkgutil, sys
from importlib import import_module
from pathlib import Path
import numpy as np, quipref
for module in pkgutil.walk_packages([str(Path(quipref.__file__).parent)], "quipref."):
    if not module.name.startswith(("quipref.kernels", "quipref.cuda", "quipref.__main__")):
        import_module(module.name)
W, H = quipref.random_layer(16, 16, seed=0)
X = quipref.HessianAccumulator(16)
X.update(W)
quipref.hessian_report(X.hessian())
grid = quipref.UniformGrid.fit(W, 2, backend="numpy")
for round_to in [grid, quipref.IntegerGrid(rounding="stochastic")]:
    quipref.ldlq(W, H, round_to=round_to, rng=0, backend="numpy", return_codes=True)
    quipref.optq(W, H, round_to=round_to, rng=0, backend="numpy")
    quipref.babai(W, H, round_to=round_to, rng=0, backend="numpy")
quipref.linear_feedback(W, quipref.ldl(H)[0], backend="numpy")
quipref.clamped_ldlq(W, H, round_to=quipref.IntegerGrid(-4, 4, rounding="stochastic"), rng=0, backend="numpy")
quipref.block_ldl(quipref.damp(H, 0.01), 4)
quipref.fwht(W.copy(), backend="numpy")
quipref.proxy_loss(W, quipref.greedy(W, H, round_to=grid, backend="numpy"), H)
quipref.ldlq_rg(W, H, round_to=grid, backend="numpy")
quipref.two_sided_ldlq(W, H, W @ W.T, round_to=grid, backend="numpy")
from quipref.trellis import codes, tail_biting
trellis, values, X = quipref.BitshiftTrellis(4, 2), codes.gaussian(4, seed=0), W[:, :8].astype(np.float32)
quipref.code_quality(values, trellis, seed=0, n_sequences=2, n_weights=4, backend="numpy")
tail_biting.best_circles(X, values, trellis, backend="numpy")
quipref.marcellin_fischer(1, 4, seed=0, n_sequences=2, n_weights=8).quantize(W)
from quipref.methods import registry
for method, options in registry.tour_rows():
    if method in ("quip#", "qtip"):
        options = options | {"transform": "kronecker"}  # the Hadamard transform of a layer is always the compiled one
    layer = quipref.quantize(W, H, method=method, bits=2, backend="numpy", **options)
    layer.dequantize(), layer.matvec(W[0]), layer @ W.T, layer.size_in_bits()
"""


def loaded_by(program, *modules):
    """Which of the modules a fresh process has loaded after a program."""
    ask = f"\nimport sys\nprint('LOADED', *[name for name in {modules!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program + ask], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.rpartition("LOADED")[2].split()


def test_importing_quipref_loads_nothing_heavy():
    assert loaded_by("import quipref; dir(quipref); quipref.__version__", *HEAVY) == []
    assert loaded_by("import quipref; quipref.ldl", *HEAVY) == []


def test_the_reference_runs_without_numba():
    """Every module but the kernels is imported, and everything that has a NumPy form is run in it."""
    assert loaded_by(REFERENCE, "numba", "llvmlite") == []


def test_loaded_modules_are_seen():
    program = "import quipref, numpy as np; quipref.ldlq(np.ones((1, 1)), np.eye(1))"
    assert loaded_by(program, "numba", "quipref.kernels.feedback") == ["numba", "quipref.kernels.feedback"]


# --- form ---


def test_ruff_would_format_nothing():
    command = [sys.executable, "-m", "ruff", "format", "--check", "--no-cache", "."]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
