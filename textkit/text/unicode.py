"""Unicode tables for the scanners, derived from the `regex` package and `str.lower` when first needed.

A table maps code point c to table[pages[c >> 8], c & 255]; page 0 is always that of the first 256 code points.
"""

from functools import cache

import numpy as np

from ..kernels import scan

# Planes 0 to 3 and the variation selectors hold every character whose class is not the default.
_RANGES = (range(0x40000), range(0xE0000, 0xE1000))
_CODE_POINTS = 0x110000

# Class of the word scanner -> the characters it holds; a later line takes characters from an earlier one.
WORD_CLASSES: dict[int, str] = {
    scan.IGNORED: r"[\s\p{Cc}\p{Cf}\p{Cs}]",
    scan.LETTER: r"\p{L}",
    scan.DIGIT: r"\p{N}",
    scan.OTHER: r"\p{Han}",
    scan.HIRAGANA: r"\p{Hiragana}",
    scan.KATAKANA: r"\p{Katakana}",
    scan.MARK: r"[\p{M}\u30FC\uFF70\uFF9E\uFF9F]",
    scan.JOINER: r"[\u00AD\u200C\u200D]",
    scan.APOSTROPHE: r"['\u2019\uFF07\u00B7\u05F3\u05F4]",
    scan.HYPHEN: r"[\-\u2010\u2011]",
    scan.POINT: r"[.,\u066B\u066C]",
    scan.CONNECTOR: r"_",
}


@cache
def _characters() -> tuple[np.ndarray, str]:
    points = np.concatenate([np.arange(r.start, r.stop, dtype=np.uint32) for r in _RANGES])
    return points, points.tobytes().decode("utf-32-le", "surrogatepass")


def _paged(flat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fold a table over all code points into distinct pages of 256."""
    rows = flat.reshape(_CODE_POINTS // 256, -1)
    _, first, pages = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    pages, order = pages.reshape(-1), np.argsort(first)  # pages in order of first use, so that page 0 leads
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    if len(order) > 256:
        raise OverflowError(f"a Unicode table needs {len(order)} pages, more than a byte can number")
    distinct = flat.reshape(_CODE_POINTS // 256, 256, *flat.shape[1:])[first[order]]
    return rank[pages].astype(np.uint8), np.ascontiguousarray(distinct)


def _classify(classes: dict[int, str]) -> tuple[np.ndarray, np.ndarray]:
    import regex

    points, text = _characters()
    flat = np.zeros(_CODE_POINTS, np.uint8)
    for number, pattern in classes.items():
        for match in regex.finditer(f"(?:{pattern})+", text):
            flat[points[match.start() : match.end()]] = number
    return _paged(flat)


@cache
def word_classes() -> tuple[np.ndarray, np.ndarray]:
    """(pages uint8 (4352,), classes uint8 (P, 256)) for the word scanner."""
    return _classify(WORD_CLASSES)


@cache
def space_classes() -> tuple[np.ndarray, np.ndarray]:
    """The same with 1 for white space and 0 for everything else."""
    return _classify({1: r"\s"})


@cache
def character_map(lowercase: bool, zero_digits: bool) -> tuple[np.ndarray, np.ndarray]:
    """(pages uint8 (4352,), images uint32 (P, 256, 3)): each character lowered by itself, digits (Nd) as 0.

    Lowering is `str.lower` of the single character, so that it does not depend on the neighbours (a final
    sigma stays an ordinary one).
    """
    import regex

    points, text = _characters()
    flat = np.zeros((_CODE_POINTS, 3), np.uint32)
    flat[:, 0] = np.arange(_CODE_POINTS)
    if lowercase:
        for point in points[:0x20000].tolist():
            lowered = chr(point).lower()
            if ord(lowered[0]) != point:
                flat[point, : len(lowered)] = [ord(c) for c in lowered]
    if zero_digits:
        for match in regex.finditer(r"\p{Nd}+", text):
            flat[points[match.start() : match.end()], 0] = ord("0")
    # Characters that map to themselves are told apart by their value, so their pages would all differ:
    # only pages with a change are kept, and page UNCHANGED stands for the others.
    changed = (flat[:, 0] != np.arange(_CODE_POINTS)) | (flat[:, 1] != 0)
    dirty = np.flatnonzero(changed.reshape(-1, 256).any(axis=1))
    kept = np.union1d(dirty, [0])
    if len(kept) > scan.UNCHANGED:
        raise OverflowError(f"a Unicode table needs {len(kept)} pages, more than a byte can number")
    pages = np.full(_CODE_POINTS // 256, scan.UNCHANGED, np.uint8)
    pages[kept] = np.arange(len(kept))
    return pages, np.ascontiguousarray(flat.reshape(-1, 256, 3)[kept])
