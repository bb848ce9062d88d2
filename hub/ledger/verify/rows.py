"""Recomputes the hashes of entries from their rows: quickly, and in each database its own way.

SQLite gives the leaves and this process hashes them. PostgreSQL hashes them itself, so that
little crosses the wire: whoever does not trust the server's SHA-256 verifies an export.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from sqlalchemy import Connection

from hub.ledger.edge import WIDTH
from hub.ledger.leaf import FROM_SQL, LEAF_SQL, SALT_CHECK_DIGITS
from hub.ledger.reading import driver_rows
from hub.ledger.verify.fault import Fault, reading
from schemas.evidence.merkle import leaf_hash

_LEAF = b"\x00"


@dataclass(slots=True)
class Order:
    """How the numbers of messages, or cases, run in a range of entries.

    New numbers come one after another. ``jump`` is the highest number that came when all before
    it in the range were lower by more than one, at the entry ``jump_at``: that is right if it was
    in use before the range, or is the very next one.
    """

    highest: int = 0
    jump: int = 0
    jump_at: int = 0

    def take(self, numbers: Sequence[int], first: int) -> None:
        """Go on with the numbers of the entries from ``first`` on."""
        highest = self.highest
        for place, number in enumerate(numbers):
            if number > highest:
                if number != highest + 1:
                    self._jumped(number, first + place)
                highest = number
        self.highest = highest

    def _jumped(self, number: int, entry: int) -> None:
        if number > self.jump:
            self.jump, self.jump_at = number, entry

    def join(self, highest: int, jump: int, jump_at: int) -> None:
        """Go on with a range that was looked at by itself."""
        if jump > self.highest + 1:
            self._jumped(jump, jump_at)
        self.highest = max(self.highest, highest)


@dataclass(slots=True)
class Piece:
    """A range of entries of one month, ``after`` exclusive, and what was found in it."""

    first: int
    after: int
    messages: Order = field(default_factory=Order)
    cases: Order = field(default_factory=Order)
    erased: int = 0


_SQLITE = (
    f"SELECT e.seq, CAST({LEAF_SQL} AS BLOB), e.case_id, e.message_no, e.salt, e.salt_check "
    f"{FROM_SQL} WHERE e.seq >= ? AND e.seq < ? ORDER BY e.seq"
)
_POSTGRESQL_HASHES = (
    """
    SELECT string_agg(h, ''::bytea ORDER BY seq)
    FROM (
        SELECT e.seq, pg_catalog.sha256('\\x00'::bytea || convert_to({leaf}, 'UTF8')) AS h
        {from} WHERE e.seq >= ? AND e.seq < ?
    ) x
    GROUP BY (seq - 1) / {width} ORDER BY (seq - 1) / {width}
    """.replace("{leaf}", LEAF_SQL)
    .replace("{from}", FROM_SQL)
    .replace("{width}", str(WIDTH))
)
_POSTGRESQL_ORDER = """
    SELECT max(message_no), max(message_no) FILTER (WHERE message_no > m + 1),
           min(seq) FILTER (WHERE message_no > m + 1),
           max(case_id), max(case_id) FILTER (WHERE case_id > c + 1),
           min(seq) FILTER (WHERE case_id > c + 1),
           min(seq) FILTER (WHERE salt IS NOT NULL AND
               left(encode(pg_catalog.sha256(salt), 'hex'), {digits}) <> salt_check)
    FROM (
        SELECT seq, message_no, case_id, salt, salt_check,
               coalesce(max(message_no) OVER before, 0) AS m,
               coalesce(max(case_id) OVER before, 0) AS c
        FROM {entries} WHERE seq >= ? AND seq < ?
        WINDOW before AS (ORDER BY seq ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
    ) x
"""


def hashes_of(connection: Connection, table: str, piece: Piece, first: int, after: int) -> bytes:
    """Hash the entries of a range, and go on with what ``piece`` says of those before.

    Fewer hashes than entries are given where some are missing.

    Raises:
        Fault: a salt is not the one that the entry was made with.
    """
    with reading(table):
        if connection.dialect.name == "sqlite":
            return _by_sqlite(connection, table, piece, first, after)
        return _by_postgresql(connection, table, piece, first, after)


def _by_sqlite(connection: Connection, table: str, piece: Piece, first: int, after: int) -> bytes:
    rows = driver_rows(connection, _SQLITE.replace("{entries}", table), first, after)
    if not rows:
        return b""
    _, leaves, cases, messages, salts, checks = zip(*rows, strict=True)
    if None in leaves:
        return b""
    found = ["" if salt is None else sha256(salt).hexdigest()[:SALT_CHECK_DIGITS] for salt in salts]
    if found != list(checks):
        _check_salts(rows, found)
    piece.messages.take(messages, first)
    piece.cases.take(cases, first)
    leaf = _LEAF
    return b"".join([sha256(leaf + content).digest() for content in leaves])


def _check_salts(rows: Sequence[Sequence[object]], found: Sequence[str]) -> None:
    for (entry, _, _, _, salt, check), digits in zip(rows, found, strict=True):
        if salt is not None and digits != check:
            raise _bad_salt(int(str(entry)))


def _bad_salt(entry: int) -> Fault:
    return Fault(entry, f"entry {entry}: its salt is not the one that it was made with")


def _by_postgresql(
    connection: Connection, table: str, piece: Piece, first: int, after: int
) -> bytes:
    query = _POSTGRESQL_ORDER.format(entries=table, digits=SALT_CHECK_DIGITS)
    ((*numbers, bad_salt),) = driver_rows(connection, query, first, after)
    if bad_salt is not None:
        raise _bad_salt(bad_salt)
    of_messages, of_cases = ([one or 0 for one in numbers[at : at + 3]] for at in (0, 3))
    piece.messages.join(*of_messages)
    piece.cases.join(*of_cases)
    rows = driver_rows(connection, _POSTGRESQL_HASHES.replace("{entries}", table), first, after)
    return b"".join(bytes(hashes or b"") for (hashes,) in rows)


def count_erased(
    connection: Connection, table: str, erased: frozenset[int], first: int, after: int
) -> int:
    """Count the entries of a range whose salt is erased.

    Raises:
        Fault: a salt is missing, and no entry says that it was erased.
    """
    query = (
        f"SELECT seq FROM {table} "  # noqa: S608 - a table of ours
        "WHERE seq >= ? AND seq < ? AND salt IS NULL AND salt_check <> '' ORDER BY seq"
    )
    with reading(table):
        rows = driver_rows(connection, query, first, after)
    for (entry,) in rows:
        if entry not in erased:
            raise Fault(
                entry, f"entry {entry}: its salt is gone, and no entry says that it was erased"
            )
    return len(rows)


def entry_hashes(
    connection: Connection, table: str, first: int, after: int
) -> Iterator[tuple[int, bytes | None]]:
    """Hash entries here, one by one; nothing for one that is there and gives no leaf."""
    query = (
        f"SELECT e.seq, {LEAF_SQL} {FROM_SQL.format(entries=table)} "
        "WHERE e.seq >= ? AND e.seq < ? ORDER BY e.seq"
    )
    with reading(table):
        rows = driver_rows(connection, query, first, after)
    for number, content in rows:
        yield number, None if content is None else leaf_hash(content.encode())
