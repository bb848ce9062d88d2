"""Read what the hub decided about each message: metadata only, streamed, nothing written."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Engine, make_url, select

from hub.errors import LedgerError
from hub.ledger.leaf import microseconds, moment
from hub.ledger.model import Kind
from hub.ledger.months import Month, all_months
from hub.ledger.schema import check_schema, ledger_errors, open_engine
from hub.ledger.tables import cases, entries, head, messages, terms
from hub.message import MessageKey

_ROWS_A_TIME = 2000
_DECIDING = (Kind.ACCEPTANCE, Kind.OUT_OF_SCOPE, Kind.REFUSAL)


@dataclass(frozen=True, slots=True)
class Decided:
    """One acceptance, refusal or person out of scope; ``number`` is the entry's, from 1."""

    number: int
    at: dt.datetime
    kind: Kind
    message: MessageKey
    message_type: str
    flow: str = ""
    receiver: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class Decisions:
    """A ledger that is open for reading."""

    engine: Engine

    def size(self) -> int:
        """Count all entries of the ledger."""
        with ledger_errors("be read"), self.engine.connect() as connection:
            return int(connection.execute(select(head.c.size)).scalar_one())

    def since(self, begin: dt.datetime) -> Iterator[Decided]:
        """Read in order what was decided from a moment on; streams."""
        with ledger_errors("be read"), self.engine.connect() as connection:
            for month in all_months(connection):
                if not month.destroyed:
                    yield from _decided(connection, month, microseconds(begin))


@contextmanager
def open_decisions(url: str) -> Iterator[Decisions]:
    """Open a ledger for reading.

    Raises:
        LedgerError: it is not there, cannot be reached, or its schema is not this code's.
    """
    _must_exist(url)
    engine = open_engine(url, answer_seconds=None)
    try:
        check_schema(engine)
        yield Decisions(engine)
    finally:
        engine.dispose()


def _must_exist(url: str) -> None:
    """Refuse a file that is not there: SQLite would make an empty one."""
    path = url.removeprefix("sqlite:///")
    if path != url and not Path(make_url(url).database or "").is_file():
        raise LedgerError(f"there is no ledger at {path}")


def _decided(connection: Connection, month: Month, since: int) -> Iterator[Decided]:
    entry = entries(month.month).c
    query = (
        select(
            entry.seq,
            entry.at,
            terms.c.kind,
            messages.c.sender,
            messages.c.message_id,
            terms.c.message_type,
            terms.c.flow,
            terms.c.receiver,
            terms.c.code,
        )
        .join(messages, messages.c.no == entry.message_no)
        .join(cases, cases.c.id == entry.case_id)
        .join(terms, terms.c.id == cases.c.terms_id)
        .where(entry.at >= since, terms.c.kind.in_([kind.value for kind in _DECIDING]))
        .order_by(entry.seq)
    )
    streamed = connection.execution_options(yield_per=_ROWS_A_TIME).execute(query)
    for seq, at, kind, sender, message_id, message_type, flow, receiver, code in streamed:
        yield Decided(
            number=seq,
            at=moment(at),
            kind=Kind(kind),
            message=MessageKey(sender, message_id),
            message_type=message_type,
            flow=flow,
            receiver=receiver,
            code=code,
        )
