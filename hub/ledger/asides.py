"""The tables beside the entries: who is bound to which number, and what waits for a person."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Row, bindparam, delete, func, select, update

from hub.errors import LedgerError
from hub.ledger.beside import (
    GOING,
    KEPT,
    Aside,
    Beside,
    Binding,
    Cause,
    Shelf,
    Shelved,
    State,
    Turn,
)
from hub.ledger.leaf import microseconds, moment
from hub.ledger.model import Kind
from hub.ledger.months import all_months, kept_since
from hub.ledger.numbers import find_ids
from hub.ledger.recall import plain_key
from hub.ledger.search.messages import message_numbers
from hub.ledger.tables import asides, bindings, cases, entries, messages, terms
from hub.ledger.writing import insert_rows
from hub.message import MessageKey

ValueT = TypeVar("ValueT")
_VALUES_A_QUERY = 500
_BOUND = select(bindings.c.resident, bindings.c.digest).where(
    bindings.c.resident.in_(bindparam("residents", expanding=True))
)
_IS_KEPT = asides.c.body.is_not(None)
_MEANWHILE = "somebody else has changed the same meanwhile: ask again"
_CLOCKS = dt.timedelta(seconds=5)
"""How far the clocks of broker and hub may be apart; the broker's has whole seconds."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which messages put aside are asked for; empty values exclude nothing."""

    shelf: Shelf
    state: State | None = None
    sender: str = ""
    code: str = ""
    flow: str = ""
    receiver: str = ""
    step: str = ""
    since: dt.datetime | None = None
    request: int = 0

    def conditions(self) -> list[ColumnElement[bool]]:
        """Give what their rows fulfil."""
        row = asides.c
        words = {
            row.sender: self.sender,
            row.code: self.code,
            row.flow: self.flow,
            row.receiver: self.receiver,
            row.step: self.step,
            row.request: self.request,
            row.state: "" if self.state is None else self.state.value,
        }
        found = [column == word for column, word in words.items() if word]
        if self.since is not None:
            found.append(row.at >= microseconds(self.since))
        return [row.list == self.shelf.value, *found]


def bound(connection: Connection, residents: Collection[str]) -> dict[str, str]:
    """Give the digest of each resident's number, of those who are bound to one."""
    found: dict[str, str] = {}
    for some in _chunks(sorted(residents)):
        rows = connection.execute(_BOUND, {"residents": some})
        found.update((resident, digest) for resident, digest in rows)
    return found


def write(connection: Connection, beside: Beside, first: int, *, stale: bool) -> None:
    """Write what stands beside entries; ``first`` is the number of the first of these.

    ``stale`` says that somebody else has appended since this process asked.

    Raises:
        LedgerError: what is to be changed is not as this process knows it; ask again.
    """
    if beside.bindings:
        _bind(connection, beside.bindings, stale=stale)
    marks = [one.cause.mark for one in beside.asides if one.cause is not None and one.cause.mark]
    if stale and any(recorded(connection, marks).values()):
        raise LedgerError(_MEANWHILE)
    ages = _ages(connection, [one for one in beside.asides if one.receiver])
    insert_rows(connection, asides, [_row(one, first, ages) for one in beside.asides])
    for turn in beside.turns:
        _turn(connection, turn, first)


def _bind(connection: Connection, new: Sequence[Binding], *, stale: bool) -> None:
    if stale:
        now = bound(connection, [one.resident for one in new])
        if any(now.get(one.resident, "") != one.before for one in new):
            raise LedgerError(_MEANWHILE)
    fresh = sorted((one.resident, one.after) for one in new if not one.before)
    insert_rows(connection, bindings, fresh)
    for one in new:
        if one.before:
            where = (bindings.c.resident == one.resident, bindings.c.digest == one.before)
            changed = update(bindings).where(*where).values(digest=one.after)
            _exactly_one(connection.execute(changed).rowcount)


