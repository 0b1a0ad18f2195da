"""QuIP# (arXiv:2402.04396): coordinate passes over blocks of columns, and when they can go up.

The passes are the program's (`quip_tune_iters`); the paper states nothing of them. A quantizer of g columns is
nearest in the ordinary distance, while the loss of a block is the distance of H_kk.
"""

import numpy as np
from hypothesis import strategies as st
from theorems.claims import for_all
from theorems.slack import EPS

import quipref
from quipref.rounding import block_descent as module
from quipref.testing.strategies import layers, seeded_layers

ORDERS = st.sampled_from(["forward", "backward"])
SEEDS = st.integers(0, 2**32 - 1)
PASSES = 4


class Integers(quipref.IntegerGrid):
    """All integers, g of them together."""

    def __init__(self, block):
        super().__init__()
        self.block = block


@st.composite
def starts(draw, blocks=(1, 2, 4, 8)):
    """(W, H, quantizer, start): a layer of whole blocks and codes anywhere about it."""
    block = draw(st.sampled_from(blocks))
    n = st.sampled_from([n for n in (1, 2, 4, 8, 16) if n % block == 0])
    W, H = draw(layers(n=n, singular=True, dead=True, outliers=True, low=1e-2) | seeded_layers(n=n))
    lattice = block == 8 and draw(st.booleans())
    round_to = quipref.E8Lattice() if lattice else Integers(block)
    noise = np.random.default_rng(draw(SEEDS)).normal(0, 2, W.shape)
    return W, H, round_to, module.rounded(W + noise, W, round_to)


def alike(H, block):
    """H with multiples of the identity as its diagonal blocks, the scales those of its own."""
    for k in range(0, len(H), block):
        here = slice(k, k + block)
        values, vectors = np.linalg.eigh(H[here, here])
        root = (vectors / np.sqrt(values / values.mean())) @ vectors.T
        H[here], H[:, here] = root @ H[here], H[:, here] @ root
        H[here, here] = values.mean() * np.eye(block)
    return (H + H.T) / 2


def losses(W, W_hat, H):
    """Of each row (m,)."""
    return np.einsum("ij,ij->i", (W - W_hat) @ H, W - W_hat)


def visited(W, H, round_to, start, order):
    """The start and the plain iterate after each pass."""
    run = module.iterates(W, H, *start, round_to, PASSES, order, 1)
    return [start[0], *(W_hat.copy() for W_hat, _, _ in run)]


def descent_slack(W, H, round_to, points):
    """Of a row's loss after passes that visit these points, against exact arithmetic.

    No number exceeds s = max |W| + max |W_hat| + 1. A target is off by n EPS s (1 + n c), c the largest entry of
    |H| |H_kk^-1|, twice for the inverse; the squared distance between two points to it by 4 s sqrt(g) times that; and
    the loss by tr H times that for each update of each pass. What is measured is off by 4 n EPS s^2 |H|.
    """
    n, s = len(H), np.abs(W).max() + max(np.abs(W_hat).max() for W_hat in points) + 1
    inverses = np.abs(module.block_inverses(H, round_to.block))
    pulls = np.abs(H).reshape(n, -1, round_to.block).swapaxes(0, 1) @ inverses
    target = 2 * n * EPS * s * (1 + n * pulls.max())
    return len(points) * (4 * s * n * np.trace(H) * target + 4 * n * EPS * s**2 * np.abs(H).sum())


