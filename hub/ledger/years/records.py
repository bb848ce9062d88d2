"""Finds the entries that say what was decided about the ledger: holds, destructions, archives.

There are few of them, and all that counts about a month is computed from them, never from a
setting that somebody could change without a trace.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, inspect

from hub.ledger.chunks import chunks
from hub.ledger.leaf import FROM_SQL, LEAF_SQL, Recorded, read_leaf
from hub.ledger.model import Kind
from hub.ledger.months import Month, all_months
from hub.ledger.reading import driver_rows
from hub.ledger.recall import case_numbers
from hub.message import AccessItems
from schemas.evidence.keys import Signer


@dataclass(frozen=True, slots=True)
class Order:
    """Who has the hub do something and when, the hub's key, and to whom it encrypts (age1…)."""

    access: AccessItems
    at: dt.datetime
    signer: Signer
    recipients: tuple[str, ...] = ()


def records(connection: Connection, kind: Kind, *codes: str) -> Iterator[Recorded]:
    """Read the entries of a kind with one of these codes that are there, in order."""
    numbers = case_numbers(connection, kind, *codes)
    for month in all_months(connection) if numbers else ():
        if not month.destroyed:
            yield from _in_month(connection, month, numbers)


def _in_month(connection: Connection, month: Month, numbers: Sequence[int]) -> list[Recorded]:
    found: list[Recorded] = []
    for some in chunks(numbers):
        marks = ", ".join("?" for _ in some)
        query = (
            f"SELECT {LEAF_SQL} {FROM_SQL.format(entries=month.table)} WHERE e.case_id IN ({marks})"
        )
        found += [read_leaf(content) for (content,) in driver_rows(connection, query, *some)]
    return sorted(found, key=lambda one: one.number)


def has_table(connection: Connection, month: Month) -> bool:
    """Say whether the table of a month is there; of a destroyed one, it is still being emptied."""
    return inspect(connection).has_table(month.table)


def dashed(month: int) -> str:
    """Give a month as people write it: 2026-11."""
    return f"{month // 100:04d}-{month % 100:02d}"
