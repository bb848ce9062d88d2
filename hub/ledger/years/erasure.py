"""Erases the salts of a message: after that its digests are of no body any more.

The entries and their leaves stay as they are, so the log still verifies. The destruction entry
comes first and names exactly the entries whose salts go.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, bindparam, select, update

from hub.errors import LedgerError
from hub.ledger import head as heads
from hub.ledger.acts import act
from hub.ledger.model import Entry, Kind
from hub.ledger.months import Month, all_months, kept_since
from hub.ledger.recall import plain_key
from hub.ledger.schema import ledger_errors
from hub.ledger.store import DatabaseLedger
from hub.ledger.tables import entries, messages
from hub.ledger.years.records import Order, records
from hub.ledger.years.retention import OF_SALTS
from hub.message import MessageKey

ENTRIES_A_DETAIL = 100
"""So many numbers fit into the detail of an entry."""


def erase(ledger: DatabaseLedger, key: MessageKey, order: Order) -> list[int]:
    """Erase the salts of a message, and give the entries that had them.

    May be asked again where it was cut off.

    Raises:
        LedgerError: no entry of this message has a salt, or it cannot be recorded or erased.
    """
    key = plain_key(key)
    said = f"salts of message {key.sender}/{key.id} entries "
    with ledger_errors("be read"), ledger.engine.connect() as connection:
        found = _salted(connection, key)
        recorded = _recorded(connection, said)
    numbers = sorted(number for some in found.values() for number in some)
    if not numbers:
        raise LedgerError(f"no entry of {key.sender}/{key.id} has a salt: look at sender and id")
    new = [number for number in numbers if number not in recorded]
    if new:
        ledger.append(_entries(said, new, order))
    with ledger_errors("record"), ledger.engine.begin() as connection:
        heads.locked(connection)
        for month, some in found.items():
            _erase_in(connection, month, some)
    return numbers


def _salted(connection: Connection, key: MessageKey) -> Mapping[Month, list[int]]:
    about = (messages.c.sender == key.sender, messages.c.message_id == key.id)
    numbers = sorted(connection.execute(select(messages.c.no).where(*about)).scalars())
    found: dict[Month, list[int]] = {}
    for month in kept_since(all_months(connection), numbers[0]) if numbers else ():
        entry = entries(month.month).c
        query = select(entry.seq).where(entry.message_no.in_(numbers), entry.salt.is_not(None))
        some = sorted(connection.execute(query).scalars())
        if some:
            found[month] = some
    return found


def _recorded(connection: Connection, said: str) -> set[int]:
    """Give the entries whose erasure was entered already, and maybe not done."""
    return {
        int(number)
        for one in records(connection, Kind.DESTRUCTION, OF_SALTS)
        if one.detail.startswith(said)
        for number in one.detail.removeprefix(said).split(",")
    }


def _entries(said: str, numbers: Sequence[int], order: Order) -> list[Entry]:
    runs = [
        numbers[start : start + ENTRIES_A_DETAIL]
        for start in range(0, len(numbers), ENTRIES_A_DETAIL)
    ]
    return [
        act(
            Kind.DESTRUCTION,
            order.access,
            order.at,
            code=OF_SALTS,
            detail=said + ",".join(map(str, run)),
        )
        for run in runs
    ]


def _erase_in(connection: Connection, month: Month, numbers: Sequence[int]) -> None:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA secure_delete = ON")
    table = entries(month.month)
    where = table.c.seq.in_(bindparam("numbers", expanding=True))
    for start in range(0, len(numbers), ENTRIES_A_DETAIL):
        some = numbers[start : start + ENTRIES_A_DETAIL]
        connection.execute(update(table).where(where).values(salt=None), {"numbers": some})
