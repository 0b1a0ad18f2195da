"""Statements about adaptive rounding that are false as printed, or as they are often repeated; each with a number.

`ERRATA` is the list, `errata_table()` prints it. An entry's `evidence()` computes what the statement says and
what is the case, on layers of `quipref.testing.counterexamples`, the same numbers on every run.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from scipy.stats import binom

from quipref import bounds, tables
from quipref.factor import ldl
from quipref.incoherence.hadamard import hadamard_plan
from quipref.incoherence.measure import mu_hessian, mu_weights
from quipref.incoherence.rotations import RandomizedHadamard
from quipref.lattice import e8p
from quipref.problems import Layer
from quipref.proxy import proxy_loss
from quipref.rounding.grid import IntegerGrid
from quipref.rounding.ldlq import ldlq, linear_feedback
from quipref.testing import counterexamples as layers

QUIP, QUIP_SHARP = "QuIP, arXiv:2307.13304v2", "QuIP#, arXiv:2402.04396v2"


class Evidence(NamedTuple):
    """What the statement says, what was found instead, and by how much the second may be off: three numbers."""

    claimed: float
    found: float
    error: float = 0.0


@dataclass(frozen=True)
class Erratum:
    """A statement that is not true.

    Attributes
    ----------
    tag : str
        The statement's tag in the theorem tests.
    name : str
        Of three words or so, for a picture.
    source : str
        The paper, its version and the place.
    kind : "printed", "misquoted" or "program"
        False as it stands there; true there and often repeated without its conditions; or what a
        program does, not what its paper says.
    second_hand : bool
        The text of the source was not at hand: the statement is as others quote it, or as the program has it.
    claim : str
        The statement, in our words.
    relation : "=", "<=" or ">="
        How the claim puts what was found to what it claims.
    truth : str
        What holds instead.
    evidence : callable
        Computes the `Evidence`, the same on every call.
    """

    tag: str
    name: str
    source: str
    kind: Literal["printed", "misquoted", "program"]
    second_hand: bool
    claim: str
    relation: Literal["=", "<=", ">="]
    truth: str
    evidence: Callable[[], Evidence]

    def mark(self) -> str:
        """Its kind, and how sure of it one can be where the text of the source was not at hand."""
        unread = {"printed": "printed, as quoted", "misquoted": "misquoted, source not read"}
        return unread[self.kind] if self.second_hand else self.kind

    def margin(self) -> float:
        """By how much the evidence misses the claim, all possible errors taken off: the claim is false above zero."""
        claimed, found, error = self.evidence()
        miss = {"=": abs(found - claimed), "<=": found - claimed, ">=": claimed - found}[self.relation]
        return miss - error


def stochastic_equality() -> Evidence:
    """LDLQ's largest mean loss on a grid of layers and what it can gain between its points; the bound is 1/4 tr D."""
    U, D = ldl(layers.STOCHASTIC_H)
    found, between = layers.worst_stochastic_mean(U[0, 1])
    return Evidence(bounds.worst_case(1, float(D.sum())), found, between)


def stochastic_optimality() -> Evidence:
    """LDLQ's mean loss on the layer (1/2, 1/2) against the largest of the feedback 1/2 on any layer."""
    U, _ = ldl(layers.STOCHASTIC_H)
    other, between = layers.worst_stochastic_mean(0.5)
    found = layers.stochastic_mean_losses(np.array([[0.5, 0.5]]), U, layers.STOCHASTIC_H)[0]
    return Evidence(other, float(found), between)


def uniform_average(interval: float = 0.7, points: int = 7000) -> Evidence:
    """The mean over weights uniform on [0, 0.7] by the midpoint rule, one column and H = 1, so that tr D = 1.

    The error of the rule is (length of a step)^2 / 12, as the squared error has second derivative 2 but for
    its kink at 1/2, which lies between two steps.
    """
    W, H = interval * (np.arange(points) + 0.5)[:, None] / points, np.eye(1)
    found = proxy_loss(W, ldlq(W, H), H) / points
    return Evidence(bounds.average_case(1, 1.0), found, (interval / points) ** 2 / 12 + 1e-12)


def single_layer() -> Evidence:
    """LDLQ's loss on one layer of three columns; nearest rounding's is the claim."""
    W, H = layers.LDLQ_LOSES
    nearest = IntegerGrid().quantize(W)[1]
    return Evidence(proxy_loss(W, nearest, H), proxy_loss(W, ldlq(W, H), H))


