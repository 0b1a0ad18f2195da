"""More of the vocabulary of vector.py: comparisons, and small whole numbers.

minimum(a, b)           b where it is smaller, else a
less(a, b)              the mask that says where a < b
select(mask, a, b)      a where the mask says so, else b; a and b may be masks themselves
add_up(a, b)            a + b, or the largest number of the type where that is larger
a | b, a & b            bit by bit
store_mask(x, i, mask)  writes it as the bits of the integer x[i], the first one lowest
store_whole(x, i, v)    writes whole numbers of v, held as float32, as the integers x[i], x[i + 1], ...
"""

import operator

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import lower_builtin, models, register_model, type_callable

from quipref.kernels.vector import Vector, address, place, type_store, type_sum


class Mask(types.Type):
    """What a comparison of vectors is called while code is compiled: a bit for each of their numbers."""

    def __init__(self, lanes):
        self.lanes = lanes
        super().__init__(f"Mask({lanes})")


@register_model(Mask)
class MaskModel(models.PrimitiveModel):
    """A mask is held in a register, too."""

    def __init__(self, manager, mask):
        super().__init__(manager, mask, ir.VectorType(ir.IntType(1), mask.lanes))


def less(a, b):
    """Where a < b, number by number."""
    return a < b


@type_callable(less)
def type_less(context):
    """Two vectors of one kind make a mask."""
    return lambda a, b: Mask(a.lanes) if isinstance(a, Vector) and a == b else None


@lower_builtin(less, Vector, Vector)
def compile_less(context, builder, sig, args):
    """One comparison, false where either number is NaN."""
    return compared(builder, sig.args[0], *args)


def compared(builder, vector, a, b):
    """A < b of floats or of unsigned integers."""
    return (
        builder.fcmp_ordered("<", a, b) if isinstance(vector.dtype, types.Float) else builder.icmp_unsigned("<", a, b)
    )


def minimum(a, b):
    """The smaller of two numbers, a if they are equal."""
    return np.where(b < a, b, a)


type_callable(minimum)(type_sum)


@lower_builtin(minimum, Vector, Vector)
def compile_minimum(context, builder, sig, args):
    """A comparison and a selection, which processors have as one instruction."""
    a, b = args
    return builder.select(compared(builder, sig.return_type, b, a), b, a)


def select(mask, a, b):
    """A where the mask is true, b elsewhere."""
    return np.where(mask, a, b)


@type_callable(select)
def type_select(context):
    """Two vectors or two masks of one kind make a third."""
    return lambda mask, a, b: a if isinstance(mask, Mask) and a == b else None


@lower_builtin(select, Mask, Vector, Vector)
@lower_builtin(select, Mask, Mask, Mask)
def compile_select(context, builder, sig, args):
    """One selection."""
    return builder.select(*args)


def store_mask(x, i, mask):
    """Write a mask to x[i], an integer of as many bits as the mask has."""
    x[i] = (mask.astype(x.dtype) << np.arange(len(mask), dtype=x.dtype)).sum(dtype=x.dtype)


type_callable(store_mask)(type_store)


@lower_builtin(store_mask, types.Array, types.Integer, Mask)
def compile_store_mask(context, builder, sig, args):
    """One store."""
    builder.store(builder.bitcast(args[2], ir.IntType(sig.args[2].lanes)), place(context, builder, sig, args))
    return context.get_dummy_value()


def store_whole(x, i, v):
    """Write the whole numbers of v, which fit into the type of x, to x[i], x[i + 1], ..."""
    x[i : i + len(v)] = v


type_callable(store_whole)(type_store)


@lower_builtin(store_whole, types.Array, types.Integer, Vector)
def compile_store_whole(context, builder, sig, args):
    """A conversion and one store."""
    number, lanes = ir.IntType(sig.args[0].dtype.bitwidth), sig.args[2].lanes
    where = address(context, builder, sig, args, sig.args[2])
    kind = ir.VectorType(number, lanes)
    store = builder.store(builder.fptoui(args[2], kind), builder.bitcast(where, kind.as_pointer()))
    store.align = number.width // 8
    return context.get_dummy_value()


def add_up(a, b):
    """The sum, but never more than the largest number of the type."""
    most = np.iinfo(a.dtype).max
    return np.where(b > most - a, most, a + b).astype(a.dtype)


type_callable(add_up)(type_sum)


@lower_builtin(add_up, Vector, Vector)
def compile_add_up(context, builder, sig, args):
    """One addition that saturates."""
    kind = args[0].type
    name = f"llvm.uadd.sat.v{kind.count}i{kind.element.width}"
    return builder.call(cgutils.get_or_insert_function(builder.module, ir.FunctionType(kind, [kind, kind]), name), args)


@type_callable(operator.or_)
@type_callable(operator.and_)
def type_bits(context):
    """Two vectors of one kind make a third."""
    return type_sum(context)


@lower_builtin(operator.or_, Vector, Vector)
def compile_or(context, builder, sig, args):
    """One instruction."""
    return builder.or_(*args)


@lower_builtin(operator.and_, Vector, Vector)
def compile_and(context, builder, sig, args):
    """One instruction."""
    return builder.and_(*args)
