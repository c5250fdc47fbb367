"""Random numbers inside kernels: a generator whose state is an array, so that every block of work has its own."""

import numpy as np

from .jit import leaf

_MULTIPLIER = np.uint64(6364136223846793005)
_INCREMENT = np.uint64(1442695040888963407)
_HIGH = np.uint64(32)
_UNIT = np.float32(2.0**-24)
_LOW8 = np.uint64(40)


@leaf
def advance(state):
    """Step Knuth's MMIX generator; state uint64 (1,)."""
    state[0] = state[0] * _MULTIPLIER + _INCREMENT


@leaf
def draw_below(state, limit):
    """A random integer in [0, limit), limit below 2**32, as int64."""
    advance(state)
    return np.int64(((state[0] >> _HIGH) * np.uint64(limit)) >> _HIGH)


@leaf
def draw_unit(state):
    """A random float32 in [0, 1) with 24 random bits."""
    advance(state)
    return np.float32(np.int64(state[0] >> _LOW8)) * _UNIT
