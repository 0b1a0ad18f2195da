"""The device: its number, its room, and arrays of other libraries, for which stand-ins serve where there is none."""

from types import SimpleNamespace

import numpy as np
import pytest
from numba import cuda
from voice import says

from quipref import backend
from quipref.cuda import device as module
from quipref.cuda import presence
from quipref.cuda.device import Device, device_of
from quipref.cuda.vocabulary import SIMULATED


def test_the_current_device_is_taken_where_none_is_named():
    presence.require_cuda()
    assert Device().number == Device(0).number == 0
    with says(ValueError, "device must be the number of a CUDA device, from 0 to", "but 99 came."):
        Device(99)


def test_everything_that_the_door_leads_to_is_there():
    assert all(backend.cuda_twin(name).__name__ == name for name in backend.CUDA)


def test_arrays_go_there_and_come_back():
    X = np.arange(6, dtype=np.float32).reshape(2, 3)
    X.setflags(write=False)
    with Device(0).current():
        np.testing.assert_array_equal(Device(0).put(X.T).copy_to_host(), X.T)
        assert Device(0).empty((4, 2)).shape == (4, 2)


def test_room(monkeypatch):
    monkeypatch.setattr(
        module.cuda, "current_context", lambda: SimpleNamespace(get_memory_info=lambda: (2_000_000, 3_000_000))
    )
    Device(0).check_room(2_000_000, "W", "Free some.")
    with says(MemoryError, "W must fit the free memory of device 0, 2,000,000 bytes, but needs 2,000,001 bytes. Free"):
        Device(0).check_room(2_000_001, "W", "Free some.")
    with says(MemoryError, "x must fit", "2,000,000 bytes, but needs 2,000,004 bytes."):
        Device(0).put(np.zeros(500_001, np.float32), "x")


class StandIn:
    """An array of another library: it has the interface, and a device in that library's words."""

    def __init__(self, array, **owner):
        self.array, self.device = array, SimpleNamespace(**owner)
        self.__cuda_array_interface__ = {"typestr": array.dtype.str, "shape": tuple(array.shape)}


@pytest.fixture
def lent(monkeypatch):
    """Device.lent, where a stand-in becomes the array that it holds."""
    monkeypatch.setattr(module.cuda, "as_cuda_array", lambda x: x.array, raising=False)
    return lambda x: Device(0).lent(x, "x")


def test_an_array_on_the_device_is_taken_as_it_lies(lent):
    x = cuda.to_device(np.ones((2, 4), np.float32))
    assert lent(x) is x
    assert lent(StandIn(x, id=0)) is x  # as CuPy says it
    assert lent(StandIn(x, index=0)) is x  # as torch does
    assert lent(StandIn(x)) is x
    assert lent(np.ones(4, np.float32)) is None
    assert lent([1.0]) is None


@pytest.mark.skipif(not SIMULATED, reason="a device has room for arrays of other libraries")
def test_the_simulator_has_no_arrays_of_other_libraries():
    with says(TypeError, "x must be NumPy's or Numba's on the simulator", "test_device.StandIn. Copy it to NumPy"):
        Device(0).lent(StandIn(np.ones(4, np.float32)), "x")


def test_arrays_that_a_kernel_cannot_read_are_refused(lent):
    double, single = cuda.to_device(np.ones((2, 4))), cuda.to_device(np.ones((2, 4), np.float32))
    for x in (double, StandIn(double)):
        with says(TypeError, "x must hold float32 where it lies on the device, but its dtype is float64.", ".float()"):
            lent(x)
    with says(ValueError, "x must lie on device 0, where the layer is, but it lies on device 3.", "to_cuda(3)"):
        lent(StandIn(single, index=3))
    with says(ValueError, "x must be contiguous on the device", "for the shape (2, 2)", "contiguous() in torch"):
        lent(single[:, ::2])


def test_which_device_an_array_says_it_is_on():
    memory = SimpleNamespace(context=SimpleNamespace(device=SimpleNamespace(id=2)))
    assert device_of(SimpleNamespace(gpu_data=memory)) == 2  # as Numba says it
    assert device_of(SimpleNamespace(device=SimpleNamespace(id=1))) == 1
    assert device_of(SimpleNamespace(device=SimpleNamespace(index=1))) == 1
    assert device_of(SimpleNamespace(device="cpu")) is None  # a string has a method index
    assert device_of(object()) is None
