"""Faults that several bugs are made of, and the places that many of them are planted at.

A bug is {place: what stands there -> what shall stand there}, a place "module:attribute" or "module:Class.attribute".
"""

LDL, LDLQ, GRID = "quipref.factor:ldl", "quipref.rounding.ldlq", "quipref.rounding.grid:AffineGrid"


def moved_targets(rounding, by):
    """Patches after which a grid with that rounding rounds t - by steps; nothing is compiled, so no kernel escapes."""

    def faulty(quantize):
        return lambda self, T, rng=None: quantize(self, T - by * self.step * (self.rounding == rounding), rng)

    return {f"{GRID}.quantize": faulty, f"{GRID}.affine": lambda _: lambda self, m, dtype: None}


def scaled(place, factor):
    """A right-hand side that is wrong by a factor."""
    return {f"quipref.bounds:{place}": lambda bound: lambda *args: factor * bound(*args)}
