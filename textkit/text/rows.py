"""Rows of results as bytes: numbers float64 (n, C) and a text for each row."""

import numpy as np

from ..kernels import tables as kernels
from ..kernels.floats import POWERS, find_decimals
from .tokenizer import PADDING, text_buffer


def table_rows(data: np.ndarray, spans: np.ndarray, numbers: np.ndarray, place: int) -> bytes:
    """Tab-separated rows of numbers float64 (n, C), the texts `spans` of `data` as the column `place`."""
    labels = ["", *["\t"] * numbers.shape[1], "\n"]
    return written(data, spans, numbers, labels, place, False)


def json_rows(data: np.ndarray, spans: np.ndarray, numbers: np.ndarray, names: tuple[str, ...], place: int) -> bytes:
    """JSON objects, one a line, of numbers and a text as `table_rows`; `names` are those of all columns."""
    out = np.empty(6 * int((spans[:, 1] - spans[:, 0]).sum()) + PADDING, np.uint8)
    spans = spans.copy()
    kernels.escape_json(data, spans, out)
    labels = [("" if i == 0 else ", ") + f'"{name}": ' for i, name in enumerate(names)]
    labels[0] = "{" + labels[0]
    labels[place] += '"'
    labels.append("}\n")
    labels[place + 1] = '"' + labels[place + 1]
    return written(out, spans, numbers, labels, place, True)


def written(
    data: np.ndarray, spans: np.ndarray, numbers: np.ndarray, labels: list[str], place: int, null: bool
) -> bytes:
    """Rows of `labels`, which stand before each column and behind the last, with numbers and texts between them.

    Args:
        data: uint8 with PADDING spare bytes; spans int64 (n, 2) are the texts in it.
        place: which column the text is.
        null: write what is not finite as null.
    """
    encoded = [label.encode() for label in labels]
    ends = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
    row = int(ends[-1]) + kernels.NUMBER_ROOM * numbers.shape[1]
    out = np.empty(int((spans[:, 1] - spans[:, 0]).sum()) + row * len(numbers) + PADDING, np.uint8)
    numbers = np.ascontiguousarray(numbers)
    decimals = _decimals(numbers)
    size = kernels.write_rows(
        numbers, *decimals, data, spans, place, text_buffer(b"".join(encoded)), ends, null, POWERS, out
    )
    return out[:size].tobytes()


def _decimals(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Digits int64 and exponents int32 (n * C,) of numbers (n, C), 0 in columns of whole numbers, which need none."""
    digits, exponents = np.zeros(numbers.shape, np.int64), np.zeros(numbers.shape, np.int32)
    for column in range(numbers.shape[1]):
        values = np.ascontiguousarray(numbers[:, column])
        if (values != np.floor(values)).any():
            digits[:, column], exponents[:, column] = find_decimals(values)
    return digits.reshape(-1), exponents.reshape(-1)
