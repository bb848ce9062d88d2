"""What the simulated system keeps: packages as files, and beside them who has which certificate."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from adapters.e_application.outcomes import PROCESSED, REFUSED, name_of
from adapters.simulation.kit import TO_HUB

RECEIVED = "received"
_TABLES = """
CREATE TABLE IF NOT EXISTS certificate (
    serial TEXT PRIMARY KEY,
    resident_code TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS resident (
    resident_code TEXT PRIMARY KEY,
    addressee_number TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS reported (
    number TEXT NOT NULL,
    state TEXT NOT NULL,
    code TEXT NOT NULL,
    item TEXT NOT NULL,
    PRIMARY KEY (number, state)
) STRICT;
"""
_NAME = name_of("*")


class Report(NamedTuple):
    """A state that was reported of an application."""

    number: str
    state: str
    code: str
    item: str


class Store:
    """The files and tables in the simulated system's folder; for any number of threads."""

    def __init__(self, folder: Path) -> None:
        self._packages = folder / TO_HUB
        self._path = folder / "applications.sqlite3"
        folder.mkdir(parents=True, exist_ok=True)
        with self._database() as database:
            database.executescript(_TABLES)

    def issue(self, serial: str, resident_code: str, addressee_number: str) -> None:
        """Enter a resident's certificate."""
        with self._database() as database:
            database.execute(
                "INSERT OR REPLACE INTO certificate VALUES (?, ?)", (serial, resident_code)
            )
            database.execute(
                "INSERT OR REPLACE INTO resident VALUES (?, ?)", (resident_code, addressee_number)
            )

    def resident_code(self, serial: str) -> str | None:
        """Give the 住民票コード that a certificate leads to."""
        return self._one("SELECT resident_code FROM certificate WHERE serial = ?", serial)

    def addressee_number(self, resident_code: str) -> str | None:
        """Give the 宛名番号 that a 住民票コード leads to."""
        return self._one(
            "SELECT addressee_number FROM resident WHERE resident_code = ?", resident_code
        )

    def waiting(self) -> list[str]:
        """Give the 受付番号 of what was not reported to be received, in order."""
        with self._database() as database:
            rows = database.execute("SELECT number FROM reported WHERE state = ?", (RECEIVED,))
            done = {number for (number,) in rows}
        before, _, after = _NAME.partition("*")
        names = (path.name for path in self._packages.glob(_NAME))
        numbers = (name.removeprefix(before).removesuffix(after) for name in names)
        return sorted(number for number in numbers if number not in done)

    def package(self, number: str) -> bytes | None:
        """Give the package of an application."""
        path = self._packages / name_of(number)
        return path.read_bytes() if path.is_file() else None

    def report(self, report: Report) -> bool:
        """Take a state in; false where it does not follow from those before."""
        with self._database() as database:
            rows = database.execute(
                "SELECT state, code, item FROM reported WHERE number = ?", (report.number,)
            ).fetchall()
            known = {state: (code, item) for state, code, item in rows}
            if report.state in known:
                return known[report.state] == (report.code, report.item)
            if report.state != RECEIVED and (RECEIVED not in known or known.keys() & _FINAL):
                return False
            database.execute("INSERT INTO reported VALUES (?, ?, ?, ?)", report)
        return True

    def reports(self) -> list[Report]:
        """Give what was reported, in the order of its coming."""
        with self._database() as database:
            rows = database.execute(
                "SELECT number, state, code, item FROM reported ORDER BY rowid"
            ).fetchall()
        return [Report(*row) for row in rows]

    def _one(self, query: str, value: str) -> str | None:
        with self._database() as database:
            row = database.execute(query, (value,)).fetchone()
        return None if row is None else str(row[0])

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._path, timeout=30)) as database, database:
            database.execute("BEGIN IMMEDIATE")
            yield database


_FINAL = {PROCESSED, REFUSED}
STATES = {RECEIVED, *_FINAL}
"""The states that may be reported."""
