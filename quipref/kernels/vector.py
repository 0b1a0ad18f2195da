"""Vectors of neighbouring numbers in compiled code: a small vocabulary, in which a kernel reads like its plain twin.

    v = load(x, i)        the vector x[i], x[i + 1], ..., as many numbers as WIDTH bytes hold
    store(x, i, v)        writes it back, from x[i] on
    spread(x, i)          the number x[i], as often as a vector has numbers
    look_up(x, which, i)  load(x, which[i])
    a + b, a - b, a * b   number by number
    stage(v, h)           numbers i and i + h of v become their sum and their difference, wherever i & h == 0

Numba has no words for these, and its loops do not become good vector code where partners are close neighbours. Words
for comparisons are in compare.py.

Each word below is a plain Python function over NumPy arrays, which says what it means and which runs when the JIT
is off; under it stand its type and what it compiles to, in the general vector instructions of LLVM: a processor with
shorter vectors gets several of its own for each. With bounds checking on, `load` and `store` check both ends.
"""

import operator

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.typing import signature
from numba.extending import lower_builtin, models, register_model, type_callable

WIDTH = 64  # bytes: one cache line, and the longest vectors of today's processors


class Vector(types.Type):
    """What a vector is called while code is compiled: the type of its numbers, and how many they are."""

    def __init__(self, dtype):
        self.dtype = dtype
        self.lanes = WIDTH * 8 // dtype.bitwidth
        super().__init__(f"Vector({dtype} x {self.lanes})")


@register_model(Vector)
class VectorModel(models.PrimitiveModel):
    """A vector is held in registers."""

    def __init__(self, manager, vector):
        number = manager.lookup(vector.dtype).get_value_type()
        super().__init__(manager, vector, ir.VectorType(number, vector.lanes))


def load(x, i):
    """The numbers x[i], x[i + 1], ... of a contiguous array with one axis."""
    return x[i : i + WIDTH // x.itemsize].copy()


@type_callable(load)
def type_load(context):
    """An array of float32 makes a vector of float32."""
    return lambda x, i: Vector(x.dtype)


@lower_builtin(load, types.Array, types.Integer)
def compile_load(context, builder, sig, args):
    """One load, which need not be aligned to more than a number."""
    vector = sig.return_type
    return builder.load(address(context, builder, sig, args, vector), align=vector.dtype.bitwidth // 8)


def store(x, i, v):
    """Write v to x[i], x[i + 1], ... of a contiguous array with one axis."""
    x[i : i + len(v)] = v


@type_callable(store)
def type_store(context):
    """Nothing is returned."""
    return lambda x, i, v: types.none


@lower_builtin(store, types.Array, types.Integer, Vector)
def compile_store(context, builder, sig, args):
    """One store, which need not be aligned to more than a number."""
    vector = sig.args[2]
    builder.store(args[2], address(context, builder, sig, args, vector), align=vector.dtype.bitwidth // 8)
    return context.get_dummy_value()


def address(context, builder, sig, args, vector):
    """Where x[i] stands, as the address of a vector; in checked code an IndexError if a part of it is outside."""
    x = context.make_array(sig.args[0])(context, builder, args[0])
    i = context.cast(builder, args[1], sig.args[1], types.intp)
    if context.enable_boundscheck:
        for index in (i, builder.add(i, i.type(vector.lanes - 1))):
            cgutils.do_boundscheck(context, builder, index, builder.extract_value(x.shape, 0), axis=0)
    return builder.bitcast(builder.gep(x.data, [i]), context.get_value_type(vector).as_pointer())


def stage(v, h):
    """Stage h inside v: a, b <- a + b, a - b for a = v[i], b = v[i + h]; a v no longer than h is left alone."""
    i = np.arange(len(v))
    return v if h >= len(v) else v[i ^ h] + np.where(i & h, -v, v)


@type_callable(stage)
def type_stage(context):
    """A vector makes a vector; h is written in the source as a number."""
    return lambda v, h: v if isinstance(h, types.IntegerLiteral) else None


@lower_builtin(stage, Vector, types.IntegerLiteral)
def compile_stage(context, builder, sig, args):
    """v[i ^ h] +- v[i]: a shuffle and a fused multiply-add with the signs, which rounds once as the sum does."""
    v, h, lanes = args[0], sig.args[1].literal_value, range(sig.args[0].lanes)
    if h >= len(lanes):
        return v
    partners = builder.shuffle_vector(v, v, constants(ir.IntType(32), [i ^ h for i in lanes]))
    signs = constants(v.type.element, [-1.0 if i & h else 1.0 for i in lanes])
    return builder.fadd(partners, builder.fmul(v, signs))


def constants(number, values):
    """A vector that is known when the code is compiled."""
    return ir.Constant(ir.VectorType(number, len(values)), [ir.Constant(number, value) for value in values])


@type_callable(operator.add)
@type_callable(operator.sub)
@type_callable(operator.mul)
def type_sum(context):
    """Two vectors of one kind make a third."""
    return lambda a, b: a if isinstance(a, Vector) and a == b else None


@lower_builtin(operator.add, Vector, Vector)
def compile_add(context, builder, sig, args):
    """One addition; arrays, which stand for vectors when the JIT is off, have their own."""
    return builder.fadd(*args) if isinstance(sig.return_type.dtype, types.Float) else builder.add(*args)


@lower_builtin(operator.sub, Vector, Vector)
def compile_sub(context, builder, sig, args):
    """One subtraction."""
    return builder.fsub(*args) if isinstance(sig.return_type.dtype, types.Float) else builder.sub(*args)


@lower_builtin(operator.mul, Vector, Vector)
def compile_multiply(context, builder, sig, args):
    """One multiplication."""
    return builder.fmul(*args) if isinstance(sig.return_type.dtype, types.Float) else builder.mul(*args)


def spread(x, i):
    """The number x[i] of an array with one axis, again and again."""
    return np.full(WIDTH // x.itemsize, x[i])


type_callable(spread)(type_load)


@lower_builtin(spread, types.Array, types.Integer)
def compile_spread(context, builder, sig, args):
    """One load, and a shuffle that takes the first number everywhere."""
    undefined = ir.Constant(context.get_value_type(sig.return_type), ir.Undefined)
    number = builder.load(place(context, builder, sig, args))
    first = builder.insert_element(undefined, number, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(first, undefined, constants(ir.IntType(32), [0] * sig.return_type.lanes))


def place(context, builder, sig, args):
    """Where x[i] stands; in checked code an IndexError if that is outside."""
    x = context.make_array(sig.args[0])(context, builder, args[0])
    i = context.cast(builder, args[1], sig.args[1], types.intp)
    if context.enable_boundscheck:
        cgutils.do_boundscheck(context, builder, i, builder.extract_value(x.shape, 0), axis=0)
    return builder.gep(x.data, [i])


def look_up(x, which, i):
    """The vector that starts at x[which[i]]; `which` holds unsigned numbers."""
    return load(x, int(which[i]))


@type_callable(look_up)
def type_look_up(context):
    """As load."""
    return lambda x, which, i: Vector(x.dtype)


@lower_builtin(look_up, types.Array, types.Array, types.Integer)
def compile_look_up(context, builder, sig, args):
    """One load of a number and one of a vector."""
    x, which, i = sig.args
    at = builder.load(place(context, builder, signature(which.dtype, which, i), args[1:]))
    return compile_load(context, builder, signature(sig.return_type, x, which.dtype), (args[0], at))
