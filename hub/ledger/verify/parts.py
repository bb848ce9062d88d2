"""Verifies what entries refer to: terms, access items, cases and messages.

All are numbered from 1 without a gap in the order of their first use, and the head's seal says
how many there were. So none can be put in, left out or exchanged unseen. Where months were
destroyed, what only they used is gone, and what is left must still be used; while a month is
being emptied, it need not be.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Table

from hub.ledger.head import Head
from hub.ledger.leaf import Terms
from hub.ledger.model import Kind
from hub.ledger.months import Month
from hub.ledger.numbers import access_row, terms_row
from hub.ledger.reading import driver_rows
from hub.ledger.tables import access, cases, messages, terms
from hub.ledger.verify.fault import Fault, reading
from hub.message import AccessItems

_ROWS_A_TIME = 2000


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept: the months in order, and what may be missing or unused.

    ``gaps`` says that a month was destroyed, ``loose`` that one is being emptied.
    """

    months: tuple[Month, ...]
    gaps: bool
    loose: bool


def check_terms(connection: Connection, head: Head, kept: Kept) -> None:
    """See that each row of terms says what its parts give, and is there once.

    Terms stay when the months that used them are destroyed.

    Raises:
        Fault: one does not.
    """
    _check_said(connection, terms, head.terms, kept, gaps=False)


def check_access(connection: Connection, head: Head, kept: Kept) -> None:
    """See that each row of access items says what its parts give, and is there once.

    Raises:
        Fault: one does not.
    """
    _check_said(connection, access, head.access, kept, gaps=kept.gaps)
    if kept.gaps and not kept.loose:
        _check_used(
            connection,
            access,
            "NOT EXISTS (SELECT 1 FROM ledger_cases c WHERE c.access_id = x.id)",
        )


def _check_said(
    connection: Connection, table: Table, count: int, kept: Kept, *, gaps: bool
) -> None:
    wanted = _terms_again if table is terms else _access_again
    for row in _numbered(connection, table, count, gaps=gaps):
        if wanted(row) != tuple(row):
            entry = _first_entry(connection, kept, f"{table.name[7:]}_id", row[0])
            raise Fault(entry, f"{table.name}: row {row[0]} was changed")


def _numbered(
    connection: Connection, table: Table, count: int, *, gaps: bool
) -> Iterator[Sequence[Any]]:
    """Read the rows of a table in order of their numbers, which run from 1 to ``count``.

    Raises:
        Fault: they do not, or one is missing where there may be no gaps.
    """
    last = 0
    for row in _rows(connection, table, "id"):
        number = row[0]
        if not last < number <= count or (number != last + 1 and not gaps):
            raise Fault(None, f"{table.name}: row {last + 1} is missing, or is not the last")
        yield row
        last = number
    if last != count and not gaps:
        raise Fault(None, f"{table.name}: {last} rows, but the ledger's head counts {count}")


def _check_used(connection: Connection, table: Table, unused: str) -> None:
    with reading(table.name):
        ((count,),) = driver_rows(
            connection,
            f"SELECT count(*) FROM {table.name} x WHERE {unused}",  # noqa: S608 - ours
        )
    if count:
        raise Fault(None, f"{table.name}: {count} rows are used by nothing that is there")


def _terms_again(row: Sequence[Any]) -> tuple[object, ...] | None:
    """Make a row of terms anew from its parts; nothing where they are no terms."""
    number, kind, *words, released, withheld, _, _ = row
    try:
        lists = [json.loads(text) for text in (released, withheld)]
        made = Terms(Kind(kind).value, *words, *(tuple(names) for names in lists))
        said = made.said()
    except (ValueError, TypeError, RecursionError):
        return None
    if made.code and made._replace(code="").said() == said:
        return None  # a leaf cannot tell this code from none, so none is ever written
    return terms_row(number, made)


def _access_again(row: Sequence[Any]) -> tuple[object, ...]:
    number, *words, _, _ = row
    return access_row(number, AccessItems(*words))


