"""What happens to people and households in any event: values in, values out."""

import datetime as dt
from dataclasses import replace

from adapters.simulation.changes import Change, Entry, listed
from adapters.simulation.people import Household, Person
from adapters.simulation.relations import HEAD, to_new_head
from schemas.resident import EventReason


def renewed(person: Person, **changes: object) -> Person:
    """Give a person's next version."""
    return replace(person, history=person.history + 1, **changes)  # type: ignore[arg-type]


def headed_by(members: tuple[Person, ...], head: Person) -> tuple[Person, ...]:
    """Put a member first as head; whoever's 続柄 changes by it gets a new version."""
    former = members[0]
    if head.number == former.number:
        return members
    rest = (
        _related(m, to_new_head(m.relation, m.sex, head.relation, former.sex))
        for m in members
        if m.number != head.number
    )
    return (_related(head, HEAD), *rest)


def _related(person: Person, relation: tuple[str, str]) -> Person:
    return person if person.relation == relation else renewed(person, relation=relation)


def without(household: Household, leavers: tuple[Person, ...]) -> Household:
    """Take people out of a household; the eldest who stays becomes head if need be."""
    numbers = {person.number for person in leavers}
    staying = [m for m in household.members if m.number not in numbers]
    if not staying:
        return replace(household, members=())
    members = household.members
    if members[0].number in numbers:
        members = headed_by(members, min(staying, key=lambda m: m.birth.day))
    return replace(household, members=tuple(m for m in members if m.number not in numbers))


def entries_of(
    household: Household, reason: EventReason, day: dt.date, before: str
) -> tuple[Entry, ...]:
    """Enter the whole household under one reason; ``before`` is the earlier address."""
    return tuple(
        Entry(m, household.number, household.place, reason, day.isoformat(), "", before)
        for m in household.members
    )


def changed(
    household: Household, people: tuple[Person, ...], reason: EventReason, day: dt.date
) -> Change:
    """Enter some members under a reason, and list the others."""
    rows = (Entry(p, household.number, household.place, reason, day.isoformat()) for p in people)
    return Change(reason, (*rows, *listed(household, {p.number for p in people})))
