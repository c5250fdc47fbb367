"""Compilation policy for all kernels: flags, cache directory, and the few machine intrinsics.

Kernels must also be valid plain Python: with NUMBA_DISABLE_JIT=1 the decorators return the function itself
and the intrinsics below fall back to Python, so that tests and debuggers can walk through every line.
"""

import contextlib
import ctypes
import hashlib
import mmap
import os
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import numba
import numpy as np
from numba.core import types
from numba.extending import intrinsic

from ..files import user_cache

F = TypeVar("F", bound=Callable[..., Any])

JIT_DISABLED = bool(numba.config.DISABLE_JIT)

# Reassociation lets sums vectorise; NaN and infinity keep their meaning.
FLOAT_FLAGS = frozenset({"nsz", "arcp", "contract", "afn", "reassoc"})


@cache
def cache_directory() -> Path | None:
    """Where compiled kernels are kept: one directory per state of the kernel sources and numba version.

    Numba notices a change only in the file of the function itself, not in what it calls, so a cache shared
    between source versions can run stale code. Returns None if no such directory can be written.
    """
    digest = hashlib.sha256(numba.__version__.encode())
    for source in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(source.read_bytes())
    directory = user_cache() / "kernels" / digest.hexdigest()[:16]
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory):
            return directory
    except OSError:
        return None


def kernel(function: F | None = None, *, fastmath: bool = False, refcounts: bool = True) -> Any:
    """Compile a kernel: releases the GIL, cached on disk, division by zero gives inf as in NumPy.

    `refcounts=False` is for kernels that neither make arrays nor views: their leaves then count no references to what
    they are passed, which is atomic and costs more than a row of arithmetic.
    """
    if function is None:
        return lambda f: kernel(f, fastmath=fastmath, refcounts=refcounts)
    flags = set(FLOAT_FLAGS) if fastmath else False
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": flags}
    if not refcounts:
        options["_nrt"] = False
    if JIT_DISABLED:
        return function
    if os.environ.get("NUMBA_CACHE_DIR"):
        return numba.njit(function, cache=True, **options)
    if cache_directory() is None:
        return numba.njit(function, **options)
    before = numba.config.CACHE_DIR
    # Read by numba while it decorates; restored so that other people's kernels stay where they were.
    numba.config.CACHE_DIR = str(cache_directory())
    try:
        return _quickly_loaded(numba.njit(function, cache=True, **options))
    finally:
        numba.config.CACHE_DIR = before


def _quickly_loaded(dispatcher: Any) -> Any:
    """Have a kernel that is in the cache loaded without the tables of all that Numba can compile.

    Building these takes a tenth of a second of every command; whoever does compile builds them anyway.
    """
    with contextlib.suppress(AttributeError, ImportError):  # another Numba: as it does by itself
        from numba.core.runtime import rtsys

        cache, initialize = dispatcher._cache, rtsys.initialize
        guard, load = cache._guard_against_spurious_io_errors, cache._load_overload

        def load_overload(signature: Any, target_context: Any) -> Any:
            initialize(target_context)
            with guard():
                return load(signature, target_context)

        cache.load_overload = load_overload
    return dispatcher


def leaf(function: F) -> Any:
    """Paste a small function into the kernels that call it.

    A call between compiled functions counts references to each array it passes, atomically; per byte or per
    token that costs more than the work itself.
    """
    if JIT_DISABLED:
        return function
    return numba.njit(function, inline="always", error_model="numpy")


def on_first_compilation(callback: Callable[[], None]) -> None:
    """Call `callback` once, when a kernel is compiled because no cached one was found."""
    if JIT_DISABLED:
        return
    from numba.core import event

    class Once(event.Listener):
        def on_start(self, event: Any) -> None:
            nonlocal callback
            call, callback = callback, lambda: None
            call()

        def on_end(self, event: Any) -> None:
            pass

    event.register("numba:compile", Once())


def release_compiler() -> None:
    """Give back the memory that the compiler's program takes, some 60 MB once kernels were loaded.

    The pages are those of the library's file and are read again when they are needed. Only on Linux.
    """
    if not sys.platform.startswith("linux") or not hasattr(mmap, "MADV_DONTNEED"):
        return
    advise = ctypes.CDLL(None).madvise
    advise.argtypes = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
    area = ""
    with contextlib.suppress(OSError), open("/proc/self/smaps") as maps:
        for line in maps:
            name, value, *rest = line.split()
            if "-" in name:
                area = name if "w" not in value and "libllvmlite" in rest[-1] else ""
            elif area and name == "Anonymous:" and value == "0":  # code or constants: nothing of it was ever written to
                first, last = (int(edge, 16) for edge in area.split("-"))
                advise(first, last - first, mmap.MADV_DONTNEED)


if JIT_DISABLED:

    def load_u64(buffer: np.ndarray, position: int) -> np.uint64:
        """See below."""
        return np.frombuffer(buffer[position : position + 8].tobytes(), "<u8")[0]

    def load_f32(buffer: np.ndarray, position: int) -> np.float32:
        """See below."""
        return np.frombuffer(buffer[position : position + 4].tobytes(), "<f4")[0]

    def store_u64(buffer: np.ndarray, position: int, word: np.uint64) -> None:
        """See below."""
        buffer[position : position + 8] = np.frombuffer(np.uint64(word).tobytes(), np.uint8)

    def trailing_zeros(word: np.uint64) -> int:
        """See below."""
        return 64 if not word else (int(word) & -int(word)).bit_length() - 1

    def one_bits(word: np.uint64) -> int:
        """See below."""
        return int(word).bit_count()

    def equal_bits(buffer: np.ndarray, position: int, byte: int) -> np.uint64:
        """See below."""
        return np.packbits(buffer[position : position + 64] == byte, bitorder="little").view(np.uint64)[0]

    def high_product(a: np.uint64, b: np.uint64) -> np.uint64:
        """See below."""
        return np.uint64(int(a) * int(b) >> 64)

    def float_bits(value: np.float32) -> int:
        """See below."""
        return int(np.float32(value).view(np.int32))

    def bits_float(bits: int) -> np.float32:
        """See below."""
        return np.uint32(bits).view(np.float32)

    def prefetch(array: np.ndarray, index: int) -> None:
        """See below."""

