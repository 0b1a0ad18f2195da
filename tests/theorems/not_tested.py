"""What has no test, because no test of it could fail: {statement: reason}.

A key is the tag of a whole statement, or a tag and the part of it that is left out ("Q10, the rate ..."); the
rest of such a statement has its class. tests/test_catalogue.py holds this list and the classes against the catalogue.
"""

NOT_TESTED = {
    "Q2a, the supremum is not attained": (
        "A property of real numbers: within rounding error of the tie both outcomes occur. The tests come as near "
        "as rounding allows."
    ),
    "Q2b, the supremum over all layers for general H": (
        "No formula for it; the inequality is exact by enumeration, and the counterexample bounds a supremum by a "
        "grid and a Lipschitz constant."
    ),
    "Q3Prime, a lower bound on the mu of an H with repeated eigenvalues": (
        "mu is a minimum over all eigenbases, which are a continuum; no solver returns the best."
    ),
    "Q5, rank k > n / mu^2": "The bound exceeds one, which tr D <= tr H gives for nothing.",
    "Q6, no method gains without incoherence": (
        "Its content is the maximum over all eigenbases; that diagonal H reaches tr H, and that none exceeds it, is "
        "tested."
    ),
    "Q7, the matrix form": (
        "At delta = 0.01 the bound on mu_H stays above its own cap sqrt(n) until n = 1753, and the one on mu_W far "
        "longer, so no matrix that a test can afford to draw could violate it. The tail of one coordinate, on which "
        "the lemma rests, is tested."
    ),
    "Q8, at ties": (
        "Two correct programs may differ in the last bit of a target; those layers are left out, and Q2a's bound "
        "still covers each of them."
    ),
    "Q9, the ratio grows like n for all n": (
        "Shown at n = 32, 64 and 128; larger n add time and no new kind of failure."
    ),
    "Q10, the rate of theorem 7": (
        "A statement up to unnamed constants and powers of logarithms of the loss after rotation and clamping, as n "
        "grows: whatever loss is measured, some constant explains it. Its three ingredients are tested: the optimal "
        "trace (Q10 and Q10'), the mean loss, and the chance that a weight moves far."
    ),
    "Q13, descent ends": (
        "It does in exact arithmetic, since the loss falls with each move; in floating point the number of passes "
        "is a parameter."
    ),
    "E1, the digits of the second moment beyond the third": (
        "929/12960 is an integral over a polytope of 696,729,600 equal pieces, done by others; a mean over random "
        "targets tells it from D4's and from the integers', and needs a hundred times as many for each digit more."
    ),
    "T6": (
        "QTIP states no theorem of its own. The bound on the loss that it borrows from QuIP# supposes errors of a "
        "bounded second moment for every target, which a finite code has not: targets beyond its values lose any "
        "amount. There the bound is a heuristic. What walks take to store is a statement of its own, T2."
    ),
    "B1, the exponential ratio to the closest point for reduced bases": (
        "The bases here are not reduced; the ratio tr D / min D, which holds for all, is tested."
    ),
}
