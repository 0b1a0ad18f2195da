"""Mistakes that somebody could make in the coordinate passes over blocks of columns."""

import numpy as np

DESCENT = "quipref.rounding.block_descent"


def diagonal_alone(H, block):
    """1 / H_jj in place of the inverse of a block, zero where H_jj is."""
    d = H.diagonal()
    inverse = np.divide(1.0, d, out=np.zeros(len(H)), where=d > 0).reshape(-1, 1, block)
    return inverse * np.eye(block)


def rising(by):
    """`iterates` that tell the wrong story of what a pass has done to the loss."""

    def faulty(iterates):
        def told(*args):
            for t, (W_hat, codes, rise) in enumerate(iterates(*args)):
                yield W_hat, codes, rise + by * 1e9 * (t + 1)

        return told

    return {f"{DESCENT}:iterates": faulty}


def inverses_times(factor):
    """A step that is too long or too short."""
    return {f"{DESCENT}:block_inverses": lambda inverses: lambda H, block: factor * inverses(H, block)}


def reversed_products(one_pass):
    """Passes in which the errors pull the other way."""
    return lambda at, H, inverses, *rest: one_pass(at, H, -inverses, *rest)


BUGS = {
    "descent: 1 / H_jj for the inverse of a block": {f"{DESCENT}:block_inverses": lambda _: diagonal_alone},
    "descent: twice the step": inverses_times(2),
    "descent: half the step": inverses_times(1 / 2),
    "descent: no pull from the others": inverses_times(0),
    "descent: the others push": {f"{DESCENT}:one_pass": reversed_products},
    "descent: the last iterate kept": rising(-1),
    "descent: the start kept": rising(1),
}
