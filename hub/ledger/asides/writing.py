"""Writes what stands beside entries, in the transaction that appends these."""

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, Select, bindparam, delete, func, select, update

from hub.errors import LedgerError
from hub.ledger.about import rows_about
from hub.ledger.asides.bound import bind
from hub.ledger.asides.finding import recorded
from hub.ledger.asides.once import MEANWHILE, change_one
from hub.ledger.beside import KEPT, Aside, Beside, Cause, State, Turn
from hub.ledger.leaf import microseconds
from hub.ledger.model import Kind
from hub.ledger.months import Month, all_months
from hub.ledger.numbers import find_refs
from hub.ledger.recall import plain_key
from hub.ledger.tables import asides, cases, entries, terms
from hub.ledger.writing import insert_rows
from hub.message import MessageKey


def write(connection: Connection, beside: Beside, first: int, *, stale: bool) -> None:
    """Write what stands beside entries; ``first`` is the number of the first of these.

    ``stale`` says that somebody else has appended since this process asked.

    Raises:
        LedgerError: what is to be changed is not as this process knows it; ask again.
    """
    if beside.bindings:
        bind(connection, beside.bindings, stale=stale)
    marks = [one.cause.mark for one in beside.asides if one.cause is not None and one.cause.mark]
    if stale and any(recorded(connection, marks).values()):
        raise LedgerError(MEANWHILE)
    # A copy is as old as the acceptance of its message.
    ages = accepted_by(connection, [one.key for one in beside.asides if one.receiver])
    insert_rows(connection, asides, [_row(one, first, ages) for one in beside.asides])
    for turn in beside.turns:
        _turn(connection, turn, first)


def accepted_by(connection: Connection, keys: Iterable[MessageKey]) -> dict[MessageKey, int]:
    """Give the numbers of the entries by which messages were accepted, of those that were."""
    refs = find_refs(connection, map(plain_key, keys))
    found: dict[MessageKey, int] = {}
    months = all_months(connection) if refs else []
    for number, seq in rows_about(connection, months, sorted(refs), _accepted):
        ref = refs[number]
        found.setdefault(ref.key, seq)
    return found


def _accepted(month: Month) -> Select[int, int]:
    entry = entries(month.month).c
    return (
        select(entry.message_no, func.min(entry.seq))
        .join(cases, cases.c.id == entry.case_id)
        .join(terms, terms.c.id == cases.c.terms_id)
        .where(
            entry.message_no.in_(bindparam("numbers", expanding=True)),
            terms.c.kind == Kind.ACCEPTANCE.value,
        )
        .group_by(entry.message_no)
    )


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
    where = [asides.c.id == turn.id, asides.c.state == turn.was.value]
    if turn.was is State.REQUESTED:
        where.append(asides.c.request == turn.asked)
    change_one(connection, update(asides).where(*where).values(values))


def forget(connection: Connection, first: int, last: int) -> None:
    """Delete the rows of these numbers that have come to their end: their month is destroyed."""
    row = asides.c
    connection.execute(delete(asides).where(row.id >= first, row.id <= last, row.body.is_(None)))
