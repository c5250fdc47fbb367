"""Base-10 logarithms of long arrays, written so that the compiler turns them into vector instructions."""

import math

import numpy as np

from .jit import kernel

_BLOCK = 1024
_EXPONENT = np.int32(23)
_MANTISSA = np.int32(0x007FFFFF)
_ONE = np.int32(0x3F800000)
_BIAS = 127
_LOG10_2 = math.log10(2.0)
_2_LOG10_E = 2.0 * math.log10(math.e)


@kernel(fastmath=True)
def log10_capped(values, first, last, highest, bits, mantissas, out):
    """out[i] = min(highest, log10(values[i])), -99 where the value is not a positive normal number.

    values, out float32, highest float64; bits int32 and mantissas float32, two views of one scratch array (>= 1024,).
    A value is m 2**e with m in [1, 2); ln m = 2 artanh(s), s = (m - 1) / (m + 1) after halving m above sqrt 2, by
    its series up to s**15: exact to float32 (error below 1e-12).
    """
    patterns = values.view(np.int32)
    for start in range(first, last, _BLOCK):
        size = min(_BLOCK, last - start)
        for i in range(size):
            bits[i] = (patterns[start + i] & _MANTISSA) | _ONE
        for i in range(size):
            m = np.float64(mantissas[i])
            e = np.float64((patterns[start + i] >> _EXPONENT) - _BIAS)
            large = np.float64(m > 1.4142135623730951)
            m *= 1.0 - 0.5 * large
            s = (m - 1.0) / (m + 1.0)
            q = s * s
            series = 1.0 + q * (1 / 3 + q * (1 / 5 + q * (1 / 7 + q * (1 / 9 + q * (1 / 11 + q * (1 / 13 + q / 15))))))
            found = min(highest, (e + large) * _LOG10_2 + _2_LOG10_E * s * series)
            out[start + i] = np.float32(found if e > -127.0 else -99.0)
