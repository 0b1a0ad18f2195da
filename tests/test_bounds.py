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
        (bounds.incoherent_trace(3.0, 6, 2.0), 6.0),
        (bounds.root_trace(5.0, 0.5), 2.5),
        (bounds.low_rank_ratio(2.0, 4, 64), 0.25),
        (bounds.plain_worst_case(4, 8, 0.5), 4.0),
        (bounds.plain_stochastic_worst_case(8, 3.0), 6.0),
        (bounds.determinant_floor(3, math.log(8.0)), 6.0),
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
