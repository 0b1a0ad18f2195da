"""An example of every picture of Viterbi's algorithm and of QTIP, as in pictures.py, and the passes behind them."""

import numpy as np

import quipref as q
from quipref.figures import butterfly, circle, qtip, viterbi
from quipref.trellis import codes

FOUR = q.BitshiftTrellis(4, 1)
QUARTERS = np.round(4 * codes.gaussian(3, seed=0)[:, 0]) / 4  # values whose costs are exact, and often equal


def forward(x, table, k, last=False):
    """The state that won each group, and the costs of all states, after each step."""
    groups, state = len(table) >> k, np.arange(len(table))
    least, before, costs = np.zeros(groups), [], []
    for target in x:
        costs.append(np.square(table - target) + least[state >> k])
        rivals = costs[-1].reshape(-1, groups)
        winner = len(rivals) - 1 - rivals[::-1].argmin(axis=0) if last else rivals.argmin(axis=0)
        before.append(winner * groups + state[:groups])
        least = rivals.min(axis=0)
    return np.array(before), np.array(costs)


def back(before, state, k):
    walk = [state]
    for choice in before[-2::-1]:
        walk.append(choice[walk[-1] >> k])
    return np.array(walk[::-1])


def a_pass(steps=32):
    """before, costs of a Gaussian sequence with L = 4 and k = 1."""
    return forward(np.random.default_rng(0).standard_normal(steps), codes.gaussian(4, seed=0)[:, 0], 1)


def film():
    before, costs = a_pass()
    return viterbi.film(before, costs.reshape(len(costs), 2, -1).min(axis=1), 1, [2, 5, 8, 12, 16, 20])


def merging():
    return viterbi.merging(a_pass()[0], 1, {L: 1 + 2.0 ** (L - 1 - np.arange(41) / 4) for L in (4, 6, 8)})


def tie():
    """A sequence in which states 1 and 5 cost the same after step 5."""
    x, rules = np.round(4 * np.random.default_rng(27).standard_normal(12)) / 4, {}
    for name in ("smallest predecessor", "largest predecessor"):
        before, costs = forward(x, QUARTERS, 1, last=name.startswith("largest"))
        rules[name] = back(before, costs[-1].argmin(), 1), costs[-1].min()
    return viterbi.tie(costs[5], 1, 1, rules)


def algorithm_4():
    free, second = [12, 8, 0, 1, 3, 7, 15, 14, 13, 10, 4, 9, 3, 6, 13, 11], [12, 8, 0, 1, 3, 7, 15, 14]
    second += [13, 10, 5, 11, 6, 13, 11, 6]
    return circle.algorithm_4(np.array(free), np.roll(second, 8), np.array(second), FOUR)


def price_of_a_circle():
    lengths = [16, 32, 64, 128, 256]
    excess = {"best circle": 8 / np.array(lengths), "algorithm 4": 8 / np.array(lengths) + 300 / np.square(lengths)}
    return circle.price_of_a_circle(lengths, excess, {L: L / np.array(lengths) for L in (4, 6, 8)})


def places():
    return butterfly.places(4, [1, 2])


def coarse_costs():
    steps, sizes = 2.0 ** np.arange(2, 12), np.arange(1, 6.1, 0.5)
    return butterfly.coarse_costs(steps, 4 / steps**1.5, 512, sizes, np.clip(sizes / 2 - 1.2, 0, 1))


def targets():
    rng = np.random.default_rng(0)
    parts = {"weights": rng.standard_t(4, (64, 64)), "rotated weights": rng.standard_normal((64, 64))}
    return qtip.targets(parts | {"targets": 1.1 * rng.standard_normal((64, 64))}, np.linspace(1, 1.2, 16), 0.85)


def tile():
    rng = np.random.default_rng(0)
    target = rng.standard_normal((16, 16))
    return qtip.tile(target, 0.9 * target, rng.integers(0, 2**16, (16, 2), np.uint16))


def loss_by_states():
    states = {"1mad": [4, 6, 8, 10, 12, 16], "3inst": [4, 8, 12], "lut": [4, 8, 12], "hyb": [8, 12]}
    losses = {name: [1.2 / L**1.2 for L in some] for name, some in states.items()}
    return qtip.loss_by_states(states, losses, {"nearest": 1.0, "LDLQ": 0.96, "QuIP": 0.4})


def rates():
    bits = np.array([1, 2, 3, 4])
    errors = {L: (1 + 3 / L) * 4.0**-bits for L in (4, 8, 12, 16)}
    return qtip.rates(bits.tolist(), errors, 2.0 * 4.0**-bits)


TOPICS = viterbi, circle, butterfly, qtip
EXAMPLES = {
    viterbi.film: film,
    viterbi.merging: merging,
    viterbi.tie: tie,
    circle.algorithm_4: algorithm_4,
    circle.price_of_a_circle: price_of_a_circle,
    butterfly.places: places,
    butterfly.coarse_costs: coarse_costs,
    qtip.targets: targets,
    qtip.tile: tile,
    qtip.loss_by_states: loss_by_states,
    qtip.rates: rates,
}
