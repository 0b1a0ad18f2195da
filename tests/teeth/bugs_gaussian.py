"""Mistakes that somebody could make in the Gaussian source, its quantizers and the accounting of bits."""

from dataclasses import replace

import numpy as np

from quipref import gaussian

HERE, TCQ = "quipref.gaussian", "quipref.trellis.tcq"
QUANTIZER = f"{TCQ}:TrellisCodedQuantizer"


def public(name, faulty):
    """Patches of a function at its home, where the lazy public name finds it too."""
    return {f"{HERE}:{name}": faulty}


def without_the_last_newton_steps(lloyd_max):
    """The best quantizer after one step from the limit's levels."""

    def faulty(n_levels):
        steps, gaussian.NEWTON_STEPS = gaussian.NEWTON_STEPS, 1
        try:
            return lloyd_max(n_levels)
        finally:
            gaussian.NEWTON_STEPS = steps

    return faulty


def with_levels(change):
    """Patches after which the best scalar quantizer has other levels, and the error that belongs to them."""

    def faulty(lloyd_max):
        def changed(n_levels):
            levels = change(lloyd_max(n_levels).levels)
            edges = gaussian.midpoints(levels)
            return gaussian.ScalarQuantizer(levels, edges, gaussian.exact_mse(levels, edges))

        return changed

    return public("lloyd_max", faulty)


def with_subsets(change):
    """Patches after which the windows of the trellis name other subsets."""
    return {f"{QUANTIZER}.subsets": lambda before: property(lambda self: change(before.fget(self)))}


def cheating(quantize):
    """A search that may take the nearest level of all at each step, as if the walk allowed it."""

    def faulty(self, X):
        windows, indices, _ = quantize(self, X)
        return windows, indices, self.levels[np.abs(X[..., None] - self.levels).argmin(axis=2)]

    return faulty


BUGS = {
    "gaussian: D(R) of one half a bit": public("distortion_rate", lambda _: lambda bits: 2.0**-bits),
    "gaussian: Panter and Dite with pi sqrt(3) / 4": public("panter_dite", lambda f: lambda bits: f(bits) / 2),
    "gaussian: the levels of the limit": {f"{HERE}:lloyd_max": without_the_last_newton_steps},
    "gaussian: levels one per cent too wide": with_levels(lambda levels: 1.01 * levels),
    "gaussian: uniform levels": public("lloyd_max", lambda _: lambda n: gaussian.optimum_uniform(max(n, 2))),
    "gaussian: best levels for uniform ones": public("optimum_uniform", lambda _: lambda n: gaussian.lloyd_max(n)),
    "gaussian: edges at the lower levels": public(
        "lloyd_max", lambda f: lambda n: replace(f(n), edges=f(n).levels[:-1].copy())
    ),
    "gaussian: the error of the levels alone": {
        f"{HERE}:exact_mse": lambda f: lambda levels, edges: f(levels, edges) / 2
    },
    "gaussian: every target on its level": {
        f"{HERE}:ScalarQuantizer.quantize": lambda _: lambda self, T, rng=None: (np.zeros(T.shape, np.uint8), T)
    },
    "gaussian: the error of the first level": {
        f"{HERE}:ScalarQuantizer.quantize": lambda _: (
            lambda self, T, rng=None: (
                np.zeros(T.shape, np.uint8),
                np.full_like(T, self.levels[0] - 3),
            )
        )
    },
    "trellis: the free start costs nothing": {
        "quipref.trellis.bitshift:BitshiftTrellis.storage_bits": lambda _: (
            lambda self, T, *, tail_biting=True: T * self.bits_per_weight
        )
    },
    "viterbi: ends always tied": {
        "quipref.trellis.viterbi:viterbi": lambda f: lambda *args, tail_biting, **options: f(*args, **options)
    },
    "tcq: the start costs nothing and more": {f"{QUANTIZER}.storage_bits": lambda _: lambda self, T: self.bits},
    "tcq: any level at any step": {f"{QUANTIZER}.quantize": cheating},
    "tcq: subsets in blocks": with_subsets(lambda subsets: np.array([0, 2, 1, 3])[subsets]),
    "tcq: one bit of the subset": with_subsets(lambda subsets: subsets & 2),
    "tcq: the parity checks exchanged": {
        f"{TCQ}:PARITY_CHECKS": lambda table: {states: checks[::-1] for states, checks in table.items()}
    },
    "tcq: levels as they start": {f"{TCQ}:centroids": lambda _: lambda X, indices, levels: levels},
}
