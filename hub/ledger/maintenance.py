"""Maintenance: people have the hub at rest for a while. Nothing is taken, and the queues hold.

It stands beside the roster, which every worker reads every two seconds; it ends by itself. Who
said so, and why, is an entry of the ledger, which is written first.
"""

import datetime as dt
from typing import NamedTuple

from sqlalchemy import Connection, Engine, delete, insert, select

from hub.errors import LedgerError
from hub.ledger.leaf import microseconds, moment
from hub.ledger.schema import ledger_errors
from hub.ledger.tables import maintenance

LONGEST = dt.timedelta(hours=24)
"""For longer than this nobody has it at rest at once: it would be forgotten."""


class Maintenance(NamedTuple):
    """Until when the hub is at rest, and why."""

    until: dt.datetime
    reason: str

    def is_on(self, now: dt.datetime) -> bool:
        """Say whether its time is not over."""
        return now < self.until


def standing(connection: Connection) -> Maintenance | None:
    """Give what people said last; its time may be over."""
    row = connection.execute(select(maintenance.c.until, maintenance.c.reason)).one_or_none()
    return None if row is None else Maintenance(moment(row.until), row.reason)


def read_maintenance(engine: Engine, now: dt.datetime) -> Maintenance | None:
    """Give the maintenance that is on at a moment.

    Raises:
        LedgerError: the database cannot be read.
    """
    with ledger_errors("be read"), engine.connect() as connection:
        found = standing(connection)
    return found if found is not None and found.is_on(now) else None


def begin_maintenance(engine: Engine, said: Maintenance, now: dt.datetime) -> None:
    """Have the hub at rest from now on; what was said before is replaced.

    Raises:
        LedgerError: its time is over or too long, or the database cannot be written.
    """
    if not now < said.until <= now + LONGEST:
        raise LedgerError(f"maintenance ends within {LONGEST.total_seconds() / 3600:.0f} hours")
    values = {"id": 1, "until": microseconds(said.until), "reason": said.reason}
    with ledger_errors("be written"), engine.begin() as connection:
        connection.execute(delete(maintenance))
        connection.execute(insert(maintenance).values(values))


def end_maintenance(engine: Engine) -> None:
    """Let the hub go on.

    Raises:
        LedgerError: the database cannot be written.
    """
    with ledger_errors("be written"), engine.begin() as connection:
        connection.execute(delete(maintenance))
