"""The fast kernel is believed once it has been compared; else it is said what is wrong, and the other serves."""

import warnings

import numpy as np
import pytest
from voice import says

import quipref as q
from quipref import device_codes
from quipref.cuda import fast_check
from quipref.trellis import codes


@pytest.fixture
def unchecked():
    """No kind has been compared so far, nor will what this test finds be remembered."""
    compared = fast_check._compared
    compared.cache_clear()
    yield
    compared.cache_clear()


@pytest.fixture
def planted(monkeypatch, unchecked):
    """A function that puts a wrong fast kernel in the place of the right one."""

    def plant(wrong):
        right = fast_check.fast_walks_matvec
        monkeypatch.setattr(fast_check, "fast_walks_matvec", lambda *a, **how: wrong(right, *a, **how))

    return plant


def one_wrong_weight(right, words, table, X, Y, scale, **how):
    """The bits of a weight in the last tile are another's."""
    words = words.copy_to_host()
    words[-1, -1] ^= 1 << 9
    right(fast_check.cuda.to_device(words), table, X, Y, scale, **how)


def nothing_written(right, *arguments, **how):
    pass


def no_such_instruction(right, *arguments, **how):
    raise LookupError("ptxas:\n  Feature 'mma' requires .target sm_80")


def layer():
    trellis = q.BitshiftTrellis(16, 2)
    words = np.random.default_rng(0).integers(0, 2**16, (16, 4), dtype=np.uint16)
    return q.QuantizedLayer((16, 32), "qtip", {"code": "1mad"}, words, q.TrellisQuantizer(codes.one_mad(16), trellis))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (one_wrong_weight, "results are off by"),
        (nothing_written, "results are off by nan"),
        (no_such_instruction, "LookupError: ptxas: Feature 'mma' requires .target sm_80"),
    ],
)
def test_a_wrong_kernel_is_replaced_for_good(planted, monkeypatch, wrong, said):
    planted(wrong)
    cpu, x = layer(), np.linspace(-1, 1, 32, dtype=np.float32)
    there = cpu.to_cuda()
    assert (there.kernel, there.why) == ("fast", "")
    with pytest.warns(RuntimeWarning, match="fast CUDA kernel .code '1mad', 2 bits, 1 vector. must agree") as told:
        y = there.matvec(x).copy_to_host()
    assert said in str(told[0].message)
    assert "quipref doctor" in str(told[0].message)
    assert there.kernel == "teaching"
    assert said in there.why
    monkeypatch.setattr(fast_check, "_compared", None)  # it is not asked again
    np.testing.assert_array_equal(there.matvec(x).copy_to_host(), y)
    np.testing.assert_allclose(y, cpu.matvec(x), rtol=0, atol=1e-4)


def test_a_kind_is_compared_once_and_warned_of_once(planted):
    planted(nothing_written)
    x = np.ones(32, np.float32)
    with pytest.warns(RuntimeWarning) as told:
        first = layer().to_cuda()
        first.matvec(x)
        second = layer().to_cuda()
        second.matvec(x)
    assert len(told) == 1
    assert first.why == second.why != ""
    with says(RuntimeWarning, "2 vectors"), warnings.catch_warnings():
        warnings.simplefilter("error")
        layer().to_cuda().matvec(np.ones((2, 32), np.float32))


def test_the_right_kernel_passes_far_below_the_tolerance(unchecked):
    how = {"code": "1mad", "state_bits": 16, "bits": 2, "values_per_step": 1, "table_bits": 0, "tile": (16, 16)}
    few = fast_check.SHAPE[1] // fast_check.TURNS
    assert fast_check.fast_fails(0, 1, 1, **how) is None
    assert fast_check.fast_fails(0, 1, 1, **how) is None
    assert fast_check._compared.cache_info().hits == 1
    assert 10 * fast_check.largest_difference(1, 1, how) < fast_check.tolerance(few)


def test_no_code_has_values_beyond_what_the_tolerance_allows_for():
    assert max(np.abs(code(16)).max() for code in device_codes.COMPUTED.values()) < fast_check.LARGEST
