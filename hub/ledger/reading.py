"""Read entries as the leaves that the tree hashes, in order of their numbers."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection

from hub.ledger.head import read
from hub.ledger.leaf import FROM_SQL, LEAF_SQL
from hub.ledger.months import Month, all_months

ROWS_A_TIME = 2560


def driver_rows(connection: Connection, statement: str, *values: object) -> Sequence[Any]:
    """Run SQL as the driver takes it, with ``?`` for each value: JSON's colons stay colons."""
    if connection.dialect.name == "postgresql":
        statement = statement.replace("?", "%s")
    return connection.exec_driver_sql(statement, values).fetchall()


def parts(
    connection: Connection, begin: int = 1, end: int | None = None
) -> Iterator[tuple[Month, int, int]]:
    """Cut a range of entry numbers, ``end`` exclusive, into parts of one month each.

    The parts of destroyed months are given too.
    """
    known = all_months(connection)
    whole = read(connection)[0].size + 1
    end = whole if end is None else min(end, whole)
    if not known:
        return
    afters = [month.first_entry for month in known[1:]] + [whole]
    for month, after in zip(known, afters, strict=True):
        first, last = max(begin, month.first_entry), min(end, after)
        if first < last:
            yield month, first, last


def leaves(
    connection: Connection, begin: int = 1, end: int | None = None
) -> Iterator[tuple[int, str]]:
    """Give the numbers and leaves of the entries that are there, ``end`` exclusive; streams."""
    for month, first, after in parts(connection, begin, end):
        if month.destroyed:
            continue
        query = (
            f"SELECT e.seq, {LEAF_SQL} {FROM_SQL.format(entries=month.table)} "
            "WHERE e.seq >= ? AND e.seq < ? ORDER BY e.seq"
        )
        for start in range(first, after, ROWS_A_TIME):
            stop = min(start + ROWS_A_TIME, after)
            yield from driver_rows(connection, query, start, stop)