class TestS9BlockDescent:
    """S9, the passes of QuIP#'s program: W_hat_k <- Q(W_hat_k + (W - W_hat) H_{.,k} H_kk^-1). Not always descent.

    The target is the block that minimises the loss with all others fixed. Q's nearest point to it is the best one
    where H_kk is a multiple of the identity: always for one column a block, and then no pass raises the loss. For
    more columns a pass can raise it. The best of all iterates never loses more than the start.
    """

    @for_all(starts(), ORDERS)
    def test_the_target_is_the_best_unrounded_block(self, problem, order):
        """There the gradient vanishes: with the target in the block's place, (W - W_hat) H is zero in its columns."""
        W, H, round_to, start = problem
        targets, block = [], round_to.block

        class Spy:
            def __init__(self):
                self.block = block

            def quantize(self, T, rng=None):
                targets.append(T)
                return round_to.quantize(T)

        before, after, *_ = [*visited(W, H, Spy(), start, order), None][:2]
        slack = descent_slack(W, H, round_to, [before, after, W + np.abs(targets).max()])
        blocks = range(0, W.shape[1], block)[:: 1 if order == "forward" else -1]
        for a, target in zip(blocks, targets, strict=False):
            here, E = slice(a, a + block), W - before
            E[:, here] = W[:, here] - target
            assert (np.abs(E @ H[:, here]) <= slack).all()
            before[:, here] = after[:, here]

    @for_all(starts(blocks=(1,)), ORDERS)
    def test_with_one_column_a_block_no_pass_raises_the_loss(self, problem, order):
        W, H, round_to, start = problem
        points = visited(W, H, round_to, start, order)
        found = [losses(W, W_hat, H) for W_hat in points]
        assert (np.diff(found, axis=0) <= descent_slack(W, H, round_to, points)).all()

    @for_all(st.sampled_from([2, 4, 8]), SEEDS, ORDERS)
    def test_nor_with_blocks_that_h_weighs_alike(self, block, seed, order):
        rng = np.random.default_rng(seed)
        W, H = quipref.random_layer(3, 16, spectrum=rng.choice(["power", "flat", "outlier"]), seed=rng)
        H = alike(H, block)
        round_to = quipref.E8Lattice() if block == 8 else Integers(block)
        start = module.rounded(W + rng.normal(0, 2, W.shape), W, round_to)
        points = visited(W, H, round_to, start, order)
        found = [losses(W, W_hat, H) for W_hat in points]
        assert (np.diff(found, axis=0) <= descent_slack(W, H, round_to, points)).all()

    @for_all(starts(), ORDERS, st.sampled_from(["numba", "numpy"]))
    def test_each_row_keeps_the_best_it_visits(self, problem, order, backend):
        W, H, round_to, start = problem
        points = visited(W, H, round_to, start, order)
        options = {"round_to": round_to, "start": start[1], "order": order, "backend": backend}
        W_hat, codes = quipref.block_descent(W, H, passes=PASSES, return_codes=True, **options)
        assert (np.asarray(round_to.decode(codes)) == W_hat).all()
        slack = descent_slack(W, H, round_to, points)
        least = np.min([losses(W, point, H) for point in (points if backend == "numpy" else points[:1])], axis=0)
        assert (losses(W, W_hat, H) <= least + slack).all()

    def test_false_that_no_pass_raises_the_loss(self):
        """In exact arithmetic, one block alone: the target is W itself, and its nearest point is not the cheapest."""
        pair = np.array([1.0, 1, 0, 0, 0, 0, 0, 0])
        cases = (
            (Integers(2), [[3 / 8, 3 / 8]], [[1.0, 3 / 4], [3 / 4, 1]], [[1.0, 0.0]], [23 / 128, 63 / 128]),
            (
                quipref.E8Lattice(),
                7 / 16 * pair[None],
                np.eye(8) + 4 * np.outer(pair, pair),
                [8 * [1 / 2]],
                [1.5703125, 3.4453125],
            ),
        )
        for round_to, W, H, start, expected in cases:
            W, H, start = np.array(W), np.array(H), np.array(start)
            points = visited(W, H, round_to, module.rounded(start, W, round_to), "backward")
            assert [losses(W, W_hat, H).item() for W_hat in points[:2]] == expected
            assert (quipref.block_descent(W, H, round_to=round_to, start=start) == start).all()
