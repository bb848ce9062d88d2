"""What the simulated intermediate server keeps: its state in SQLite, documents as files.

``from-hub`` has what it was sent, ``to-hub`` the results that it hands out, ``refused`` the
inquiries to which it gave no permit.
"""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.simulation.kit import FROM_HUB, TO_HUB
from hub.edge import files

_TABLES = """
CREATE TABLE IF NOT EXISTS record (
    number INTEGER PRIMARY KEY,
    family TEXT NOT NULL,
    id TEXT NOT NULL,
    state TEXT NOT NULL,
    addressee_number TEXT NOT NULL DEFAULT '',
    information_code TEXT NOT NULL DEFAULT '',
    said TEXT NOT NULL DEFAULT '',
    asked BLOB NOT NULL,
    UNIQUE (family, id)
) STRICT;
CREATE TABLE IF NOT EXISTS result (
    family TEXT NOT NULL,
    number TEXT NOT NULL,
    polls_left INTEGER NOT NULL,
    taken INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (family, number)
) STRICT;
"""


@dataclass(frozen=True, slots=True)
class Record:
    """A request that the server knows; ``asked`` is the document that it came in first."""

    number: int
    family: str
    id: str
    state: str
    addressee_number: str
    information_code: str
    said: str
    asked: bytes

    @property
    def processing_number(self) -> str:
        """The 処理通番 that ties request, permit and result."""
        return f"{self.family.upper()}{self.number:012}"

    @property
    def permit_number(self) -> str:
        """The number of its 情報提供許可証."""
        return f"P{self.number:012}"


def refused_of(folder: Path) -> Path:
    """Give the folder of what was asked for in vain; it has a ``from-hub`` of its own."""
    return folder / "refused"


class Store:
    """The state of one server; one thread at a time inside ``locked``."""

    def __init__(self, folder: Path) -> None:
        """Open it, made anew where it is missing.

        Raises:
            EdgeError: the folder cannot be used.
        """
        self._folder = folder
        for place in (folder / FROM_HUB, folder / TO_HUB, refused_of(folder) / FROM_HUB):
            files.make_folder(place, 0o770)
        self._lock = threading.Lock()
        self._path = folder / "server.sqlite3"
        with self._connected() as database:
            database.executescript(_TABLES)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep others out for the length of a request."""
        with self._lock:
            yield

    def record(self, family: str, record_id: str) -> Record | None:
        """Give a record by its レコード識別番号."""
        rows = self._all("SELECT * FROM record WHERE family = ? AND id = ?", family, record_id)
        return Record(*rows[0]) if rows else None

    def enter(  # noqa: PLR0913 - the columns
        self,
        family: str,
        record_id: str,
        state: str,
        asked: bytes,
        *,
        addressee_number: str = "",
        information_code: str = "",
        said: str = "",
    ) -> Record:
        """Enter a new record."""
        self._all(
            "INSERT INTO record (family, id, state, asked, addressee_number, information_code,"
            " said) VALUES (?, ?, ?, ?, ?, ?, ?)",
            family,
            record_id,
            state,
            asked,
            addressee_number,
            information_code,
            said,
        )
        entered = self.record(family, record_id)
        if entered is None:
            raise LookupError(record_id)
        return entered

    def take(self, record: Record, state: str, content: bytes) -> None:
        """Take a request: as a file of what was received, and in its new state."""
        name = f"{record.family.upper()}_{record.number:08}.xml"
        files.write_whole(self._folder / FROM_HUB / name, content)
        self._all("UPDATE record SET state = ? WHERE number = ?", state, record.number)

    def refuse(self, record: Record, content: bytes) -> None:
        """Keep a request without a permit apart: it was asked for, and never sent."""
        name = f"{record.family.upper()}_{record.number:08}.xml"
        files.write_whole(refused_of(self._folder) / FROM_HUB / name, content)

    def put_result(self, family: str, number: str, content: bytes, polls: int) -> None:
        """Have a result ready after so many more polls; one that is there stays."""
        files.write_whole(self._result_path(family, number), content)
        self._all(
            "INSERT OR IGNORE INTO result (family, number, polls_left) VALUES (?, ?, ?)",
            family,
            number,
            polls,
        )

    def polled(self, family: str, most: int) -> list[str]:
        """Count a poll, and list what is ready and not yet taken, the oldest first."""
        self._all(
            "UPDATE result SET polls_left = polls_left - 1 WHERE family = ? AND polls_left > 0",
            family,
        )
        rows = self._all(
            "SELECT number FROM result WHERE family = ? AND polls_left = 0 AND taken = 0"
            " ORDER BY rowid LIMIT ?",
            family,
            most,
        )
        return [number for (number,) in rows]

    def result(self, family: str, number: str) -> bytes | None:
        """Give a result's document."""
        query = "SELECT 1 FROM result WHERE family = ? AND number = ?"
        if not self._all(query, family, number):
            return None
        return self._result_path(family, number).read_bytes()

    def taken(self, family: str, number: str) -> None:
        """Note that a result was fetched."""
        self._all("UPDATE result SET taken = 1 WHERE family = ? AND number = ?", family, number)

    def states(self, family: str) -> list[str]:
        """Give the states of all records, in the order in which they were entered."""
        query = "SELECT state FROM record WHERE family = ? ORDER BY number"
        return [state for (state,) in self._all(query, family)]

    def _result_path(self, family: str, number: str) -> Path:
        return self._folder / TO_HUB / f"{family.upper()}_RESULT_{number}.xml"

    def _all(self, statement: str, *values: str | int | bytes) -> Sequence[Any]:
        with self._connected() as database:
            return database.execute(statement, values).fetchall()

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        database = sqlite3.connect(self._path, isolation_level=None)
        try:
            database.execute("PRAGMA synchronous = OFF")  # a simulator need not survive a power cut
            yield database
        finally:
            database.close()
