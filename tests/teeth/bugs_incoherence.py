"""Mistakes that somebody could make in mu, in the transforms, in processing and in their bounds."""

import numpy as np
from teeth.patches import scaled

from quipref.incoherence.process import Transform

MEASURE, PROCESS = "quipref.incoherence.measure", "quipref.incoherence.process"
RANDOMIZED, KRONECKER = "quipref.incoherence.randomized", "quipref.incoherence.kronecker:haar"


def identity_for(*purposes):
    """Patches after which these factors of a Kronecker rotation are the identity."""

    def faulty(haar):
        return lambda seed, name, shape: np.eye(shape[-1]) if name in purposes else haar(seed, name, shape)

    return {KRONECKER: faulty}


def without(**parts):
    """Patches after which the processed weights lack some parts of the transform."""

    def faulty(weights):
        return lambda self, W: weights(Transform(**{**vars(self), **parts}), W)

    return {f"{PROCESS}:Transform.weights": faulty}


def scales(change):
    """Patches after which other scales of the channels are found."""
    return {f"{PROCESS}:channel_scales": lambda found: lambda W, H: change(found(W, H)).astype(np.float16)}


def smoothed_scales(_):
    """Scales that take a dead channel for a very quiet one."""

    def channel_scales(W, H):
        logarithms = (np.log(H.diagonal() + 1e-9) - np.log(np.square(W).sum(axis=0) + 1e-9)) / 4
        return np.exp(logarithms - logarithms.sum() / max(1, len(logarithms))).astype(np.float16)

    return channel_scales


BUGS = {
    "mu of W: not its root": {f"{MEASURE}:mu_weights": lambda mu: lambda W: mu(W) ** 2},
    "mu of W: with the scale of W": {f"{MEASURE}:mu_weights": lambda mu: lambda W: mu(W) * np.linalg.norm(W)},
    "mu of H: largest entry alone": {
        f"{MEASURE}:mu_hessian": lambda mu: lambda H, basis=None: mu(H, basis) / len(H) ** 0.5
    },
    "mu of H: the basis ignored": {f"{MEASURE}:mu_hessian": lambda mu: lambda H, basis=None: mu(H)},
    "mu of H: one for the identity": {
        f"{MEASURE}:mu_hessian": lambda mu: lambda H, basis=None: 1.0 if np.ptp(H.diagonal()) == 0 else mu(H, basis)
    },
    "scales: square roots": scales(lambda s: s.astype(np.float64) ** 2),
    "scales: inverted": scales(lambda s: 1 / s),
    "scales: none": scales(np.ones_like),
    "scales: dead channels too": {f"{PROCESS}:channel_scales": smoothed_scales},
    "scales: not normalised": {
        f"{PROCESS}:channel_scales": lambda _: (
            lambda W, H: ((H.diagonal() / np.square(W).sum(axis=0)) ** 0.25).astype(np.float16)
        )
    },
    "process: outputs not rotated": without(rotate_out=None),
    "process: inputs of W not rotated": without(rotate_in=None),
    "process: H not rotated": {f"{PROCESS}:Transform.hessian": lambda _: lambda self, H, damping=0.0: H.copy()},
    "process: damping twice": {f"{PROCESS}:add_damping": lambda damp: lambda H, f: damp(damp(H, f), f)},
    "process: undo forgets the scales": {
        f"{PROCESS}:Transform.undo": lambda undo: (
            lambda self, W: undo(Transform(self.rotate_out, self.rotate_in, None), W)
        )
    },
    "process: an array after all": {
        f"{PROCESS}:ProcessedLayer.__array__": lambda _: lambda self, *a, **k: np.array(self._W)
    },
    "hadamard: no signs": {
        f"{RANDOMIZED}:RandomizedHadamard.diagonal": lambda _: property(lambda self: np.full(self.n, self.n**-0.5))
    },
    "fourier: no phases": {"quipref.incoherence.seeds:uniform": lambda _: lambda seed, purpose, n: np.zeros(n)},
    "kronecker: B0 left out": identity_for("B0"),
    "kronecker: B1 left out": identity_for("B1"),
    "bounds: exponent 4n + 3": {"quipref.bounds:sphere_moment": lambda f: lambda n, t: f(n + 0.25, t)},
    "bounds: exponent 4n + 1": {"quipref.bounds:sphere_moment": lambda f: lambda n, t: f(n - 0.25, t)},
    "bounds: half of the block tail": scaled("signed_sum_tail", 1 / 2),
    "bounds: the block tail without |x|": {
        "quipref.bounds:signed_sum_tail": lambda f: lambda n, d, a, b, x: f(n, d, a, b, 1.0)
    },
    "bounds: d a^2 in the tail of a sphere": {"quipref.bounds:spherical_tail": lambda f: lambda d, a: f(2 * d, a)},
    "bounds: half of mu of H": scaled("hadamard_mu_hessian", 1 / 2),
    "bounds: mu of H not its root": {"quipref.bounds:hadamard_mu_hessian": lambda f: lambda n, p: f(n, p) ** 2},
    "bounds: a root over mu of W": {"quipref.bounds:hadamard_mu_weights": lambda f: lambda m, n, p: f(m, n, p) ** 0.5},
    "bounds: mu of W squared": {"quipref.bounds:hadamard_mu_weights": lambda f: lambda m, n, p: f(m, n, p) ** 2},
    "bounds: a coordinate's log squared": {
        "quipref.bounds:kronecker_coordinate": lambda f: lambda *args: f(*args) ** 2 / 2
    },
    "bounds: half of Kronecker's mu of H": scaled("kronecker_mu_hessian", 1 / 2),
    "bounds: half of the largest mu of H": scaled("largest_mu_hessian", 1 / 2),
    "bounds: half of the largest mu of W": scaled("largest_mu_weights", 1 / 2),
    "bounds: 1 % below the rescaled product": scaled("rescaled_product", 0.99),
    "bounds: 1 % above the rescaled product": scaled("rescaled_product", 1.01),
}
