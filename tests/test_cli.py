"""The command line, called as a user calls it: what it prints, what it writes, how it refuses."""

import json
import subprocess
import sys

import numpy as np
import pytest

import quipref as q
from quipref import cli, tour
from quipref.figures import incoherence as figure
from quipref.incoherence import report
from quipref.methods import registry


def call(capsys, *arguments):
    status = cli.main([str(a) for a in arguments])
    out, err = capsys.readouterr()
    return status, out, err


def test_tour_prints_the_table_and_writes_the_picture(world, tmp_path, capsys):
    status, out, err = call(capsys, "tour", "--picture", tmp_path / "picture.png")
    assert status == 0
    assert "| ldlq, no clamp" in out
    assert out.rstrip().endswith(f"picture: {tmp_path / 'picture.png'}")
    assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG")
    assert "ldlq at 2 bits" in err  # the progress bar, apart from the result


def test_tour_json(world, tmp_path, capsys):
    status, out, _ = call(capsys, "tour", "--json", "--picture", tmp_path / "p.png")
    content = json.loads(out)
    assert status == 0
    assert [row["method"] for row in content["rows"]][:3] == ["original", "nearest", "optq"]
    assert content["full"] is False


def test_an_interrupted_tour_leaves_nothing(world, tmp_path, capsys, monkeypatch):
    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    (tmp_path / "out").mkdir()
    monkeypatch.setattr(tour, "compare", interrupted)
    status, out, err = call(capsys, "tour", "--picture", tmp_path / "out" / "p.png")
    assert status == 130
    assert "interrupted; no file was left half-written" in err
    assert list((tmp_path / "out").iterdir()) == []


def test_a_terminated_tour_leaves_nothing(world, tmp_path, monkeypatch):
    import os
    import signal

    (tmp_path / "out").mkdir()
    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(tour, "compare", lambda *a, **o: os.kill(os.getpid(), signal.SIGTERM))
    with pytest.raises(SystemExit) as stop:
        cli.main(["tour", "--picture", str(tmp_path / "out" / "p.png")])
    assert stop.value.code == 143
    assert list((tmp_path / "out").iterdir()) == []
    assert signal.getsignal(signal.SIGTERM) is before


def test_tour_refuses_another_kind_of_picture(world, tmp_path, capsys):
    status, _, err = call(capsys, "tour", "--picture", tmp_path / "p.svg")
    assert status == 1
    assert "--picture must end in .png" in err
    assert "Name it p.png" in err


