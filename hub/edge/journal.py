"""An adapter's own memory: which files were read, and which messages stand in which file.

One SQLite file that belongs to one adapter process. It holds names, digests, ids and counts,
and nothing that a record says, but for open questions (``hub.edge.questions``). Entries are kept
for good: a message may come again long after it was delivered, and one remembered takes about
100 bytes.
"""

import fcntl
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from hub.edge import databases, files, questions
from hub.edge.form import Part
from hub.edge.kit import Asked, Question
from hub.edge.questions import Overdue
from hub.errors import EdgeError
from hub.message import UNENCODABLE

_MIGRATIONS = (
    """
    CREATE TABLE inbound (
        digest TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        placed_as TEXT NOT NULL,
        state TEXT NOT NULL,
        records INTEGER NOT NULL,
        confirmed_through INTEGER NOT NULL DEFAULT 0,
        published INTEGER NOT NULL DEFAULT 0,
        rejected INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE TABLE outbound_file (
        prefix TEXT NOT NULL,
        sequence INTEGER NOT NULL,
        name TEXT NOT NULL UNIQUE,
        records INTEGER NOT NULL,
        named INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (prefix, sequence)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX outbound_unnamed ON outbound_file (named) WHERE named = 0;
    CREATE TABLE taken (
        sender TEXT NOT NULL,
        id TEXT NOT NULL,
        flow TEXT NOT NULL,
        file TEXT NOT NULL,
        code TEXT NOT NULL,
        receipted INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (sender, id, flow)
    ) STRICT, WITHOUT ROWID;
    """,
    """
    ALTER TABLE inbound ADD COLUMN read_at INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE taken ADD COLUMN taken_at INTEGER NOT NULL DEFAULT 0;
    CREATE TABLE inbound_sent (
        digest TEXT NOT NULL,
        first INTEGER NOT NULL,
        last INTEGER NOT NULL,
        PRIMARY KEY (digest, first)
    ) STRICT, WITHOUT ROWID;
    """,
    questions.TABLES,
    """
    ALTER TABLE inbound ADD COLUMN delivery TEXT NOT NULL DEFAULT '';
    ALTER TABLE inbound ADD COLUMN part INTEGER NOT NULL DEFAULT 0;
    CREATE INDEX inbound_part ON inbound (delivery, part) WHERE part > 0;
    """,
    "ALTER TABLE inbound ADD COLUMN traceparent TEXT NOT NULL DEFAULT '';",
)


class InboundState(StrEnum):
    """How far a file has come: being read, read to its end, and moved away."""

    READING = "reading"
    READ = "read"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class InboundFile:
    """A file that is or was read.

    ``state`` is an ``InboundState``; ``placed_as`` is its name in ``processed``;
    ``confirmed_through`` is the last record number up to which everything that was to be
    published is confirmed. ``read_at`` is when it was begun, in seconds since 1970-01-01 UTC;
    of a file with 0, read before journals noted it, the numbers of the records that were sent
    are not known either. It is ``part`` (from 1) of a ``delivery``, where it is one at all.
    ``traceparent`` begins its trace, where it is followed: decided once, when it is begun.
    """

    digest: str
    name: str
    placed_as: str
    state: str
    records: int
    confirmed_through: int = 0
    published: int = 0
    rejected: int = 0
    read_at: int = 0
    delivery: str = ""
    part: int = 0
    traceparent: str = ""


class TakenKey(NamedTuple):
    """What names a message at its receiver: sender, message id, flow."""

    sender: str
    id: str
    flow: str


class Taken(NamedTuple):
    """A message that the adapter is done with; ``code`` says why it was set aside.

    It is empty for one that was delivered, or ``hub.message.MARKED``. ``file`` is the name of
    the file that it stands in.
    """

    key: TakenKey
    file: str
    code: str


class OutboundFile(NamedTuple):
    """A file for the receiver, whole on disk under its temporary name."""

    prefix: str
    sequence: int
    name: str
    records: int


