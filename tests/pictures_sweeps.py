"""An example of the picture of a sweep, as in pictures.py."""

from quipref.figures import sweeps


def record(method, spectrum, n, ratio, bound="worst_case", bits=None):
    question = {"method": method, "options": {}, "bits": bits, "spectrum": spectrum, "n": n}
    return question | {"ratio": ratio, "bound": bound}


def ratio_against_n():
    """Two methods on four spectra, one without a bound, one that breaks its own."""
    records = [record("qtip", "power", 8, None, None, bits=2)]
    for spectrum in ("power", "flat", "low_rank", "dead"):
        for n in (8, 16, 64):
            records += [record("ldlq", spectrum, n, 0.3 + 0.01 * seed) for seed in range(3)]
            records += [record("nearest", spectrum, n, 0.8 / n, "plain_worst_case")]
            records += [record("my_idea:ldlq", spectrum, n, n / 20 + seed) for seed in range(3)]
    return sweeps.ratio_against_n(records)


TOPICS = (sweeps,)
EXAMPLES = {sweeps.ratio_against_n: ratio_against_n}
