"""The Gaussian page: every code against its rate, beside what papers print; its table, its picture, its command."""

import json
import math
from itertools import pairwise

import numpy as np
import pictures_trellis as examples
import pytest
import tiny_codes

from quipref import cli, distortion_rate, gaussian_codes, gaussian_page, lloyd_max, published
from quipref.figures import style

# Measured before with another program; the error of the first is that of few vectors.
FOUR_BITS, ERROR_4 = 0.00966, 0.00013
FOUR_BITS_AT_095 = 0.00871


@pytest.fixture
def tiny(monkeypatch):
    """The same way through the program in a second."""
    tiny_codes.shrink(monkeypatch)


@pytest.fixture(scope="module")
def page():
    return {(row.code, row.bits): row for row in gaussian_page.measure(quick=True)}


@pytest.mark.jit
class TestFigures:
    def test_two_bits_are_table_1(self, page):
        for row in published.table_1(quick=True):
            assert page[row.name, 2].measured == row.measured
            assert (page[row.name, 2].paper or row.paper) == row.paper

    def test_what_differs_is_what_the_footnotes_name(self, page):
        assert {key for key, row in page.items() if row.differs} == {("Lloyd-Max", 2), ("E8P", 2)}
        best = page["E8P, best scale", 2]
        assert published.differs(best.measured, best.standard_error, published.E8P)
        assert best.measured > published.E8P

    def test_four_bits_at_the_authors_scale_and_at_ours(self, page):
        authors, ours = page["E8P + E8P", 4], page["E8P + E8P, best scale", 4]
        assert abs(authors.measured - FOUR_BITS) <= 5 * math.hypot(authors.standard_error, ERROR_4)
        assert ours.measured <= FOUR_BITS_AT_095 + 5 * ours.standard_error
        assert authors.measured - ours.measured > 5 * math.hypot(authors.standard_error, ours.standard_error)

    @pytest.mark.parametrize("bits", [2, 3, 4])
    def test_scalars_lattices_trellises_limit(self, page, bits):
        best = [f"{gaussian_page.LATTICES[bits]}, best scale", "Lloyd-Max"]
        for better, worse in pairwise(["D(R)", "1MAD", "random, L = 12", *best]):
            a, b = page[better, bits], page[worse, bits]
            assert b.measured - a.measured > 5 * math.hypot(a.standard_error or 0, b.standard_error or 0)

    def test_ten_decibels_are_a_factor_of_ten(self, page):
        for (_, bits), row in page.items():
            assert row.measured == pytest.approx(distortion_rate(bits) * 10 ** (row.decibels / 10))


def test_a_quantizer_has_the_error_that_it_is_known_to_have(monkeypatch):
    monkeypatch.setattr(gaussian_codes, "LATTICE", {True: (4, 64)})
    found = gaussian_codes.block_error(lloyd_max(4), quick=True, seed=0)
    assert abs(found.mean - lloyd_max(4).mse) <= 5 * found.standard_error < 0.01


class TestProgram:
    def test_progress_grows_to_the_whole(self, tiny):
        told = []
        gaussian_page.measure(quick=True, step=lambda message, done, total: told.append((message, done / total)))
        shares = [share for _, share in told]
        assert shares == sorted(shares)
        assert (told[0], told[-1]) == (("E8P", 0), ("done", 1))

    def test_the_seed_decides(self, tiny):
        assert gaussian_page.measure(quick=True) == gaussian_page.measure(quick=True)
        assert gaussian_page.measure(quick=True) != gaussian_page.measure(quick=True, seed=1)

    def test_rows_are_sorted_and_full_measures_more(self, tiny):
        quick, full = (gaussian_page.measure(quick=q) for q in (True, False))
        assert [row.bits for row in quick] == sorted(row.bits for row in quick)
        assert {row.code: row.bits for row in quick if row.family == "lattice"} == {
            name + scale: bits for bits, name in gaussian_page.LATTICES.items() for scale in ("", ", best scale")
        }
        assert sum(row.family == "trellis" for row in quick) == 5 + 3 + 4
        weights = [{row.family: row.weights for row in rows} for rows in (quick, full)]
        assert weights == [
            {"scalar": 0, "lattice": 48, "trellis": 32, "limit": 0},
            {"scalar": 0, "lattice": 72, "trellis": 48, "limit": 0},
        ]

    @pytest.mark.parametrize("bits", [2, 3, 4])
    def test_scales_are_the_best_of_those_tried(self, tiny, bits, monkeypatch):
        """Of a source of points with small second ones, so that the first are found again, nothing is lost."""
        quantizer = gaussian_page.lattice(bits, 1.0, 8.0, 1)

        class OnPoints:
            def standard_normal(self, shape):
                return quantizer.quantize(np.random.Generator(np.random.PCG64(0)).standard_normal(shape))[1]

        monkeypatch.setattr(np.random, "default_rng", lambda seed: OnPoints())
        monkeypatch.setattr(gaussian_page, "FACTORS", np.array([1.0, 1.2]))
        monkeypatch.setattr(gaussian_page, "RESIDUAL_SCALES", {3: 8 / 1.2, 4: 8 / 1.2})
        assert gaussian_page.best_scales(bits, 0, 1) == (1.0, pytest.approx(8) if bits > 2 else None)

    def test_the_table(self, tiny):
        rows = gaussian_page.measure(quick=True)
        lines = [line for line in gaussian_page.show(rows).splitlines() if line.startswith("|")]
        assert len(lines) == 2 + len(rows)
        cells = {tuple(c.strip() for c in line.split("|")[1:3]): line.split("|") for line in lines}
        assert [c.strip() for c in cells["Lloyd-Max", "2"][3:]] == ["0.11748", "", "2.74", "0.118 !", "", "", ""]
        assert [c.strip() for c in cells["D(R)", "3"][3:]] == ["0.01562", "", "", "", "", "", ""]
        assert cells["E8P + E8", "3"][7].strip() == "0.98, 2.04"