def _ages(connection: Connection, copies: Sequence[Aside]) -> dict[MessageKey, int]:
    """Give the entries by which the messages of copies were accepted: a copy is as old as that."""
    by_sender: defaultdict[str, set[str]] = defaultdict(set)
    for one in copies:
        key = plain_key(one.key)
        by_sender[key.sender].add(key.id)
    refs = {number: ref for ref, number in find_ids(connection, by_sender).items()}
    found: dict[MessageKey, int] = {}
    numbers = sorted(refs)
    for month in kept_since(all_months(connection), numbers[0]) if numbers else ():
        entry = entries(month.month).c
        query = (
            select(entry.message_no, func.min(entry.seq))
            .join(cases, cases.c.id == entry.case_id)
            .join(terms, terms.c.id == cases.c.terms_id)
            .where(
                entry.message_no.in_(bindparam("numbers", expanding=True)),
                terms.c.kind == Kind.ACCEPTANCE.value,
            )
            .group_by(entry.message_no)
        )
        for some in _chunks(numbers):
            for number, seq in connection.execute(query, {"numbers": some}):
                ref = refs[number]
                found.setdefault(MessageKey(ref.sender, ref.message_id), seq)
    return found


def _row(one: Aside, first: int, ages: Mapping[MessageKey, int]) -> tuple[object, ...]:
    number, key, cause = first + one.place, plain_key(one.key), one.cause or Cause("")
    age = ages.get(key, number) if one.receiver else number
    facts = (key.sender, key.id, one.message_type, one.resident, one.code, one.bucket)
    why = (cause.step, cause.detail, cause.history, cause.mark)
    died = 0 if cause.died is None else microseconds(cause.died)
    return (
        number,
        one.shelf.value,
        microseconds(one.at),
        *facts,
        one.flow,
        one.receiver,
        *why,
        died,
        age,
        0,
        State.OPEN.value,
        0,
        one.seal(number),
    )


def _turn(connection: Connection, turn: Turn, first: int) -> None:
    values: dict[str, object] = {"state": turn.now.value}
    if turn.now is State.OPEN:
        values |= {"decided": 0, "request": 0}
    elif turn.was in {State.OPEN, State.REQUESTED}:
        values["decided"] = first
    if turn.request is not None:
        values["request"] = first + turn.request
    if turn.now not in KEPT:
        values["body"] = None
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA secure_delete = ON")
    where = (asides.c.id == turn.id, asides.c.state == turn.was.value)
    _exactly_one(connection.execute(update(asides).where(*where).values(values)).rowcount)


def _exactly_one(count: int) -> None:
    if count != 1:
        raise LedgerError(_MEANWHILE)


def waiting(connection: Connection) -> list[tuple[int, str]]:
    """Give number and bucket of the messages that the hub is to move, the oldest first.

    Dead letters need not have come in the order of the messages that they are copies of.
    """
    row = asides.c
    states = [one.value for one in GOING]
    query = select(row.id, row.bucket).where(row.state.in_(states), _IS_KEPT)
    query = query.order_by(row.age, row.id)
    return [(number, bucket) for number, bucket in connection.execute(query)]


def count_kept(connection: Connection) -> dict[tuple[Shelf, State], int]:
    """Count the messages whose body is kept, by list and state."""
    row = asides.c
    query = select(row.list, row.state, func.count()).where(_IS_KEPT).group_by(row.list, row.state)
    found = {(one[0], one[1]): one[2] for one in connection.execute(query)}
    return {
        (shelf, state): found.get((shelf.value, state.value), 0)
        for shelf in Shelf
        for state in KEPT
    }


def find(connection: Connection, numbers: Collection[int]) -> dict[int, Shelved]:
    """Give the rows of these numbers, with their bodies as they are kept."""
    found: dict[int, Shelved] = {}
    query = select(asides).where(asides.c.id.in_(bindparam("numbers", expanding=True)))
    for some in _chunks(sorted(numbers)):
        for row in connection.execute(query, {"numbers": some}):
            found[row.id] = _shelved(row)
    return found


def listed(connection: Connection, wanted: Wanted, most: int) -> list[Shelved]:
    """Give messages put aside, the oldest first."""
    query = select(asides).where(*wanted.conditions()).order_by(asides.c.id).limit(most)
    return [_shelved(one) for one in connection.execute(query)]


def recorded(connection: Connection, marks: Collection[str]) -> dict[str, bool]:
    """Give the marks under which dead letters are recorded, and whether one of them waits."""
    row = asides.c
    found: dict[str, bool] = {}
    for some in _chunks(sorted(set(marks) - {""})):
        query = select(row.mark, row.state).where(row.mark.in_(some), row.mark != "")
        for mark, state in connection.execute(query):
            found[mark] = found.get(mark, False) or state in KEPT
    return found


def _shelved(row: Row[*tuple[Any, ...]]) -> Shelved:
    if row.state not in set(State) or row.list not in set(Shelf):
        raise LedgerError(f"row {row.id} of {asides.name} was changed: run renkei ledger verify")
    shelf = Shelf(row.list)
    died = moment(row.died) if row.died else None
    cause = Cause(row.step, row.detail, row.history, row.mark, died)
    return Shelved(
        id=row.id,
        shelf=shelf,
        at=moment(row.at),
        key=MessageKey(row.sender, row.message_id),
        message_type=row.message_type,
        resident=row.resident,
        code=row.code,
        bucket=row.bucket,
        state=State(row.state),
        decided=row.decided,
        flow=row.flow,
        receiver=row.receiver,
        cause=cause if shelf is Shelf.DEAD_LETTER else None,
        request=row.request,
        age=row.age,
        sealed=bytes(row.body or b""),
    )


def overtaken(connection: Connection, found: Mapping[int, Shelved]) -> frozenset[int]:
    """Give the numbers of those that a newer message has overtaken.

    Newer is what was accepted later, of the same sender and type and about the same resident; for
    a copy, only where the receiver was sent it, too. What was itself put aside earlier is older,
    whenever it was accepted. A copy is as old as its message's acceptance.
    """
    return frozenset(number for number, one in found.items() if _newer(connection, one))


def _newer(connection: Connection, one: Shelved) -> set[str]:
    age, accepted = _accepted_since(connection, one)
    row = asides.c
    for some in _chunks(sorted(accepted)):
        of_these = (row.sender == one.key.sender, row.message_id.in_(some))
        older = select(row.message_id).where(*of_these, row.id < age)
        accepted -= set(connection.execute(older).scalars())
        if one.receiver:
            # A newer one that has died on the same way has changed nothing there.
            dead = select(row.message_id).where(
                *of_these,
                row.list == Shelf.DEAD_LETTER.value,
                row.receiver == one.receiver,
                row.state.not_in([State.SENDING.value, State.MOVED.value]),
            )
            accepted -= set(connection.execute(dead).scalars())
    return accepted


def _accepted_since(connection: Connection, one: Shelved) -> tuple[int, set[str]]:
    """Give how old this one is, and the ids of what was accepted later.

    An original that died was in its queue before the broker took it out; what comes behind it may
    have been accepted before the death was recorded.
    """
    numbers = sorted(message_numbers(connection, one.resident, "")) if one.resident else []
    found: list[Any] = []
    for month in kept_since(all_months(connection), numbers[0]) if numbers else ():
        entry = entries(month.month).c
        query = (
            select(
                messages.c.message_id,
                terms.c.message_type,
                terms.c.receiver,
                entry.seq,
                entry.at,
            )
            .join(entries(month.month), entry.message_no == messages.c.no)
            .join(cases, cases.c.id == entry.case_id)
            .join(terms, terms.c.id == cases.c.terms_id)
            .where(
                entry.message_no.in_(bindparam("numbers", expanding=True)),
                terms.c.kind == Kind.ACCEPTANCE.value,
                terms.c.sender == one.key.sender,
            )
        )
        for some in _chunks(numbers):
            found += connection.execute(query, {"numbers": some}).all()
    own = [(row.message_type, row.seq) for row in found if row.message_id == one.key.id]
    kind, since = max(own, key=lambda row: row[1], default=(one.message_type, one.age))
    age = min(since, one.age)
    died = one.cause.died if one.cause is not None and not own else None
    behind = None if died is None else microseconds(died - _CLOCKS)
    return age, {
        row.message_id
        for row in found
        if row.message_type == kind
        and row.message_id != one.key.id
        and (row.seq > age or (behind is not None and row.at >= behind))
        and one.receiver in {"", row.receiver}
    }


def forget(connection: Connection, first: int, last: int) -> None:
    """Delete the rows of these numbers that have come to their end: their month is destroyed."""
    row = asides.c
    connection.execute(delete(asides).where(row.id >= first, row.id <= last, ~_IS_KEPT))


def _chunks(values: Sequence[ValueT]) -> Iterable[Sequence[ValueT]]:
    for start in range(0, len(values), _VALUES_A_QUERY):
        yield values[start : start + _VALUES_A_QUERY]
