"""The office's own list for matching (突合), held so that a person in it is found at once.

The office puts a whole list, as a file, into the folder ``matching`` of the system's drive; of
several the last by name counts. Its rows are kept in an SQLite file beside the journal, which
nobody else may read, until a newer list takes their place: all of it, or nothing of it.
"""

import datetime as dt
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from itertools import islice
from pathlib import Path

from hub.edge import databases, files
from hub.edge.folders import SHARED_MODE, Folders
from hub.edge.form import BadFile, FileFacts, Unfinished
from hub.edge.forms import form_of
from hub.edge.inbox import Stamp, stamp_of
from hub.edge.kit import KnownPerson
from hub.edge.observe import EdgeObserver
from hub.edge.survey import being_written
from hub.errors import EdgeError
from schemas.dates import Precision, read_register_date
from schemas.layout import Column, Encoding, Kind, load_layout

KIND = "matching"
"""What the observer is told that such a file holds."""
ADDRESSEE = "addressee_number"
"""The column of such a layout that says who a person is."""
_AT_ONCE = 1000
_SEVERAL = 100
"""The most persons that one look-up gives: more agree in nothing that tells them apart."""


def comparable_date(text: str) -> str:
    """Write a register's date as ``YYYY-MM-DD``, with 00 for what is not known of it.

    A text that is no date stays as it is, and an absent one is empty.
    """
    date = read_register_date(text)
    if date is None:
        return ""
    if date.date is None:
        return text
    known = {Precision.DAY: 10, Precision.MONTH: 7, Precision.YEAR: 4}[date.precision]
    return date.date.isoformat()[:known] + "-00-00"[: 10 - known]


class Matching(databases.Holder):
    """The list of one adapter (``hub.edge.desk.Persons``).

    Dates in it are comparable ones. Every method raises ``EdgeError`` when it cannot be done.
    """

    def __init__(  # noqa: PLR0913 - what a list is made of
        self,
        layout_id: str,
        path: Path,
        *,
        folders: Folders,
        encoding: Encoding | None,
        observe: EdgeObserver,
        now: Callable[[], dt.datetime],
    ) -> None:
        """Open the list as it was last read.

        Raises:
            EdgeError: the folder or the file cannot be used.
        """
        self._columns = load_layout(layout_id).columns
        self._form = form_of(layout_id)
        self._folder = folders.root / "matching"
        self._folders = folders
        self._encoding = encoding
        self._path = path
        self._observe = observe
        self._now = now
        self._seen: tuple[str, Stamp] | None = None
        self._indexed: set[str] = set()
        files.make_folder(self._folder, SHARED_MODE)
        files.make_folder(path.parent, 0o700)
        self._database = self._opened()

    def _opened(self) -> sqlite3.Connection:
        with self._mapped():
            try:
                return databases.opened(self._path, _prepare)
            except sqlite3.DatabaseError:  # it is only a copy of what the office has
                files.remove(self._path)
            return databases.opened(self._path, _prepare)

    # -- reading lists -----------------------------------------------------------------

    def look(self) -> None:
        """Take over a newer list, if there is one; a bad one is set aside.

        Raises:
            EdgeError: the folder, a file or the copy cannot be used.
        """
        for name in reversed(files.names_in(self._folder)):
            if being_written(name):
                continue
            path = self._folder / name
            stamp = stamp_of(path)
            if stamp is None:
                continue
            if self._seen == (name, stamp) or self._taken_over(path):
                self._seen = name, stamp
                return

    def _taken_over(self, path: Path) -> bool:
        try:
            facts = self._form.check(path, self._encoding, settled=False)
            if self._content() != self._content_of(facts):
                self._load(path, facts)
        except Unfinished:
            return False
        except BadFile as bad:
            self._folders.put_aside(path, bad, self._now())
            self._observe.file_set_aside(path.name, bad.code, bad.line)
            return False
        return True

    def _content(self) -> str:
        """Name what the copy holds; empty where it holds nothing."""
        with self._mapped():
            row = self._database.execute("SELECT content FROM list").fetchone()
        return "" if row is None else str(row[0])

    def _content_of(self, facts: FileFacts) -> str:
        return " ".join((facts.digest, *(column.field for column in self._columns)))

    def _load(self, path: Path, facts: FileFacts) -> None:
        rejected = 0

        def rows() -> Iterator[tuple[str, ...]]:
            nonlocal rejected
            for group in self._form.groups(path, self._encoding):
                rejected += len(group.faults)
                for row in group.rows:
                    if row.sound:
                        yield tuple(_kept(one, row.values[one.field]) for one in self._columns)

        names = ", ".join(f'"{column.field}" TEXT NOT NULL' for column in self._columns)
        marks = ", ".join("?" for _ in self._columns)
        with self._mapped(), databases.transaction(self._database):
            self._database.execute("DROP TABLE IF EXISTS person")
            self._database.execute(f"CREATE TABLE person ({names}) STRICT")
            waiting = rows()
            while some := list(islice(waiting, _AT_ONCE)):
                self._database.executemany(f"INSERT INTO person VALUES ({marks})", some)  # noqa: S608 - marks only
            self._database.execute("DELETE FROM list")
            self._database.execute("INSERT INTO list VALUES (?)", (self._content_of(facts),))
        self._indexed.clear()
        self._observe.file_read(path.name, KIND, facts.records, rejected)

    # -- looking up --------------------------------------------------------------------

    def persons(self, field: str, value: str) -> Sequence[KnownPerson]:
        """Give those whose ``field`` has this value: up to 100 of them.

        Raises:
            EdgeError: no list has come, or the copy cannot be used.
            KeyError: the list has no such column.
        """
        if not self._content():
            raise EdgeError(f"no list for matching has come into {files.shown(self._folder)}")
        names = [column.field for column in self._columns]
        if field not in names:
            raise KeyError(field)
        with self._mapped():
            if field not in self._indexed:
                self._database.execute(
                    f'CREATE INDEX IF NOT EXISTS "person_{field}" ON person ("{field}")'
                )
                self._indexed.add(field)
            rows = self._database.execute(
                f'SELECT * FROM person WHERE "{field}" = ? LIMIT ?',  # noqa: S608 - a column's name
                (value, _SEVERAL),
            ).fetchall()
        found = (dict(zip(names, row, strict=True)) for row in rows)
        return [KnownPerson(values[ADDRESSEE], values) for values in found]

    def _mapped(self) -> AbstractContextManager[None]:
        return databases.mapped(f"the list for matching {self._path} cannot be used")


def _prepare(database: sqlite3.Connection) -> None:
    database.execute("CREATE TABLE IF NOT EXISTS list (content TEXT NOT NULL) STRICT")


def _kept(column: Column, text: str) -> str:
    return comparable_date(text) if column.kind is Kind.DATE else text