else:

    def _load_unaligned(number: types.Type) -> Callable[..., Any]:
        """How to read a number from any place of a uint8 array."""

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            array = context.make_array(signature.args[0])(context, builder, args[0])
            address = builder.gep(array.data, [args[1]])
            pointer = builder.bitcast(address, context.get_value_type(number).as_pointer())
            return builder.load(pointer, align=1)

        return codegen

    @intrinsic
    def load_u64(typingctx: Any, buffer: Any, position: Any) -> Any:
        """The 8 bytes of a uint8 array at `position` as one little-endian uint64, however aligned."""
        return types.uint64(buffer, types.intp), _load_unaligned(types.uint64)

    @intrinsic
    def load_f32(typingctx: Any, buffer: Any, position: Any) -> Any:
        """The 4 bytes of a uint8 array at `position` as one little-endian float32, however aligned."""
        return types.float32(buffer, types.intp), _load_unaligned(types.float32)

    @intrinsic
    def trailing_zeros(typingctx: Any, word: Any) -> Any:
        """The number of zero bits below the lowest set bit of a uint64 (64 for zero)."""

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            from llvmlite import ir

            return builder.cttz(args[0], ir.Constant(ir.IntType(1), 0))

        return types.int64(types.uint64), codegen

    @intrinsic
    def equal_bits(typingctx: Any, buffer: Any, position: Any, byte: Any) -> Any:
        """Which of 64 bytes, from buffer[position] on, are this one: a bit each, the first lowest."""

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            from llvmlite import ir

            vector = ir.VectorType(ir.IntType(8), 64)
            array = context.make_array(signature.args[0])(context, builder, args[0])
            address = builder.bitcast(builder.gep(array.data, [args[1]]), vector.as_pointer())
            wanted = builder.trunc(args[2], ir.IntType(8))
            one = builder.insert_element(ir.Constant(vector, ir.Undefined), wanted, ir.IntType(32)(0))
            zeros = ir.Constant(ir.VectorType(ir.IntType(32), 64), [0] * 64)
            wide = builder.shuffle_vector(one, ir.Constant(vector, ir.Undefined), zeros)
            equal = builder.icmp_unsigned("==", builder.load(address, align=1), wide)
            return builder.bitcast(equal, ir.IntType(64))

        return types.uint64(buffer, types.intp, types.int64), codegen

    @intrinsic
    def high_product(typingctx: Any, a: Any, b: Any) -> Any:
        """The upper 64 bits of the product of two uint64."""

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            from llvmlite import ir

            wide = ir.IntType(128)
            product = builder.mul(*(builder.zext(arg, wide) for arg in args))
            return builder.trunc(builder.lshr(product, ir.Constant(wide, 64)), ir.IntType(64))

        return types.uint64(types.uint64, types.uint64), codegen

    @intrinsic
    def one_bits(typingctx: Any, word: Any) -> Any:
        """The number of bits set in a uint64."""

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return builder.ctpop(args[0])

        return types.int64(types.uint64), codegen

    @intrinsic
    def prefetch(typingctx: Any, array: Any, index: Any) -> Any:
        """Ask for the cache line of array[index] (of its first axis) before it is needed."""

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            from llvmlite import ir
            from numba.core import cgutils

            view = context.make_array(signature.args[0])(context, builder, args[0])
            stride = cgutils.unpack_tuple(builder, view.strides)[0]
            bytes_ = builder.bitcast(view.data, ir.IntType(8).as_pointer())
            address = builder.gep(bytes_, [builder.mul(args[1], stride)])
            i32 = ir.IntType(32)
            function = builder.module.declare_intrinsic(
                "llvm.prefetch", [address.type], ir.FunctionType(ir.VoidType(), [address.type, i32, i32, i32])
            )
            builder.call(function, [address, i32(0), i32(3), i32(1)])
            return context.get_dummy_value()

        return types.void(array, types.intp), codegen

    @intrinsic
    def store_u64(typingctx: Any, buffer: Any, position: Any, word: Any) -> Any:
        """Write a uint64 to the 8 bytes of a uint8 array at `position`, little-endian, however aligned."""

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            from llvmlite import ir

            array = context.make_array(signature.args[0])(context, builder, args[0])
            address = builder.gep(array.data, [args[1]])
            builder.store(args[2], builder.bitcast(address, ir.IntType(64).as_pointer()), align=1)
            return context.get_dummy_value()

        return types.void(buffer, types.intp, types.uint64), codegen

    @intrinsic
    def float_bits(typingctx: Any, value: Any) -> Any:
        """The bits of a float32 as int32."""

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            from llvmlite import ir

            return builder.bitcast(args[0], ir.IntType(32))

        return types.int32(types.float32), codegen

    @intrinsic
    def bits_float(typingctx: Any, bits: Any) -> Any:
        """The float32 with these bits, the low 32 of a uint64."""

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            from llvmlite import ir

            return builder.bitcast(builder.trunc(args[0], ir.IntType(32)), ir.FloatType())

        return types.float32(types.uint64), codegen
