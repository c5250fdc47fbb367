"""Plain twins of the kernels that write rows of results."""

import math
from decimal import ROUND_HALF_UP, Decimal

import numpy as np


def number(value, null):
    """Whole numbers exactly, others as the shortest decimal of their float32."""
    if math.isnan(value) or abs(value) > 3.4028234e38:
        shown = "" if math.isnan(value) else "inf" if value > 0 else "-inf"
        return "null" if null else shown
    if value == int(value) and abs(value) < 9e15:
        return str(int(value))
    shortest = np.format_float_positional(np.float32(value), unique=True, trim="-")
    places = len(shortest.partition(".")[2])
    # Of two that are equally near NumPy takes the even one.
    return str(Decimal(float(np.float32(value))).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP))


def rows(numbers, texts, place, labels, null):
    """Each text with its numbers as bytes, labels before every column and behind the last."""
    out = b""
    for values, text in zip(numbers, texts, strict=True):
        cells = [number(value, null).encode() for value in values]
        cells.insert(place, text)
        out += b"".join(label + cell for label, cell in zip(labels, [*cells, b""], strict=True))
    return out


def lines(data):
    """(start, end, characters) of each line, without its \\n or \\r\\n."""
    found, position = [], 0
    for line in data.split(b"\n")[: -1 if data.endswith(b"\n") or not data else None]:
        text = line.removesuffix(b"\r")
        found.append((position, position + len(text), sum(byte & 0xC0 != 0x80 for byte in text)))
        position += len(line) + 1
    return found


def quantile(values, share):
    """The largest of the best share of all values."""
    ranked = sorted(np.float32(value) for value in values)
    return ranked[max(math.ceil(share * len(ranked) - 1e-9), 1) - 1]
