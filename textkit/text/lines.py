"""Work on whole lines as they are: tokenize, split, sample, remove duplicates. All of it streams."""

import hashlib
import random
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from .. import files
from ..errors import DataError, UsageError
from ..kernels import scan
from ..parallel import ordered_map, thread_count
from .blocks import Block, whole_lines
from .corpus import Text
from .tokenizer import Tokenizer

LABEL_PREFIX = b"__label__"
PARTS = ("train", "dev", "test")


def tokenized(text: Text, tokenizer: Tokenizer, threads: int | None = None) -> Iterator[bytes]:
    """The text with its tokens set apart by one space, in pieces of whole lines."""

    def join(block: Block) -> bytes:
        block = text.clean(block)
        parts, fresh = [], True
        for buffer, spans, count in tokenizer.batches(block.data, block.size):
            out = np.empty(int((spans[:count, 1] - spans[:count, 0]).sum()) + count, np.uint8)
            size, fresh = scan.join_tokens(buffer, spans, count, out, 0, fresh)
            parts.append(out[:size].tobytes())
        return b"".join(parts) + (b"\n" if block.open else b"")

    return ordered_map(join, whole_lines(text.blocks()), thread_count(threads))


def raw_lines(text: Text) -> Iterator[bytes]:
    """Every line with a newline at its end."""
    for block in whole_lines(text.blocks()):
        block = text.clean(block)
        data = block.data[: block.size].tobytes() + (b"\n" if block.open else b"")
        yield from (line + b"\n" for line in data.split(b"\n")[:-1])


def labels_of(line: bytes) -> tuple[bytes, ...]:
    """The labels of a line."""
    return tuple(word for word in line.split() if word.startswith(LABEL_PREFIX))


def split_parts(lines: Iterable[bytes], shares: Sequence[float], seed: int) -> Iterator[tuple[int, bytes]]:
    """Deal lines out to parts at random, by their shares in every run of lines with the same labels.

    Each run of about 1 / (smallest share) lines is dealt exactly by the shares, so that they hold at every place of
    the text, and for every label as well as its number of lines allows.

    Yields:
        (index of the part, line), in the order of the text.

    Raises:
        UsageError: shares that are negative or all zero.
    """
    if not (shares and min(shares) >= 0 and 0 < sum(shares) < float("inf")):
        raise UsageError(f"shares {'/'.join(f'{s:g}' for s in shares)} make no sense.", "An example: 98/1/1.")
    rng = random.Random(seed)
    scaled = [share / sum(shares) for share in shares]
    run = max(1, min(1000, round(1 / min(share for share in scaled if share > 0))))
    hands: dict[tuple[bytes, ...], list[int]] = {}
    owed: dict[tuple[bytes, ...], list[float]] = {}
    for line in lines:
        labels = labels_of(line)
        hand = hands.setdefault(labels, [])
        if not hand:
            hand.extend(_deal(owed.setdefault(labels, [0.0] * len(scaled)), scaled, run, rng))
        yield hand.pop(), line


def _deal(owed: list[float], shares: list[float], run: int, rng: random.Random) -> list[int]:
    """Parts for the next `run` lines in random order; what rounding leaves over is owed to the next run."""
    cards = []
    for part, share in enumerate(shares):
        owed[part] += share * run
        cards += [part] * int(owed[part])
        owed[part] -= int(owed[part])
    while len(cards) < run:
        part = max(range(len(shares)), key=owed.__getitem__)
        owed[part] -= 1
        cards.append(part)
    for i in range(len(cards) - 1, 0, -1):
        j = int(rng.random() * (i + 1))
        cards[i], cards[j] = cards[j], cards[i]
    return cards


def split_files(
    lines: Iterable[bytes], prefix: str, shares: Sequence[float], seed: int, ending: str = ".txt"
) -> dict[str, int]:
    """Write `prefix.train.txt`, `.dev.txt` and `.test.txt`; all of them appear, or none. Returns lines by file."""
    names = [f"{prefix}.{part}{ending}" for part in PARTS[: len(shares)]]
    counts = dict.fromkeys(names, 0)
    with ExitStack() as stack:
        outputs = []
        for name in names:
            raw = stack.enter_context(files.atomic_write(name))
            outputs.append(stack.enter_context(files.compressed_writer(raw, name)))
        for part, line in split_parts(lines, shares, seed):
            outputs[part].write(line)
            counts[names[part]] += 1
        if not any(counts.values()):
            raise DataError("there is no line in the input.", "Is the file empty?")
    return counts


def sampled(lines: Iterable[bytes], count: int, seed: int) -> list[bytes]:
    """`count` random lines in the order of the text (all if there are fewer); keeps only so many in memory."""
    rng = random.Random(seed)
    kept: list[tuple[int, bytes]] = []
    for number, line in enumerate(lines):
        if number < count:
            kept.append((number, line))
        elif (place := int(rng.random() * (number + 1))) < count:
            kept[place] = (number, line)
    return [line for _, line in sorted(kept)]


def thinned(lines: Iterable[bytes], rate: float, seed: int) -> Iterator[bytes]:
    """Each line with probability `rate`."""
    rng = random.Random(seed)
    return (line for line in lines if rng.random() < rate)


def distinct(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Each different line once, where it stands first. Memory: about 100 bytes for each different line.

    Lines are told apart by 128-bit BLAKE2 digests; two different ones in a trillion lines share one with a
    probability below 1e-14.
    """
    seen: set[bytes] = set()
    for line in lines:
        digest = hashlib.blake2b(line, digest_size=16).digest()
        if digest not in seen:
            seen.add(digest)
            yield line


def write_lines(lines: Iterable[bytes], path: str | Path) -> int:
    """Write lines to a file, compressed as its name says. Returns their number."""
    written = 0
    with files.atomic_write(path) as raw, files.compressed_writer(raw, path) as stream:
        for line in lines:
            stream.write(line)
            written += 1
    return written
