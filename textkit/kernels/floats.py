"""Numbers as text and back, for files of many millions of them.

Printed is the shortest decimal that reads back as the same float32, in the layout of KenLM's writer (plain decimals
from 1e-6 on, below that d.ddde-7).
"""

import math

import numpy as np

from .jit import float_bits, kernel, leaf, store_u64

POWERS = 10.0 ** np.arange(64)
_TEN = np.int64(10)
_EIGHT = np.uint64(8)
_UNIT = np.int64(100_000_000)


def _scales() -> np.ndarray:
    """By the exponent bits of a float32: k such that neighbours times 10**k are 1 to 10 apart."""
    return np.ceil((127 + 23 - np.arange(256)) * np.log10(2.0)).astype(np.int64)


SCALES = _scales()
SPACINGS = 2.0 ** (np.arange(256) - 127.0 - 24)  # half the distance to the next float32, by exponent bits
TABLES = (POWERS, SCALES, SPACINGS)
_BLOCK = 256
_MANTISSA = 0x7FFFFF


@kernel(refcounts=False)
def digits_one_by_one(value, powers):
    """(digits, exponent): the shortest integer with value == float32(digits * 10**exponent), by trying each length."""
    magnitude = np.int64(math.floor(math.log10(value)))
    for wanted in range(1, 10):
        exponent = magnitude - (wanted - 1)
        if exponent <= 0:
            # In two factors, since the smallest numbers need more than 10**22, the last exact power.
            scaled = value * powers[min(-exponent, 22)] * powers[max(-exponent - 22, 0)]
            digits = np.int64(math.floor(scaled + 0.5))
            back = digits / powers[min(-exponent, 22)] / powers[max(-exponent - 22, 0)]
        else:
            digits = np.int64(math.floor(value / powers[exponent] + 0.5))
            back = digits * powers[exponent]
        if np.float32(back) == np.float32(value):
            break
    while digits % _TEN == 0:
        digits //= _TEN
        exponent += 1
    return digits, exponent


