"""An example of every picture: the topics, their public functions, and a call that draws each."""

import numpy as np
import pictures_block_ldlq
import pictures_gallery
import pictures_harness
import pictures_lanes
import pictures_lattice
import pictures_quip_sharp
import pictures_residual
import pictures_sweeps
import pictures_trellis
import pictures_viterbi

import quipref as q
from quipref.figures import errata, feedback, hadamard, incoherence, mu, nearest_plane, proxy, quip
from quipref.incoherence.report import incoherence_report

H2 = np.array([[1.0, 0.45], [0.45, 0.4]])
ZERO = np.zeros((2, 2))


def two_errors():
    X = np.random.default_rng(0).multivariate_normal(np.zeros(2), H2, 200)
    return proxy.two_errors(X, {"along": np.array([0.3, 0.3]), "across": np.array([0.3, -0.3])})


def level_ellipses():
    w = np.array([0.4, 0.4])
    return proxy.level_ellipses(w, H2, {"nearest": np.zeros(2), "ldlq": np.array([1.0, 0.0]), "other": np.ones(2)})


def all_roundings():
    rng = np.random.default_rng(0)
    return proxy.all_roundings(rng.random(50), rng.random(50) + 0.1, {"nearest": 3, "ldlq": 4, "best": 5})


def spectra():
    return proxy.spectra({"singular": np.array([0.0, 1.0, 2.0]), "damped": np.array([0.1, 1.1, 2.1])})


def feedback_index():
    return feedback.feedback_index(6, 4)


def halving():
    return feedback.halving(64, 8)


def losses_over_bound():
    rng = np.random.default_rng(0)
    return feedback.losses_over_bound({"nearest": 1.5 * rng.random(300), "ldlq": rng.random(300)})


def order_ablation():
    rng = np.random.default_rng(0)
    kinds = "power", "outlier", "low_rank"
    return feedback.order_ablation(*({kind: 0.5 + rng.random(9) for kind in kinds} for _ in range(2)))


def counterexample():
    ratios = {name: np.array([1.0, 2.0, 4.0]) ** i for i, name in enumerate(("one", "two", "three", "four"))}
    return feedback.counterexample(np.array([0.5, 0.5, -9.0]), 0, 3, [8, 16, 32], ratios)


def pull_and_push():
    rng = np.random.default_rng(0)
    return nearest_plane.pull_and_push(np.triu(rng.normal(size=(6, 6)), 1), np.triu(rng.normal(size=(6, 6)), 1))


def cells():
    return nearest_plane.cells(H2, {"nearest": ZERO, "forward": q.ldl(H2)[0], "backward": backward(H2)})


def babai_steps():
    return nearest_plane.nearest_plane(H2, np.array([0.42, 0.44]))


def near_ties():
    return nearest_plane.near_ties(10.0 ** -np.arange(4, 9), {"one pair": np.linspace(0, 1, 5), "other": np.ones(5)})


def before_and_after():
    panels = []
    layer = q.random_layer(12, 16, spectrum="outlier", seed=0)
    incoherence_report(*layer, seed=0, look=lambda *panel: panels.append(panel))
    return incoherence.before_and_after(panels)


def heatmaps():
    W, H = q.random_layer(12, 16, spectrum="outlier", seed=0)
    return incoherence.heatmaps(dict.fromkeys(("before", "kronecker", "hadamard"), (W, H, 3.1, 2.9)))


def against_gaussian():
    rng = np.random.default_rng(0)
    weights = {name: rng.standard_normal((40, 50)) for name in ("before", "kronecker", "hadamard", "fourier")}
    weights["before"] **= 3
    return incoherence.against_gaussian(weights, np.linspace(-2, 2, 9))


def one_grid():
    W = np.random.default_rng(0).standard_normal((30, 30))
    return mu.one_grid({"before": W**3, "rotated": W}, bits=3)


def turned_direction():
    rng = np.random.default_rng(0)
    return mu.turned_direction({n: np.sqrt(n) * rng.uniform(0.5, 1, 50) for n in (2, 16, 128, 1024)})


def mu_and_bounds():
    rng = np.random.default_rng(0)
    sizes = 2 ** np.arange(4, 13)
    found = {name: rng.uniform(3.5, 5.5, 100) for name in ("kronecker", "hadamard")}
    return mu.mu_and_bounds(128, found, sizes, {"kronecker": 40 + 0 * sizes, "hadamard": 6 + 0 * sizes}, 0.01)


def trace_bounds():
    return mu.trace_bounds({"steep": (0.9, 1.0, 4.0), "steep, rotated": (0.02, 0.03, 0.4)})


def losses_of_layers():
    rng = np.random.default_rng(0)
    losses = {kind: np.exp(rng.uniform(-5, -2, (4, 2))) for kind in ("q, k", "o", "down")}
    return mu.losses_of_layers(losses, {kind: 1.05 * loss for kind, loss in losses.items()})


def entries():
    return hadamard.entries({f"order {n}": q.hadamard_plan(n).matrix() for n in (4, 6, 7, 8, 12)})


def map_of_sizes():
    return hadamard.map_of_sizes({n: q.hadamard_plan(n) for n in range(4, 801, 4)})


def butterflies():
    return hadamard.butterflies(8)


