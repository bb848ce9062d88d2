"""The few things that are done to files and folders, so that they survive a crash.

Every effect on the file system goes through a function of this module: a test can stop the
process before or after any of them. ``OSError`` becomes ``EdgeError`` here.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from hub.errors import EdgeError

FILE_MODE = 0o640
PRIVATE_MODE = 0o600


@contextmanager
def mapped(what: str, path: Path) -> Iterator[None]:
    """Turn an ``OSError`` inside the block into an ``EdgeError`` that names the file.

    Raises:
        EdgeError: the block met an ``OSError``.
    """
    try:
        yield
    except OSError as error:
        raise EdgeError(f"{what} {path}: {error.strerror or type(error).__name__}") from error


def temporary_name(path: Path) -> Path:
    """Give the name under which a file is written before it is whole: ``.<name>.tmp``."""
    return path.with_name(f".{path.name}.tmp")


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable.

    Raises:
        EdgeError: the folder cannot be opened or synced.
    """
    with mapped("cannot sync", folder):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def make_folder(folder: Path, mode: int) -> None:
    """Make a folder, and those above it, where it is missing; an existing one is left alone.

    Raises:
        EdgeError: it cannot be made.
    """
    with mapped("cannot make the folder", folder):
        if not folder.is_dir():
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(mode)


def append_line(path: Path, line: bytes, mode: int = FILE_MODE) -> None:
    """Add a line to a file, durably; what a crash left of a line before it is ended first.

    Raises:
        EdgeError: the folder or disk cannot be used; a part of the line may be there.
    """
    with mapped("cannot write", path):
        is_new = not path.exists()
        with path.open("ab+") as file:
            if is_new:
                os.fchmod(file.fileno(), mode)
            elif file.tell() and _last_byte(file) != b"\n":
                file.write(b"\n")
            file.write(line + b"\n")
            file.flush()
            os.fsync(file.fileno())
    if is_new:
        sync_folder(path.parent)


def _last_byte(file: BinaryIO) -> bytes:
    file.seek(-1, os.SEEK_END)
    return file.read(1)


def write_synced(path: Path, chunks: Iterable[bytes], mode: int = FILE_MODE) -> None:
    """Write a file from its start and make its content durable, but not yet its name.

    Raises:
        EdgeError: the folder or disk cannot be used; a part of the file may be there.
    """
    with mapped("cannot write", path):
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, mode)
        with os.fdopen(handle, "wb") as file:
            os.fchmod(handle, mode)
            for chunk in chunks:
                file.write(chunk)
            file.flush()
            os.fsync(handle)


def write_whole(path: Path, content: bytes, mode: int = FILE_MODE) -> None:
    """Write a small file so that its name never stands for a part of it.

    Raises:
        EdgeError: the folder or disk cannot be used.
    """
    temporary = temporary_name(path)
    write_synced(temporary, (content,), mode)
    rename(temporary, path)


def remove(path: Path) -> None:
    """Remove a file, or find it gone.

    Raises:
        EdgeError: it cannot be removed.
    """
    with mapped("cannot remove", path):
        path.unlink(missing_ok=True)


def rename(source: Path, target: Path) -> None:
    """Give a file its new name, durably; an existing target is replaced.

    Raises:
        EdgeError: it cannot be done; the file then keeps its old name.
    """
    with mapped("cannot rename", source):
        source.replace(target)
    sync_folder(target.parent)
    if source.parent != target.parent:
        sync_folder(source.parent)
