"""The tables beside the entries: who is bound to which number, and what waits for a person."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, bindparam, delete, func, select, update

from hub.errors import LedgerError
from hub.ledger.beside import KEPT, Aside, Beside, Binding, Confirmation, State, Turn
from hub.ledger.leaf import microseconds, moment
from hub.ledger.model import Kind
from hub.ledger.months import all_months, kept_since
from hub.ledger.search.messages import message_numbers
from hub.ledger.tables import bindings, cases, confirmations, entries, messages, terms
from hub.ledger.writing import insert_rows
from hub.message import MessageKey

ValueT = TypeVar("ValueT")
_VALUES_A_QUERY = 500
_BOUND = select(bindings.c.resident, bindings.c.digest).where(
    bindings.c.resident.in_(bindparam("residents", expanding=True))
)
_IS_KEPT = confirmations.c.body.is_not(None)
_MEANWHILE = "somebody else has changed the same meanwhile: ask again"


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
    insert_rows(connection, confirmations, [_row(one, first) for one in beside.asides])
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


def _row(one: Aside, first: int) -> tuple[object, ...]:
    number = first + one.place
    facts = (one.key.sender, one.key.id, one.message_type, one.resident, one.code, one.bucket)
    return (number, microseconds(one.at), *facts, State.OPEN.value, 0, one.seal(number))


def _turn(connection: Connection, turn: Turn, first: int) -> None:
    values: dict[str, object] = {"state": turn.now.value}
    if turn.was is State.OPEN:
        values["decided"] = first
    if turn.now is not State.RELEASED:
        values["body"] = None
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA secure_delete = ON")
    where = (confirmations.c.id == turn.id, confirmations.c.state == turn.was.value)
    _exactly_one(connection.execute(update(confirmations).where(*where).values(values)).rowcount)


def _exactly_one(count: int) -> None:
    if count != 1:
        raise LedgerError(_MEANWHILE)


def waiting(connection: Connection, state: State) -> list[tuple[int, str]]:
    """Give number and bucket of the messages whose body is kept in a state, the oldest first."""
    row = confirmations.c
    query = select(row.id, row.bucket).where(row.state == state.value, _IS_KEPT).order_by(row.id)
    return [(number, bucket) for number, bucket in connection.execute(query)]


def count_kept(connection: Connection) -> dict[State, int]:
    """Count the messages whose body is kept, by state."""
    state = confirmations.c.state
    query = select(state, func.count()).where(_IS_KEPT).group_by(state)
    found = {row[0]: row[1] for row in connection.execute(query)}
    return {one: found.get(one.value, 0) for one in KEPT}


def find(connection: Connection, numbers: Collection[int]) -> dict[int, Confirmation]:
    """Give the rows of these numbers, with their bodies as they are kept."""
    found: dict[int, Confirmation] = {}
    query = select(confirmations).where(
        confirmations.c.id.in_(bindparam("numbers", expanding=True))
    )
    for some in _chunks(sorted(numbers)):
        for row in connection.execute(query, {"numbers": some}):
            found[row.id] = _confirmation(row)
    return found


def listed(
    connection: Connection, state: State | None, system: str, code: str, most: int
) -> list[Confirmation]:
    """Give messages on the list, the oldest first; empty words exclude nothing."""
    row = confirmations.c
    query = select(confirmations).order_by(row.id).limit(most)
    if state is not None:
        query = query.where(row.state == state.value)
    if system:
        query = query.where(row.sender == system)
    if code:
        query = query.where(row.code == code)
    return [_confirmation(one) for one in connection.execute(query)]


def _confirmation(row: Row[*tuple[Any, ...]]) -> Confirmation:
    if row.state not in set(State):
        raise LedgerError(f"confirmation {row.id} was changed: run renkei ledger verify")
    return Confirmation(
        id=row.id,
        at=moment(row.at),
        key=MessageKey(row.sender, row.message_id),
        message_type=row.message_type,
        resident=row.resident,
        code=row.code,
        bucket=row.bucket,
        state=State(row.state),
        decided=row.decided,
        sealed=bytes(row.body or b""),
    )


def is_overtaken(connection: Connection, one: Confirmation) -> bool:
    """Say whether a newer message of the same sender, type and resident was accepted.

    One that was itself put aside earlier is older, whenever it was accepted. A copy that was put
    aside by its receiver is as old as its message's acceptance.
    """
    accepted = _accepted_since(connection, one)
    row = confirmations.c
    for some in _chunks(sorted(accepted)):
        older = select(row.message_id).where(
            row.sender == one.key.sender, row.message_id.in_(some), row.id < one.id
        )
        accepted -= set(connection.execute(older).scalars())
    return bool(accepted)


def _accepted_since(connection: Connection, one: Confirmation) -> set[str]:
    """Give the ids of such messages that were accepted after this one was, or was put aside."""
    numbers = sorted(message_numbers(connection, one.resident, ""))
    found: list[Any] = []
    for month in kept_since(all_months(connection), numbers[0]) if numbers else ():
        entry = entries(month.month).c
        query = (
            select(messages.c.message_id, terms.c.message_type, entry.seq)
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
    kind, since = max(own, key=lambda row: row[1], default=(one.message_type, one.id))
    return {
        row.message_id
        for row in found
        if row.message_type == kind and row.seq > since and row.message_id != one.key.id
    }


def forget(connection: Connection, first: int, last: int) -> None:
    """Delete the rows of these numbers that have come to their end: their month is destroyed."""
    row = confirmations.c
    connection.execute(delete(confirmations).where(row.id >= first, row.id <= last, ~_IS_KEPT))


def _chunks(values: Sequence[ValueT]) -> Iterable[Sequence[ValueT]]:
    for start in range(0, len(values), _VALUES_A_QUERY):
        yield values[start : start + _VALUES_A_QUERY]


def overtaken(connection: Connection, found: Mapping[int, Confirmation]) -> frozenset[int]:
    """Give the numbers of those that a newer message has overtaken."""
    return frozenset(number for number, one in found.items() if is_overtaken(connection, one))
