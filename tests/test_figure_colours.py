"""The house colours, as readers with and without colour blindness see them."""

from itertools import combinations

import matplotlib
import numpy as np
import pytest

from quipref.figures import style


class TestColours:
    """The colours of the methods stay apart for readers with red, green or no colour blindness."""

    # Machado, Oliveira and Fernandes (2009), severity 1: what linear RGB becomes.
    SIGHT = {
        "usual": np.eye(3),
        "protan": np.array(
            [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
        ),
        "deutan": np.array(
            [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
        ),
    }
    JUST_NOTICEABLE = 2.3  # Delta E in CIE L*a*b*; side by side in small marks one wants several times that

    @staticmethod
    def lab(colour, sight):
        rgb = np.array(matplotlib.colors.to_rgb(colour))
        linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
        linear = np.clip(sight @ linear, 0, 1)
        xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ linear
        x, y, z = np.cbrt(xyz / [0.9505, 1.0, 1.089])
        return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])

    def nearest_pair(self, colours, sight):
        return min(
            np.linalg.norm(self.lab(a, self.SIGHT[sight]) - self.lab(b, self.SIGHT[sight]))
            for a, b in combinations(colours, 2)
        )

    @pytest.mark.parametrize("sight", SIGHT)
    def test_methods_are_told_apart(self, sight):
        colours = [style.COLOURS[method] for method in style.MARKERS]
        assert self.nearest_pair(colours, sight) > 5 * self.JUST_NOTICEABLE

    def test_red_and_green_are_not(self):
        assert self.nearest_pair(["#B0413E", "#5E7D2C"], "deutan") < 5 * self.JUST_NOTICEABLE

    def test_every_method_has_its_own_marker(self):
        assert len(set(style.MARKERS.values())) == len(style.MARKERS)
