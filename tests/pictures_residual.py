"""An example of the picture of residual codes, as in pictures.py."""

import numpy as np

from quipref.figures import residual
from quipref.lattice.scales import ScaleScan


def bowl(bits, s, r, least):
    """A scan whose error is least at (s, r), made up."""
    S, R = np.linspace(0.8, 1.2, 9), np.linspace(1.5, 4.5, 7)
    mean = least * (1 + 8 * np.square(S[:, None] - s) + 0.3 * np.square(R - r))
    return ScaleScan(bits, S, R, mean, 0 * mean)


def scale_map():
    scans = [bowl(3, 1.0, 2.0, 0.03), bowl(4, 0.9, 4.0, 0.008)]
    best, authors = [(1.0, 2.0, 0.0301), (0.9, 4.0, 0.0081)], [(0.98, 2.04, 0.03), (1.03, 3.45, 0.0097)]
    return residual.scale_map(scans, best, authors, [0.034, 0.0095])


TOPICS = (residual,)
EXAMPLES = {residual.scale_map: scale_map}
