"""Which entries are of a time: exact, though a clock may have been set back.

Entries come nearly in the order of time, but only nearly. So each month's entries are indexed
by run (of ``2 ** TIMES_TOGETHER`` numbers) and time, which gives the least and the greatest time
of a run in two steps. Runs that lie in the time asked for count whole; only in those that lie
in it in part is the time of each entry looked at.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from hub.ledger.chunks import chunks
from hub.ledger.reading import driver_rows
from hub.ledger.tables import TIMES_TOGETHER

TOGETHER = 12
"""How many months one statement asks: a round trip for each would take longer than the work."""


class Times(NamedTuple):
    """A time in microseconds since 1970-01-01 UTC; ``begin`` is included and ``end`` is not."""

    begin: int | None
    end: int | None

    @property
    def given(self) -> bool:
        """Whether any time is excluded."""
        return self.begin is not None or self.end is not None

    def has(self, least: int, greatest: int) -> bool:
        """Say whether all from the least to the greatest is in it."""
        begins = self.begin is None or self.begin <= least
        return begins and (self.end is None or greatest < self.end)

    def meets(self, least: int, greatest: int) -> bool:
        """Say whether any from the least to the greatest may be in it."""
        begins = self.begin is None or self.begin <= greatest
        return begins and (self.end is None or least < self.end)

    def sql(self) -> str:
        """Give the condition on an entry's ``at``."""
        begins = "" if self.begin is None else f" AND at >= {self.begin:d}"
        return begins + ("" if self.end is None else f" AND at < {self.end:d}")


class Stretch(NamedTuple):
    """Entries of one month in a row; of a ``partial`` one only some are of the time."""

    table: str
    first: int
    last: int
    partial: bool = False


def in_time(connection: Connection, stretches: Sequence[Stretch], times: Times) -> list[Stretch]:
    """Give the parts of stretches, the newest first as they are, that meet a time."""
    if not times.given:
        return list(stretches)
    found: list[Stretch] = []
    for some in chunks(stretches, TOGETHER):
        rows = driver_rows(connection, _spans(some))
        for place, run, least, greatest in sorted(rows, key=lambda row: (row[0], -row[1])):
            if least is None or not times.meets(least, greatest):
                continue
            table, first, last, _ = some[place]
            first = max(first, run << TIMES_TOGETHER)
            last = min(last, ((run + 1) << TIMES_TOGETHER) - 1)
            partial = not times.has(least, greatest)
            found.append(Stretch(table, first, last, partial))
    return _joined(found)


def _spans(stretches: Sequence[Stretch]) -> str:
    """Ask for the least and the greatest time of each run, month by month."""
    low = min(one.first for one in stretches) >> TIMES_TOGETHER
    high = max(one.last for one in stretches) >> TIMES_TOGETHER
    asked = " UNION ALL ".join(
        f"SELECT {place}, n, {_extreme(one.table, 'ASC')}, {_extreme(one.table, 'DESC')} "  # noqa: S608 - ours
        "FROM runs "
        f"WHERE n BETWEEN {one.first >> TIMES_TOGETHER} AND {one.last >> TIMES_TOGETHER}"
        for place, one in enumerate(stretches)
    )
    return (
        f"WITH RECURSIVE runs(n) AS (SELECT {low} UNION ALL SELECT n + 1 FROM runs "  # noqa: S608 - numbers
        f"WHERE n < {high}) {asked}"
    )


def _extreme(table: str, order: str) -> str:
    run = f"(seq >> {TIMES_TOGETHER})"
    return f"(SELECT at FROM {table} WHERE {run} = n ORDER BY at {order} LIMIT 1)"  # noqa: S608 - ours


def _joined(stretches: Sequence[Stretch]) -> list[Stretch]:
    """Join whole neighbours of one month."""
    found: list[Stretch] = []
    for one in stretches:
        newer = found[-1] if found else None
        if (
            newer is not None
            and not (newer.partial or one.partial)
            and newer.table == one.table
            and newer.first == one.last + 1
        ):
            found[-1] = newer._replace(first=one.first)
        else:
            found.append(one)
    return found
