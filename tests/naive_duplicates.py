"""Readable twins of the kernels that find equal and similar lists."""

from collections.abc import Sequence

from naive import mix

_MASK = (1 << 64) - 1
SEED_A, SEED_B = 0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F
EMPTY = _MASK


def digest(ids: Sequence[int]) -> tuple[int, int]:
    """128 bits of a list."""
    a, b = SEED_A, SEED_B
    for i in ids:
        a, b = mix(a ^ (i + 1)), mix(b + i + 1 & _MASK)
    return a, b


def runs(ids: Sequence[int], n: int) -> set[tuple[int, ...]]:
    """The distinct runs of n ids; a shorter list is one run, an empty one has none."""
    if not ids:
        return set()
    return {tuple(ids[k : k + n]) for k in range(max(len(ids) - n, 0) + 1)}


def similarity(a: Sequence[int], b: Sequence[int], n: int) -> float:
    """The share of distinct runs that both have."""
    x, y = runs(a, n), runs(b, n)
    return len(x & y) / max(len(x | y), 1)


def signature(ids: Sequence[int], n: int, bins: int) -> list[int]:
    """The least hash of the runs in each bin; an empty bin takes that of another."""
    least: dict[int, int] = {}
    for run in runs(ids, n):
        value = SEED_A
        for i in run:
            value = mix(value ^ (i + 1))
        b = (value >> 32) * bins >> 32
        least[b] = min(least.get(b, EMPTY), mix(value))
    found = []
    for b in range(bins):
        chosen, state = b, mix(b + SEED_B)
        while least and chosen not in least:
            state = mix(state + SEED_A & _MASK)
            chosen = (state >> 32) * bins >> 32
        found.append(least.get(chosen, EMPTY))
    return found


def band_key(signature: Sequence[int], first: int, rows: int) -> int:
    """A hash of some bins."""
    value = first
    for b in range(first, first + rows):
        value = mix(value ^ signature[b])
    return value