class TestPicture:
    def test_curves_are_errors_above_the_limit(self):
        curves = {line.get_label(): line.get_xydata() for line in examples.rate_and_error().axes[0].lines}
        limit = curves.pop("limit $D(R) = 4^{-R}$")
        np.testing.assert_allclose(limit[:, 1], [distortion_rate(b) for b in limit[:, 0]])
        factors = {name: xy[:, 1] * 4.0 ** xy[:, 0] for name, xy in curves.items()}
        assert {name: f.round(9).tolist() for name, f in factors.items()} == {
            "Lloyd-Max": [1.8, 1.8],
            "E8P and its residuals, best scale": [1.4, 1.4],
            "1MAD, $L$ = 16": [1.1, 1.1],
            "random table, $L$ = 12": [1.2, 1.2],
        }

    def test_a_line_each_with_its_distance_its_bar_and_the_printed_figure(self):
        axes = examples.rate_and_error().axes[1]
        names = dict(zip(axes.get_yticks(), (t.get_text() for t in axes.get_yticklabels()), strict=True))
        found = {}
        for line in axes.lines:
            (x, y), kind = line.get_data(), line.get_marker()
            if len(y) and y[0] in names:
                found.setdefault((names[y[0]], y[0] > 6), []).append((kind, np.round(10 ** (np.asarray(x) / 10), 6)))
        lloyd = found["Lloyd-Max !", True]
        assert [kind for kind, _ in lloyd] == ["None", style.MARKERS["nearest"], "None", "|"]
        np.testing.assert_allclose(np.hstack([x for _, x in lloyd]) / 16, [0.1125] * 3 + [0.1175, 0.1185, 0.118])
        (_, bar), (_, ours) = found["E8P, best scale", False]
        assert ours == [1.4]
        np.testing.assert_allclose(np.log(bar), np.log(1.4) + np.array([-0.04, 0.04]) / 1.4, atol=1e-5)
        assert len(found["random, L = 12", True]) == 4
        assert len(found) == len(names) == 8


class TestCommand:
    def test_text_and_picture(self, tiny, tmp_path, capsys):
        picture = tmp_path / "page.png"
        assert cli.main(["gaussian", "--quick", "--picture", str(picture)]) == 0
        out, err = capsys.readouterr()
        assert out == f"{gaussian_page.show(gaussian_page.measure(quick=True))}\n\npicture: {picture}\n"
        assert "done 100%" in err
        assert picture.read_bytes().startswith(b"\x89PNG")

    def test_json(self, tiny, tmp_path, capsys, monkeypatch):
        from quipref.figures import gaussian_page as figure

        monkeypatch.setattr(figure, "save", lambda rows, path: path.write_bytes(b""))
        picture = str(tmp_path / "page.png")
        assert cli.main(["gaussian", "--json", "--seed", "7", "--picture", picture]) == 0
        found = json.loads(capsys.readouterr().out)
        rows = [row.to_dict() for row in gaussian_page.measure(seed=7)]
        assert found == {"rows": rows, "quick": False, "seed": 7, "picture": picture}
        assert {"code", "bits", "measured", "standard_error", "paper", "decibels", "differs", "scales"} <= set(rows[0])

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (["--seed", "-1"], "--seed must be at least 0, but -1 came."),
            (["--picture", "page.svg"], "--picture must end in .png"),
        ],
    )
    def test_refusals_leave_no_picture(self, options, message, tmp_path, capsys, monkeypatch):
        monkeypatch.chdir(tmp_path)
        assert cli.main(["gaussian", *options]) == 1
        assert message in capsys.readouterr().err
        assert list(tmp_path.iterdir()) == []

    def test_help_has_an_example(self, capsys):
        with pytest.raises(SystemExit):
            cli.main(["gaussian", "--help"])
        assert "example: quipref gaussian --quick" in capsys.readouterr().out
