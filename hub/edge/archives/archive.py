"""Reads a ZIP archive of strangers: nothing is extracted, and nothing is believed.

``zip_directory`` judges what an archive says of itself; here its parts are read, and held to that.
Memory is flat, whatever is declared.
"""

import io
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from hub.edge.archives.zip_directory import Limits, Part, judged_parts
from hub.edge.form import BadFile, FileFault

__all__ = ["CHUNK", "Archive", "Limits", "Window", "open_archive"]

CHUNK = 65_536


class Window(io.RawIOBase):
    """A range of bytes of an open file, as a file of its own to read."""

    def __init__(self, file: BinaryIO, start: int, size: int) -> None:
        super().__init__()
        self._file = file
        self._start = start
        self._size = size
        self._at = 0

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def seekable(self) -> bool:
        """Say that one can go to any place in it."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Read what stands here."""
        left = max(0, self._size - self._at)
        self._file.seek(self._start + self._at)
        data = self._file.read(min(left, len(buffer)))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place in it."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise OSError("a place before the beginning")
        self._at = base + offset
        return self._at

    def tell(self) -> int:
        """Tell where one is."""
        return self._at


@dataclass(frozen=True, slots=True)
class Archive:
    """An archive whose directory was judged; its parts in the order of their places."""

    file: BinaryIO
    parts: Mapping[str, Part]

    def chunks(self, name: str) -> Iterator[bytes]:
        """Stream the content of a part.

        Raises:
            BadFile: it is not what the directory says.
        """
        part = self.parts[name]
        packed = _chunks(self.file, part.start, part.packed)
        length = crc = 0
        for chunk in packed if part.stored else _inflated(packed):
            length += len(chunk)
            if length > part.size:
                raise _false("longer")
            crc = zlib.crc32(chunk, crc)
            yield chunk
        if length < part.size:
            raise _false("shorter")
        if crc != part.crc:
            raise BadFile(FileFault.STRUCTURE, "a part has another check sum than the archive says")

    def content(self, name: str, most: int) -> bytes:
        """Give the content of a small part.

        Raises:
            BadFile: it has over ``most`` bytes, or is not what the directory says.
        """
        if self.parts[name].size > most:
            raise BadFile(FileFault.TOO_LARGE, f"a part to be read whole has over {most} bytes")
        return b"".join(self.chunks(name))


def _false(how: str) -> BadFile:
    return BadFile(FileFault.STRUCTURE, f"a part is {how} than the archive says")


def _chunks(file: BinaryIO, start: int, size: int) -> Iterator[bytes]:
    at, end = start, start + size
    while at < end:
        file.seek(at)
        chunk = file.read(min(CHUNK, end - at))
        if not chunk:
            raise BadFile(FileFault.TRUNCATED, "the archive ends inside a part")
        at += len(chunk)
        yield chunk


def _inflated(packed: Iterator[bytes]) -> Iterator[bytes]:
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        for chunk in packed:
            data = chunk
            while data and not inflate.eof:
                yield inflate.decompress(data, CHUNK)
                data = inflate.unconsumed_tail
            if data or inflate.unused_data:
                raise _false("shorter")
        while not inflate.eof and (rest := inflate.decompress(b"", CHUNK)):
            yield rest
    except zlib.error:
        raise BadFile(FileFault.STRUCTURE, "a part cannot be decompressed") from None
    if not inflate.eof:
        raise _false("shorter")


def open_archive(file: BinaryIO, limits: Limits) -> Archive:
    """Judge an archive by its directory; the content of its parts is not read.

    Raises:
        BadFile: it is no ZIP archive, or one that is not wanted; the code says why.
    """
    return Archive(file, {part.name: part for part in judged_parts(file, limits)})
