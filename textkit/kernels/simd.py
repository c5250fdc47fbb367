"""Sixteen float32 at a time: vectors as values inside kernels, so that inner loops are vector code by construction.

The compiler turns a `Lanes` value into one 512-bit register, two of 256 or four of 128 bits, whichever the processor
has. Rows of matrices are padded to a multiple of LANES with zeros, so that no loop has a remainder.
"""

import numpy as np
from numba.core import types
from numba.extending import intrinsic, models, register_model

from .jit import JIT_DISABLED

LANES = 16


def padded(dim):
    """The row length, a multiple of LANES, that holds `dim` numbers."""
    return -(-dim // LANES) * LANES


def aligned_rows(rows, dim):
    """A zeroed float32 (rows, padded(dim)) whose rows begin at multiples of 64 bytes."""
    size = rows * padded(dim)
    block = np.zeros(size + LANES, np.float32)
    start = (-block.ctypes.data % 64) // 4
    return block[start : start + size].reshape(rows, padded(dim))


class LanesType(types.Type):
    """The compiler's type of sixteen float32."""

    def __init__(self):
        super().__init__(name="Lanes")


LANES_TYPE = LanesType()

if JIT_DISABLED:

    def load(array, position):
        """See below."""
        return array[position : position + LANES].copy()

    def store(array, position, value):
        """See below."""
        array[position : position + LANES] = value

    def splat(number):
        """See below."""
        return np.full(LANES, number, np.float32)

    def splat_at(array, position):
        """See below."""
        return np.full(LANES, array[position], np.float32)

    def add(a, b):
        """See below."""
        return a + b

    def mul(a, b):
        """See below."""
        return a * b

    def div(a, b):
        """See below."""
        return a / b

    def fma(a, b, c):
        """See below."""
        return a * b + c

    def least(a, b):
        """See below."""
        return np.minimum(a, b)

    def largest(a, b):
        """See below."""
        return np.maximum(a, b)

    def total(a):
        """See below."""
        return a.sum(dtype=np.float32)

    def totals(*parts):
        """See below."""
        return np.array([part.sum(dtype=np.float32) for part in parts], np.float32)

    def twice(a):
        """See below."""
        return np.repeat(a[:8], 2)

    def four_times(a):
        """See below."""
        return np.repeat(a[:4], 4)

    def prefetch(array, position, size):
        """See below."""

else:
    from llvmlite import ir

    _VECTOR = ir.VectorType(ir.FloatType(), LANES)

    @register_model(LanesType)
    class _LanesModel(models.PrimitiveModel):
        def __init__(self, manager, fe_type):
            super().__init__(manager, fe_type, _VECTOR)

    def _address(context, builder, signature, args):
        """Where array[position] lies, as a pointer to sixteen floats."""
        view = context.make_array(signature.args[0])(context, builder, args[0])
        return builder.bitcast(builder.gep(view.data, [args[1]]), _VECTOR.as_pointer())

    def _splat(builder, number):
        one = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), number, ir.IntType(32)(0))
        zeros = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
        return builder.shuffle_vector(one, ir.Constant(_VECTOR, ir.Undefined), zeros)

    def _call(builder, name, args, returns=_VECTOR, flags=()):
        kind = ir.FunctionType(returns, [a.type for a in args])
        function = builder.module.globals.get(name) or ir.Function(builder.module, kind, name)
        return builder.call(function, args, fastmath=flags)

    @intrinsic
    def load(typingctx, array, position):
        """array[position:position + 16] of a contiguous float32 array."""

        def codegen(context, builder, signature, args):
            return builder.load(_address(context, builder, signature, args), align=4)

        return LANES_TYPE(array, types.intp), codegen

    @intrinsic
    def store(typingctx, array, position, value):
        """array[position:position + 16] = value."""

        def codegen(context, builder, signature, args):
            builder.store(args[2], _address(context, builder, signature, args), align=4)
            return context.get_dummy_value()

        return types.void(array, types.intp, LANES_TYPE), codegen

    @intrinsic
    def splat(typingctx, number):
        """The same float32 sixteen times."""
        return LANES_TYPE(types.float32), lambda context, builder, signature, args: _splat(builder, args[0])

    @intrinsic
    def splat_at(typingctx, array, position):
        """Sixteen times array[position], which is not negative: `splat` without a check of it."""

        def codegen(context, builder, signature, args):
            view = context.make_array(signature.args[0])(context, builder, args[0])
            return _splat(builder, builder.load(builder.gep(view.data, [args[1]])))

        return LANES_TYPE(array, types.intp), codegen

    @intrinsic
    def add(typingctx, a, b):
        """a + b."""
        return LANES_TYPE(a, b), lambda context, builder, signature, args: builder.fadd(*args)

    @intrinsic
    def mul(typingctx, a, b):
        """a * b."""
        return LANES_TYPE(a, b), lambda context, builder, signature, args: builder.fmul(*args)

    @intrinsic
    def div(typingctx, a, b):
        """a / b."""
        return LANES_TYPE(a, b), lambda context, builder, signature, args: builder.fdiv(*args)

    @intrinsic
    def fma(typingctx, a, b, c):
        """a * b + c."""
        return LANES_TYPE(a, b, c), lambda context, builder, signature, args: _call(builder, "llvm.fma.v16f32", args)

    @intrinsic
    def least(typingctx, a, b):
        """The smaller of each pair."""

        def codegen(context, builder, signature, args):
            return builder.select(builder.fcmp_ordered("<", *args), *args)

        return LANES_TYPE(a, b), codegen

    @intrinsic
    def largest(typingctx, a, b):
        """The larger of each pair."""

        def codegen(context, builder, signature, args):
            return builder.select(builder.fcmp_ordered(">", *args), *args)

        return LANES_TYPE(a, b), codegen

    @intrinsic
    def prefetch(typingctx, array, position, size):
        """Ask for the cache lines of array[position:position + size] before they are needed."""

        def codegen(context, builder, signature, args):
            from numba.core import cgutils

            start = builder.bitcast(_address(context, builder, signature, args), ir.IntType(8).as_pointer())
            i32, end = ir.IntType(32), builder.mul(args[2], args[2].type(4))
            kind = ir.FunctionType(ir.VoidType(), [start.type, i32, i32, i32])
            function = builder.module.declare_intrinsic("llvm.prefetch", [start.type], kind)
            with cgutils.for_range_slice(builder, end.type(0), end, end.type(64)) as (offset, _):
                builder.call(function, [builder.gep(start, [offset]), i32(0), i32(3), i32(1)])
            return context.get_dummy_value()

        return types.void(array, types.intp, types.intp), codegen

    @intrinsic
    def total(typingctx, a):
        """The sum of the sixteen, float32."""

        def codegen(context, builder, signature, args):
            zero = ir.Constant(ir.FloatType(), 0.0)
            return _call(builder, "llvm.vector.reduce.fadd.v16f32", [zero, args[0]], ir.FloatType(), ("reassoc",))

        return types.float32(a), codegen

    def _repeated(times):
        """A code generator: the first numbers of a vector, each so many times."""
        mask = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [k // times for k in range(LANES)])
        return lambda context, builder, signature, args: builder.shuffle_vector(args[0], args[0], mask)

    @intrinsic
    def twice(typingctx, a):
        """The first eight numbers, each twice."""
        return LANES_TYPE(a), _repeated(2)

    @intrinsic
    def four_times(typingctx, a):
        """The first four numbers, each four times."""
        return LANES_TYPE(a), _repeated(4)

    def _pairwise(builder, a, b, width):
        """Add neighbouring groups of `width` numbers: those of `a` and `b` in turn in the result."""
        i32 = ir.IntType(32)
        first, second = [], []
        for start in range(0, LANES, 2 * width):
            for source in (0, LANES):
                first += [source + start + k for k in range(width)]
                second += [source + start + width + k for k in range(width)]

        def pick(indices):
            mask = ir.Constant(ir.VectorType(i32, LANES), indices)
            return builder.shuffle_vector(a, b, mask)

        return builder.fadd(pick(first), pick(second))

    @intrinsic
    def totals(typingctx, *parts):
        """The sums of sixteen vectors as one vector, in fifteen pairwise additions."""

        def codegen(context, builder, signature, args):
            from numba.core import cgutils

            level, width = cgutils.unpack_tuple(builder, args[0]), 1
            while len(level) > 1:
                level = [_pairwise(builder, *level[i : i + 2], width) for i in range(0, len(level), 2)]
                width *= 2
            return level[0]

        return LANES_TYPE(types.UniTuple(LANES_TYPE, LANES)), codegen
