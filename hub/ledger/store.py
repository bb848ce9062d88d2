"""The ledger in a database: SQLite or PostgreSQL, one code for both."""

import datetime as dt
import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from typing import Any, Generic, TypeVar

from sqlalchemy import Column, Connection, Table, bindparam, func, insert, select, update

from hub.errors import LedgerError
from hub.ledger.model import Entry, FlowCount, Kind, Known
from hub.ledger.schema import SameFile, check_schema, ledger_errors, open_engine
from hub.ledger.tables import access, entries, head, terms
from hub.message import AccessItems, MessageKey

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)
_IDS_A_QUERY = 500
_TEXTS_KEPT = 10_000

ValueT = TypeVar("ValueT", bound=Hashable)
_Terms = tuple[str, tuple[str, ...], tuple[str, ...]]

_SELECT_KNOWN = select(
    entries.c.sender,
    entries.c.message_id,
    entries.c.kind,
    entries.c.at,
    entries.c.flow,
    entries.c.receiver,
    entries.c.digest,
    entries.c.code,
).where(
    entries.c.sender == bindparam("sender"),
    entries.c.message_id.in_(bindparam("ids", expanding=True)),
)


class DatabaseLedger:
    """The ledger; see ``hub.ledger.model.Ledger`` for what each method promises.

    Raises:
        LedgerError: the database cannot be reached, or its schema is not this code's.
    """

    def __init__(self, url: str) -> None:
        self._engine = open_engine(url)
        try:
            check_schema(self._engine)
        except LedgerError:
            self._engine.dispose()
            raise
        self._file = SameFile(self._engine)
        self._terms = _Dictionary(terms, _terms_row)
        self._access = _Dictionary(access, _access_row)

    def append(self, new: Sequence[Entry]) -> None:
        """Add entries in one durable transaction: all of them, or none and an error."""
        if not new:
            return
        self._file.check()
        terms_of, access_of = _Numbers(self._terms), _Numbers(self._access)
        with ledger_errors("record"), self._engine.begin() as connection:
            first = self._reserve(connection, len(new))
            rows = [
                _row(
                    first + i,
                    entry,
                    terms_of.number(connection, (entry.basis, entry.released, entry.withheld)),
                    access_of.number(connection, entry.access),
                )
                for i, entry in enumerate(new)
            ]
            connection.execute(insert(entries), rows)
        terms_of.committed()
        access_of.committed()

    def known(self, keys: Collection[MessageKey]) -> Mapping[MessageKey, Known]:
        """Tell what is already recorded of these messages; unknown ones are absent."""
        self._file.check()
        # By sender, so that a system that uses others' ids makes nobody else's look-up longer.
        by_sender: defaultdict[str, set[str]] = defaultdict(set)
        for key in keys:
            by_sender[key.sender].add(key.id)
        found: defaultdict[MessageKey, Known] = defaultdict(Known)
        with ledger_errors("be read"), self._engine.connect() as connection:
            for sender, wanted in by_sender.items():
                for ids in _chunks(sorted(wanted)):
                    for row in connection.execute(_SELECT_KNOWN, {"sender": sender, "ids": ids}):
                        _learn(found[MessageKey(sender, row.message_id)], row)
        return dict(found)

    def catalogue(self) -> str:
        """Give the digest of the catalogue last recorded as in force; empty when none is."""
        changes = entries.c.kind == Kind.CATALOGUE_CHANGE.value
        query = (
            select(entries.c.digest)
            .where(changes, entries.c.code == "")
            .order_by(entries.c.seq.desc())
            .limit(1)
        )
        with ledger_errors("be read"), self._engine.connect() as connection:
            return connection.execute(query).scalar_one_or_none() or ""

    def counts(self) -> list[FlowCount]:
        """Count the entries by sender, type, flow, receiver, kind and code."""
        by = (
            entries.c.sender,
            entries.c.message_type,
            entries.c.flow,
            entries.c.receiver,
            entries.c.kind,
            entries.c.code,
        )
        query = select(*by, func.count().label("number")).group_by(*by).order_by(*by)
        with ledger_errors("be read"), self._engine.connect() as connection:
            return [
                FlowCount(sender, message_type, flow, receiver, Kind(kind), code, number)
                for sender, message_type, flow, receiver, kind, code, number in connection.execute(
                    query
                )
            ]

    def size(self) -> int:
        """Count all entries."""
        with ledger_errors("be read"), self._engine.connect() as connection:
            return int(connection.execute(select(head.c.size)).scalar_one())

    def rows(self) -> Iterator[Mapping[str, object]]:
        """Read every entry in order, with its terms and access items; streams."""
        query = (
            select(entries, *_except_key(terms), *_except_key(access))
            .join(terms, entries.c.terms_id == terms.c.id)
            .join(access, entries.c.access_id == access.c.id)
            .order_by(entries.c.seq)
        )
        with ledger_errors("be read"), self._engine.connect() as connection:
            streamed = connection.execution_options(yield_per=1000).execute(query)
            yield from (dict(row) for row in streamed.mappings())

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    @staticmethod
    def _reserve(connection: Connection, count: int) -> int:
        # Taking the head's row lock first keeps several workers in line and numbers dense.
        grow = update(head).where(head.c.id == 1).values(size=head.c.size + count)
        size = connection.execute(grow.returning(head.c.size)).scalar_one()
        return int(size) - count + 1


