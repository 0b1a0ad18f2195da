"""The right-hand side of every theorem, as functions of numbers.

They take traces, eigenvalues and mu, not matrices, so each line can be read against the paper.
Losses are for m rows on a grid of step 1; on a grid of step s multiply by s^2.
"""

import math

NEAREST, STOCHASTIC = 12, 6  # E[eta^2] is 1/12 for nearest rounding of a uniform target, 1/6 for stochastic


def worst_case(m, trace_D):
    """m/4 tr D: no layer loses more under LDLQ on the integers (QuIP, arXiv:2307.13304, theorem 1)."""
    return m / 4 * trace_D


def average_case(m, trace_D, rounding=NEAREST):
    """m/12 tr D (nearest) or m/6 tr D (stochastic): the mean over uniform layers (QuIP, theorem 1)."""
    return m / rounding * trace_D


def incoherent_trace(mu, n, trace_root):
    """mu^2/n (tr H^1/2)^2, an upper bound of tr D for mu-incoherent H (QuIP, lemma 2)."""
    return mu**2 / n * trace_root**2


def root_trace(trace_root, largest_root_diagonal):
    """tr(H^1/2) max_i (H^1/2)_ii, an upper bound of tr D that needs no incoherence (QuIP, lemma 2)."""
    return trace_root * largest_root_diagonal


def low_rank_ratio(mu, rank, n):
    """mu^2 k/n, an upper bound of tr D / tr H at rank k (QuIP, after lemma 2)."""
    return mu**2 * rank / n


def plain_worst_case(m, n, largest_eigenvalue):
    """m n lambda_max / 4: no layer loses more under nearest rounding without feedback.

    The m/4 tr H of QuIP's lemma 3 holds for stochastic rounding; nearest can be worse.
    """
    return m * n * largest_eigenvalue / 4


def plain_stochastic_worst_case(m, trace_H):
    """m/4 tr H, the largest mean loss of stochastic rounding without feedback (QuIP, lemma 3)."""
    return m / 4 * trace_H


def determinant_floor(n, log_determinant):
    """n det(H)^(1/n) <= tr D, by the inequality of arithmetic and geometric means."""
    return n * math.exp(log_determinant / n)
