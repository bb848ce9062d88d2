"""Read what the hub decided about each message: metadata only, streamed, nothing written."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, make_url, select

from hub.errors import LedgerError
from hub.ledger.model import Kind
from hub.ledger.schema import check_schema, ledger_errors, open_engine
from hub.ledger.tables import entries, head
from hub.message import MessageKey

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)
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

    def since(self, moment: dt.datetime) -> Iterator[Decided]:
        """Read in order what was decided from a moment on; streams."""
        columns = entries.c
        query = (
            select(
                columns.seq,
                columns.at,
                columns.kind,
                columns.sender,
                columns.message_id,
                columns.message_type,
                columns.flow,
                columns.receiver,
                columns.code,
            )
            .where(
                columns.at >= (moment - _EPOCH) // _MICROSECOND,
                columns.kind.in_([kind.value for kind in _DECIDING]),
            )
            .order_by(columns.seq)
        )
        with ledger_errors("be read"), self.engine.connect() as connection:
            streamed = connection.execution_options(yield_per=_ROWS_A_TIME).execute(query)
            for seq, at, kind, sender, message_id, message_type, flow, receiver, code in streamed:
                yield Decided(
                    number=seq,
                    at=_EPOCH + at * _MICROSECOND,
                    kind=Kind(kind),
                    message=MessageKey(sender, message_id),
                    message_type=message_type,
                    flow=flow,
                    receiver=receiver,
                    code=code,
                )


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
