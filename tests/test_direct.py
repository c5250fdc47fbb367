"""Files written past the system's cache."""

import os

import numpy as np
import pytest

from textkit import direct
from textkit.direct import past_cache


@pytest.mark.parametrize("sizes", [[], [5], [4096], [4096 * 3], [1, 4095, 4096], [10_000, 1, 0, 9_999], [7] * 3000])
def test_what_is_written_is_there_in_order(tmp_path, monkeypatch, sizes):
    monkeypatch.setattr(direct, "_BUFFER", 4096)
    rng = np.random.default_rng(1)
    pieces = [rng.bytes(size) for size in sizes]
    with (tmp_path / "x").open("wb") as stream, past_cache(stream) as file:
        for piece in pieces:
            assert file.write(piece) == len(piece)
    assert (tmp_path / "x").read_bytes() == b"".join(pieces)


def test_pipes_are_written_as_they_are():
    read, write = os.pipe()
    with os.fdopen(write, "wb") as stream, past_cache(stream) as file:
        assert file is stream
    os.close(read)


def test_a_failed_write_is_told_and_ends_the_block(tmp_path, monkeypatch):
    def full(handle, buffer):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(direct, "_BUFFER", 4096)
    monkeypatch.setattr(direct, "_write_all", full)
    with (tmp_path / "x").open("wb") as stream:
        writer = direct._Writer(stream.fileno())
        with pytest.raises(OSError, match="No space"):
            writer.write(bytes(50_000))
        writer.stop()
