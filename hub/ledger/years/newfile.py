"""New files that appear whole or not at all, and never in place of another."""

import hashlib
import io
import os
import secrets
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from hub.errors import LedgerError

_MODE = 0o600
_PIECE = 1 << 20
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW


class NewFile(io.RawIOBase):
    """A file that only this account can read, under another name until ``keep`` is called.

    A context manager; at its end an unkept file is removed.

    Raises:
        LedgerError: there is a file of this name, or the folder cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
        self._hash = hashlib.sha256()
        self.bytes = 0
        self._file: BinaryIO | None = None

    def __enter__(self) -> Self:
        self._refuse_another()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.fdopen(os.open(self._part, _FLAGS, _MODE), "wb")
        except OSError as error:
            raise self._error(error) from None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file is not None:
            self._file.close()
            self._part.unlink(missing_ok=True)

    def writable(self) -> bool:
        """Say that it can be written."""
        return True

    def write(self, data: bytes, /) -> int:  # type: ignore[override]  # whole buffers only
        """Write all of it.

        Raises:
            LedgerError: it cannot be written.
        """
        if self._file is None:
            raise LedgerError(f"{self.path} is not open")
        try:
            self._file.write(data)
        except OSError as error:
            raise self._error(error) from None
        self._hash.update(data)
        self.bytes += len(data)
        return len(data)

    def digest(self) -> str:
        """Give the SHA-256 of what was written, in hex."""
        return self._hash.hexdigest()

    def settle(self) -> None:
        """See that it is on the disk; its name is still the other one.

        Raises:
            LedgerError: it is not.
        """
        if self._file is None:
            return
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise self._error(error) from None

    def keep(self) -> None:
        """Give it its name.

        Raises:
            LedgerError: it cannot be, or there is a file of this name by now.
        """
        self.settle()
        try:
            # Taken first and then replaced: no file system does both in one step without links.
            os.close(os.open(self.path, _FLAGS, _MODE))
            self._part.replace(self.path)
            _sync_folder(self.path.parent)
        except FileExistsError:
            self._refuse_another()
        except OSError as error:
            raise self._error(error) from None

    def write_all(self, source: BinaryIO) -> None:
        """Write all of another file.

        Raises:
            LedgerError: one of the two fails.
        """
        try:
            while piece := source.read(_PIECE):
                self.write(piece)
        except OSError as error:
            raise self._error(error) from None

    def _refuse_another(self) -> None:
        if self.path.exists() or self.path.is_symlink():
            message = f"{self.path} is there already and is not overwritten: name another file"
            raise LedgerError(message)

    def _error(self, error: OSError) -> LedgerError:
        return LedgerError(f"{self.path} cannot be written: {error.strerror or error}")


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
