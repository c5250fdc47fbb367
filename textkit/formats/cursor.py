"""A place in a binary file that is mapped into memory: it never leaves the file, whatever the file says of itself."""

from dataclasses import dataclass
from mmap import mmap
from pathlib import Path

import numpy as np

from .. import files
from ..errors import DataError

_PIECE = 16 << 20


@dataclass
class Cursor:
    """A mapped file (uint8), the place up to which it is read, and what to do about a damaged one."""

    path: Path
    data: np.ndarray
    cure: str
    position: int = 0

    @classmethod
    def open(cls, path: str | Path, cure: str) -> "Cursor":
        """Map a file, or unpack a compressed one into memory. Raises DataError: missing, empty or damaged."""
        try:
            return cls(Path(path), np.frombuffer(_contents(Path(path)), np.uint8), cure)
        except files.decompression_errors() as error:
            why = files.why(error) if isinstance(error, OSError) else error
            raise DataError(f"cannot open {path}: {why}.") from error

    def take(self, size: int, what: str) -> np.ndarray:
        """The next `size` bytes, not copied. Raises DataError where the file is shorter."""
        left = len(self.data) - self.position
        if size > left:
            raise DataError(
                f"{self.path} is cut off or damaged: its {what} should take {size:,} bytes, {left:,} are left.",
                self.cure,
            )
        self.position += size
        return self.data[self.position - size : self.position]

    def damaged(self, what: str) -> DataError:
        """The error for something that no sound file holds."""
        return DataError(f"{self.path} is damaged: {what}.", self.cure)


def _contents(path: Path) -> "mmap | bytearray":
    with path.open("rb") as raw:
        if not files.compression_of(raw.read(6)):
            return files.mapped(path)
        raw.seek(0)
        stream, data = files.decompressed(raw), bytearray()
        while piece := stream.read(_PIECE):
            data += piece
    return data
