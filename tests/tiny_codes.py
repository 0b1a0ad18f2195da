"""Few sequences, short ones, and trellises of few states, for the commands that measure codes."""

import numpy as np

from quipref import gaussian_codes, gaussian_page, published
from quipref.trellis import codes


def shrink(monkeypatch):
    """Two weights a step, or a vector of eight, and little more."""
    monkeypatch.setattr(gaussian_codes, "BATCHES", {True: (2, 2), False: (3, 2)})
    monkeypatch.setattr(gaussian_codes, "LATTICE", {True: (2, 3), False: (3, 3)})
    monkeypatch.setattr(published, "BATCHES_2", {True: (2, 2), False: (3, 2)})
    monkeypatch.setattr(gaussian_codes, "T", 8)
    monkeypatch.setattr(gaussian_codes, "L1", 4)
    monkeypatch.setattr(gaussian_codes, "L2", 5)
    monkeypatch.setattr(gaussian_codes, "hyb_values", lambda: codes.gaussian(4, 2, seed=0))
    monkeypatch.setattr(gaussian_page, "TRIED", np.array([0.9, 1.0]))
    monkeypatch.setattr(gaussian_page, "FACTORS", np.array([1.0, 1.2]))
    monkeypatch.setattr(gaussian_page, "PILOT", 3)
