"""Messages that may be what ended a process: how often each was tried.

That is noted before the try and struck out after it, so what is left stands for tries that the
process did not outlive. Beside the ledger, and no part of it; marks are keyed digests.
"""

from collections.abc import Collection

from sqlalchemy import Connection, bindparam, delete, select, update

from hub.ledger.tables import suspects
from hub.ledger.writing import insert_rows

_OF_MARKS = suspects.c.mark.in_(bindparam("marks", expanding=True))


def tries(connection: Connection, marks: Collection[str]) -> dict[str, int]:
    """Give how often each was tried that a process did not outlive; others are absent."""
    query = select(suspects.c.mark, suspects.c.tries).where(_OF_MARKS)
    return {row.mark: row.tries for row in connection.execute(query, {"marks": sorted(marks)})}


def note(connection: Connection, marks: Collection[str]) -> None:
    """Note that these are about to be tried."""
    known = tries(connection, marks).keys()
    more = update(suspects).where(_OF_MARKS).values(tries=suspects.c.tries + 1)
    connection.execute(more, {"marks": sorted(known)})
    insert_rows(connection, suspects, [(mark, 1) for mark in sorted(set(marks) - known)])


def strike_out(connection: Connection, marks: Collection[str]) -> None:
    """Note that the process outlived these."""
    connection.execute(delete(suspects).where(_OF_MARKS), {"marks": sorted(marks)})
