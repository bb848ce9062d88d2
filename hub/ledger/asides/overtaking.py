"""Which of the messages put aside a newer one has overtaken, so that they may not move."""

import datetime as dt
from collections.abc import Callable, Collection, Mapping
from functools import partial

from sqlalchemy import Connection, Row, Select, bindparam, select

from hub.ledger.about import rows_about
from hub.ledger.beside import Shelf, Shelved, State
from hub.ledger.chunks import chunks
from hub.ledger.leaf import microseconds
from hub.ledger.model import Kind
from hub.ledger.months import Month, all_months
from hub.ledger.search.messages import message_numbers
from hub.ledger.tables import asides, cases, entries, messages, terms

_CLOCKS = dt.timedelta(seconds=5)
"""How far the clocks of broker and hub may be apart; the broker's has whole seconds."""


Names = Callable[[Shelved], Collection[str] | None]
"""Gives the pseudonyms of whom a message is about; none where they cannot all be known."""


def recorded_name(one: Shelved) -> Collection[str]:
    """Give the pseudonym under which a message was put aside, where there is one."""
    return [one.resident] if one.resident else []


def overtaken(
    connection: Connection, found: Mapping[int, Shelved], names: Names = recorded_name
) -> frozenset[int]:
    """Give the numbers of those that a newer message has overtaken.

    Newer is what was accepted later, of the same sender and type and about the same resident; for
    a copy, only where the receiver was sent it, too. What was itself put aside earlier is older,
    whenever it was accepted. A copy is as old as its message's acceptance.

    What is on its way has its place already, and what is newer waits behind it: it is overtaken
    only by what its receiver was sent. That is so where its marker was lost.

    Where not all ``names`` of a resident are known, something newer may be under another one, and
    counts as if it were there.
    """
    return frozenset(
        number
        for number, one in found.items()
        if (known := names(one)) is None or _newer(connection, one, known)
    )


def _newer(connection: Connection, one: Shelved, known: Collection[str]) -> set[str]:
    age, accepted = _accepted_since(connection, one, known)
    row = asides.c
    sent = [State.MOVED.value]
    if one.state is State.SENDING:
        accepted &= _delivered(connection, one, known)
    else:
        sent.append(State.SENDING.value)
    for some in chunks(sorted(accepted)):
        of_these = (row.sender == one.key.sender, row.message_id.in_(some))
        older = select(row.message_id).where(*of_these, row.id < age)
        accepted -= set(connection.execute(older).scalars())
        if one.receiver:
            # A newer one that has died on the same way has changed nothing there.
            dead = select(row.message_id).where(
                *of_these,
                row.list == Shelf.DEAD_LETTER.value,
                row.receiver == one.receiver,
                row.state.not_in(sent),
            )
            accepted -= set(connection.execute(dead).scalars())
    return accepted


def _accepted_since(
    connection: Connection, one: Shelved, known: Collection[str]
) -> tuple[int, set[str]]:
    """Give how old this one is, and the ids of what was accepted later.

    An original that died was in its queue before the broker took it out; what comes behind it may
    have been accepted before the death was recorded.
    """
    found = _recorded(connection, one, known, Kind.ACCEPTANCE)
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


def _delivered(connection: Connection, one: Shelved, known: Collection[str]) -> set[str]:
    """Give the ids of what the receiver of a copy was sent about the same resident."""
    found = _recorded(connection, one, known, Kind.DELIVERY)
    return {row.message_id for row in found if row.receiver == one.receiver}


def _recorded(
    connection: Connection, one: Shelved, known: Collection[str], kind: Kind
) -> list[Row[str, str, str, int, int]]:
    """Give the entries of a kind of the same sender and about the same resident."""
    numbers = sorted(message_numbers(connection, known, "")) if known else []
    months = all_months(connection) if numbers else []
    query = partial(_entries_of, sender=one.key.sender, kind=kind)
    return list(rows_about(connection, months, numbers, query))


def _entries_of(month: Month, sender: str, kind: Kind) -> Select[str, str, str, int, int]:
    entry = entries(month.month).c
    return (
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
            terms.c.kind == kind.value,
            terms.c.sender == sender,
        )
    )
