"""A progress bar with weights a second, for methods that take more than seconds."""

from quipref.rounding.quantizer import Quantizer

QUIET_SECONDS = 2  # before the bar appears


def bar(method, n_weights, progress):
    """The bar, on standard error; it says nothing unless `progress`."""
    from tqdm import tqdm

    return tqdm(
        desc=method, total=n_weights, unit=" weights", unit_scale=True, delay=QUIET_SECONDS, leave=False,
        disable=not progress,
    )  # fmt: skip


class Counted:
    """A Quantizer that says how many weights it has rounded."""

    def __init__(self, round_to: Quantizer, count) -> None:
        self.round_to, self.count, self.block, self.decode = round_to, count, round_to.block, round_to.decode

    def quantize(self, T, rng=None):
        found = self.round_to.quantize(T, rng)
        self.count(T.size)
        return found
