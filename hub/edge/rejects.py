"""The list of a file's refused records: where each stands and why, never what it says."""

import os
from pathlib import Path
from typing import Self

from hub.edge import files
from hub.edge.for_people import neutral
from hub.edge.kit import BadRecord
from hub.edge.records import CONTROL, quoted

_HEAD = "line,record,field,reason"


class RejectsFile:
    """Written while the file is read, under a temporary name, and named when it is whole.

    Written anew from the start after a crash: the same file is refused the same records.
    """

    def __init__(self, path: Path) -> None:
        """Begin it.

        Raises:
            EdgeError: the folder cannot be used.
        """
        self.count = 0
        self._finished = False
        self._path = path
        self._temporary = files.temporary_name(path)
        with files.mapped("cannot write", self._temporary):
            self._file = os.fdopen(files.create_file(self._temporary), "wb")
            self._write(_HEAD)

    def add(self, bad: BadRecord) -> None:
        """List a record.

        Raises:
            EdgeError: the disk cannot be used.
        """
        parts = (str(bad.line), str(bad.number), bad.field, CONTROL.sub(" ", bad.reason))
        with files.mapped("cannot write", self._temporary):
            self._write(",".join(quoted(neutral(part)) for part in parts))
        self.count += 1

    def _write(self, line: str) -> None:
        self._file.write(f"{line}\r\n".encode())

    def finish(self) -> None:
        """Make it durable and give it its name; without a record in it, there is no file.

        Raises:
            EdgeError: the folder or disk cannot be used.
        """
        with files.mapped("cannot write", self._temporary):
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
        if self.count:
            files.rename(self._temporary, self._path)
            self._finished = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if not self._finished:
            with files.mapped("cannot write", self._temporary):
                self._file.close()
            files.remove(self._temporary)
