"""Calls of kernels: recorded while the library works, called again with the same arguments to be timed."""

import math
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba.core.registry import CPUDispatcher

LARGEST = 1 << 28  # bytes of arguments; larger calls are not recorded
CLEARLY = 1.5  # times as long: so that chance does not choose among equal calls


@dataclass
class Call:
    """A call of a kernel with its arguments as they were before it, and which call of that kernel it was."""

    kernel: Any
    arguments: tuple
    seconds: float = 0.0
    number: int = 0

    @property
    def name(self) -> str:
        return name_of(self.kernel)

    def named(self) -> dict[str, Any]:
        """The arguments by the names of the parameters."""
        code = self.kernel.py_func.__code__
        return dict(zip(code.co_varnames[: code.co_argcount], self.arguments, strict=True))

    def again(self, times: int = 1) -> tuple[float, Any]:
        """Call it once more, or several times: (seconds of this thread's processor time, result)."""
        prepared = [copied(self.arguments) for _ in range(times)]
        began = time.thread_time()
        for arguments in prepared:
            result = self.kernel(*arguments)
        return time.thread_time() - began, result


def copied(value: Any) -> Any:
    """Arguments with arrays of their own, of the same types."""
    if isinstance(value, tuple):
        return tuple(copied(v) for v in value)
    if not isinstance(value, np.ndarray):
        return value
    fresh = value.copy(order="K")
    fresh.flags.writeable = value.flags.writeable
    return fresh


def _bytes(value: Any) -> int:
    if isinstance(value, tuple):
        return sum(map(_bytes, value))
    return value.nbytes if isinstance(value, np.ndarray) else 0


@contextmanager
def recorded(wanted: dict[str, int] | None = None, longest: float = math.inf) -> Iterator[dict[str, Call]]:
    """Collects a call of each of textkit's kernels by name while the block runs; on one thread only.

    Args:
        wanted: which call of each kernel, by its number; about the longest one if not given.
        longest: seconds beyond which rather a shorter one is taken.
    """
    calls: dict[str, Call] = {}
    numbers: Counter[str] = Counter()
    plain = CPUDispatcher.__call__

    def record(kernel: Any, *arguments: Any) -> Any:
        call = Call(kernel, (), 0.0, numbers[name_of(kernel)])
        numbers[call.name] += 1
        ours = kernel.py_func.__module__.startswith("textkit.") and _bytes(arguments) <= LARGEST
        if not ours or (wanted is not None and wanted.get(call.name) != call.number):
            return plain(kernel, *arguments)
        call.arguments, compiled = copied(arguments), len(kernel.signatures)
        began = time.thread_time()
        result = plain(kernel, *arguments)
        if len(kernel.signatures) == compiled:  # a call that compiles takes long, however small it is
            call.seconds = time.thread_time() - began
        if call.name not in calls or better(call.seconds, calls[call.name].seconds, longest):
            calls[call.name] = call
        return result

    CPUDispatcher.__call__ = record
    try:
        yield calls
    finally:
        del CPUDispatcher.__call__


def better(new: float, old: float, longest: float) -> bool:
    """Whether a call is clearly longer, or less too long."""
    return 0 < new < old / CLEARLY if old > longest else CLEARLY * old < new <= longest


def name_of(kernel: Any) -> str:
    """The module and the function."""
    return f"{kernel.py_func.__module__.rpartition('.')[2]}.{kernel.py_func.__name__}"
