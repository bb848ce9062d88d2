"""What a journal says, read beside its adapter: what was sent and what was taken, and when."""

import re
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple

from hub.edge import databases
from hub.edge.journal import InboundFile, TakenKey, is_sent
from hub.message import NOTICE_TYPE

_WITH_TIMES = 2
"""The first version of a journal that notes times, and the numbers of the records sent."""
_AFTER_ALL = 1 << 62
_ROWS_AT_ONCE = 500
_FROM_FILE = re.compile(r"([0-9a-f]{32})-([1-9][0-9]{0,17})", re.ASCII)


def place_of(message_id: str) -> tuple[str, int] | None:
    """Read an id that an adapter gave: how the file's digest begins, and the record's number."""
    named = _FROM_FILE.fullmatch(message_id)
    return None if named is None else (named[1], int(named[2]))


class Handled(NamedTuple):
    """How an adapter was done with a message, as ``journal.Taken``; ``at`` is 0 if not noted."""

    file: str
    code: str
    at: int


class JournalRecord(databases.Holder):
    """A journal opened to read only; times are seconds since 1970-01-01 UTC.

    A file that was read, and a message that was taken, before journals noted times has none,
    and stands in no range of times.
    """

    def __init__(self, path: Path) -> None:
        """Open it, also while its adapter runs.

        Raises:
            EdgeError: there is none, or it cannot be read; so for every method.
        """
        self._path = path
        with self._mapped():
            self._database = databases.opened_to_read(path)
        try:
            with self._mapped():
                (self._version,) = self._database.execute("PRAGMA user_version").fetchone()
        except BaseException:
            self._database.close()
            raise

    def files(self, begin: int = 1, end: int = _AFTER_ALL) -> list[InboundFile]:
        """Give the files whose reading began in a time, ``end`` exclusive, by digest."""
        if self._version < _WITH_TIMES:
            return []
        query = "SELECT * FROM inbound WHERE read_at >= ? AND read_at < ? ORDER BY digest"
        with self._mapped():
            rows = self._database.execute(query, (begin, end)).fetchall()
        return [InboundFile(*row) for row in rows]

    def sent(self, digest: str) -> Iterator[int]:
        """Give the numbers of a file's records whose messages the broker has confirmed."""
        query = "SELECT first, last FROM inbound_sent WHERE digest = ? ORDER BY first"
        with self._mapped():
            found = self._database.execute(query, (digest,)).fetchall()
        for first, last in found:
            yield from range(first, last + 1)

    def is_sent(self, digest: str, record: int) -> bool:
        """Say whether the message of a file's record was confirmed."""
        with self._mapped():
            return is_sent(self._database, digest, record)

    def file_of(self, beginning: str) -> InboundFile | None:
        """Find the file whose digest begins like this."""
        if self._version == 0:
            return None
        query = "SELECT * FROM inbound WHERE digest >= ? AND digest < ? LIMIT 1"
        with self._mapped():
            row = self._database.execute(query, (beginning, f"{beginning}~")).fetchone()
        return None if row is None else InboundFile(*row)

    def taken(self, keys: Iterable[TakenKey]) -> dict[TakenKey, bool]:
        """Tell which messages the adapter is done with, and whether their receipts are sent."""
        query = "SELECT receipted FROM taken WHERE sender = ? AND id = ? AND flow = ?"
        found: dict[TakenKey, bool] = {}
        if self._version == 0:
            return found
        with self._mapped():
            for key in keys:
                row = self._database.execute(query, key).fetchone()
                if row is not None:
                    found[key] = bool(row[0])
        return found

    def handled(self, key: TakenKey) -> Handled | None:
        """Tell how the adapter was done with a message, if it is."""
        if self._version < _WITH_TIMES:
            return None
        query = "SELECT file, code, taken_at FROM taken WHERE sender = ? AND id = ? AND flow = ?"
        with self._mapped():
            row = self._database.execute(query, key).fetchone()
        return None if row is None else Handled(*row)

    def taken_between(self, begin: int = 1, end: int = _AFTER_ALL) -> Iterator[list[TakenKey]]:
        """Give what the adapter took in a time, ``end`` exclusive, in parts; no notices."""
        if self._version < _WITH_TIMES:
            return
        query = (
            "SELECT sender, id, flow FROM taken WHERE taken_at >= ? AND taken_at < ? AND flow <> ?"
        )
        with self._mapped():
            cursor = self._database.execute(query, (begin, end, NOTICE_TYPE))
        while rows := self._fetched(cursor):
            yield [TakenKey(*row) for row in rows]

    def _fetched(self, cursor: sqlite3.Cursor) -> list[tuple[str, str, str]]:
        with self._mapped():
            return cursor.fetchmany(_ROWS_AT_ONCE)

    def _mapped(self) -> AbstractContextManager[None]:
        return databases.mapped(f"the journal {self._path} cannot be read")