@leaf
def shortest_digits(value, bits, powers, scales, spacings):
    """(digits, exponent) as `digits_one_by_one`, for a positive float32 and its bits.

    Every number between the neighbours' midpoints reads back as the value. Scaled so that it holds 1 to 10 integers,
    that range loses its last digit for as long as it still holds one (as in Ryu, Adams 2018, in doubles); one check at
    the end leaves what rounding could have spoilt to the slow way.
    """
    scale = scales[bits >> 23]
    good = 0 <= scale <= 22 and bits & 0x7FFFFF != 0  # a power of two has a nearer neighbour below
    digits, exponent = np.int64(0), np.int64(0)
    if good:
        half = powers[scale] * spacings[bits >> 23]
        middle = value * powers[scale]
        low, high = np.int64(math.ceil(middle - half)), np.int64(math.floor(middle + half))
        whole = np.int64(middle + 0.5)
        # One digit less or not is a toss-up, so no branch; two less are rare.
        less = high // _TEN >= (low + 9) // _TEN and high >= _TEN
        low, high = (low + 9) // _TEN if less else low, high // _TEN if less else high
        digits, exponent = (whole + 5) // _TEN if less else whole, -scale + less
        if less and high // _TEN * _TEN >= low and high >= _TEN:
            unit = _TEN
            while high // _TEN * _TEN >= low and high >= _TEN:
                low, high = (low + 9) // _TEN, high // _TEN
                unit *= _TEN
                exponent += 1
            digits = (whole + unit // 2) // unit
        digits = min(max(digits, low), high)
        good = np.float32(digits / powers[-exponent] if exponent < 0 else digits * powers[exponent]) == np.float32(
            value
        )
    if not good:
        digits, exponent = digits_one_by_one(value, powers)
    return digits, exponent


@leaf
def put_digits(out, size, digits, count):
    """Write the last `count` decimal digits of an integer at out[size:]; returns the new size."""
    for i in range(size + count - 1, size - 1, -1):
        rest = digits // _TEN
        out[i] = 48 + (digits - rest * _TEN)
        digits = rest
    return size + count


@leaf
def eight_digits(number):
    """An integer below 10**8 as eight ASCII digits in a uint64, the first in the lowest byte.

    Halves, then quarters, then digits are divided side by side in one word.
    """
    high = number // np.int64(10_000)
    halves = np.uint64(high) | np.uint64(number - high * np.int64(10_000)) << np.uint64(32)
    hundreds = (halves * np.uint64(10486)) >> np.uint64(20) & np.uint64(0x0000007F0000007F)
    pairs = hundreds | (halves - hundreds * np.uint64(100)) << np.uint64(16)
    tens = (pairs * np.uint64(103)) >> np.uint64(10) & np.uint64(0x000F000F000F000F)
    return (tens | (pairs - tens * np.uint64(10)) << np.uint64(8)) + np.uint64(0x3030303030303030)


@leaf
def digit_count(digits):
    """How many decimal digits a positive integer has."""
    count, power = 1, _TEN
    if digits >= np.int64(1_000_000):  # the usual case of a float
        count = 7 + (digits >= np.int64(10_000_000)) + (digits >= np.int64(100_000_000))
        power = np.int64(1_000_000_000)
        if digits < power:
            return count
        count = 9
    while digits >= power and count < 19:
        power *= _TEN
        count += 1
    return count


@kernel(refcounts=False)
def put_scientific(out, size, digits, count, point):
    """Write d.ddde-7, of `count` digits with the decimal point after `point` of them; returns the new size."""
    first = digits
    for _ in range(count - 1):
        first //= _TEN
    size = put_digits(out, size, first, 1)
    if count > 1:
        out[size] = 46
        size = put_digits(out, size + 1, digits, count - 1)
    out[size] = 101
    size += 1
    if point <= 0:
        out[size] = 45
        size += 1
    power = abs(point - 1)
    return put_digits(out, size, power, digit_count(max(power, 1)))


@kernel
def decimals(values, powers, scales, spacings, scratch, digits, exponents):
    """The shortest decimals of finite float32 values (n,): digits int64 (n,) and exponents int32 (n,).

    A value is digits * 10**exponent, with its sign; scratch float64 (2, 256). The same as `shortest_digits` without
    branches, in loops that become vector instructions; what these may not have got right goes the slow way.
    """
    unit, found = scratch[0], scratch[1]
    bits = values.view(np.int32)
    for start in range(0, values.shape[0], _BLOCK):
        size = min(_BLOCK, values.shape[0] - start)
        for i in range(size):
            power = (bits[start + i] >> 23) & 255
            scale = min(max(scales[power], 0), 22)
            exponents[start + i] = -scale
            unit[i] = powers[scale]
            found[i] = powers[scale] * spacings[power]
        for i in range(size):
            value = np.float64(abs(values[start + i]))
            middle = value * unit[i]
            low, high, whole = np.ceil(middle - found[i]), np.floor(middle + found[i]), np.floor(middle + 0.5)
            shorter, least = np.floor(high * 0.1), np.ceil(low * 0.1 - 1e-9)
            less = (shorter >= least) & (high >= 10.0)
            fewer = less & (np.floor(shorter * 0.1) * 10.0 >= least)
            digit = np.floor((whole + 5.0) * 0.1) if less else whole
            digit = min(max(digit, least if less else low), shorter if less else high)
            back = digit * (10.0 if less else 1.0) / unit[i]
            found[i] = -1.0 if fewer | (np.float32(back) != np.float32(value)) else digit
            unit[i] = 1.0 if less else 0.0
        for i in range(size):
            k, pattern = start + i, bits[start + i]
            if found[i] >= 0 and pattern & _MANTISSA != 0 and 0 <= scales[(pattern >> 23) & 255] <= 22:
                digits[k], exponents[k] = np.int64(found[i]), exponents[k] + np.int32(unit[i])
            elif values[k] == 0:
                digits[k], exponents[k] = 0, 0
            else:
                value = abs(values[k])
                slow, power = shortest_digits(np.float64(value), float_bits(value), powers, scales, spacings)
                digits[k], exponents[k] = slow, power


def find_decimals(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Digits int64 and exponents int32 of numbers as float32, see `decimals`; of what that does not hold, 0."""
    if values.dtype != np.float32:
        with np.errstate(over="ignore"):
            values = values.astype(np.float32)
        values[~np.isfinite(values)] = 0
    digits, exponents = np.empty(len(values), np.int64), np.empty(len(values), np.int32)
    decimals(values, *TABLES, np.empty((2, _BLOCK)), digits, exponents)
    return digits, exponents


@leaf
def put_decimal(out, size, negative, digits, exponent, powers):
    """Write digits * 10**exponent at out[size:], at most 24 bytes and up to 16 that do not count.

    The last digit is not 0, except for the number 0. Returns the new size.
    """
    if negative:
        out[size] = 45
        size += 1
    # Most numbers have one digit before the point, or a 0, and up to eight behind it.
    units = digits * np.int64(powers[8 + exponent]) if -8 <= exponent <= 0 else np.int64(0)
    whole = units // _UNIT
    if whole < _TEN and (exponent == 0 or units >= 100) and -8 <= exponent <= 0:
        out[size] = 48 + whole
        out[size + 1] = 46
        store_u64(out, size + 2, eight_digits(units - whole * _UNIT))
        return size + (1 if exponent == 0 else 2 - exponent)
    count = digit_count(digits)
    point = count + exponent  # digits before the decimal point
    if count <= 8 and 0 < point < count:
        text = eight_digits(digits * np.int64(powers[8 - count]))
        store_u64(out, size, text)
        out[size + point] = 46
        store_u64(out, size + point + 1, text >> (_EIGHT * np.uint64(point)))
        size += count + 1
    elif point > 21 or point <= -6:
        size = put_scientific(out, size, digits, count, point)
    elif point <= 0:
        out[size] = 48
        out[size + 1] = 46
        size = put_digits(out, size + 2, digits, -exponent)
    elif exponent >= 0:
        size = put_digits(out, size, digits, count)
        size = put_digits(out, size, np.int64(0), exponent)
    else:
        size = put_digits(out, size, digits // np.int64(powers[-exponent]), point)
        out[size] = 46
        size = put_digits(out, size + 1, digits, -exponent)
    return size


@kernel(refcounts=False)
def parse_float(buffer, start, end, powers):
    """(value, whether buffer[start:end] is a finite decimal number). Correct to the last bit of a float32."""
    position = start
    negative = position < end and buffer[position] == 45
    if position < end and (buffer[position] == 45 or buffer[position] == 43):
        position += 1
    digits, exponent, seen, _dropped = np.int64(0), np.int64(0), 0, False
    after_point = False
    while position < end:
        byte = buffer[position]
        if byte == 46 and not after_point:
            after_point = True
        elif 48 <= byte <= 57:
            seen += 1
            if digits < 100_000_000_000_000_000:
                digits = digits * _TEN + (byte - 48)
                exponent -= after_point
            else:
                exponent += not after_point
        else:
            break
        position += 1
    if seen == 0:
        return 0.0, False
    if position < end and (buffer[position] | 32) == 101:
        position += 1
        minus = position < end and buffer[position] == 45
        if position < end and (buffer[position] == 45 or buffer[position] == 43):
            position += 1
        power, first = np.int64(0), position
        while position < end and 48 <= buffer[position] <= 57:
            power = min(power * _TEN + (buffer[position] - 48), np.int64(1000))
            position += 1
        if position == first:
            return 0.0, False
        exponent += -power if minus else power
    if position != end:
        return 0.0, False
    value = np.float64(digits)
    if exponent < 0:
        value = 0.0 if exponent < -80 else value / powers[min(-exponent, 22)] / powers[min(max(-exponent - 22, 0), 60)]
    elif digits > 0:
        if exponent > 60:
            return 0.0, False
        value *= powers[exponent]
    return (-value if negative else value), True
