"""Verifies the months, what was destroyed of them, and which salts may be missing."""

import datetime as dt
import re
from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, inspect, select

from hub.clock import JST
from hub.ledger.head import Head
from hub.ledger.leaf import microseconds, read_leaf
from hub.ledger.model import Kind
from hub.ledger.months import Month
from hub.ledger.reading import driver_rows, leaves
from hub.ledger.tables import cases, entries, terms
from hub.ledger.verify.fault import Fault, reading

OF_A_MONTH = "month"
OF_SALTS = "salts"
"""The codes of destruction entries."""

_MONTH = re.compile(
    r"month ([0-9]{6}) entries ([0-9]{1,18})-([0-9]{1,18}) messages ([0-9]{1,18})-([0-9]{1,18})"
    r"(?: .*)?",
    re.ASCII,
)
_SALTS = re.compile(r"salts of message [^ ]+ entries ([0-9]{1,18}(?:,[0-9]{1,18})*)", re.ASCII)
_MONTHS_A_YEAR = 12

Range = tuple[int, int]
"""The first and the last entry, from 1."""


def destroyed_ranges(months: Sequence[Month], head: Head) -> tuple[Range, ...]:
    """Give the entries that are destroyed, month by month."""
    return tuple(
        (month.first_entry, last)
        for month, last in zip(months, _lasts(months, head), strict=True)
        if month.destroyed
    )


def _lasts(months: Sequence[Month], head: Head) -> list[int]:
    return [month.first_entry - 1 for month in months[1:]] + [head.size][: len(months)]


def check_months(connection: Connection, head: Head, months: Sequence[Month]) -> None:
    """See that the months cut all entries into runs, and that a destroyed one is said to be so.

    Raises:
        Fault: they do not.
    """
    if bool(months) != bool(head.size):
        raise Fault(None, "ledger_months: there are entries without a month, or none in a month")
    entry, message = 0, 1
    lasts = _lasts(months, head)
    for month, last in zip(months, lasts, strict=True):
        first_fits = month.first_entry == entry + 1
        if not (first_fits and month.first_entry <= last and message <= month.first_message):
            raise Fault(entry + 1, f"ledger_months: {month.month} does not begin where it should")
        if not 1 <= month.month % 100 <= _MONTHS_A_YEAR:
            raise Fault(month.first_entry, f"ledger_months: {month.month} is no month")
        entry, message = last, month.first_message
    if months and (months[0].first_message != 1 or message > head.messages + 1):
        raise Fault(1, "ledger_months: the numbers of the messages do not fit the ledger's head")
    ends = [month.first_message - 1 for month in months[1:]] + [head.messages]
    for month, last, last_message in zip(months, lasts, ends, strict=False):
        if month.destroyed:
            _check_destroyed(connection, month, last, last_message, head.size)
        else:
            _check_ends(connection, month, last)
            _check_time(connection, month)


def _check_ends(connection: Connection, month: Month, last: int) -> None:
    """See that no entry stands before or after those of its month; those between are hashed."""
    with reading(month.table):
        ((least, most),) = driver_rows(
            connection,
            f"SELECT min(seq), max(seq) FROM {month.table}",  # noqa: S608 - ours
        )
    if (least, most) != (month.first_entry, last):
        fault = f"{month.table}: its entries are not those from {month.first_entry} to {last}"
        raise Fault(_first_difference(month.first_entry, least, last, most), fault)


def _first_difference(first: int, least: int | None, last: int, most: int | None) -> int:
    """Give the first entry that is there and should not be, or the other way round."""
    if least is None or most is None or least > first:
        return first
    return max(least, 1) if least < first else min(last, most) + 1


def _check_time(connection: Connection, month: Month) -> None:
    year, number = divmod(month.month, 100)
    begin = dt.datetime(year, number, 1, tzinfo=JST)
    end = (begin + dt.timedelta(days=31)).replace(day=1)
    with reading(month.table):
        found = driver_rows(
            connection,
            f"SELECT 1 FROM {month.table} WHERE at >= ? AND at < ? LIMIT 1",  # noqa: S608 - ours
            microseconds(begin),
            microseconds(end),
        )
    if not found:
        raise Fault(month.first_entry, f"{month.table}: none of its entries is of that month")


def _check_destroyed(
    connection: Connection, month: Month, last: int, last_message: int, size: int
) -> None:
    """See that the entry that a destroyed month names is there and says just that."""
    number = month.destroyed
    where = f"ledger_months: {month.month} is destroyed by entry {number}"
    if not last < number <= size:
        raise Fault(month.first_entry, f"{where}, which is not there, or not after it")
    with reading("the entry of a destruction"):
        found = list(leaves(connection, number, number + 1))
    try:
        said = read_leaf(found[0][1])
    except (IndexError, ValueError):
        raise Fault(number, f"{where}, which is missing or cannot be read") from None
    match = _MONTH.fullmatch(said.detail)
    if said.kind is not Kind.DESTRUCTION or said.code != OF_A_MONTH or match is None:
        raise Fault(month.first_entry, f"{where}, which says nothing of the kind")
    wanted = (month.month, month.first_entry, last, month.first_message, last_message)
    if tuple(map(int, match.groups())) != wanted:
        raise Fault(month.first_entry, f"{where}, which names another month or other numbers")


def unfinished(connection: Connection, months: Sequence[Month]) -> list[Month]:
    """Give the destroyed months whose tables are still there, being emptied.

    Until a table is dropped, rows may be there that nothing refers to any more.
    """
    with reading("the list of tables"):
        names = set(inspect(connection).get_table_names())
    return [month for month in months if month.destroyed and month.table in names]


def erased_salts(connection: Connection, months: Sequence[Month]) -> frozenset[int]:
    """Give the entries whose salts were erased, from the entries that say so."""
    erased: set[int] = set()
    for number, detail in _salt_entries(connection, months):
        if match := _SALTS.fullmatch(detail):
            erased.update(one for one in map(int, match[1].split(",")) if one < number)
    return frozenset(erased)


def _salt_entries(connection: Connection, months: Sequence[Month]) -> list[tuple[int, str]]:
    """Give the numbers and details of the entries by which salts were erased, in order."""
    query = (
        select(cases.c.id)
        .join(terms, terms.c.id == cases.c.terms_id)
        .where(terms.c.kind == Kind.DESTRUCTION.value, terms.c.code == OF_SALTS)
    )
    with reading("the entries of destruction"):
        of_salts = list(connection.execute(query).scalars())
        found: list[int] = []
        for month in months if of_salts else ():
            if not month.destroyed:
                entry = entries(month.month).c
                by_case = select(entry.seq).where(
                    entry.case_id.in_(bindparam("cases", expanding=True))
                )
                found += connection.execute(by_case, {"cases": of_salts}).scalars()
        read = [leaf for number in sorted(found) for leaf in leaves(connection, number, number + 1)]
    try:
        return [(number, read_leaf(content).detail) for number, content in read]
    except ValueError:
        raise Fault(None, "an entry of a destruction cannot be read") from None