def check_cases(connection: Connection, head: Head, kept: Kept) -> None:
    """See that cases are pairs of what there is, and use it in order.

    Raises:
        Fault: one does not.
    """
    last_terms = last_access = 0
    for number, terms_id, access_id in _numbered(connection, cases, head.cases, gaps=kept.gaps):
        most = (head.terms, head.access) if kept.gaps else (last_terms + 1, last_access + 1)
        if not (1 <= terms_id <= most[0] and 1 <= access_id <= most[1]):
            entry = _first_entry(connection, kept, "id", number)
            raise Fault(entry, f"{cases.name}: row {number} refers to what was not there yet")
        last_terms, last_access = max(last_terms, terms_id), max(last_access, access_id)
    if kept.gaps:
        _check_cases_used(connection, kept)
    elif (last_terms, last_access) != (head.terms, head.access):
        raise Fault(None, f"{cases.name}: there are terms or access items that no case uses")


def _check_cases_used(connection: Connection, kept: Kept) -> None:
    _check_used(
        connection,
        cases,
        "NOT EXISTS (SELECT 1 FROM ledger_access a WHERE a.id = x.access_id) "
        "OR NOT EXISTS (SELECT 1 FROM ledger_terms t WHERE t.id = x.terms_id)",
    )
    if not kept.loose:
        _check_used(connection, cases, " AND ".join(_unreferenced(kept, "case_id", "x.id")))


def _unreferenced(kept: Kept, column: str, number: str) -> list[str]:
    """Give the conditions that no entry that is kept has this number in this column."""
    return [
        f"NOT EXISTS (SELECT 1 FROM {month.table} e WHERE e.{column} = {number})"  # noqa: S608 - ours
        for month in kept.months
        if not month.destroyed
    ]


def check_messages(connection: Connection, head: Head, kept: Kept) -> None:
    """See that the messages are there, once each, and that none is there for nothing.

    Raises:
        Fault: it is not so.
    """
    query = (
        "SELECT count(*), coalesce(min(no), 1), coalesce(max(no), 0), "
        "count(CASE WHEN {}(sender, '/') > 0 THEN 1 END) FROM ledger_messages{}"
    )
    # The rows count and not an index that may differ from them.
    words = ("strpos", "") if connection.dialect.name == "postgresql" else ("instr", " NOT INDEXED")
    with reading(messages.name):
        ((count, least, most, split),) = driver_rows(connection, query.format(*words))
    if split:
        raise Fault(None, f"{messages.name}: a sender has a slash, which none can have")
    if least < 1 or most > head.messages:
        raise Fault(None, f"{messages.name}: there are rows beyond those that the head counts")
    if not kept.gaps and count != head.messages:
        text = f"{count} rows, but the ledger's head counts {head.messages}"
        raise Fault(None, f"{messages.name}: {text}")
    for begin, end in () if kept.loose else _ranges(kept.months, head):
        where = " AND ".join(_unreferenced(kept, "message_no", "x.no"))
        _check_used(connection, messages, f"x.no >= {begin} AND x.no < {end} AND {where}")


def _ranges(months: Sequence[Month], head: Head) -> Iterator[tuple[int, int]]:
    """Give the ranges of messages that were new in a month that is gone, ``end`` exclusive."""
    ends = [month.first_message for month in months[1:]] + [head.messages + 1]
    for month, end in zip(months, ends, strict=False):  # of an empty ledger there is no month
        if month.destroyed:
            yield month.first_message, end


def _rows(connection: Connection, table: Table, key: str) -> Iterator[Sequence[Any]]:
    """Read a table in order of its numbers; some rows at a time."""
    columns = ", ".join(column.name for column in table.columns)
    query = (
        f"SELECT {columns} FROM {table.name} WHERE {key} > ? ORDER BY {key} LIMIT {_ROWS_A_TIME}"  # noqa: S608 - ours
    )
    last = -(1 << 62)
    while True:
        with reading(table.name):
            rows = driver_rows(connection, query, last)
        yield from rows
        if len(rows) < _ROWS_A_TIME:
            return
        last = rows[-1][0]


def _first_entry(connection: Connection, kept: Kept, column: str, number: int) -> int | None:
    """Find the first entry whose case has this number in this column."""
    for month in kept.months:
        if month.destroyed:
            continue
        query = (
            f"SELECT min(e.seq) FROM {month.table} e JOIN ledger_cases c ON c.id = e.case_id "  # noqa: S608 - ours
            f"WHERE c.{column} = ?"
        )
        with reading(month.table):
            ((entry,),) = driver_rows(connection, query, number)
        if entry is not None:
            return int(entry)
    return None