def _row(seq: int, entry: Entry, terms_id: int, access_id: int) -> dict[str, object]:
    return {
        "seq": seq,
        "at": (entry.at - _EPOCH) // _MICROSECOND,
        "kind": entry.kind.value,
        "sender": entry.message.sender,
        "message_id": entry.message.id,
        "message_type": entry.message_type,
        "flow": entry.flow,
        "receiver": entry.receiver,
        "resident": entry.resident,
        "digest": entry.digest,
        "code": entry.code,
        "detail": entry.detail,
        "terms_id": terms_id,
        "access_id": access_id,
    }


class _Dictionary(Generic[ValueT]):
    """Texts that stand once in a table of their own, and the committed numbers they got."""

    def __init__(self, table: Table, to_row: Callable[[ValueT], dict[str, str]]) -> None:
        self._table = table
        self._to_row = to_row
        self._numbers: dict[ValueT, int] = {}

    def get(self, value: ValueT) -> int | None:
        return self._numbers.get(value)

    def keep(self, numbers: Mapping[ValueT, int]) -> None:
        if len(self._numbers) > _TEXTS_KEPT:
            self._numbers = {}
        self._numbers.update(numbers)

    def find_or_add(self, connection: Connection, value: ValueT) -> int:
        row = self._to_row(value)
        text = json.dumps(row, ensure_ascii=False, sort_keys=True)
        digest = hashlib.sha256(text.encode()).hexdigest()
        table = self._table
        found = connection.execute(
            select(table.c.id).where(table.c.digest == digest)
        ).scalar_one_or_none()
        if found is not None:
            return int(found)
        add = insert(table).values(digest=digest, **row).returning(table.c.id)
        return int(connection.execute(add).scalar_one())


class _Numbers(Generic[ValueT]):
    """The numbers of one transaction; others learn of them only once it is committed."""

    def __init__(self, dictionary: _Dictionary[ValueT]) -> None:
        self._dictionary = dictionary
        self._new: dict[ValueT, int] = {}

    def number(self, connection: Connection, value: ValueT) -> int:
        number = self._dictionary.get(value)
        if number is None:
            number = self._new.get(value)
        if number is None:
            number = self._new[value] = self._dictionary.find_or_add(connection, value)
        return number

    def committed(self) -> None:
        self._dictionary.keep(self._new)


def _except_key(table: Table) -> list[Column[Any]]:
    return [column for column in table.columns if column.name not in {"id", "digest"}]


def _terms_row(value: _Terms) -> dict[str, str]:
    basis, released, withheld = value
    return {"basis": basis, "released": json.dumps(released), "withheld": json.dumps(withheld)}


def _access_row(items: AccessItems) -> dict[str, str]:
    return {
        "staff": items.staff,
        "department": items.department,
        "terminal": items.terminal,
        "reason": items.reason,
        "operation": items.operation,
    }


def _learn(known: Known, row: Any) -> None:  # noqa: ANN401 - a row of SQLAlchemy
    kind = Kind(row.kind)
    pair = (row.flow, row.receiver)
    if kind is Kind.ACCEPTANCE:
        known.accepted_digest = row.digest
        known.accepted_at = _EPOCH + row.at * _MICROSECOND
        known.accepted.add(pair)
    elif kind is Kind.RECEIPT:
        known.receipted.add(pair)
    elif row.receiver and kind is not Kind.OUT_OF_SCOPE:
        known.settled.add(pair)
    elif kind is not Kind.CATALOGUE_CHANGE:
        known.decided[row.digest] = row.code


def _chunks(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), _IDS_A_QUERY):
        yield ids[start : start + _IDS_A_QUERY]
