"""Legal holds: months that may not be destroyed, whatever their age.

A hold is an entry (operator-action, code ``legal-hold``) and so is its end (``legal-hold-lifted``).
The holds that stand are computed from these entries alone. The detail of either begins
``hold HID months YYYY-MM to YYYY-MM reason …`` or, with the pseudonym in ``resident``,
``hold HID resident reason …``: then every month with an entry about this resident is held. Where
keys of pseudonyms were retired, ``resident or … or …`` gives those under the old ones as well.
"""

import datetime as dt
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, bindparam, select

from hub.errors import LedgerError
from hub.ledger.acts import act
from hub.ledger.chunks import chunks
from hub.ledger.evidence.certificate import plain_value
from hub.ledger.leaf import Recorded
from hub.ledger.model import Entry, Kind
from hub.ledger.months import Month
from hub.ledger.tables import entries, messages
from hub.ledger.years.records import dashed, records
from hub.message import AccessItems

LEGAL_HOLD = "legal-hold"
LIFTED = "legal-hold-lifted"
REASON_CHARACTERS = 500
_DETAIL = re.compile(
    r"hold (H[0-9a-f]{8}) (?:months ([0-9]{4})-([0-9]{2}) to ([0-9]{4})-([0-9]{2})"
    r"|resident((?: or [0-9a-f]{32})*)) reason (.+)",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Hold:
    """A hold that stands: for the months ``first`` to ``last``, or for a resident's.

    ``number`` and ``at`` are those of its newest entry: a hold is entered anew before the month
    that has its entry is destroyed.
    """

    name: str
    reason: str
    number: int
    at: dt.datetime
    first: int = 0
    last: int = 0
    resident: str = ""
    former: tuple[str, ...] = ()

    def covers(self, connection: Connection, month: Month) -> bool:
        """Say whether it keeps a month, whose entries are there."""
        if not self.resident:
            return self.first <= month.month <= self.last
        return _is_about(connection, month, (self.resident, *self.former))

    def scope(self) -> str:
        """Give what it is about, as its entry says it."""
        if self.resident:
            return " or ".join(["resident", *self.former])
        return f"months {dashed(self.first)} to {dashed(self.last)}"


def standing(connection: Connection) -> list[Hold]:
    """Give the holds that stand, in the order of their newest entries.

    Raises:
        LedgerError: the entry of a hold cannot be read; then nothing may be destroyed.
    """
    found: dict[str, Hold] = {}
    for entry in records(connection, Kind.OPERATOR_ACTION, LEGAL_HOLD, LIFTED):
        hold = _read(entry)
        found.pop(hold.name, None)
        if entry.code == LEGAL_HOLD:
            found[hold.name] = hold
    return list(found.values())


def holding(connection: Connection, holds: Sequence[Hold], month: Month) -> list[Hold]:
    """Give those of the holds that keep a month."""
    return [hold for hold in holds if hold.covers(connection, month)]


def hold_months(
    first: int, last: int, reason: str, access: AccessItems, at: dt.datetime
) -> tuple[str, Entry]:
    """Hold the months ``first`` to ``last`` (202611); give the hold's name and its entry.

    Raises:
        LedgerError: the months are not in order, or there is no reason.
    """
    if first > last:
        raise LedgerError(f"{dashed(first)} is after {dashed(last)}: give the first month first")
    name = _new_name()
    hold = Hold(name, _reason(reason), 0, at, first, last)
    return name, _entry(hold, LEGAL_HOLD, access, at)


def hold_resident(
    resident: str,
    reason: str,
    access: AccessItems,
    at: dt.datetime,
    former: Sequence[str] = (),
) -> tuple[str, Entry]:
    """Hold every month with an entry about a resident, given by today's pseudonym and the former.

    Raises:
        LedgerError: there is no reason.
    """
    name = _new_name()
    hold = Hold(name, _reason(reason), 0, at, resident=resident, former=tuple(former))
    return name, _entry(hold, LEGAL_HOLD, access, at)


def lifted(hold: Hold, reason: str, access: AccessItems, at: dt.datetime) -> Entry:
    """Give the entry that ends a hold.

    Raises:
        LedgerError: there is no reason.
    """
    ended = replace(hold, reason=_reason(reason), number=0, at=at)
    return _entry(ended, LIFTED, access, at)


def carried(hold: Hold, access: AccessItems, at: dt.datetime) -> Entry:
    """Give the entry that says anew that a hold stands, since its old entry is to go."""
    return _entry(hold, LEGAL_HOLD, access, at)


def _entry(hold: Hold, code: str, access: AccessItems, at: dt.datetime) -> Entry:
    detail = f"hold {hold.name} {hold.scope()} reason {hold.reason}"
    return act(Kind.OPERATOR_ACTION, access, at, code=code, detail=detail, resident=hold.resident)


def _read(entry: Recorded) -> Hold:
    said = _DETAIL.fullmatch(entry.detail)
    if said is None or bool(said[2]) == bool(entry.resident):
        raise LedgerError(f"entry {entry.number} should be a legal hold and cannot be read")
    first = int(said[2] + said[3]) if said[2] else 0
    last = int(said[4] + said[5]) if said[4] else 0
    former = tuple(said[6].split(" or ")[1:]) if said[6] else ()
    return Hold(said[1], said[7], entry.number, entry.at, first, last, entry.resident, former)


def _new_name() -> str:
    return f"H{secrets.token_hex(4)}"


def _reason(text: str) -> str:
    if not text.strip():
        raise LedgerError("a legal hold needs a reason: which proceedings, on whose order")
    return plain_value(text)[:REASON_CHARACTERS].rstrip()


def _is_about(connection: Connection, month: Month, residents: Sequence[str]) -> bool:
    query = select(messages.c.no).where(messages.c.resident.in_(residents))
    numbers = list(connection.execute(query).scalars())
    entry = entries(month.month).c
    about = (
        select(entry.seq).where(entry.message_no.in_(bindparam("numbers", expanding=True))).limit(1)
    )
    return any(connection.execute(about, {"numbers": some}).first() for some in chunks(numbers))
