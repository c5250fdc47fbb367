"""Inputs and scores of examples that are only looked at: what the loss on held-out words is made of.

Matrices are flat float32 arrays, row r at r * dim, dim a multiple of 16.
"""

import numpy as np

from .jit import kernel
from .sgd import scale_of
from .simd import LANES, fma, load, mul, splat, store, total

_ZERO = np.float32(0.0)


@kernel(refcounts=False)
def inputs(starts, rows, places, syn_in, weights, mean, dim, x):
    """Row e of x becomes the sum, or the mean, of the rows of syn_in at rows[starts[e]:starts[e + 1]].

    starts int64 (E + 1,); rows int32; places int32, in which row of `weights` stands by what each is multiplied, or
    empty; x float32 (E * dim,).
    """
    for e in range(len(starts) - 1):
        scale = splat(scale_of(starts[e], starts[e + 1], mean))
        for d in range(0, dim, LANES):
            s = splat(_ZERO)
            for k in range(starts[e], starts[e + 1]):
                part = load(syn_in, np.int64(rows[k]) * dim + d)
                if len(places) > 0:
                    part = mul(part, load(weights, np.int64(places[k]) * dim + d))
                s = fma(scale, part, s)
            store(x, e * dim + d, s)


@kernel(refcounts=False)
def products(x, places, matrix, rows, dim, out):
    """out[k] = the inner product of row places[k] of x and the matrix's row rows[k]; places and rows int32."""
    for k in range(len(rows)):
        a, b = np.int64(places[k]) * dim, np.int64(rows[k]) * dim
        s = splat(_ZERO)
        for d in range(0, dim, LANES):
            s = fma(load(x, a + d), load(matrix, b + d), s)
        out[k] = total(s)
