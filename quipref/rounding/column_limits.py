"""The convex program behind `clamped_feedback`: the least tr(V H V^T) with columns of bounded length.

V is unit upper triangular and sum_i V_ij^2 <= 1 + c for every column j. A multiplier l_j >= 0 for each limit makes it

    the maximum over l >= 0 of  min_V tr(V (H + diag(l)) V^T) - (1 + c) sum_j l_j,

whose inner minimum is LDLQ's: V = (U + I)^-1 for the factor H + diag(l) = (U + I) D (U + I)^T. What is left
to find is how much to damp each column.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from quipref.factor import ZERO_PIVOT, ldl

EPS = float(np.finfo(np.float64).eps)
STEPS = 60  # of the ascent at most; about 10 are usual
SHORTEN = 4.0  # a step aims at columns at most so many times shorter
ENOUGH = 1e-4  # of the gain that the slope promises, for a step to be taken
HALVINGS = 20  # of a step that gains too little
FLOOR = 10 * ZERO_PIVOT  # of tr H: the least multiplier where H is singular
PIVOTS, PATIENCE = 40, 3  # solutions of a step at most, and how often more coordinates may be wrong than before
PANEL = 16  # rows of V that `curvature` takes together


class ClampedFeedback(NamedTuple):
    """A feedback X (n, n) for grids that end, and a certificate of how good it is.

    X is strictly upper triangular, and trace = tr(V H V^T) with V = (X + I)^-1 takes the place of tr D in the bounds.
    The gap says that no feedback within the limits has a trace below (1 - gap) trace. The multipliers (n,) of the
    limits are not negative: up to the gap, X is LDLQ's own feedback for the Hessian H + diag(multipliers).
    """

    X: NDArray[np.float64]
    trace: float
    gap: float
    multipliers: NDArray[np.float64]


class Point(NamedTuple):
    """Where the Lagrangian tr(V (H + diag(l)) V^T) - (1 + c) sum_j l_j is least for given multipliers l."""

    multipliers: NDArray[np.float64]
    U: NDArray[np.float64]  # V = (U + I)^-1, the feedback of LDLQ for H + diag(l)
    D: NDArray[np.float64]
    N: NDArray[np.float64]  # V - I
    squares: NDArray[np.float64]  # sum_i N_ij^2, to be at most c
    trace: float  # tr(V H V^T)

    def minimum(self, c):
        """The least value: also tr D - (1 + c) sum_j l_j, but there large multipliers cancel."""
        return self.trace + float(self.multipliers @ (self.squares - c))


def point(H, multipliers):
    """The minimiser of the Lagrangian, which is the same for every c."""
    U, D = damped_ldl(H, multipliers) if multipliers.any() else ldl(H)
    N = inverse(U)
    return Point(multipliers, U, D, N, np.einsum("ij,ij->j", N, N), trace(N, H))


def damped_ldl(H, multipliers):
    """U and D of H + diag(multipliers), which is definite: no pivot counts as zero beside large multipliers."""
    try:
        R = np.linalg.cholesky((H + np.diag(multipliers))[::-1, ::-1])[::-1, ::-1]
    except np.linalg.LinAlgError:
        raise np.linalg.LinAlgError(
            f"H must have no eigenvalue below -{FLOOR:.0e} tr H for clamped_feedback, but it has one (n = {len(H)}). "
            "Damp it: quipref.damp(H, 0.01)."
        ) from None
    return np.triu(R / R.diagonal(), 1), np.square(R.diagonal())


def least_trace(H, c, tolerance):
    """The program of this module, solved to a gap of `tolerance`, for an exactly symmetric float64 H."""
    here = point(H, np.zeros(len(H)))
    if c == 0:  # one V is left, and the lower bound has no maximum: it approaches tr H as the multipliers grow
        return ClampedFeedback(np.zeros_like(H), float(np.trace(H)), 0.0, np.full(len(H), math.inf))
    c = min(c, here.squares.max(initial=0.0))  # the room that LDLQ takes; more changes nothing
    found = certified(here, H, c)
    if found.gap <= tolerance:
        return found
    floor = 0.0 if here.D.all() else FLOOR * float(np.trace(H))
    return ascent(point(H, np.full(len(H), floor)), H, c, tolerance, floor)


def ascent(here, H, c, tolerance, floor):
    """Raise the minimum of the Lagrangian over all l >= floor, until the gap that the floor does not explain is closed.

    The floor turns H into H + floor I, under which what the columns leave of their limits costs that much.
    """
    for _ in range(STEPS):
        found = certified(here, H, c)
        explained = floor * np.maximum(c - here.squares, 0).sum() / found.trace
        following = next_point(here, H, c, floor, found.gap) if found.gap - explained > tolerance else None
        if following is None:
            break
        here = following
    return found


def certified(here, H, c):
    """The feedback of a point, its columns shortened to the limit, with the gap between its trace and the minimum."""
    if (here.squares <= c).all():
        X, N = here.U, here.N
    else:
        N = here.N * np.sqrt(c / np.maximum(here.squares, c))
        X = inverse(N)
    reached = trace(N, H)
    gap = max(0.0, 1 - here.minimum(c) / reached) if reached else 0.0
    return ClampedFeedback(X, reached, gap, here.multipliers)


def next_point(here, H, c, floor, gap):
    """The first of the steps that raises the minimum enough, or halves the gap; None where no step does.

    Near the end only the gap shows progress: it is of first order in the step that is missing, the minimum of second.
    """
    noise = len(H) * EPS * (here.trace + here.multipliers @ (here.squares + c))
    for step in steps(here, c, floor):
        there = point(H, np.maximum(here.multipliers + step, floor))
        promised = float((here.squares - c) @ (there.multipliers - here.multipliers))
        gain = there.minimum(c) - here.minimum(c)
        if gain >= ENOUGH * promised > 0 or (gain >= -noise and certified(there, H, c).gap < gap / 2):
            return there
    return None


def steps(here, c, floor):
    """Newton's step for the secular equation, then Newton's own step and its halves, none below the floor.

    With s_j = sum_i N_ij^2 the slope is s - c, and Newton's step maximises (s - c) d - d K d / 2. The length of a
    column falls about as 1 / (l_j + const), so the method does better on 1/sqrt(s) = 1/sqrt(c), which puts
    2 s (sqrt(s / c) - 1) in the place of s - c; far from the limit the step aims at a nearer one.
    """
    s, K, lowest = here.squares, curvature(here.N, here.D), floor - here.multipliers
    free = (lowest < 0) | (s > c)
    yield bounded_maximum(K, 2 * s * (np.minimum(np.sqrt(s / c), SHORTEN) - 1), lowest, free)
    newton = bounded_maximum(K, s - c, lowest, free)
    for halving in range(HALVINGS):
        yield newton * 0.5**halving


def bounded_maximum(K, slope, lowest, free):
    """The d >= lowest that maximises slope d - d K d / 2, from a guess of where d > lowest; by principal pivoting.

    Where d is free the slope is spent, slope = K d; where it is not, there is none left, slope <= K d. All
    coordinates on the wrong side change sides together; where that does not help, the last of them alone.
    """
    free, fewest, patience = free.copy(), len(K) + 1, PATIENCE
    for _ in range(PIVOTS):
        d = lowest.copy()
        d[free] = np.linalg.solve(K[np.ix_(free, free)], slope[free] - K[np.ix_(free, ~free)] @ lowest[~free])
        wrong = np.flatnonzero(np.where(free, d < lowest, slope > K @ d))
        if not len(wrong):
            break
        patience = PATIENCE if len(wrong) < fewest else patience - 1
        fewest = min(fewest, len(wrong))
        free[wrong if patience > 0 else wrong[-1:]] ^= True
    return d


def curvature(N, D):
    """K_jk = -d s_j / d l_k = 2 sum_p V_pj V_pk / D_p sum_{i<p} V_ij V_ik, where s_j = sum_i N_ij^2, V = I + N.

    Row i of V solves a system with the rows and columns of H + diag(l) after i; the inverse of that block is
    sum_{p>i} v_p^T v_p / D_p with the rows v_p of V. PANEL rows p are taken together: what they share with the rows
    before the panel is one product, and each pair i < p inside it is a vector.
    """
    V = N + np.eye(len(N))
    K, before = np.zeros_like(V), np.zeros_like(V)
    for start in range(0, len(V), PANEL):
        rows, w = V[start : start + PANEL, start:], 1 / D[start : start + PANEL, None]
        i, p = np.triu_indices(len(rows), 1)
        pairs = rows[i] * rows[p] * np.sqrt(w[p])
        K[start:, start:] += (rows * w).T @ rows * before[start:, start:] + pairs.T @ pairs
        before[start:, start:] += rows.T @ rows
    return 2 * K


def inverse(U):
    """The strictly upper N with I + N = (I + U)^-1."""
    from scipy.linalg.lapack import dtrtri

    # LAPACK reads columns: to it U.T is U as it stands. The diagonal, taken as one, is not touched.
    return dtrtri(U.T, lower=1, unitdiag=1)[0].T if len(U) else U


def trace(N, H):
    """tr(V H V^T), V = I + N."""
    V = N + np.eye(len(N))
    return float(np.einsum("ij,ij->", V @ H, V))
