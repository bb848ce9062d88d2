"""The base of what couriers remember: one SQLite file each, beside the adapter's journal."""

import sqlite3
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from hub.edge import databases, files


class CourierMemory(databases.Holder):
    """A small database of one courier; each statement that writes is one durable transaction.

    Every method raises ``EdgeError`` when it cannot be done.
    """

    def __init__(self, path: Path, tables: str) -> None:
        """Open it; ``tables`` is the SQL that makes those that are missing."""
        self._path = path
        files.make_folder(path.parent, 0o700)

        def prepare(database: sqlite3.Connection) -> None:
            databases.make_durable(database)
            database.executescript(tables)

        with self._mapped():
            self._database = databases.opened(path, prepare)

    def write(self, statement: str, values: Sequence[str | int]) -> None:
        """Change something, durably."""
        with self._mapped():
            self._database.execute(statement, values)

    def read(self, query: str, values: Sequence[str | int] = ()) -> list[Any]:
        """Give all rows of a query."""
        with self._mapped():
            return self._database.execute(query, values).fetchall()

    def _mapped(self) -> AbstractContextManager[None]:
        return databases.mapped(f"the memory {self._path} cannot be used")
