"""Tar files (POSIX ustar) that have only one way to be written: equal content, equal bytes."""

import tarfile
from collections.abc import Iterator
from typing import BinaryIO

BLOCK = 512
END = bytes(2 * BLOCK)
MAX_MEMBER_BYTES = 1 << 25
"""The longest member: an entry bundle has 16 MiB at most."""


class TapeError(ValueError):
    """It is not such a tar file."""


def member(name: str, content: bytes) -> bytes:
    """Give the bytes of a member: its header, its content, and what fills the last block."""
    return _header(name, len(content)) + content + bytes(-len(content) % BLOCK)


def members(file: BinaryIO) -> Iterator[tuple[str, bytes]]:
    """Read the names and contents of the members; nothing but what ``member`` wrote passes.

    Raises:
        TapeError: a byte is not as it would be written, or the file ends too early or too late.
        OSError: it cannot be read.
    """
    while (header := file.read(BLOCK)) != END[:BLOCK]:
        name, size = _read_header(header)
        content = file.read(size)
        filling = file.read(-size % BLOCK)
        if len(content) != size or filling != bytes(-size % BLOCK):
            raise TapeError(f"{name} is not whole")
        yield name, content
    if file.read(len(END)) != END[BLOCK:]:  # asks for more than there should be
        raise TapeError("it does not end where it should")


def _read_header(header: bytes) -> tuple[str, int]:
    try:
        info = tarfile.TarInfo.frombuf(header, "ascii", "strict")
    except (tarfile.HeaderError, UnicodeDecodeError):
        raise TapeError("a header is damaged, or the file ends too early") from None
    if not 0 <= info.size <= MAX_MEMBER_BYTES:
        raise TapeError("a member is longer than any of an archive")
    try:
        again = _header(info.name, info.size)
    except (ValueError, UnicodeEncodeError):
        again = b""
    if header != again:
        raise TapeError("a header is not as it would be written")
    return info.name, info.size


def _header(name: str, size: int) -> bytes:
    info = tarfile.TarInfo(name)
    info.size = size
    info.mode = 0o600
    return info.tobuf(tarfile.USTAR_FORMAT, "ascii", "strict")
