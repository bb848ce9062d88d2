"""For how long an entry has been there."""

import datetime as dt

from sqlalchemy import Connection, select

from hub.ledger.leaf import microseconds
from hub.ledger.months import all_months
from hub.ledger.tables import entries


def age_of(connection: Connection, seq: int, now: dt.datetime) -> dt.timedelta | None:
    """Say how old an entry is, and not less than nothing; none where it is not kept (any more)."""
    months = [one for one in all_months(connection) if one.first_entry <= seq]
    if not months or months[-1].destroyed:
        return None
    entry = entries(months[-1].month).c
    at = connection.execute(select(entry.at).where(entry.seq == seq)).scalar_one_or_none()
    if at is None:
        return None
    return dt.timedelta(microseconds=max(microseconds(now) - int(at), 0))
