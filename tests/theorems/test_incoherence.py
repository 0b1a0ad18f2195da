"""QuIP (arXiv:2307.13304, version 2): what incoherence is, and what rescaling and processing do to a layer.

W (m, n) is mu-incoherent if max |W_ij| <= mu |W|_F / sqrt(m n), and H if some orthonormal eigenbasis Q of it has
max |Q_ij| <= mu / sqrt(n).
"""

import numpy as np
from hypothesis import strategies as st
from theorems.claims import for_all
from theorems.slack import EPS, pivot_rtol

import quipref
from quipref import bounds
from quipref.incoherence import process
from quipref.testing.strategies import Eigensystem, layers, orthonormal_bases, seeded_layers

SEEDS = st.integers(0, 2**32 - 1)
SCALES = st.sampled_from([1e-3, 0.25, 1.0, 64.0])
SIZES = st.sampled_from([2, 3, 4, 8, 16])
POWERS_OF_TWO = st.sampled_from([2, 4, 8, 16])
EVEN = st.sampled_from([2, 4, 8])
LIVE = st.floats(0.01, 8) | st.floats(-8, -0.01)  # weights whose squares are far from underflow
LIVE_LAYER = layers(n=SIZES, weights=LIVE, low=1e-2, outliers=True) | seeded_layers(spectra=("power", "outlier"))
ANY_LAYER = layers(EVEN, EVEN, singular=True, outliers=True, dead=True) | seeded_layers(EVEN, EVEN)


@st.composite
def simple_systems(draw, bases):
    """Eigensystems with the eigenvalues c, 2c ... nc in some order: one eigenbasis, up to signs."""
    vectors = draw(orthonormal_bases(SIZES if bases != ("hadamard",) else POWERS_OF_TWO, bases=bases))
    order = np.random.default_rng(draw(SEEDS)).permutation(len(vectors))
    return Eigensystem(draw(SCALES) * (1.0 + order), vectors)


class TestQ3PrimeMuOfTheIdentity:
    """Q3', the definition of an incoherent H. True with "some eigenbasis"; not with "the eigenvectors".

    With distinct eigenvalues there is one eigenbasis, up to signs, and mu is a number of H. With equal ones there
    are many, and the best of them counts: a solver's basis, as any other, shows an upper bound of the least mu,
    and lemma 2 holds with it. The multiples of the identity have the Hadamard basis, and mu = 1.
    """

    @for_all(simple_systems(("identity", "haar")))
    def test_distinct_eigenvalues_leave_no_choice(self, system):
        """The solver's vectors are off by its backward error over the gap, which is at least 1/n of the norm."""
        n = len(system.values)
        shown = quipref.mu_hessian(system.power(1))
        assert abs(shown - system.incoherence()) <= 8 * n**3 * EPS * np.sqrt(n)
        assert abs(quipref.mu_hessian(system.power(1), basis=system.vectors) - system.incoherence()) <= 4 * EPS * n

    @for_all(orthonormal_bases(SIZES, bases=("haar",)), SCALES, st.sampled_from([1.0, 7.0]))
    def test_lemma_2_holds_with_what_any_basis_shows(self, Q, scale, ratio):
        """H with two eigenvalues, one or both of them repeated."""
        n = len(Q)
        values = scale * np.where(np.arange(n) < n // 2, 1.0, ratio)
        system = Eigensystem(values, Q)
        H = system.power(1)
        trace_D, trace_root = quipref.ldl(H)[1].sum(), np.sqrt(values).sum()
        for mu in (quipref.mu_hessian(H), quipref.mu_hessian(H, basis=Q)):
            assert trace_D <= bounds.incoherent_trace(mu, n, trace_root) * (1 + pivot_rtol(H))

    @for_all(orthonormal_bases(st.sampled_from([4, 16]), bases=("hadamard",)), SCALES)
    def test_a_multiple_of_the_identity_is_1_incoherent(self, Q, scale):
        n, H = len(Q), scale * np.eye(len(Q))
        mu = quipref.mu_hessian(H, basis=Q)
        assert mu == 1
        assert bounds.incoherent_trace(mu, n, n * np.sqrt(scale)) <= np.trace(H) * (1 + 8 * n * EPS)  # attained

    @for_all(POWERS_OF_TWO, SCALES)
    def test_false_that_a_solver_finds_the_best_basis(self, n, scale):
        assert quipref.mu_hessian(scale * np.eye(n)) == np.sqrt(n)


class TestQ3DoublePrimeRange:
    """Q3'', the range of mu. True.

    mu of H lies between 1 and sqrt(n), mu of W between 1 and sqrt(m n), and all four ends are attained: a bound above
    them says nothing. mu of W is the least mu that its definition allows, and does not see the scale of W.
    """

    @for_all(layers(n=SIZES, weights=LIVE), SCALES)
    def test_mu_of_w_is_the_least_that_is_allowed(self, layer, scale):
        W, (m, n) = layer.W, layer.W.shape
        mu = quipref.mu_weights(W)
        allowed = mu * np.linalg.norm(W) / np.sqrt(m * n)
        assert abs(np.abs(W).max() - allowed) <= 2 * m * n * EPS * allowed  # a sum of squares and its root
        assert abs(quipref.mu_weights(scale * W) - mu) <= 2 * m * n * EPS * mu
        assert 1 <= mu <= bounds.largest_mu_weights(m, n)

    @for_all(st.integers(1, 4), SIZES, SEEDS, SCALES)
    def test_signs_and_a_spike_are_the_ends_for_w(self, m, n, seed, scale):
        rng = np.random.default_rng(seed)
        signs, spike = scale * rng.choice([-1.0, 1.0], (m, n)), np.zeros((m, n))
        spike[rng.integers(m), rng.integers(n)] = -scale
        assert quipref.mu_weights(signs) == 1
        assert quipref.mu_weights(spike) == bounds.largest_mu_weights(m, n)

    @for_all(simple_systems(("hadamard",)))
    def test_a_hadamard_basis_is_the_low_end_for_h(self, system):
        n = len(system.values)
        assert abs(quipref.mu_hessian(system.power(1)) - 1) <= 8 * n**3 * EPS * np.sqrt(n)

    @for_all(simple_systems(("identity",)))
    def test_the_axes_are_the_high_end_for_h(self, system):
        assert quipref.mu_hessian(system.power(1)) == bounds.largest_mu_hessian(len(system.values))


def product(W, H):
    """What rescaling makes small: tr(H) |W|_F^2."""
    return np.trace(H) * np.square(W).sum()


# A scale in half precision is off by a factor of 1 - u to 1 + u. With p_i between q and r, sum a_i p_i sum a_i / p_i
# is at most (q + r)^2 / (4 q r) times (sum a_i)^2, by Kantorovich; p is the square of that factor.
U = 2.0**-11
HALF_PRECISION = ((1 - U) ** 2 + (1 + U) ** 2) ** 2 / (4 * (1 - U) ** 2 * (1 + U) ** 2) - 1


class TestQ11DiagonalRescaling:
    """Q11, the diagonal rescaling of QuIP's algorithm 1. True.

    Of all W S and S^-1 H S^-1 with a positive diagonal S, S_ii = (H_ii / (W^T W)_ii)^(1/4) has the least
    tr(H') |W'|_F^2, which is (sum_i sqrt(H_ii (W^T W)_ii))^2. A factor common to all S_ii changes nothing. Channels
    with a zero of either kind have no best scale, and keep 1.
    """

    @for_all(LIVE_LAYER, SEEDS, st.sampled_from([0.0, 0.01, 1.0]))
    def test_no_diagonal_has_a_smaller_product(self, layer, seed, far):
        """At far = 0 it is the best one, and has the least product exactly."""
        W, H = layer
        h, w = H.diagonal(), np.square(W).sum(axis=0)
        s = (h / w) ** 0.25 * np.exp(far * np.random.default_rng(seed).standard_normal(len(h)))
        found, least = product(W * s, H / np.outer(s, s)), bounds.rescaled_product(h, w)
        slack = 8 * (W.size + 4) * EPS * found  # sums of positive numbers, each with a few roundings
        assert found >= least - slack
        if far == 0:
            assert found <= least + slack

    @for_all(LIVE_LAYER)
    def test_processing_reaches_the_least_product(self, layer):
        W, H = layer
        processed = quipref.incoherence_process(W, H, transform=None, damping=0.0)
        least = bounds.rescaled_product(H.diagonal(), np.square(W).sum(axis=0))
        slack = 8 * (W.size + 4) * EPS
        assert 1 - slack <= processed.measure(product) / least <= 1 + HALF_PRECISION + slack

    @for_all(layers(EVEN, SIZES, weights=st.just(0.0) | LIVE, low=1e-2, dead=True))
    def test_dead_channels_keep_their_scale_and_leave_the_others_theirs(self, layer):
        W, H = layer
        live = (H.diagonal() > 0) & W.any(axis=0)
        scales = process.channel_scales(W, H)
        assert (scales[~live] == 1).all()
        assert (scales[live] == process.channel_scales(W[:, live], H[live][:, live])).all()

    @for_all(LIVE_LAYER, st.sampled_from([0.25, 8.0]))
    def test_a_common_factor_changes_nothing(self, layer, factor):
        """Up to a unit of half precision, as the logarithms round differently and a scale may fall to its neighbour."""
        W, H = layer
        ratio = process.channel_scales(factor * W, H / factor).astype(np.float64) / process.channel_scales(W, H)
        assert (np.abs(ratio - 1) <= 4 * U).all()


def loss_noise(W, W_hat, H):
    """Rounding of the loss, and of products of length m + n that made W or W_hat, as in Q12."""
    return 16 * sum(W.shape) ** 2 * EPS * (np.linalg.norm(W) + np.linalg.norm(W_hat)) ** 2 * np.linalg.norm(H)


class TestQ12InvarianceOfProcessing:
    """Q12, QuIP section 4: processing is a change of coordinates. True.

    Whatever is rounded to in the processed space, its loss there, without damping, is the loss of what comes back.
    Damping by a share f adds f tr(S^-1 H S^-1) / n |W' - W_hat'|_F^2 to it. Weights of one space with the Hessian of
    the other give a number without meaning.
    """

    @for_all(ANY_LAYER, st.sampled_from([*process.TRANSFORMS, None]), st.booleans(), SEEDS)
    def test_processing_leaves_the_loss_alone(self, layer, transform, rescale, seed):
        W, H = layer
        answer = np.random.default_rng(seed).integers(-8, 9, W.shape).astype(np.float64)
        options = {"transform": transform, "rescale": rescale, "seed": seed, "damping": 0.0}
        processed = quipref.incoherence_process(W, H, **options)
        there, noise = processed.measure(lambda W, H: (quipref.proxy_loss(W, answer, H), loss_noise(W, answer, H)))
        back = processed.round(lambda W, H: answer)
        assert abs(quipref.proxy_loss(W, back, H) - there) <= noise + loss_noise(W, back, H)

    @for_all(ANY_LAYER, st.sampled_from([*process.TRANSFORMS, None]), st.sampled_from([0.01, 2.0]), SEEDS)
    def test_damping_adds_its_share_of_the_squared_error(self, layer, transform, damping, seed):
        options = {"transform": transform, "seed": seed}
        plain, damped = (quipref.incoherence_process(*layer, **options, damping=f) for f in (0.0, damping))
        W, H = plain.measure(lambda W, H: (W, H))
        W_hat = np.rint(W)
        found = damped.measure(lambda W, H: quipref.proxy_loss(W, W_hat, H))
        added = damping * np.trace(H) / len(H) * np.square(W - W_hat).sum()
        assert abs(found - quipref.proxy_loss(W, W_hat, H) - added) <= (1 + damping) * loss_noise(W, W_hat, H)

    def test_false_that_the_two_spaces_may_be_mixed(self):
        """Refused where it could be done by mistake; done on purpose, it gives another number."""
        W, H = quipref.random_layer(4, 8, spectrum="outlier", seed=0)
        processed = quipref.incoherence_process(W, H, transform="hadamard", seed=0, damping=0.0)
        assert is_refused(lambda: quipref.proxy_loss(processed, np.zeros((4, 8)), H))
        assert is_refused(lambda: quipref.ldlq(processed, H))
        assert is_refused(lambda: np.asarray(processed))
        zero = np.zeros((4, 8))
        there, mixed = processed.measure(lambda V, G: [quipref.proxy_loss(V, zero, X) for X in (G, H)])
        assert abs(there - quipref.proxy_loss(W, zero, H)) <= loss_noise(W, zero, H)
        assert abs(mixed - there) > 0.5 * there


def is_refused(use):
    """Whether it raises a TypeError."""
    try:
        use()
    except TypeError:
        return True
    return False
