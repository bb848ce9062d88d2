"""What became of one flow: by the catalogue's own dates, and by the ledger's entries. Pure."""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from hub.ledger.changes import Told, told_of
from hub.ledger.leaf import Recorded
from hub.statute.model import Basis, Decision, Flow
from monitoring.console.shown import Say


@dataclass(frozen=True, slots=True)
class Turn:
    """What holds for a flow from a day on, or ends with it, in words."""

    day: dt.date
    said: str


@dataclass(frozen=True, slots=True)
class Changed:
    """An entry about a catalogue, and what it says of one flow."""

    entry: Recorded
    what: Told


def turns(flow: Flow, say: Say) -> list[Turn]:
    """Tell each day on which something of a flow begins or ends, the newest first."""
    found = [*_bases(flow.basis, say), *_fields(flow, say), *_decisions(flow, say)]
    return sorted(found, key=lambda one: one.day, reverse=True)


def changes_of(ref: str, entries: Iterable[Recorded]) -> Iterator[Changed]:
    """Give the entries by which a flow changed, or may have: not all say which flows did."""
    for one in entries:
        what = Told.NOTHING if one.code else told_of(one.detail, ref)
        if what is not Told.NOTHING:
            yield Changed(one, what)


def _bases(bases: Iterable[Basis], say: Say) -> Iterator[Turn]:
    for one in bases:
        yield Turn(one.valid_from, say.words("turn.basis", basis=one))
        if one.valid_to is not None:
            yield Turn(one.valid_to, say.words("turn.basis-ends", basis=one))


def _fields(flow: Flow, say: Say) -> Iterator[Turn]:
    for leg in flow.legs:
        for receiver, grant in leg.receivers.items():
            for day in sorted(set(grant.since.values())):
                names = tuple(name for name in grant.fields if grant.since.get(name) == day)
                said = {"receiver": say.system(receiver), "fields": say.fields(names)}
                yield Turn(day, say.words("turn.fields", **said))


def _decisions(flow: Flow, say: Say) -> Iterator[Turn]:
    made: dict[str, Decision | None] = {
        "own": flow.own,
        "completed": flow.completed,
        "closed": flow.closed,
        "timed": flow.timed,
    }
    for name, one in made.items():
        if one is not None:
            said = say.words(f"turn.{name}", by=one.by)
            yield Turn(one.on, f"{said} {one.reason}".rstrip())
