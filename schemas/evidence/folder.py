"""Reads the files of an export, and nothing else: no symbolic link, no more than may be there."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from schemas.evidence.tiles import Tile, TileError, parse_path, tile_width

CHECKPOINT = "checkpoint"

_DEEPEST = 16
"""No tile of 2**63 entries lies this deep."""

_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class FileFault(ValueError):
    """A file of the export is not as it must be; ``path`` names it below the folder."""

    def __init__(self, path: str, text: str) -> None:
        super().__init__(f"{shown(path)}: {text}")
        self.path = path


def shown(path: str) -> str:
    """Give a path as it can be printed, whatever bytes it has."""
    return path if path.isascii() and path.isprintable() else ascii(path)


def read_file(folder: Path, path: str, limit: int) -> bytes | None:
    """Read a file of the export; ``None`` where there is none.

    Raises:
        FileFault: it is no regular file, or is longer than ``limit`` bytes.
        OSError: it is there and cannot be read.
    """
    try:
        handle = os.open(folder / path, _FLAGS)
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise FileFault(path, "not a regular file")
        data = bytearray()
        while part := os.read(handle, limit + 1 - len(data)):
            data += part
        if len(data) > limit:
            raise FileFault(path, f"longer than {limit} bytes")
    finally:
        os.close(handle)
    return bytes(data)


def refuse_links(folder: Path) -> None:
    """See that there is nothing but regular files and folders.

    Raises:
        FileFault: there is; nothing of it was opened.
        OSError: the folder cannot be listed.
    """
    for path, entry in _walk(folder):
        if not entry.is_file(follow_symlinks=False):
            raise FileFault(path, "a link or a special file; an export has only files")


def refuse_extras(folder: Path, size: int) -> None:
    """See that there is no file that an export of a tree of this size does not have.

    Folders without files are no fault.

    Raises:
        FileFault: there is one.
        OSError: the folder cannot be listed.
    """
    for path, _ in _walk(folder):
        if path != CHECKPOINT and not _belongs(path, size):
            raise FileFault(path, f"does not belong to an export of {size} entries")


def entry_after(path: str) -> int | None:
    """Give the number (from 1) of the first entry that a file is about, if it is about any."""
    try:
        return parse_path(path).start + 1
    except TileError:
        return None


def _belongs(path: str, size: int) -> bool:
    try:
        tile: Tile = parse_path(path)
    except TileError:
        return False
    return tile.width == tile_width(size, tile.level, tile.index)


def _walk(folder: Path, below: str = "", depth: int = 0) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Give all that is not a folder, in the order of names; links are not followed.

    A folder that lies deeper than any of an export is given, too, and not opened.
    """
    with os.scandir(folder / below) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        path = f"{below}{entry.name}"
        if entry.is_dir(follow_symlinks=False) and depth < _DEEPEST:
            yield from _walk(folder, f"{path}/", depth + 1)
        else:
            yield path, entry
