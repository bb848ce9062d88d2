"""When an entry was made, and for how long it has been there."""

import datetime as dt

from sqlalchemy import Connection, select

from hub.ledger.leaf import moment
from hub.ledger.months import all_months
from hub.ledger.tables import entries


def made_at(connection: Connection, seq: int) -> dt.datetime | None:
    """Say when an entry was made, an aware time; none where it is not kept (any more)."""
    months = [one for one in all_months(connection) if one.first_entry <= seq]
    if not months or months[-1].destroyed:
        return None
    entry = entries(months[-1].month).c
    at = connection.execute(select(entry.at).where(entry.seq == seq)).scalar_one_or_none()
    return None if at is None else moment(int(at))


def age_of(connection: Connection, seq: int, now: dt.datetime) -> dt.timedelta | None:
    """Say how old an entry is, and not less than nothing; none where it is not kept (any more)."""
    at = made_at(connection, seq)
    return None if at is None else max(now - at, dt.timedelta())
