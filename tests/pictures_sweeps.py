"""Examples of the pictures of losses on random layers, as in pictures.py."""

from quipref.figures import sweeps

SPECTRA = "power", "flat", "low_rank", "dead"


def record(method, spectrum, n, ratio, bound="worst_case", bits=None, seed=0):
    question = {"method": method, "options": {}, "bits": bits, "spectrum": spectrum, "m": 16, "n": n, "seed": seed}
    return question | {"ratio": ratio, "bound": bound}


def ratio_against_n():
    """Three theorems on four spectra, a method without a bound, one with a bound of its own grid, one that breaks."""
    records = [record("qtip", "power", 8, None, None, bits=2)]
    for spectrum in SPECTRA:
        for n in (8, 16, 64):
            records += [record("ldlq", spectrum, n, 0.3 + 0.01 * seed, seed=seed) for seed in range(3)]
            records += [record("nearest", spectrum, n, 0.8 / n, "plain_worst_case")]
            records += [record("root_trace", spectrum, n, 0.5, "root_trace")]
            records += [record("ldlq", spectrum, n, 0.2, bits=2)]
            records += [record("my_idea:ldlq", spectrum, n, n / 20 + seed, seed=seed) for seed in range(3)]
        records.append(record("my_idea:ldlq", spectrum, 128, None) | {"error": "ValueError: too wide"})
    return sweeps.ratio_against_n(records)


def shares(refused=("low_rank",), exact=("flat",)):
    """Records of a rounder that refuses some spectra and loses nothing on others."""
    records = []
    for method, ratio in (("nearest", 2.0), ("ldlq", 0.3), ("my_idea:mine", 0.4)):
        for spectrum in SPECTRA:
            own = method == "my_idea:mine"
            found = {"ratio": ratio, "error": ""}
            found |= {"ratio": 0.0} if own and spectrum in exact else {}
            found |= {"ratio": None, "error": "refused"} if own and spectrum in refused else {}
            question = {"method": method, "spectrum": spectrum, "m": 8}
            records += [question | found | {"n": n, "seed": seed} for n in (8, 16, 32, 64) for seed in range(2)]
    return records


def losses_against_n():
    row = sweeps.Row("loss / (m tr D)", "the bound, m tr D", mean=(1 / 6, "mean"), names=(("ldlq", "ldlq, random"),))
    return sweeps.losses_against_n(shares(), row)


TOPICS = (sweeps,)
EXAMPLES = {sweeps.ratio_against_n: ratio_against_n, sweeps.losses_against_n: losses_against_n}
