"""Readable twins of the kernels and of the reading of labelled text."""

import re

from naive import text_lines


def take_labels(line: bytes, prefix: bytes) -> tuple[bytes, list[bytes]]:
    """A line without its labels, each with one blank behind it, and the labels without the prefix."""
    pieces = re.split(rb"([\0\t\n\v\f\r ])", line)  # tokens and, between them, blanks
    text, labels, skip = b"", [], False
    for i, piece in enumerate(pieces):
        if i % 2 == 0 and piece.startswith(prefix):
            labels.append(piece[len(prefix) :])
            skip = True
        elif skip:
            skip = False
        else:
            text += piece
    return text, [label for label in labels if label]


def labelled_lines(data: bytes, prefix: bytes) -> list[tuple[bytes, list[bytes], bool]]:
    """Each line as its text, its labels, and whether it holds nothing at all."""
    return [(*take_labels(line, prefix), not line.strip(b"\0\t\n\v\f\r ")) for line in text_lines(data)]


def distinct(names: list) -> list:
    """Each name once, where it stands first."""
    return list(dict.fromkeys(names))


def write_lists(texts: list[str], rows: list[list[tuple[str, str]]], width: int, marks: list[str]) -> str:
    """Each text with its labels and their written probabilities, between seven marks."""
    before, label, between, behind, separator, lacking, end = marks
    out = ""
    for text, row in zip(texts, rows, strict=True):
        cells = [label + name + between + p + behind for name, p in row] + [lacking] * (width - len(row))
        out += text + before + separator.join(cells) + end
    return out
