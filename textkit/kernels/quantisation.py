"""The nearest of a few values for each of many numbers."""

import numpy as np

from .jit import kernel


@kernel
def nearest(values, first, last, borders, book, codes):
    """codes[i] = how many of the ascending borders are below values[i], for i from `first` to `last`.

    values float32 (E,), codes uint32 (E,) out; borders float32 (2**b - 1,), book float32 (2**b,), what the codes
    stand for. Returns the sum of the distances between values and what stands for them, and the largest.
    """
    total, largest = 0.0, np.float32(0.0)
    half = (borders.shape[0] + 1) // 2
    for i in range(first, last):
        code, step = 0, half
        while step > 0:  # branch-free: each step fixes one bit of the code
            code += step * np.int64(borders[code + step - 1] < values[i])
            step >>= 1
        codes[i] = code
        distance = abs(book[code] - values[i])
        total += distance
        largest = max(largest, distance)
    return total, largest
