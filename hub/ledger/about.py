"""Reads the entries about messages: some messages and one month at a time."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select

from hub.ledger.chunks import chunks
from hub.ledger.months import Month, kept_since


def rows_about(
    connection: Connection,
    months: Sequence[Month],
    numbers: Sequence[int],
    query: Callable[[Month], Select[*tuple[Any, ...]]],
) -> Iterator[Row[*tuple[Any, ...]]]:
    """Give what each month's query finds about messages, the earliest month first.

    ``numbers`` ascend; the query takes some of them as its parameter ``numbers``. Months that are
    destroyed, or can have nothing about them, are passed over.
    """
    for month in kept_since(months, numbers[0]) if numbers else ():
        asked = query(month)
        for some in chunks(numbers):
            yield from connection.execute(asked, {"numbers": some})
