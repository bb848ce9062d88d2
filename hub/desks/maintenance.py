"""Has the hub at rest, and lets it go on: first the entry that says who and why, then the row."""

import datetime as dt

from hub.clock import JST
from hub.errors import LedgerError
from hub.ledger.acts import Act, act
from hub.ledger.maintenance import (
    LONGEST,
    Maintenance,
    begin_maintenance,
    end_maintenance,
    read_maintenance,
)
from hub.ledger.model import Kind
from hub.ledger.store import DatabaseLedger
from hub.message import AccessItems


def rest(
    ledger: DatabaseLedger, until: dt.datetime, access: AccessItems, now: dt.datetime
) -> Maintenance:
    """Have the hub at rest until a moment; its workers see it within seconds.

    Raises:
        LedgerError: the moment is past or too far, or it cannot be recorded.
    """
    said = Maintenance(until, access.reason)
    if not now < until <= now + LONGEST:
        raise LedgerError("maintenance ends within 24 hours: name a time before that")
    shown = f"{until.astimezone(JST):%Y-%m-%d %H:%M}"
    entry = act(
        Kind.OPERATOR_ACTION, access, now, code=Act.MAINTENANCE_BEGUN, detail=f"until {shown}"
    )
    ledger.append([entry])
    begin_maintenance(ledger.engine, said, now)
    return said


def go_on(ledger: DatabaseLedger, access: AccessItems, now: dt.datetime) -> bool:
    """Let the hub go on; say whether it was at rest. Where it was not, nothing is recorded.

    Raises:
        LedgerError: it cannot be recorded.
    """
    if read_maintenance(ledger.engine, now) is None:
        return False
    ledger.append([act(Kind.OPERATOR_ACTION, access, now, code=Act.MAINTENANCE_ENDED)])
    end_maintenance(ledger.engine)
    return True
