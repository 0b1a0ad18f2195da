"""The words of vocabulary.py for a device: PTX instructions, or LLVM's own where they become the same.

None of them has an effect beside its result, so LLVM may move and share them. Arguments are brought to the types of the
signature by Numba. Nothing here runs without a device; that it compiles is tested wherever the compiler is at hand.
"""

from llvmlite import ir
from numba import cuda
from numba.cuda import types
from numba.cuda.extending import intrinsic

ALL_LANES = 0xFFFFFFFF
I16, I32, FLOAT = ir.IntType(16), ir.IntType(32), ir.FloatType()
ONES = ir.Constant(I32, 0x01010101)
GLOBAL = 1  # the address space of a device's main memory
u32, f32 = types.uint32, types.float32


def instruction(builder, result, args, text, constraints):
    """The result of a piece of PTX."""
    kind = ir.FunctionType(result, [arg.type for arg in args])
    return builder.call(ir.InlineAsm(kind, text, constraints, side_effect=False), args)


@intrinsic
def multiply_add(typing, x, a, b):
    """A x + b mod 2^32."""

    def generate(context, builder, signature, args):
        return builder.add(builder.mul(args[0], args[1]), args[2])

    return u32(u32, u32, u32), generate


@intrinsic
def multiply_high(typing, x, a):
    """floor(a x / 2^32)."""

    def generate(context, builder, signature, args):
        return instruction(builder, I32, args, "mul.hi.u32 $0, $1, $2;", "=r,r,r")

    return u32(u32, u32), generate


@intrinsic
def funnel_left(typing, high, low, shift):
    """The top 32 of the 64 bits high:low after a shift to the left by 0 to 31 bits."""

    def generate(context, builder, signature, args):
        high, low, shift = args
        return instruction(builder, I32, [low, high, shift], "shf.l.wrap.b32 $0, $1, $2, $3;", "=r,r,r,r")

    return u32(u32, u32, u32), generate


@intrinsic
def sum_of_bytes(typing, x, start):
    """Start + the four bytes of x, mod 2^32."""

    def generate(context, builder, signature, args):
        return instruction(builder, I32, [args[0], ONES, args[1]], "dp4a.u32.u32 $0, $1, $2, $3;", "=r,r,r,r")

    return u32(u32, u32), generate


@intrinsic
def count_bits(typing, x):
    """How many bits of x are set."""

    def generate(context, builder, signature, args):
        return instruction(builder, I32, args, "popc.b32 $0, $1;", "=r,r")

    return u32(u32), generate


@intrinsic
def bits_as_float(typing, x):
    """The single-precision number whose bits are x."""

    def generate(context, builder, signature, args):
        return builder.bitcast(args[0], FLOAT)

    return f32(u32), generate


@intrinsic
def sum_of_halves(typing, x):
    """The two halves of x are half-precision numbers: their sum, rounded to half precision."""

    def generate(context, builder, signature, args):
        add = "{.reg .b16 a, b; mov.b32 {a, b}, $1; add.rn.f16 a, a, b; cvt.f32.f16 $0, a;}"
        return instruction(builder, FLOAT, args, add, "=f,r")

    return f32(u32), generate


@intrinsic
def multiply_add_halves(typing, x, a, b):
    """A x + b of three half-precision numbers, given by their bits, rounded to half precision once."""

    def generate(context, builder, signature, args):
        halves = [builder.trunc(arg, I16) for arg in args]
        fma = "{.reg .b16 d; fma.rn.f16 d, $1, $2, $3; cvt.f32.f16 $0, d;}"
        return instruction(builder, FLOAT, halves, fma, "=f,h,h,h")

    return f32(u32, u32, u32), generate


@intrinsic
def load4(typing, words, i):
    """The words i, i + 1, i + 2, i + 3 of an array with one axis that no kernel writes to; i is a multiple of 4."""

    def generate(context, builder, signature, args):
        data = context.make_array(signature.args[0])(context, builder, args[0]).data
        place = builder.bitcast(builder.gep(data, [args[1]]), ir.VectorType(I32, 4).as_pointer())
        loaded = builder.load(builder.addrspacecast(place, ir.VectorType(I32, 4).as_pointer(GLOBAL)), align=16)
        loaded.set_metadata("invariant.load", builder.module.add_metadata([]))
        parts = [builder.extract_element(loaded, ir.Constant(I32, j)) for j in range(4)]
        return context.make_tuple(builder, signature.return_type, parts)

    return types.UniTuple(u32, 4)(words, types.intp), generate


@cuda.jit(device=True)
def warp_sum(x, stride):
    """The sum of x over the lanes whose numbers are equal mod stride, a power of two; every lane gets its own."""
    while stride < 32:
        x += cuda.shfl_xor_sync(ALL_LANES, x, stride)
        stride *= 2
    return x
