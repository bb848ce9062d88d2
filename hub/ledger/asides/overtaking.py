"""Which of the messages put aside a newer one has overtaken, so that they may not move."""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, select

from hub.ledger.about import rows_about
from hub.ledger.beside import Shelf, Shelved, State
from hub.ledger.chunks import chunks
from hub.ledger.leaf import microseconds
from hub.ledger.model import Kind
from hub.ledger.months import Month, all_months
from hub.ledger.search.messages import numbers_about
from hub.ledger.tables import asides, cases, entries, messages, terms
from hub.message import MessageKey

_CLOCKS = dt.timedelta(seconds=5)
"""How far the clocks of broker and hub may be apart; the broker's has whole seconds."""


Rows = Sequence[Row[*tuple[Any, ...]]]
_Aside = Mapping[MessageKey, Rows]
"""The rows of messages that were put aside, by their keys."""

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
    known = {number: names(one) for number, one in found.items()}
    accepted = _recorded(connection, known.values(), Kind.ACCEPTANCE)
    going = [known[number] for number, one in found.items() if one.state is State.SENDING]
    delivered = _recorded(connection, going, Kind.DELIVERY)
    later = {
        number: _later(one, _of(one, some, accepted), _of(one, some, delivered))
        for number, one in found.items()
        if (some := known[number]) is not None
    }
    keys = {MessageKey(found[number].key.sender, at) for number in later for at in later[number][1]}
    aside = _put_aside(connection, keys)
    return frozenset(
        number
        for number, one in found.items()
        if number not in later or _newer(one, *later[number], aside)
    )


def _newer(one: Shelved, age: int, later: Collection[str], aside: _Aside) -> bool:
    """Say whether one of these ids is newer indeed; some were put aside earlier, or have died."""
    sent = {State.MOVED.value}
    if one.state is not State.SENDING:
        sent.add(State.SENDING.value)

    def counts(row: Row[*tuple[Any, ...]]) -> bool:
        # A newer one that has died on the same way has changed nothing there.
        is_dead = row.list == Shelf.DEAD_LETTER.value and row.receiver == one.receiver
        return row.id >= age and not (one.receiver and is_dead and row.state not in sent)

    return any(
        all(map(counts, aside.get(MessageKey(one.key.sender, message_id), ())))
        for message_id in later
    )


def _put_aside(connection: Connection, keys: Collection[MessageKey]) -> _Aside:
    """Give the rows of the messages among these that were put aside themselves."""
    row = asides.c
    ids: defaultdict[str, set[str]] = defaultdict(set)
    for key in keys:
        ids[key.sender].add(key.id)
    found: defaultdict[MessageKey, list[Row[*tuple[Any, ...]]]] = defaultdict(list)
    query = select(row.message_id, row.id, row.list, row.receiver, row.state)
    for sender, names in ids.items():
        for some in chunks(sorted(names)):
            asked = query.where(row.sender == sender, row.message_id.in_(some))
            for one in connection.execute(asked):
                found[MessageKey(sender, one.message_id)].append(one)
    return found


def _later(one: Shelved, accepted: Rows, delivered: Rows) -> tuple[int, set[str]]:
    """Give how old this one is, and the ids of what was accepted later.

    An original that died was in its queue before the broker took it out; what comes behind it may
    have been accepted before the death was recorded.
    """
    own = [(row.message_type, row.seq) for row in accepted if row.message_id == one.key.id]
    kind, since = max(own, key=lambda row: row[1], default=(one.message_type, one.age))
    age = min(since, one.age)
    died = one.cause.died if one.cause is not None and not own else None
    behind = None if died is None else microseconds(died - _CLOCKS)
    later = {
        row.message_id
        for row in accepted
        if row.message_type == kind
        and row.message_id != one.key.id
        and (row.seq > age or (behind is not None and row.at >= behind))
        and one.receiver in {"", row.receiver}
    }
    if one.state is State.SENDING:
        later &= {row.message_id for row in delivered if row.receiver == one.receiver}
    return age, later


def _of(one: Shelved, known: Collection[str], recorded: Mapping[str, Rows]) -> Rows:
    """Give the entries of the same sender about whom a message is about."""
    entries_of = (row for name in known for row in recorded.get(name, ()))
    return [row for row in entries_of if row.sender == one.key.sender]


def _recorded(
    connection: Connection, known: Iterable[Collection[str] | None], kind: Kind
) -> Mapping[str, Rows]:
    """Give the entries of a kind about residents, by pseudonym; of all of them together."""
    names = {name for some in known for name in some or ()}
    numbers = dict(numbers_about(connection, names))
    months = all_months(connection) if numbers else []
    found: defaultdict[str, list[Row[*tuple[Any, ...]]]] = defaultdict(list)
    for row in rows_about(connection, months, sorted(numbers), partial(_entries_of, kind=kind)):
        found[numbers[row.message_no]].append(row)
    return found


def _entries_of(month: Month, kind: Kind) -> Select[*tuple[Any, ...]]:
    entry = entries(month.month).c
    return (
        select(
            messages.c.message_id,
            entry.message_no,
            terms.c.sender,
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
        )
    )
