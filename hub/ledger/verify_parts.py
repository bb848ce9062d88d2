"""Verifies what entries refer to: terms, access items, cases and messages.

All are numbered from 1 without a gap in the order of their first use, and the head's seal says
how many there are. So none can be put in, left out or exchanged unseen.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Table

from hub.ledger.head import Head
from hub.ledger.leaf import Terms
from hub.ledger.model import Kind
from hub.ledger.months import Month
from hub.ledger.numbers import access_row, terms_row
from hub.ledger.reading import driver_rows
from hub.ledger.tables import access, cases, messages, terms
from hub.ledger.verify_fault import Fault, reading
from hub.message import AccessItems

_ROWS_A_TIME = 2000


def check_terms(connection: Connection, head: Head, months: Sequence[Month]) -> None:
    """See that each row of terms says what its parts give, and is there once.

    Raises:
        Fault: one does not.
    """
    _check_said(connection, terms, head.terms, months)


def check_access(connection: Connection, head: Head, months: Sequence[Month]) -> None:
    """See that each row of access items says what its parts give, and is there once.

    Raises:
        Fault: one does not.
    """
    _check_said(connection, access, head.access, months)


def _check_said(connection: Connection, table: Table, count: int, months: Sequence[Month]) -> None:
    wanted = _terms_again if table is terms else _access_again
    number = 0
    for number, row in enumerate(_rows(connection, table, "id"), 1):
        if row[0] != number:
            raise Fault(None, f"{table.name}: row {number} is missing")
        if wanted(row) != tuple(row):
            entry = _first_entry(connection, months, f"{table.name[7:]}_id", number)
            raise Fault(entry, f"{table.name}: row {number} was changed")
    _check_count(table, number, count)
    with reading(table.name):
        query = f"SELECT count(DISTINCT digest) FROM {table.name}"  # noqa: S608 - a table of ours
        ((distinct,),) = driver_rows(connection, query)
    if distinct != count:
        raise Fault(None, f"{table.name}: the same stands there twice")


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


def check_cases(connection: Connection, head: Head, months: Sequence[Month]) -> None:
    """See that cases are pairs of what there is, and use it in order.

    Raises:
        Fault: one does not.
    """
    number = last_terms = last_access = 0
    for number, (case, terms_id, access_id) in enumerate(_rows(connection, cases, "id"), 1):
        if case != number:
            raise Fault(None, f"{cases.name}: row {number} is missing")
        if not (1 <= terms_id <= last_terms + 1 and 1 <= access_id <= last_access + 1):
            entry = _first_entry(connection, months, "id", number)
            raise Fault(entry, f"{cases.name}: row {number} refers to what was not there yet")
        last_terms, last_access = max(last_terms, terms_id), max(last_access, access_id)
    _check_count(cases, number, head.cases)
    if (last_terms, last_access) != (head.terms, head.access):
        raise Fault(None, f"{cases.name}: there are terms or access items that no case uses")


def check_messages(connection: Connection, head: Head, months: Sequence[Month]) -> None:
    """See that the messages are there, once each, and that none is there for nothing.

    Where months were destroyed, their messages are gone but for those that others refer to.

    Raises:
        Fault: it is not so.
    """
    kept = [month for month in months if not month.destroyed]
    gone = [month for month in months if month.destroyed]
    query = (
        "SELECT count(*), coalesce(min(no), 1), coalesce(max(no), 0), "
        "count(CASE WHEN {}(sender, '/') > 0 THEN 1 END) FROM ledger_messages{}"
    )
    # The rows count and not an index that may differ from them.
    words = ("strpos", "") if connection.dialect.name == "postgresql" else ("instr", " NOT INDEXED")
    with reading(messages.name):
        ((count, least, most, split),) = driver_rows(connection, query.format(*words))
        unused = sum(_unused(connection, begin, end, kept) for begin, end in _ranges(months, head))
    if split:
        raise Fault(None, f"{messages.name}: a sender has a slash, which none can have")
    if unused:
        raise Fault(None, f"{messages.name}: {unused} rows are of no entry that is there")
    if count and (least < 1 or most > head.messages):
        raise Fault(None, f"{messages.name}: there are rows beyond those that the head counts")
    if not gone and count != head.messages:
        raise Fault(
            None, f"{messages.name}: {count} rows, but the ledger's head counts {head.messages}"
        )


def _ranges(months: Sequence[Month], head: Head) -> Iterator[tuple[int, int]]:
    """Give the ranges of messages that were new in a month that is gone, ``end`` exclusive."""
    ends = [month.first_message for month in months[1:]] + [head.messages + 1]
    for month, end in zip(months, ends, strict=False):  # of an empty ledger there is no month
        if month.destroyed:
            yield month.first_message, end


def _unused(connection: Connection, begin: int, end: int, kept: Sequence[Month]) -> int:
    """Count the messages of a range that no entry refers to."""
    without = "".join(
        f" AND NOT EXISTS (SELECT 1 FROM {month.table} e WHERE e.message_no = m.no)"  # noqa: S608 - ours
        for month in kept
    )
    query = f"SELECT count(*) FROM ledger_messages m WHERE m.no >= ? AND m.no < ?{without}"  # noqa: S608
    ((count,),) = driver_rows(connection, query, begin, end)
    return int(count)


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


def _check_count(table: Table, found: int, wanted: int) -> None:
    if found != wanted:
        raise Fault(None, f"{table.name}: {found} rows, but the ledger's head counts {wanted}")


def _first_entry(
    connection: Connection, months: Sequence[Month], column: str, number: int
) -> int | None:
    """Find the first entry whose case has this number in this column."""
    for month in months:
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
