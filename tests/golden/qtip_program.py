"""What QTIP's program (commit e90c6688) does otherwise than quipref: half precision, and the layout its kernels read.

Its quantizer rounds the targets to half precision before the search. Where the codebook is half precision too, as in
`qtip_pipeline_1mad2bit_nokernel.npz`, the errors are, and in the first of the two passes even the running costs.
"""

import numpy as np

from quipref import TrellisQuantizer

LANES = 32  # of a warp: each owns the eighth part of 256 weights


class HalfTargets(TrellisQuantizer):
    """Targets in half precision; everything after that as in quipref."""

    def walks(self, X):
        return super().walks(X.astype(np.float16).astype(np.float32))


class HalfEverything(TrellisQuantizer):
    """Targets, codebook and errors in half precision, costs in the first pass too. One value a step."""

    def walks(self, X):
        values, which = np.unique(self.table.astype(np.float16), return_inverse=True)  # many states share a value
        self.values, self.which, self.shift = values, which.ravel(), self.trellis.shift
        return np.array([self.walk(x) for x in X.astype(np.float16)], np.int32)

    def walk(self, x):
        middle = self.one_pass(np.roll(x, len(x) // 2), None)[len(x) // 2]
        return self.one_pass(x, middle >> self.shift)

    def one_pass(self, x, overlap):
        """The best walk along x (T,), both ends free, or the first state's high and last state's low bits given."""
        least, before = np.zeros(len(self.which) >> self.shift, np.float32), []
        if overlap is not None:
            least[np.arange(len(least)) != overlap] = np.inf
        for x_t in x:
            error = np.square(self.values - x_t).astype(np.float32)[self.which]
            cost = (error.reshape(len(least), -1) + least[:, None]).ravel()
            if overlap is None:
                round_to_half(cost)
            groups = cost.reshape(-1, len(least))  # a column holds the states with the same low bits
            least, c = groups[0], np.zeros(len(least), np.uint8)
            for i in range(1, len(groups)):
                np.copyto(c, i, where=groups[i] < least)  # the first among equals stays
                least = np.minimum(least, groups[i])
            before.append(c)
        group = cost.argmin() % len(least) if overlap is None else overlap
        walk = []
        for c in before[::-1]:
            walk.append(int(c[group]) * len(least) + group)
            group = walk[-1] >> self.shift
        return walk[::-1]


def round_to_half(x):
    """Round sums (float32) of two numbers in half precision to it, in place: 11 bits, halves to even.

    Below 2^-14, where half precision has fewer bits, such sums are exact both here and there.
    """
    bits = x.view(np.uint32)
    bits += 0xFFF + (bits >> 13 & 1)
    bits &= 0xFFFFE000


def kernel_layout(words, m, n):
    """The streams of the tiles (tiles, 16 k), uint16, as the kernels read them: (tiles, 16 k), int16.

    A lane owns k bytes of a tile. Tiles come in squares of four, whose lanes' bytes stand together, last byte first.
    """
    k = words.shape[1] // 16
    lanes = words.astype(">u2").view(np.uint8).reshape(m // 32, 2, n // 32, 2, LANES, k)
    stored = lanes.transpose(0, 2, 4, 3, 1, 5)[..., ::-1]
    return np.ascontiguousarray(stored).view(np.int16).reshape(words.shape)


def from_kernel_layout(stored, m, n):
    """The inverse of `kernel_layout`."""
    k = stored.shape[1] // 16
    lanes = np.ascontiguousarray(stored).view(np.uint8).reshape(m // 32, n // 32, LANES, 2, 2, k)[..., ::-1]
    words = np.ascontiguousarray(lanes.transpose(0, 4, 1, 3, 2, 5)).view(">u2")
    return words.astype(np.uint16).reshape(stored.shape)


def codes_of_tiles(words, m):
    """The streams of the tiles as the codes of a `TrellisQuantizer` with tiles of 16 x 16: (m, k n / 16)."""
    k = words.shape[1] // 16
    return words.reshape(m // 16, -1, 16, k).swapaxes(1, 2).reshape(m, -1)
