"""One CUDA device: which it is, whether it has room, and how arrays get there."""

import numpy as np
from numba import cuda

FLOAT = np.dtype(np.float32)


class Device:
    """A CUDA device by its number, or for None the one that is current in this thread."""

    def __init__(self, number=None):
        if number is None:
            cuda.current_context()  # makes device 0 the current one where none is
            number = cuda.gpus.current.id
        if number not in range(len(cuda.gpus)):
            raise ValueError(
                f"device must be the number of a CUDA device, from 0 to {len(cuda.gpus) - 1}, but {number} came."
            )
        self.number = number

    def current(self):
        """`with device.current():` arrays are made, and kernels run, on this device."""
        return cuda.gpus[self.number]

    def check_room(self, nbytes, name, advice):
        """Refuse what is larger than the memory that is free."""
        free, _ = cuda.current_context().get_memory_info()
        if nbytes > free:
            raise MemoryError(
                f"{name} must fit the free memory of device {self.number}, {free:,} bytes, "
                f"but needs {nbytes:,} bytes. {advice}"
            )

    def put(self, array, name="an array"):
        """A copy of a NumPy array on the device, if there is room."""
        self.check_room(array.nbytes, name, "Free some, or take another device.")
        return cuda.to_device(np.ascontiguousarray(array))

    def empty(self, shape):
        """A new array of float32 on the device, with whatever numbers are there."""
        return cuda.device_array(shape, np.float32)

    def lent(self, x, name):
        """The array x of another library on this device as Numba has it, not copied: it must be C-contiguous float32.

        None where x is no array on a device.
        """
        if hasattr(x, "__cuda_ndarray__"):  # Numba's own
            array = x
        elif hasattr(x, "__cuda_array_interface__"):
            self._check_dtype(np.dtype(x.__cuda_array_interface__["typestr"]), name)
            self._check_owner(x, name)  # before Numba asks the driver, whose answer would be less clear
            if not hasattr(cuda, "as_cuda_array"):
                raise TypeError(
                    f"{name} must be NumPy's or Numba's on the simulator, which has no device for other libraries, "
                    f"but {name} is a {type(x).__module__}.{type(x).__qualname__}. Copy it to NumPy first."
                )
            array = cuda.as_cuda_array(x)
        else:
            return None
        self._check_dtype(array.dtype, name)
        self._check_owner(x, name)
        if not array.is_c_contiguous():
            raise ValueError(
                f"{name} must be contiguous on the device, row after row, but its strides are {array.strides} for the "
                f"shape {tuple(array.shape)}. Copy it there first: {name}.copy() in CuPy, {name}.contiguous() in torch."
            )
        return array

    @staticmethod
    def _check_dtype(dtype, name):
        if dtype != FLOAT:
            raise TypeError(
                f"{name} must hold float32 where it lies on the device, but its dtype is {dtype}. "
                f"Convert it there first: {name}.astype('float32') in CuPy, {name}.float() in torch."
            )

    def _check_owner(self, x, name):
        owner = device_of(x)
        if owner not in (None, self.number):
            raise ValueError(
                f"{name} must lie on device {self.number}, where the layer is, but it lies on device {owner}. "
                f"Copy it there, or make the layer there: layer.to_cuda({owner})."
            )


def device_of(x):
    """The number of the device that an array of Numba, CuPy or torch lies on; None where it does not say."""
    device = x.gpu_data.context.device if hasattr(x, "gpu_data") else getattr(x, "device", None)
    numbers = (getattr(device, attribute, None) for attribute in ("id", "index"))  # CuPy's and Numba's name, torch's
    return next((number for number in numbers if isinstance(number, int)), None)
