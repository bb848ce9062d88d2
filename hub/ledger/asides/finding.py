"""Finds what was put aside: by number, by what is asked for, by the mark of a dead letter."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, bindparam, func, select

from hub.errors import LedgerError
from hub.ledger.beside import GOING, KEPT, Cause, Shelf, Shelved, State
from hub.ledger.chunks import chunks
from hub.ledger.leaf import microseconds, moment
from hub.ledger.tables import asides
from hub.message import MessageKey

_NOT_SENT_AGAIN = frozenset({*KEPT, State.DISCARDED})
_IS_KEPT = asides.c.body.is_not(None)
_FACTS = [column for column in asides.c if column is not asides.c.body]


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


def oldest_undecided(connection: Connection) -> dict[Shelf, dt.datetime]:
    """Give since when the oldest message waits on each list for a person; others are left out."""
    row = asides.c
    states = [State.OPEN.value, State.REQUESTED.value]
    query = (
        select(row.list, func.min(row.at)).where(_IS_KEPT, row.state.in_(states)).group_by(row.list)
    )
    return {Shelf(name): moment(at) for name, at in connection.execute(query) if name in set(Shelf)}


def find(connection: Connection, numbers: Collection[int]) -> dict[int, Shelved]:
    """Give the rows of these numbers, with their bodies as they are kept."""
    found: dict[int, Shelved] = {}
    query = select(asides).where(asides.c.id.in_(bindparam("numbers", expanding=True)))
    for some in chunks(sorted(numbers)):
        for row in connection.execute(query, {"numbers": some}):
            found[row.id] = _shelved(row, bytes(row.body or b""))
    return found


def listed(connection: Connection, wanted: Wanted, most: int) -> list[Shelved]:
    """Give messages put aside, the oldest first, without their bodies."""
    query = select(*_FACTS).where(*wanted.conditions()).order_by(asides.c.id).limit(most)
    return [_shelved(one, b"") for one in connection.execute(query)]


def counted(connection: Connection, wanted: Wanted) -> int:
    """Count the messages put aside for which all holds that is asked."""
    query = select(func.count()).select_from(asides).where(*wanted.conditions())
    return int(connection.execute(query).scalar_one())


def requests(connection: Connection, shelf: Shelf) -> dict[int, int]:
    """Give the requests that wait for a second person, and how many messages each is about."""
    row = asides.c
    query = select(row.request, func.count()).where(
        row.list == shelf.value, row.state == State.REQUESTED.value
    )
    query = query.group_by(row.request).order_by(row.request)
    return {one[0]: one[1] for one in connection.execute(query)}


def recorded(connection: Connection, marks: Collection[str]) -> dict[str, bool]:
    """Give the marks under which dead letters are recorded, and whether one was never sent again.

    It waits, or a person has decided against it.
    """
    row = asides.c
    found: dict[str, bool] = {}
    for some in chunks(sorted(set(marks) - {""})):
        query = select(row.mark, row.state).where(row.mark.in_(some), row.mark != "")
        for mark, state in connection.execute(query):
            found[mark] = found.get(mark, False) or state in _NOT_SENT_AGAIN
    return found


def _shelved(row: Row[*tuple[Any, ...]], sealed: bytes) -> Shelved:
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
        sealed=sealed,
    )
