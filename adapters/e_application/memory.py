"""What the courier of applications remembers, so that each is fetched and reported on once.

One SQLite file beside the adapter's journal. It holds 受付番号, digests and codes, and nothing
that an application says.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Self

from hub.edge import files
from hub.errors import EdgeError

_TABLE = """
CREATE TABLE IF NOT EXISTS application (
    number TEXT PRIMARY KEY,
    stage TEXT NOT NULL,
    digest TEXT NOT NULL,
    outcome TEXT NOT NULL DEFAULT '',
    code TEXT NOT NULL DEFAULT '',
    item TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS application_open ON application (stage) WHERE stage <> 'closed';
"""


class Stage(StrEnum):
    """How far an application has come."""

    WHOLE = "whole"  # its file is whole on disk, under its temporary name
    FILED = "filed"  # the file has its name in to-hub
    RECEIVED = "received"  # the interface was told that it is received
    JUDGED = "judged"  # it is known what became of it
    CLOSED = "closed"  # the interface was told of that too


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an application: ``state`` is ``processed`` or ``refused``.

    ``code`` says why it was refused, and ``item`` the field at fault, if it was one.
    """

    state: str
    code: str = ""
    item: str = ""


@dataclass(frozen=True, slots=True)
class Remembered:
    """An application, its stage, and its digest on receipt (blank where its file was found)."""

    number: str
    stage: Stage
    digest: str
    outcome: Outcome


class Memory:
    """The memory of one courier; each method that writes is one durable transaction.

    Raises:
        EdgeError: it cannot be used; so for every method.
    """

    def __init__(self, path: Path) -> None:
        """Open it, made anew where it is missing."""
        self._path = path
        files.make_folder(path.parent, 0o700)
        with self._mapped():
            self._database = sqlite3.connect(path, isolation_level=None)
            try:
                path.chmod(files.PRIVATE_MODE)
                self._database.execute("PRAGMA journal_mode = WAL")
                self._database.execute("PRAGMA synchronous = FULL")
                self._database.executescript(_TABLE)
            except BaseException:
                self._database.close()
                raise

    def knows(self, number: str) -> bool:
        """Say whether an application was taken up before."""
        with self._mapped():
            query = "SELECT 1 FROM application WHERE number = ?"
            return self._database.execute(query, (number,)).fetchone() is not None

    def open_ones(self) -> list[Remembered]:
        """Give those that are not closed, by 受付番号."""
        query = (
            "SELECT number, stage, digest, outcome, code, item FROM application"
            " WHERE stage <> 'closed' ORDER BY number"
        )
        with self._mapped():
            rows = self._database.execute(query).fetchall()
        return [
            Remembered(number, Stage(stage), digest, Outcome(*outcome))
            for number, stage, digest, *outcome in rows
        ]

    def take_up(self, number: str, stage: Stage, digest: str) -> None:
        """Remember an application whose file is there."""
        self._write(
            "INSERT INTO application (number, stage, digest) VALUES (?, ?, ?)",
            (number, stage, digest),
        )

    def reach(self, number: str, stage: Stage) -> None:
        """Remember that an application has come so far."""
        self._write("UPDATE application SET stage = ? WHERE number = ?", (stage, number))

    def judge(self, number: str, outcome: Outcome) -> None:
        """Remember what became of an application."""
        self._write(
            "UPDATE application SET stage = ?, outcome = ?, code = ?, item = ? WHERE number = ?",
            (Stage.JUDGED, outcome.state, outcome.code, outcome.item, number),
        )

    def close(self) -> None:
        """Close it."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _write(self, statement: str, values: tuple[str, ...]) -> None:
        with self._mapped():
            self._database.execute(statement, values)

    @contextmanager
    def _mapped(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise EdgeError(f"the memory {self._path} cannot be used: {error}") from error
