"""What random transforms do to mu: QuIP# (arXiv:2402.04396, version 2), appendix A, and QuIP's lemma 5.

Probabilities are exact where all choices can be listed or an integral is known. Elsewhere they are seeded counts,
with the limit that the stated probability allows but for one time in a million. Each bound that is tested lies
below the largest value there could be, so a transform that leaves a part out exceeds it.
"""

import numpy as np
from hypothesis import strategies as st
from oracles import sign_vectors
from scipy.special import roots_jacobi
from scipy.stats import beta
from sizes import size
from theorems.claims import for_all, most_by_chance
from theorems.slack import EPS

import quipref
from quipref import bounds
from quipref.incoherence.process import Transform

SEEDS = st.integers(0, 2**32 - 1)


def fourier(n):
    """The Fourier transform of C^(n/2), adjacent coordinates a complex number, as an orthogonal matrix (n, n)."""
    F, real = np.fft.fft(np.eye(n // 2), norm="ortho"), np.empty((n, n))
    real[::2, ::2], real[::2, 1::2], real[1::2, ::2], real[1::2, 1::2] = F.real, -F.imag, F.imag, F.real
    return real


def undone(transform, n):
    """The basis that the transform without its random part turns into the axes: mu goes up, from about 1 to sqrt(n)."""
    if transform is quipref.RandomizedFourier:
        return fourier(n).T
    return quipref.RandomizedHadamard.from_signs(np.ones(n)).matrix().T


SIDE = size(64, 32)
TRANSFORMS = ((quipref.RandomizedHadamard, SIDE), (quipref.RandomizedHadamard, 48), (quipref.RandomizedFourier, 48))
DRAWS, DELTA = size(60, 20), 0.5  # 20 is the least for which a transform that always exceeds the bound is noticed


class TestS1SphereMoment:
    """S1, QuIP# lemma A.1. True.

    1/B(n, 1/2) times the integral of (1 - x^2)^(n-1) e^(tx) over [-1, 1], for n > 0, is at most exp(t^2/(4n+2)). It is
    the moment generating function of a coordinate on the unit sphere of R^(2n+1). To second order in t both agree,
    so that no smaller multiple of t^2 will do.
    """

    @for_all(st.floats(0.05, 40), st.floats(-8, 8) | st.sampled_from([1e-3, 0.1, 1.0]))
    def test_the_integral_lies_between_the_bound_and_its_first_terms(self, n, t):
        """Gauss's rule of 64 nodes, exact for polynomials of degree 127: what is left of e^8x is below 8^128/128!."""
        nodes, weights = roots_jacobi(64, n - 1, n - 1)
        moment = (weights * np.exp(t * nodes)).sum() / weights.sum()
        slack = 64 * EPS * (8 + abs(t)) * np.exp(abs(t))  # sums of 64 terms, the nodes some EPS off
        assert moment <= bounds.sphere_moment(n, t) + slack
        assert moment >= 1 + np.log(bounds.sphere_moment(n, t)) - slack


class TestS2BlockTail:
    """S2, QuIP# lemma A.2. True.

    Let U be orthogonal, made of n x n blocks that are each an orthogonal matrix of order d over sqrt(n), and S block
    diagonal with independent Haar blocks of order d (signs for d = 1, phases for d = 2). For b on one block,
    P(|b^T U S x| >= a) <= 2 exp(-a^2 n d / (2 |b|^2 |x|^2)). One block, n = 1, is a coordinate on the sphere.
    """

    @for_all(st.sampled_from([1, 2, 4, 8]), st.sampled_from(["flat", "spike", "random"]), SEEDS, st.floats(0.1, 10))
    def test_signs_all_of_them(self, n, shape, seed, scale):
        rng = np.random.default_rng(seed)
        x = {"flat": np.ones(n), "spike": np.eye(n)[seed % n], "random": rng.standard_normal(n)}[shape] * scale
        outcomes = [quipref.RandomizedHadamard.from_signs(signs).apply(x) for signs in sign_vectors(n)]
        i = rng.integers(n)
        sizes = np.abs(outcomes)[:, i]
        for a in np.unique(sizes):
            share = (sizes >= a * (1 - 64 * EPS)).mean()
            assert share <= bounds.signed_sum_tail(n, 1, a, 1.0, np.linalg.norm(x)) * (1 + 1e-12)

    @for_all(st.integers(2, 64), st.floats(0, 1), st.sampled_from([0.5, 1.0, 3.0]))
    def test_one_block_exactly(self, d, cosine, norm):
        """x_i^2 of a uniform point has the beta distribution of 1/2 and (d-1)/2."""
        share = beta(0.5, (d - 1) / 2).sf(cosine**2)
        assert share <= bounds.spherical_tail(d, cosine) * (1 + 1e-12)
        assert share <= bounds.signed_sum_tail(1, d, cosine * norm**2, norm, norm) * (1 + 1e-12)

    def test_phases(self):
        """d = 2, with x such that phases left out would make the first coordinate as large as can be."""
        n, draws, x = 16, 400, fourier(32)[0]
        for delta in (0.5, 0.1):
            a = np.sqrt(np.log(2 / delta) / n)
            assert a < 1
            assert np.isclose(bounds.signed_sum_tail(n, 2, a, 1.0, 1.0), delta, rtol=1e-12)
            count = sum(abs(quipref.RandomizedFourier(32, seed=seed).apply(x)[0]) >= a for seed in range(draws))
            assert count <= most_by_chance(draws, delta)

    def test_haar_blocks(self):
        """d = 7, where `KroneckerHaar` has one factor; x is one vector of norm 1/2 in each of four blocks."""
        n, d, draws = 4, 7, 100
        U, x = np.kron(undone(quipref.RandomizedHadamard, n), np.eye(d)), np.tile(np.eye(d)[0], n) / np.sqrt(n)
        a = np.sqrt(2 * np.log(2 / 0.1) / (n * d))
        assert a < 1
        assert np.isclose(bounds.signed_sum_tail(n, d, a, 1.0, 1.0), 0.1, rtol=1e-12)
        count = 0
        for seed in range(draws):
            rng = np.random.default_rng(seed)
            S = quipref.BlockDiagonal(quipref.KroneckerHaar(d, seed=rng, permute=False) for _ in range(n))
            count += abs(U[0] @ S.apply(x)) >= a
        assert count <= most_by_chance(draws, 0.1)


class TestS3MuOfTheHessian:
    """S3, QuIP# lemmas 3.1 and A.3. True.

    After a randomized Hadamard or Fourier transform V, V H V^T has mu <= sqrt(2 log(2 n^2 / delta)) with probability at
    least 1 - delta, whatever H: also for the H whose eigenvectors are the rows of the transform without its
    random part, which that transform would turn into the axes.
    """

    def test_mu_of_every_rotated_basis(self):
        for transform, n in TRANSFORMS:
            bound = bounds.hadamard_mu_hessian(n, DELTA)
            assert bound < bounds.largest_mu_hessian(n)
            haar = np.linalg.qr(np.random.default_rng(0).standard_normal((n, n)))[0]
            for basis in (np.eye(n), undone(transform, n), haar):
                turned = [transform(n, seed=seed).apply(basis, axis=0) for seed in range(DRAWS)]
                mus = [np.sqrt(n) * np.abs(Q).max() for Q in turned]
                assert (np.array(mus) > bound).sum() <= most_by_chance(DRAWS, DELTA)

    def test_mu_of_a_processed_hessian(self):
        """The same through `incoherence_process` and an eigensolver: the eigenvalues 1 ... n leave it no choice."""
        n = 32
        bound = bounds.hadamard_mu_hessian(n, DELTA)
        assert bound < bounds.largest_mu_hessian(n)
        for name, transform in (("hadamard", quipref.RandomizedHadamard), ("fourier", quipref.RandomizedFourier)):
            for basis in (np.eye(n), undone(transform, n)):
                H = (basis * np.arange(1.0, n + 1)) @ basis.T
                mus = [self.processed_mu(name, (H + H.T) / 2, seed) for seed in range(DRAWS)]
                assert (np.array(mus) > bound).sum() <= most_by_chance(DRAWS, DELTA)

    @staticmethod
    def processed_mu(name, H, seed):
        processed = quipref.incoherence_process(np.ones((2, len(H))), H, transform=name, seed=seed)
        return processed.measure(lambda W, H: quipref.mu_hessian(H))


class TestS4MuOfTheWeights:
    """S4, QuIP# lemmas 3.1 and A.4. True.

    Rotated on both sides, W has mu <= 2 log(4 m n / delta) with probability at least 1 - delta, whatever W. It is the
    product of two square roots, one a side, and not their size: mu of the matrix of ones, which is 1, exceeds
    sqrt(2 log(4 m n / delta)) most of the time.
    """

    SHAPES = ((SIDE, SIDE), (512, 2), (2, 512))  # in the long ones, a side left out shows
    DRAWS = max(20, DRAWS // 2)

    def test_mu_of_spikes_and_of_what_looks_flat(self):
        for transform, (m, n) in ((t, shape) for t, _ in TRANSFORMS[1:] for shape in self.SHAPES):
            bound = bounds.hadamard_mu_weights(m, n, DELTA)
            assert bound < bounds.largest_mu_weights(m, n)
            spike = np.zeros((m, n))
            spike[m // 2, n // 2] = 1.0
            flat = np.outer(undone(transform, m)[:, m // 2], undone(transform, n)[:, n // 2])
            for W in (spike, flat, np.random.default_rng(0).standard_normal((m, n))):
                mus = [
                    quipref.mu_weights(self.rotation(transform, m, n, seed).weights(W)) for seed in range(self.DRAWS)
                ]
                assert (np.array(mus) > bound).sum() <= most_by_chance(self.DRAWS, DELTA)

    def test_false_that_one_square_root_covers_both_sides(self):
        n, delta, draws = SIDE, 0.01, 20
        root, ones = np.sqrt(bounds.hadamard_mu_weights(n, n, delta)), np.ones((n, n))
        ways = [self.rotation(quipref.RandomizedHadamard, n, n, seed) for seed in range(draws)]
        assert quipref.mu_weights(ones) == 1
        assert sum(quipref.mu_weights(way.weights(ones)) > root for way in ways) > most_by_chance(draws, delta)

    @staticmethod
    def rotation(transform, m, n, seed):
        rng = np.random.default_rng(seed)
        return Transform(transform(m, seed=rng), transform(n, seed=rng), None)


class TestQ7TwoStepTail:
    """Q7, QuIP lemma 5: Kronecker products of Haar factors, one coordinate. True; the lemma's bound on mu stands on it.

    For V = B0 (x) B1 with Haar factors of orders f0 and f1, |x| = 1 and n = f0 f1, P(sqrt(n) |(V x)_i| >=
    2 log(2 (f + 1) / delta)) <= delta, f = min(f0, f1): one tail of a sphere for each of f lines of x, and one for the
    vector of those. The lemma is the union over all n^2 entries of a rotated basis, mu <= 2 log(4 n^2 / delta), which
    lies above sqrt(n) at any size that a test can afford.
    """

    def test_one_coordinate(self):
        """Orders so different that either factor left out shows: 2 and 127, 122 and 2."""
        draws, delta = 40, 0.2
        for n, factors in ((254, (2, 127)), (244, (122, 2))):
            bound = bounds.kronecker_coordinate(*factors, delta)
            assert bound < bounds.largest_mu_hessian(n)
            drawn = [quipref.KroneckerHaar(n, seed=seed, permute=False) for seed in range(draws)]
            assert {V.factors for V in drawn} == {factors}
            for x in (np.eye(n)[0], np.ones(n) / np.sqrt(n)):
                count = sum(np.sqrt(n) * abs(V.apply(x)[0]) >= bound for V in drawn)
                assert count <= most_by_chance(draws, delta)

    def test_where_the_matrix_form_begins_to_say_something(self):
        for delta, first in ((1.0, 899), (0.01, 1753)):
            speaks = [bounds.kronecker_mu_hessian(n, delta) < bounds.largest_mu_hessian(n) for n in range(2, first + 1)]
            assert speaks.index(True) == first - 2
