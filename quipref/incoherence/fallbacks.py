"""What stands in for a Hadamard matrix where none is built: the Fourier transform, or blocks on the diagonal.

Both have H H^T = n I up to rounding, and `transform` as in `factors`.
"""

from dataclasses import dataclass

import numpy as np

from quipref.incoherence.factors import read_only


@dataclass(frozen=True)
class Fourier:
    """R^n, n even, as C^(n/2) by adjacent pairs (x_0 + i x_1, x_2 + i x_3, ...), times sqrt(n) the unitary FFT."""

    order: int

    @property
    def name(self):
        return f"Fourier on {self.order // 2} complex numbers"

    def matrix(self):
        k = np.arange(self.order // 2)
        angle = 2 * np.pi / len(k) * (np.outer(k, k) % len(k))  # of the conjugate of the entry
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        return read_only(np.sqrt(2) * turn.transpose(2, 0, 3, 1).reshape(self.order, self.order))

    def transform(self, Y, transpose, threads):
        Z = np.ascontiguousarray(Y.swapaxes(1, 2)).view(np.result_type(Y, np.complex64))
        Z = np.fft.ifft(Z, norm="forward") if transpose else np.fft.fft(Z)
        Z *= 2**0.5
        return np.ascontiguousarray(Z.view(Y.dtype).swapaxes(1, 2))


@dataclass(frozen=True)
class Blocks:
    """A block diagonal of exact plans, each scaled to the whole order n: sqrt(n / order) H."""

    plans: tuple

    @property
    def name(self):
        return f"blocks of {' + '.join(str(plan.n) for plan in self.plans)}"

    @property
    def order(self):
        return sum(plan.n for plan in self.plans)

    def matrix(self):
        H = np.zeros((self.order, self.order))
        for plan, rows in self._slices():
            H[rows, rows] = (self.order / plan.n) ** 0.5 * plan.matrix()
        return read_only(H)

    def transform(self, Y, transpose, threads):
        Z = np.empty_like(Y)
        for plan, rows in self._slices():
            block = np.ascontiguousarray(Y[:, rows])
            Z[:, rows] = plan.unnormalised(block, axis=1, transpose=transpose, threads=threads)
            Z[:, rows] *= (self.order / plan.n) ** 0.5
        return Z

    def _slices(self):
        start = 0
        for plan in self.plans:
            yield plan, slice(start, start + plan.n)
            start += plan.n
