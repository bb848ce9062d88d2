"""The months of the ledger: one table of entries each, made when the first entry comes.

A month is a run of entry numbers. It begins with the first entry of its time in Japan and never
ends before it: when the clock is set back over its beginning, the entries stay in it.
"""

import datetime as dt
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select

from hub.clock import JST
from hub.ledger.tables import entries, months

_COLUMNS = (months.c.month, months.c.first_entry, months.c.first_message, months.c.destroyed)
_ALL = select(*_COLUMNS).order_by(months.c.month)


@dataclass(frozen=True, slots=True)
class Month:
    """A month, such as 202611, and where it begins.

    ``destroyed`` is the number of the entry by which its entries were destroyed, or 0.
    """

    month: int
    first_entry: int
    first_message: int
    destroyed: int = 0

    @property
    def table(self) -> str:
        """The name of its table."""
        return str(entries(self.month).name)


def month_of(at: dt.datetime) -> int:
    """Give the month of a time, as in Japan: 202611."""
    local = at.astimezone(JST)
    return local.year * 100 + local.month


def all_months(connection: Connection) -> list[Month]:
    """Give all months, the earliest first."""
    return [Month(*row) for row in connection.execute(_ALL)]


def destructions(known: Sequence[Month]) -> int:
    """Give a number that grows with each of the months that is destroyed.

    Rows that only destroyed months refer to go after it has grown: whoever remembers the numbers
    of rows forgets them when he sees it grow.
    """
    return sum(month.destroyed for month in known)


def begin_month(connection: Connection, new: Month) -> None:
    """Make the table of a month."""
    entries(new.month).create(connection)
    values = (new.month, new.first_entry, new.first_message, new.destroyed)
    connection.execute(
        insert(months).values(dict(zip((c.name for c in _COLUMNS), values, strict=True)))
    )


def kept_since(known: Sequence[Month], first_message: int) -> list[Month]:
    """Give the months that may have entries about messages from a number on."""
    begin = bisect_right([month.first_message for month in known], first_message) - 1
    return [month for month in known[max(begin, 0) :] if not month.destroyed]


def given_in_kept(known: Sequence[Month], message: int) -> bool:
    """Say whether the month in which a message got its number is kept."""
    place = bisect_right([month.first_message for month in known], message) - 1
    return place >= 0 and not known[place].destroyed
