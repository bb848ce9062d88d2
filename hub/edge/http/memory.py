"""The base of what couriers remember: one SQLite file each, beside the adapter's journal."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from hub.edge import files
from hub.errors import EdgeError


class CourierMemory:
    """A small database of one courier; each statement that writes is one durable transaction.

    Every method raises ``EdgeError`` when it cannot be done.
    """

    def __init__(self, path: Path, tables: str) -> None:
        """Open it; ``tables`` is the SQL that makes those that are missing."""
        self._path = path
        files.make_folder(path.parent, 0o700)
        with self._mapped():
            self._database = sqlite3.connect(path, isolation_level=None)
            try:
                path.chmod(files.PRIVATE_MODE)
                self._database.execute("PRAGMA journal_mode = WAL")
                self._database.execute("PRAGMA synchronous = FULL")
                self._database.execute("PRAGMA secure_delete = ON")  # forgotten is overwritten
                self._database.executescript(tables)
            except BaseException:
                self._database.close()
                raise

    def write(self, statement: str, values: Sequence[str | int]) -> None:
        """Change something, durably."""
        with self._mapped():
            self._database.execute(statement, values)

    def read(self, query: str, values: Sequence[str | int] = ()) -> list[Any]:
        """Give all rows of a query."""
        with self._mapped():
            return self._database.execute(query, values).fetchall()

    def close(self) -> None:
        """Close it."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _mapped(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise EdgeError(f"the memory {self._path} cannot be used: {error}") from error
