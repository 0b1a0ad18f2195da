"""A compiled kernel beside the reference function that it is the twin of; twins.py lists them all."""

from importlib import import_module

import numpy as np

from quipref import backend

LEFT = 7.25  # what stands in an output before the call: it must still be there outside the rows and columns asked for


class Twin:
    """A pair. `exact` and `general` make a case; `reference` and `kernel` return what the case's call wrote."""

    name: str
    reference_name: str

    def reference_function(self):
        """The NumPy function, by its full name."""
        module, _, name = self.reference_name.rpartition(".")
        return getattr(import_module(module), name)

    def kernel_function(self):
        """The compiled function, through the one door."""
        return backend.twin(self.name)

    def assert_equal(self, case, reference, kernel):
        """On exact cases: to the bit, in every output."""
        for expected, found in zip(reference, kernel, strict=True):
            assert found.dtype == expected.dtype
            assert np.array_equal(found, expected)
