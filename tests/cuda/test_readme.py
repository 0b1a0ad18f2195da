"""The README's lines for a GPU run as they stand."""

from pathlib import Path


def test_the_lines_for_a_gpu_run():
    text = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    section = text.split("## On a GPU")[1].split("\n## ")[0]
    lines = [line.strip() for line in section.splitlines() if line.startswith("    ")]
    names = {}
    exec("\n".join(line for line in lines if "pip install" not in line), names)  # noqa: S102
    assert names["there"].kernel == "fast"
    assert names["y"].shape == (32,)
    assert names["W_hat"].shape == names["W"].shape
