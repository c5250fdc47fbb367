"""The encoded corpus against a plain encoding, and its cache."""

import gc
import os
import subprocess
import sys
from pathlib import Path

import naive
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from textkit.errors import DataError
from textkit.text import blocks as block_module
from textkit.text import corpus as corpus_module
from textkit.text import tokenizer as tokenizer_module
from textkit.text.corpus import EncodedCorpus, encode_corpus
from textkit.text.reader import Lines, Reader
from textkit.text.tokenizer import Tokenizer
from textkit.text.vocabulary import Vocabulary

WHITESPACE = Tokenizer("whitespace")
WORD = Tokenizer("word")
_pieces = st.sampled_from(
    ["a", "b", "cc", "it's", "é", "漢", "-", " ", "  ", "\n", "\n\n", "\r\n", "x" * 12, "<s>", "\ufeff"]
)
texts = st.lists(_pieces, max_size=30).map("".join)


def write_files(directory: Path, contents: list[str]) -> list[Path]:
    """Files of these contents, numbered."""
    paths = [directory / f"{i}.txt" for i in range(len(contents))]
    for path, text in zip(paths, contents, strict=True):
        path.write_bytes(text.encode())
    return paths


def words_of(contents: list[str], tokenizer: Tokenizer) -> list[list[bytes]]:
    """The tokens of every line of all files."""
    shown = [text.removeprefix("\ufeff").encode() for text in contents]
    return [tokenizer.reference_tokens(line) for text in shown for line in naive.text_lines(text)]


@pytest.mark.parametrize("name", ["whitespace", "word", "char", r"regex:\w+"])
@given(
    contents=st.lists(texts, min_size=1, max_size=4),
    threads=st.sampled_from([1, 2, 3]),
    block=st.sampled_from([1, 3, 10, 4096]),
    long_line=st.sampled_from([1, 10, 4096]),
    batch=st.sampled_from([1, 4, 4096]),
    limits=st.sampled_from([{}, {"min_count": 2}, {"max_vocab": 2}]),
    room=st.sampled_from([None, 0, 20]),
    sparing=st.booleans(),
)
@example(
    contents=["a b", "", "c", "\n", "\ufeff", "b"],
    threads=2,
    block=4096,
    long_line=4096,
    batch=2,
    limits={},
    room=None,
    sparing=False,
)
@example(contents=["a b c", "a b c"], threads=1, block=1, long_line=1, batch=9, limits={}, room=None, sparing=True)
@example(contents=["a\n\n\n\n"], threads=1, block=4096, long_line=4096, batch=9, limits={}, room=20, sparing=True)
@example(contents=["b a\na\n" * 9], threads=2, block=10, long_line=4096, batch=9, limits={}, room=20, sparing=False)
def test_ids_and_lines_equal_a_plain_encoding(
    tmp_path, name, contents, threads, block, long_line, batch, limits, room, sparing
):  # fmt: skip
    """In memory, or where only so many bytes have room there, from a file."""
    tokenizer = Tokenizer(name)
    lines = words_of(contents, tokenizer)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(block_module, "BLOCK", block)
        patch.setattr(block_module, "LONG_LINE", long_line)
        patch.setattr(tokenizer_module, "_BATCH", batch)
        patch.setattr(corpus_module, "_SPARING", room)
        limits = {**limits, "sparing": sparing and room is not None}
        limits |= {} if room is None else {"in_memory": room}
        text = Reader(write_files(tmp_path, contents))
        if not any(lines):
            with pytest.raises(DataError, match="no token"):
                encode_corpus(text, tokenizer, threads=threads, **limits)
            return
        corpus = encode_corpus(text, tokenizer, threads=threads, **limits)
    words = naive.vocabulary(lines, **{name: limits[name] for name in ("min_count", "max_vocab") if name in limits})
    ids, offsets = naive.encode(lines, [word for word, _ in words])
    assert corpus.ids.tolist() == ids
    assert corpus.offsets.tolist() == offsets
    assert [w.encode() for w in corpus.vocabulary][3:] == [word for word, _ in words]
    shown = [text.removeprefix("\ufeff") for text in contents]
    assert (corpus.tokens, corpus.lines) == (len(ids), len(lines))
    assert (corpus.characters, corpus.bytes) == (sum(map(len, shown)), sum(len(text.encode()) for text in shown))


