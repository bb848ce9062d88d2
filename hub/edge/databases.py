"""The SQLite files of an adapter: nobody else may read them, and what is deleted is overwritten."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from hub.edge import files
from hub.errors import EdgeError


@contextmanager
def mapped(what: str) -> Iterator[None]:
    """Turn what SQLite or the disk say inside the block into an ``EdgeError`` that begins so.

    Raises:
        EdgeError: the block met an error of theirs.
    """
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise EdgeError(f"{what}: {error}") from error


def opened(path: Path, prepare: Callable[[sqlite3.Connection], object]) -> sqlite3.Connection:
    """Open a database, made anew where it is missing; ``prepare`` makes its tables.

    Raises:
        sqlite3.Error: it cannot be used; ``OSError`` likewise.
    """
    database = sqlite3.connect(path, isolation_level=None)
    try:
        path.chmod(files.PRIVATE_MODE)
        database.execute("PRAGMA secure_delete = ON")
        prepare(database)
    except BaseException:
        database.close()
        raise
    return database


def make_durable(database: sqlite3.Connection) -> None:
    """Have each transaction on the disk when it is committed, also while others read."""
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")


def opened_to_read(path: Path) -> sqlite3.Connection:
    """Open a database that is there, also while another process writes to it.

    Raises:
        sqlite3.Error: there is none, or it cannot be used.
    """
    return sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)


class Holder:
    """Has a database open, until ``close`` or the end of a ``with`` block."""

    _database: sqlite3.Connection

    def close(self) -> None:
        """Close it."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@contextmanager
def transaction(database: sqlite3.Connection) -> Iterator[None]:
    """Make all changes of the block, or none."""
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
        database.execute("COMMIT")
    except BaseException:
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise
