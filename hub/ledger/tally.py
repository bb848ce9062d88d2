"""What the ledger says of messages, for a reconciliation: their entries without what they hold."""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, Engine, Select, bindparam, select

from hub.clock import JST, midnight
from hub.errors import LedgerError
from hub.ledger.about import rows_about
from hub.ledger.chunks import VALUES_A_QUERY
from hub.ledger.leaf import microseconds
from hub.ledger.model import Kind
from hub.ledger.months import Month, all_months
from hub.ledger.numbers import find_refs
from hub.ledger.reading import ROWS_A_TIME, parts
from hub.ledger.schema import ledger_errors
from hub.ledger.tables import cases, entries, messages, terms
from hub.message import MessageKey

DECISIONS = frozenset({Kind.ACCEPTANCE, Kind.OUT_OF_SCOPE, Kind.REFUSAL, Kind.HOLD})
"""The kinds by which the hub decides about a message."""
MOVES = DECISIONS | {
    Kind.DELIVERY,
    Kind.RECEIPT,
    Kind.RELEASE,
    Kind.REPLAY,
    Kind.DEAD_LETTER,
    Kind.EXPIRY,
}
"""The kinds that are about a message; the others are about what people do."""


class Fact(NamedTuple):
    """An entry about a message: its number, when in microseconds since 1970, and what."""

    number: int
    at: int
    kind: Kind
    flow: str
    receiver: str
    code: str
    message_type: str


class Span(NamedTuple):
    """A time in microseconds since 1970-01-01 UTC, ``end`` exclusive; both none is all time."""

    begin: int | None = None
    end: int | None = None

    @classmethod
    def of_day(cls, day: dt.date) -> "Span":
        """Give a day as in Japan."""
        begin = midnight(day)
        return cls(microseconds(begin), microseconds(begin + dt.timedelta(days=1)))

    def has(self, at: int) -> bool:
        """Say whether a moment is in it."""
        return (self.begin is None or at >= self.begin) and (self.end is None or at < self.end)

    def months(self) -> tuple[int, int] | None:
        """Give the first and last month, such as 202611, whose tables may have its entries.

        The month after it counts: entries stay there when the clock is set back over its begin.
        """
        if self.begin is None or self.end is None:
            return None
        first = dt.datetime.fromtimestamp(self.begin / 1e6, JST)
        after = dt.datetime.fromtimestamp((self.end - 1) / 1e6, JST).replace(day=28)
        after += dt.timedelta(days=4)
        return first.year * 100 + first.month, after.year * 100 + after.month


class Tally:
    """Reads the ledger; every method raises ``LedgerError`` when it cannot be read."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def about(self, keys: Collection[MessageKey]) -> dict[MessageKey, list[Fact]]:
        """Give the entries about these messages, each message's in order; unknown ones lack."""
        with ledger_errors("be read"), self._engine.connect() as connection:
            return _about(connection, keys)

    def first_decided(
        self, span: Span, wanted: Callable[[MessageKey], bool]
    ) -> Iterator[dict[MessageKey, list[Fact]]]:
        """Give the wanted messages that were first decided about in this time, in parts.

        Each message comes once, with all entries about it, whenever they were made.

        Raises:
            LedgerError: entries of this time are destroyed.
        """
        with ledger_errors("be read"), self._engine.connect() as connection:
            for month, begin, end in kept_parts(connection, span):
                for start in range(begin, end, ROWS_A_TIME):
                    stop = min(start + ROWS_A_TIME, end)
                    firsts = _decided(connection, month, (start, stop), span)
                    firsts = {key: first for key, first in firsts.items() if wanted(key)}
                    facts = _about(connection, firsts)
                    found = {
                        key: told
                        for key, told in facts.items()
                        if _first_decision(told) == firsts[key]
                    }
                    if found:
                        yield found


def kept_parts(connection: Connection, span: Span) -> Iterator[tuple[Month, int, int]]:
    """Give the months that may have entries of a time, each with its first number and its end.

    Raises:
        LedgerError: entries of this time are destroyed.
    """
    months = span.months()
    for month, begin, end in parts(connection):
        if months is not None and not months[0] <= month.month <= months[1]:
            continue
        if not month.destroyed:
            yield month, begin, end
        elif months is None or month.month == months[0]:
            message = (
                f"the entries of {month.month} were destroyed by entry {month.destroyed}: "
                "their certificate says what there was"
            )
            raise LedgerError(message)


def _decided(
    connection: Connection, month: Month, numbers: tuple[int, int], span: Span
) -> dict[MessageKey, int]:
    """Give the messages with a decision in this time among these entries, and the first one."""
    entry = entries(month.month).c
    query = (
        select(messages.c.sender, messages.c.message_id, entry.seq)
        .join(messages, messages.c.no == entry.message_no)
        .join(cases, cases.c.id == entry.case_id)
        .join(terms, terms.c.id == cases.c.terms_id)
        .where(entry.seq >= numbers[0], entry.seq < numbers[1])
        .where(terms.c.kind.in_(sorted(DECISIONS)))
        .order_by(entry.seq)
    )
    if span.begin is not None and span.end is not None:
        query = query.where(entry.at >= span.begin, entry.at < span.end)
    firsts: dict[MessageKey, int] = {}
    for sender, message_id, number in connection.execute(query):
        firsts.setdefault(MessageKey(sender, message_id), number)
    return firsts


def _first_decision(facts: Iterable[Fact]) -> int:
    return next((fact.number for fact in facts if fact.kind in DECISIONS), 0)


def _about(connection: Connection, keys: Collection[MessageKey]) -> dict[MessageKey, list[Fact]]:
    refs = find_refs(connection, keys)
    found: defaultdict[MessageKey, list[Fact]] = defaultdict(list)
    months = all_months(connection) if refs else []
    for row in rows_about(connection, months, sorted(refs), _facts_query):
        ref = refs[row[0]]
        fact = _fact(*row[1:])
        if fact.kind in MOVES:
            found[ref.key].append(fact)
    return {key: sorted(facts) for key, facts in found.items()}


def _fact(  # noqa: PLR0913, PLR0917 - the columns of a row, in order
    number: int, at: int, kind: str, flow: str, receiver: str, code: str, message_type: str
) -> Fact:
    return Fact(number, at, Kind(kind), flow, receiver, code, message_type)


def _facts_query(month: Month) -> Select[int, int, int, str, str, str, str, str]:
    entry = entries(month.month).c
    return (
        select(
            entry.message_no,
            entry.seq,
            entry.at,
            terms.c.kind,
            terms.c.flow,
            terms.c.receiver,
            terms.c.code,
            terms.c.message_type,
        )
        .join(cases, cases.c.id == entry.case_id)
        .join(terms, terms.c.id == cases.c.terms_id)
        .where(entry.message_no.in_(bindparam("numbers", expanding=True)))
    )


def in_parts(
    numbers: Iterable[MessageKey], size: int = VALUES_A_QUERY
) -> Iterator[Sequence[MessageKey]]:
    """Cut a stream of messages into parts that are looked up together."""
    part: list[MessageKey] = []
    for key in numbers:
        part.append(key)
        if len(part) == size:
            yield part
            part = []
    if part:
        yield part
