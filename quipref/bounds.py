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


def two_sided_worst_case(trace_D_out, trace_D_in):
    """tr D_out tr D_in / 4: no layer loses more under `two_sided_ldlq` on the integers (YAQA, arXiv:2505.22988)."""
    return worst_case(trace_D_out, trace_D_in)


def two_sided_average_case(trace_D_out, trace_D_in, rounding=NEAREST):
    """tr D_out tr D_in / 12 (nearest) or / 6 (stochastic): the mean over uniform layers (YAQA).

    With feedback on one side alone, tr H takes the place of tr D on the other.
    """
    return average_case(trace_D_out, trace_D_in, rounding)


def two_sided_incoherent_trace(mu_out, m, trace_root_out, mu_in, n, trace_root_in):
    """mu_out^2 mu_in^2/(mn) (tr H_out^1/2)^2 (tr H_in^1/2)^2 >= tr D_out tr D_in, for incoherent H_out, H_in (YAQA)."""
    return incoherent_trace(mu_out, m, trace_root_out) * incoherent_trace(mu_in, n, trace_root_in)


def incoherent_trace(mu, n, trace_root):
    """mu^2/n (tr H^1/2)^2, an upper bound of tr D for mu-incoherent H (QuIP, lemma 2)."""
    return mu**2 / n * trace_root**2


def root_trace(trace_root, largest_root_diagonal):
    """tr(H^1/2) max_i (H^1/2)_ii, an upper bound of tr D that needs no incoherence (QuIP, lemma 2)."""
    return trace_root * largest_root_diagonal


def block_root_trace(trace_root, largest_block_norm):
    """tr(H^1/2) max_b |(H^1/2)_bb|_2, an upper bound of the trace of all blocks of `block_ldl` (QuIP#, lemma B.1).

    QuIP# (arXiv:2402.04396) writes the maximum over the diagonal blocks as the norm of H^1/2 masked to them.
    """
    return root_trace(trace_root, largest_block_norm)


def block_incoherent_trace(mu, n, block, trace_root):
    """g mu^2/n (tr H^1/2)^2, an upper bound of the same for mu-incoherent H and blocks of g columns (QuIP#, lemma B.1).

    The lemma's own n counts the blocks, n/g here; its mu is that of all n columns.
    """
    return incoherent_trace(mu, n / block, trace_root)


def block_loss(m, second_moment, trace_D):
    """m sigma^2 tr D: the mean loss of block LDLQ, if E[e e^T] <= sigma^2 I for the error e of every target.

    From the proof of theorem 4.1 of QuIP#. Equality if E[e e^T] = sigma^2 I, as with a dithered E8.
    """
    return m * second_moment * trace_D


def incoherent_block_loss(m, mu, n, block, second_moment, trace_root):
    """g m mu^2 sigma^2/n (tr H^1/2)^2, an upper bound of the same for mu-incoherent H (QuIP#, theorem 4.1)."""
    return block_loss(m, second_moment, block_incoherent_trace(mu, n, block, trace_root))


def independent_block_loss(m, second_moment, trace_H):
    """m sigma^2 tr H: the mean loss of blocks without feedback, if their errors are independent and of mean zero."""
    return m * second_moment * trace_H


def aligned_block_loss(m, n, block, second_moment, trace_H):
    """(n/g) m sigma^2 tr H: the same where errors may be biased, as those of nearest points are: blocks may agree.

    QuIP# (after theorem 4.1) has g in the place of n/g, which holds only while there are at most g blocks.
    """
    return n / block * independent_block_loss(m, second_moment, trace_H)


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


def hadamard_mu_hessian(n, delta):
    """sqrt(2 log(2n^2/delta)), which mu of H exceeds with probability <= delta after a randomized Hadamard transform.

    Also after a randomized Fourier transform (QuIP#, arXiv:2402.04396, lemmas 3.1 and A.3). One event for one H.
    The Hadamard matrix must be one: `hadamard_plan(n).exact`.
    """
    return math.sqrt(2 * math.log(2 * n**2 / delta))