def nearest_without_feedback(n: int = 16) -> Evidence:
    """The loss of nearest rounding where the errors of all columns agree; the claim is 1/4 tr H."""
    return Evidence(bounds.plain_stochastic_worst_case(1, 2.0 * n), _plain_loss(layers.aligned_halves(n, ridge=1.0)))


def independent_blocks(n: int = 64, g: int = 2) -> Evidence:
    """Nearest rounding, g columns a block: e e^T <= |e|^2 I <= g/4 I, so sigma^2 = g/4; claimed is g sigma^2 tr H."""
    return Evidence(g * (g / 4) * n, _plain_loss(layers.aligned_halves(n)))


def _plain_loss(layer: Layer) -> float:
    W, H = layer
    return proxy_loss(W, linear_feedback(W, np.zeros_like(H)), H)


def either_order(n: int = 64) -> Evidence:
    """LDLQ's loss in units of nearest rounding's, from right to left; from left to right it is above n/2."""
    W, H = layers.clamped_counterexample(n)
    grid = IntegerGrid(0, 3)
    W_hat, nearest = ldlq(W, H, round_to=grid, order="backward"), grid.quantize(W)[1]
    return Evidence(n / 2, proxy_loss(W, W_hat, H, normalize="nearest", nearest=nearest))


def identity_mu(n: int = 16) -> Evidence:
    """What the eigensolver's basis of the identity shows, against the Hadamard basis of the same matrix."""
    basis = hadamard_plan(n).matrix() / np.sqrt(n)
    return Evidence(mu_hessian(np.eye(n)), mu_hessian(np.eye(n), basis=basis))


def weights_without_log(n: int = 64, delta: float = 0.01, draws: int = 200) -> Evidence:
    """The share of randomized Hadamard transforms of the matrix of ones whose mu exceeds sqrt(2 log(4n^2/delta)).

    Rotated on both sides, 1 1^T is (A 1)(B 1)^T. The error is what a share of probability delta may reach by
    chance, but for one time in a million.
    """
    rng, ones = np.random.default_rng(0), np.ones(n)
    threshold = np.sqrt(bounds.hadamard_mu_weights(n, n, delta))
    above = 0
    for _ in range(draws):
        a, b = (RandomizedHadamard(n, seed=rng).apply(ones) for _ in range(2))
        above += mu_weights(np.outer(a, b)) > threshold
    return Evidence(delta, float(above / draws), float(binom.ppf(1 - 1e-6, draws, delta)) / draws - delta)


def transposed_trace() -> Evidence:
    """One error of 1/4 in the second column, at the price D_2 = 1: the claim counts it at the first row's D_1 = 4."""
    W, H = np.array([[0.0, 0.25], [0.0, 0.0]]), np.diag([4.0, 1.0])
    W_hat = ldlq(W, H)
    U, D = ldl(H)
    eta = (W - W_hat) @ (U + np.eye(2))
    return Evidence(float(np.trace(eta.T @ np.diag(D) @ eta)), proxy_loss(W, W_hat, H))


def printed_point() -> Evidence:
    """The second coordinate, without its sign: as printed, and as the word of pattern, signs and shift has it."""
    (row,) = np.flatnonzero((e8p.patterns() == np.array([1, 1, 1, 3, 1, 1, 1, 1]) / 2).all(axis=1))
    word = int(row) << 8 | 0b1001011 << 1 | 1
    return Evidence(3 / 4, float(abs(e8p.decode(e8p.from_paper_format(word))[1])))


def late_clamp() -> Evidence:
    """The loss after a pass that is clamped at its end; the claim is the loss before."""
    (W, H), grid, start = layers.LATE_CLAMP
    after = layers.clamp_after_the_pass(W, H, grid, start)
    return Evidence(proxy_loss(W, start, H), proxy_loss(W, after, H))


