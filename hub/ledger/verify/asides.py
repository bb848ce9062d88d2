"""Verifies the rows of what was put aside: they are no evidence, but entries say they are there.

A row that no entry is about was put in; one whose state has no entry was changed. A row that was
taken away leaves its entries: a reconciliation names its message.
"""

from collections.abc import Iterable, Iterator
from enum import StrEnum

from sqlalchemy import Connection

from hub.ledger.beside import KEPT, Shelf, State
from hub.ledger.head import Head
from hub.ledger.model import Kind
from hub.ledger.months import Month
from hub.ledger.reading import driver_rows
from hub.ledger.tables import asides
from hub.ledger.verify.fault import Fault, reading
from hub.ledger.verify.parts import Kept


def _among(values: Iterable[StrEnum]) -> str:
    return ", ".join(f"'{one.value}'" for one in values)


_OVER = [one for one in State if one not in KEPT]
_RIGHT = f"""
    list IN ({_among(Shelf)})
    AND ((state IN ({_among(KEPT)}) AND body IS NOT NULL)
         OR (state IN ({_among(_OVER)}) AND body IS NULL))
    AND ((state = '{State.OPEN.value}') = (decided = 0) OR state IN ({_among(_OVER)}))
    AND (state <> '{State.REQUESTED.value}' OR request > 0)
"""
_ABOUT = """
    SELECT count(*) FROM ledger_asides x WHERE x.{number} >= ? AND x.{number} < ? AND NOT EXISTS (
        SELECT 1 FROM {entries} e
        JOIN ledger_messages m ON m.no = e.message_no
        JOIN ledger_cases c ON c.id = e.case_id
        JOIN ledger_terms t ON t.id = c.terms_id
        WHERE e.seq = x.{number} AND {fits}
    )
"""
_PUT = f"""
    m.sender = x.sender AND m.message_id = x.message_id AND (
        (x.list = '{Shelf.CONFIRMATION.value}' AND t.kind IN ({_among([Kind.HOLD, Kind.RECEIPT])}))
        OR (x.list = '{Shelf.DEAD_LETTER.value}' AND t.flow = x.flow AND t.receiver = x.receiver
            AND t.kind IN ({_among([Kind.DEAD_LETTER, Kind.EXPIRY])}))
    )
"""
_DECIDED = f"""
    (x.list = '{Shelf.CONFIRMATION.value}' AND t.kind = '{Kind.RELEASE.value}')
    OR (x.list = '{Shelf.DEAD_LETTER.value}' AND t.kind = '{Kind.REPLAY.value}')
"""


def check_asides(connection: Connection, head: Head, kept: Kept) -> None:
    """See that what waits has its body, that what is over has none, and that entries say so.

    Raises:
        Fault: it is not so.
    """
    wrong = f"SELECT count(*) FROM ledger_asides WHERE NOT ({_RIGHT}) OR id > ? OR decided > ?"  # noqa: S608 - ours
    _must_be_none(connection, wrong, head.size, head.size)
    for month, first, after in _stretches(kept, head):
        for number, fits in (("id", _PUT), ("decided", _DECIDED)):
            query = _ABOUT.format(number=number, entries=month.table, fits=f"({fits})")
            _must_be_none(connection, query, first, after)


def _stretches(kept: Kept, head: Head) -> Iterator[tuple[Month, int, int]]:
    """Give the months whose entries are there, and the numbers of these, ``after`` exclusive."""
    afters = [month.first_entry for month in kept.months[1:]] + [head.size + 1]
    for month, after in zip(kept.months, afters, strict=False):  # of an empty ledger there is none
        if not month.destroyed:
            yield month, month.first_entry, after


def _must_be_none(connection: Connection, query: str, *values: int) -> None:
    with reading(asides.name):
        ((count,),) = driver_rows(connection, query, *values)
    if count:
        raise Fault(None, f"{asides.name}: {count} rows are not as this program writes them")