def hadamard_mu_weights(m, n, delta):
    """2 log(4mn/delta), which mu of W exceeds with probability <= delta, rotated on both sides (QuIP#, lemma A.4)."""
    return 2 * math.log(4 * m * n / delta)


def kronecker_mu_hessian(n, delta):
    """2 log(4n^2/delta), which mu of H exceeds with probability <= delta after a product of two Haar factors.

    QuIP's lemma 5 with its unnamed constants made explicit, A = C = 2, by the tail of one coordinate on the
    sphere, applied once for each factor.
    """
    return 2 * math.log(4 * n**2 / delta)


def kronecker_coordinate(f0, f1, delta):
    """2 log(2(f+1)/delta), f = min(f0, f1), which sqrt(n) |((B0 (x) B1) x)_i| / |x| exceeds with probability <= delta.

    One coordinate of QuIP's lemma 5. With x as a table X (f0, f1), it is b0^T X b1 for a row of each factor. The
    larger factor makes each of the f lines of X across it a coordinate on a sphere, the smaller one the vector of
    those: f + 1 tails, each of which may fail with probability delta / (f + 1).
    """
    return 2 * math.log(2 * (min(f0, f1) + 1) / delta)


def kronecker_mu_weights(m, n, delta):
    """4 log(8mn/delta)^2, which mu of W exceeds with probability <= delta, rotated on both sides (QuIP, lemma 5)."""
    return 4 * math.log(8 * m * n / delta) ** 2


def largest_mu_hessian(n):
    """sqrt n: no orthonormal basis has a larger mu, so a bound above it says nothing."""
    return math.sqrt(n)


def largest_mu_weights(m, n):
    """sqrt(mn): no matrix has a larger mu, so a bound above it says nothing."""
    return math.sqrt(m * n)


def rescaled_product(diagonal_H, squared_columns):
    """(sum_i sqrt(H_ii (W^T W)_ii))^2, the least tr(H') |W'|_F^2 over diagonal rescalings (QuIP, section 4)."""
    return float(sum(math.sqrt(h * w) for h, w in zip(diagonal_H, squared_columns, strict=True))) ** 2


def sphere_moment(n, t):
    """exp(t^2/(4n+2)), at least E exp(t x_1) for x uniform on the unit sphere of R^(2n+1) (QuIP#, lemma A.1)."""
    return math.exp(t**2 / (4 * n + 2))


def spherical_tail(d, a):
    """2 exp(-d a^2/2), at least P(|x_i| >= a) for x uniform on the unit sphere of R^d (QuIP#, lemma A.2 with n = 1)."""
    return 2 * math.exp(-d * a**2 / 2)


def signed_sum_tail(n, d, a, norm_b, norm_x):
    """2 exp(-a^2 n d / (2 |b|^2 |x|^2)), at least P(|b^T U S x| >= a) (QuIP#, lemma A.2).

    U S is an (n, d)-block orthohadamard transform of R^(nd), and b is supported on one block of d.
    """
    return 2 * math.exp(-(a**2) * n * d / (2 * norm_b**2 * norm_x**2))


def clamped_trace(mu, n, trace_root, c):
    """mu^2/(n min(1, c)) (tr H^1/2)^2, an upper bound of the trace of `clamped_feedback` (QuIP, towards theorem 7)."""
    return incoherent_trace(mu, n, trace_root) / min(1, c)


def straying_tail(t, c):
    """2 exp(-2 t^2 / (1 + c)), at least P(|W_hat - W|_ij >= t) under `clamped_feedback` (QuIP, towards theorem 7).

    Hoeffding's inequality: the error of a weight is a sum of V_ij eta_i, sum_i V_ij^2 <= 1 + c, and stochastic
    rounding keeps each eta_i of mean zero in an interval of length one, whatever came before. On all integers.
    """
    return 2 * math.exp(-2 * t**2 / (1 + c))


def clamping_margin(m, n, c, delta):
    """sqrt((1 + c)/2 log(2mn/delta)): no weight strays so far, with probability 1 - delta (QuIP, theorem 7)."""
    return math.sqrt((1 + c) / 2 * math.log(2 * m * n / delta))