ERRATA = (
    Erratum(
        "Q2b", "a stochastic equality", f"{QUIP}, theorem 1", "printed", True,
        "the worst layer's mean loss under stochastic LDLQ equals m/4 tr D", "=",
        "It is at most m/4 tr D, and equals it for instance where U is integer.", stochastic_equality,
    ),
    Erratum(
        "Q2b", "stochastic LDLQ's optimum", f"{QUIP}, theorem 1", "printed", True,
        "stochastic LDLQ has the least worst mean loss of all linear feedbacks", "<=",
        "Its bound m/4 tr D is the least; another feedback can have a smaller worst layer.", stochastic_optimality,
    ),
    Erratum(
        "Q2c", "any uniform weights", f"{QUIP}, theorem 1", "misquoted", True,
        "the mean loss over uniform weights is m/12 tr D, here on [0, 0.7]", "=",
        "The fractional parts must be uniform: [0, K] with an integer K, or any layer with a uniform shift.",
        uniform_average,
    ),
    Erratum(
        "Q2a", "LDLQ against nearest", f"{QUIP}, theorem 1", "misquoted", True,
        "LDLQ is optimal, so it loses no more than nearest rounding on any layer", "<=",
        "Optimal among feedbacks that know H alone, in the worst layer and on average; not layer by layer.",
        single_layer,
    ),
    Erratum(
        "Q4", "nearest without feedback", f"{QUIP}, lemma 3", "misquoted", True,
        "nearest rounding without feedback loses at most m/4 tr H", "<=",
        "That is stochastic rounding's worst mean; nearest can lose m/4 max s^T H s over the signs s.",
        nearest_without_feedback,
    ),
    Erratum(
        "Q9", "clamped, any order", f"{QUIP}, supplement", "misquoted", True,
        "on the clamped counterexample LDLQ loses over n/2 times nearest's loss, in any order", ">=",
        "Only from left to right; from right to left, as the authors' quantizer goes, it does as well as nearest.",
        either_order,
    ),
    Erratum(
        "Q3'", "mu from solvers", f"{QUIP}, the definition of incoherence", "misquoted", True,
        "the mu of H is that of the eigenvectors which a solver returns, here for H = I", "=",
        "Some eigenbasis must have it: with equal eigenvalues a solver's basis gives an upper bound and no more.",
        identity_mu,
    ),
    Erratum(
        "Q13", "clamp after passes", "QuIP's program", "program", False,
        "a pass of greedy updates never raises the loss, here clamped at its end", "<=",
        "True with the clamp inside each update.", late_clamp,
    ),
    Erratum(
        "S4", "one root missing", f"{QUIP_SHARP}, lemma 3.1", "misquoted", False,
        "mu of W exceeds sqrt(2 log(4mn/delta)) with probability at most delta = 0.01", "<=",
        "The proof multiplies two such roots, one a side: the bound is 2 log(4mn/delta), without a root.",
        weights_without_log,
    ),
    Erratum(
        "S7", "blocks without feedback", f"{QUIP_SHARP}, remark after theorem 4.1", "printed", False,
        "rounding blocks of g columns independently loses at most g m sigma^2 tr H in the mean", "<=",
        "(n/g) m sigma^2 tr H in general, as the errors of blocks may agree; m sigma^2 tr H if they are unbiased.",
        independent_blocks,
    ),
    Erratum(
        "S8", "D's wrong side", f"{QUIP_SHARP}, proof of theorem 4.1", "printed", False,
        "the loss is tr(eta^T D eta)", "=",
        "The loss is tr(eta D eta^T), a column's errors at the price of that column.", transposed_trace,
    ),
    Erratum(
        "E4", "a printed point", f"{QUIP_SHARP}, appendix C.2", "printed", False,
        "(1, 1, 1, 3, 1, 1, 1, 1) / 2 with the signs 1001011 and the shift 1/4 has 3/4 in second place", "=",
        "It has 1/4 there; the printed vector is no point of the codebook.", printed_point,
    ),
)  # fmt: skip

HEADINGS = ("statement", "where", "kind", "says", "found")


def errata_table() -> str:
    """All errata as a Markdown table, and below it what holds instead of each."""
    lines = [
        (
            f"{i}. {entry.name}: {entry.claim}",
            entry.source,
            entry.mark(),
            f"{entry.relation} {claimed:.4g}",
            f"{found:.4g}",
        )
        for i, entry in enumerate(ERRATA, start=1)
        for claimed, found, _ in (entry.evidence(),)
    ]
    truths = [f"{i}. {entry.truth}" for i, entry in enumerate(ERRATA, start=1)]
    return "\n".join((tables.markdown(HEADINGS, lines), "", *truths))