class Journal(databases.Holder):
    """The journal of one adapter; every method raises ``EdgeError`` when it cannot be done.

    Each method that writes is one durable transaction.
    """

    def __init__(self, path: Path) -> None:
        """Open it, made anew where it is missing, for this process alone.

        Raises:
            EdgeError: it cannot be used, belongs to a newer version, or another process
                has it.
        """
        self._path = path
        files.make_folder(path.parent, 0o700)
        self._lock = self._locked()
        try:
            with self._mapped():
                self._database = databases.opened(path, self._prepare)
        except BaseException:
            os.close(self._lock)
            raise

    def _locked(self) -> int:
        lock = self._path.with_name(f"{self._path.name}.lock")
        with files.mapped("cannot lock", lock):
            handle = os.open(lock, os.O_RDWR | os.O_CREAT, files.PRIVATE_MODE)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                os.close(handle)
                raise EdgeError(f"another process uses the journal {self._path}") from error
        return handle

    def _prepare(self, database: sqlite3.Connection) -> None:
        databases.make_durable(database)
        (version,) = database.execute("PRAGMA user_version").fetchone()
        if version > len(_MIGRATIONS):
            raise EdgeError(f"the journal {self._path} belongs to a newer version")
        for number, script in enumerate(_MIGRATIONS[version:], start=version + 1):
            database.executescript(
                f"BEGIN IMMEDIATE;{script};PRAGMA user_version = {number};COMMIT;"
            )

    def close(self) -> None:
        """Close it and let others have it."""
        super().close()
        os.close(self._lock)

    def _mapped(self) -> AbstractContextManager[None]:
        return databases.mapped(f"the journal {self._path} cannot be used")

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._mapped(), databases.transaction(self._database):
            yield self._database

    # -- inbound -----------------------------------------------------------------------

    def inbound(self, digest: str) -> InboundFile | None:
        """Tell what is known of a file with this content."""
        query = "SELECT * FROM inbound WHERE digest = ?"
        with self._mapped():
            row = self._database.execute(query, (digest,)).fetchone()
        return None if row is None else InboundFile(*row)

    def part(self, part: Part) -> InboundFile | None:
        """Tell which file was read as this part of its delivery."""
        query = "SELECT * FROM inbound WHERE delivery = ? AND part = ? AND part > 0"
        with self._mapped():
            row = self._database.execute(query, part).fetchone()
        return None if row is None else InboundFile(*row)

    def unplaced(self) -> list[InboundFile]:
        """Give the files that are being read, or were read and not yet moved away."""
        query = "SELECT * FROM inbound WHERE state <> ? ORDER BY name"
        with self._mapped():
            rows = self._database.execute(query, (InboundState.DONE,)).fetchall()
        return [InboundFile(*row) for row in rows]

    def begin(self, file: InboundFile) -> None:
        """Remember that a file is being read."""
        with self._transaction() as database:
            database.execute(
                "INSERT INTO inbound"
                " (digest, name, placed_as, state, records, read_at, delivery, part, traceparent)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    file.digest,
                    file.name,
                    file.placed_as,
                    file.state,
                    file.records,
                    file.read_at,
                    file.delivery,
                    file.part,
                    file.traceparent,
                ),
            )

    def confirm(self, digest: str, records: Sequence[int], closed: Iterable[Question] = ()) -> None:
        """Remember that the messages of these records, in rising order, are confirmed.

        ``closed`` are the questions that they answer.
        """
        with self._transaction() as database:
            database.execute(
                "UPDATE inbound SET confirmed_through = ?, published = published + ?"
                " WHERE digest = ?",
                (records[-1], len(records), digest),
            )
            database.executemany(
                "INSERT INTO inbound_sent (digest, first, last) VALUES (?, ?, ?)",
                ((digest, first, last) for first, last in runs(records)),
            )
            questions.close(database, closed)

    def was_sent(self, digest: str, record: int) -> bool:
        """Say whether the message of a file's record was confirmed."""
        with self._mapped():
            return is_sent(self._database, digest, record)

    def finish(self, digest: str, rejected: int) -> None:
        """Remember that a file was read to its end."""
        with self._transaction() as database:
            database.execute(
                "UPDATE inbound SET state = ?, rejected = ? WHERE digest = ?",
                (InboundState.READ, rejected, digest),
            )

    def placed(self, digest: str) -> None:
        """Remember that a file that was read has been moved away."""
        with self._transaction() as database:
            database.execute(
                "UPDATE inbound SET state = ? WHERE digest = ?", (InboundState.DONE, digest)
            )

    # -- outbound ----------------------------------------------------------------------

    def last_sequence(self, prefix: str) -> int:
        """Give the highest sequence number of a prefix; 0 before the first."""
        query = "SELECT coalesce(max(sequence), 0) FROM outbound_file WHERE prefix = ?"
        with self._mapped():
            (last,) = self._database.execute(query, (prefix,)).fetchone()
        return int(last)

    def taken(self, keys: Iterable[TakenKey]) -> dict[TakenKey, Taken]:
        """Tell which of these messages the adapter is already done with."""
        query = "SELECT file, code FROM taken WHERE sender = ? AND id = ? AND flow = ?"
        known = {}
        with self._mapped():
            for key in keys:
                row = self._database.execute(query, key).fetchone()
                if row is not None:
                    known[key] = Taken(key, *row)
        return known

    def deliver(
        self,
        written: Sequence[OutboundFile],
        taken: Iterable[Taken],
        at: int,
        asked: Iterable[Asked] = (),
    ) -> None:
        """Remember files that are whole on disk, and every message done with: all, or none.

        ``at`` is when, in seconds since 1970-01-01 UTC; ``asked`` is what the messages ask.
        One that was set aside for its characters may be taken once more, when it is released.
        """
        with self._transaction() as database:
            database.executemany(
                "INSERT INTO outbound_file (prefix, sequence, name, records) VALUES (?, ?, ?, ?)",
                written,
            )
            database.executemany(
                "INSERT INTO taken (sender, id, flow, file, code, taken_at)"
                " VALUES (?, ?, ?, ?, ?, ?)"
                " ON CONFLICT DO UPDATE SET file = excluded.file, code = excluded.code,"
                " receipted = 0 WHERE code = ?",
                ((*message.key, message.file, message.code, at, UNENCODABLE) for message in taken),
            )
            questions.note(database, asked, at)

    def unnamed(self) -> list[OutboundFile]:
        """Give the files that may still have their temporary name."""
        query = (
            "SELECT prefix, sequence, name, records FROM outbound_file WHERE named = 0"
            " ORDER BY prefix, sequence"
        )
        with self._mapped():
            return [OutboundFile(*row) for row in self._database.execute(query)]

    def named(self, written: Iterable[OutboundFile]) -> None:
        """Remember that files have their names."""
        with self._transaction() as database:
            database.executemany(
                "UPDATE outbound_file SET named = 1 WHERE prefix = ? AND sequence = ?",
                ((file.prefix, file.sequence) for file in written),
            )

    def receipted(self, keys: Iterable[TakenKey]) -> None:
        """Remember that the broker has the receipts of these messages."""
        with self._transaction() as database:
            database.executemany(
                "UPDATE taken SET receipted = 1 WHERE sender = ? AND id = ? AND flow = ?", keys
            )

    # -- questions ---------------------------------------------------------------------

    def asked(self, question: Question) -> Asked | None:
        """Give what the system was asked by this name."""
        with self._mapped():
            return questions.find(self._database, question)

    def overdue(self, now: int, most: int) -> list[Overdue]:
        """Give open questions whose time was over at ``now`` (seconds since 1970 UTC)."""
        with self._mapped():
            return questions.overdue(self._database, now, most)

    def told_overdue(self, told: Iterable[Question]) -> None:
        """Remember that it was told of these questions that nobody answered in time."""
        with self._transaction() as database:
            questions.tell(database, told)


def is_sent(database: sqlite3.Connection, digest: str, record: int) -> bool:
    """Say whether the message of a file's record was confirmed."""
    query = (
        "SELECT last FROM inbound_sent WHERE digest = ? AND first <= ? ORDER BY first DESC LIMIT 1"
    )
    row = database.execute(query, (digest, record)).fetchone()
    return row is not None and record <= row[0]


def runs(numbers: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Join rising numbers that follow one another: the first and last of each run."""
    first = last = None
    for number in numbers:
        if first is None or last is None:
            first = number
        elif number != last + 1:
            yield first, last
            first = number
        last = number
    if first is not None and last is not None:
        yield first, last


def inbound_files(path: Path) -> list[InboundFile]:
    """Read what a journal says of the files that came in, also while its adapter runs.

    Raises:
        EdgeError: there is no journal, or it cannot be read.
    """
    with (
        databases.mapped(f"the journal {path} cannot be read"),
        closing(databases.opened_to_read(path)) as database,
    ):
        (version,) = database.execute("PRAGMA user_version").fetchone()
        if version == 0:  # its adapter is only just making it
            return []
        rows = database.execute("SELECT * FROM inbound ORDER BY name").fetchall()
    return [InboundFile(*row) for row in rows]
