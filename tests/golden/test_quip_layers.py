"""Every array of `quip_rounding.npz`, roundings and whole layers alike, reproduced to the bit from its inputs.

How each comes about stands in quip_program.py; test_quip_golden.py holds quipref's own methods against them.
"""

import numpy as np
import pytest
from golden.quip_program import INPUTS, PRECISIONS, Stored, forward, results, whole_a

FLOAT32 = [precision for precision in PRECISIONS if precision.endswith("f32")]
CASES = [(precision, name) for precision in PRECISIONS for name in results(precision)]


@pytest.fixture(scope="module")
def archive(golden):
    with np.load(golden / "quip_rounding.npz", allow_pickle=False) as archive:
        return dict(archive)


def same_bits(expected, found):
    return expected.dtype == found.dtype and expected.shape == found.shape and expected.tobytes() == found.tobytes()


@pytest.mark.parametrize(("precision", "name"), CASES)
def test_it_is_reproduced(archive, precision, name):
    stored = Stored(archive, precision)
    assert same_bits(archive[f"{precision}_{name}"], np.asarray(results(precision)[name](stored)))


def test_nothing_is_skipped(archive):
    """Each array of the file is a result compared above, or an input that those results were made from."""
    read = set()
    for precision in PRECISIONS:
        stored = Stored(archive, precision)
        for result in results(precision).values():
            result(stored)
        read |= stored.read
    compared = {f"{precision}_{name}" for precision, name in CASES}
    assert read & compared == set()  # no result was read off its own answer
    assert read | compared == set(archive)
    assert {name.split("_", 2)[2] for name in read} == set(INPUTS)


class TestWholeLayers:
    """What the program hands out: half precision, on the levels of its grid."""

    @pytest.mark.parametrize("precision", FLOAT32)
    def test_the_methods_differ(self, archive, precision):
        for grid in "ab":
            names = [f"{precision}_full_qfn{grid}_{method}" for method in ["ldlq", "ldlqRG", "allbal", "ldl_gptqequiv"]]
            for i, name in enumerate(names):
                assert all((archive[name] != archive[other]).mean() > 0.005 for other in names[:i])

    @pytest.mark.parametrize("precision", FLOAT32)
    def test_clamping_the_weights_first_changes_what_is_rounded(self, archive, precision):
        """The forward rounder of grid "a" sees weights outside the range: clamped, another layer comes out."""
        stored = Stored(archive, precision)
        clamped = whole_a(forward, dtype=np.float32)(stored)
        assert (clamped != stored["full_qfna_ldl_gptqequiv"]).mean() > 0.01
