"""Numbers as text and back, for files of many millions of them.

Printed is the shortest decimal that reads back as the same float32, in the layout of KenLM's writer (plain decimals
from 1e-6 on, below that d.ddde-7).
"""

import math

import numpy as np

from .jit import kernel, leaf

POWERS = 10.0 ** np.arange(64)
_TEN = np.int64(10)


@kernel
def shortest_digits(value, powers):
    """(digits, exponent): the shortest integer with value == float32(digits * 10**exponent), value > 0 finite.

    Six digits are always apart by more than the spacing of float32 (if it is not subnormal), nine always suffice.
    """
    magnitude = np.int64(math.floor(math.log10(value)))
    fewest = 6 if value >= 1.2e-38 else 1
    for wanted in range(fewest, 10):
        exponent = magnitude - (wanted - 1)
        if exponent <= 0:
            # In two factors, since the smallest numbers need more than 10**22, the last exact power.
            scaled = value * powers[min(-exponent, 22)] * powers[max(-exponent - 22, 0)]
        else:
            scaled = value / powers[exponent]
        digits = np.int64(math.floor(scaled + 0.5))
        if exponent <= 0:
            back = digits / powers[min(-exponent, 22)] / powers[max(-exponent - 22, 0)]
        else:
            back = digits * powers[exponent]
        if np.float32(back) == np.float32(value):
            break
    while digits % _TEN == 0:
        digits //= _TEN
        exponent += 1
    return digits, exponent


@kernel
def put_digits(out, size, digits, count):
    """Write the last `count` decimal digits of an integer at out[size:]; returns the new size."""
    for i in range(size + count - 1, size - 1, -1):
        out[i] = 48 + digits % _TEN
        digits //= _TEN
    return size + count


@leaf
def digit_count(digits):
    """How many decimal digits a positive integer has."""
    count = 1
    while digits >= _TEN:
        digits //= _TEN
        count += 1
    return count


@kernel
def put_float(out, size, value, powers):
    """Write a finite float32 at out[size:], at most 16 bytes; returns the new size."""
    if value < 0:
        out[size] = 45
        size += 1
        value = -value
    if value == 0:
        out[size] = 48
        return size + 1
    digits, exponent = shortest_digits(np.float64(value), powers)
    count = digit_count(digits)
    point = count + exponent  # digits before the decimal point
    if point > 21 or point <= -6:
        size = put_digits(out, size, digits // np.int64(powers[count - 1]), 1)
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
    if point <= 0:
        out[size] = 48
        out[size + 1] = 46
        size = put_digits(out, size + 2, np.int64(0), -point)
        return put_digits(out, size, digits, count)
    if exponent >= 0:
        size = put_digits(out, size, digits, count)
        return put_digits(out, size, np.int64(0), exponent)
    size = put_digits(out, size, digits // np.int64(powers[-exponent]), point)
    out[size] = 46
    return put_digits(out, size + 1, digits, -exponent)


@kernel
def parse_float(buffer, start, end, powers):
    """(value, whether buffer[start:end] is a finite decimal number). Correct to the last bit of a float32."""
    position = start
    negative = position < end and buffer[position] == 45
    if position < end and (buffer[position] == 45 or buffer[position] == 43):
        position += 1
    digits, exponent, seen, dropped = np.int64(0), np.int64(0), 0, False
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
        while position < end and 48 <= buffer[position] <= 57 and power < 1000:
            power = power * _TEN + (buffer[position] - 48)
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
