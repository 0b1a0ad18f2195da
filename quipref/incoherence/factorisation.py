"""Which Hadamard matrix of order n is the cheapest to multiply by: the search behind `hadamard_plan`."""

from functools import lru_cache, partial, reduce
from math import isqrt, prod

from quipref.incoherence.factors import Dense, SharedPair, Sylvester, kronecker
from quipref.incoherence.finite_field import prime_power
from quipref.incoherence.paley import miyamoto, paley_one, paley_two
from quipref.incoherence.williamson import FIRST_ROWS, williamson

# The base orders of QuIP# and QTIP. A multiple by a power of two is what their checkpoints hold, so it comes first.
AUTHORS = (172, 156, 140, 124, 116, 108, 60, 52, 36, 28, 20, 12)
DENSE_LIMIT = 8192  # a larger dense factor takes more memory and time than the layers it would serve


@lru_cache(maxsize=4096)
def exact_factors(n):
    """The Kronecker factors of an exact plan, from the slowest axis to the fastest, or None."""
    twos = (n & -n).bit_length() - 1
    odd = n >> twos
    if odd == 1:
        return (Sylvester(n),)
    if 4 * odd in AUTHORS:
        choices = [[base(4 * odd)]] if twos >= 2 else []
    else:
        choices = [[smallest_base(d, twos) for d in divisors] for divisors in splittings(odd)]
    priced = [price(bases, n) for bases in choices if None not in bases]
    found = min((p for p in priced if p is not None), default=None, key=lambda p: p[0])
    return found and found[1]


def price(bases, n):
    """(operations an entry, factors) of the product of these bases of order n, or None if n is too small for it."""
    product, shared = prod(b.order for b in bases), 0
    while product > n:
        product, shared = product // 2, shared + 1
    if shared >= len(bases):
        return None
    sylvester = n // product
    operations = sum(b.order for b in bases) + shared + sylvester.bit_length() - 1
    factors = (reduce(SharedPair, bases[: shared + 1]), *bases[shared + 1 :])
    return operations, factors + ((Sylvester(sylvester),) if sylvester > 1 else ())


def splittings(odd, least=3):
    """All ways to write an odd number as a product of factors from `least` up, in ascending order."""
    if odd <= DENSE_LIMIT:
        yield [odd]
    for d in range(least, min(isqrt(odd), DENSE_LIMIT) + 1, 2):
        if odd % d == 0:
            yield from ([d, *rest] for rest in splittings(odd // d, d))


def smallest_base(odd, twos):
    """The dense matrix of the smallest order odd 2^k with 2 <= k <= twos, or None."""
    return next(filter(None, (base(odd << k) for k in range(2, twos + 1))), None)


@lru_cache(maxsize=4096)
def base(order):
    """The dense matrix of this order, a multiple of 4, by the first construction that gives one; or None."""
    if order > DENSE_LIMIT:
        return None
    if order in FIRST_ROWS:
        return Dense(f"Williamson of order {order}", order, partial(williamson, order))
    if prime_power(order - 1) and order != 28:  # for 28 the authors took Paley II, though 27 is a power of 3
        return Dense(f"Paley I over GF({order - 1})", order, partial(paley_one, order - 1))
    q = order // 2 - 1
    if q % 4 == 1 and prime_power(q):
        return Dense(f"Paley II over GF({q})", order, partial(paley_two, q))
    q = order // 4
    if q % 4 == 1 and prime_power(q) and exact_factors(q - 1):
        return Dense(f"Miyamoto over GF({q}) from order {q - 1}", order, partial(_miyamoto, q))
    return None


def _miyamoto(q):
    return miyamoto(q, kronecker(exact_factors(q - 1)))


def block_orders(n):
    """Orders of exact plans that sum to n, each the largest that is left room for."""
    orders = []
    while n:
        orders.append(largest_exact(n))
        n -= orders[-1]
    return orders


def largest_exact(n):
    """The largest order up to n with an exact plan; beyond twice the dense orders, of half as many and doubled."""
    if n >= 4 * DENSE_LIMIT:
        return 2 * largest_exact(n // 2)
    return next(order for order in range(n, 0, -1) if exact_factors(order) is not None)