def test_tour_refuses_a_missing_folder_before_the_work(world, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(tour, "run", lambda **options: pytest.fail("the work was begun"))
    status, _, err = call(capsys, "tour", "--picture", tmp_path / "none" / "p.png")
    assert status == 1
    assert f"--picture must be in an existing folder, but {tmp_path / 'none'} is none. Create it first." in err


def test_compare_a_random_layer(capsys):
    status, out, _ = call(capsys, "compare", "random:4x8,spectrum=outlier,basis=hadamard,seed=3", "--bits", "2")
    assert status == 0
    assert out.count("\n| ") == 1 + len(registry.tour_rows([(4, 8)]))
    assert ("* quip:" in out, "* qtip:" in out) == (True, False)


def test_compare_says_which_methods_are_left_out(capsys):
    """Which they are and why; their rows of other bits stay."""
    status, out, _ = call(capsys, "compare", "random:4x8", "--bits", "5", "2")
    assert status == 0
    assert out.count("\n| quip#") == len(registry.METHODS["quip#"][1])
    assert out.endswith(
        "\n* quip# is left out at 5 bits: its codebooks are of 2, 3 and 4 bits."
        "\n* qtip is left out: its tiles are 16 x 16, and 4 x 8 is no whole number of them.\n"
    )
    status, out, _ = call(capsys, "compare", "random:4x12", "--bits", "8", "--json")
    assert status == 0
    assert json.loads(out)["left_out"] == [
        "quip# is left out: it rounds 8 columns together, and 12 is no multiple of 8.",
        "qtip is left out: its tiles are 16 x 16, and 4 x 12 is no whole number of them.",
    ]


def test_compare_json_of_a_file(tmp_path, capsys):
    W, H = q.random_layer(4, 8, seed=1)
    np.savez(tmp_path / "layer.npz", W=W, H=H)
    status, out, _ = call(capsys, "compare", tmp_path / "layer.npz", "--bits", 3, 2, "--json")
    content = json.loads(out)
    assert status == 0
    assert content["shape"] == [4, 8]
    assert [row["bits"] for row in content["rows"]] == [bits for bits in (3, 2) for _ in registry.tour_rows([(4, 8)])]


def test_compare_a_layer_of_the_model(world, capsys):
    status, out, _ = call(capsys, "compare", "lm:layers.0.mlp.down", "--bits", "4")
    assert status == 0
    assert "| optq" in out


def test_incoherence_prints_the_table_and_writes_the_picture(tmp_path, capsys):
    picture = tmp_path / "mu.png"
    status, out, err = call(capsys, "incoherence", "random:4x8,spectrum=outlier,seed=3", "--picture", picture)
    assert status == 0
    rows = report.incoherence_report(*q.random_layer(4, 8, spectrum="outlier", seed=3), seed=0)
    assert out == f"{report.table(rows)}\n\npicture: {picture}\n"
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert "eigenvectors of H" in err


@pytest.fixture
def no_picture(monkeypatch):
    """Pictures take a second each; one test draws one."""
    monkeypatch.setattr(figure, "save_report", lambda panels, path: path.write_bytes(b""))


def test_incoherence_json(no_picture, tmp_path, capsys):
    arguments = ("random:4x6,seed=3", "--seed", 7, "--rescale", "--json", "--picture", tmp_path / "mu.png")
    status, out, _ = call(capsys, "incoherence", *arguments)
    content = json.loads(out)
    assert status == 0
    rows = report.incoherence_report(*q.random_layer(4, 6, seed=3), seed=7, rescale=True)
    assert content == {
        "rows": [row.to_dict() for row in rows],
        "layer": "random:4x6,seed=3",
        "shape": [4, 6],
        "seed": 7,
        "rescale": True,
        "picture": str(tmp_path / "mu.png"),
    }


def test_incoherence_of_a_layer_of_the_model_and_of_a_file(no_picture, world, tmp_path, capsys):
    np.savez(tmp_path / "layer.npz", **q.random_layer(3, 5, seed=1)._asdict())
    for layer, transforms in (("lm:layers.0.mlp.down", 4), (tmp_path / "layer.npz", 3)):  # no Fourier for odd sizes
        status, out, _ = call(capsys, "incoherence", layer, "--picture", tmp_path / "mu.png")
        assert status == 0
        assert out.count("\n| ") == 1 + transforms


def test_a_refused_layer_leaves_no_picture(tmp_path, capsys):
    status, out, err = call(capsys, "incoherence", "random:4y8", "--picture", tmp_path / "mu.png")
    assert (status, out) == (1, "")
    assert "LAYER must read like random:256x512" in err
    assert list(tmp_path.iterdir()) == []


REFUSALS = [
    (
        ("incoherence", "random:4x8", "--picture", "mu.svg"),
        "must end in .png, but 'mu.svg' came. Name it mu.png",
    ),
    (("incoherence", "random:4x8", "--picture", "nowhere/mu.png"), "must be in an existing folder"),
    (("incoherence", "random:4x8", "--seed", "-1"), "seed must be at least 0, but -1 came"),
    (("compare", "random:4y8"), "LAYER must read like random:256x512"),
    (("compare", "random:4x8,colour=red"), "LAYER settings must be spectrum=, basis= or seed="),
    (("compare", "random:4x8,spectrum=pink"), "spectrum must be one of 'power'"),
    (("compare", "layer.txt"), "LAYER must be file.npz, lm:NAME or random:MxN"),
    (("compare", "missing.npz"), "missing.npz must be an existing file"),
    (("compare", "random:4x8", "--bits", "9"), "--bits must be from 1 to 8, but 9 came"),
    (("hessian", "missing.safetensors"), "must be an existing file"),
]


@pytest.mark.parametrize(("arguments", "message"), REFUSALS)
def test_refusals_are_one_line_that_says_what_to_do(capsys, arguments, message):
    status, out, err = call(capsys, *arguments)
    assert status == 1
    assert out == ""
    assert message in err
    assert "Traceback" not in err


def test_an_unknown_layer_of_the_model(world, capsys):
    status, _, err = call(capsys, "compare", "lm:layers.9.mlp.down")
    assert status == 1
    assert "'layers.9.mlp.down' must be a linear layer" in err


def test_an_archive_without_w(tmp_path, capsys):
    np.savez(tmp_path / "x.npz", V=np.eye(2))
    status, _, err = call(capsys, "compare", tmp_path / "x.npz")
    assert status == 1
    assert "must hold an array W, but it holds ['V']" in err


def test_hessian_report(tmp_path, capsys):
    q.save_hessian(tmp_path / "H.safetensors", np.diag([1.0, 0.0]), tokens=7)
    status, out, _ = call(capsys, "hessian", tmp_path / "H.safetensors")
    assert status == 0
    assert "dead channels" in out.splitlines()[0]
    status, out, _ = call(capsys, "hessian", tmp_path / "H.safetensors", "--json")
    content = json.loads(out)
    assert (content["kind"], content["dead"], content["tokens"]) == ("dead channels", [1], 7)


def test_hessian_report_of_a_bad_matrix(tmp_path, capsys):
    np.savez(tmp_path / "H.npz", H=np.full((2, 2), np.nan))
    status, out, _ = call(capsys, "hessian", tmp_path / "H.npz", "--json")
    assert status == 0
    assert json.loads(out)["kind"] == "non-finite"


def test_doctor(capsys):
    status, out, _ = call(capsys, "doctor")
    assert status == 0
    for name in ("python", "numba", "threads", "BLAS", "compiled code", "cache folder", "data", "GPU"):
        assert any(line.startswith(name) for line in out.splitlines()), name
    assert json.loads(call(capsys, "doctor", "--json")[1])["numpy"] == np.__version__


def test_warnings_are_one_line(world, tmp_path, capsys, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("QUIPREF_CACHE_DIR", str(tmp_path / "file" / "cache"))
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        status, _, err = call(capsys, "compare", "lm:layers.0.attn.q", "--bits", "2")
    assert status == 0
    (line,) = [line for line in err.splitlines() if "QUIPREF_CACHE_DIR" in line]
    assert line.startswith("quipref: The cache folder")


@pytest.mark.parametrize(
    "command", ["", "tour", "compare", "incoherence", "hessian", "check", "bounds", "bench", "doctor"]
)
def test_help_has_an_example(command, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main([*command.split(), "--help"])
    assert stop.value.code == 0
    assert "example: quipref" in capsys.readouterr().out


def test_python_dash_m():
    done = subprocess.run(
        [sys.executable, "-m", "quipref", "doctor", "--json"], capture_output=True, text=True, check=True
    )
    assert "quipref" in json.loads(done.stdout)
