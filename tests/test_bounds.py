"""Each right-hand side against numbers worked out by hand; that they hold is for the theorem tests."""

import math

import pytest

from quipref import bounds


@pytest.mark.parametrize(
    ("found", "by_hand"),
    [
        (bounds.worst_case(8, 3.0), 6.0),
        (bounds.average_case(8, 3.0), 2.0),
        (bounds.average_case(8, 3.0, bounds.NEAREST), 2.0),
        (bounds.average_case(8, 3.0, bounds.STOCHASTIC), 4.0),
        (bounds.two_sided_worst_case(3.0, 8.0), 6.0),
        (bounds.two_sided_average_case(3.0, 8.0), 2.0),
        (bounds.two_sided_average_case(3.0, 8.0, bounds.STOCHASTIC), 4.0),
        (bounds.two_sided_incoherent_trace(2.0, 8, 3.0, 3.0, 6, 2.0), 27.0),  # (4/8) 9 * (9/6) 4
        (bounds.incoherent_trace(3.0, 6, 2.0), 6.0),
        (bounds.root_trace(5.0, 0.5), 2.5),
        (bounds.block_root_trace(5.0, 0.5), 2.5),
        (bounds.block_incoherent_trace(3.0, 12, 2, 2.0), 6.0),
        (bounds.block_loss(4, 0.25, 6.0), 6.0),
        (bounds.incoherent_block_loss(4, 3.0, 12, 2, 0.25, 2.0), 6.0),
        (bounds.independent_block_loss(4, 0.25, 6.0), 6.0),
        (bounds.aligned_block_loss(4, 12, 2, 0.25, 6.0), 36.0),
        (bounds.low_rank_ratio(2.0, 4, 64), 0.25),
        (bounds.plain_worst_case(4, 8, 0.5), 4.0),
        (bounds.plain_stochastic_worst_case(8, 3.0), 6.0),
        (bounds.determinant_floor(3, math.log(8.0)), 6.0),
        (bounds.hadamard_mu_hessian(64, 0.5), math.sqrt(28 * math.log(2))),
        (bounds.hadamard_mu_weights(8, 16, 0.5), 20 * math.log(2)),
        (bounds.kronecker_mu_hessian(16, 0.25), 24 * math.log(2)),
        (bounds.kronecker_mu_weights(4, 8, 0.25), 400 * math.log(2) ** 2),
        (bounds.kronecker_coordinate(3, 8, 0.25), 10 * math.log(2)),
        (bounds.kronecker_coordinate(8, 3, 0.25), 10 * math.log(2)),
        (bounds.largest_mu_hessian(64), 8.0),
        (bounds.largest_mu_weights(9, 16), 12.0),
        (bounds.rescaled_product([4.0, 9.0], [1.0, 16.0]), 196.0),
        (bounds.sphere_moment(2, 5.0), math.exp(2.5)),
        (bounds.spherical_tail(8, 0.5), 2 / math.e),
        (bounds.signed_sum_tail(4, 2, 0.5, 1.0, 1.0), 2 / math.e),
        (bounds.signed_sum_tail(4, 2, 3.0, 2.0, 3.0), 2 / math.e),
        (bounds.clamped_trace(3.0, 6, 2.0, 7.0), 6.0),
        (bounds.clamped_trace(3.0, 6, 2.0, 0.25), 24.0),
        (bounds.straying_tail(2.0, 3.0), 2 * math.exp(-2)),
        (bounds.clamping_margin(4, 8, 7.0, 0.25), math.sqrt(32 * math.log(2))),
    ],
)
def test_by_hand(found, by_hand):
    assert found == pytest.approx(by_hand, rel=1e-15)


def test_the_constants_are_the_second_moments_of_the_two_rounding_errors():
    """Nearest: the error is uniform on [-1/2, 1/2). Stochastic: that of x is -x or 1 - x, so x(1 - x) on average."""
    steps = 10_000
    middle = [(i + 0.5) / steps for i in range(steps)]
    assert sum((x - 0.5) ** 2 for x in middle) / steps == pytest.approx(1 / bounds.NEAREST, rel=1e-6)
    assert sum(x * (1 - x) for x in middle) / steps == pytest.approx(1 / bounds.STOCHASTIC, rel=1e-6)


def test_a_huge_determinant_does_not_overflow():
    """diag(1e300, ..., 1e300) in dimension 100 has the determinant 1e30000."""
    assert bounds.determinant_floor(100, 100 * math.log(1e300)) == pytest.approx(1e302, rel=1e-9)


@pytest.mark.parametrize(("m", "n", "delta"), [(1, 1, 0.5), (16, 64, 0.1), (4096, 11008, 0.01)])
def test_the_bounds_on_mu_spend_delta_on_all_entries_alike(m, n, delta):
    """mu of H: n^2 entries of a rotated basis. mu of W: m n entries, two rotations each, whose bounds multiply."""
    mu = bounds.hadamard_mu_hessian(n, delta)
    assert n**2 * bounds.signed_sum_tail(n, 1, mu / math.sqrt(n), 1.0, 1.0) == pytest.approx(delta, rel=1e-12)
    one_side = math.sqrt(bounds.hadamard_mu_weights(m, n, delta))
    for size in (m, n):
        tail = bounds.signed_sum_tail(size, 1, one_side / math.sqrt(size), 1.0, 1.0)
        assert 2 * m * n * tail == pytest.approx(delta, rel=1e-12)


@pytest.mark.parametrize(("m", "n", "delta"), [(1, 1, 0.5), (16, 64, 0.1), (4096, 11008, 0.01)])
def test_with_two_factors_on_a_side_every_factor_takes_its_share(m, n, delta):
    """mu of H: two factors, so two tails an entry. mu of W: four, two a side."""
    d = 8  # of a factor; it cancels
    one_factor = math.sqrt(bounds.kronecker_mu_hessian(n, delta))
    assert 2 * n**2 * bounds.spherical_tail(d, one_factor / math.sqrt(d)) == pytest.approx(delta, rel=1e-12)
    one_factor = bounds.kronecker_mu_weights(m, n, delta) ** 0.25
    assert 4 * m * n * bounds.spherical_tail(d, one_factor / math.sqrt(d)) == pytest.approx(delta, rel=1e-12)


def test_a_sphere_is_the_case_of_one_block():
    assert bounds.spherical_tail(16, 0.3) == bounds.signed_sum_tail(1, 16, 0.3, 1.0, 1.0)


def test_lists_of_different_length_are_no_diagonals():
    with pytest.raises(ValueError, match="zip"):
        bounds.rescaled_product([1.0], [1.0, 2.0])


def test_the_margin_spends_delta_on_all_weights_alike():
    margin = bounds.clamping_margin(8, 16, 0.5, 0.01)
    assert 8 * 16 * bounds.straying_tail(margin, 0.5) == pytest.approx(0.01, rel=1e-12)
