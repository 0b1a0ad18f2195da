"""The words that the kernels are written in: what a GPU does in one instruction, and Python has no name for.

    multiply_add(x, a, b)         a x + b mod 2^32                                            mad.lo.u32
    multiply_high(x, a)           the high word of a x                                        mul.hi.u32
    funnel_left(high, low, s)     the top 32 of the 64 bits high:low after a shift by s       shf.l.wrap.b32
    sum_of_bytes(x, start)        start + the four bytes of x                                 dp4a.u32.u32
    count_bits(x)                 how many bits are set                                       popc.b32
    bits_as_float(x)              the float32 with these bits                                 mov.b32
    sum_of_halves(x)              both halves of a word, added as half-precision numbers      add.f16
    multiply_add_halves(x, a, b)  a x + b of half-precision numbers, rounded once             fma.rn.f16
    load4(words, i)               four neighbouring words                                     ld.global.nc.v4.u32
    warp_sum(x, stride)           sum of x over the lanes of a warp that are equal mod stride shfl.sync.bfly.b32

plain.py says what they mean, and the simulator runs that; ptx.py is how a device is told. `warp_sum` has no plain form,
since the simulator's threads cannot see each other's registers: there its place is taken by shared memory.

In compiled code uint32 op uint32 is a 64-bit number, and float32 op 1.0 a double: the kernels put every intermediate
result back with np.uint32(...) or np.float32(...), and every constant is one of these already.
"""

from numba import config, cuda

SIMULATED = bool(config.ENABLE_CUDASIM)

if SIMULATED:
    from quipref.cuda import plain as words
else:  # pragma: no cover - the simulator's run is what is measured
    from quipref.cuda import ptx as words

multiply_add = words.multiply_add
multiply_high = words.multiply_high
funnel_left = words.funnel_left
sum_of_bytes = words.sum_of_bytes
count_bits = words.count_bits
bits_as_float = words.bits_as_float
sum_of_halves = words.sum_of_halves
multiply_add_halves = words.multiply_add_halves
load4 = words.load4
warp_sum = getattr(words, "warp_sum", None)


def device_function(function):
    """A function that kernels call: compiled for a device, and left alone for the simulator.

    It uses the words above and no `cuda.`: the simulator puts its own `cuda` into the file of the kernel alone.
    """
    return function if SIMULATED else cuda.jit(function, device=True)
