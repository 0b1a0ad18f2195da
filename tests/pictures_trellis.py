"""An example of every picture of trellises, rates and codes, as in pictures.py."""

import numpy as np

import quipref as q
from quipref.figures import codes, gaussian_page, rate, trellis
from quipref.gaussian_page import Row

SIX = q.BitshiftTrellis(6, 2)
RING = "1011001110001101"


def windows():
    two = q.BitshiftTrellis(2, 1)
    return trellis.windows({"free": ("0010110", two, False), "circle": ("001011", two, True)})


def ring():
    return trellis.ring(RING, SIX)


def walks():
    two, four = q.BitshiftTrellis(2, 1), q.BitshiftTrellis(4, 2)
    return trellis.walks({"circle": (two, [0, 1, 2, 1, 3, 2]), "free": (four, [11, 12, 1])})


def offers():
    rng = np.random.default_rng(0)
    x, offered = rng.standard_normal(20), rng.standard_normal((20, 4))
    return trellis.offers(
        x, {"fixed": (np.tile([-1.5, -0.5, 0.5, 1.5], (20, 1)), 0 * x), "walk": (offered, offered[:, 0])}
    )


def rate_distortion():
    bits = np.arange(1.0, 5)
    found = {"Lloyd-Max": (bits, 2 * 4.0**-bits), "random table, $L$ = 16": (bits, 1.1 * 4.0**-bits)}
    return rate.rate_distortion(found | {"E8P, published": (np.array([2.0]), np.array([0.089]))})


def memory():
    bits = np.arange(2, 15, 2)
    curves = {
        "random table": (bits, 0.06 + 0.2 / bits, 0.01 / bits),
        "Marcellin-Fischer": (bits[:4], 0.09 - 0.001 * bits[:4], 0 * bits[:4]),
    }
    return rate.memory(curves, {"Lloyd-Max": 0.1175, "E8P, published": 0.089}, bits=2)


def sequences():
    rng = np.random.default_rng(0)
    return rate.sequences({f"{T} weights": rng.gamma(T / 8, 0.56 / T, 200) for T in (64, 256)}, 0.0625)


def rate_and_error():
    rows = [
        row
        for bits, limit in ((1, 0.25), (2, 0.0625))
        for row in (
            Row("Lloyd-Max", "scalar", bits, 1.8 * limit, paper=0.118 if bits == 2 else None),
            Row("E8P, best scale", "lattice", bits, 1.4 * limit, 0.02 * limit),
            Row("1MAD", "trellis", bits, 1.1 * limit, 0.01 * limit),
            Row("random, L = 12", "trellis", bits, 1.2 * limit, 0.01 * limit, 1.2 * limit, 4),
            Row("D(R)", "limit", bits, limit),
        )
    ]
    return gaussian_page.rate_and_error(rows)


def one_mad():
    return codes.one_mad(12345)


def three_inst():
    return codes.three_inst(12345)


def hyb():
    return codes.hyb(40000, np.random.default_rng(0).standard_normal((512, 2)))


def tables():
    rng = np.random.default_rng(0)
    return {f"code {i}": rng.standard_normal((256, 1)) for i in range(7)}


def histograms():
    return codes.histograms(tables())


def overlaps():
    return codes.overlaps({name: np.hstack([table, table[::-1]]) for name, table in tables().items()})


def lags():
    return codes.lags({name: 0.1 ** np.arange(1, 6) for name in tables()})


def errors():
    return codes.errors(
        {name: (0.07 + 0.02 * i, 0.001) for i, name in enumerate(tables())}, {"limit": 0.0625, "best": 0.1175}
    )


TOPICS = trellis, rate, codes, gaussian_page
EXAMPLES = {
    trellis.windows: windows,
    trellis.ring: ring,
    trellis.walks: walks,
    trellis.offers: offers,
    rate.rate_distortion: rate_distortion,
    rate.memory: memory,
    rate.sequences: sequences,
    gaussian_page.rate_and_error: rate_and_error,
    codes.one_mad: one_mad,
    codes.three_inst: three_inst,
    codes.hyb: hyb,
    codes.histograms: histograms,
    codes.overlaps: overlaps,
    codes.lags: lags,
    codes.errors: errors,
}
