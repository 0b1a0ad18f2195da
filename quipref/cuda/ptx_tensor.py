"""The words of tensor.py for a device: a warp's 32 lanes together are one instruction of the tensor cores.

The pieces of the matrices lie in the lanes' registers as tensor.py says; `room` is not used. Nothing here runs without
a device; that it compiles is tested wherever the compiler is at hand.
"""

from llvmlite import ir
from numba import cuda
from numba.cuda import types
from numba.cuda.extending import intrinsic

from quipref.cuda.ptx import ALL_LANES, FLOAT, I32, f32, instruction, u32

SHARED = 3  # the address space of a block's shared memory
i32 = types.int32


def product(result, shape_and_types):
    """The word of one kind of matrix product: four results, four registers of A, two of B, and four sums so far."""

    @intrinsic
    def multiply(typing, a0, a1, a2, a3, b0, b1, c0, c1, c2, c3, room):
        llvm, letter = (I32, "r") if result == i32 else (FLOAT, "f")
        text = f"mma.sync.aligned.{shape_and_types} {{$0,$1,$2,$3}}, {{$4,$5,$6,$7}}, {{$8,$9}}, {{$10,$11,$12,$13}};"
        constraints = ",".join(["=" + letter] * 4 + ["r"] * 6 + [letter] * 4)

        def generate(context, builder, signature, args):
            four = ir.LiteralStructType([llvm] * 4)
            kind = ir.FunctionType(four, [arg.type for arg in args[:10]])
            sums = builder.call(ir.InlineAsm(kind, text, constraints, side_effect=True), args[:10])
            parts = [builder.extract_value(sums, j) for j in range(4)]
            return context.make_tuple(builder, signature.return_type, parts)

        return types.UniTuple(result, 4)(u32, u32, u32, u32, u32, u32, result, result, result, result, room), generate

    return multiply


multiply_bytes = product(i32, "m16n8k32.row.col.s32.u8.s8.s32")
multiply_halves = product(f32, "m16n8k16.row.col.f32.f16.f16.f32")


@cuda.jit(device=True)
def from_lane(word, lane, room):
    """The word that another lane of the warp holds."""
    return u32(cuda.shfl_sync(ALL_LANES, i32(word), lane))


@intrinsic
def low_halves(typing, a, b):
    """The low halves of a and b, that of a below."""

    def generate(context, builder, signature, args):
        return instruction(builder, I32, args, "prmt.b32 $0, $1, $2, 0x5410;", "=r,r,r")

    return u32(u32, u32), generate


@intrinsic
def half_sum(typing, x):
    """The sum of the two half-precision numbers of a word, rounded to half precision, in the low half of another."""

    def generate(context, builder, signature, args):
        add = "{.reg .b16 a, b; mov.b32 {a, b}, $1; add.rn.f16 a, a, b; mov.b32 $0, {a, a};}"
        return instruction(builder, I32, args, add, "=r,r")

    return u32(u32), generate


@intrinsic
def multiply_add_pairs(typing, x, a, b):
    """A x + b of pairs of half-precision numbers, rounded once."""

    def generate(context, builder, signature, args):
        return instruction(builder, I32, args, "fma.rn.f16x2 $0, $1, $2, $3;", "=r,r,r,r")

    return u32(u32, u32, u32), generate


@intrinsic
def half_bits(typing, x):
    """The bits of x rounded to half precision."""

    def generate(context, builder, signature, args):
        return instruction(builder, I32, args, "{.reg .b16 h; cvt.rn.f16.f32 h, $1; cvt.u32.u16 $0, h;}", "=r,f")

    return u32(f32), generate


@intrinsic
def float_bits(typing, x):
    """The bits of x in single precision."""

    def generate(context, builder, signature, args):
        return builder.bitcast(args[0], I32)

    return u32(f32), generate


@intrinsic
def half_word(typing, x, byte):
    """The 16 bits of x that begin with its byte 0, 1 or 2, the lowest being 0."""

    def generate(context, builder, signature, args):
        x, byte = args
        selector = builder.add(builder.mul(byte, ir.Constant(I32, 0x11)), ir.Constant(I32, 0x4410))
        return instruction(builder, I32, [x, ir.Constant(I32, 0), selector], "prmt.b32 $0, $1, $2, $3;", "=r,r,r,r")

    return u32(u32, u32), generate


@intrinsic
def load4_shared(typing, words, i):
    """The words i, i + 1, i + 2, i + 3 of an array with one axis in shared memory; i is a multiple of 4."""

    def generate(context, builder, signature, args):
        data = context.make_array(signature.args[0])(context, builder, args[0]).data
        four = ir.VectorType(I32, 4)
        place = builder.bitcast(builder.gep(data, [args[1]]), four.as_pointer(data.type.addrspace))
        loaded = builder.load(builder.addrspacecast(place, four.as_pointer(SHARED)), align=16)
        parts = [builder.extract_element(loaded, ir.Constant(I32, j)) for j in range(4)]
        return context.make_tuple(builder, signature.return_type, parts)

    return types.UniTuple(u32, 4)(words, types.intp), generate
