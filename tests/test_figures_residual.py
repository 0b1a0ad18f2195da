"""The map of the scales shows the scan, its least and the authors' point."""

import numpy as np
from pictures_residual import bowl, scale_map

from quipref.figures import residual


def test_marks_stand_at_their_scales():
    figure = scale_map()
    for axes, marks in zip(figure.axes, [((2.0, 1.0), (2.04, 0.98)), ((4.0, 0.9), (3.45, 1.03))], strict=False):
        drawn = {line.get_marker(): line.get_xydata()[0] for line in axes.lines if len(line.get_xdata())}
        np.testing.assert_allclose([drawn["*"], drawn["P"]], marks)
    words = [text.get_text() for axes in figure.axes[:2] for text in axes.get_legend().get_texts()]
    assert words[1::3] == ["our best: 0.03010", "our best: 0.00810"]
    assert words[2::3] == ["authors': 0.03000", "authors': 0.00970"]


def test_steps_are_per_cent_above_the_least():
    """The line of one per cent passes the least at the distance where the bowl has risen so much."""
    figure = residual.scale_map([bowl(3, 1.0, 3.0, 0.03)], [(1.0, 3.0, 0.03)], [(1.0, 3.0, 0.03)], [0.03 * 1.08])
    filled, level = figure.axes[0].collections
    assert list(filled.levels) == residual.STEPS
    path = level.get_paths()[0].vertices
    assert abs(path[:, 1].max() - 1.1) < 0.01
    assert abs(path[:, 0].max() - (3 + np.sqrt(0.08 / 0.3))) < 0.05
