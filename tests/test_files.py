"""Atomic writing, compression, and the container: round trips, and refusal of everything damaged."""

import errno
import json
import os
import stat
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from safetensors import safe_open

from textkit import files
from textkit.errors import DataError

# --- atomic writing -------------------------------------------------------------------------------------


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def test_file_appears_when_whole(tmp_path):
    with files.atomic_write(tmp_path / "a") as stream:
        stream.write(b"new")
        assert "a" not in names(tmp_path)
    assert (tmp_path / "a").read_bytes() == b"new"
    assert names(tmp_path) == ["a"]


@pytest.mark.parametrize("error", [ValueError("mine"), KeyboardInterrupt(), FileNotFoundError(2, "gone", "other")])
def test_exception_leaves_nothing_and_keeps_the_old_file(tmp_path, error):
    (tmp_path / "a").write_bytes(b"old")
    for name in ("a", "b"):
        with pytest.raises(type(error)) as caught, files.atomic_write(tmp_path / name) as stream:
            stream.write(b"half")
            raise error
        assert caught.value is error
    assert names(tmp_path) == ["a"]
    assert (tmp_path / "a").read_bytes() == b"old"


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_full_disk_is_a_data_error_and_leaves_nothing(tmp_path, monkeypatch, step):
    def full(*_args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, step, full)
    with (
        pytest.raises(DataError, match=r"cannot write .*a: No space left on device\."),
        files.atomic_write(tmp_path / "a"),
    ):
        pass
    assert names(tmp_path) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("size", [1, 1 << 20])
def test_full_device_is_a_data_error(size):
    with pytest.raises(DataError, match="No space left"), files.atomic_write("/dev/full") as stream:
        stream.write(b"x" * size)


def test_devices_are_written_directly(tmp_path):
    with files.atomic_write(os.devnull) as stream:
        stream.write(b"x")
    assert not Path(os.devnull).is_file()