@given(
    contents=st.lists(texts, min_size=1, max_size=3), threads=st.sampled_from([1, 3]), block=st.sampled_from([1, 4096])
)
def test_given_vocabulary(tmp_path, contents, threads, block):
    lines = words_of(contents, WORD)
    vocabulary = Vocabulary.from_words(["cc", "a", "漢"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(block_module, "BLOCK", block)
        if any(lines):
            corpus = encode_corpus(
                Reader(write_files(tmp_path, contents)), WORD, vocabulary=vocabulary, threads=threads
            )
            expected = naive.encode(lines, [b"cc", b"a", "漢".encode()])
            assert (corpus.ids.tolist(), corpus.offsets.tolist()) == expected
            assert list(corpus.vocabulary) == list(vocabulary)


def test_line_of_a_corpus():
    corpus = encode_corpus(Lines(["b a b", "", "a"]), WHITESPACE)
    assert [corpus.vocabulary.words(corpus.line(i).tolist()) for i in range(3)] == [["b", "a", "b"], [], ["a"]]


def test_skipped_lines_are_neither_tokens_nor_lines(tmp_path):
    (path := tmp_path / "a.txt").write_bytes(b"a\nb\xff\nc\n")
    text = Reader([path], errors="skip")
    corpus = encode_corpus(text, WHITESPACE, threads=2)
    assert (corpus.lines, corpus.tokens, text.skipped_lines) == (2, 2, 1)


def test_line_that_stays_open_before_a_skipped_end_is_a_line(tmp_path, monkeypatch):
    monkeypatch.setattr(block_module, "BLOCK", 2)
    monkeypatch.setattr(block_module, "LONG_LINE", 2)
    (path := tmp_path / "a.txt").write_bytes(b"ok\naa bb c\xff")
    corpus = encode_corpus(Reader([path], errors="skip"), WHITESPACE)
    assert corpus.offsets[-1] == corpus.tokens


def test_progress_reaches_the_size_of_the_input(tmp_path):
    events = []
    text = Reader(write_files(tmp_path, ["a b\n", "c"]))
    encode_corpus(text, WHITESPACE, progress=events.append)
    assert events[-1].done == events[-1].total == 5
    assert [event.done for event in events] == sorted(event.done for event in events)


# --- cache ----------------------------------------------------------------------------------------------


@pytest.fixture
def reads(monkeypatch):
    """The readers that were walked, one entry for each walk."""
    walked, blocks = [], Reader.blocks
    monkeypatch.setattr(Reader, "blocks", lambda self: walked.append(self) or blocks(self))
    return walked


def same(a: EncodedCorpus, b: EncodedCorpus) -> bool:
    return (
        a.ids.tolist() == b.ids.tolist()
        and a.offsets.tolist() == b.offsets.tolist()
        and list(a.vocabulary) == list(b.vocabulary)
        and a.vocabulary.counts.tolist() == b.vocabulary.counts.tolist()
        and (a.tokenizer, a.characters, a.bytes) == (b.tokenizer, b.characters, b.bytes)
    )


def test_second_encoding_is_found_in_the_cache(tmp_path, reads):
    paths = write_files(tmp_path, ["a b a\n", "c"])
    first = encode_corpus(Reader(paths), WORD, cache=tmp_path / "cache")
    second = encode_corpus(Reader(paths), WORD, cache=tmp_path / "cache")
    assert len(reads) == 1
    assert same(first, second)
    assert [path.suffix for path in (tmp_path / "cache").iterdir()] == [".corpus"]


def test_cache_is_told_apart_by_content_and_settings(tmp_path, reads):
    (path,) = write_files(tmp_path, ["a b a\n"])
    cache = tmp_path / "cache"

    def encode(tokenizer=WORD, encoding="utf-8", **settings):
        return encode_corpus(Reader([path], encoding=encoding), tokenizer, cache=cache, **settings)

    encode()
    encode(Tokenizer("word", lowercase=True))
    encode(WHITESPACE)
    encode(min_count=2)
    encode(max_vocab=1)
    encode(vocabulary=Vocabulary.from_words(["a"]))
    encode(vocabulary=Vocabulary.from_words(["b"]))
    encode(encoding="latin-1")
    path.write_text("a b c\n")
    assert encode().vocabulary.words()[3:] == ["a", "b", "c"]
    assert len(reads) == len(list(cache.iterdir())) == 9
    encode(threads=2)  # changes nothing in the result
    assert len(reads) == 9


def test_without_a_cache_no_file_stays(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    paths = write_files(tmp_path, ["a b a\n"])
    corpus = encode_corpus(Reader(paths), WORD)
    assert corpus.ids.tolist() == [3, 4, 3]
    with pytest.raises(DataError):
        encode_corpus(Reader(write_files(tmp_path, [""])), WORD)
    assert list((tmp_path / "tmp").iterdir()) == []


def test_failure_leaves_nothing_in_the_cache(tmp_path):
    cache = tmp_path / "cache"
    (path := tmp_path / "bad.txt").write_bytes(b"fine\n" * 3 + b"\xff\n")
    with pytest.raises(DataError):
        encode_corpus(Reader([path]), WORD, cache=cache)
    assert list(cache.iterdir()) == []


def test_least_recently_used_corpora_are_evicted(tmp_path, monkeypatch):
    cache = tmp_path / "cache"
    paths = write_files(tmp_path, ["a\n", "b\n", "c\n", "d\n"])

    def encode(path, age):
        before = set(cache.glob("*"))
        encode_corpus(Reader([path]), WORD, cache=cache)
        for new in set(cache.glob("*")) - before:
            os.utime(new, (1e9 - age, 1e9 - age))
            return new
        return None

    oldest, middle, newest = encode(paths[0], 30), encode(paths[1], 20), encode(paths[2], 10)
    assert encode(paths[0], 0) is None  # used again just now, so that the middle one is the oldest
    monkeypatch.setattr(corpus_module, "CACHE_LIMIT", int(3.5 * oldest.stat().st_size))
    last = encode(paths[3], 0)
    assert set(cache.iterdir()) == {oldest, newest, last}
    assert not middle.exists()


DAMAGE = {
    "empty": lambda data: b"",
    "truncated": lambda data: data[:-20],
    "not a container": lambda data: b"x" * len(data),
    "other version": lambda data: data.replace(rb"\"format_version\": 1", rb"\"format_version\": 9"),
    "no tokenizer": lambda data: data.replace(rb"\"tokenizer\"", rb"\"tokenizes\""),
    "unknown tokenizer": lambda data: data.replace(rb"\"word\"", rb"\"wort\""),
    "no size": lambda data: data.replace(rb"\"characters\"", rb"\"charakters\"").replace(b"charakters", b"charakterz"),
    "other array": lambda data: data.replace(b'"ids":', b'"idz":'),
    "other type": lambda data: data.replace(b'"ids":{"dtype":"I32"', b'"ids":{"dtype":"F32"'),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_damaged_cache_file_is_refused_and_rebuilt(tmp_path, reads, damage):
    cache, paths = tmp_path / "cache", write_files(tmp_path, ["a b a\nc\n"])
    whole = encode_corpus(Reader(paths), WORD, cache=cache)
    (kept,) = cache.iterdir()
    assert damage(kept.read_bytes()) != kept.read_bytes()
    (bad := tmp_path / "bad.corpus").write_bytes(damage(kept.read_bytes()))
    with pytest.raises(DataError):
        EncodedCorpus.load(bad)
    bad.replace(kept)
    assert same(encode_corpus(Reader(paths), WORD, cache=cache), whole)
    assert same(encode_corpus(Reader(paths), WORD, cache=cache), whole)
    assert len(reads) == 2


def load_arrays(path: Path, **replaced) -> None:
    """Write a corpus container with some arrays replaced."""
    corpus = encode_corpus(Lines(["a b a", "c"]), WORD)
    header = {"format_version": 1, "tokenizer": WORD.settings(), "characters": 8, "bytes": 8}
    arrays = {"ids": corpus.ids, "offsets": corpus.offsets, **corpus.vocabulary.arrays(), **replaced}
    corpus_module.files.save(path, "corpus", header, arrays)


@pytest.mark.parametrize(
    "replaced",
    [
        {"offsets": np.array([0, 4, 3, 4])},
        {"offsets": np.array([-1, 3, 4])},
        {"offsets": np.array([1, 3, 4])},
        {"offsets": np.zeros(0, np.int64)},
        {"offsets": np.array(4)},
        {"offsets": np.array([[0, 4]])},
        {"ids": np.array([[3], [4], [3], [5]], np.int32)},
    ],
    ids=["falling", "negative", "late start", "no offsets", "scalar", "2-d offsets", "2-d ids"],
)
def test_arrays_that_do_not_fit_are_refused(tmp_path, replaced):
    load_arrays(tmp_path / "good.corpus")
    assert EncodedCorpus.load(tmp_path / "good.corpus").lines == 2
    load_arrays(tmp_path / "bad.corpus", **replaced)
    with pytest.raises(DataError):
        EncodedCorpus.load(tmp_path / "bad.corpus")


def test_missing_corpus_file(tmp_path):
    with pytest.raises(DataError, match="cannot open"):
        EncodedCorpus.load(tmp_path / "no.corpus")


def test_mapped_corpus_outlives_its_directory(tmp_path):
    corpus = encode_corpus(Lines(["a b"]), WORD)
    gc.collect()
    assert corpus.ids.tolist() == [3, 4]


MEMORY = """
import resource, sys
from pathlib import Path
from textkit import files
from textkit.text.corpus import encode_corpus
from textkit.text.reader import Reader
from textkit.text.tokenizer import Tokenizer

directory, tokenizer = Path(sys.argv[1]), Tokenizer("whitespace")
encode_corpus(Reader([directory / "small.txt"]), tokenizer, threads=1)  # compile and load everything
used = int(next(line for line in open("/proc/self/status") if line.startswith("VmData")).split()[1]) << 10
_, most = resource.getrlimit(resource.RLIMIT_DATA)
resource.setrlimit(resource.RLIMIT_DATA, (used + (192 << 20), most))
mapped = files.mapped  # the finished file is mapped copy on write, which counts as data but takes no memory
files.mapped = lambda path: (resource.setrlimit(resource.RLIMIT_DATA, (most, most)), mapped(path))[1]
corpus = encode_corpus(Reader([directory / "large.txt"]), tokenizer, threads=1)
print(corpus.tokens, corpus.lines)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux memory limits")
@pytest.mark.skipif(bool(int(os.environ.get("NUMBA_DISABLE_JIT") or 0)), reason="too slow when interpreted")
def test_text_larger_than_the_memory_limit(tmp_path):
    piece = b"".join(b"word%d and some more text of line %d\n" % (i % 5000, i % 100) for i in range(100_000))
    (tmp_path / "small.txt").write_bytes(piece[:9999])
    repeats = (400 << 20) // len(piece)
    with (tmp_path / "large.txt").open("wb") as stream:
        for _ in range(repeats):
            stream.write(piece)
    done = subprocess.run([sys.executable, "-c", MEMORY, str(tmp_path)], capture_output=True, text=True)
    assert done.stderr == ""
    assert done.stdout.split() == [str(repeats * 800_000), str(repeats * 100_000)]
