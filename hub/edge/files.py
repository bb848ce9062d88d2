"""The few things that are done to files and folders, so that they survive a crash.

Every effect on the file system goes through a function of this module: a test can stop the
process before or after any of them. ``OSError`` becomes ``EdgeError`` here.

A system may rename things on its drive, so nothing here follows a link: a folder is opened as
a real directory, and what is done to a file is done below that open directory.
"""

import errno
import itertools
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from hub.errors import EdgeError
from hub.limits import limits

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
        reason = error.strerror or type(error).__name__
        raise EdgeError(f"{what} {shown(path)}: {reason}") from error


def shown(path: Path) -> str:
    """Give a path for a message; one with characters that do not print comes escaped."""
    text = str(path)
    return text if text.isprintable() else ascii(text)


@contextmanager
def opened_folder(folder: Path) -> Iterator[int]:
    """Open a folder and give its descriptor, which stays the same folder whatever is renamed.

    Raises:
        OSError: it cannot be opened, or is no real directory.
    """
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except NotADirectoryError as error:
        reason = f"{shown(folder)} is a link or no folder"
        raise NotADirectoryError(errno.ENOTDIR, reason) from error
    try:
        yield handle
    finally:
        os.close(handle)


def names_in(folder: Path) -> list[str]:
    """Give the names in a folder, sorted.

    Raises:
        EdgeError: it cannot be listed, or has more names than are taken at once.
    """
    most = limits().folder_files
    with (
        mapped("cannot list", folder),
        opened_folder(folder) as handle,
        os.scandir(handle) as found,
    ):
        names = [one.name for one in itertools.islice(found, most + 1)]
    if len(names) > most:
        message = f"{shown(folder)} has over {most} names: take some away (limits.folder_files)"
        raise EdgeError(message)
    return sorted(names)


def status(path: Path) -> os.stat_result | None:
    """Tell what a name stands for, a link being a link; ``None`` where there is no such name.

    Raises:
        EdgeError: it cannot be looked at.
    """
    with mapped("cannot look at", path), opened_folder(path.parent) as handle:
        try:
            return os.stat(path.name, dir_fd=handle, follow_symlinks=False)
        except FileNotFoundError:
            return None


def exists(path: Path) -> bool:
    """Tell whether a name is taken, by whatever it is.

    Raises:
        EdgeError: it cannot be looked at.
    """
    return status(path) is not None


def open_file(path: Path, flags: int, mode: int = FILE_MODE) -> int:
    """Open a file, and only a regular one, and give its descriptor.

    Raises:
        OSError: it cannot be opened, or is a link or anything but a file.
    """
    with opened_folder(path.parent) as folder:
        # A pipe would let an open without O_NONBLOCK wait for ever.
        safe = flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY
        handle = os.open(path.name, safe, mode, dir_fd=folder)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(errno.EINVAL, "it is no file")
    return handle


def create_file(path: Path, mode: int = FILE_MODE) -> int:
    """Make a new file in place of what a crash left under its name, and give its descriptor.

    Raises:
        OSError: it cannot be made.
    """
    with opened_folder(path.parent) as folder:
        with suppress(FileNotFoundError):
            os.unlink(path.name, dir_fd=folder)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        handle = os.open(path.name, flags, mode, dir_fd=folder)
    os.fchmod(handle, mode)  # whatever the umask took away
    return handle


def temporary_name(path: Path) -> Path:
    """Give the name under which a file is written before it is whole: ``.<name>.tmp``."""
    return path.with_name(f".{path.name}.tmp")


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable.

    Raises:
        EdgeError: the folder cannot be opened or synced.
    """
    with mapped("cannot sync", folder), opened_folder(folder) as handle:
        os.fsync(handle)


def make_folder(folder: Path, mode: int) -> None:
    """Make a folder, and those above it, where it is missing; an existing one is left alone.

    Raises:
        EdgeError: it cannot be made, or is a link or no folder.
    """
    with mapped("cannot make the folder", folder):
        is_new = not os.path.lexists(folder)
        if is_new:
            folder.mkdir(parents=True, exist_ok=True)
        with opened_folder(folder) as handle:
            if is_new:
                os.fchmod(handle, mode)


def append_line(path: Path, line: bytes, mode: int = FILE_MODE) -> None:
    """Add a line to a file, durably; what a crash left of a line before it is ended first.

    Raises:
        EdgeError: the folder or disk cannot be used; a part of the line may be there.
    """
    with mapped("cannot write", path):
        is_new = not exists(path)
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND
        with os.fdopen(open_file(path, flags, mode), "ab+") as file:
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
    with mapped("cannot write", path), os.fdopen(create_file(path, mode), "wb") as file:
        for chunk in chunks:
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())


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
    with (
        mapped("cannot remove", path),
        opened_folder(path.parent) as folder,
        suppress(FileNotFoundError),
    ):
        os.unlink(path.name, dir_fd=folder)


def rename(source: Path, target: Path) -> None:
    """Give a file its new name, durably; an existing target is replaced.

    Raises:
        EdgeError: it cannot be done; the file then keeps its old name.
    """
    with (
        mapped("cannot rename", source),
        opened_folder(source.parent) as before,
        opened_folder(target.parent) as after,
    ):
        os.replace(source.name, target.name, src_dir_fd=before, dst_dir_fd=after)
    sync_folder(target.parent)
    if source.parent != target.parent:
        sync_folder(source.parent)