def test_unwritable_places_are_data_errors(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    for path in (tmp_path, tmp_path / "no" / "a", tmp_path / "file" / "a"):
        with pytest.raises(DataError), files.atomic_write(path):
            pytest.fail("the block must not run")
    assert names(tmp_path) == ["file"]


def test_link_keeps_pointing_where_it_did(tmp_path):
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to("real")
    with files.atomic_write(tmp_path / "link") as stream:
        stream.write(b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"


def test_permissions_are_those_of_the_old_file_or_the_habit(tmp_path):
    (tmp_path / "old").write_bytes(b"")
    (tmp_path / "old").chmod(0o640)
    mask = os.umask(0o022)
    try:
        for name in ("old", "new"):
            with files.atomic_write(tmp_path / name):
                pass
    finally:
        os.umask(mask)
    assert [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("old", "new")] == [0o640, 0o644]


@pytest.mark.parametrize("name", ["a.gz", "a.bz2", "a.xz", "a.zst", "a.txt"])
@given(data=st.binary(max_size=100))
def test_compressed_writer_and_reader_are_inverse(tmp_path, name, data):
    with files.atomic_write(tmp_path / name) as raw, files.compressed_writer(raw, name) as stream:
        stream.write(data)
    with (tmp_path / name).open("rb") as raw:
        kind = {".gz": "gzip", ".bz2": "bzip2", ".xz": "xz", ".zst": "zstd"}.get(Path(name).suffix)
        if kind:
            assert files.compression_of(raw.read(6)) == kind
            raw.seek(0)
            assert files.decompressed(raw).read() == data
        else:
            assert raw.read() == data


def test_scratch_directory_goes_whatever_happens(tmp_path):
    with pytest.raises(ValueError), files.scratch_directory(tmp_path / "base") as directory:
        (directory / "x").write_bytes(b"x")
        raise ValueError
    assert names(tmp_path / "base") == []


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"TEXTKIT_CACHE_DIR": "/x/y"}, "/x/y"),
        ({"XDG_CACHE_HOME": "/x"}, "/x/textkit"),
        ({"HOME": "/h"}, "/h/.cache/textkit"),
    ],
    ids=["own", "xdg", "home"],
)
@pytest.mark.skipif(os.name != "posix" or os.uname().sysname != "Linux", reason="other habits")
def test_user_cache(monkeypatch, variables, expected):
    for name in ("TEXTKIT_CACHE_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert files.user_cache() == Path(expected)


# --- the container --------------------------------------------------------------------------------------

_types = st.sampled_from(["u1", "<i4", "<i8", "<f4", "<u8", "?", "<f2"]).map(np.dtype)
_arrays = _types.flatmap(
    lambda dtype: st_numpy.arrays(dtype, st_numpy.array_shapes(min_dims=1, max_dims=2, min_side=0, max_side=5))
)


@given(st.dictionaries(st.sampled_from(["a", "vocab.ends", "é"]), _arrays, max_size=3), st.text(max_size=5))
def test_container_round_trip_aligned_and_readable_by_safetensors(tmp_path, arrays, note):
    path = tmp_path / "a.bin"
    files.save(path, "thing", {"note": note, "n": [1, {"x": None}]}, arrays)
    loaded = files.load(path, "thing")
    assert (loaded.kind, loaded.header) == ("thing", {"note": note, "n": [1, {"x": None}]})
    assert set(loaded.arrays) == set(arrays)
    with safe_open(path, "numpy") as theirs:
        for name, array in arrays.items():
            for found in (loaded.arrays[name], theirs.get_tensor(name)):
                assert found.dtype == array.dtype
                np.testing.assert_array_equal(found, array)
            assert loaded.arrays[name].ctypes.data % array.dtype.itemsize == 0
            assert loaded.arrays[name].flags["C_CONTIGUOUS"]


def test_streamed_arrays_equal_whole_ones(tmp_path):
    array = np.arange(10, dtype=np.int32)
    files.save(tmp_path / "whole", "x", {}, {"a": array, "b": array.astype(np.int64)})
    chunks = (array[i : i + 3] for i in range(0, 10, 3))
    streamed = files.Stream(np.int32, (10,), chunks)
    files.save(tmp_path / "parts", "x", {}, {"a": streamed, "b": array.astype(np.int64)}, sync=False)
    assert (tmp_path / "whole").read_bytes() == (tmp_path / "parts").read_bytes()


def test_arrays_begin_at_cache_lines_and_leave_no_gap(tmp_path):
    lead, positions = files.plan(
        "x", {}, {"bytes": (np.uint8, (5,)), "wide": (np.float64, (3, 2)), "ids": (np.int32, (7,))}
    )
    assert len(lead) % 64 == 0
    assert positions == {"wide": len(lead), "ids": len(lead) + 48, "bytes": len(lead) + 76}


def test_changing_a_loaded_array_does_not_change_the_file(tmp_path):
    files.save(tmp_path / "a", "x", {}, {"a": np.zeros(4)})
    files.load(tmp_path / "a").arrays["a"][0] = 7
    assert files.load(tmp_path / "a").arrays["a"].tolist() == [0, 0, 0, 0]


def test_array_larger_than_memory_can_be_mapped(tmp_path):
    size = 2 * os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    lead, positions = files.plan("x", {}, {"a": (np.uint8, (size,))})
    with (tmp_path / "a").open("wb") as stream:
        stream.write(lead)
        try:
            stream.truncate(positions["a"] + size)  # takes no room on the disk
        except OSError:
            pytest.skip("the file system knows no sparse files of this size")
    array = files.load(tmp_path / "a").arrays["a"]
    assert array[-1] == 0


def test_is_container(tmp_path):
    files.save(tmp_path / "a", "x", {}, {})
    for name, data in (("text", b"some words\n"), ("short", b"{"), ("json", b'{"text": "a"}\n')):
        (tmp_path / name).write_bytes(data)
    assert [files.is_container(tmp_path / name) for name in ("a", "text", "short", "json")] == [
        True,
        False,
        False,
        False,
    ]


# --- refusal --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def good(tmp_path_factory) -> bytes:
    path = tmp_path_factory.mktemp("good") / "a"
    files.save(
        path, "thing", {"note": "fine", "list": [1, 2]}, {"ids": np.arange(6, dtype=np.int32), "x": np.ones((2, 3))}
    )
    return path.read_bytes()


def refused(path: Path, data: bytes, kind: str | None = None) -> str:
    path.write_bytes(data)
    with pytest.raises(DataError) as caught:
        files.load(path, kind)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def container(entries: object, data: bytes = b"") -> bytes:
    """A container file with this JSON in front."""
    text = entries if isinstance(entries, bytes) else json.dumps(entries).encode()
    return len(text).to_bytes(8, "little") + text + data


def entry(dtype="U8", shape=(4,), offsets=(0, 4), **metadata) -> dict:
    own = {"format": "textkit", "kind": "thing", "textkit": "{}", **metadata}
    return {"__metadata__": own, "a": {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}}


HOSTILE = {
    "empty": b"",
    "text": b"plain words, not a model\n" * 10,
    "length beyond the file": (1 << 40).to_bytes(8, "little") + b"{}",
    "length beyond everything": b"\xff" * 8 + b"{}",
    "not JSON": container(b"{broken", b"1234"),
    "not UTF-8": container(b'{"\xff": 1}', b"1234"),
    "deeply nested": container(b"[" * 50_000),
    "a list": container([1, 2]),
    "data cut off": container(entry(), b"12"),
    "data too long": container(entry(), b"1234567"),
    "huge shape": container(entry(shape=(1 << 62,), offsets=(0, 1 << 62)), b"1234"),
    "overflowing shape": container(entry(shape=(1 << 40, 1 << 40)), b"1234"),
    "shape that does not fit": container(entry(shape=(5,)), b"1234"),
    "negative shape": container(entry(shape=(-4,)), b"1234"),
    "negative offset": container(entry(offsets=(-4, 0)), b"1234"),
    "falling offsets": container(entry(offsets=(4, 0)), b"1234"),
    "shape of text": container(entry(shape=("4",)), b"1234"),
    "unknown type": container(entry(dtype="COMPLEX"), b"1234"),
    "type numpy has not": container(entry(dtype="BF16", shape=(2,)), b"1234"),
    "foreign format": container(entry(format="pt"), b"1234"),
    "no header": container(entry(textkit=""), b"1234"),
    "header that is a list": container(entry(textkit="[1]"), b"1234"),
    "header nested too deep": container(entry(textkit="[" * 100_000), b"1234"),
    "metadata that is a number": container({"__metadata__": 5}),
    "no metadata": container({}),
    "array without a type": container({**entry(), "a": {"shape": [4], "data_offsets": [0, 4]}}, b"1234"),
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_hostile_container_is_refused_without_large_allocation(tmp_path, data):
    tracemalloc.start()
    try:
        refused(tmp_path / "a", data)
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()


def test_the_pattern_of_hostile_files_is_loaded_when_sound(tmp_path):
    (tmp_path / "a").write_bytes(container(entry(), b"1234"))
    assert files.load(tmp_path / "a").arrays["a"].tobytes() == b"1234"


def test_other_kind_is_refused(tmp_path, good):
    assert "holds a thing, not a corpus" in refused(tmp_path / "a", good, "corpus")


def test_missing_file_and_directory_are_refused(tmp_path):
    for path in (tmp_path / "no", tmp_path):
        with pytest.raises(DataError, match=r"cannot open|not a textkit file"):
            files.load(path)


@given(st.data())
def test_truncated_container_is_refused(tmp_path, good, data):
    refused(tmp_path / "a", good[: data.draw(st.integers(0, len(good) - 1))])


@given(st.data())
def test_corrupted_container_loads_or_is_refused(tmp_path, good, data):
    damaged = bytearray(good)
    header = 8 + int.from_bytes(good[:8], "little")
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, header - 1) | st.integers(0, len(good) - 1))
        damaged[place] = data.draw(st.integers(0, 255) | st.sampled_from(b'0123456789"{}[],:-\\u'))
    (path := tmp_path / "a").write_bytes(bytes(damaged))
    try:
        loaded = files.load(path, "thing")
    except DataError as error:
        assert "\n" not in str(error)
    else:
        assert isinstance(loaded.header, dict)
        assert sum(array.nbytes for array in loaded.arrays.values()) <= len(good)
        assert all(array.tobytes() is not None for array in loaded.arrays.values())
