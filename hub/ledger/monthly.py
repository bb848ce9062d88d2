"""Counts what the ledger has of a time: each sort of entry by the hour, and whom people looked up.

It counts in the database: a month of a city has millions of entries, and few sorts of them.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from sqlalchemy import Connection

from hub.ledger.model import Kind
from hub.ledger.reading import driver_rows
from hub.ledger.tally import Span, kept_parts

_HOUR = 3_600_000_000


class Sort(NamedTuple):
    """What entries have in common that are counted together; ``hour`` since 1970-01-01 UTC."""

    kind: Kind
    code: str
    sender: str
    flow: str
    receiver: str
    staff: str
    hour: int


def counted_by_hour(connection: Connection, span: Span) -> Iterator[tuple[Sort, int]]:
    """Count the entries of a time; one sort may come several times.

    Raises:
        LedgerError: entries of this time are destroyed.
    """
    for month, first, after in kept_parts(connection, span):
        query = (
            "SELECT t.kind, t.code, t.sender, t.flow, t.receiver, a.staff, x.hour, x.n "  # noqa: S608 - ours
            f"FROM (SELECT case_id, at / {_HOUR} AS hour, count(*) AS n FROM {month.table} "
            f"WHERE seq >= {first} AND seq < {after}{_within(span, 'at')} "
            f"GROUP BY case_id, at / {_HOUR}) x "
            "JOIN ledger_cases c ON c.id = x.case_id JOIN ledger_terms t ON t.id = c.terms_id "
            "JOIN ledger_access a ON a.id = c.access_id"
        )
        for kind, code, sender, flow, receiver, staff, hour, count in driver_rows(
            connection, query
        ):
            yield Sort(Kind(kind), code, sender, flow, receiver, staff, hour), count


def looked_up(connection: Connection, span: Span) -> Mapping[str, int]:
    """Count, for each member of staff, the different residents about whom they looked.

    Raises:
        LedgerError: entries of this time are destroyed.
    """
    found: defaultdict[str, set[str]] = defaultdict(set)
    for month, first, after in kept_parts(connection, span):
        query = (
            f"SELECT DISTINCT a.staff, m.resident FROM {month.table} e "  # noqa: S608 - ours
            "JOIN ledger_cases c ON c.id = e.case_id JOIN ledger_terms t ON t.id = c.terms_id "
            "JOIN ledger_access a ON a.id = c.access_id "
            "JOIN ledger_messages m ON m.no = e.message_no "
            f"WHERE e.seq >= {first} AND e.seq < {after}{_within(span, 'e.at')} "
            "AND t.kind = ? AND m.resident <> ''"
        )
        for staff, resident in driver_rows(connection, query, Kind.LOG_VIEW.value):
            found[staff].add(resident)
    return {staff: len(residents) for staff, residents in found.items()}


def _within(span: Span, column: str) -> str:
    begins = "" if span.begin is None else f" AND {column} >= {span.begin:d}"
    return begins + ("" if span.end is None else f" AND {column} < {span.end:d}")
