"""Takes away the rows that only destroyed months needed, without stalling who appends.

Every transaction takes the head's lock before it looks, so that no append can refer to a row
that is about to go; ``months.destructions`` has grown by then, so that nobody remembers the
number of one. Each is short. Numbers are never given again: gaps stay where rows were.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, Table, bindparam, delete, exists, func, select

from hub.ledger import asides
from hub.ledger import head as heads
from hub.ledger.months import Month, all_months, kept_since
from hub.ledger.schema import open_engine
from hub.ledger.tables import access, cases, entries, messages

ROWS_A_TIME = 2000
CASES_A_TIME = 500
PAGES_A_TIME = 1000
"""Of SQLite's pages: 4 MB."""

Step = Callable[[str, int, int], None]


def empty_table(engine: Engine, table: Table, first: int, last: int, tell: Step) -> None:
    """Delete the entries of a destroyed month, some at a time."""
    for begin in range(first, last + 1, ROWS_A_TIME):
        end = min(begin + ROWS_A_TIME, last + 1)
        with _slice(engine) as connection:
            connection.execute(delete(table).where(table.c.seq >= begin, table.c.seq < end))
        tell("entries", end - first, last - first + 1)


@contextmanager
def _slice(engine: Engine) -> Iterator[Connection]:
    """Give a transaction; after it, leave the database to others for as long as it took."""
    begun = time.monotonic()
    with engine.begin() as connection:
        if connection.dialect.name == "sqlite":
            # What is deleted is not to be read from the file's free pages.
            connection.exec_driver_sql("PRAGMA secure_delete = ON")
        yield connection
    if engine.dialect.name == "sqlite":
        _leave_to_others(time.monotonic() - begun)


def _leave_to_others(seconds: float) -> None:
    # SQLite wakes nobody who waits for its lock: they look again and again, ever more rarely, and
    # would never find it free between one slice and the next.
    time.sleep(seconds)


def drop_table(engine: Engine, table: Table) -> None:
    """Drop a month's table."""
    with _slice(engine) as connection:
        table.drop(connection, checkfirst=True)


def prune(engine: Engine, destroyed: Month, tell: Step) -> None:
    """Delete the messages, cases and access items that no entry refers to any more."""
    _prune_messages(engine, destroyed, tell)
    _prune_cases(engine, tell)
    with _slice(engine) as connection:
        heads.locked(connection)
        used = exists().where(cases.c.access_id == access.c.id)
        connection.execute(delete(access).where(~used))
    tell("access items", 1, 1)


def forget_decided(engine: Engine, first: int, last: int) -> None:
    """Delete what was put aside in a destroyed month and was decided about."""
    with _slice(engine) as connection:
        heads.locked(connection)
        asides.forget(connection, first, last)


def _prune_messages(engine: Engine, destroyed: Month, tell: Step) -> None:
    with engine.connect() as connection:
        known = all_months(connection)
        after = [month.first_message for month in known if month.month > destroyed.month]
        end = after[0]  # only a month that another one follows is destroyed
        query = select(func.min(messages.c.no)).where(messages.c.no < end)
        lowest = connection.execute(query).scalar()
    if lowest is None:
        return
    for begin in range(lowest, end, ROWS_A_TIME):
        stop = min(begin + ROWS_A_TIME, end)
        with _slice(engine) as connection:
            heads.locked(connection)
            used = _used_messages(connection, all_months(connection), begin, stop)
            number = messages.c.no
            unused = delete(messages).where(
                number >= begin,
                number < stop,
                number.not_in(bindparam("used", expanding=True)),
            )
            connection.execute(unused, {"used": sorted(used)})
        tell("messages", stop - lowest, end - lowest)


def _used_messages(
    connection: Connection, known: Sequence[Month], begin: int, stop: int
) -> set[int]:
    """Give the messages of a range that kept entries refer to."""
    used: set[int] = set()
    for month in kept_since(known, begin):
        number = entries(month.month).c.message_no
        query = select(number).distinct().where(number >= begin, number < stop)
        used.update(connection.execute(query).scalars())
    return used


def _prune_cases(engine: Engine, tell: Step) -> None:
    with engine.connect() as connection:
        known = all_months(connection)
        numbers = list(connection.execute(select(cases.c.id).order_by(cases.c.id)).scalars())
        # Most are in use: only those that seem not to be are looked at under the lock.
        suspects = sorted(_unused_cases(connection, known, numbers))
    for start in range(0, len(suspects), CASES_A_TIME):
        some = suspects[start : start + CASES_A_TIME]
        with _slice(engine) as connection:
            heads.locked(connection)
            unused = _unused_cases(connection, all_months(connection), some)
            gone = delete(cases).where(cases.c.id.in_(bindparam("unused", expanding=True)))
            connection.execute(gone, {"unused": sorted(unused)})
        tell("cases", start + len(some), len(suspects))


def _unused_cases(
    connection: Connection, known: Sequence[Month], numbers: Iterable[int]
) -> set[int]:
    """Give those of the cases that no kept entry has; newest months first, for most are there."""
    left = set(numbers)
    for month in reversed(known):
        if left and not month.destroyed:
            left -= _cases_in(connection, month, sorted(left))
    return left


def _cases_in(connection: Connection, month: Month, numbers: Sequence[int]) -> set[int]:
    entry = entries(month.month).c
    is_used = exists().where(entry.case_id == cases.c.id)
    query = select(cases.c.id).where(cases.c.id.in_(bindparam("numbers", expanding=True)), is_used)
    found: set[int] = set()
    for start in range(0, len(numbers), CASES_A_TIME):
        some = numbers[start : start + CASES_A_TIME]
        found.update(connection.execute(query, {"numbers": some}).scalars())
    return found


def give_back(engine: Engine, tell: Step) -> bool:
    """Give the space of deleted rows back; say whether all that can be has been.

    SQLite's file shrinks; PostgreSQL has given a dropped table back at once, and may use the
    space of deleted messages again.
    """
    patient = open_engine(engine.url.render_as_string(hide_password=False), answer_seconds=None)
    try:
        return _give_back(patient, tell)
    finally:
        patient.dispose()


def _give_back(engine: Engine, tell: Step) -> bool:
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        if connection.dialect.name == "postgresql":
            for table in (messages, cases, access):
                connection.exec_driver_sql(f"VACUUM (ANALYZE) {table.name}")
                tell("vacuum", 1, 1)
            return True
        cursor = connection.connection.cursor()
        whole = int(connection.exec_driver_sql("PRAGMA freelist_count").scalar_one())
        for done in range(0, whole, PAGES_A_TIME):
            # As a script: it frees one page a step, and a statement is stepped only once.
            begun = time.monotonic()
            cursor.executescript(f"PRAGMA incremental_vacuum({PAGES_A_TIME})")
            _leave_to_others(time.monotonic() - begun)
            tell("space", min(done + PAGES_A_TIME, whole), whole)
        busy, _, _ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
        return not busy