def stems():
    spike = np.eye(1, 16, k=3)[0]
    return hadamard.stems({name: (spike, np.full(16, 0.25)) for name in ("one", "two")})


def ladder():
    rng = np.random.default_rng(0)
    names = "nearest", "LDLQ", "QuIP, step of least error"
    return quip.ladder({name: np.exp(rng.uniform(-2, 0.5, 9)) for name in names})


def ranges():
    fine, reach = np.linspace(1, 3, 21), np.linspace(1, 3, 11)
    losses = {f"layer {i}": 1 + i * (reach - 2) ** 2 for i in (1, 2, 3)}
    return quip.ranges(np.array([fine, 0.1 + (fine - 1.5) ** 2]), reach, losses, 2.4)


def under_the_bounds():
    rng = np.random.default_rng(0)
    return quip.under_the_bounds(rng.uniform(0.3, 0.4, 12), 1 / 3, rng.uniform(20, 400, 12))


def perplexities():
    scores = {
        "nearest": [4.0, 3.5, 3.2],
        "LDLQ": [3.7, 3.3, 3.2],
        "QuIP": [3.5, 3.3, 3.2],
        "QuIP, LDLQ-RG": [3.4, 3.2, 3.1],
    }
    return quip.perplexities([2, 3, 4], scores, 3.0)


def stochastic_worst_case():
    square = np.add.outer(np.linspace(0, 0.2, 9), np.linspace(0.2, 0, 9))
    return errata.stochastic_worst_case(
        square, np.array([0, 0.3, 0.5, 0.8]), np.array([0.52, 0.48, 0.45, 0.55]), 0.3, 0.5
    )


def sign_losses():
    return errata.sign_losses(np.random.default_rng(0).exponential(size=500), 1.0)


def uniform_widths():
    widths = np.linspace(0.3, 3, 10)
    return errata.uniform_widths(widths, {"nearest": 1 / widths, "stochastic": widths}, 0.7)


def against_nearest():
    rng = np.random.default_rng(0)
    nearest = rng.random(60)
    return errata.against_nearest(nearest, nearest * rng.choice([0.8, 1.0, 1.2], 60))


def rotated_ones():
    return errata.rotated_ones(np.random.default_rng(0).uniform(4, 10, 90), 5.3, 28.6, 0.01)


def descents():
    return errata.descents(
        {"clamp inside each update": np.array([5.0, 4, 4]), "clamp after the pass": np.array([5.0, 7, 6])}
    )


def summary():
    numbers = np.array([[0.5, 1, 32, 1], [0.4, 80, 1, 1.1], [0.01, 2, 0, 0.02]])
    return errata.summary(["1. Q2b", "2. S4", "3. Q9", "4. Q4"], *numbers, ["=", "<=", ">=", "<="])


def backward(H):
    """The strictly lower feedback of ldlq(..., order="backward")."""
    return q.ldl(H[::-1, ::-1])[0][::-1, ::-1]


# Each public function of a topic that draws, and the example that draws it.
OTHERS = (
    pictures_block_ldlq,
    pictures_gallery,
    pictures_harness,
    pictures_lanes,
    pictures_lattice,
    pictures_quip_sharp,
    pictures_residual,
    pictures_sweeps,
    pictures_trellis,
    pictures_viterbi,
)
TOPICS = (
    proxy,
    feedback,
    nearest_plane,
    incoherence,
    mu,
    hadamard,
    quip,
    errata,
    *(topic for module in OTHERS for topic in module.TOPICS),
)
EXAMPLES = {
    proxy.two_errors: two_errors,
    proxy.level_ellipses: level_ellipses,
    proxy.all_roundings: all_roundings,
    proxy.spectra: spectra,
    feedback.feedback_index: feedback_index,
    feedback.halving: halving,
    feedback.losses_over_bound: losses_over_bound,
    feedback.order_ablation: order_ablation,
    feedback.counterexample: counterexample,
    nearest_plane.pull_and_push: pull_and_push,
    nearest_plane.cells: cells,
    nearest_plane.nearest_plane: babai_steps,
    nearest_plane.near_ties: near_ties,
    incoherence.before_and_after: before_and_after,
    incoherence.heatmaps: heatmaps,
    incoherence.against_gaussian: against_gaussian,
    mu.one_grid: one_grid,
    mu.turned_direction: turned_direction,
    mu.mu_and_bounds: mu_and_bounds,
    mu.trace_bounds: trace_bounds,
    mu.losses_of_layers: losses_of_layers,
    hadamard.entries: entries,
    hadamard.map_of_sizes: map_of_sizes,
    hadamard.butterflies: butterflies,
    hadamard.stems: stems,
    quip.ladder: ladder,
    quip.ranges: ranges,
    quip.under_the_bounds: under_the_bounds,
    quip.perplexities: perplexities,
    errata.stochastic_worst_case: stochastic_worst_case,
    errata.sign_losses: sign_losses,
    errata.uniform_widths: uniform_widths,
    errata.against_nearest: against_nearest,
    errata.rotated_ones: rotated_ones,
    errata.descents: descents,
    errata.summary: summary,
    **{drawn: example for module in OTHERS for drawn, example in module.EXAMPLES.items()},
}
